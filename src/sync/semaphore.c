/**
 * kin_semaphore: a number, or a table of permits; and an event count for those who wait.
 *
 * Plain: `value` is the truth and belongs to nobody. Nothing that a death does is undone.
 *
 * Bounded: the truth is one word for each permit, 0 or its owner, and nothing else: no count of
 * those left exists that a death could make wrong.
 *
 *     FREE            0
 *     FREE, DIED      as the reaper leaves the permit of a dead owner
 *     owner id        taken
 *
 *     FREE -> taken   by its owner, who has noted the semaphore in its member slot before
 *     taken -> FREE   by its owner, or by one who has none and gives it back in its place
 *     taken -> DIED   by a reaper of the owner
 *
 * Each edge is one compare-and-swap, so a kill leaves a permit free or taken by the dead. Each
 * thread starts to look at a place of its own, so with few at it the words are not fought over,
 * and finds its own permit there again. To see that none is left is to look at all.
 *
 * Waiting, as sleep.h has it: announce, look at all permits, sleep. A release frees, then raises
 * the count for as many as it freed. Who is woken and leaves, with a permit or without, passes
 * the count on and wakes another if there are permits left: two releases of which the second
 * finds SLEEPERS clear have woken one who wakes the next. Between the wake-up and that, a kill
 * costs nothing, since the reaper makes all look again. Those who want a fair one do not: they
 * stand in line, see semaphore/fair.h.
 *
 * Holdings: a thread notes the semaphore once for each permit. It may have more notes than permits,
 * when others give back in its place, so past NOTES_MAX they become one note that stands for
 * any number (MANY), which goes when a look at the permits finds none of its own.
 */
#include "family/reference.h"
#include "family/sleep.h"
#include "family/verify.h"
#include "sync/semaphore/fair.h"
#include "sync/type.h"

#include <kin/semaphore.h>

#define MANY KIN__HOLDING_MANY /* with the semaphore's index, in holdings */
#define NOTES_MAX 4u

struct kin_semaphore {
    struct kin__object object;
};

static void repair(uint32_t index, void *at, uint32_t dead)
{
    struct semaphore_shared *shared = at;
    kin__semaphore_line_repair(index, dead); /* before the others look */
    for (uint32_t i = 0; i < shared->permit_count; i++) {
        uint32_t owner = dead;
        atomic_compare_exchange_strong(&shared->permits[i], &owner, KIN__PERMIT_DIED);
    }
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct semaphore_shared *shared = at;
    for (uint32_t i = 0; i < shared->permit_count; i++) {
        uint32_t owner = atomic_load(&shared->permits[i]) & KIN__OWNER_MASK;
        if (owner != 0 && !kin__verify_is_live(verifier, owner)) {
            kin__verify_fail(verifier, "semaphore %u: permit of nobody who lives", index);
        }
    }
    kin__semaphore_line_verify(verifier, index, shared);
}

static const struct kin__type semaphore_type = {
    .id = KIN__TYPE_SEMAPHORE, .name = "semaphore", .repair = repair, .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&semaphore_type);
}

int kin_semaphore_create(uint32_t value, const kin_semaphore_options *options,
                         kin_semaphore **ret_semaphore)
{
    static const kin_semaphore_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (options->size != sizeof *options || value > KIN_SEMAPHORE_VALUE_MAX ||
        (options->is_bounded && value > KIN_SEMAPHORE_BOUNDED_MAX)) {
        return -EINVAL;
    }
    kin_semaphore *semaphore = NULL;
    uint32_t permit_count = options->is_bounded ? value : 0;
    struct kin__object_plan plan = {.type = KIN__TYPE_SEMAPHORE,
                                    .scope = options->scope,
                                    .size = sizeof *semaphore,
                                    .bytes = sizeof(struct semaphore_shared) +
                                             permit_count * sizeof(uint32_t)};
    int r = kin__object_create(&plan, ret_semaphore == NULL ? NULL : &semaphore);
    if (r < 0) {
        return r;
    }
    struct semaphore_shared *shared = semaphore->object.shared;
    shared->is_bounded = options->is_bounded;
    shared->is_fair = options->is_fair;
    shared->permit_count = permit_count;
    atomic_store(&shared->value, options->is_bounded ? 0 : value);
    *ret_semaphore = semaphore;
    return 0;
}

int kin_semaphore_attach(kin_handle handle, kin_semaphore **ret_semaphore)
{
    return kin__object_attach(KIN__TYPE_SEMAPHORE, sizeof **ret_semaphore, handle, ret_semaphore);
}

kin_semaphore *kin_semaphore_free(kin_semaphore *semaphore)
{
    kin__object_free(semaphore);
    return NULL;
}

kin_handle kin_semaphore_handle(const kin_semaphore *semaphore)
{
    return kin__object_handle(semaphore);
}

/* --- permits and their owners --- */

