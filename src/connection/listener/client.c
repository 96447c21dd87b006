/*
 * Connecting: the socket, then TLS and the challenge, each step waited for until the caller's
 * deadline or the handshake's own.
 */
#include "connection/listener/opening.h"
#include "connection/poll.h"
#include "family/member.h"
#include "family/sleep.h"
#include "os/clock.h"
#include "os/listen.h"
#include "os/memory.h"

#include <errno.h>
#include <kin/client.h>

/* The kernel does not tell when there is room in the line of a unix socket: a token, which it does
 * not know either, is looked at that often. */
#define SLICE_NS 20000000

static int64_t slice_of(kin_timeout timeout)
{
    int64_t left_ns = timeout.deadline_ns - kin__os_now_ns();
    return left_ns < SLICE_NS ? left_ns : SLICE_NS;
}

/* A connected socket, or a code. */
static int connect_unix(const struct kin__terms *terms, const struct kin__address *address,
                        kin_timeout timeout, int *ret_fd)
{
    int fd = -1;
    int r = kin__os_socket_unix(&fd);
    while (r == 0) {
        r = kin__os_connect_unix(fd, address->path, slice_of(timeout));
        if (r != -EAGAIN) {
            break;
        }
        r = kin__timeout_is_over(timeout);
    }
    r = r == 0 ? kin__terms_check_user(terms, fd) : r;
    if (r < 0) {
        kin__os_close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

static int connect_one(const struct kin__os_address *address, kin_timeout timeout, int *ret_fd)
{
    int fd = -1;
    int r = kin__os_socket_tcp(address, &fd);
    if (r < 0) {
        return r;
    }
    r = kin__os_connect_tcp(fd, address);
    if (r == -EINPROGRESS) {
        r = kin__poll_one(fd, KIN__OS_POLL_WRITE, timeout);
        r = r < 0 ? r : kin__os_connect_finish(fd);
    }
    if (r < 0) {
        kin__os_close(fd);
        return r;
    }
    kin__os_socket_tune(fd);
    *ret_fd = fd;
    return 0;
}

/* To the first address of the host at which somebody listens. */
static int connect_tcp(const struct kin__terms *terms, const struct kin__address *address,
                       kin_timeout timeout, int *ret_fd)
{
    struct kin__os_address addresses[KIN__OS_ADDRESSES_MAX];
    int count = kin__terms_resolve(terms, address, addresses);
    int r = count;
    for (int i = 0; i < count; i++) {
        r = connect_one(&addresses[i], timeout, ret_fd);
        if (r == 0 || kin__timeout_is_over(timeout) < 0) {
            break;
        }
    }
    return r;
}

/* Steps until it is open. */
static int open_connection(struct kin__opening *opening, kin_timeout timeout)
{
    int64_t late_ns = opening->begun_ns + opening->terms->handshake_ns;
    if (late_ns < timeout.deadline_ns) {
        timeout = kin_by(late_ns, timeout.cancel);
    }
    for (;;) {
        int r = kin__opening_step(opening);
        if (r != 0) {
            return r == 1 ? 0 : r;
        }
        r = kin__poll_one(opening->transport->fd, opening->wanted, timeout);
        r = r >= 0 ? kin__timeout_is_over(timeout) : r; /* one byte at a time gains no time */
        if (r < 0) {
            return r;
        }
    }
}

static int establish(const struct kin__terms *terms, const struct kin__address *address,
                     kin_timeout timeout, kin_connection **ret_connection)
{
    struct kin__opening *opening = NULL;
    int fd = -1;
    int r = address->is_unix ? connect_unix(terms, address, timeout, &fd)
                             : connect_tcp(terms, address, timeout, &fd);
    if (r < 0) {
        return r;
    }
    r = kin__opening_begin(terms, fd, address, &opening);
    if (r < 0) {
        kin__os_close(fd);
        return r;
    }
    r = open_connection(opening, timeout);
    r = r == 0 ? kin__opening_finish(opening, ret_connection) : r;
    if (r < 0) {
        kin__opening_free(opening);
    }
    return r;
}

int kin_client_connect(const char *address, const kin_client_options *options, kin_timeout timeout,
                       kin_connection **ret_connection)
{
    static const kin_client_options defaults = {.size = sizeof defaults};
    struct kin__address place;
    struct kin__terms terms;
    struct kin__thread *self = NULL;
    options = options == NULL ? &defaults : options;
    int r = ret_connection == NULL || options->size != sizeof *options
                ? -EINVAL
                : kin__timeout_check(timeout);
    r = r == 0 ? kin__address_parse(address, &place) : r;
    if (r < 0 || (place.is_unix && place.path[0] == '\0')) {
        return -EINVAL;
    }
    struct kin__terms_wish wish = KIN__TERMS_WISH(KIN__HANDSHAKE_CLIENT, options);
    r = kin__self_find(&self);
    r = r == 0 ? kin__terms_init(&wish, &place, &terms) : r;
    if (r < 0) {
        return r;
    }
    r = establish(&terms, &place, timeout, ret_connection);
    kin__terms_deinit(&terms);
    return r;
}
