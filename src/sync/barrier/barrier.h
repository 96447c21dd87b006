/**
 * What a barrier is in the family's memory, and the steps between its states.
 *
 *     phase = round : 62, state : 2
 *
 *     FILLING -> next round, FILLING   all have come: the trip
 *     FILLING -> ACTING                all have come, and one of them runs the action
 *     ACTING  -> next round, FILLING   it has run
 *     FILLING | ACTING -> BROKEN       a death, an abort, a timeout, a failed action
 *     any     -> next round, FILLING   a reset
 *
 * The truth: `phase`; the arrivals of the round, one word each that names who came; the members
 * that joined; `party_count`. All of it changes under `lock`. `arrived_count` is a cache, made anew
 * by whoever finds the lock's holder dead, and so is the order of the arrivals: the first
 * `arrived_count` words of the round, each place once.
 *
 * There are two rows of arrivals, for rounds in turn: who comes for the next round need not wait
 * until all of the last have woken up. A word belongs to its owner until that has read it: the
 * outcome of a round is in there, since BROKEN is set in each word before the phase says so. So
 * however late one wakes, it learns what became of its own round. A word of two rounds ago at the
 * place that somebody needs must be waited for: FLAG in the event count asks its owner to say
 * when it leaves.
 *
 * Two things change together when a party goes or comes: `party_count`, and the words that name
 * it. What is to be is written to `change_goal` and `change_owner` first, and done from there: by
 * whoever finds the lock's holder dead, if need be.
 */
#ifndef KIN_SYNC_BARRIER_BARRIER_H
#define KIN_SYNC_BARRIER_BARRIER_H

#include "family/reference.h"

#include <kin/barrier.h>

enum barrier_state { BARRIER_FILLING, BARRIER_ACTING, BARRIER_BROKEN };

#define BARRIER_ACTION_BYTES 128u
#define BARRIER_JOINS ((uint32_t)1 << 30) /* in change_owner: comes; else goes */

/* In an arrival: round : 32 (low bits), BROKEN : 1, owner : 30. */
#define ARRIVAL_BROKEN ((uint64_t)1 << 31)

/* Peer death: see above; the reaper takes the dead out of the arrivals and members, and breaks the
 * round or shrinks the barrier. */
struct barrier_shared {
    struct kin__lock lock;         /* guards what follows, to be written */
    _Atomic uint32_t party_count;  /* read by all */
    _Atomic uint64_t phase;        /* read by all */
    _Atomic uint32_t count;        /* event count, raised when the phase has changed; by all */
    _Atomic uint32_t actor;        /* in ACTING: who runs the action; 0: nobody yet; read by all */
    _Atomic uint32_t change_owner; /* 0: no change is under way */
    uint32_t change_goal;
    uint32_t arrived_count;
    uint32_t on_death; /* constant */
    uint32_t capacity; /* constant: arrivals in a row, and members */
    uint32_t reserved;
    char action[BARRIER_ACTION_BYTES];                      /* constant: its name; empty: none */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint64_t arrivals[]; /* two rows; behind them the members */
};

static_assert(offsetof(struct barrier_shared, phase) == 8, "layout 1");
static_assert(offsetof(struct barrier_shared, action) == 48, "layout 1");
static_assert(offsetof(struct barrier_shared, arrivals) == 256, "layout 1");

struct kin_barrier {
    struct kin__object object;
    kin_function *action; /* of the shared part's name, in this process; NULL: none */
};

static inline uint64_t kin__barrier_bytes(uint32_t capacity)
{
    return sizeof(struct barrier_shared) +
           capacity * (2 * sizeof(uint64_t) + (uint64_t)sizeof(uint32_t));
}

static inline enum barrier_state kin__barrier_state(uint64_t phase)
{
    return (enum barrier_state)(phase & 3);
}

static inline uint64_t kin__barrier_round(uint64_t phase)
{
    return phase >> 2;
}

/* Whether a round goes on in which somebody can be waiting. */
static inline bool kin__barrier_is_open(uint64_t phase)
{
    return kin__barrier_state(phase) != BARRIER_BROKEN;
}

/* The arrivals of a round, and the owner ids of those who joined. */
static inline _Atomic uint64_t *kin__barrier_row(struct barrier_shared *shared, uint64_t round)
{
    return shared->arrivals + (round & 1) * shared->capacity;
}

static inline _Atomic uint32_t *kin__barrier_members(struct barrier_shared *shared)
{
    return (_Atomic uint32_t *)(void *)(shared->arrivals + (uint64_t)2 * shared->capacity);
}

/* The word of an owner that came in a round, and who is named by one. */
static inline uint64_t kin__arrival_word(uint64_t round, uint32_t owner)
{
    return round << 32 | owner;
}

static inline uint32_t kin__arrival_owner(uint64_t word)
{
    return (uint32_t)word & KIN__OWNER_MASK;
}

static inline bool kin__arrival_is_of(uint64_t word, uint64_t round)
{
    return word != 0 && (uint32_t)(word >> 32) == (uint32_t)round;
}

/* Who runs the action; 0: nobody. */
static inline uint32_t kin__barrier_actor(const struct barrier_shared *shared)
{
    return kin__barrier_state(atomic_load(&shared->phase)) == BARRIER_ACTING
               ? atomic_load(&shared->actor)
               : 0;
}

/* Takes the lock and mends what a dead holder left; gives it back, and wakes all if the phase is
 * not `phase` any more, which kin__barrier_lock returned. */
uint64_t kin__barrier_lock(struct barrier_shared *shared, struct kin__thread *self);
void kin__barrier_unlock(struct barrier_shared *shared, struct kin__thread *self, uint64_t phase);

/* Under the lock: */

/* Ends the round for all who came as broken; `state` of what follows: BROKEN, or FILLING: the next
 * round. */
void kin__barrier_break(struct barrier_shared *shared, enum barrier_state state);

/* Lets the round end if all have come: trips, or goes to ACTING. Those who came and died since, as
 * the kernel knows, do not count. */
void kin__barrier_settle(struct barrier_shared *shared);

/* Ends the round that is ACTING, with the action's result. */
void kin__barrier_finish_action(struct barrier_shared *shared, int result);

/* An owner becomes a party, where so many have joined; a party goes. */
void kin__barrier_add(struct barrier_shared *shared, uint32_t owner, uint32_t joined_count);
void kin__barrier_remove(struct barrier_shared *shared, uint32_t owner);

/* For the reaper: takes a dead owner out. */
void kin__barrier_bury(struct barrier_shared *shared, uint32_t dead);

#endif
