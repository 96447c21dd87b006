/* The fds alone: what is sent with write comes with read, without a frame, a lock, or a limit. All
 * messages have one size, which both sides know. */

#define _GNU_SOURCE

#include "connection/exchange.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
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

static void send_message(const void *message, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t written = write(kept, (const char *)message + done, bytes - done);
        if (written < 0) {
            harness_die("cannot write: %s", strerror(errno));
        }
        done += (size_t)written;
    }
}

static void receive_message(void *message, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = read(kept, (char *)message + done, bytes - done);
        if (got <= 0) {
            harness_die("cannot read: %s", strerror(errno));
        }
        done += (size_t)got;
    }
}

const exchange_subject exchange_measured = {open_pipe,       keep,          leave, send_message,
                                            receive_message, &harness_forks};
