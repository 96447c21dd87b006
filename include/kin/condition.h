/**
 * Waiting, inside a lock, for a state that others bring about inside the same lock.
 */
#ifndef KIN_CONDITION_H
#define KIN_CONDITION_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/lock.h>
#include <kin/rlock.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/**
 * A condition, shared by the family: a lock, and a line of those who wait for a notify.
 *
 * Peer death: one that dies waiting is out of the line and takes no notify along; when a holder of
 * the lock dies, all who wait are told, see kin_condition_wait.
 */
typedef struct kin_condition kin_condition;

/** What kin_condition_create can be told. At most one of `lock` and `rlock` is given. */
typedef struct kin_condition_options {
    size_t size;     /* of this struct */
    kin_scope scope; /* who can use it. Default: the family. Not wider than the lock's */

    /* The lock that guards the state; several conditions may have the same. The condition refers
     * to it by itself: free yours when you like. Default: a kin_rlock of its own. */
    kin_lock *lock;
    kin_rlock *rlock;
} kin_condition_options;

/**
 * Makes a condition for which nobody waits; options may be NULL. Free it with
 * kin_condition_free.
 *
 * Returns 0, -ENOMEM, or -EINVAL: two locks are given, or the lock's scope is narrower.
 */
KIN_API int kin_condition_create(const kin_condition_options *options,
                                 kin_condition **ret_condition);

/**
 * Opens the condition that `handle` names, and its lock, in this process. Free it with
 * kin_condition_free.
 *
 * Returns 0, or -ESTALE: the condition is gone; -EINVAL: the handle names something else;
 * -EACCES: it is another process's own.
 */
KIN_API int kin_condition_attach(kin_handle handle, kin_condition **ret_condition);

/** Lets go of the condition; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_condition *kin_condition_free(kin_condition *condition);

/** The condition's name for other processes. */
KIN_API kin_handle kin_condition_handle(const kin_condition *condition);

/** Acquires the condition's lock, as kin_lock_acquire or kin_rlock_acquire do. */
KIN_API int kin_condition_acquire(kin_condition *condition, kin_timeout timeout);

/** Releases the condition's lock. Returns 0, or -EPERM: the calling thread does not hold it. */
KIN_API int kin_condition_release(kin_condition *condition);

/**
 * Says that what the condition's lock guards is in order again, as kin_lock_mark_consistent
 * does. Returns 0, or -EPERM: the calling thread does not hold the lock.
 */
KIN_API int kin_condition_mark_consistent(kin_condition *condition);

/**
 * Gives the lock up, however often the thread has acquired it, sleeps until it is notified, and
 * acquires the lock again, as often as before; that cannot be cancelled and has no deadline. So
 * the lock is held whenever this returns, whatever it returns, unless that is -EPERM.
 *
 * Those who wait are notified in the order in which they came. What one waits for may be
 * undone before it has the lock: call it in a loop around a look at the state, or use
 * kin_condition_wait_for.
 *
 * Returns 0: notified, or
 *   KIN_OWNER_DIED  (> 0) a holder of the lock died: see below, notified or not
 *   -ETIMEDOUT      not notified before the deadline; a notify that came is not lost on us
 *   -EAGAIN         the same, with KIN_NOW: the lock was released for a moment
 *   -ECANCELED      the token fired
 *   -EPERM          the calling thread does not hold the lock
 *
 * Peer death: one that dies while it waits is not notified in anybody's place: a notify that
 * had chosen it goes to the next. When the lock's holder dies, it can no longer notify anybody
 * of what it had begun to change: all who wait are notified, and get KIN_OWNER_DIED from here
 * until somebody has mended the state and called kin_condition_mark_consistent.
 */
KIN_API int kin_condition_wait(kin_condition *condition, kin_timeout timeout);

/**
 * Waits until `predicate(user)` is true. It is called with the lock held: at once, and after
 * each notify; after the deadline and when the token has fired, too, for a last time.
 *
 * Returns 0: it is true, or what kin_condition_wait returns. KIN_OWNER_DIED is returned at once,
 * without a call of the predicate, since it might look at what is half changed: mend
 * that, and wait again.
 */
KIN_API int kin_condition_wait_for(kin_condition *condition, bool (*predicate)(void *user),
                                   void *user, kin_timeout timeout);

/**
 * Notifies up to `count` of those who wait, those first who came first. They go on when the
 * lock is released.
 *
 * Returns how many were notified, or -EPERM: the calling thread does not hold the lock.
 *
 * Peer death: one that dies in here dies as the lock's holder: all who wait are notified.
 */
KIN_API int kin_condition_notify(kin_condition *condition, uint32_t count);

/** The same, of all who wait. */
KIN_API int kin_condition_notify_all(kin_condition *condition);

KIN_END

#endif
