/**
 * How long a call may wait: the last input of every function that can block.
 *
 *     kin_event_wait(event, KIN_FOREVER);
 *     kin_event_wait(event, kin_within_ms(250));
 *     kin_event_wait(event, kin_by(deadline_ns, cancel));
 *
 * The deadline is absolute, so one kin_timeout can be handed through several steps without
 * the total growing. It is a struct, so that a plain number of milliseconds does not
 * compile. One that is all zero is refused with -EINVAL: it is a forgotten field, not a wish.
 */
#ifndef KIN_TIMEOUT_H
#define KIN_TIMEOUT_H

#include <kin/export.h>
#include <stdint.h>

KIN_BEGIN

struct kin_cancel;

/** A deadline on the monotonic clock in ns, and optionally a token that ends the wait early. */
typedef struct kin_timeout {
    int64_t deadline_ns;
    struct kin_cancel *cancel;
} kin_timeout;

/** Now, on the clock that deadlines are measured by (CLOCK_MONOTONIC), in ns. */
KIN_API int64_t kin_now_ns(void);

/**
 * A wait until `deadline_ns` (see kin_now_ns) or until `cancel` fires; NULL: no token.
 * INT64_MAX means no deadline. `cancel` is borrowed until the wait returns.
 */
static inline kin_timeout kin_by(int64_t deadline_ns, struct kin_cancel *cancel)
{
    kin_timeout timeout;
    timeout.deadline_ns = deadline_ns;
    timeout.cancel = cancel;
    return timeout;
}

/** A wait of at most `ms` milliseconds from now. */
static inline kin_timeout kin_within_ms(int64_t ms)
{
    int64_t now_ns = kin_now_ns();
    int64_t most_ms = (INT64_MAX - now_ns) / 1000000;
    return kin_by(ms < 0 ? now_ns : ms >= most_ms ? INT64_MAX : now_ns + ms * 1000000, 0);
}

/** No deadline and no token: only what is waited for ends the wait. */
#define KIN_FOREVER kin_by(INT64_MAX, 0)

/** No wait: what is not possible at once is refused with -EAGAIN. */
#define KIN_NOW kin_by(1, 0)

KIN_END

#endif
