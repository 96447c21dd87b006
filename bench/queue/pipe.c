/* A pipe of the kernel, as large as a user may ask for. Writes of up to PIPE_BUF bytes are
 * atomic, so such messages can have several producers and consumers: all have one size that
 * divides a page, and a read takes a whole one. Larger ones are read in pieces, which only
 * works with one of each. */

#define _GNU_SOURCE /* for the size of a pipe */

#include "queue/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPE_BYTES_MAX (1 << 20)

static int ends[2];
static unsigned char *message;
static size_t message_bytes;

static void open_pipe(const traffic_plan *plan)
{
    int is_one_to_one = plan->producer_count == 1 && plan->consumer_count == 1;
    if (!is_one_to_one && (plan->bytes > PIPE_BUF || PIPE_BUF % plan->bytes != 0)) {
        harness_die("messages of %zu bytes are not atomic in a pipe", plan->bytes);
    }
    message_bytes = plan->bytes;
    message = aligned_alloc(64, (plan->bytes + 63) / 64 * 64);
    if (message == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        harness_die("no pipe: %s", strerror(errno));
    }
    if (fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES_MAX) < 0) {
        harness_die("no pipe of 1 MiB: %s", strerror(errno));
    }
}

static void produce(uint64_t first, uint64_t count)
{
    for (uint64_t number = first; number < first + count; number++) {
        payload_write(message, message_bytes, number);
        for (size_t done = 0; done < message_bytes;) {
            ssize_t bytes = write(ends[1], message + done, message_bytes - done);
            if (bytes < 0) {
                harness_die("cannot write: %s", strerror(errno));
            }
            done += (size_t)bytes;
        }
    }
}

static uint64_t consume(uint64_t count)
{
    uint64_t number_sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        for (size_t done = 0; done < message_bytes;) {
            ssize_t bytes = read(ends[0], message + done, message_bytes - done);
            if (bytes <= 0) {
                harness_die("cannot read: %s", strerror(errno));
            }
            done += (size_t)bytes;
        }
        number_sum += payload_read(message, message_bytes);
    }
    return number_sum;
}

const traffic_subject traffic_measured = {open_pipe, produce, consume, &harness_forks};
