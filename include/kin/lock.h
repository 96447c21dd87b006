/**
 * Mutual exclusion between threads and processes alike, that survives its holder.
 */
#ifndef KIN_LOCK_H
#define KIN_LOCK_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/**
 * A lock. It is owned: the thread that acquired it releases it, unless it was made with
 * `is_handoff`.
 *
 * Peer death: a holder that dies gives it up; the next one is told, see kin_lock_acquire.
 */
typedef struct kin_lock kin_lock;

/** What a lock can be besides the default; all zero is the default. */
typedef struct kin_lock_options {
    size_t size;     /**< sizeof(kin_lock_options) */
    kin_scope scope; /**< whether only the threads of this process use it */

    /**
     * Whether those who wait get the lock in the order in which they came, and nobody who comes
     * later gets it before them. Without, whoever is first when it is free gets it: that is several
     * times faster when many want it, and lets one thread have it many times in a row.
     */
    bool is_fair;

    /**
     * Whether any thread of the family may release it, as with Python's Lock: for signals from one
     * to another rather than for guarding data. Who acquired it last counts as holder when it
     * dies; for a thread that ends in order its process does. A thread that acquires it twice
     * waits for another to release it. It takes no part in the search for deadlocks.
     */
    bool is_handoff;

    const char *name; /**< for reports; copied, up to 31 bytes. NULL: none */
} kin_lock_options;

/**
 * Makes a lock that nobody holds; `options` may be NULL. Free it with kin_lock_free.
 * Returns 0, or -ENOMEM; -EINVAL: an option is out of its range.
 */
KIN_API int kin_lock_create(const kin_lock_options *options, kin_lock **ret_lock);

/**
 * Opens the lock that `handle` names, in this process. Free it with kin_lock_free.
 *
 * Returns 0, or -ESTALE: the lock is gone; -EINVAL: the handle names something else; -EACCES: it
 * is kept to another process.
 */
KIN_API int kin_lock_attach(kin_handle handle, kin_lock **ret_lock);

/** Lets go of the lock; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_lock *kin_lock_free(kin_lock *lock);

/** The lock's name for other processes. */
KIN_API kin_handle kin_lock_handle(const kin_lock *lock);

/**
 * Waits until nobody holds the lock, and takes it for the calling thread.
 *
 * Returns 0, or KIN_OWNER_DIED (> 0): taken as well, but a holder died, so what the lock
 * guards may be half written. Mend it and call kin_lock_mark_consistent; until somebody does,
 * every acquire says so again. Or
 *   -EAGAIN      held by another, and the timeout is KIN_NOW
 *   -ETIMEDOUT   held until the deadline
 *   -ECANCELED   the token fired
 *   -EDEADLK     the calling thread holds it already; or its holder waits, in turn, for one that
 *                the calling thread holds, see kin/deadlock.h (neither of a handoff lock)
 *
 * Peer death: a holder that dies gives the lock up at once, to KIN_OWNER_DIED. A waiter that
 * dies costs nobody a wake-up.
 */
KIN_API int kin_lock_acquire(kin_lock *lock, kin_timeout timeout);

/**
 * Gives the lock up. Returns 0, or -EPERM: the calling thread does not hold it; of a handoff
 * lock: nobody holds it.
 */
KIN_API int kin_lock_release(kin_lock *lock);

/**
 * Says that what the lock guards is in order again after a holder's death. To be called by
 * the thread that holds the lock. Returns 0, or -EPERM: it does not hold it.
 */
KIN_API int kin_lock_mark_consistent(kin_lock *lock);

/** Whether anybody holds the lock, at this moment. */
KIN_API bool kin_lock_is_locked(const kin_lock *lock);

KIN_END

#endif
