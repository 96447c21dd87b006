/**
 * The member table: who takes part in the family.
 *
 * A process is a member, and so is each thread of it that uses kin (from its first use on). A
 * member's slot says what it may have claimed, so that whoever finds it dead can take that
 * back. Slot 0 is never used.
 *
 *     FREE -> CLAIMED   by `by`, which fills the slot in; for a child process, its parent
 *     CLAIMED -> CLAIMED  by the child, before it writes anything: then `by` is its own id
 *     CLAIMED -> LIVE   by the member itself
 *     CLAIMED | LIVE -> REAPING   by `by`, on proof of death, or by itself
 *     REAPING | LIVE -> FREE      once nothing is held; the next claim raises the generation
 *
 * Each edge is one compare-and-swap of `word`, which carries state, generation and `by`, so
 * two reapers never share a slot; one that dies leaves its owner id in `by`, and its own
 * reaper goes on.
 */
#ifndef KIN_FAMILY_MEMBER_H
#define KIN_FAMILY_MEMBER_H

#include "family/runtime.h"

enum kin__member_state {
    KIN__MEMBER_FREE,
    KIN__MEMBER_CLAIMED,
    KIN__MEMBER_LIVE,
    KIN__MEMBER_REAPING,
};

enum kin__member_role { KIN__MEMBER_THREAD = 1, KIN__MEMBER_PROCESS = 2 };

#define KIN__MEMBER_DAEMON 1u /* in flags: dies with its parent, as its children do with it */
#define KIN__HOLDING_MAX 30u
/* With an index in holdings: the member reads a kin_rwlock, or has many permits of a semaphore. Two
 * bits: what is left of one object must not mean anything to the next at its index. */
#define KIN__HOLDING_READ ((uint32_t)1 << 31)
#define KIN__HOLDING_MANY ((uint32_t)1 << 30)
#define KIN__HOLDING_INDEX (KIN__HOLDING_MANY - 1)
#define KIN__NAME_BYTES 32u
#define KIN__IDENTITY_BYTES 44u

struct kin__member {
    /* Who it is: written by the claimer and the member before LIVE, then constant. Others may look
     * at a slot that is being freed, and find by `word` that it was: so these are atomic. */
    _Atomic uint64_t word; /* state : 8, role : 8, generation : 16, by : 32 */
    _Atomic uint32_t life; /* of a process: the id of its keeper, or of the thread that stands in
                            * for it; the kernel sets KIN__OS_FUTEX_DIED when that dies; 0 before
                            * and after */
    _Atomic uint32_t role;
    _Atomic uint32_t pid; /* 0 until the member has written it */
    _Atomic uint32_t tid;
    _Atomic uint32_t process; /* owner id of its process's member */
    _Atomic uint32_t parent;  /* owner id of the parent process's member; 0: the first process */
    struct kin__os_life_node life_node; /* by the process while `life` names no keeper of it */
    char name[KIN__NAME_BYTES];
    _Atomic uint32_t life_next; /* as `life`, for who comes next in the ring, see keeper.h: the
                                 * kernel wakes one sleeper of a word; `life` is for the watcher */
    _Atomic uint32_t record;    /* of a process that kin has started: directory index of what its
                                 * parent knows of it; by the claimer, before it runs; 0: none */
    _Atomic uint64_t start_pid; /* of a process: generation : 32 high, pid : 32; written by the
                                 * parent after the fork, or by the process, and never cleared */
    _Atomic uint64_t taken_ns;  /* when it took its slot, by the clock of process starts */
    _Atomic uint64_t given;     /* the block of references that its parent has forked it with, while
                                 * it has nothing else; 0: it may have. By the claimer, before it
                                 * runs, and cleared by the process before it takes anything */
    _Atomic uint32_t flags;
    _Atomic uint32_t child_count; /* children started so far, for names */
    _Atomic uint32_t watcher;     /* owner id of who last slept on `life`, written by that before;
                                   * cleared by the next claimer */

    /* What it does: written by the member, read by reapers. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint64_t sleeping_on; /* place of a word; see sleep.c */
    _Atomic uint32_t doing;       /* directory index of the object it works on; 0: none */
    _Atomic uint32_t nudge;       /* event count that others raise to wake it; see sleep.h */
    _Atomic uint32_t command;     /* of a process: event count that its keeper sleeps on */
    _Atomic uint32_t trim_wish;   /* of a process: others freed many of its blocks */
    _Atomic uint32_t span_count;  /* of a process: spans that its heap has */
    _Atomic uint32_t child_ends;  /* of a process: event count that its keeper raises when one of
                                  * those it watches may have ended */
    _Atomic uint64_t waits_for;   /* what it is blocked by, for finding deadlocks; 0: nothing */
    _Atomic uint64_t line;        /* index : 32, state : 32 of the object in whose line it stands, a
                                  * kin_condition or kin_barrier; 0: none */
    _Atomic uint64_t line_ticket; /* its place in that line */
    _Atomic uint64_t wait_place;  /* its place among those who wait for the fair lock or semaphore
                                   * that `waits_for` names; see sync/turn.h */
    _Atomic uint64_t
        sleep_deaths; /* death_count when it last looked before it slept; written before
                                    * sleeping_on; see sleep.h */

    /* What it may have claimed: an index is written before the claim and removed after the
     * release, so this is always a superset. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t holdings[KIN__HOLDING_MAX];
    _Atomic uint32_t holding_overflow; /* number of claims for which there was no room */
    _Atomic uint32_t read_count;       /* entries of kin_rwlocks in `holdings`, or one more: raised
                                        * before, lowered after; by the member */

