/**
 * kin_condition: a lock, and a line (sync/line.h) of those who wait inside it.
 *
 * wait, whose caller holds the lock:
 *
 *     enter the line | release the lock, all depths | sleep until called | acquire it | leave
 *
 * notify, whose caller holds the lock, calls the first in the line. There is no internal
 * lock: the users' own orders all who enter and all who call, and those who work without it
 * (who gives up, who reaps) change no word but with one compare-and-swap. What each death leaves:
 *
 *     waits, not called     the reaper takes it out of the line
 *     called, not back in   the reaper calls the next: a notify is never lost to the dead
 *     holds the lock        (in notify, before or after it, or just back from wait) it may have
 *                           changed what others wait for and can tell them no more: the reaper
 *                           calls all in the line before it hands the lock on, as DIED. So a
 *                           notify that was killed halfway needs no mending.
 *
 * docs/design/condition.md has the steps one by one.
 */
#include "family/reference.h"
#include "sync/line.h"
#include "sync/mutex.h"
#include "sync/type.h"

#include <errno.h>
#include <kin/condition.h>
#include <kin/error.h>

/* Peer death: see struct kin__line. The block's one handle keeps the lock alive. */
struct condition_shared {
    struct kin__line line;
};

struct kin_condition {
    struct kin__object object;
    kin_lock *lock; /* this opening's own; one of the two is NULL */
    kin_rlock *rlock;
};

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct condition_shared *shared = at;
    const struct kin__memory *memory = &verifier->memory;
    const struct kin__region *directory = &kin__memory_shared(memory)->directory;
    const struct kin__entry *lock = kin__region_at(memory, directory, shared->line.lock);
    if (lock == NULL || atomic_load(&lock->state) != KIN__ENTRY_LIVE ||
        (lock->type != KIN__TYPE_LOCK && lock->type != KIN__TYPE_RLOCK)) {
        kin__verify_fail(verifier, "condition %u: its lock is gone", index);
    }
    kin__line_verify(verifier, index, &shared->line);
}

static const struct kin__type condition_type = {
    .id = KIN__TYPE_CONDITION, .name = "condition", .repair = kin__line_repair, .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&condition_type);
}

/* --- the lock --- */

static const struct kin__object *as_object(const kin_lock *lock, const kin_rlock *rlock)
{
    return lock != NULL ? (const struct kin__object *)lock : (const struct kin__object *)rlock;
}

/* Opens the lock that `handle` names once more. */
static int open_lock(kin_handle handle, kin_lock **ret_lock, kin_rlock **ret_rlock)
{
    int r = kin_lock_attach(handle, ret_lock);
    return r == -EINVAL ? kin_rlock_attach(handle, ret_rlock) : r;
}

static void close_lock(kin_lock *lock, kin_rlock *rlock)
{
    kin_lock_free(lock);
    kin_rlock_free(rlock);
}

static int open_own_lock(kin_scope scope, kin_rlock **ret_rlock)
{
    return kin_rlock_create(KIN_OPTIONS(kin_rlock_options, .scope = scope), ret_rlock);
}

/* --- its life --- */

static int resolve(const kin_condition_options *options, kin_condition_options *ret_options)
{
    if (options == NULL) {
        return 0;
    }
    if (options->size != sizeof *options || (options->lock != NULL && options->rlock != NULL)) {
        return -EINVAL;
    }
    *ret_options = *options;
    return 0;
}

static int create(kin_scope scope, const struct kin__object *lock, kin_condition **ret_condition)
{
    const struct kin__object_plan plan = {.type = KIN__TYPE_CONDITION,
                                          .scope = scope,
                                          .handle_count = 1,
                                          .size = sizeof **ret_condition,
                                          .bytes = sizeof(struct condition_shared)};
    if (lock->is_process_only && scope != KIN_SCOPE_PROCESS) {
        return -EINVAL;
    }
    int r = kin__object_create(&plan, ret_condition);
    if (r < 0) {
        return r;
    }
    struct condition_shared *shared = (*ret_condition)->object.shared;
    shared->line.lock = kin__object_index(lock);
    return kin__reference_add(kin__object_handles(&(*ret_condition)->object), lock->handle);
}

int kin_condition_create(const kin_condition_options *options, kin_condition **ret_condition)
{
    kin_condition_options resolved = {0};
    kin_condition *condition = NULL;
    kin_lock *lock = NULL;
    kin_rlock *rlock = NULL;
    int r = ret_condition == NULL ? -EINVAL : resolve(options, &resolved);
    if (r < 0) {
        return r;
    }
    if (resolved.lock != NULL) {
        r = kin_lock_attach(kin_lock_handle(resolved.lock), &lock);
    } else if (resolved.rlock != NULL) {
        r = kin_rlock_attach(kin_rlock_handle(resolved.rlock), &rlock);
    } else {
        r = open_own_lock(resolved.scope, &rlock);
    }
    if (r == 0) {
        r = create(resolved.scope, as_object(lock, rlock), &condition);
    }
    if (r < 0) {
        kin__object_free(condition);
        close_lock(lock, rlock);
        return r;
    }
    condition->lock = lock;
    condition->rlock = rlock;
    *ret_condition = condition;
    return 0;
}

