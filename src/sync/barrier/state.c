#include "sync/barrier/barrier.h"

#include "family/lock.h"
#include "family/sleep.h"

static uint64_t round_of(const struct barrier_shared *shared)
{
    return kin__barrier_round(atomic_load(&shared->phase));
}

static void set_phase(struct barrier_shared *shared, uint64_t round, enum barrier_state state)
{
    atomic_store(&shared->phase, round << 2 | state);
}

static void begin_round(struct barrier_shared *shared, uint64_t round)
{
    set_phase(shared, round, BARRIER_FILLING);
    shared->arrived_count = 0;
}

void kin__barrier_break(struct barrier_shared *shared, enum barrier_state state)
{
    uint64_t round = round_of(shared);
    _Atomic uint64_t *row = kin__barrier_row(shared, round);
    for (uint32_t i = 0; i < shared->capacity; i++) {
        uint64_t word = atomic_load(&row[i]);
        if (kin__arrival_is_of(word, round)) { /* its owner may just leave a broken round */
            atomic_compare_exchange_strong(&row[i], &word, word | ARRIVAL_BROKEN);
        }
    }
    if (state == BARRIER_FILLING) {
        begin_round(shared, round + 1);
    } else {
        set_phase(shared, round, BARRIER_BROKEN);
    }
}

/* Makes the arrivals of a round that goes on the first of their row, each there once, and counts
 * them. Who moved one and was killed has left it twice: at its new place and as the last. */
static void tidy(struct barrier_shared *shared)
{
    uint64_t round = round_of(shared);
    _Atomic uint64_t *row = kin__barrier_row(shared, round);
    uint32_t end = shared->capacity;
    while (end > 0 && !kin__arrival_is_of(atomic_load(&row[end - 1]), round)) {
        end--;
    }
    for (uint32_t i = 0; i + 1 < end; i++) {
        if (atomic_load(&row[i]) == atomic_load(&row[end - 1])) {
            atomic_store(&row[--end], 0);
        }
    }
    for (uint32_t i = 0; i < end; i++) {
        if (atomic_load(&row[i]) == 0) {
            atomic_store(&row[i], atomic_load(&row[end - 1]));
            atomic_store(&row[--end], 0);
        }
        while (end > 0 && atomic_load(&row[end - 1]) == 0) {
            end--;
        }
    }
    shared->arrived_count = end;
}

/* Clears the words that name an owner; those of an open round only if it is not needed there. */
static void clear_owner(struct barrier_shared *shared, uint32_t owner)
{
    _Atomic uint32_t *members = kin__barrier_members(shared);
    for (uint32_t i = 0; i < 2 * shared->capacity; i++) {
        if (kin__arrival_owner(atomic_load(&shared->arrivals[i])) == owner) {
            atomic_store(&shared->arrivals[i], 0);
        }
    }
    for (uint32_t i = 0; i < shared->capacity; i++) {
        if (atomic_load(&members[i]) == owner) {
            atomic_store(&members[i], 0);
        }
    }
}

static void add_member(struct barrier_shared *shared, uint32_t owner)
{
    _Atomic uint32_t *members = kin__barrier_members(shared);
    uint32_t place = shared->capacity;
    for (uint32_t i = 0; i < shared->capacity; i++) {
        uint32_t member = atomic_load(&members[i]);
        if (member == owner) {
            return;
        }
        place = member == 0 ? i : place;
    }
    if (place < shared->capacity) {
        atomic_store(&members[place], owner);
    }
}

/* Does what is written down. Can be cut off and done again. */
static void apply_change(struct barrier_shared *shared)
{
    uint32_t change = atomic_load(&shared->change_owner);
    uint32_t owner = change & KIN__OWNER_MASK;
    if (change == 0) {
        return;
    }
    atomic_store(&shared->party_count, shared->change_goal);
    if (change & BARRIER_JOINS) {
        add_member(shared, owner);
    } else {
        clear_owner(shared, owner);
    }
    atomic_store(&shared->change_owner, 0);
}

static void change(struct barrier_shared *shared, uint32_t goal, uint32_t owner)
{
    shared->change_goal = goal;
    atomic_store(&shared->change_owner, owner);
    apply_change(shared);
}

void kin__barrier_add(struct barrier_shared *shared, uint32_t owner, uint32_t joined_count)
{
    uint32_t party_count = atomic_load(&shared->party_count);
    if (joined_count < party_count) {
        add_member(shared, owner);
    } else {
        change(shared, party_count + 1, owner | BARRIER_JOINS);
    }
}

void kin__barrier_remove(struct barrier_shared *shared, uint32_t owner)
{
    uint32_t party_count = atomic_load(&shared->party_count);
    change(shared, party_count == 0 ? 0 : party_count - 1, owner);
    if (kin__barrier_is_open(atomic_load(&shared->phase))) {
        tidy(shared);
    }
}

