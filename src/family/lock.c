#include "family/lock.h"

#include "family/sleep.h"
#include "os/clock.h"

int kin__lock_acquire_slow(struct kin__lock *lock, struct kin__thread *self, uint32_t word)
{
    uint32_t spins = kin__family.spin_count;
    uint32_t keep = 0; /* WAITERS once we have slept: there may be others */
    for (;;) {
        if ((word & KIN__OS_FUTEX_TID) == 0) {
            uint32_t taken = self->id | (word & KIN__OS_FUTEX_WAITERS) | keep;
            if (atomic_compare_exchange_strong(&lock->word, &word, taken)) {
                return word & KIN__OS_FUTEX_DIED ? KIN_OWNER_DIED : 0;
            }
        } else if (spins > 0) {
            spins--;
            kin__os_pause();
            word = atomic_load_explicit(&lock->word, memory_order_relaxed);
        } else if ((word & KIN__OS_FUTEX_WAITERS) == 0) {
            uint32_t marked = word | KIN__OS_FUTEX_WAITERS;
            if (atomic_compare_exchange_strong(&lock->word, &word, marked)) {
                word = marked;
            }
        } else {
            kin__sleep_on_lock(&lock->word, word, self);
            keep = KIN__OS_FUTEX_WAITERS;
            word = atomic_load(&lock->word);
        }
    }
}

void kin__lock_wake(struct kin__lock *lock)
{
    kin__os_futex_wake(&lock->word, 1);
}
