#include "sync/mutex.h"

#include "sync/deadlock.h"
#include "sync/line.h"
#include "sync/mutex/fair.h"
#include "sync/mutex/handoff.h"
#include "sync/turn.h"
#include "sync/type.h"

#include <kin/error.h>
#include <stdio.h>

#define DIED KIN__MUTEX_DIED
#define WAITERS KIN__MUTEX_WAITERS

void kin__mutex_init(struct kin__mutex *mutex, uint32_t flags, const char *name)
{
    mutex->flags = flags;
    if (name != NULL) {
        snprintf(mutex->name, sizeof mutex->name, "%s", name);
    }
}

/* The index may have come out of a slot that changed meanwhile: nothing about it is certain. */
struct kin__mutex *kin__mutex_find(uint32_t index)
{
    const struct kin__entry *entry = index == 0 ? NULL : kin__entry_at(index);
    if (entry == NULL || atomic_load(&entry->state) != KIN__ENTRY_LIVE) {
        return NULL;
    }
    bool has_mutex = entry->type == KIN__TYPE_LOCK || entry->type == KIN__TYPE_RLOCK ||
                     entry->type == KIN__TYPE_RWLOCK;
    uint64_t offset = kin__object_offset(entry->block, entry->handle_count);
    bool is_there = kin__memory_has(&kin__family.memory, offset, sizeof(struct kin__mutex));
    return has_mutex && entry->block != 0 && is_there ? kin__at(offset) : NULL;
}

/* --- acquire --- */

/* Waits for the holder word to have no owner and takes it; whoever comes first. */
static int take_when_free(const struct kin__claim *claim)
{
    _Atomic uint32_t *holder = &claim->mutex->holder;
    struct kin__spin spin = kin__spin_begin();
    bool is_now = claim->timeout.deadline_ns == KIN_NOW.deadline_ns; /* leaves no mark */
    bool is_waiting = false;
    uint32_t word = atomic_load(holder);
    uint32_t keep = 0; /* WAITERS once we have slept: there may be others */
    for (;;) {
        if ((word & KIN__OWNER_MASK) == 0) {
            uint32_t taken = claim->self->owner | (word & (DIED | WAITERS)) | keep;
            if (atomic_compare_exchange_strong(holder, &word, taken)) {
                return word & DIED ? KIN_OWNER_DIED : 0;
            }
        } else if (is_now) {
            return kin__timeout_is_over(claim->timeout);
        } else if (kin__spin_again(&spin)) {
            word = atomic_load(holder);
        } else if ((word & WAITERS) == 0) {
            if (atomic_compare_exchange_strong(holder, &word, word | WAITERS)) {
                word |= WAITERS;
            }
        } else {
            int r = is_waiting ? 0 : kin__deadlock_begin(claim);
            is_waiting = true;
            if (r == 0) {
                r = kin__sleep_on_holder(holder, word, claim->timeout);
            }
            if (r < 0) {
                return r;
            }
            keep = WAITERS;
            word = atomic_load(holder);
        }
    }
}

static int acquire_unfairly(const struct kin__claim *claim)
{
    _Atomic uint32_t *holder = &claim->mutex->holder;
    int r = take_when_free(claim);
    kin__deadlock_end(claim->self);
    if (r < 0 && (atomic_load(holder) & KIN__OWNER_MASK) == 0) {
        kin__os_futex_wake(holder, 1); /* we may have been the one that a release woke */
    }
    return r;
}

/* The word was not free, or not tried; the holding has been added. Removes it on failure. */
static int acquire_claimed(const struct kin__claim *claim)
{
    struct kin__mutex *mutex = claim->mutex;
    bool is_handoff = mutex->flags & KIN__MUTEX_HANDOFF;
    int r = -EDEADLK;
    if (is_handoff || !kin__mutex_is_held_by(mutex, claim->self->owner)) {
        r = mutex->flags & KIN__MUTEX_FAIR ? kin__fair_acquire(claim) : acquire_unfairly(claim);
    } else {
        kin__deadlock_tell_self(claim);
    }
    /* Of a handoff one there is one holding, however often we acquired it. */
    if (r < 0 && !(is_handoff && kin__mutex_is_held_by(mutex, claim->self->owner))) {
        kin__holding_remove(claim->self, claim->index);
    }
    return r;
}

int kin__mutex_acquire_slow(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self,
                            kin_timeout timeout)
{
    return acquire_claimed(&(struct kin__claim){
        .mutex = mutex, .index = index, .self = self, .timeout = timeout, .is_must = false});
}

static int nest(struct kin__mutex *mutex)
{
    uint32_t depth = atomic_load_explicit(&mutex->depth, memory_order_relaxed);
    if (depth == UINT32_MAX) {
        return -EOVERFLOW;
    }
    atomic_store_explicit(&mutex->depth, depth + 1, memory_order_relaxed);
    return atomic_load_explicit(&mutex->holder, memory_order_relaxed) & DIED ? KIN_OWNER_DIED : 0;
}

static void note_holding(const struct kin__mutex *mutex, uint32_t index, struct kin__thread *self)
{
    if (mutex->flags & KIN__MUTEX_HANDOFF) {
        kin__handoff_holding_add(self, index);
    } else {
        kin__holding_add(self, index);
    }
}

