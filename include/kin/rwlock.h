/**
 * Many may read, or one may write.
 *
 *     kin_rwlock_acquire_read(table_lock, KIN_FOREVER);      beside others who read
 *     look_up(table, key);
 *     kin_rwlock_release(table_lock);
 *
 * For what is read much more often than it is written: readers share nothing that any of them
 * writes, so they do not slow each other down, on however many cores. A writer pays for that: it
 * looks at every member of the family.
 */
#ifndef KIN_RWLOCK_H
#define KIN_RWLOCK_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/**
 * A reader-writer lock, shared by the family. It is owned: the thread that acquired it releases
 * it.
 *
 * Neither side starves: who comes to read waits for at most the one writer that was there before,
 * and who comes to write for those readers that were there before, and for the writers before it.
 *
 * Peer death: a reader that dies is gone, and has changed nothing. A writer that dies while it
 * writes gives the lock up at once, and whoever acquires it next, to read or to write, gets
 * KIN_OWNER_DIED. One that dies waiting costs nobody a wake-up.
 */
typedef struct kin_rwlock kin_rwlock;

/** What kin_rwlock_create can be told. */
typedef struct kin_rwlock_options {
    size_t size;      /* of this struct */
    kin_scope scope;  /* default: the family */
    bool is_fair;     /* writers get it in the order in which they came; see kin_lock_options */
    const char *name; /* for reports; copied, up to 31 bytes. NULL: none */
} kin_rwlock_options;

/**
 * Makes a lock that nobody holds; `options` may be NULL. Free it with kin_rwlock_free.
 * Returns 0, or -ENOMEM; -EINVAL: an option is out of its range.
 */
KIN_API int kin_rwlock_create(const kin_rwlock_options *options, kin_rwlock **ret_rwlock);

/**
 * Opens the lock that `handle` names, in this process. Free it with kin_rwlock_free.
 *
 * Returns 0, or -ESTALE: the lock is gone; -EINVAL: the handle names something else; -EACCES: it
 * is kept to another process.
 */
KIN_API int kin_rwlock_attach(kin_handle handle, kin_rwlock **ret_rwlock);

/** Lets go of the lock; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_rwlock *kin_rwlock_free(kin_rwlock *rwlock);

/** The lock's name for other processes. */
KIN_API kin_handle kin_rwlock_handle(const kin_rwlock *rwlock);

/**
 * Waits until nobody writes, and takes the lock for reading.
 *
 * Returns 0, or KIN_OWNER_DIED (> 0): taken as well, but a writer died while it wrote, and no
 * writer has called kin_rwlock_mark_consistent since. Or
 *   -EAGAIN      somebody writes, or waits to, and the timeout is KIN_NOW
 *   -ETIMEDOUT, -ECANCELED
 *   -EDEADLK     the calling thread has it already, to read or to write
 *   -ENOLCK      the thread holds 30 things already; it can hold more, but not read more
 */
KIN_API int kin_rwlock_acquire_read(kin_rwlock *rwlock, kin_timeout timeout);

/**
 * Waits until nobody else writes or reads, and takes the lock for writing.
 *
 * Returns 0, or KIN_OWNER_DIED (> 0): taken as well, but a writer died while it wrote. Mend what
 * the lock guards and call kin_rwlock_mark_consistent; until somebody does, every acquire says so
 * again. Or
 *   -EAGAIN      others have it, and the timeout is KIN_NOW
 *   -ETIMEDOUT, -ECANCELED
 *   -EDEADLK     the calling thread has it already, to read or to write; or those it would wait
 *                for wait for it
 */
KIN_API int kin_rwlock_acquire_write(kin_rwlock *rwlock, kin_timeout timeout);

/** Gives the lock up, read or written. Returns 0, or -EPERM: the thread does not have it. */
KIN_API int kin_rwlock_release(kin_rwlock *rwlock);

/**
 * Says that what the lock guards is in order again after a writer's death. Returns 0, or -EPERM:
 * the calling thread does not write.
 */
KIN_API int kin_rwlock_mark_consistent(kin_rwlock *rwlock);

/** Whether anybody writes, at this moment. */
KIN_API bool kin_rwlock_is_written(const kin_rwlock *rwlock);

/** How many read, at this moment. */
KIN_API uint32_t kin_rwlock_reader_count(const kin_rwlock *rwlock);

KIN_END

#endif
