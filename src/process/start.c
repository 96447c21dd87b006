/*
 * Starting a child by fork.
 *
 * The child is a copy of one thread. Locks that other threads hold at that moment stay locked in
 * it for ever, so a program with threads of its own is refused unless it says that it knows.
 * kin's own locks are taken around the fork (family.c), and its keeper does not count.
 */
#include "base/allocate.h"
#include "family/call.h"
#include "family/family.h"
#include "family/sleep.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/thread.h"
#include "process/process.h"
#include "process/runtime.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

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

/* In the parent: the object for a child that runs. */
static int adopt_child(kin_process *process, const char *name)
{
    int r = kin__os_process_open(process->pid, &process->fd);
    if (r < 0) {
        kin__os_signal(process->pid, SIGKILL);
        while (kin__os_process_reap(process->pid, &process->exit_code) == -EAGAIN) {
        }
        return r;
    }
    snprintf(process->name, sizeof process->name, "%s", name);
    mtx_lock(&kin__children.lock);
    kin__list_append(&kin__children.list, &process->node);
    mtx_unlock(&kin__children.lock);
    return 0;
}

int kin__process_fork(const char *name, bool is_daemon, kin_process **ret_process)
{
    int reserved = -1; /* makes sure that there is an fd for the child */
    struct kin__thread *self = NULL;
    kin__children_sweep();
    int r = kin__self_find(&self);
    if (r < 0) {
        return r;
    }
    kin_process *process = kin__allocate_zeroed(sizeof *process);
    if (process == NULL) {
        return -ENOMEM;
    }
    r = kin__os_process_open(kin__family.pid, &reserved);
    if (r < 0) {
        kin__release(process);
        return r;
    }
    flush_output();
    process->fd = -1;
    process->is_daemon = is_daemon;
    r = kin__family_fork(name, is_daemon ? KIN__MEMBER_DAEMON : 0, &process->owner);
    kin__os_close(reserved);
    if (r > 0) {
        process->pid = (uint32_t)r;
        int opened = adopt_child(process, name);
        r = opened < 0 ? opened : r;
    }
    if (r > 0) {
        *ret_process = process;
    } else {
        kin__release(process);
    }
    return r;
}

_Noreturn void kin__process_exit(int status)
{
    fflush(NULL);
    kin__family_leave_at_exit();
    kin__os_exit_now(status);
}

/* The whole life of a child. */
static _Noreturn void run_child(kin_function *function, kin_call *call)
{
    call->attempt = 1;
    int code = kin__call_run(call, function);
    if (code < 0) {
        kin_error_print(call->error, stderr);
    }
    kin__call_end(call);
    kin__process_exit(code < 0 ? 1 : code & 255);
}

/* "Process-1" for the first child of the first process, "Process-1:2" for its second one. */
static void name_child(const kin_process_options *options, char *name, size_t bytes)
{
    if (options != NULL && options->name != NULL) {
        snprintf(name, bytes, "%s", options->name);
        return;
    }
    struct kin__member *self = kin__family.member;
    unsigned number = atomic_fetch_add(&self->child_count, 1) + 1;
    if (self->parent == 0) {
        snprintf(name, bytes, "Process-%u", number);
    } else {
        snprintf(name, bytes, "%.20s:%u", self->name, number);
    }
}

static int check_start(kin_function *function, const kin_process_options *options)
{
    if (function == NULL || (options != NULL && options->size != sizeof *options)) {
        return -EINVAL;
    }
    struct kin__thread *self = NULL;
    int r = kin__self_find(&self);
    if (r < 0) {
        return r;
    }
    bool may_have_threads = options != NULL && options->allow_threads;
    return !may_have_threads && has_threads_to_stay(self) ? -EBUSY : 0;
}

/* Forks; the child runs the call, which belongs to it, and does not return. */
static int start(kin_function *function, kin_call *call, const kin_process_options *options,
                 kin_process **ret_process)
{
    char name[KIN__NAME_BYTES];
    kin_process *process = NULL;
    name_child(options, name, sizeof name);
    int r = kin__process_fork(name, options != NULL && options->is_daemon, &process);
    if (r == 0) {
        run_child(function, call);
    }
    if (r < 0) {
        return r;
    }
    *ret_process = process;
    return 0;
}

int kin_process_start(kin_function *function, const kin_object *arguments,
                      const kin_process_options *options, kin_process **ret_process)
{
    int r = ret_process == NULL ? -EINVAL : check_start(function, options);
    if (r == 0 && arguments == NULL) {
        r = -ENOMEM;
    }
    if (r < 0) {
        return r;
    }
    kin_call call = {.object = kin_object_ref(arguments)};
    r = start(function, &call, options, ret_process);
    kin__call_end(&call);
    return r;
}

int kin_process_start_bytes(kin_function *function, const void *data, size_t size,
                            const kin_process_options *options, kin_process **ret_process)
{
    int r = ret_process == NULL || (data == NULL && size != 0) ? -EINVAL
                                                               : check_start(function, options);
    if (r < 0) {
        return r;
    }
    /* The caller's bytes may lie in memory that others write: the copy is the child's. */
    void *copy = kin__allocate(size);
    if (copy == NULL) {
        return -ENOMEM;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    kin_call call = {.input = {.data = copy, .size = size}};
    r = start(function, &call, options, ret_process);
    kin__release(copy);
    return r;
}
