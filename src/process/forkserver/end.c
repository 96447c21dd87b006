/*
 * The child's fd says that it has ended. How, its record says: what the child has noted itself is
 * there by then, and is enough; otherwise it was killed, and the server, which the kernel tells
 * how, is about to note it. Or the server is dead: then nobody will. One that does not note it for
 * long is as good as dead, and killed; its time is measured as in client.c.
 */
#include "process/forkserver/end.h"

#include "family/death.h"
#include "family/sleep.h"
#include "os/clock.h"
#include "os/process.h"
#include "process/forkserver/client.h"
#include "process/record.h"
#include "process/runtime.h"

#include <errno.h>

#define LOOK_ONCE 1 /* a deadline that is past */
#define SLICES 20

static int look_at_record(const kin_process *process, int *ret_code)
{
    bool is_final = kin__death_has_come(process->server); /* before the look at what it noted */
    if (kin__record_end(process->record, ret_code) != KIN__END_NONE) {
        return 0;
    }
    return is_final ? -ECHILD : -EAGAIN;
}

int kin__forkserver_look(kin_process *process, int *ret_code)
{
    if (!process->is_ending && kin__os_process_wait(process->fd, LOOK_ONCE) != 0) {
        return -EAGAIN;
    }
    int r = look_at_record(process, ret_code);
    process->is_ending = r == -EAGAIN;
    return r;
}

/* How long a server may take to tell. */
static int64_t limit_ms(void)
{
    return kin__family.is_leaving ? kin__forkserver.leave_ms : kin__forkserver.answer_ms;
}

int kin__forkserver_await(const kin_process *process, kin_timeout timeout)
{
    int code = 0;
    struct process_shared *shared = kin__record_shared(process->record);
    if (shared == NULL || kin__self() == NULL) {
        return 0;
    }
    for (int i = 0; i < SLICES;) {
        kin_timeout slice = kin_within_ms(limit_ms() / SLICES);
        slice.cancel = timeout.cancel;
        uint32_t key = kin__count_prepare(&shared->ends);
        if (look_at_record(process, &code) != -EAGAIN) {
            return 0;
        }
        bool is_short = slice.deadline_ns < timeout.deadline_ns;
        int r = kin__sleep(&shared->ends, key, is_short ? slice : timeout);
        if (r < 0) {
            return r;
        }
        i += kin__os_now_ns() >= slice.deadline_ns;
    }
    kin__forkserver_kill(process->server);
    return 0;
}
