/* poll(2). */

#include "wait/rounds.h"

#include <poll.h>

static struct pollfd polls[ROUNDS_THINGS_MAX];
static unsigned poll_count;

static void open_pipes(unsigned count)
{
    rounds_open_pipes(count);
    poll_count = count;
    for (unsigned i = 0; i < count; i++) {
        polls[i] = (struct pollfd){.fd = rounds_pipes[i][0], .events = POLLIN};
    }
}

static unsigned wait_for_one(void)
{
    if (poll(polls, poll_count, -1) != 1) {
        harness_die("not one is ready");
    }
    unsigned thing = 0;
    while (polls[thing].revents == 0) {
        thing++;
    }
    return thing;
}

const rounds_subject rounds_measured = {open_pipes, rounds_write, wait_for_one, rounds_read};
