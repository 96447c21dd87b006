/* kin_rlock: a mutex (mutex.h) that nests. */
#include "sync/mutex.h"
#include "sync/type.h"

#include <kin/error.h>
#include <kin/rlock.h>

/* Peer death: that of the mutex. */
struct rlock_shared {
    struct kin__mutex mutex;
};

struct kin_rlock {
    struct kin__object object;
};

static void repair(uint32_t index, void *at, uint32_t dead)
{
    struct rlock_shared *shared = at;
    kin__mutex_repair(&shared->mutex, index, dead);
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct rlock_shared *shared = at;
    kin__mutex_verify(verifier, index, &shared->mutex, "rlock");
}

static const struct kin__type rlock_type = {
    .id = KIN__TYPE_RLOCK, .name = "rlock", .repair = repair, .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&rlock_type);
}

int kin_rlock_create(const kin_rlock_options *options, kin_rlock **ret_rlock)
{
    static const kin_rlock_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (options->size != sizeof *options) {
        return -EINVAL;
    }
    struct kin__object_plan plan = {.type = KIN__TYPE_RLOCK,
                                    .scope = options->scope,
                                    .size = sizeof **ret_rlock,
                                    .bytes = sizeof(struct rlock_shared)};
    int r = kin__object_create(&plan, ret_rlock);
    if (r == 0) {
        struct rlock_shared *shared = (*ret_rlock)->object.shared;
        uint32_t flags = KIN__MUTEX_NESTS | (options->is_fair ? KIN__MUTEX_FAIR : 0u);
        kin__mutex_init(&shared->mutex, flags, options->name);
    }
    return r;
}

int kin_rlock_attach(kin_handle handle, kin_rlock **ret_rlock)
{
    return kin__object_attach(KIN__TYPE_RLOCK, sizeof **ret_rlock, handle, ret_rlock);
}

kin_rlock *kin_rlock_free(kin_rlock *rlock)
{
    kin__object_free(rlock);
    return NULL;
}

kin_handle kin_rlock_handle(const kin_rlock *rlock)
{
    return kin__object_handle(rlock);
}

int kin_rlock_acquire(kin_rlock *rlock, kin_timeout timeout)
{
    struct rlock_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = kin__object_enter(rlock, &shared, &self);
    }
    if (r < 0) {
        return r;
    }
    return kin__mutex_acquire(&shared->mutex, kin__object_index(&rlock->object), self, timeout,
                              __builtin_return_address(0));
}

int kin_rlock_release(kin_rlock *rlock)
{
    struct rlock_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(rlock, &shared, &self);
    return r < 0 ? r : kin__mutex_release(&shared->mutex, kin__object_index(&rlock->object), self);
}

int kin_rlock_mark_consistent(kin_rlock *rlock)
{
    struct rlock_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(rlock, &shared, &self);
    return r < 0 ? r : kin__mutex_mark_consistent(&shared->mutex, self);
}

bool kin_rlock_is_locked(const kin_rlock *rlock)
{
    struct rlock_shared *shared = NULL;
    struct kin__thread *self = NULL;
    return kin__object_enter(rlock, &shared, &self) == 0 && kin__mutex_is_held(&shared->mutex);
}
