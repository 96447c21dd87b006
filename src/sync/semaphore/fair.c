#include "sync/semaphore/fair.h"

#include "family/sleep.h"
#include "sync/turn.h"

static uint64_t edge_to(uint32_t index)
{
    return kin__wait_edge(KIN__WAIT_PERMIT, index);
}

static bool is_line_empty(struct semaphore_shared *shared, uint32_t index)
{
    uint64_t last = atomic_load(&shared->next_place);
    uint64_t quiet = atomic_load(&shared->quiet);
    if (quiet >= last) {
        return true;
    }
    if (kin__turn_count(edge_to(index), KIN__TURN_COMING) > 0) {
        return false;
    }
    while (quiet < last && !atomic_compare_exchange_weak(&shared->quiet, &quiet, last)) {
    }
    return true;
}

/* What is left is counted anew at each step: whoever has left the line meanwhile does this itself,
 * and one behind whose turn it was not would be woken for nothing. */
void kin__semaphore_hand_on(struct semaphore_shared *shared, uint32_t index)
{
    struct kin__member *next = NULL;
    uint64_t place = 0;
    uint32_t before = 0;
    if (atomic_load(&shared->quiet) >= atomic_load(&shared->next_place) ||
        kin__permits_left(shared) == 0) {
        return;
    }
    while ((next = kin__turn_next(edge_to(index), &place)) != NULL &&
           kin__permits_left(shared) > before) {
        kin__count_raise(&next->nudge, 1);
        before++;
    }
}

/* Takes a permit, if there are more than stand in line up to the place `last`. */
static int take_in_turn(struct semaphore_shared *shared, uint32_t index, uint32_t owner,
                        uint64_t last)
{
    return kin__permits_left(shared) == 0
               ? -EAGAIN
               : kin__permits_take(shared, owner, kin__turn_count(edge_to(index), last));
}

static uint64_t stand_in_line(struct semaphore_shared *shared, uint32_t index,
                              struct kin__thread *self)
{
    atomic_store(&self->member->wait_place, KIN__TURN_COMING);
    kin__wait_publish(self, edge_to(index) | KIN__WAIT_MAY_END);
    uint64_t place = atomic_fetch_add(&shared->next_place, 1) + 1;
    atomic_store(&self->member->wait_place, place);
    return place;
}

static int wait_in_line(struct semaphore_shared *shared, uint32_t index, struct kin__thread *self,
                        kin_timeout timeout)
{
    _Atomic uint32_t *nudge = &self->member->nudge;
    uint64_t before = stand_in_line(shared, index, self) - 1;
    struct kin__spin spin = kin__spin_begin_alone();
    int r = 0;
    do {
        r = take_in_turn(shared, index, self->owner, before);
    } while (r == -EAGAIN && kin__spin_again(&spin));
    if (r != -EAGAIN) {
        return r;
    }
    for (;;) {
        uint32_t key = kin__count_prepare(nudge);
        r = take_in_turn(shared, index, self->owner, before);
        if (r != -EAGAIN) {
            return r;
        }
        r = kin__sleep(nudge, key, timeout);
        if (r < 0) {
            return r;
        }
    }
}

int kin__semaphore_acquire_fair(struct semaphore_shared *shared, uint32_t index,
                                struct kin__thread *self, kin_timeout timeout)
{
    int r = is_line_empty(shared, index)
                ? kin__permits_take(shared, self->owner, 0)
                : take_in_turn(shared, index, self->owner, KIN__TURN_COMING);
    if (r != -EAGAIN) {
        return r;
    }
    r = kin__timeout_is_over(timeout);
    if (r < 0) {
        return r;
    }
    if (!shared->is_bounded) {
        kin__holding_add(self, index); /* so that a reaper takes us out of the line */
    }
    r = wait_in_line(shared, index, self, timeout);
    kin__wait_withdraw(self);
    if (!shared->is_bounded) {
        kin__holding_remove(self, index);
    }
    kin__semaphore_hand_on(shared, index);
    return r;
}

void kin__semaphore_line_repair(uint32_t index, uint32_t dead)
{
    kin__turn_repair(edge_to(index), dead);
}

void kin__semaphore_line_verify(struct kin__verifier *verifier, uint32_t index,
                                const struct semaphore_shared *shared)
{
    const struct kin__region *members = &kin__memory_shared(&verifier->memory)->members;
    uint64_t last = atomic_load(&shared->next_place);
    uint64_t quiet = atomic_load(&shared->quiet);
    uint32_t used = atomic_load(&members->used);
    if (quiet > last) {
        kin__verify_fail(verifier, "semaphore %u: quiet up to a place not drawn", index);
    }
    for (uint32_t slot = 1; slot < used; slot++) {
        const struct kin__member *member = kin__region_at(&verifier->memory, members, slot);
        uint64_t place = atomic_load(&member->wait_place);
        if ((uint32_t)atomic_load(&member->waits_for) != (uint32_t)edge_to(index) ||
            place == KIN__TURN_COMING) {
            continue;
        }
        if (place > last) {
            kin__verify_fail(verifier, "semaphore %u: member %u at a place not drawn", index, slot);
        }
        if (place <= quiet) {
            kin__verify_fail(verifier, "semaphore %u: member %u waits, and it is quiet", index,
                             slot);
        }
    }
}
