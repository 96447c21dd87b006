/**
 * Deadlocks: threads that wait for each other for ever, in one process or in several.
 *
 * A thread that is about to sleep for a kin_lock, a kin_rlock or the lock of a kin_condition, or
 * in kin_process_join, first looks whether those it waits for wait for it. Any circle is closed by
 * the last one to wait, and that one finds it at once: no timer, no guess, nothing that a thread
 * which need not wait would notice.
 *
 * A wait that can end by itself closes no circle: one with a deadline or a token, one for a lock
 * that anybody may release (is_handoff). Neither is a wait for anything else a part of one: for
 * a message, an event, a permit.
 */
#ifndef KIN_DEADLOCK_H
#define KIN_DEADLOCK_H

#include <kin/export.h>
#include <stdint.h>

KIN_BEGIN

/** What happens to a thread of this process that closes a circle of more than itself. */
typedef enum kin_deadlock_policy {
    KIN_DEADLOCK_ERROR, /**< its call fails with -EDEADLK, the callback is called: the default */
    KIN_DEADLOCK_WARN,  /**< the callback is called, and it waits on, until somebody is ended */
    KIN_DEADLOCK_OFF    /**< it waits, and nobody is told */
} kin_deadlock_policy;

/** What was found. */
typedef enum kin_deadlock_kind {
    KIN_DEADLOCK_CYCLE, /**< a deadlock */
    KIN_DEADLOCK_ORDER  /**< two locks taken in both orders: a deadlock that may come one day. Found
                         *   by builds of the library with KIN_DEBUG only */
} kin_deadlock_kind;

/** A report. It lives as long as the callback runs. */
typedef struct kin_deadlock {
    kin_deadlock_kind kind;
    uint32_t thread_count; /**< how many threads wait for each other; of an order: 1 */

    /**
     * Lines, each ended by a newline, that say who holds what, where it was acquired, and who
     * waits for what. Places in the code are given as the process that reports sees them: right
     * for itself, its threads, and those forked from the same program.
     */
    const char *text;
} kin_deadlock;

/**
 * Is told of a deadlock, on the thread that found it, before its call returns. It must not wait
 * for, acquire or release anything of kin.
 */
typedef void kin_deadlock_callback(const kin_deadlock *deadlock, void *user);

/**
 * Sets what this process, and the processes that it forks from now on, do about deadlocks that
 * they close. `callback` may be NULL: nobody is told. It may be called from any thread, by several
 * at a time.
 *
 * A thread that acquires a lock which it holds is refused with -EDEADLK under every policy, and
 * the callback is called unless that is off or the timeout is KIN_NOW.
 *
 * Returns 0, or -EINVAL: no such policy.
 *
 * Peer death: a circle with somebody dead in it is no deadlock: what the dead held goes to
 * those who wait.
 */
KIN_API int kin_deadlock_policy_set(kin_deadlock_policy policy, kin_deadlock_callback *callback,
                                    void *user);

KIN_END

#endif
