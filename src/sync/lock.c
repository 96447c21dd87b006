/* kin_lock: a mutex (mutex.h) that does not nest. */
#include "sync/mutex.h"
#include "sync/type.h"

#include <kin/error.h>
#include <kin/lock.h>

/* Peer death: that of the mutex. */
struct lock_shared {
    struct kin__mutex mutex;
};

struct kin_lock {
    struct kin__object object;
};

static void repair(uint32_t index, void *at, uint32_t dead)
{
    struct lock_shared *shared = at;
    kin__mutex_repair(&shared->mutex, index, dead);
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct lock_shared *shared = at;
    kin__mutex_verify(verifier, index, &shared->mutex, "lock");
}

static const struct kin__type lock_type = {
    .id = KIN__TYPE_LOCK, .name = "lock", .repair = repair, .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&lock_type);
}

int kin_lock_create(const kin_lock_options *options, kin_lock **ret_lock)
{
    static const kin_lock_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (options->size != sizeof *options) {
        return -EINVAL;
    }
    struct kin__object_plan plan = {.type = KIN__TYPE_LOCK,
                                    .scope = options->scope,
                                    .size = sizeof **ret_lock,
                                    .bytes = sizeof(struct lock_shared)};
    int r = kin__object_create(&plan, ret_lock);
    if (r == 0) {
        struct lock_shared *shared = (*ret_lock)->object.shared;
        uint32_t flags = (options->is_fair ? KIN__MUTEX_FAIR : 0u) |
                         (options->is_handoff ? KIN__MUTEX_HANDOFF : 0u);
        kin__mutex_init(&shared->mutex, flags, options->name);
    }
    return r;
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

__attribute__((noinline)) static int acquire(kin_lock *lock, kin_timeout timeout, const void *site)
{
    struct lock_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = kin__object_enter(lock, &shared, &self);
    }
    if (r < 0) {
        return r;
    }
    return kin__mutex_acquire(&shared->mutex, kin__object_index(&lock->object), self, timeout,
                              site);
}

int kin_lock_acquire(kin_lock *lock, kin_timeout timeout)
{
    const void *site = __builtin_return_address(0);
    if (__builtin_expect(kin__object_is_entered(lock) && kin__timeout_check(timeout) == 0, 1)) {
        struct lock_shared *shared = lock->object.shared;
        if (kin__mutex_acquire_alone(&shared->mutex, kin__object_index(&lock->object),
                                     &kin__thread_current, timeout, site)) {
            return 0;
        }
    }
    return acquire(lock, timeout, site);
}

__attribute__((noinline)) static int release(kin_lock *lock)
{
    struct lock_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(lock, &shared, &self);
    return r < 0 ? r : kin__mutex_release(&shared->mutex, kin__object_index(&lock->object), self);
}

int kin_lock_release(kin_lock *lock)
{
    if (__builtin_expect(kin__object_is_entered(lock), 1)) {
        struct lock_shared *shared = lock->object.shared;
        if (kin__mutex_release_alone(&shared->mutex, kin__object_index(&lock->object),
                                     &kin__thread_current)) {
            return 0;
        }
    }
    return release(lock);
}

int kin_lock_mark_consistent(kin_lock *lock)
{
    struct lock_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(lock, &shared, &self);
    return r < 0 ? r : kin__mutex_mark_consistent(&shared->mutex, self);
}

bool kin_lock_is_locked(const kin_lock *lock)
{
    struct lock_shared *shared = NULL;
    struct kin__thread *self = NULL;
    return kin__object_enter(lock, &shared, &self) == 0 && kin__mutex_is_held(&shared->mutex);
}
