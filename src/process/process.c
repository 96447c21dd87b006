/*
 * A process as an object: made, counted, looked at, closed, freed.
 *
 * The program's references are counted. A child that runs when the last one is dropped stays in the
 * list without any, until it has been waited for, which later starts and kin_fini see to;
 * kin_process_children can give it back to the program meanwhile.
 */
#include "process/process.h"
#include "process/crash.h"

#include "base/allocate.h"
#include "os/memory.h"
#include "process/runtime.h"
#include "process/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Says where the n-th child of this process stands in the tree. One of a process that itself does
 * not stand in it does not either. Of a very deep one, the end is kept: siblings differ there. */
static void identify(kin_process *process, unsigned number)
{
    const struct kin__member *self = kin__family.member;
    char identity[KIN__IDENTITY_BYTES + 12] = "";
    if (self->identity[0] != '\0') {
        snprintf(identity, sizeof identity, "%s:%u", self->identity, number);
    } else if (self->parent == 0) {
        snprintf(identity, sizeof identity, "%u", number);
    }
    size_t length = strlen(identity);
    size_t excess = length < KIN__IDENTITY_BYTES ? 0 : length - KIN__IDENTITY_BYTES + 1;
    memcpy(process->identity, identity + excess, length - excess + 1);
}

/* "Process-1" for the first child of the first process, "Process-1:2" for its second one. */
static void name_process(kin_process *process, const char *name)
{
    struct kin__member *self = kin__family.member;
    unsigned number = 0;
    if (!process->is_internal) {
        number = atomic_fetch_add(&self->child_count, 1) + 1;
        identify(process, number);
    }
    if (name != NULL) {
        snprintf(process->name, sizeof process->name, "%s", name);
    } else if (process->identity[0] != '\0') {
        snprintf(process->name, sizeof process->name, "Process-%.22s", process->identity);
    } else {
        snprintf(process->name, sizeof process->name, "%.20s:%u", self->name, number);
    }
}

kin_process *kin__process_allocate(void)
{
    kin_process *process = kin__allocate_zeroed(sizeof *process);
    if (process != NULL) {
        process->fd = -1;
        process->references = 1;
        process->phase = KIN_PHASE_NEW;
    }
    return process;
}

int kin__process_create(const char *name, bool is_daemon, bool is_internal,
                        kin_process **ret_process)
{
    struct kin__thread *self = NULL;
    int r = kin__self_find(&self);
    if (r < 0) {
        return r;
    }
    kin_process *process = kin__process_allocate();
    if (process == NULL) {
        return -ENOMEM;
    }
    process->is_daemon = is_daemon;
    process->is_internal = is_internal;
    name_process(process, name);
    mtx_lock(&kin__children.lock);
    kin__list_append(&kin__children.list, &process->node);
    mtx_unlock(&kin__children.lock);
    *ret_process = process;
    return 0;
}

/* --- what it is to run --- */

static int copy_fds(struct kin__process_plan *plan, const kin_process_options *options)
{
    if (options->fd_count == 0) {
        return 0;
    }
    plan->fds = kin__allocate_array(options->fd_count, sizeof *plan->fds);
    if (plan->fds == NULL) {
        return -ENOMEM;
    }
    memcpy(plan->fds, options->fds, options->fd_count * sizeof *plan->fds);
    plan->fd_count = options->fd_count;
    return 0;
}

/* Makes a process; `plan` says what it runs, and its references go with it on success. */
static int create(const struct kin__process_plan *plan, const kin_process_options *options,
                  kin_process **ret_process)
{
    static const kin_process_options defaults = {.size = sizeof defaults};
    kin_process *process = NULL;
    options = options == NULL ? &defaults : options;
    int r = kin__process_create(options->name, options->is_daemon, false, &process);
    if (r < 0) {
        return r;
    }
    r = copy_fds(&process->plan, options);
    if (r < 0) {
        kin_process_free(process);
        return r;
    }
    process->plan.function = plan->function;
    process->plan.arguments = plan->arguments;
    process->plan.data = plan->data;
    process->plan.size = plan->size;
    process->plan.context = options->context;
    process->plan.allow_threads = options->allow_threads;
    process->is_told = options->crash_is_quiet;
    *ret_process = process;
    return 0;
}

static bool is_wrong(kin_function *function, const kin_process_options *options,
                     kin_process **ret_process)
{
    return function == NULL || ret_process == NULL ||
           (options != NULL &&
            (options->size != sizeof *options || (options->fds == NULL && options->fd_count != 0)));
}

int kin_process_create(kin_function *function, const kin_object *arguments,
                       const kin_process_options *options, kin_process **ret_process)
{
    if (is_wrong(function, options, ret_process) || arguments == NULL) {
        return is_wrong(function, options, ret_process) ? -EINVAL : -ENOMEM;
    }
    struct kin__process_plan plan = {.function = function, .arguments = kin_object_ref(arguments)};
    int r = create(&plan, options, ret_process);
    if (r < 0) {
        kin_object_free(plan.arguments);
    }
    return r;
}

