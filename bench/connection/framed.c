/* Frames by hand: the size in front of each message, as a program writes it that has the fds and
 * no library. One writev a message, and two reads: the size, then so many bytes. Without a lock. */

#define _GNU_SOURCE

#include "connection/exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int fds[2];
static int kept;

static void open_pipe(bool is_two_way)
{
    if ((is_two_way ? socketpair(AF_UNIX, SOCK_STREAM, 0, fds) : pipe(fds)) != 0) {
        harness_die("no pipe: %s", strerror(errno));
    }
}

static void keep(unsigned end)
{
    kept = fds[end];
    close(fds[1 - end]);
}

static void leave(void)
{
    close(fds[0]);
    close(fds[1]);
}

static void write_all(struct iovec *pieces, int count)
{
    while (count > 0) {
        ssize_t written = writev(kept, pieces, count);
        if (written < 0) {
            harness_die("cannot write: %s", strerror(errno));
        }
        while (count > 0 && (size_t)written >= pieces->iov_len) {
            written -= (ssize_t)pieces->iov_len;
            pieces++;
            count--;
        }
        if (count > 0) {
            pieces->iov_base = (char *)pieces->iov_base + written;
            pieces->iov_len -= (size_t)written;
        }
    }
}

static void read_all(void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = read(kept, (char *)data + done, bytes - done);
        if (got <= 0) {
            harness_die("cannot read: %s", strerror(errno));
        }
        done += (size_t)got;
    }
}

static void send_message(const void *message, size_t bytes)
{
    uint32_t size = htonl((uint32_t)bytes);
    struct iovec pieces[2] = {{&size, sizeof size}, {(void *)(uintptr_t)message, bytes}};
    write_all(pieces, 2);
}

static void receive_message(void *message, size_t bytes)
{
    uint32_t size = 0;
    read_all(&size, sizeof size);
    if (ntohl(size) != bytes) {
        harness_die("a message has %u bytes, not %zu", ntohl(size), bytes);
    }
    read_all(message, bytes);
}

const exchange_subject exchange_measured = {open_pipe,       keep,          leave, send_message,
                                            receive_message, &harness_forks};
