/**
 * kin_barrier: the calls, but for the wait (wait.c). What they do to the shared part stands
 * in barrier.h.
 */
#include "sync/barrier/barrier.h"

#include "family/verify.h"
#include "sync/type.h"

#include <kin/error.h>
#include <string.h>

static void repair(uint32_t index, void *at, uint32_t dead)
{
    struct kin__thread *self = kin__self();
    (void)index;
    if (self == NULL) {
        return;
    }
    uint64_t phase = kin__barrier_lock(at, self);
    kin__barrier_bury(at, dead);
    kin__barrier_settle(at);
    kin__barrier_unlock(at, self, phase);
}

static void verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    struct barrier_shared *shared = (struct barrier_shared *)at;
    const _Atomic uint32_t *members = kin__barrier_members(shared);
    for (uint32_t i = 0; i < 2 * shared->capacity; i++) {
        uint32_t owner = kin__arrival_owner(atomic_load(&shared->arrivals[i]));
        if (owner != 0 && !kin__verify_is_live(verifier, owner)) {
            kin__verify_fail(verifier, "barrier %u: one that is dead has come", index);
        }
    }
    for (uint32_t i = 0; i < shared->capacity; i++) {
        uint32_t owner = atomic_load(&members[i]);
        if (owner != 0 && !kin__verify_is_live(verifier, owner)) {
            kin__verify_fail(verifier, "barrier %u: one that is dead is a party", index);
        }
    }
    if (atomic_load(&shared->party_count) > shared->capacity) {
        kin__verify_fail(verifier, "barrier %u: more parties than there can be", index);
    }
}

static const struct kin__type barrier_type = {
    .id = KIN__TYPE_BARRIER, .name = "barrier", .repair = repair, .verify = verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&barrier_type);
}

static const char *name_of(kin_function *action)
{
    for (const kin_function_entry *entry = kin__functions; entry != NULL; entry = entry->next) {
        if (entry->function == action) {
            return entry->name;
        }
    }
    return NULL;
}

static int find_action(const char *name, kin_function **ret_action)
{
    for (const kin_function_entry *entry = kin__functions; entry != NULL; entry = entry->next) {
        if (strcmp(entry->name, name) == 0) {
            *ret_action = entry->function;
            return 0;
        }
    }
    return KIN_EFUNCTION;
}

static int create(const kin_barrier_options *options, uint32_t party_count, const char *action,
                  kin_barrier **ret_barrier)
{
    kin_barrier *barrier = NULL;
    struct kin__object_plan plan = {.type = KIN__TYPE_BARRIER,
                                    .scope = options->scope,
                                    .size = sizeof *barrier,
                                    .bytes = kin__barrier_bytes(party_count)};
    int r = kin__object_create(&plan, &barrier);
    if (r < 0) {
        return r;
    }
    struct barrier_shared *shared = barrier->object.shared;
    atomic_store(&shared->party_count, party_count);
    shared->on_death = options->on_death;
    shared->capacity = party_count;
    memcpy(shared->action, action, strlen(action) + 1);
    barrier->action = options->action;
    *ret_barrier = barrier;
    return 0;
}

int kin_barrier_create(uint32_t party_count, const kin_barrier_options *options,
                       kin_barrier **ret_barrier)
{
    static const kin_barrier_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (ret_barrier == NULL || options->size != sizeof *options || party_count == 0 ||
        party_count > KIN_BARRIER_PARTIES_MAX ||
        (options->on_death != KIN_BARRIER_BREAK && options->on_death != KIN_BARRIER_SHRINK)) {
        return -EINVAL;
    }
    const char *action = options->action == NULL ? "" : name_of(options->action);
    if (action == NULL || strlen(action) >= BARRIER_ACTION_BYTES) {
        return KIN_EFUNCTION;
    }
    return create(options, party_count, action, ret_barrier);
}

int kin_barrier_attach(kin_handle handle, kin_barrier **ret_barrier)
{
    kin_barrier *barrier = NULL;
    int r = kin__object_attach(KIN__TYPE_BARRIER, sizeof *barrier, handle,
                               ret_barrier == NULL ? NULL : &barrier);
    if (r < 0) {
        return r;
    }
    const struct barrier_shared *shared = barrier->object.shared;
    r = shared->action[0] == '\0' ? 0 : find_action(shared->action, &barrier->action);
    if (r < 0) {
        kin_barrier_free(barrier);
        return r;
    }
    *ret_barrier = barrier;
    return 0;
}

