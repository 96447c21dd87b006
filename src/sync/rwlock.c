/**
 * kin_rwlock: a mutex for writers, a gate that they close, and readers who leave their names in
 * their own member slots.
 *
 *     gate = phase : 32, WRITING : 1, DIED : 1, owner id of the writer : 30
 *
 * A reader claims by an entry in its slot's `holdings`, {index, KIN__HOLDING_READ}, then looks at
 * the gate. If no writer is there, it has the lock. To release is to take the entry out. The only
 * shared word that it looks at is one that only writers write.
 *
 * A writer acquires the mutex, closes the gate by writing its id into it, and then waits until it
 * finds no reader's entry in any slot. The entry and the gate are written and read sequentially
 * consistent: a reader that finds the gate open has its entry where the writer, who closed it
 * later, looks. `read_count` in the slot is raised before the entry is written and lowered after it
 * is taken out: of those who read nothing the writer looks at no more than that.
 *
 * A reader that finds the gate closed leaves its entry where it is, marks itself as one that waits
 * for the end of this writer's phase (`line`, `line_ticket`), and sleeps. The writer of that phase
 * looks past it. When the gate opens the phase is one more, and with that every reader that waited
 * is inside, without doing anything: the next writer, however quick, finds their entries, and their
 * marks are of a phase that is past. That is what keeps readers from starving; the closed gate
 * keeps writers from it.
 *
 *     reader                                  writer of phase p
 *     entry in                                gate = p, W
 *     gate? open: inside                      entries? none, or marked p: WRITING
 *     closed in phase p: mark p                      other: sleep on `drained`, look again
 *       raise `drained`: its entry does       ...
 *       not count any more                    gate = p + 1, open
 *     sleep on `readers` while phase is p     raise `readers`
 *     mark out
 *     ...
 *     entry out
 *     gate? closed: raise `drained`
 *
 * A reader that sees the gate closed in phase p and is slow to mark itself may do so when phase p
 * is past: then it is inside, as is seen by all, since its mark is not of the phase that is on.
 *
 * Deaths. A reader: its entry and its mark vanish with its slot, and the reaper wakes all. A
 * writer: repair opens the gate for the next phase, and sets DIED if it was WRITING; then the mutex
 * is given up. The mutex's own DIED says nothing that the gate does not say better.
 */
#include "sync/mutex.h"
#include "sync/type.h"

#include <kin/error.h>
#include <kin/rwlock.h>

#define DIED ((uint64_t)1 << 30)
#define WRITING ((uint64_t)1 << 31)
#define PHASE ((uint64_t)1 << 32)
#define WAITS_TO_READ ((uint64_t)1 << 32) /* with the index, in `line` */

/* Peer death: see above. */
struct rwlock_shared {
    struct kin__mutex mutex;                             /* of writers; first, see mutex.h */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint64_t gate;    /* by the mutex's holder, or its reaper */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t drained; /* event count: a reader is gone; by all */
    _Atomic uint32_t readers;                            /* event count: the gate opened; by all */
};

static_assert(offsetof(struct rwlock_shared, gate) == 128, "layout 1");
static_assert(offsetof(struct rwlock_shared, drained) == 256, "layout 1");

struct kin_rwlock {
    struct kin__object object;
};

/* One call on a lock. */
struct use {
    struct rwlock_shared *shared;
    struct kin__thread *self;
    uint32_t index;
};

static uint32_t writer_of(uint64_t gate)
{
    return (uint32_t)gate & KIN__OWNER_MASK;
}

static uint32_t phase_of(uint64_t gate)
{
    return (uint32_t)(gate / PHASE);
}

/* The gate, open, in the next phase. */
static uint64_t opened(uint64_t gate, uint64_t died)
{
    return (uint64_t)(phase_of(gate) + 1) * PHASE | died;
}

static void repair(uint32_t index, void *at, uint32_t dead)
{
    struct rwlock_shared *shared = at;
    uint64_t gate = atomic_load(&shared->gate);
    while (writer_of(gate) == dead) {
        uint64_t died = gate & WRITING ? DIED : gate & DIED;
        if (atomic_compare_exchange_weak(&shared->gate, &gate, opened(gate, died))) {
            break;
        }
    }
    kin__mutex_repair(&shared->mutex, index, dead);
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct rwlock_shared *shared = at;
    uint32_t writer = writer_of(atomic_load(&shared->gate));
    kin__mutex_verify(verifier, index, &shared->mutex, "rwlock");
    if (writer != 0 && !kin__mutex_is_held_by(&shared->mutex, writer)) {
        kin__verify_fail(verifier, "rwlock %u: closed by one that does not hold it", index);
    }
}

static const struct kin__type rwlock_type = {
    .id = KIN__TYPE_RWLOCK, .name = "rwlock", .repair = repair, .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&rwlock_type);
}

