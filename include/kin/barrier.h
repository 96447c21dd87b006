/**
 * A place where so many wait for each other, again and again.
 *
 *     kin_barrier *end_of_step;
 *     kin_barrier_create(4, NULL, &end_of_step);
 *     ...
 *     for (int step = 0; step < 100; step++) {           in each of 4 threads or processes
 *         compute(step);
 *         if (kin_barrier_wait(end_of_step, KIN_FOREVER) < 0) {
 *             break;                                      one of us is gone
 *         }
 *     }
 */
#ifndef KIN_BARRIER_H
#define KIN_BARRIER_H

#include <kin/call.h>
#include <kin/export.h>
#include <kin/family.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/**
 * A barrier, shared by the family. When as many as it has parties wait, all go on, and the next
 * round begins.
 *
 * Peer death: one that dies while it waits, or that joined and dies anywhere, breaks the barrier:
 * the others get KIN_EBROKEN at once; or the barrier goes on with one party less, as its options
 * say. One that dies while it runs the action breaks it in any case. A death after all had come,
 * of one that did not join, changes nothing. The dead are never counted as come.
 */
typedef struct kin_barrier kin_barrier;

/** Most parties of a barrier. */
#define KIN_BARRIER_PARTIES_MAX 65535

/** What the death of a party does. */
typedef enum kin_barrier_on_death { KIN_BARRIER_BREAK, KIN_BARRIER_SHRINK } kin_barrier_on_death;

/** What kin_barrier_create can be told. */
typedef struct kin_barrier_options {
    size_t size;                   /* of this struct */
    kin_scope scope;               /* default: the family */
    kin_barrier_on_death on_death; /* default: the barrier is broken */

    /* Run by the last to come, in each round, before any goes on (if the last was taken away by
     * death, by one of those who wait). A negative result breaks the barrier, and is what that one
     * gets. It has no argument. Made known by KIN_FUNCTION. NULL: none. */
    kin_function *action;
} kin_barrier_options;

/**
 * Makes a barrier for `party_count` parties. NULL options: the defaults. Free it with
 * kin_barrier_free.
 *
 * Returns 0, -ENOMEM, KIN_EFUNCTION: the action is not registered; or -EINVAL: no parties, or more
 * than KIN_BARRIER_PARTIES_MAX; options of an unknown size.
 */
KIN_API int kin_barrier_create(uint32_t party_count, const kin_barrier_options *options,
                               kin_barrier **ret_barrier);

/**
 * Opens the barrier that `handle` names, in this process. Free it with kin_barrier_free.
 *
 * Returns 0, or -ESTALE: it is gone; -EINVAL: the handle names something else; -EACCES: it is
 * another process's own; KIN_EFUNCTION: this process does not know its action.
 */
KIN_API int kin_barrier_attach(kin_handle handle, kin_barrier **ret_barrier);

/** Lets go of it; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_barrier *kin_barrier_free(kin_barrier *barrier);

/** The barrier's name for other processes. */
KIN_API kin_handle kin_barrier_handle(const kin_barrier *barrier);

/**
 * Waits until all parties have come.
 *
 * Returns a number from 0 to one less than there are parties, another to each of them; or
 *   KIN_EBROKEN  the barrier is broken, or was while this one waited: by a death, an abort, a
 *                reset, a failed action, or another's timeout or cancel
 *   -EAGAIN      not all others wait, and the timeout is KIN_NOW. Nothing has happened
 *   -ETIMEDOUT, -ECANCELED   this one gives up. If it had come in, that breaks the barrier
 *   -EDEADLK     called by the action
 * or what the action returned, if it ran in this thread and failed.
 *
 * Cancel: unlike elsewhere something has happened: the barrier is broken.
 */
KIN_API int kin_barrier_wait(kin_barrier *barrier, kin_timeout timeout);

/**
 * Says that the calling thread is one of the parties, so that its death counts also while it does
 * not wait. It takes one of the places that party_count has; if all are taken, one that a death or
 * kin_barrier_leave took away comes back, and party_count rises.
 *
 * Returns 0, also if it has joined already, or -EOVERFLOW: as many have joined as there can be.
 */
KIN_API int kin_barrier_join(kin_barrier *barrier);

/**
 * The calling thread is no party any more: there is one party less, and if the others wait, they
 * go on. Returns 0, or -EPERM: it has not joined.
 */
KIN_API int kin_barrier_leave(kin_barrier *barrier);

/**
 * Begins a new round: those who wait get KIN_EBROKEN, and a broken barrier is whole again.
 *
 * Peer death: killed in here, it has reset the barrier, or broken it, or done nothing.
 */
KIN_API int kin_barrier_reset(kin_barrier *barrier);

/** Breaks the barrier until somebody resets it: all who wait, or come to wait, get KIN_EBROKEN. */
KIN_API int kin_barrier_abort(kin_barrier *barrier);

/** How many must come. */
KIN_API uint32_t kin_barrier_party_count(const kin_barrier *barrier);

/** How many wait, at this moment. */
KIN_API uint32_t kin_barrier_waiting_count(const kin_barrier *barrier);

/** Whether the barrier is broken, at this moment. */
KIN_API bool kin_barrier_is_broken(const kin_barrier *barrier);

KIN_END

#endif
