#include "step/mutant.h"

static int acquire_late_pending(struct kin__lock *lock, struct kin__thread *self)
{
    uint32_t word = 0;
    if (atomic_compare_exchange_strong(&lock->word, &word, self->id)) {
        kin__os_robust_begin(self->robust, &lock->word);
        return 0;
    }
    kin__os_robust_begin(self->robust, &lock->word);
    return kin__lock_acquire_slow(lock, self, word);
}

static int acquire(struct kin__lock *lock, struct kin__thread *self)
{
    return kin__lock_acquire(lock, self);
}

static int acquire_silent(struct kin__lock *lock, struct kin__thread *self)
{
    kin__lock_acquire(lock, self);
    return 0;
}

static void release(struct kin__lock *lock, struct kin__thread *self)
{
    kin__lock_release(lock, self);
}

static void release_early_end(struct kin__lock *lock, struct kin__thread *self)
{
    kin__os_robust_end(self->robust);
    if (atomic_exchange(&lock->word, 0) & KIN__OS_FUTEX_WAITERS) {
        kin__lock_wake(lock);
    }
}

static void release_no_wake(struct kin__lock *lock, struct kin__thread *self)
{
    atomic_store(&lock->word, 0);
    kin__os_robust_end(self->robust);
}

const struct lock_variant mutant_lock_late_pending = {acquire_late_pending, release};
const struct lock_variant mutant_lock_early_end = {acquire, release_early_end};
const struct lock_variant mutant_lock_no_wake = {acquire, release_no_wake};
const struct lock_variant mutant_lock_silent = {acquire_silent, release};
