/*
 * The end of a child, as its parent learns of it.
 *
 * A child is waited for exactly once, by its fd and without sleeping, under the lock of
 * kin__children, by whichever thread looks first after the end. Sleeping until then happens
 * outside the lock. Without a cancel token a join sleeps on the child's fd: the kernel's own
 * event, one system call, nothing in between. With a token it sleeps as everything else does,
 * on an event count that this process's keeper raises when one of its children may have ended.
 */
#include "process/process.h"

#include "family/death.h"
#include "family/sleep.h"
#include "os/clock.h"
#include "os/process.h"
#include "process/crash.h"
#include "process/forkserver/end.h"
#include "process/runtime.h"
#include "sync/deadlock.h"

#include <errno.h>

/* A child that has left the family is about to end; only its fd tells when it has. */
#define ENDING_SLICE_NS 5000000

/* The program may wait for any child itself, and start others, which get the same numbers. */
static int reap(kin_process *process)
{
    int r = kin__os_process_reap_opened(process->fd, &process->exit_code);
    return r == -EINVAL ? kin__os_process_reap(process->pid, &process->exit_code) : r;
}

int kin__process_look_locked(kin_process *process)
{
    int r = kin__process_check(process);
    if (r < 0 || process->phase == KIN_PHASE_ENDED) {
        return r;
    }
    r = process->server == 0 ? reap(process) : kin__forkserver_look(process, &process->exit_code);
    if (r == -EAGAIN) {
        return r;
    }
    process->phase = KIN_PHASE_ENDED;
    /* -ECHILD: it has ended, and somebody else waited for it. */
    process->has_code = r == 0 ||
                        kin__record_end(process->record, &process->exit_code) != KIN__END_NONE;
    return 0;
}

int kin__process_look(kin_process *process)
{
    mtx_lock(&kin__children.lock);
    int r = kin__process_look_locked(process);
    mtx_unlock(&kin__children.lock);
    return r;
}

/* Whether the child will give no more signs of life to the keeper, or none yet. */
static bool is_without_life(const kin_process *process)
{
    const struct kin__member *member = kin__member_of(process->owner);
    uint32_t life = member == NULL ? 0 : atomic_load(&member->life);
    return life == 0 || life & KIN__OS_FUTEX_DIED ||
           kin__member_state_of(process->owner) != KIN__MEMBER_LIVE;
}

static int wait_with_token(const kin_process *process, kin_timeout timeout)
{
    _Atomic uint32_t *ends = &kin__family.member->child_ends;
    uint32_t key = kin__count_prepare(ends);
    if (!is_without_life(process)) {
        return kin__sleep(ends, key, timeout);
    }
    int64_t slice_ns = kin__os_now_ns() + ENDING_SLICE_NS;
    kin__os_process_wait(process->fd,
                         slice_ns < timeout.deadline_ns ? slice_ns : timeout.deadline_ns);
    return 0;
}

/* Sleeps until the child may have ended. 0: look again. */
static int wait_for_end(const kin_process *process, kin_timeout timeout)
{
    struct kin__thread *self = kin__self();
    int r = kin__timeout_is_over(timeout);
    /* It may be waiting for what this thread holds. But what a child was at when it was sent a
     * signal stands in the table until it has been reaped. */
    if (r == 0 && self != NULL && !process->was_signalled) {
        r = kin__deadlock_begin_join(self, process->owner, timeout);
    }
    if (r == 0 && process->is_ending) {
        r = kin__forkserver_await(process, timeout);
    } else if (r == 0 && timeout.cancel != NULL && self != NULL) {
        r = wait_with_token(process, timeout);
    } else if (r == 0) {
        kin__os_process_wait(process->fd, timeout.deadline_ns);
    }
    if (self != NULL) {
        kin__deadlock_end(self);
    }
    return r;
}

int kin__process_await(const kin_process *process, int64_t deadline_ns)
{
    return process->is_ending ? kin__forkserver_await(process, kin_by(deadline_ns, NULL))
                              : kin__os_process_wait(process->fd, deadline_ns);
}

/* Long after the end the owner id can have become that of another, so the end of our child is no
 * proof. */
void kin__process_reap_member(const kin_process *process)
{
    if (kin__self() != NULL && kin__death_is_certain(process->owner, 1)) {
        kin__death_reap(process->owner);
    }
}

/* Looks, and if the child runs keeps its fd open until end_wait. */
static int begin_wait(kin_process *process)
{
    mtx_lock(&kin__children.lock);
    int r = kin__process_look_locked(process);
    process->waiter_count += r == -EAGAIN;
    mtx_unlock(&kin__children.lock);
    return r;
}

static void end_wait(kin_process *process)
{
    mtx_lock(&kin__children.lock);
    process->waiter_count--;
    kin__process_close_fd(process);
    mtx_unlock(&kin__children.lock);
}

static bool is_parent(const kin_process *process)
{
    return process->phase == KIN_PHASE_PARENT; /* constant, but for the child of a fork */
}

int kin_process_join(kin_process *process, kin_timeout timeout)
{
    int r = process == NULL ? -EINVAL : kin__timeout_check(timeout);
    if (r == 0 && is_parent(process)) {
        return kin__parent_join(process, timeout);
    }
    while (r == 0) {
        r = begin_wait(process);
        if (r == 0) {
            kin__process_reap_member(process);
            kin__crash_tell(process);
            return 0;
        }
        if (r == -EAGAIN) {
            r = wait_for_end(process, timeout);
            end_wait(process);
        }
    }
    return r;
}

int kin_process_exit_code(kin_process *process, int *ret_exit_code)
{
    int r = process == NULL || ret_exit_code == NULL ? -EINVAL : kin__process_look(process);
    if (r == -ECHILD && is_parent(process)) {
        r = kin__parent_look(process);
    }
    if (r == -EDEADLK) {
        r = -EAGAIN; /* this process runs */
    }
    if (r == 0 && !process->has_code) {
        r = -ECHILD;
    }
    if (r == 0) {
        *ret_exit_code = process->exit_code;
        kin__process_reap_member(process);
        kin__crash_tell(process);
    }
    return r;
}

bool kin_process_is_alive(kin_process *process)
{
    int r = process == NULL ? -EINVAL : kin__process_look(process);
    if (r == -ECHILD && is_parent(process)) {
        r = kin__parent_look(process);
    }
    if (r == 0) {
        kin__process_reap_member(process);
    }
    return r == -EAGAIN || r == -EDEADLK;
}
