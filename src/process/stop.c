/*
 * Ending a child step by step.
 *
 * One that has become another user's (it runs a set-uid program, or this process has given up its
 * rights) gets no signals. That is known at once, so the time after a signal is not waited for.
 */
#include "family/sleep.h"
#include "os/clock.h"
#include "process/process.h"

#include <errno.h>

/* Waits for the end for a while, but no longer than the caller has time. 0: it has ended, or the
 * step is over; then `ret_has_ended` says which. */
static int wait_for(kin_process *process, int64_t ms, kin_timeout timeout, bool *ret_has_ended)
{
    kin_timeout step = ms == KIN_STOP_FOREVER ? KIN_FOREVER : kin_within_ms(ms);
    bool is_shorter = step.deadline_ns < timeout.deadline_ns;
    int r = kin_process_join(process,
                             is_shorter ? kin_by(step.deadline_ns, timeout.cancel) : timeout);
    *ret_has_ended = r == 0;
    return r == -ETIMEDOUT && is_shorter ? 0 : r;
}

/* Sends a signal, and waits for a while. -EPERM: it cannot be sent. */
static int force(kin_process *process, int (*send)(kin_process *process), int64_t ms,
                 kin_timeout timeout, bool *ret_has_ended)
{
    int r = ms == 0 ? 0 : send(process);
    return r == 0 && ms != 0 ? wait_for(process, ms, timeout, ret_has_ended) : r;
}

int kin_process_stop(kin_process *process, const kin_stop *stop, kin_timeout timeout)
{
    static const kin_stop by_default = {.terminate_ms = 2000, .kill_ms = KIN_STOP_FOREVER};
    const kin_stop steps = stop == NULL ? by_default : *stop;
    int refused = 0;
    if (steps.wait_ms < KIN_STOP_FOREVER || steps.terminate_ms < KIN_STOP_FOREVER ||
        steps.kill_ms < KIN_STOP_FOREVER) {
        return -EINVAL;
    }
    int r = kin__timeout_check(timeout);
    bool has_ended = false;
    if (r == 0 && steps.wait_ms != 0) {
        r = wait_for(process, steps.wait_ms, timeout, &has_ended);
    }
    if (r == 0 && !has_ended) {
        refused = force(process, kin_process_terminate, steps.terminate_ms, timeout, &has_ended);
        r = refused == -EPERM ? 0 : refused;
    }
    if (r == 0 && !has_ended) {
        refused = force(process, kin_process_kill, steps.kill_ms, timeout, &has_ended);
        r = refused == -EPERM ? 0 : refused;
    }
    if (r == 0 && !has_ended) { /* a last look, which also refuses what cannot be stopped */
        r = kin_process_join(process, KIN_NOW);
        r = r != -EAGAIN ? r : refused == -EPERM ? refused : -ETIMEDOUT;
    }
    return r;
}