int kin_process_create_bytes(kin_function *function, const void *data, size_t size,
                             const kin_process_options *options, kin_process **ret_process)
{
    if (is_wrong(function, options, ret_process) || (data == NULL && size != 0)) {
        return -EINVAL;
    }
    /* The caller's bytes may lie in memory that others write: the copy is the child's. */
    struct kin__process_plan plan = {.function = function, .size = size};
    plan.data = kin__allocate(size);
    if (plan.data == NULL) {
        return -ENOMEM;
    }
    if (size > 0) {
        memcpy(plan.data, data, size);
    }
    int r = create(&plan, options, ret_process);
    if (r < 0) {
        kin__release(plan.data);
    }
    return r;
}

struct kin__process_plan kin__process_take_plan(kin_process *process)
{
    struct kin__process_plan plan = process->plan;
    process->plan = (struct kin__process_plan){0};
    return plan;
}

void kin__process_plan_deinit(struct kin__process_plan *plan)
{
    kin_object_free(plan->arguments);
    kin__release(plan->data);
    kin__release(plan->fds);
}

/* --- what it is --- */

int kin__process_check(const kin_process *process)
{
    switch (process == NULL ? 0 : process->phase) {
    case KIN_PHASE_STARTED:
    case KIN_PHASE_ENDED:
        return 0;
    case KIN_PHASE_NEW:
        return -ESRCH;
    case KIN_PHASE_CLOSED:
        return -EPIPE;
    case KIN_PHASE_FOREIGN:
    case KIN_PHASE_PARENT:
        return -ECHILD;
    case KIN_PHASE_SELF:
        return -EDEADLK;
    default:
        return -EINVAL;
    }
}

static kin_phase phase_of(const kin_process *process)
{
    mtx_lock(&kin__children.lock);
    kin_phase phase = process == NULL ? 0 : process->phase;
    mtx_unlock(&kin__children.lock);
    return phase;
}

kin_phase kin_process_phase(kin_process *process)
{
    kin__process_look(process);
    return phase_of(process);
}

kin_state kin_process_state(kin_process *process)
{
    switch (kin_process_phase(process)) {
    case KIN_PHASE_NEW:
        return KIN_STATE_NEW;
    case KIN_PHASE_STARTED:
    case KIN_PHASE_FOREIGN:
    case KIN_PHASE_SELF:
    case KIN_PHASE_PARENT:
        return kin__state_of(process->owner);
    default:
        return KIN_STATE_TERMINATED;
    }
}

int32_t kin_process_pid(const kin_process *process)
{
    return phase_of(process) == KIN_PHASE_CLOSED ? -EPIPE
           : process == NULL                     ? 0
                                                 : (int32_t)process->pid;
}

const char *kin_process_name(const kin_process *process)
{
    return process == NULL ? "" : process->name;
}

const char *kin_process_identity(const kin_process *process)
{
    return process == NULL ? "" : process->identity;
}

bool kin_process_is_daemon(const kin_process *process)
{
    return process != NULL && process->is_daemon;
}

int kin_process_sentinel(const kin_process *process)
{
    mtx_lock(&kin__children.lock);
    int r = kin__process_check(process);
    if (r == 0 || (r == -ECHILD && process->phase == KIN_PHASE_PARENT)) {
        r = process->fd < 0 ? -ECHILD : process->fd;
    }
    mtx_unlock(&kin__children.lock);
    return r;
}

/* --- the end of the object --- */

void kin__process_close_fd(kin_process *process)
{
    if (process->phase == KIN_PHASE_CLOSED && process->waiter_count == 0 && process->fd >= 0) {
        kin__os_close(process->fd);
        process->fd = -1;
    }
}

int kin_process_close(kin_process *process)
{
    mtx_lock(&kin__children.lock);
    int r = process == NULL ? -EINVAL : process->is_starting ? -EBUSY : 0;
    if (r == 0) {
        r = kin__process_look_locked(process);
        r = r == -EAGAIN ? -EBUSY : r == -ESRCH || r == -EPIPE ? 0 : r;
    }
    struct kin__process_plan plan = {0};
    if (r == 0) {
        process->phase = KIN_PHASE_CLOSED;
        plan = kin__process_take_plan(process);
        kin__process_close_fd(process);
    }
    mtx_unlock(&kin__children.lock);
    if (r == 0) {
        kin__process_reap_member(process);
    }
    kin__process_plan_deinit(&plan);
    return r;
}

void kin__process_release(kin_process *process)
{
    if (process->fd >= 0) {
        kin__os_close(process->fd);
    }
    kin__record_free(process->record);
    kin__process_plan_deinit(&process->plan);
    kin__release(process);
}

kin_process *kin_process_ref(kin_process *process)
{
    if (process != NULL) {
        mtx_lock(&kin__children.lock);
        process->references++;
        mtx_unlock(&kin__children.lock);
    }
    return process;
}

kin_process *kin_process_free(kin_process *process)
{
    if (process == NULL) {
        return NULL;
    }
    mtx_lock(&kin__children.lock);
    bool is_kept = process->is_borrowed && process->references == 1; /* by kin, which frees it */
    process->references -= !is_kept;
    bool is_over = process->references == 0 && kin__process_look_locked(process) != -EAGAIN;
    if (is_over && kin__list_node_is_linked(&process->node)) {
        kin__list_remove(&process->node);
    }
    mtx_unlock(&kin__children.lock);
    if (is_over) {
        if (process->phase == KIN_PHASE_ENDED) {
            kin__process_reap_member(process); /* nobody may have joined it */
        }
        kin__crash_tell(process);
        kin__process_release(process);
    }
    return NULL;
}