/* After the death of the lock's holder. */
static void rebuild(struct barrier_shared *shared)
{
    apply_change(shared);
    uint64_t round = round_of(shared);
    _Atomic uint64_t *row = kin__barrier_row(shared, round);
    if (!kin__barrier_is_open(atomic_load(&shared->phase))) {
        return;
    }
    tidy(shared);
    for (uint32_t i = 0; i < shared->arrived_count; i++) {
        if (atomic_load(&row[i]) & ARRIVAL_BROKEN) { /* it was about to break the round */
            kin__barrier_break(shared, BARRIER_BROKEN);
            return;
        }
    }
}

uint64_t kin__barrier_lock(struct barrier_shared *shared, struct kin__thread *self)
{
    bool has_died = kin__lock_acquire(&shared->lock, self) == KIN_OWNER_DIED;
    uint64_t phase = atomic_load(&shared->phase);
    if (has_died) {
        rebuild(shared);
    }
    return phase;
}

void kin__barrier_unlock(struct barrier_shared *shared, struct kin__thread *self, uint64_t phase)
{
    bool has_changed = atomic_load(&shared->phase) != phase;
    kin__lock_release(&shared->lock, self);
    if (has_changed) {
        kin__count_raise(&shared->count, UINT32_MAX);
    }
}

static bool is_named(struct barrier_shared *shared, uint32_t owner)
{
    uint64_t phase = atomic_load(&shared->phase);
    uint64_t round = kin__barrier_round(phase);
    const _Atomic uint64_t *row = kin__barrier_row(shared, round);
    const _Atomic uint32_t *members = kin__barrier_members(shared);
    for (uint32_t i = 0; i < shared->capacity; i++) {
        uint64_t word = atomic_load(&row[i]);
        if (atomic_load(&members[i]) == owner ||
            (kin__barrier_is_open(phase) && kin__arrival_is_of(word, round) &&
             kin__arrival_owner(word) == owner)) {
            return true;
        }
    }
    return false;
}

void kin__barrier_bury(struct barrier_shared *shared, uint32_t dead)
{
    bool has_acted = kin__barrier_actor(shared) == dead;
    bool is_party = has_acted || is_named(shared, dead);
    if (is_party && (has_acted || shared->on_death == KIN_BARRIER_BREAK) &&
        kin__barrier_is_open(atomic_load(&shared->phase))) {
        kin__barrier_break(shared, BARRIER_BROKEN);
    }
    if (is_party && shared->on_death == KIN_BARRIER_SHRINK) {
        kin__barrier_remove(shared, dead);
    }
    clear_owner(shared, dead);
}

/* Whether the process of one that came is dying or dead: the kernel says so before anybody else
 * can know, and the reaper may not have come yet. */
static bool is_dead(uint32_t owner)
{
    const struct kin__member *member = kin__member_of(owner);
    const struct kin__member *process = NULL;
    if (kin__member_state_of(owner) != KIN__MEMBER_FREE) {
        process = kin__member_of(member->process);
    }
    return process == NULL || (atomic_load(&process->life) & KIN__OS_FUTEX_DIED) != 0;
}

static void bury_arrivals(struct barrier_shared *shared)
{
    uint64_t phase = atomic_load(&shared->phase);
    const _Atomic uint64_t *row = kin__barrier_row(shared, kin__barrier_round(phase));
    uint32_t i = 0;
    while (i < shared->arrived_count && atomic_load(&shared->phase) == phase) {
        uint32_t owner = kin__arrival_owner(atomic_load(&row[i]));
        if (is_dead(owner)) {
            kin__barrier_bury(shared, owner); /* another may stand at its place now */
        } else {
            i++;
        }
    }
}

static bool is_full(const struct barrier_shared *shared)
{
    return shared->arrived_count > 0 && shared->arrived_count >= atomic_load(&shared->party_count);
}

void kin__barrier_settle(struct barrier_shared *shared)
{
    uint64_t round = round_of(shared);
    if (kin__barrier_state(atomic_load(&shared->phase)) == BARRIER_ACTING &&
        shared->arrived_count == 0) { /* all died before one of them could run the action */
        begin_round(shared, round + 1);
    }
    if (kin__barrier_state(atomic_load(&shared->phase)) != BARRIER_FILLING || !is_full(shared)) {
        return;
    }
    bury_arrivals(shared);
    if (kin__barrier_state(atomic_load(&shared->phase)) != BARRIER_FILLING || !is_full(shared)) {
        return;
    }
    if (shared->action[0] != '\0') {
        atomic_store(&shared->actor, 0); /* before: it has a meaning only in ACTING */
        set_phase(shared, round, BARRIER_ACTING);
    } else {
        begin_round(shared, round + 1);
    }
}

void kin__barrier_finish_action(struct barrier_shared *shared, int result)
{
    uint64_t phase = atomic_load(&shared->phase);
    if (result < 0) {
        kin__barrier_break(shared, BARRIER_BROKEN);
        return;
    }
    bury_arrivals(shared);
    if (atomic_load(&shared->phase) == phase) {
        begin_round(shared, kin__barrier_round(phase) + 1);
    }
}