    /* Of a process, what it is told of its place in the tree: by the claimer, before it runs. */
    char identity[KIN__IDENTITY_BYTES]; /* "1:2" for the second child of the first; "": the first
                                         * process, one of a plain fork, one of kin's own */
    _Atomic uint32_t parent_pid;
    char parent_name[KIN__NAME_BYTES];
    uint32_t reserved[12];
};

KIN_STATIC_ASSERT_OFFSET(struct kin__member, life_next,
                         offsetof(struct kin__member, life) + KIN__OS_LIFE_DISTANCE);
KIN_STATIC_ASSERT_OFFSET(struct kin__member, life_node,
                         offsetof(struct kin__member, life) + KIN__OS_LIFE_NODE);
KIN_STATIC_ASSERT_OFFSET(struct kin__member, sleeping_on, 128);
KIN_STATIC_ASSERT_OFFSET(struct kin__member, holdings, 256);
KIN_STATIC_ASSERT_OFFSET(struct kin__member, identity, 384);
KIN_STATIC_ASSERT_SIZE(struct kin__member, 512);

/* An owner id names a member for ever: slot : 16, generation : 14. Never 0. */
#define KIN__OWNER_BITS 30
#define KIN__OWNER_MASK ((1u << KIN__OWNER_BITS) - 1)

static inline uint32_t kin__word_state(uint64_t word)
{
    return (uint32_t)(word & 0xff);
}

static inline uint32_t kin__word_role(uint64_t word)
{
    return (uint32_t)(word >> 8 & 0xff);
}

static inline uint32_t kin__word_generation(uint64_t word)
{
    return (uint32_t)(word >> 16 & 0xffff);
}

static inline uint32_t kin__word_by(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static inline uint64_t kin__member_word(uint32_t state, uint32_t role, uint32_t generation,
                                        uint32_t by)
{
    return state | (uint64_t)role << 8 | (uint64_t)generation << 16 | (uint64_t)by << 32;
}

static inline uint32_t kin__owner(uint32_t slot, uint64_t word)
{
    return slot | kin__word_generation(word) << 16;
}

static inline uint32_t kin__owner_slot(uint32_t owner)
{
    return owner & 0xffff;
}

static inline uint32_t kin__owner_generation(uint32_t owner)
{
    return owner >> 16 & 0x3fff;
}

/* The slot with an index; NULL if there is none. */
static inline struct kin__member *kin__member_at(uint32_t slot)
{
    return kin__region_at(&kin__family.memory, &kin__shared()->members, slot);
}

/* Claims a free slot for a member to be. 0 and its owner id, or -ENOMEM. */
int kin__member_claim(enum kin__member_role role, uint32_t by, uint32_t *ret_owner);

/* Moves the owner's slot from one state to another; false if it is not in it (any more). */
bool kin__member_move(uint32_t owner, uint32_t from, uint32_t to, uint32_t by);

/* The state of the member that an owner id names; FREE if its slot has passed on. */
uint32_t kin__member_state_of(uint32_t owner);

/* The slot that an owner id names, whatever became of it; NULL if there is no such slot. */
static inline struct kin__member *kin__member_of(uint32_t owner)
{
    return kin__member_at(kin__owner_slot(owner));
}

/* The caller has claimed a slot for a process: wakes who still sleeps on the `life` of the one
 * before, which may have been killed before it did so. */
void kin__member_unwatch(struct kin__member *member);

/* Frees a slot that is the caller's, or CLAIMED or REAPING by the caller. */
void kin__member_free(uint32_t owner);

/* Makes the calling thread a member, and its process if that was forked without kin. 0, or
 * KIN_EFAMILY, -ENOMEM, -EAGAIN. */
int kin__thread_register(void);

/* Gives back the calling thread's slot, repairing what it still holds. */
void kin__thread_unregister(void);

/* The calling thread, or NULL if it cannot be a member; then `kin__thread_register` says why. */
static inline struct kin__thread *kin__self(void)
{
    struct kin__thread *self = &kin__thread_current;
    if (__builtin_expect(self->generation != kin__family.generation, 0) &&
        kin__thread_register() != 0) {
        return NULL;
    }
    return self;
}

/* The same, with the reason: 0 and the thread, or KIN_EFAMILY, -ENOMEM, -EAGAIN. */
static inline int kin__self_find(struct kin__thread **ret_self)
{
    *ret_self = &kin__thread_current;
    return __builtin_expect(kin__thread_current.generation != kin__family.generation, 0)
               ? kin__thread_register()
               : 0;
}

void kin__holding_add_slow(struct kin__thread *self, uint32_t index);
void kin__holding_remove_slow(struct kin__thread *self, uint32_t index);

/* Notes that the calling thread is about to claim something in the object, and that it has
 * given it back. Most hold one thing at a time: its place is the first. */
static inline void kin__holding_add(struct kin__thread *self, uint32_t index)
{
    _Atomic uint32_t *first = &self->member->holdings[0];
    if (__builtin_expect(atomic_load_explicit(first, memory_order_relaxed) == 0, 1)) {
        atomic_store_explicit(first, index, memory_order_release);
    } else {
        kin__holding_add_slow(self, index);
    }
}

static inline void kin__holding_remove(struct kin__thread *self, uint32_t index)
{
    _Atomic uint32_t *first = &self->member->holdings[0];
    if (__builtin_expect(atomic_load_explicit(first, memory_order_relaxed) == index, 1)) {
        atomic_store_explicit(first, 0, memory_order_release);
    } else {
        kin__holding_remove_slow(self, index);
    }
}

/* Notes it once, for claims that others may end, so that nobody knows when to remove it: it stays
 * until the thread ends. */
void kin__holding_note(struct kin__thread *self, uint32_t index);

#endif