int kin_rwlock_create(const kin_rwlock_options *options, kin_rwlock **ret_rwlock)
{
    static const kin_rwlock_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (options->size != sizeof *options) {
        return -EINVAL;
    }
    struct kin__object_plan plan = {.type = KIN__TYPE_RWLOCK,
                                    .scope = options->scope,
                                    .size = sizeof **ret_rwlock,
                                    .bytes = sizeof(struct rwlock_shared)};
    int r = kin__object_create(&plan, ret_rwlock);
    if (r == 0) {
        struct rwlock_shared *shared = (*ret_rwlock)->object.shared;
        kin__mutex_init(&shared->mutex, options->is_fair ? KIN__MUTEX_FAIR : 0u, options->name);
    }
    return r;
}

int kin_rwlock_attach(kin_handle handle, kin_rwlock **ret_rwlock)
{
    return kin__object_attach(KIN__TYPE_RWLOCK, sizeof **ret_rwlock, handle, ret_rwlock);
}

kin_rwlock *kin_rwlock_free(kin_rwlock *rwlock)
{
    kin__object_free(rwlock);
    return NULL;
}

kin_handle kin_rwlock_handle(const kin_rwlock *rwlock)
{
    return kin__object_handle(rwlock);
}

/* One call, where kin__object_is_entered. */
static inline struct use entered(const kin_rwlock *rwlock)
{
    return (struct use){.shared = rwlock->object.shared,
                        .self = &kin__thread_current,
                        .index = kin__object_index(&rwlock->object)};
}

static int enter(const kin_rwlock *rwlock, struct use *use)
{
    int r = kin__object_enter(rwlock, &use->shared, &use->self);
    if (r == 0) {
        use->index = kin__object_index(&rwlock->object);
    }
    return r;
}

/* --- entries of readers --- */

static inline uint32_t read_count(const struct use *use)
{
    return atomic_load_explicit(&use->self->member->read_count, memory_order_relaxed);
}

static inline void set_read_count(const struct use *use, uint32_t count)
{
    atomic_store_explicit(&use->self->member->read_count, count, memory_order_release);
}

/* The entry of a thread that reads; NULL: it does not. */
static _Atomic uint32_t *find_entry(const struct use *use)
{
    _Atomic uint32_t *holdings = use->self->member->holdings;
    uint32_t entry = use->index | KIN__HOLDING_READ;
    for (uint32_t i = 0; read_count(use) > 0 && i < KIN__HOLDING_MAX; i++) {
        if (atomic_load_explicit(&holdings[i], memory_order_relaxed) == entry) {
            return &holdings[i];
        }
    }
    return NULL;
}

/* Where there is room for an entry, or NULL. */
static _Atomic uint32_t *find_room(const struct use *use)
{
    _Atomic uint32_t *holdings = use->self->member->holdings;
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        if (atomic_load_explicit(&holdings[i], memory_order_relaxed) == 0) {
            return &holdings[i];
        }
    }
    return NULL;
}

/* Writes an entry, then looks at the gate. */
static inline uint64_t put_entry(const struct use *use, _Atomic uint32_t *entry)
{
    set_read_count(use, read_count(use) + 1); /* who sees the entry sees this */
    atomic_store(entry, use->index | KIN__HOLDING_READ);
    return atomic_load(&use->shared->gate);
}

/* Takes it out, and tells a writer that waits for that. */
static inline void take_entry_out(const struct use *use, _Atomic uint32_t *entry)
{
    atomic_store(entry, 0);
    set_read_count(use, read_count(use) - 1);
    if (writer_of(atomic_load(&use->shared->gate)) != 0) {
        kin__count_raise(&use->shared->drained, 1);
    }
}

/* How many entries a member has that count in this phase of the gate. */
static uint32_t count_entries(uint32_t index, struct kin__member *member, uint64_t gate)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        if (atomic_load(&member->holdings[i]) != (index | KIN__HOLDING_READ)) {
            continue;
        }
        bool waits = writer_of(gate) != 0 &&
                     atomic_load(&member->line) == (index | WAITS_TO_READ) &&
                     atomic_load(&member->line_ticket) == phase_of(gate);
        count += !waits;
    }
    return count;
}

static uint32_t count_readers(uint32_t index, uint64_t gate)
{
    uint32_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        struct kin__member *member = kin__member_at(slot);
        if (atomic_load(&member->read_count) > 0) {
            count += count_entries(index, member, gate);
        }
    }
    return count;
}

/* --- reading --- */

static inline int read_code(uint64_t gate)
{
    return gate & DIED ? KIN_OWNER_DIED : 0;
}

