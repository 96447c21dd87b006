#include "sync/mutex/fair.h"

#include "sync/deadlock.h"
#include "sync/turn.h"

#include <errno.h>
#include <kin/error.h>

static struct kin__member *first_in_line(uint32_t index)
{
    uint64_t place = 0;
    return kin__turn_next(kin__wait_edge(KIN__WAIT_LOCK, index), &place);
}

void kin__fair_hand_on(struct kin__mutex *mutex, uint32_t index)
{
    struct kin__member *first = first_in_line(index);
    if (first != NULL) {
        kin__count_raise(&first->nudge, 1);
        return;
    }
    uint32_t word = atomic_load(&mutex->holder);
    while ((word & KIN__OWNER_MASK) == KIN__MUTEX_RESERVED) {
        if (atomic_compare_exchange_weak(&mutex->holder, &word, word & KIN__MUTEX_DIED)) {
            break;
        }
    }
}

/* Takes the mutex if it is free, or reserved and the first in line is `place` (NULL: if there is
 * nobody in line). 0, KIN_OWNER_DIED, or -EAGAIN. */
static int try_take(const struct kin__claim *claim, const struct kin__member *place)
{
    _Atomic uint32_t *holder = &claim->mutex->holder;
    uint32_t keep = place == NULL ? 0 : KIN__MUTEX_WAITERS; /* there may be others in line */
    uint32_t word = atomic_load(holder);
    for (;;) {
        uint32_t owner = word & KIN__OWNER_MASK;
        bool is_ours = owner == 0 ||
                       (owner == KIN__MUTEX_RESERVED && first_in_line(claim->index) == place);
        if (!is_ours) {
            return -EAGAIN;
        }
        uint32_t taken = claim->self->owner | (word & KIN__MUTEX_DIED) | keep;
        if (atomic_compare_exchange_strong(holder, &word, taken)) {
            return word & KIN__MUTEX_DIED ? KIN_OWNER_DIED : 0;
        }
    }
}

/* Makes a holder see, when it releases, that somebody stands in line. */
static void mark_waiters(struct kin__mutex *mutex)
{
    uint32_t word = atomic_load(&mutex->holder);
    while (kin__owner_slot(word & KIN__OWNER_MASK) != 0 && !(word & KIN__MUTEX_WAITERS)) {
        if (atomic_compare_exchange_weak(&mutex->holder, &word, word | KIN__MUTEX_WAITERS)) {
            break;
        }
    }
}

/* Waits, standing in line. */
static int wait_in_line(const struct kin__claim *claim)
{
    struct kin__member *self = claim->self->member;
    struct kin__spin spin = kin__spin_begin_alone();
    for (;;) {
        mark_waiters(claim->mutex);
        int r = try_take(claim, self);
        if (r != -EAGAIN) {
            return r;
        }
        if (kin__spin_again(&spin)) {
            continue;
        }
        uint32_t key = kin__count_prepare(&self->nudge);
        mark_waiters(claim->mutex);
        r = try_take(claim, self);
        if (r == -EAGAIN) {
            r = kin__sleep(&self->nudge, key, claim->timeout);
            if (r == 0) {
                continue;
            }
        }
        return r;
    }
}

int kin__fair_acquire(const struct kin__claim *claim)
{
    int r = try_take(claim, NULL);
    if (r != -EAGAIN) {
        return r;
    }
    if (claim->timeout.deadline_ns == KIN_NOW.deadline_ns) {
        return kin__timeout_is_over(claim->timeout);
    }
    uint64_t place = atomic_fetch_add(&claim->mutex->next_place, 1) + 1;
    atomic_store(&claim->self->member->wait_place, place);
    r = kin__deadlock_begin(claim);
    if (r == 0) {
        r = wait_in_line(claim);
    }
    kin__deadlock_end(claim->self);
    if (r < 0 && (atomic_load(&claim->mutex->holder) & KIN__OWNER_MASK) == KIN__MUTEX_RESERVED) {
        kin__fair_hand_on(claim->mutex, claim->index);
    }
    return r;
}
