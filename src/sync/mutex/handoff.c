#include "sync/mutex/handoff.h"

/* Only this thread adds any, and it is at none now: what it does not hold it has not claimed. */
static void sweep(struct kin__thread *self)
{
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        uint32_t index = atomic_load_explicit(&self->member->holdings[i], memory_order_relaxed);
        struct kin__mutex *mutex = kin__mutex_find(index);
        bool is_stale = mutex != NULL && mutex->flags & KIN__MUTEX_HANDOFF &&
                        !kin__mutex_is_held_by(mutex, self->owner);
        if (is_stale) {
            atomic_store_explicit(&self->member->holdings[i], 0, memory_order_release);
        }
    }
}

void kin__handoff_holding_add(struct kin__thread *self, uint32_t index)
{
    bool is_full = true;
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        is_full &= atomic_load_explicit(&self->member->holdings[i], memory_order_relaxed) != 0;
    }
    if (is_full) {
        sweep(self);
    }
    kin__holding_note(self, index);
}

/* Several threads of the process may end at a time. */
static void add_to_process(uint32_t index)
{
    struct kin__member *member = kin__family.member;
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        uint32_t held = 0;
        if (atomic_compare_exchange_strong(&member->holdings[i], &held, index) || held == index) {
            return;
        }
    }
    atomic_fetch_add(&member->holding_overflow, 1);
}

void kin__handoff_inherit(struct kin__mutex *mutex, uint32_t index, uint32_t dead)
{
    uint32_t word = atomic_load(&mutex->holder);
    if (dead != kin__thread_current.owner || dead == kin__family.owner ||
        (word & KIN__OWNER_MASK) != dead) {
        return;
    }
    add_to_process(index);
    while ((word & KIN__OWNER_MASK) == dead) {
        uint32_t passed = (word & ~KIN__OWNER_MASK) | kin__family.owner;
        if (atomic_compare_exchange_weak(&mutex->holder, &word, passed)) {
            break;
        }
    }
}
