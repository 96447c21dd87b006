#define _GNU_SOURCE /* for pipe2 */

#include "wait/rounds.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WARM_UP_DIVISOR = 20, STRIDE = 37 }; /* the stride has no factor in common with 64, 1000 */

int rounds_pipes[ROUNDS_THINGS_MAX][2];

void rounds_open_pipes(unsigned count)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    for (unsigned i = 0; i < count; i++) {
        if (pipe2(rounds_pipes[i], O_CLOEXEC) != 0) {
            harness_die("no pipe: %s", strerror(errno));
        }
    }
}

void rounds_write(unsigned thing)
{
    if (write(rounds_pipes[thing][1], "x", 1) != 1) {
        harness_die("cannot write: %s", strerror(errno));
    }
}

void rounds_read(unsigned thing)
{
    char byte;
    if (read(rounds_pipes[thing][0], &byte, 1) != 1) {
        harness_die("cannot read: %s", strerror(errno));
    }
}

static void run(unsigned things, uint64_t rounds)
{
    unsigned thing = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        thing = (thing + STRIDE) % things;
        rounds_measured.make_ready(thing);
        if (rounds_measured.wait() != thing) {
            harness_die("the wrong one is ready");
        }
        rounds_measured.take(thing);
    }
}

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    unsigned things = (unsigned)harness_number("things");
    uint64_t rounds = harness_number("rounds");
    if (things > ROUNDS_THINGS_MAX) {
        harness_die("too many things");
    }
    rounds_measured.open(things);
    run(things, rounds / WARM_UP_DIVISOR + 1);
    int64_t begin = harness_now_ns();
    run(things, rounds);
    harness_report((double)(harness_now_ns() - begin) / (double)rounds);
    return 0;
}
