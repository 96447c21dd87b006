/**
 * The permits of a semaphore; what they are and how they change hands stands in semaphore.c.
 */
#ifndef KIN_SYNC_PERMITS_H
#define KIN_SYNC_PERMITS_H

#include "family/member.h"

#include <errno.h>
#include <kin/error.h>

#define KIN__PERMIT_DIED ((uint32_t)1 << 30)

/* Peer death: a dead owner's permits are free again once it is reaped, marked DIED until somebody
 * takes them. A dead waiter leaves nothing but SLEEPERS; of a fair one it is taken out of the line
 * by its reaper. */
struct semaphore_shared {
    uint32_t is_bounded;    /* constant */
    uint32_t permit_count;  /* constant; of a plain one 0 */
    _Atomic uint32_t value; /* of a plain one: permits left; by all */
    _Atomic uint32_t count; /* event count: by all; of a fair one not used */
    uint32_t is_fair;       /* constant */
    uint32_t reserved;
    _Atomic uint64_t
        next_place;         /* of a fair one: the last place drawn; by those who come to wait */
    _Atomic uint64_t quiet; /* of a fair one: nobody stands in line up to this place; rises, by
                                  * whoever finds out */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t permits[]; /* by all */
};

static_assert(offsetof(struct semaphore_shared, value) == 8, "layout 1");
static_assert(offsetof(struct semaphore_shared, next_place) == 24, "layout 1");
static_assert(offsetof(struct semaphore_shared, permits) == 128, "layout 1");

/* Where an owner begins to look: spread over the table, the same each time. */
static inline uint32_t kin__permit_place(const struct semaphore_shared *shared, uint32_t owner)
{
    uint32_t spread = kin__owner_slot(owner) * 0x9e3779b1u;
    return (uint32_t)((uint64_t)spread * shared->permit_count >> 32);
}

static inline uint32_t kin__permit_next(const struct semaphore_shared *shared, uint32_t place)
{
    return place + 1 == shared->permit_count ? 0 : place + 1;
}

static inline uint32_t kin__permits_left(const struct semaphore_shared *shared)
{
    uint32_t count = atomic_load(&shared->value);
    for (uint32_t i = 0; i < shared->permit_count; i++) {
        count += (atomic_load(&shared->permits[i]) & KIN__OWNER_MASK) == 0;
    }
    return count;
}

/* Of a bounded one. */
static inline int kin__permits_claim(struct semaphore_shared *shared, uint32_t owner)
{
    uint32_t place = kin__permit_place(shared, owner);
    for (uint32_t i = 0; i < shared->permit_count; i++) {
        uint32_t word = atomic_load(&shared->permits[place]);
        while ((word & KIN__OWNER_MASK) == 0) {
            if (atomic_compare_exchange_weak(&shared->permits[place], &word, owner)) {
                return word & KIN__PERMIT_DIED ? KIN_OWNER_DIED : 0;
            }
        }
        place = kin__permit_next(shared, place);
    }
    return -EAGAIN;
}

/* Of a plain one: takes a permit, if more than `kept` are left. 0, or -EAGAIN. */
static inline int kin__permits_take_value(struct semaphore_shared *shared, uint32_t kept)
{
    uint32_t value = atomic_load(&shared->value);
    while (value > kept) {
        if (atomic_compare_exchange_weak(&shared->value, &value, value - 1)) {
            return 0;
        }
    }
    return -EAGAIN;
}

/* Takes a permit, if more than `kept` are left. 0, KIN_OWNER_DIED, or -EAGAIN. */
static inline int kin__permits_take(struct semaphore_shared *shared, uint32_t owner, uint32_t kept)
{
    if (!shared->is_bounded) {
        return kin__permits_take_value(shared, kept);
    }
    bool is_enough = kept == 0 || kin__permits_left(shared) > kept;
    return is_enough ? kin__permits_claim(shared, owner) : -EAGAIN;
}

#endif