/* Frees up to `most` permits, of the owner, or of anybody. How many it freed. */
static uint32_t give_permits(struct semaphore_shared *shared, uint32_t owner, bool is_anybody,
                             uint32_t most)
{
    uint32_t given = 0;
    uint32_t place = kin__permit_place(shared, owner);
    for (uint32_t i = 0; i < shared->permit_count && given < most; i++) {
        uint32_t word = atomic_load_explicit(&shared->permits[place], memory_order_relaxed);
        if ((word & KIN__OWNER_MASK) != 0 && (is_anybody || word == owner)) {
            given += atomic_compare_exchange_strong(&shared->permits[place], &word, 0);
        }
        place = kin__permit_next(shared, place);
    }
    return given;
}

static bool owns_any(const struct semaphore_shared *shared, uint32_t owner)
{
    for (uint32_t i = 0; i < shared->permit_count; i++) {
        if (atomic_load_explicit(&shared->permits[i], memory_order_relaxed) == owner) {
            return true;
        }
    }
    return false;
}

/* --- notes in the member's slot --- */

/* Before a claim. */
static void note(struct kin__thread *self, uint32_t index)
{
    _Atomic uint32_t *holdings = self->member->holdings;
    _Atomic uint32_t *own = NULL;
    uint32_t own_count = 0;
    for (uint32_t i = 0; i < KIN__HOLDING_MAX && own_count < NOTES_MAX; i++) {
        uint32_t entry = atomic_load_explicit(&holdings[i], memory_order_relaxed);
        if (entry == 0) {
            atomic_store_explicit(&holdings[i], index, memory_order_release);
            return;
        }
        if (entry == (index | MANY)) {
            return;
        }
        if (entry == index) {
            own = &holdings[i];
            own_count++;
        }
    }
    if (own != NULL) {
        atomic_store_explicit(own, index | MANY, memory_order_release);
    } else {
        kin__holding_add(self, index);
    }
}

/* After a permit was given back, or was not to be had. False: the note stood for any number, and
 * there is no other. */
static bool forget(const struct semaphore_shared *shared, struct kin__thread *self, uint32_t index)
{
    _Atomic uint32_t *holdings = self->member->holdings;
    _Atomic uint32_t *many = NULL;
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        uint32_t entry = atomic_load_explicit(&holdings[i], memory_order_relaxed);
        if (entry == index) {
            atomic_store_explicit(&holdings[i], 0, memory_order_release);
            return true;
        }
        many = entry == (index | MANY) ? &holdings[i] : many;
    }
    if (many == NULL) {
        kin__holding_remove(self, index);
    } else if (!owns_any(shared, self->owner)) {
        atomic_store_explicit(many, 0, memory_order_release);
    }
    return many == NULL;
}

/* When the thread is known to have no permit. */
static void forget_all(struct kin__thread *self, uint32_t index)
{
    _Atomic uint32_t *holdings = self->member->holdings;
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        if ((atomic_load_explicit(&holdings[i], memory_order_relaxed) & ~MANY) == index) {
            atomic_store_explicit(&holdings[i], 0, memory_order_release);
        }
    }
}

/* --- acquire and release --- */

static int wait_and_take(struct semaphore_shared *shared, uint32_t owner, kin_timeout timeout)
{
    struct kin__spin spin = kin__spin_begin();
    int r = kin__timeout_is_over(timeout);
    if (r < 0) {
        return r;
    }
    do {
        r = kin__permits_take(shared, owner, 0);
    } while (r == -EAGAIN && kin__spin_again(&spin));
    if (r != -EAGAIN) {
        return r;
    }
    for (;;) {
        uint32_t key = kin__count_prepare(&shared->count);
        r = kin__permits_take(shared, owner, 0);
        if (r != -EAGAIN) {
            break;
        }
        r = kin__sleep(&shared->count, key, timeout);
        if (r < 0) {
            break;
        }
    }
    kin__count_pass(&shared->count);
    if (kin__permits_left(shared) > 0) {
        kin__count_raise(&shared->count, 1);
    }
    return r;
}

/* The most common case of a bounded one that is not fair, without a call: the thread holds nothing
 * else, and the permit where it begins to look is free, and has no dead owner. False: nothing was
 * done. */
static inline bool take_alone(struct semaphore_shared *shared, const struct kin__thread *self,
                              uint32_t index)
{
    _Atomic uint32_t *holding = &self->member->holdings[0];
    _Atomic uint32_t *permit = &shared->permits[kin__permit_place(shared, self->owner)];
    uint32_t word = 0;
    if (shared->permit_count == 0 || atomic_load_explicit(holding, memory_order_relaxed) != 0 ||
        atomic_load_explicit(permit, memory_order_relaxed) != 0) {
        return false;
    }
    atomic_store_explicit(holding, index, memory_order_release);
    if (!atomic_compare_exchange_strong(permit, &word, self->owner)) {
        atomic_store_explicit(holding, 0, memory_order_release);
        return false;
    }
    return true;
}