/* Marked, waits for the end of the phase. 0, or why the wait is over. */
static int await_phase(const struct use *use, uint32_t phase, kin_timeout timeout)
{
    struct rwlock_shared *shared = use->shared;
    struct kin__spin spin = kin__spin_begin();
    int r = 0;
    while (phase_of(atomic_load(&shared->gate)) == phase) {
        r = r < 0 ? r : kin__timeout_is_over(timeout);
        if (r < 0) {
            return r;
        }
        if (kin__spin_again(&spin)) {
            continue;
        }
        uint32_t key = kin__count_prepare(&shared->readers);
        if (phase_of(atomic_load(&shared->gate)) == phase) {
            r = kin__sleep(&shared->readers, key, timeout);
        }
    }
    return 0;
}

/* With the entry in place and the gate closed. */
__attribute__((noinline)) static int wait_to_read(const kin_rwlock *rwlock, _Atomic uint32_t *entry,
                                                  uint64_t gate, kin_timeout timeout)
{
    const struct use copy = entered(rwlock);
    const struct use *use = &copy;
    struct kin__member *member = use->self->member;
    int r = timeout.deadline_ns == KIN_NOW.deadline_ns ? kin__timeout_is_over(timeout) : 0;
    if (r == 0) {
        atomic_store(&member->line_ticket, phase_of(gate));
        atomic_store(&member->line, use->index | WAITS_TO_READ);
        kin__count_raise(&use->shared->drained, 1);
        r = await_phase(use, phase_of(gate), timeout);
    }
    if (r < 0) {
        take_entry_out(use, entry);
    }
    atomic_store(&member->line, 0); /* after the entry: unmarked it would count */
    return r < 0 ? r : read_code(atomic_load(&use->shared->gate));
}

__attribute__((noinline)) static int acquire_read(kin_rwlock *rwlock, kin_timeout timeout)
{
    struct use use = {0};
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = enter(rwlock, &use);
    }
    if (r < 0) {
        return r;
    }
    if (find_entry(&use) != NULL ||
        writer_of(atomic_load_explicit(&use.shared->gate, memory_order_relaxed)) ==
            use.self->owner) {
        return -EDEADLK;
    }
    _Atomic uint32_t *entry = find_room(&use);
    if (entry == NULL) {
        return -ENOLCK;
    }
    uint64_t gate = put_entry(&use, entry);
    return writer_of(gate) == 0 ? read_code(gate) : wait_to_read(rwlock, entry, gate, timeout);
}

/* Whether the thread holds nothing, in the first place, and reads nothing: then the first place is
 * free for an entry, and no other is of this lock. */
static inline bool is_free_to_read(const struct use *use)
{
    return atomic_load_explicit(&use->self->member->holdings[0], memory_order_relaxed) == 0 &&
           read_count(use) == 0;
}

/* The most common case stands here, without a call, so that it needs no frame. */
int kin_rwlock_acquire_read(kin_rwlock *rwlock, kin_timeout timeout)
{
    if (__builtin_expect(kin__object_is_entered(rwlock) && kin__timeout_check(timeout) == 0, 1)) {
        const struct use use = entered(rwlock);
        uint64_t gate = atomic_load_explicit(&use.shared->gate, memory_order_relaxed);
        if (writer_of(gate) == 0 && is_free_to_read(&use)) {
            _Atomic uint32_t *entry = &use.self->member->holdings[0];
            gate = put_entry(&use, entry);
            return __builtin_expect(writer_of(gate) == 0, 1)
                       ? read_code(gate)
                       : wait_to_read(rwlock, entry, gate, timeout);
        }
    }
    return acquire_read(rwlock, timeout);
}

/* --- writing --- */

/* Opens the gate, gives up the mutex, and lets the readers know: giving it up is the full barrier
 * that raising wants. */
__attribute__((always_inline)) static inline int end_writing(const struct use *use)
{
    uint64_t gate = atomic_load_explicit(&use->shared->gate, memory_order_relaxed);
    atomic_store_explicit(&use->shared->gate, opened(gate, gate & DIED), memory_order_release);
    int r = 0;
    if (!kin__mutex_release_alone(&use->shared->mutex, use->index, use->self)) {
        r = kin__mutex_release(&use->shared->mutex, use->index, use->self);
    }
    kin__count_raise(&use->shared->readers, UINT32_MAX);
    return r;
}

/* Waits, behind the closed gate, until nobody reads. 0, or why the wait is over. */
static int await_drained(const struct use *use, uint64_t gate, kin_timeout timeout)
{
    struct kin__spin spin = kin__spin_begin();
    int r = 0;
    while (count_readers(use->index, gate) > 0) {
        r = r < 0 ? r : kin__timeout_is_over(timeout);
        if (r < 0) {
            return r;
        }
        if (kin__spin_again(&spin)) {
            continue;
        }
        uint32_t key = kin__count_prepare(&use->shared->drained);
        if (count_readers(use->index, gate) > 0) {
            r = kin__sleep(&use->shared->drained, key, timeout);
        }
    }
    return 0;
}