kin_barrier *kin_barrier_free(kin_barrier *barrier)
{
    kin__object_free(barrier);
    return NULL;
}

kin_handle kin_barrier_handle(const kin_barrier *barrier)
{
    return kin__object_handle(barrier);
}

/* --- members, and the whole --- */

static bool has_joined(struct barrier_shared *shared, uint32_t owner, uint32_t *ret_count)
{
    const _Atomic uint32_t *members = kin__barrier_members(shared);
    bool is_member = false;
    *ret_count = 0;
    for (uint32_t i = 0; i < shared->capacity; i++) {
        uint32_t member = atomic_load(&members[i]);
        *ret_count += member != 0;
        is_member |= member == owner;
    }
    return is_member;
}

int kin_barrier_join(kin_barrier *barrier)
{
    struct barrier_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(barrier, &shared, &self);
    if (r < 0) {
        return r;
    }
    uint32_t index = kin__object_index(&barrier->object);
    uint32_t count = 0;
    kin__holding_add(self, index);
    uint64_t phase = kin__barrier_lock(shared, self);
    bool is_member = has_joined(shared, self->owner, &count);
    if (!is_member && count == shared->capacity) {
        r = -EOVERFLOW;
    } else if (!is_member) {
        kin__barrier_add(shared, self->owner, count);
    }
    kin__barrier_unlock(shared, self, phase);
    if (is_member || r < 0) {
        kin__holding_remove(self, index);
    }
    return r;
}

int kin_barrier_leave(kin_barrier *barrier)
{
    struct barrier_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(barrier, &shared, &self);
    if (r < 0) {
        return r;
    }
    uint32_t count = 0;
    uint64_t phase = kin__barrier_lock(shared, self);
    bool is_member = has_joined(shared, self->owner, &count);
    if (is_member) {
        kin__barrier_remove(shared, self->owner);
        kin__barrier_settle(shared);
    }
    kin__barrier_unlock(shared, self, phase);
    if (!is_member) {
        return -EPERM;
    }
    kin__holding_remove(self, kin__object_index(&barrier->object));
    return 0;
}

int kin_barrier_reset(kin_barrier *barrier)
{
    struct barrier_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(barrier, &shared, &self);
    if (r < 0) {
        return r;
    }
    uint64_t phase = kin__barrier_lock(shared, self);
    if (kin__barrier_state(atomic_load(&shared->phase)) != BARRIER_FILLING ||
        shared->arrived_count > 0) {
        kin__barrier_break(shared, BARRIER_FILLING);
    }
    kin__barrier_unlock(shared, self, phase);
    return 0;
}

int kin_barrier_abort(kin_barrier *barrier)
{
    struct barrier_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(barrier, &shared, &self);
    if (r < 0) {
        return r;
    }
    uint64_t phase = kin__barrier_lock(shared, self);
    if (kin__barrier_is_open(atomic_load(&shared->phase))) {
        kin__barrier_break(shared, BARRIER_BROKEN);
    }
    kin__barrier_unlock(shared, self, phase);
    return 0;
}

uint32_t kin_barrier_party_count(const kin_barrier *barrier)
{
    struct barrier_shared *shared = NULL;
    struct kin__thread *self = NULL;
    return kin__object_enter(barrier, &shared, &self) < 0 ? 0 : atomic_load(&shared->party_count);
}

uint32_t kin_barrier_waiting_count(const kin_barrier *barrier)
{
    struct barrier_shared *shared = NULL;
    struct kin__thread *self = NULL;
    if (kin__object_enter(barrier, &shared, &self) < 0) {
        return 0;
    }
    uint64_t round = kin__barrier_round(atomic_load(&shared->phase));
    const _Atomic uint64_t *row = kin__barrier_row(shared, round);
    uint32_t count = 0;
    for (uint32_t i = 0; i < shared->capacity; i++) {
        uint64_t word = atomic_load(&row[i]);
        count += kin__arrival_is_of(word, round) && !(word & ARRIVAL_BROKEN);
    }
    return count;
}

bool kin_barrier_is_broken(const kin_barrier *barrier)
{
    struct barrier_shared *shared = NULL;
    struct kin__thread *self = NULL;
    return kin__object_enter(barrier, &shared, &self) == 0 &&
           !kin__barrier_is_open(atomic_load(&shared->phase));
}
