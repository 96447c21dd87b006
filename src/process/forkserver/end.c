/*
 * The child's fd says that it has ended. How, its record says: what the child has noted itself is
 * there by then, and is enough; otherwise it was killed, and the server, which the kernel tells
 * how, is about to note it. Or the server is dead: then nobody will.
 */
#include "process/forkserver/end.h"

#include "family/death.h"
#include "family/sleep.h"
#include "os/process.h"
#include "process/record.h"

#include <errno.h>

#define LOOK_ONCE 1 /* a deadline that is past */

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

int kin__forkserver_await(const kin_process *process, kin_timeout timeout)
{
    int code = 0;
    struct process_shared *shared = kin__record_shared(process->record);
    if (shared == NULL || kin__self() == NULL) {
        return 0;
    }
    uint32_t key = kin__count_prepare(&shared->ends);
    return look_at_record(process, &code) == -EAGAIN ? kin__sleep(&shared->ends, key, timeout) : 0;
}