/* The same for giving one back; who waits is woken by the caller. */
static inline bool give_alone(struct semaphore_shared *shared, const struct kin__thread *self,
                              uint32_t index)
{
    _Atomic uint32_t *holding = &self->member->holdings[0];
    _Atomic uint32_t *permit = &shared->permits[kin__permit_place(shared, self->owner)];
    uint32_t word = self->owner;
    if (shared->permit_count == 0 || atomic_load_explicit(holding, memory_order_relaxed) != index ||
        !atomic_compare_exchange_strong(permit, &word, 0)) {
        return false;
    }
    atomic_store_explicit(holding, 0, memory_order_release);
    return true;
}

__attribute__((noinline)) static int acquire(kin_semaphore *semaphore, kin_timeout timeout)
{
    struct semaphore_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = kin__object_enter(semaphore, &shared, &self);
    }
    if (r < 0) {
        return r;
    }
    uint32_t index = kin__object_index(&semaphore->object);
    if (shared->is_bounded) {
        note(self, index);
    }
    r = shared->is_fair ? kin__semaphore_acquire_fair(shared, index, self, timeout)
                        : kin__permits_take(shared, self->owner, 0);
    if (r == -EAGAIN && !shared->is_fair) {
        r = wait_and_take(shared, self->owner, timeout);
    }
    if (r < 0 && shared->is_bounded) {
        forget(shared, self, index);
    }
    return r;
}

int kin_semaphore_acquire(kin_semaphore *semaphore, kin_timeout timeout)
{
    if (__builtin_expect(kin__object_is_entered(semaphore) && kin__timeout_check(timeout) == 0,
                         1)) {
        struct semaphore_shared *shared = semaphore->object.shared;
        uint32_t index = kin__object_index(&semaphore->object);
        if (!shared->is_fair &&
            (shared->is_bounded ? take_alone(shared, &kin__thread_current, index)
                                : kin__permits_take_value(shared, 0) == 0)) {
            return 0;
        }
    }
    return acquire(semaphore, timeout);
}

/* So many permits have come back. */
static void wake(struct semaphore_shared *shared, uint32_t index, uint32_t count)
{
    if (shared->is_fair) {
        kin__semaphore_hand_on(shared, index);
    } else {
        kin__count_raise(&shared->count, count);
    }
}

/* Of a plain one; who waits is woken by the caller. */
static inline int give_value(struct semaphore_shared *shared, uint32_t count)
{
    uint32_t value = atomic_load(&shared->value);
    do {
        if (count > KIN_SEMAPHORE_VALUE_MAX - value) {
            return -EOVERFLOW;
        }
    } while (!atomic_compare_exchange_weak(&shared->value, &value, value + count));
    return 0;
}

static int release_value(struct semaphore_shared *shared, uint32_t index, uint32_t count)
{
    int r = give_value(shared, count);
    if (r == 0) {
        wake(shared, index, count);
    }
    return r;
}

static int release_permits(struct semaphore_shared *shared, struct kin__thread *self,
                           uint32_t index, uint32_t count)
{
    if (count > 1 && count > shared->permit_count - kin__permits_left(shared)) {
        return -EOVERFLOW;
    }
    uint32_t given = give_permits(shared, self->owner, false, count);
    for (uint32_t i = 0; i < given && forget(shared, self, index); i++) {
    }
    if (given < count) {
        given += give_permits(shared, self->owner, true, count - given);
        forget_all(self, index);
    }
    if (given > 0) {
        wake(shared, index, given);
    }
    return given < count ? -EOVERFLOW : 0;
}

__attribute__((noinline)) static int release(kin_semaphore *semaphore, uint32_t count)
{
    struct semaphore_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = count == 0 ? -EINVAL : kin__object_enter(semaphore, &shared, &self);
    if (r < 0) {
        return r;
    }
    uint32_t index = kin__object_index(&semaphore->object);
    return shared->is_bounded ? release_permits(shared, self, index, count)
                              : release_value(shared, index, count);
}

int kin_semaphore_release(kin_semaphore *semaphore, uint32_t count)
{
    if (__builtin_expect(kin__object_is_entered(semaphore) && count == 1, 1)) {
        struct semaphore_shared *shared = semaphore->object.shared;
        uint32_t index = kin__object_index(&semaphore->object);
        if (!shared->is_fair &&
            (shared->is_bounded ? give_alone(shared, &kin__thread_current, index)
                                : give_value(shared, 1) == 0)) {
            kin__count_raise(&shared->count, 1);
            return 0;
        }
    }
    return release(semaphore, count);
}

uint32_t kin_semaphore_value(const kin_semaphore *semaphore)
{
    struct semaphore_shared *shared = NULL;
    struct kin__thread *self = NULL;
    if (kin__object_enter(semaphore, &shared, &self) < 0) {
        return 0;
    }
    return kin__permits_left(shared);
}
