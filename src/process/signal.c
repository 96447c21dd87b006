/*
 * Signals to a child, by its fd: they never hit another process.
 */
#include "os/process.h"
#include "process/process.h"
#include "process/runtime.h"

#include <errno.h>
#include <signal.h>

/* Under the lock: the fd is not closed meanwhile. */
static int signal_child(kin_process *process, int number)
{
    mtx_lock(&kin__children.lock);
    int r = kin__process_look_locked(process);
    if (r == -EAGAIN && process->is_ending) {
        r = 0; /* it has ended: all that is missing is how */
    } else if (r == -EAGAIN) {
        r = kin__os_process_signal(process->fd, number);
        process->was_signalled |= r == 0;
        process->is_out_of_reach = r == -EPERM;
    }
    mtx_unlock(&kin__children.lock);
    return r == -ESRCH && process->phase != KIN_PHASE_NEW ? 0 : r;
}

int kin_process_terminate(kin_process *process)
{
    return signal_child(process, SIGTERM);
}

int kin_process_kill(kin_process *process)
{
    return signal_child(process, SIGKILL);
}

int kin_process_interrupt(kin_process *process)
{
    return signal_child(process, SIGINT);
}
