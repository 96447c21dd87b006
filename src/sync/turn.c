#include "sync/turn.h"

#define NOWHERE 0 /* no place: it does not stand in the line */

/* Where a member stands in the line. */
static uint64_t place_of(const struct kin__member *member, uint64_t wanted)
{
    uint64_t edge = atomic_load(&member->waits_for);
    uint64_t place = NOWHERE;
    bool is_certain = false;
    while ((uint32_t)edge == (uint32_t)wanted && !is_certain) {
        place = atomic_load(&member->wait_place);
        uint64_t again = atomic_load(&member->waits_for);
        is_certain = again == edge;
        edge = again;
    }
    return is_certain ? place : NOWHERE;
}

struct kin__member *kin__turn_next(uint64_t wanted, uint64_t *place)
{
    struct kin__member *next = NULL;
    uint64_t next_place = KIN__TURN_COMING;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        struct kin__member *member = kin__member_at(slot);
        uint64_t its = place_of(member, wanted);
        if (its > *place && its < next_place) {
            next = member;
            next_place = its;
        }
    }
    *place = next_place;
    return next;
}

uint32_t kin__turn_count(uint64_t wanted, uint64_t last)
{
    uint32_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        uint64_t place = place_of(kin__member_at(slot), wanted);
        count += place != NOWHERE && place <= last;
    }
    return count;
}

void kin__turn_repair(uint64_t wanted, uint32_t dead)
{
    struct kin__member *member = kin__member_of(dead);
    if (member != NULL && (uint32_t)atomic_load(&member->waits_for) == (uint32_t)wanted) {
        atomic_store(&member->waits_for, 0);
    }
}
