/**
 * The mutex under kin_lock, kin_rlock and the lock of a kin_condition: a holder word in family
 * memory.
 *
 *     holder   owner id of the holder : 30, DIED : 1, WAITERS : 1
 *
 * Unlike the internal lock it may be held across any code, so the kernel does not look after
 * it: the holder notes the object in its member slot before it can own it ("holding"), and the
 * reaper clears the owner of a dead one and sets DIED, which stays until somebody marks the
 * guarded state consistent. Uncontended, acquire and release are one compare-and-swap each.
 *
 * Ordinarily a release clears WAITERS and wakes one, who sets it again for those who sleep on,
 * and whoever comes first takes the mutex. What a kill in between would lose, the reaper's
 * waking of all restores. A FAIR mutex goes by a line instead, see mutex/fair.h.
 *
 * A HANDOFF mutex is released by anybody. Its last acquirer counts as holder for its death, see
 * mutex/handoff.h.
 *
 * A mutex stands at the start of the shared part of its object, where the search for deadlocks
 * finds it by the directory index.
 */
#ifndef KIN_SYNC_MUTEX_H
#define KIN_SYNC_MUTEX_H

#include "family/reference.h"
#include "family/sleep.h"
#include "family/verify.h"

#define KIN__MUTEX_DIED ((uint32_t)1 << 30)
#define KIN__MUTEX_WAITERS ((uint32_t)1 << 31)

/* In place of a holder: free, but for the first in line (mutex/fair.h). Slots are never 0, so it is
 * nobody's owner id. */
#define KIN__MUTEX_RESERVED ((uint32_t)1 << 16)

enum kin__mutex_flags {
    KIN__MUTEX_NESTS = 1,   /* the holder may acquire again, and releases as often */
    KIN__MUTEX_FAIR = 2,    /* who waits gets it in the order of arrival */
    KIN__MUTEX_HANDOFF = 4, /* anybody may release it */
};

#define KIN__MUTEX_EARLIER_MAX 8u

/* Peer death: a dead holder is taken out of the word by the reaper, which sets DIED; a dead waiter
 * leaves nothing but perhaps WAITERS or RESERVED, which the next one clears. What else the holder
 * writes means nothing without a holder. */
struct kin__mutex {
    _Atomic uint32_t holder; /* written by whoever acquires, releases, waits or reaps */
    _Atomic uint32_t depth;  /* how often the holder has acquired it; written by the holder */
    uint32_t flags;          /* kin__mutex_flags; constant */
    uint32_t reserved;
    _Atomic uint64_t site;       /* where it was acquired, in the holder's code; by the holder */
    _Atomic uint64_t next_place; /* of a fair one: counts those who came to wait; by them */
    char name[KIN__NAME_BYTES];  /* for reports; constant */
    _Atomic uint64_t earlier[KIN__MUTEX_EARLIER_MAX]; /* debug builds, see deadlock/order.h */
};

KIN_STATIC_ASSERT_OFFSET(struct kin__mutex, site, 16);
KIN_STATIC_ASSERT_OFFSET(struct kin__mutex, name, 32);
KIN_STATIC_ASSERT_OFFSET(struct kin__mutex, earlier, 64);
KIN_STATIC_ASSERT_SIZE(struct kin__mutex, 128);

/* One call that wants the mutex. */
struct kin__claim {
    struct kin__mutex *mutex;
    uint32_t index; /* of the object */
    struct kin__thread *self;
    kin_timeout timeout;
    bool is_must; /* not to be refused for a deadlock: that is only reported */
};

/* A mutex in zeroed memory; `name` may be NULL and is cut to fit. */
void kin__mutex_init(struct kin__mutex *mutex, uint32_t flags, const char *name);

/* The mutex of the live object with a directory index; NULL: that has none. */
struct kin__mutex *kin__mutex_find(uint32_t index);

/* Notes the order in which locks are acquired, see deadlock/order.h. */
#if defined(KIN_DEBUG) && KIN_DEBUG
void kin__order_note(struct kin__mutex *mutex, uint32_t index, const struct kin__thread *self,
                     kin_timeout timeout);
#define KIN__ORDER_NOTE(mutex, index, self, timeout) kin__order_note(mutex, index, self, timeout)
#else
#define KIN__ORDER_NOTE(mutex, index, self, timeout) ((void)(timeout))
#endif

/* The rest of acquire and release: contended, nested, or with other special needs. */
int kin__mutex_acquire_slow(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self,
                            kin_timeout timeout);
int kin__mutex_acquire_special(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self,
                               kin_timeout timeout);
int kin__mutex_release_slow(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self);

static inline bool kin__mutex_is_held_by(const struct kin__mutex *mutex, uint32_t owner)
{
    uint32_t word = atomic_load_explicit(&mutex->holder, memory_order_relaxed);
    return (word & KIN__OWNER_MASK) == owner;
}

