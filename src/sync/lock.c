/**
 * kin_lock: a holder word in family memory.
 *
 *     owner id of the holder : 30, DIED : 1, WAITERS : 1
 *
 * Unlike the internal lock it may be held across any code, so the kernel does not look after
 * it: the holder notes the lock in its member slot before it can own it ("holding"), and the
 * reaper clears the owner of a dead one and sets DIED, which stays until somebody marks the
 * guarded state consistent. A release clears WAITERS and wakes one, who sets it again for
 * those who sleep on; what a kill in between would lose, the reaper's waking of all restores.
 */
#include "family/reference.h"
#include "family/sleep.h"
#include "family/verify.h"
#include "sync/type.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/lock.h>

#define DIED ((uint32_t)1 << 30)
#define WAITERS ((uint32_t)1 << 31)

/* Peer death: a dead holder is taken out of the word by the reaper, which sets DIED; a dead waiter
 * leaves nothing in it but perhaps WAITERS, which costs one wake-up of nobody. */
struct lock_shared {
    _Atomic uint32_t holder; /* written by whoever acquires, releases, waits or reaps */
};

struct kin_lock {
    struct kin__object object;
};

static void repair(uint32_t index, void *at, uint32_t dead)
{
    struct lock_shared *shared = at;
    uint32_t word = atomic_load(&shared->holder);
    (void)index;
    while ((word & KIN__OWNER_MASK) == dead) {
        if (atomic_compare_exchange_weak(&shared->holder, &word, (word & WAITERS) | DIED)) {
            break;
        }
    }
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct lock_shared *shared = at;
    uint32_t owner = atomic_load(&shared->holder) & KIN__OWNER_MASK;
    if (owner != 0 && !kin__verify_is_live(verifier, owner)) {
        kin__verify_fail(verifier, "lock %u: held by nobody who lives", index);
    }
}

static const struct kin__type lock_type = {
    .id = KIN__TYPE_LOCK, .name = "lock", .repair = repair, .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&lock_type);
}

int kin_lock_create(kin_lock **ret_lock)
{
    static const struct kin__object_plan plan = {
        .type = KIN__TYPE_LOCK, .size = sizeof **ret_lock, .bytes = sizeof(struct lock_shared)};
    return kin__object_create(&plan, ret_lock);
}

int kin_lock_attach(kin_handle handle, kin_lock **ret_lock)
{
    return kin__object_attach(KIN__TYPE_LOCK, sizeof **ret_lock, handle, ret_lock);
}

kin_lock *kin_lock_free(kin_lock *lock)
{
    kin__object_free(lock);
    return NULL;
}

kin_handle kin_lock_handle(const kin_lock *lock)
{
    return kin__object_handle(lock);
}

/* The word of a lock that can be used, and the calling thread. */
static int enter(const kin_lock *lock, _Atomic uint32_t **ret_holder, struct kin__thread **ret_self)
{
    struct lock_shared *shared = NULL;
    int r = kin__object_enter(lock, &shared, ret_self);
    if (r == 0) {
        *ret_holder = &shared->holder;
    }
    return r;
}

/* Waits for the holder word to have no owner and takes it. 0, KIN_OWNER_DIED, or a code. */
static int acquire_slow(_Atomic uint32_t *holder, uint32_t owner, kin_timeout timeout)
{
    struct kin__spin spin = kin__spin_begin();
    bool is_now = timeout.deadline_ns == KIN_NOW.deadline_ns; /* leaves no mark: it never sleeps */
    uint32_t word = atomic_load(holder);
    uint32_t keep = 0; /* WAITERS once we have slept: there may be others */
    for (;;) {
        if ((word & KIN__OWNER_MASK) == 0) {
            uint32_t taken = owner | (word & (DIED | WAITERS)) | keep;
            if (atomic_compare_exchange_strong(holder, &word, taken)) {
                return word & DIED ? KIN_OWNER_DIED : 0;
            }
        } else if ((word & KIN__OWNER_MASK) == owner) {
            return -EDEADLK;
        } else if (is_now) {
            return kin__timeout_is_over(timeout);
        } else if (kin__spin_again(&spin)) {
            word = atomic_load(holder);
        } else if ((word & WAITERS) == 0) {
            if (atomic_compare_exchange_strong(holder, &word, word | WAITERS)) {
                word |= WAITERS;
            }
        } else {
            int r = kin__sleep_on_holder(holder, word, timeout);
            if (r < 0) {
                return r;
            }
            keep = WAITERS;
            word = atomic_load(holder);
        }
    }
}

/* A waiter that gives up may have been the one that a release woke: it wakes the next. */
static void pass_on(_Atomic uint32_t *holder)
{
    if ((atomic_load(holder) & KIN__OWNER_MASK) == 0) {
        kin__os_futex_wake(holder, 1);
    }
}

int kin_lock_acquire(kin_lock *lock, kin_timeout timeout)
{
    _Atomic uint32_t *holder = NULL;
    struct kin__thread *self = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = enter(lock, &holder, &self);
    }
    if (r < 0) {
        return r;
    }
    uint32_t index = kin__object_index(&lock->object);
    uint32_t word = 0;
    kin__holding_add(self, index);
    if (!atomic_compare_exchange_strong_explicit(holder, &word, self->owner, memory_order_acq_rel,
                                                 memory_order_relaxed)) {
        r = acquire_slow(holder, self->owner, timeout);
    }
    if (r < 0) {
        kin__holding_remove(self, index);
        pass_on(holder);
    }
    return r;
}

int kin_lock_release(kin_lock *lock)
{
    _Atomic uint32_t *holder = NULL;
    struct kin__thread *self = NULL;
    int r = enter(lock, &holder, &self);
    if (r < 0) {
        return r;
    }
    uint32_t word = atomic_load_explicit(holder, memory_order_relaxed);
    do {
        if ((word & KIN__OWNER_MASK) != self->owner) {
            return -EPERM;
        }
    } while (!atomic_compare_exchange_weak_explicit(holder, &word, word & DIED,
                                                    memory_order_release, memory_order_relaxed));
    if (word & WAITERS) {
        kin__os_futex_wake(holder, 1);
    }
    kin__holding_remove(self, kin__object_index(&lock->object));
    return 0;
}

int kin_lock_mark_consistent(kin_lock *lock)
{
    _Atomic uint32_t *holder = NULL;
    struct kin__thread *self = NULL;
    int r = enter(lock, &holder, &self);
    if (r < 0) {
        return r;
    }
    if ((atomic_load(holder) & KIN__OWNER_MASK) != self->owner) {
        return -EPERM;
    }
    atomic_fetch_and(holder, ~DIED);
    return 0;
}

bool kin_lock_is_locked(const kin_lock *lock)
{
    _Atomic uint32_t *holder = NULL;
    struct kin__thread *self = NULL;
    return enter(lock, &holder, &self) == 0 && (atomic_load(holder) & KIN__OWNER_MASK) != 0;
}
