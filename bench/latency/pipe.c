/* A pipe of the kernel for each direction. */

#define _GNU_SOURCE /* for pipe2 */

#include "latency/round_trip.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int ends[2][2]; /* to side 0, to side 1 */

static void open_pipes(void)
{
    if (pipe2(ends[0], O_CLOEXEC) != 0 || pipe2(ends[1], O_CLOEXEC) != 0) {
        harness_die("no pipe: %s", strerror(errno));
    }
}

static void send_word(unsigned side, uint64_t word)
{
    if (write(ends[1 - side][1], &word, sizeof word) != sizeof word) {
        harness_die("cannot write: %s", strerror(errno));
    }
}

static uint64_t receive_word(unsigned side)
{
    uint64_t word = 0;
    if (read(ends[side][0], &word, sizeof word) != sizeof word) {
        harness_die("cannot read: %s", strerror(errno));
    }
    return word;
}

const round_trip_subject round_trip_measured = {open_pipes, send_word, receive_word,
                                                &harness_forks};