int kin__mutex_acquire_special(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self,
                               kin_timeout timeout)
{
    uint32_t word = 0;
    int r = 0;
    if (mutex->flags & KIN__MUTEX_NESTS && kin__mutex_is_held_by(mutex, self->owner)) {
        return nest(mutex);
    }
    note_holding(mutex, index, self);
    if (!atomic_compare_exchange_strong_explicit(&mutex->holder, &word, self->owner,
                                                 memory_order_acq_rel, memory_order_relaxed)) {
        r = kin__mutex_acquire_slow(mutex, index, self, timeout);
    }
    if (r >= 0) {
        atomic_store_explicit(&mutex->depth, 1, memory_order_relaxed);
    }
    return r;
}

int kin__mutex_reacquire(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self,
                         uint32_t depth, const void *site)
{
    struct kin__claim claim = {
        .mutex = mutex, .index = index, .self = self, .timeout = KIN_FOREVER, .is_must = true};
    note_holding(mutex, index, self);
    int r = acquire_claimed(&claim);
    if (r >= 0) {
        atomic_store_explicit(&mutex->depth, depth, memory_order_relaxed);
        atomic_store_explicit(&mutex->site, (uint64_t)(uintptr_t)site, memory_order_relaxed);
    }
    return r;
}

/* --- release --- */

/* Whether the caller may release the mutex that is held as `word` says. */
static bool may_release(const struct kin__mutex *mutex, uint32_t word,
                        const struct kin__thread *self)
{
    uint32_t owner = word & KIN__OWNER_MASK;
    return owner == self->owner ||
           (mutex->flags & KIN__MUTEX_HANDOFF && kin__owner_slot(owner) != 0);
}

static int release_word(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self)
{
    bool is_fair = mutex->flags & KIN__MUTEX_FAIR;
    uint32_t word = atomic_load_explicit(&mutex->holder, memory_order_relaxed);
    uint32_t next = 0;
    do {
        if (!may_release(mutex, word, self)) {
            return -EPERM;
        }
        next = word & DIED;
        next |= is_fair && word & WAITERS ? KIN__MUTEX_RESERVED : 0;
    } while (!atomic_compare_exchange_weak(&mutex->holder, &word, next));
    if (is_fair && word & WAITERS) {
        kin__fair_hand_on(mutex, index);
    } else if (word & WAITERS) {
        kin__os_futex_wake(&mutex->holder, 1);
    }
    if ((word & KIN__OWNER_MASK) == self->owner) {
        kin__holding_remove(self, index);
    }
    return 0;
}

int kin__mutex_release_slow(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self)
{
    bool is_ours = kin__mutex_is_held_by(mutex, self->owner);
    uint32_t depth = atomic_load_explicit(&mutex->depth, memory_order_relaxed);
    if (mutex->flags & KIN__MUTEX_NESTS && is_ours && depth > 1) {
        atomic_store_explicit(&mutex->depth, depth - 1, memory_order_relaxed);
        return 0;
    }
    return release_word(mutex, index, self);
}

int kin__mutex_release_all(struct kin__mutex *mutex, uint32_t index, struct kin__thread *self,
                           uint32_t *ret_depth)
{
    uint32_t depth = mutex->flags & KIN__MUTEX_NESTS
                         ? atomic_load_explicit(&mutex->depth, memory_order_relaxed)
                         : 1;
    int r = release_word(mutex, index, self);
    if (r == 0) {
        *ret_depth = depth;
    }
    return r;
}

/* --- after a death --- */

int kin__mutex_mark_consistent(struct kin__mutex *mutex, const struct kin__thread *self)
{
    if (!kin__mutex_is_held_by(mutex, self->owner)) {
        return -EPERM;
    }
    atomic_fetch_and(&mutex->holder, ~DIED);
    return 0;
}

void kin__mutex_repair(struct kin__mutex *mutex, uint32_t index, uint32_t dead)
{
    kin__turn_repair(kin__wait_edge(KIN__WAIT_LOCK, index), dead); /* before the others look */
    if (mutex->flags & KIN__MUTEX_HANDOFF) {
        kin__handoff_inherit(mutex, index, dead);
    }
    uint32_t word = atomic_load(&mutex->holder);
    bool is_fair = mutex->flags & KIN__MUTEX_FAIR;
    if ((word & KIN__OWNER_MASK) == dead) { /* before anybody else has the mutex */
        kin__line_call_orphans(index);
    }
    while ((word & KIN__OWNER_MASK) == dead) {
        uint32_t freed = DIED | (is_fair ? 0 : word & WAITERS);
        freed |= is_fair && word & WAITERS ? KIN__MUTEX_RESERVED : 0;
        if (atomic_compare_exchange_weak(&mutex->holder, &word, freed)) {
            break;
        }
    }
}

void kin__mutex_verify(struct kin__verifier *verifier, uint32_t index,
                       const struct kin__mutex *mutex, const char *what)
{
    uint32_t owner = atomic_load(&mutex->holder) & KIN__OWNER_MASK;
    bool is_reserved = owner == KIN__MUTEX_RESERVED && mutex->flags & KIN__MUTEX_FAIR;
    if (owner != 0 && !is_reserved && !kin__verify_is_live(verifier, owner)) {
        kin__verify_fail(verifier, "%s %u: held by nobody who lives", what, index);
    }
}
