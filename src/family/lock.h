/**
 * The internal lock: held for a few dozen instructions around shared metadata, never around
 * user code, allocation or another internal lock.
 *
 *     word   tid of the holder : 30, DIED : 1, WAITERS : 1       (as the kernel wants it)
 *
 * The word's address stands in the thread's private robust list as "pending" from before the
 * acquiring compare-and-swap until after the release, so the kernel sets DIED, clears the tid
 * and wakes a waiter when the thread dies in between; no pointer lies in shared memory.
 *
 * A release clears WAITERS and wakes one; who has slept sets the bit again when it acquires,
 * for the others. Killed between waking and acquiring, it would leave the others asleep on a
 * free lock: any death makes the reaper wake all who sleep (death.h), which heals it. The reaper
 * may itself be one of them, so nobody sleeps on an internal lock for more than a second in a row.
 */
#ifndef KIN_FAMILY_LOCK_H
#define KIN_FAMILY_LOCK_H

#include "family/member.h"

#include <kin/error.h>

int kin__lock_acquire_slow(struct kin__lock *lock, struct kin__thread *self, uint32_t word);
void kin__lock_wake(struct kin__lock *lock);

/* Acquires. 0, or KIN_OWNER_DIED: acquired, but what it guards must be rebuilt first. */
static inline int kin__lock_acquire(struct kin__lock *lock, struct kin__thread *self)
{
    KIN_ASSERT(!kin__os_robust_is_pending(self->robust)); /* they never nest */
    kin__os_robust_begin(self->robust, &lock->word);
    uint32_t word = 0;
    if (__builtin_expect(atomic_compare_exchange_strong_explicit(&lock->word, &word, self->id,
                                                                 memory_order_acquire,
                                                                 memory_order_relaxed),
                         1)) {
        return 0;
    }
    return kin__lock_acquire_slow(lock, self, word);
}

/* Releases. A full barrier: an event count may be raised right behind it. */
static inline void kin__lock_release(struct kin__lock *lock, struct kin__thread *self)
{
    uint32_t word = atomic_exchange(&lock->word, 0);
    if (__builtin_expect(word & KIN__OS_FUTEX_WAITERS, 0)) {
        kin__lock_wake(lock);
    }
    kin__os_robust_end(self->robust);
}

#endif
