/**
 * A lock that its holder may acquire again.
 */
#ifndef KIN_RLOCK_H
#define KIN_RLOCK_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/**
 * A lock that nests: the thread that holds it may acquire it again, and releases it as often.
 *
 * Peer death: a holder that dies gives it up; the next one is told, see kin_rlock_acquire.
 */
typedef struct kin_rlock kin_rlock;

/** What an rlock can be besides the default; all zero is the default. */
typedef struct kin_rlock_options {
    size_t size;      /**< sizeof(kin_rlock_options) */
    kin_scope scope;  /**< whether only the threads of this process use it */
    bool is_fair;     /**< whether who waits gets it in the order of arrival, see kin/lock.h */
    const char *name; /**< for reports; copied, up to 31 bytes. NULL: none */
} kin_rlock_options;

/**
 * Makes an rlock that nobody holds; `options` may be NULL. Free it with kin_rlock_free.
 * Returns 0, or -ENOMEM; -EINVAL: an option is out of its range.
 */
KIN_API int kin_rlock_create(const kin_rlock_options *options, kin_rlock **ret_rlock);

/**
 * Opens the rlock that `handle` names, in this process. Free it with kin_rlock_free.
 *
 * Returns 0, or -ESTALE: it is gone; -EINVAL: the handle names something else; -EACCES: it is
 * kept to another process.
 */
KIN_API int kin_rlock_attach(kin_handle handle, kin_rlock **ret_rlock);

/** Lets go of the rlock; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_rlock *kin_rlock_free(kin_rlock *rlock);

/** The rlock's name for other processes. */
KIN_API kin_handle kin_rlock_handle(const kin_rlock *rlock);

/**
 * Waits until no other thread holds the rlock, and takes it, or takes it once more.
 *
 * Returns 0, or KIN_OWNER_DIED (> 0), also when it nests, until kin_rlock_mark_consistent: as
 * kin_lock_acquire. Or
 *   -EAGAIN      held by another, and the timeout is KIN_NOW
 *   -ETIMEDOUT   held by another until the deadline
 *   -ECANCELED   the token fired
 *   -EDEADLK     its holder waits, in turn, for a lock that the calling thread holds, see
 *                kin/deadlock.h
 *   -EOVERFLOW   the calling thread has acquired it 2^32 - 1 times
 *
 * Peer death: a holder that dies gives the rlock up at once, however often it had acquired it;
 * the next holder has it once. A waiter that dies costs nobody a wake-up.
 */
KIN_API int kin_rlock_acquire(kin_rlock *rlock, kin_timeout timeout);

/**
 * Undoes one acquire; the last one gives the rlock up. Returns 0, or -EPERM: the calling
 * thread does not hold it.
 */
KIN_API int kin_rlock_release(kin_rlock *rlock);

/**
 * Says that what the rlock guards is in order again after a holder's death. To be called by the
 * thread that holds it. Returns 0, or -EPERM: it does not hold it.
 */
KIN_API int kin_rlock_mark_consistent(kin_rlock *rlock);

/** Whether anybody holds the rlock, at this moment. */
KIN_API bool kin_rlock_is_locked(const kin_rlock *rlock);

KIN_END

#endif
