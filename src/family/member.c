#include "family/member.h"

#include "family/death.h"
#include "family/family.h"
#include "family/keeper.h"
#include "os/process.h"
#include "os/thread.h"

#include <errno.h>
#include <string.h>

/* Slots are searched from the start: the table stays as short as the family is small. */
static int claim(enum kin__member_role role, uint32_t by, uint32_t *ret_owner)
{
    struct kin__region *members = &kin__shared()->members;
    for (uint32_t slot = 1; slot < members->capacity; slot++) {
        if (slot >= atomic_load(&members->used)) {
            if (kin__region_commit(members, slot + 1) < 0) {
                return -ENOMEM;
            }
            kin__region_use(members, slot + 1);
        }
        struct kin__member *member = kin__member_at(slot);
        uint64_t word = atomic_load(&member->word);
        if (kin__word_state(word) != KIN__MEMBER_FREE) {
            continue;
        }
        uint32_t generation = kin__word_generation(word) % 0x3fff + 1; /* 1 .. 0x3fff */
        uint64_t claimed = kin__member_word(KIN__MEMBER_CLAIMED, role, generation, by);
        if (atomic_compare_exchange_strong(&member->word, &word, claimed)) {
            *ret_owner = kin__owner(slot, claimed);
            return 0;
        }
    }
    return -ENOMEM;
}

int kin__member_claim(enum kin__member_role role, uint32_t by, uint32_t *ret_owner)
{
    int r = claim(role, by, ret_owner);
    if (r == -ENOMEM && kin__keeper_look_if_unwatched()) { /* the dead have slots */
        r = claim(role, by, ret_owner);
    }
    return r;
}

bool kin__member_move(uint32_t owner, uint32_t from, uint32_t to, uint32_t by)
{
    struct kin__member *member = kin__member_of(owner);
    uint64_t word = atomic_load(&member->word);
    while (kin__word_generation(word) == kin__owner_generation(owner) &&
           kin__word_state(word) == from) {
        uint64_t moved = kin__member_word(to, kin__word_role(word), kin__word_generation(word), by);
        if (atomic_compare_exchange_weak(&member->word, &word, moved)) {
            return true;
        }
    }
    return false;
}

uint32_t kin__member_state_of(uint32_t owner)
{
    const struct kin__member *member = kin__member_of(owner);
    uint64_t word = member == NULL ? 0 : atomic_load(&member->word);
    return kin__word_generation(word) == kin__owner_generation(owner) ? kin__word_state(word)
                                                                      : KIN__MEMBER_FREE;
}

void kin__member_free(uint32_t owner)
{
    struct kin__member *member = kin__member_of(owner);
    uint64_t word = atomic_load(&member->word);
    if (kin__word_generation(word) != kin__owner_generation(owner)) {
        return;
    }
    /* `parent` and `watcher` stay until a process claims the slot: killed in here, this one is
     * still its parent's to find; killed behind it, who watches is still to be woken. */
    member->role = 0;
    member->pid = 0;
    member->tid = 0;
    member->process = 0;
    member->taken_ns = 0;
    atomic_store(&member->given, 0);
    member->flags = 0;
    member->record = 0;
    memset(member->name, 0, sizeof member->name);
    memset(member->identity, 0, sizeof member->identity);
    memset(member->parent_name, 0, sizeof member->parent_name);
    atomic_store(&member->child_count, 0);
    atomic_store(&member->life, 0);
    atomic_store(&member->life_next, 0);
    atomic_store(&member->sleeping_on, 0);
    atomic_store(&member->doing, 0);
    atomic_store(&member->waits_for, 0);
    atomic_store(&member->line, 0);
    atomic_store(&member->line_ticket, 0);
    atomic_store(&member->wait_place, 0);
    atomic_store(&member->trim_wish, 0);
    atomic_store(&member->span_count, 0);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        atomic_store(&member->holdings[i], 0);
    }
    atomic_store(&member->holding_overflow, 0);
    atomic_store(&member->read_count, 0);
    atomic_store(&member->word,
                 kin__member_word(KIN__MEMBER_FREE, 0, kin__word_generation(word), 0));
}

void kin__member_unwatch(struct kin__member *member)
{
    uint32_t watcher = atomic_load(&member->watcher);
    atomic_store(&member->watcher, 0);
    if (watcher != 0 && watcher != kin__family.owner) { /* its own keeper is about to look */
        kin__os_futex_wake(&member->life, UINT32_MAX);
    }
}

int kin__thread_register(void)
{
    struct kin__thread *self = &kin__thread_current;
    struct kin__os_robust robust = {0};
    uint32_t owner = 0;
    if (self->generation == kin__family.generation) {
        return 0;
    }
    int r = kin__family_enter();
    if (r == 0 && self->generation == kin__family.generation) {
        return 0; /* registered in there, to take over what the parent has open */
    }
    if (r == 0) {
        r = kin__os_robust_find(&robust);
    }
    if (r == 0) {
        r = kin__os_thread_end_set(kin__family.thread_end, self);
    }
    if (r == 0) {
        kin__keeper_break_silence();
        r = kin__member_claim(KIN__MEMBER_THREAD, kin__family.owner, &owner);
    }
    if (r < 0) {
        return r;
    }
    struct kin__member *member = kin__member_of(owner);
    member->role = KIN__MEMBER_THREAD;
    member->pid = kin__family.pid;
    member->tid = kin__os_thread_id();
    member->process = kin__family.owner;
    kin__member_move(owner, KIN__MEMBER_CLAIMED, KIN__MEMBER_LIVE, 0);
    *self = (struct kin__thread){.generation = kin__family.generation,
                                 .member = member,
                                 .owner = owner,
                                 .id = member->tid,
                                 .robust = robust,
                                 .is_entering = self->is_entering};
    return 0;
}

void kin__thread_unregister(void)
{
    struct kin__thread *self = &kin__thread_current;
    if (self->generation == kin__family.generation && self->owner != kin__family.owner) {
        kin__death_end_thread(self->owner);
    }
    *self = (struct kin__thread){0};
}

void kin__holding_add_slow(struct kin__thread *self, uint32_t index)
{
    _Atomic uint32_t *holdings = self->member->holdings;
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        if (atomic_load_explicit(&holdings[i], memory_order_relaxed) == 0) {
            atomic_store_explicit(&holdings[i], index, memory_order_release);
            return;
        }
    }
    atomic_fetch_add(&self->member->holding_overflow, 1);
}

void kin__holding_note(struct kin__thread *self, uint32_t index)
{
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        if (atomic_load_explicit(&self->member->holdings[i], memory_order_relaxed) == index) {
            return;
        }
    }
    kin__holding_add(self, index);
}

void kin__holding_remove_slow(struct kin__thread *self, uint32_t index)
{
    _Atomic uint32_t *holdings = self->member->holdings;
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        if (atomic_load_explicit(&holdings[i], memory_order_relaxed) == index) {
            atomic_store_explicit(&holdings[i], 0, memory_order_release);
            return;
        }
    }
    atomic_fetch_sub(&self->member->holding_overflow, 1);
}
