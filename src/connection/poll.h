/**
 * Waiting on fds for as long as a kin_timeout says: the one way in which waits on other things than
 * the family's memory sleep.
 */
#ifndef KIN_CONNECTION_POLL_H
#define KIN_CONNECTION_POLL_H

#include "os/poll.h"

#include <kin/timeout.h>

/* Waits until at least one of `count` fds is ready. `polls` has room for one more behind them, for
 * the token. How many have `found` something; or -EAGAIN: none, and the timeout is KIN_NOW;
 * -ETIMEDOUT, -ECANCELED: none; -EINVAL: no timeout, or more fds than the process may open;
 * -ESTALE: the token is gone; -EMFILE, -ENFILE, -ENOMEM. An fd that is ready counts, although the
 * timeout was over before. */
int kin__poll(struct kin__os_poll *polls, uint32_t count, kin_timeout timeout);

/* The same for one fd: `wanted` as in os/poll.h. What was found (> 0), or a code. */
int kin__poll_one(int fd, int16_t wanted, kin_timeout timeout);

#endif
