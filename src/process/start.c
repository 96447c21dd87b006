/*
 * Starting a child by fork.
 *
 * The child is a copy of one thread. Locks that other threads hold at that moment stay locked in
 * it for ever, so a program with threads of its own is refused unless it says that it knows.
 * kin's own locks are taken around the fork (family.c), and its keeper does not count.
 */
#include "family/call.h"
#include "family/family.h"
#include "family/member/child.h"
#include "family/sleep.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/thread.h"
#include "process/process.h"
#include "process/runtime.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

/* Of a thread that was joined a moment ago, the kernel may still show the last traces. */
#define THREAD_LOOKS 20
#define THREAD_LOOK_MS 1

/* Whether threads run that are not kin's. */
static bool has_threads(void)
{
    enum { OWN = 2 }; /* this one and the keeper */
    return kin__os_thread_count() > OWN;
}

static bool has_threads_to_stay(struct kin__thread *self)
{
    for (int i = 0; i < THREAD_LOOKS; i++) {
        if (!has_threads()) {
            return false;
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

/* In the parent: opens the child that runs, or ends it. */
static int open_child(kin_process *process)
{
    int r = kin__os_process_open(process->pid, &process->fd);
    if (r < 0) {
        int exit_code = 0;
        kin__os_signal(process->pid, SIGKILL);
        while (kin__os_process_reap(process->pid, &exit_code) == -EAGAIN) {
        }
    }
    return r;
}

static void set_phase(kin_process *process, kin_phase phase)
{
    mtx_lock(&kin__children.lock);
    process->phase = phase;
    mtx_unlock(&kin__children.lock);
}

int kin__process_fork_as(kin_process *process)
{
    int reserved = -1; /* makes sure that there is an fd for the child */
    int r = kin__os_process_open(kin__family.pid, &reserved);
    if (r < 0) {
        return r;
    }
    kin__children_sweep();
    flush_output();
    r = kin__child_prepare(process->name, process->is_daemon ? KIN__MEMBER_DAEMON : 0,
                           &process->owner);
    if (r < 0) {
        kin__os_close(reserved);
        return r;
    }
    kin__child_identify(process->owner, process->identity);
    r = kin__child_fork(process->owner);
    if (r == 0) {
        kin__os_close(reserved);
        if (kin__family.has_input) {
            kin__os_input_empty();
        }
        KIN__LOG(KIN_LOG_INFO, "child process calling self.run()");
        return 0;
    }
    kin__os_close(reserved);
    if (r < 0) {
        kin__child_abandon(process->owner);
    } else {
        kin__child_started(process->owner, (uint32_t)r);
        process->pid = (uint32_t)r;
        int opened = open_child(process);
        r = opened < 0 ? opened : r;
    }
    if (r > 0) {
        set_phase(process, KIN_PHASE_STARTED);
    } else {
        process->pid = 0;
    }
    return r;
}

int kin__process_fork(const char *name, bool is_daemon, kin_process **ret_process)
{
    kin_process *process = NULL;
    int r = kin__process_create(name, is_daemon, true, &process);
    if (r < 0) {
        return r;
    }
    r = kin__process_fork_as(process);
    if (r > 0) {
        *ret_process = process;
    } else {
        kin_process_free(process);
    }
    return r;
}

_Noreturn void kin__process_exit(int status)
{
    fflush(NULL);
    kin__family_leave_at_exit();
    KIN__LOG(KIN_LOG_INFO, "process exiting with exitcode %d", status);
    kin__os_exit_now(status);
}

/* The whole life of a child. */
static _Noreturn void run_child(const struct kin__process_plan *plan)
{
    kin_call call = {.object = kin_object_ref(plan->arguments),
                     .input = {.data = plan->data, .size = plan->size},
                     .fds = plan->fds,
                     .fd_count = plan->fd_count,
                     .attempt = 1,
                     .has_backtraces = true};
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

static void end_start(kin_process *process)
{
    mtx_lock(&kin__children.lock);
    process->is_starting = false;
    bool has_begun = process->phase == KIN_PHASE_STARTED;
    mtx_unlock(&kin__children.lock);
    if (has_begun) {
        kin__process_drop_plan(process);
    }
    kin_process_free(process);
}

static int start_by_fork(kin_process *process)
{
    struct kin__thread *self = NULL;
    int r = kin__self_find(&self);
    if (r == 0 && !process->plan.allow_threads && has_threads_to_stay(self)) {
        r = -EBUSY;
    }
    if (r == 0) {
        r = kin__process_fork_as(process);
        if (r == 0) {
            run_child(&process->plan);
        }
    }
    return r;
}

int kin_process_launch(kin_process *process)
{
    int r = begin_start(process);
    if (r == 0) {
        r = start_by_fork(process);
        end_start(process);
    }
    return r < 0 ? r : 0;
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
