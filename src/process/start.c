/*
 * What all start methods have in common: a process is started by one thread, once; before, it gets
 * a record and the slot of a member, and its child notes its end in the record.
 */
#include "family/call.h"
#include "family/family.h"
#include "family/keeper.h"
#include "family/sleep.h"
#include "os/process.h"
#include "os/thread.h"
#include "process/crash.h"
#include "process/method.h"
#include "process/runtime.h"

#include <errno.h>
#include <stdio.h>

/* Of a thread that was joined a moment ago, the kernel may still show the last traces. */
#define THREAD_LOOKS 20
#define THREAD_LOOK_MS 1

/* Whether threads run that are not kin's. */
static bool has_threads(void)
{
    uint32_t own = kin__keeper_runs() ? 2 : 1; /* this one, and the keeper */
    return own == 1 ? !kin__os_thread_is_alone() : kin__os_thread_count() > own;
}

bool kin__start_has_threads(void)
{
    for (int i = 0; i < THREAD_LOOKS; i++) {
        struct kin__thread *self = kin__self();
        if (!has_threads()) {
            return false;
        }
        if (self == NULL) {
            break;
        }
        uint32_t key = kin__count_prepare(&self->member->nudge);
        kin__sleep(&self->member->nudge, key, kin_within_ms(THREAD_LOOK_MS));
    }
    return true;
}

/* A stream that another thread reads from is locked while it waits: then only these two. */
static void flush_output(void)
{
    if (has_threads()) {
        fflush(stdout);
        fflush(stderr);
    } else {
        fflush(NULL);
    }
}

int kin__start_begin(kin_process *process)
{
    kin__children_sweep();
    flush_output();
    process->server = 0; /* of an earlier try, perhaps by another method */
    process->stage = "its record in the family";
    int r = process->record == NULL ? kin__record_create(&process->record) : 0;
    if (r == 0) {
        process->stage = "its place in the family";
        r = kin__child_prepare(process->name, process->is_daemon ? KIN__MEMBER_DAEMON : 0,
                               &process->owner);
    }
    if (r == 0) {
        kin__child_identify(process->owner, process->identity);
        kin__record_set_owner(process->record, process->owner);
        if (!process->is_internal) { /* who is in silence: the server that forks children */
            atomic_store(&kin__record_shared(process->record)->log_level,
                         kin__log_level_to_inherit());
        }
    }
    return r;
}

void kin__start_end(kin_process *process, uint32_t pid, int fd)
{
    atomic_store(&kin__record_shared(process->record)->pid, pid);
    mtx_lock(&kin__children.lock);
    process->pid = pid;
    process->fd = fd;
    process->phase = KIN_PHASE_STARTED;
    mtx_unlock(&kin__children.lock);
}

/* Another try has another record: what is left of this one may have been written to. */
void kin__start_fail(kin_process *process)
{
    if (process->owner != 0) {
        kin__child_abandon(process->owner);
        process->owner = 0;
    }
    kin__record_free(process->record);
    process->record = NULL;
}

_Noreturn void kin__process_exit(int status)
{
    fflush(NULL);
    kin__family_leave_at_exit(status);
    fflush(NULL); /* what finalizers have printed */
    KIN__LOG(KIN_LOG_INFO, "process exiting with exitcode %d", status);
    kin__os_exit_now(status);
}

_Noreturn void kin__process_run(const struct kin__process_plan *plan)
{
    kin_call call = {.object = kin_object_ref(plan->arguments),
                     .input = {.data = plan->data, .size = plan->size},
                     .fds = plan->fds,
                     .fd_count = plan->fd_count,
                     .attempt = 1,
                     .has_backtraces = true};
    kin__crash_watch();
    int code = kin__call_run(&call, plan->function);
    if (code < 0) {
        kin__process_print_failure(call.error);
    }
    kin__call_end(&call);
    kin__process_exit(code < 0 ? 1 : code & 255);
}

/* One thread at a time starts it, once. */
static int begin_start(kin_process *process)
{
    mtx_lock(&kin__children.lock);
    int r = kin__process_check(process);
    r = r == 0 || (r == -ESRCH && process->is_starting) ? -EALREADY : r == -ESRCH ? 0 : r;
    if (r == 0) {
        process->is_starting = true;
        process->references++;
    }
    mtx_unlock(&kin__children.lock);
    return r;
}

static void end_start(kin_process *process, int code)
{
    struct kin__process_plan plan = {0};
    mtx_lock(&kin__children.lock);
    process->is_starting = false;
    process->start_code = code;
    if (process->phase == KIN_PHASE_STARTED) {
        plan = kin__process_take_plan(process);
    }
    mtx_unlock(&kin__children.lock);
    kin__process_plan_deinit(&plan);
    kin_process_free(process);
}

/* Before anything is opened for the start, which could get the number of one that is not open. */
static int check_fds(const struct kin__process_plan *plan)
{
    for (uint32_t i = 0; i < plan->fd_count; i++) {
        if (!kin__os_fd_is_open(plan->fds[i])) {
            return -EBADF;
        }
    }
    return 0;
}

int kin_process_launch(kin_process *process)
{
    int r = begin_start(process);
    if (r == 0) {
        const kin_context *context = process->plan.context;
        process->stage = "its fds";
        r = check_fds(&process->plan);
        if (r == 0) {
            r = (context == NULL ? kin_context_get(0) : context)->method->start(process);
        }
        end_start(process, r);
    }
    return r;
}

/* The second half of a start in one. */
static int launch(int r, kin_process *process, kin_process **ret_process)
{
    if (r == 0) {
        r = kin_process_launch(process);
        if (r == 0) {
            *ret_process = process;
        } else {
            kin_process_free(process);
        }
    }
    return r;
}

int kin_process_start(kin_function *function, const kin_object *arguments,
                      const kin_process_options *options, kin_process **ret_process)
{
    kin_process *process = NULL;
    int r = kin_process_create(function, arguments, options, ret_process == NULL ? NULL : &process);
    return launch(r, process, ret_process);
}

int kin_process_start_bytes(kin_function *function, const void *data, size_t size,
                            const kin_process_options *options, kin_process **ret_process)
{
    kin_process *process = NULL;
    int r = kin_process_create_bytes(function, data, size, options,
                                     ret_process == NULL ? NULL : &process);
    return launch(r, process, ret_process);
}

int kin_process_start_object(const kin_object *instance, const kin_process_options *options,
                             kin_process **ret_process)
{
    kin_process *process = NULL;
    int r = kin_process_create_object(instance, options, ret_process == NULL ? NULL : &process);
    return launch(r, process, ret_process);
}
