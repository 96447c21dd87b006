#include "connection/poll.h"

#include "family/cancel.h"
#include "family/sleep.h"

#include <errno.h>

/* Appends the token. How many fds there are then, or a code. */
static int add_token(struct kin__os_poll *polls, uint32_t count, kin_cancel *cancel)
{
    polls[count] = (struct kin__os_poll){.wanted = KIN__OS_POLL_READ};
    int r = kin__cancel_fd(cancel, &polls[count].fd);
    return r < 0 ? r : (int)count + 1;
}

int kin__poll(struct kin__os_poll *polls, uint32_t count, kin_timeout timeout)
{
    int r = kin__timeout_check(timeout);
    if (r < 0) {
        return r;
    }
    int over = kin__timeout_is_over(timeout);
    if (over < 0) {
        r = kin__os_poll(polls, count, KIN_NOW.deadline_ns);
        return r == 0 ? over : r;
    }
    int total = timeout.cancel == NULL ? (int)count : add_token(polls, count, timeout.cancel);
    if (total < 0) {
        return total;
    }
    r = kin__os_poll(polls, (uint32_t)total, timeout.deadline_ns);
    bool has_fired = (uint32_t)total > count && r > 0 && polls[count].found != 0;
    r -= has_fired;
    return r != 0 ? r : has_fired ? -ECANCELED : -ETIMEDOUT;
}

int kin__poll_one(int fd, int16_t wanted, kin_timeout timeout)
{
    struct kin__os_poll polls[2] = {{.fd = fd, .wanted = wanted}};
    int r = kin__poll(polls, 1, timeout);
    return r > 0 ? polls[0].found : r;
}
