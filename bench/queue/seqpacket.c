/* A pair of connected AF_UNIX sockets of type SOCK_SEQPACKET: messages stay whole, so there can be
 * several producers and consumers. The buffer is of 1 MiB, or as large as a user may have it; a
 * message that it does not take is sent in pieces, which only works with one of each. */

#define _GNU_SOURCE /* for SOCK_CLOEXEC */

#include "queue/traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES (1 << 20)
#define PAGE_BYTES 4096

static int ends[2];
static unsigned char *message;
static size_t message_bytes;
static size_t piece_bytes;

/* As much as the buffer takes at once; Linux refuses what does not leave some bytes of it free. */
static size_t piece_bytes_max(void)
{
    int buffer_bytes = BUFFER_BYTES;
    socklen_t size = sizeof buffer_bytes;
    if (setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, size) != 0 ||
        getsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, &size) != 0) {
        harness_die("cannot size the buffer: %s", strerror(errno));
    }
    return ((size_t)buffer_bytes - PAGE_BYTES) / PAGE_BYTES * PAGE_BYTES;
}

static void open_sockets(const traffic_plan *plan)
{
    message_bytes = plan->bytes;
    message = aligned_alloc(64, (plan->bytes + 63) / 64 * 64);
    if (message == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        harness_die("no sockets: %s", strerror(errno));
    }
    piece_bytes = piece_bytes_max();
    piece_bytes = message_bytes < piece_bytes ? message_bytes : piece_bytes;
    if (piece_bytes < message_bytes && plan->producer_count + plan->consumer_count != 2) {
        harness_die("messages of %zu bytes do not fit into the buffer", plan->bytes);
    }
}

static void produce(uint64_t first, uint64_t count)
{
    for (uint64_t number = first; number < first + count; number++) {
        payload_write(message, message_bytes, number);
        for (size_t done = 0; done < message_bytes;) {
            size_t left = message_bytes - done;
            ssize_t bytes = send(ends[1], message + done, left < piece_bytes ? left : piece_bytes,
                                 MSG_NOSIGNAL);
            if (bytes < 0) {
                harness_die("cannot send: %s", strerror(errno));
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
            ssize_t bytes = recv(ends[0], message + done, message_bytes - done, 0);
            if (bytes <= 0) {
                harness_die("cannot receive: %s", strerror(errno));
            }
            done += (size_t)bytes;
        }
        number_sum += payload_read(message, message_bytes);
    }
    return number_sum;
}

const traffic_subject traffic_measured = {open_sockets, produce, consume, &harness_forks};
