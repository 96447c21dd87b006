/**
 * What a blocked thread waits for: the word `waits_for` of its member slot.
 *
 *     target : 30     directory index of what it waits for, or owner id of the process it joins
 *     kind : 2        see below
 *     MAY_END : 1     the wait can end by itself: it has a deadline or a token, or anybody may
 *                     release what it waits for
 *     REPORTED : 1    its deadlock has been reported, and it goes on waiting
 *     version : 30    rises with each wait of the member, also while `kind` is NONE
 *
 * A wait for a permit is no part of any circle, and can always end: it stands here for the line of
 * a fair semaphore (turn.h).
 *
 * Written by the member itself, on its way to sleep, and zeroed by its reaper. Two equal reads
 * mean that it has waited from the first to the second.
 */
#ifndef KIN_SYNC_WAIT_H
#define KIN_SYNC_WAIT_H

#include "family/member.h"

enum kin__wait_kind { KIN__WAIT_NONE, KIN__WAIT_LOCK, KIN__WAIT_PROCESS, KIN__WAIT_PERMIT };

#define KIN__WAIT_MAY_END ((uint64_t)1 << 32)
#define KIN__WAIT_REPORTED ((uint64_t)1 << 33)
#define KIN__WAIT_VERSION ((uint64_t)1 << 34) /* the least bit of the version */

static inline enum kin__wait_kind kin__wait_kind(uint64_t edge)
{
    return (enum kin__wait_kind)(edge >> 30 & 3);
}

static inline uint32_t kin__wait_target(uint64_t edge)
{
    return (uint32_t)edge & KIN__OWNER_MASK;
}

static inline uint64_t kin__wait_edge(enum kin__wait_kind kind, uint32_t target)
{
    return (uint64_t)kind << 30 | target;
}

/* Publishes that the calling thread waits; `edge` without a version. A full barrier. */
static inline void kin__wait_publish(struct kin__thread *self, uint64_t edge)
{
    _Atomic uint64_t *place = &self->member->waits_for;
    uint64_t before = atomic_load_explicit(place, memory_order_relaxed);
    atomic_store(place, ((before & -KIN__WAIT_VERSION) + KIN__WAIT_VERSION) | edge);
}

/* Withdraws it. A full barrier; does nothing if it does not wait. */
static inline void kin__wait_withdraw(struct kin__thread *self)
{
    _Atomic uint64_t *place = &self->member->waits_for;
    uint64_t edge = atomic_load_explicit(place, memory_order_relaxed);
    if (kin__wait_kind(edge) != KIN__WAIT_NONE) {
        atomic_store(place, edge & -KIN__WAIT_VERSION);
    }
}

#endif