/* Whether anybody holds it. */
static inline bool kin__mutex_is_held(const struct kin__mutex *mutex)
{
    return kin__owner_slot(atomic_load(&mutex->holder) & KIN__OWNER_MASK) != 0;
}

/* Acquires for the calling thread. `site`: a return address in the caller's code. 0 or
 * KIN_OWNER_DIED; or -EAGAIN, -ETIMEDOUT, -ECANCELED, -EDEADLK, -EOVERFLOW. */
static inline int kin__mutex_acquire(struct kin__mutex *mutex, uint32_t index,
                                     struct kin__thread *self, kin_timeout timeout,
                                     const void *site)
{
    uint32_t word = 0;
    int r = 0;
    KIN__ORDER_NOTE(mutex, index, self, timeout);
    if (__builtin_expect(mutex->flags & (KIN__MUTEX_NESTS | KIN__MUTEX_HANDOFF), 0)) {
        r = kin__mutex_acquire_special(mutex, index, self, timeout);
    } else {
        kin__holding_add(self, index);
        if (__builtin_expect(
                !atomic_compare_exchange_strong_explicit(
                    &mutex->holder, &word, self->owner, memory_order_acq_rel, memory_order_relaxed),
                0)) {
            r = kin__mutex_acquire_slow(mutex, index, self, timeout);
        }
    }
    if (r >= 0) {
        atomic_store_explicit(&mutex->site, (uint64_t)(uintptr_t)site, memory_order_relaxed);
    }
    return r;
}

/* The most common case of acquire and of release, without a call, so that their callers need no
 * frame: false, and nothing was done, if the mutex is not free, or special, or if the thread holds
 * something else. */
static inline bool kin__mutex_acquire_alone(struct kin__mutex *mutex, uint32_t index,
                                            const struct kin__thread *self, kin_timeout timeout,
                                            const void *site)
{
    _Atomic uint32_t *holding = &self->member->holdings[0];
    uint32_t word = 0;
    KIN__ORDER_NOTE(mutex, index, self, timeout);
    if (mutex->flags & (KIN__MUTEX_NESTS | KIN__MUTEX_HANDOFF) ||
        atomic_load_explicit(holding, memory_order_relaxed) != 0) {
        return false;
    }
    atomic_store_explicit(holding, index, memory_order_release);
    if (!atomic_compare_exchange_strong_explicit(&mutex->holder, &word, self->owner,
                                                 memory_order_acq_rel, memory_order_relaxed)) {
        atomic_store_explicit(holding, 0, memory_order_release);
        return false;
    }
    atomic_store_explicit(&mutex->site, (uint64_t)(uintptr_t)site, memory_order_relaxed);
    return true;
}

static inline bool kin__mutex_release_alone(struct kin__mutex *mutex, uint32_t index,
                                            const struct kin__thread *self)
{
    _Atomic uint32_t *holding = &self->member->holdings[0];
    uint32_t word = self->owner;
    if (mutex->flags & KIN__MUTEX_NESTS ||
        atomic_load_explicit(holding, memory_order_relaxed) != index ||
        !atomic_compare_exchange_strong(&mutex->holder, &word, 0)) {
        return false;
    }
    atomic_store_explicit(holding, 0, memory_order_release);
    return true;
}

/* Releases. A full barrier: an event count may be raised right behind it. 0, or -EPERM: the calling
 * thread does not hold it; of a handoff one: nobody does. */
static inline int kin__mutex_release(struct kin__mutex *mutex, uint32_t index,
                                     struct kin__thread *self)
{
    uint32_t word = self->owner;
    if (__builtin_expect(!kin__mutex_is_held_by(mutex, word) ||
                             (mutex->flags & KIN__MUTEX_NESTS &&
                              atomic_load_explicit(&mutex->depth, memory_order_relaxed) > 1) ||
                             !atomic_compare_exchange_strong(&mutex->holder, &word, 0),
                         0)) {
        return kin__mutex_release_slow(mutex, index, self);
    }
    kin__holding_remove(self, index);
    return 0;
}

/* Releases however often it was acquired, and takes it back as often: around a wait that gives the
 * mutex up. Release: 0 and the depth, or -EPERM. Reacquire waits for ever and is not refused for a
 * deadlock: 0 or KIN_OWNER_DIED; or -ESTALE and the like when there is no family any more. */
int kin__mutex_release_all(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self,
                           uint32_t *ret_depth);
int kin__mutex_reacquire(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self,
                         uint32_t depth, const void *site);

/* Forgets that a holder died. 0, or -EPERM: the calling thread does not hold it. */
int kin__mutex_mark_consistent(struct kin__mutex *mutex, const struct kin__thread *self);

/* For the object's type: takes the mutex from a dead holder, and its place in line from a dead
 * waiter; checks the invariants, `what` says of what kind of object. */
void kin__mutex_repair(struct kin__mutex *mutex, uint32_t index, uint32_t dead);
void kin__mutex_verify(struct kin__verifier *verifier, uint32_t index,
                       const struct kin__mutex *mutex, const char *what);

#endif
