#include "sync/deadlock.h"

#include "family/lock.h"
#include "sync/deadlock/cycle.h"
#include "sync/deadlock/report.h"
#include "sync/deadlock/wait.h"

/* Ends the calling thread's wait, or marks it as reported. False: the circle is no more, or
 * another has done so. */
static bool settle(struct kin__thread *self, bool is_refused, struct kin__deadlock_cycle *cycle)
{
    struct kin__lock *lock = &kin__shared()->deadlock_lock;
    kin__lock_acquire(lock, self); /* it guards no state that could be half changed */
    bool is_ours = kin__deadlock_find(self->owner, cycle) && !kin__deadlock_is_reported(cycle);
    if (is_ours && is_refused) {
        kin__wait_withdraw(self);
    } else if (is_ours) {
        atomic_fetch_or(&self->member->waits_for, KIN__WAIT_REPORTED);
    }
    kin__lock_release(lock, self);
    return is_ours;
}

/* Looks whether the wait that the calling thread has just published closes a circle. */
static int check(struct kin__thread *self, bool is_must)
{
    struct kin__deadlock_cycle cycle;
    uint32_t policy = atomic_load_explicit(&kin__deadlocks.policy, memory_order_relaxed);
    bool is_refused = policy == KIN_DEADLOCK_ERROR && !is_must;
    if (policy == KIN_DEADLOCK_OFF || !kin__deadlock_find(self->owner, &cycle) ||
        !settle(self, is_refused, &cycle)) {
        return 0;
    }
    kin__report_cycle(&cycle);
    return is_refused ? -EDEADLK : 0;
}

static uint64_t way_out(kin_timeout timeout)
{
    bool may_end = timeout.deadline_ns != INT64_MAX || timeout.cancel != NULL;
    return may_end ? KIN__WAIT_MAY_END : 0;
}

int kin__deadlock_begin(const struct kin__claim *claim)
{
    uint64_t edge = kin__wait_edge(KIN__WAIT_LOCK, claim->index) | way_out(claim->timeout);
    if (claim->mutex->flags & KIN__MUTEX_HANDOFF) {
        edge |= KIN__WAIT_MAY_END;
    }
    kin__wait_publish(claim->self, edge);
    return edge & KIN__WAIT_MAY_END ? 0 : check(claim->self, claim->is_must);
}

int kin__deadlock_begin_join(struct kin__thread *self, uint32_t process, kin_timeout timeout)
{
    uint64_t edge = kin__wait_edge(KIN__WAIT_PROCESS, process) | way_out(timeout);
    kin__wait_publish(self, edge);
    return edge & KIN__WAIT_MAY_END ? 0 : check(self, false);
}

void kin__deadlock_end(struct kin__thread *self)
{
    kin__wait_withdraw(self);
}

struct kin__deadlock_wait kin__deadlock_wait_of(const struct kin__member *member)
{
    uint64_t edge = atomic_load(&member->waits_for);
    uint32_t target = kin__wait_target(edge);
    switch (kin__wait_kind(edge)) {
    case KIN__WAIT_NONE:
        return (struct kin__deadlock_wait){0};
    case KIN__WAIT_PROCESS:
        return (struct kin__deadlock_wait){.process = target};
    default:
        return (struct kin__deadlock_wait){.object = target};
    }
}

void kin__deadlock_tell_self(const struct kin__claim *claim)
{
    struct kin__deadlock_cycle cycle = {.count = 1};
    cycle.steps[0] = (struct kin__deadlock_step){
        .edge = kin__wait_edge(KIN__WAIT_LOCK, claim->index),
        .waiter = claim->self->owner,
        .holder = claim->self->owner,
    };
    uint32_t policy = atomic_load_explicit(&kin__deadlocks.policy, memory_order_relaxed);
    if (policy != KIN_DEADLOCK_OFF && claim->timeout.deadline_ns != KIN_NOW.deadline_ns) {
        kin__report_cycle(&cycle);
    }
}

/* --- the policy --- */

int kin_deadlock_policy_set(kin_deadlock_policy policy, kin_deadlock_callback *callback, void *user)
{
    if (policy != KIN_DEADLOCK_ERROR && policy != KIN_DEADLOCK_WARN && policy != KIN_DEADLOCK_OFF) {
        return -EINVAL;
    }
    mtx_lock(&kin__deadlocks.lock);
    kin__deadlocks.callback = callback;
    kin__deadlocks.user = user;
    atomic_store(&kin__deadlocks.policy, (uint32_t)policy);
    mtx_unlock(&kin__deadlocks.lock);
    return 0;
}

static void lock_policy(void)
{
    mtx_lock(&kin__deadlocks.lock);
}

static void unlock_policy(void)
{
    mtx_unlock(&kin__deadlocks.lock);
}

static const struct kin__layer_hooks sync_hooks = {
    .fork_before = lock_policy,
    .fork_parent = unlock_policy,
    .fork_child = unlock_policy,
};

__attribute__((constructor)) static void register_layer(void)
{
    mtx_init(&kin__deadlocks.lock, mtx_plain);
    kin__layers[KIN__LAYER_SYNC] = &sync_hooks;
}
