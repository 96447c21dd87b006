/**
 * So many at once: permits that threads and processes take and give back.
 *
 *     kin_semaphore *gate;
 *     kin_semaphore_create(10, KIN_OPTIONS(kin_semaphore_options, .is_bounded = true), &gate);
 *     ...
 *     kin_semaphore_acquire(gate, KIN_FOREVER);      at most 10 are behind this line
 *     crawl();
 *     kin_semaphore_release(gate, 1);
 */
#ifndef KIN_SEMAPHORE_H
#define KIN_SEMAPHORE_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/**
 * A semaphore, shared by the family.
 *
 * Peer death: a bounded one knows who has its permits; those of a dead thread or process come
 * back, each once with KIN_OWNER_DIED. A plain one is a number that belongs to nobody: what a dead
 * one had taken does not come back. One that dies waiting costs nobody a wake-up; of a fair one it
 * leaves the line, and what it would have got goes to the next.
 */
typedef struct kin_semaphore kin_semaphore;

/** Most permits that a bounded semaphore can have. */
#define KIN_SEMAPHORE_BOUNDED_MAX 65536

/** Most permits that a plain semaphore can have. */
#define KIN_SEMAPHORE_VALUE_MAX 2147483647

/** What kin_semaphore_create can be told. */
typedef struct kin_semaphore_options {
    size_t size;     /* of this struct */
    kin_scope scope; /* default: the family */

    /* The permits it is made with are all there ever are, and each has an owner while it is
     * out. Default: a plain number, that release can raise beyond where it began. */
    bool is_bounded;

    /* Who waits gets a permit in the order of arrival, and nobody passes those who wait. Default:
     * whoever is first to look. */
    bool is_fair;
} kin_semaphore_options;

/**
 * Makes a semaphore with `value` permits. NULL options: a plain one. Free it with
 * kin_semaphore_free.
 *
 * Returns 0, -ENOMEM, or -EINVAL: more than KIN_SEMAPHORE_VALUE_MAX or, bounded, than
 * KIN_SEMAPHORE_BOUNDED_MAX; options of an unknown size.
 */
KIN_API int kin_semaphore_create(uint32_t value, const kin_semaphore_options *options,
                                 kin_semaphore **ret_semaphore);

/**
 * Opens the semaphore that `handle` names, in this process. Free it with kin_semaphore_free.
 *
 * Returns 0, or -ESTALE: it is gone; -EINVAL: the handle names something else; -EACCES: it is
 * another process's own.
 */
KIN_API int kin_semaphore_attach(kin_handle handle, kin_semaphore **ret_semaphore);

/** Lets go of it; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_semaphore *kin_semaphore_free(kin_semaphore *semaphore);

/** The semaphore's name for other processes. */
KIN_API kin_handle kin_semaphore_handle(const kin_semaphore *semaphore);

/**
 * Takes a permit, waiting until there is one. A thread can take several. Those who wait do not
 * stand in line: whoever is first to look gets it.
 *
 * Of a fair one, those who wait stand in line: who comes gets a permit at once only if there are
 * more than stand in line, and who leaves, because its time is over, keeps no permit from the next.
 * One that is stopped (SIGSTOP) in line keeps one from the others until it goes on or dies.
 *
 * Returns 0, or KIN_OWNER_DIED (> 0, bounded only): taken as well, but its last owner died, so
 * what the permit stood for may be in disorder. It is said once for each permit of the dead. Or
 *   -EAGAIN      none left, or of a fair one none but for those in line; the timeout is KIN_NOW
 *   -ETIMEDOUT   none until the deadline
 *   -ECANCELED   the token fired
 */
KIN_API int kin_semaphore_acquire(kin_semaphore *semaphore, kin_timeout timeout);

/**
 * Gives `count` permits back, and wakes as many who wait; of a fair one, the first in line. Of a
 * bounded semaphore these are the calling thread's own, and where it has none, somebody's: so one
 * thread can take a permit and another give it back.
 *
 * Returns 0, or
 *   -EINVAL      count is 0
 *   -EOVERFLOW   bounded: fewer than that are out; plain: beyond KIN_SEMAPHORE_VALUE_MAX.
 *                Nothing was given back (unless others give back too much at the same time)
 */
KIN_API int kin_semaphore_release(kin_semaphore *semaphore, uint32_t count);

/** How many permits are left, at this moment. */
KIN_API uint32_t kin_semaphore_value(const kin_semaphore *semaphore);

KIN_END

#endif