/* With the mutex: closes the gate. */
static inline uint64_t close_gate(const struct use *use)
{
    uint64_t gate = atomic_load_explicit(&use->shared->gate, memory_order_relaxed) |
                    use->self->owner;
    atomic_store(&use->shared->gate, gate);
    return gate;
}

/* Behind the closed gate, when nobody reads. */
static inline int begin_writing(const struct use *use, uint64_t gate)
{
    atomic_store_explicit(&use->shared->gate, gate | WRITING, memory_order_release);
    return gate & DIED ? KIN_OWNER_DIED : 0;
}

/* Behind the closed gate. */
__attribute__((noinline)) static int wait_to_write(const kin_rwlock *rwlock, uint64_t gate,
                                                   kin_timeout timeout)
{
    const struct use use = entered(rwlock);
    int r = await_drained(&use, gate, timeout);
    if (r < 0) {
        end_writing(&use);
        return r;
    }
    return begin_writing(&use, gate);
}

__attribute__((noinline)) static int acquire_write(kin_rwlock *rwlock, kin_timeout timeout,
                                                   const void *site)
{
    struct use use = {0};
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = enter(rwlock, &use);
    }
    if (r == 0 && find_entry(&use) != NULL) {
        r = -EDEADLK;
    }
    if (r == 0) {
        r = kin__mutex_acquire(&use.shared->mutex, use.index, use.self, timeout, site);
    }
    if (r < 0) {
        return r;
    }
    if (r == KIN_OWNER_DIED) {
        kin__mutex_mark_consistent(&use.shared->mutex, use.self);
    }
    return wait_to_write(rwlock, close_gate(&use), timeout);
}

/* The most common case stands here: a free lock, a thread that reads nothing. */
int kin_rwlock_acquire_write(kin_rwlock *rwlock, kin_timeout timeout)
{
    const void *site = __builtin_return_address(0);
    if (__builtin_expect(kin__object_is_entered(rwlock) && kin__timeout_check(timeout) == 0, 1)) {
        const struct use use = entered(rwlock);
        if (read_count(&use) == 0 &&
            kin__mutex_acquire_alone(&use.shared->mutex, use.index, use.self, timeout, site)) {
            uint64_t gate = close_gate(&use);
            return count_readers(use.index, gate) == 0 ? begin_writing(&use, gate)
                                                       : wait_to_write(rwlock, gate, timeout);
        }
    }
    return acquire_write(rwlock, timeout, site);
}

__attribute__((noinline)) static int release(kin_rwlock *rwlock)
{
    struct use use = {0};
    int r = enter(rwlock, &use);
    if (r < 0) {
        return r;
    }
    _Atomic uint32_t *entry = find_entry(&use);
    if (entry != NULL) {
        take_entry_out(&use, entry);
        return 0;
    }
    uint64_t gate = atomic_load_explicit(&use.shared->gate, memory_order_relaxed);
    return writer_of(gate) == use.self->owner ? end_writing(&use) : -EPERM;
}

int kin_rwlock_release(kin_rwlock *rwlock)
{
    if (__builtin_expect(kin__object_is_entered(rwlock), 1)) {
        const struct use use = entered(rwlock);
        _Atomic uint32_t *first = &use.self->member->holdings[0];
        uint32_t entry = atomic_load_explicit(first, memory_order_relaxed);
        if (entry == (use.index | KIN__HOLDING_READ)) {
            take_entry_out(&use, first);
            return 0;
        }
        uint64_t gate = atomic_load_explicit(&use.shared->gate, memory_order_relaxed);
        if (writer_of(gate) == use.self->owner) { /* who writes does not read */
            return end_writing(&use);
        }
    }
    return release(rwlock);
}

int kin_rwlock_mark_consistent(kin_rwlock *rwlock)
{
    struct use use = {0};
    int r = enter(rwlock, &use);
    if (r < 0) {
        return r;
    }
    uint64_t gate = atomic_load(&use.shared->gate);
    if (writer_of(gate) != use.self->owner) {
        return -EPERM;
    }
    atomic_store(&use.shared->gate, gate & ~DIED);
    return 0;
}

bool kin_rwlock_is_written(const kin_rwlock *rwlock)
{
    struct use use = {0};
    return enter(rwlock, &use) == 0 && atomic_load(&use.shared->gate) & WRITING;
}

uint32_t kin_rwlock_reader_count(const kin_rwlock *rwlock)
{
    struct use use = {0};
    return enter(rwlock, &use) < 0 ? 0 : count_readers(use.index, atomic_load(&use.shared->gate));
}