int kin_condition_attach(kin_handle handle, kin_condition **ret_condition)
{
    kin_condition *condition = NULL;
    int r = ret_condition == NULL
                ? -EINVAL
                : kin__object_attach(KIN__TYPE_CONDITION, sizeof *condition, handle, &condition);
    if (r == 0) {
        r = open_lock(*kin__object_handles(&condition->object), &condition->lock,
                      &condition->rlock);
    }
    if (r < 0) {
        kin__object_free(condition);
        return r;
    }
    *ret_condition = condition;
    return 0;
}

kin_condition *kin_condition_free(kin_condition *condition)
{
    if (condition != NULL) {
        close_lock(condition->lock, condition->rlock);
        kin__object_free(condition);
    }
    return NULL;
}

kin_handle kin_condition_handle(const kin_condition *condition)
{
    return kin__object_handle(condition);
}

/* --- on its lock --- */

int kin_condition_acquire(kin_condition *condition, kin_timeout timeout)
{
    return condition == NULL         ? -EINVAL
           : condition->lock != NULL ? kin_lock_acquire(condition->lock, timeout)
                                     : kin_rlock_acquire(condition->rlock, timeout);
}

int kin_condition_release(kin_condition *condition)
{
    return condition == NULL         ? -EINVAL
           : condition->lock != NULL ? kin_lock_release(condition->lock)
                                     : kin_rlock_release(condition->rlock);
}

int kin_condition_mark_consistent(kin_condition *condition)
{
    return condition == NULL         ? -EINVAL
           : condition->lock != NULL ? kin_lock_mark_consistent(condition->lock)
                                     : kin_rlock_mark_consistent(condition->rlock);
}

/* --- waiting and notifying --- */

/* A call by a thread that holds the lock. */
struct visit {
    struct kin__line *line;
    uint32_t index; /* of the condition */
    struct kin__mutex *mutex;
    uint32_t mutex_index;
    struct kin__thread *self;
};

/* 0, or -EPERM: the thread does not hold the lock; or as kin__object_enter. */
static int enter(const kin_condition *condition, struct visit *visit)
{
    struct condition_shared *shared = NULL;
    int r = kin__object_enter(condition, &shared, &visit->self);
    if (r < 0) {
        return r;
    }
    const struct kin__object *lock = as_object(condition->lock, condition->rlock);
    visit->line = &shared->line;
    visit->index = kin__object_index(&condition->object);
    visit->mutex = lock->shared;
    visit->mutex_index = kin__object_index(lock);
    return kin__mutex_is_held_by(visit->mutex, visit->self->owner) ? 0 : -EPERM;
}

static int wait_within(const struct visit *visit, kin_timeout timeout, const void *site)
{
    uint32_t depth = 0;
    kin__line_enter(visit->line, visit->index, visit->self);
    int r = kin__mutex_release_all(visit->mutex, visit->mutex_index, visit->self, &depth);
    if (r == 0) {
        r = kin__line_wait(visit->index, visit->self, timeout);
        int back = kin__mutex_reacquire(visit->mutex, visit->mutex_index, visit->self, depth, site);
        r = back != 0 ? back : r;
    }
    kin__line_end(visit->index, visit->self);
    return r;
}

int kin_condition_wait(kin_condition *condition, kin_timeout timeout)
{
    struct visit visit;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = enter(condition, &visit);
    }
    return r == 0 ? wait_within(&visit, timeout, __builtin_return_address(0)) : r;
}

int kin_condition_wait_for(kin_condition *condition, bool (*predicate)(void *user), void *user,
                           kin_timeout timeout)
{
    struct visit visit;
    int r = predicate == NULL ? -EINVAL : kin__timeout_check(timeout);
    if (r == 0) {
        r = enter(condition, &visit);
    }
    while (r == 0 && !predicate(user)) {
        r = wait_within(&visit, timeout, __builtin_return_address(0));
        bool is_over = r == -ETIMEDOUT || r == -EAGAIN || r == -ECANCELED;
        if (is_over && predicate(user)) {
            return 0;
        }
    }
    return r;
}

int kin_condition_notify(kin_condition *condition, uint32_t count)
{
    struct visit visit;
    int r = enter(condition, &visit);
    return r < 0 ? r : (int)kin__line_call(visit.line, visit.index, count);
}

int kin_condition_notify_all(kin_condition *condition)
{
    return kin_condition_notify(condition, UINT32_MAX);
}
