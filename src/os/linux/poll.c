#define _GNU_SOURCE
#include "os/poll.h"

#include "os/clock.h"
#include "os/fault.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>

#define NS_A_SECOND 1000000000

static_assert(sizeof(struct kin__os_poll) == sizeof(struct pollfd), "the kernel's layout");
static_assert(offsetof(struct kin__os_poll, wanted) == offsetof(struct pollfd, events), "layout");
static_assert(offsetof(struct kin__os_poll, found) == offsetof(struct pollfd, revents), "layout");
static_assert(KIN__OS_POLL_READ == POLLIN && KIN__OS_POLL_WRITE == POLLOUT, "the kernel's bits");
static_assert(KIN__OS_POLL_END == (POLLHUP | POLLERR), "the kernel's bits");
static_assert(KIN__OS_POLL_BAD == POLLNVAL, "the kernel's bits");

/* How long it is until the deadline; NULL: for ever. */
static struct timespec *until(int64_t deadline_ns, struct timespec *left)
{
    if (deadline_ns == INT64_MAX) {
        return NULL;
    }
    int64_t now_ns = deadline_ns > 1 ? kin__os_now_ns() : deadline_ns; /* KIN_NOW needs no clock */
    int64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    *left = (struct timespec){.tv_sec = left_ns / NS_A_SECOND, .tv_nsec = left_ns % NS_A_SECOND};
    return left;
}

int kin__os_poll(struct kin__os_poll *polls, uint32_t count, int64_t deadline_ns)
{
    KIN__OS_FAULT(ENOMEM);
    struct timespec left;
    int r = 0;
    do {
        r = ppoll((struct pollfd *)(void *)polls, count, until(deadline_ns, &left), NULL);
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r;
}
