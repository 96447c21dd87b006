#include "sync/deadlock/order.h"

#if defined(KIN_DEBUG) && KIN_DEBUG

#include "sync/deadlock/report.h"

enum { VISITED_MAX = 64 };

/* The entry for the object with an index; 0: there is none. */
static uint64_t entry_of(uint32_t index)
{
    const struct kin__entry *object = kin__entry_at(index);
    return object == NULL ? 0 : index | object->counter << 32;
}

/* The mutex that an entry means; NULL: it is gone. */
static struct kin__mutex *mutex_of(uint64_t entry)
{
    uint32_t index = (uint32_t)entry;
    return entry == 0 || entry_of(index) != entry ? NULL : kin__mutex_find(index);
}

/* False: it is there already, or there is no room. */
static bool add_earlier(struct kin__mutex *mutex, uint64_t entry)
{
    for (uint32_t i = 0; i < KIN__MUTEX_EARLIER_MAX; i++) {
        if (atomic_load(&mutex->earlier[i]) == entry) {
            return false;
        }
    }
    for (uint32_t i = 0; i < KIN__MUTEX_EARLIER_MAX; i++) {
        uint64_t old = atomic_load(&mutex->earlier[i]);
        if (mutex_of(old) == NULL &&
            atomic_compare_exchange_strong(&mutex->earlier[i], &old, entry)) {
            return true;
        }
    }
    return false;
}

/* Locks that are still to be looked at, and those that have been. */
struct search {
    uint64_t entries[VISITED_MAX];
    uint32_t count;
};

static void visit(struct search *search, uint64_t entry)
{
    for (uint32_t i = 0; i < search->count; i++) {
        if (search->entries[i] == entry) {
            return;
        }
    }
    if (entry != 0 && search->count < VISITED_MAX) {
        search->entries[search->count++] = entry;
    }
}

/* Whether `earlier` was held when `later` was acquired, or when one that was held then was. */
static bool was_held_before(uint64_t earlier, uint64_t later)
{
    struct search search = {.entries = {later}, .count = 1};
    for (uint32_t i = 0; i < search.count; i++) {
        const struct kin__mutex *mutex = mutex_of(search.entries[i]);
        for (uint32_t j = 0; mutex != NULL && j < KIN__MUTEX_EARLIER_MAX; j++) {
            uint64_t entry = atomic_load(&mutex->earlier[j]);
            if (entry == earlier) {
                return true;
            }
            visit(&search, entry);
        }
    }
    return false;
}

static bool has_order(const struct kin__mutex *mutex)
{
    return mutex != NULL && !(mutex->flags & KIN__MUTEX_HANDOFF);
}

void kin__order_note(struct kin__mutex *mutex, uint32_t index, const struct kin__thread *self,
                     kin_timeout timeout)
{
    uint32_t policy = atomic_load_explicit(&kin__deadlocks.policy, memory_order_relaxed);
    if (!has_order(mutex) || timeout.deadline_ns == KIN_NOW.deadline_ns ||
        policy == KIN_DEADLOCK_OFF || kin__mutex_is_held_by(mutex, self->owner)) {
        return;
    }
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        uint32_t held = atomic_load_explicit(&self->member->holdings[i], memory_order_relaxed);
        const struct kin__mutex *other = kin__mutex_find(held & KIN__HOLDING_INDEX);
        if (!has_order(other) || other == mutex || !kin__mutex_is_held_by(other, self->owner)) {
            continue;
        }
        if (add_earlier(mutex, entry_of(held)) &&
            was_held_before(entry_of(index), entry_of(held))) {
            kin__report_order(self, held, index);
        }
    }
}

#endif
