/*
 * Members as the program may see them. Everything is read from the table without any lock; the
 * word of a slot, read before and after, tells whether it was the same member's all the while.
 */
#include "family/death.h"
#include "family/keeper.h"
#include "process/state.h"
#include "sync/deadlock.h"

#include <errno.h>
#include <kin/member.h>
#include <string.h>

const char *kin_state_name(kin_state state)
{
    static const char *const names[] = {"unknown", "new",     "ready",
                                        "running", "blocked", "terminated"};
    return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : names[0];
}

static bool is_blocked(const struct kin__member *member)
{
    struct kin__deadlock_wait wait = kin__deadlock_wait_of(member);
    return atomic_load(&member->sleeping_on) != 0 || wait.object != 0 || wait.process != 0;
}

/* Whether a process has threads in the table, and none of them runs. */
static bool has_only_sleepers(uint32_t process)
{
    bool has_sleepers = false;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        const struct kin__member *member = kin__member_at(slot);
        uint64_t word = atomic_load(&member->word);
        bool is_its = kin__word_role(word) == KIN__MEMBER_THREAD && member->process == process &&
                      kin__word_state(word) == KIN__MEMBER_LIVE;
        if (is_its && !is_blocked(member)) {
            return false;
        }
        has_sleepers |= is_its;
    }
    return has_sleepers;
}

kin_state kin__state_of(uint32_t owner)
{
    const struct kin__member *member = kin__member_of(owner);
    uint32_t state = kin__member_state_of(owner);
    if (member == NULL || state == KIN__MEMBER_FREE || state == KIN__MEMBER_REAPING ||
        kin__death_has_come(member->role == KIN__MEMBER_PROCESS ? owner : member->process)) {
        return KIN_STATE_TERMINATED;
    }
    if (state == KIN__MEMBER_CLAIMED) {
        return KIN_STATE_READY;
    }
    bool sleeps = member->role == KIN__MEMBER_PROCESS ? has_only_sleepers(owner)
                                                      : is_blocked(member);
    return sleeps ? KIN_STATE_BLOCKED : KIN_STATE_RUNNING;
}

/* The object in whose block a word lies; 0: none. */
static uint32_t find_object(uint64_t offset)
{
    uint32_t used = atomic_load(&kin__shared()->directory.used);
    for (uint32_t index = 1; index < used; index++) {
        const struct kin__entry *entry = kin__entry_at(index);
        uint64_t block = entry == NULL ? 0 : entry->block;
        if (block != 0 && atomic_load(&entry->state) == KIN__ENTRY_LIVE && offset >= block &&
            offset - block < kin__block_capacity(block)) {
            return index;
        }
    }
    return 0;
}

static void tell_object(kin_member *member, uint32_t index)
{
    const struct kin__entry *entry = index == 0 ? NULL : kin__entry_at(index);
    if (entry == NULL || atomic_load(&entry->state) != KIN__ENTRY_LIVE ||
        entry->type >= KIN__TYPE_COUNT || kin__types[entry->type] == NULL) {
        return;
    }
    member->waits_for = kin__types[entry->type]->name;
    member->object = (kin_handle){
        .index = index, .family = kin__shared()->family, .counter = entry->counter};
    const struct kin__mutex *mutex = kin__mutex_find(index);
    if (mutex != NULL) {
        member->holder = atomic_load(&mutex->holder) & KIN__OWNER_MASK;
    }
}

static void tell_wait(kin_member *member, const struct kin__member *slot)
{
    struct kin__deadlock_wait wait = kin__deadlock_wait_of(slot);
    uint64_t offset = atomic_load(&slot->sleeping_on);
    if (wait.process != 0) {
        member->waits_for = "process";
        member->holder = wait.process;
    } else if (wait.object != 0) {
        tell_object(member, wait.object);
    } else if (offset != 0) {
        tell_object(member, find_object(offset));
    }
}

static uint32_t count_claims(const struct kin__member *slot)
{
    uint32_t count = atomic_load(&slot->holding_overflow);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        count += atomic_load(&slot->holdings[i]) != 0;
    }
    return count;
}

/* The name of a process; another process has written it, it need not end. */
static void tell_name(kin_member *member, uint32_t process)
{
    const struct kin__member *slot = kin__member_of(process);
    if (slot != NULL) {
        memcpy(member->name, slot->name, sizeof member->name - 1);
    }
}

/* Whether there is a member in the slot, and it stayed the same. */
static bool tell(uint32_t slot, kin_member *ret_member)
{
    const struct kin__member *from = kin__member_at(slot);
    uint64_t word = atomic_load(&from->word);
    uint32_t owner = kin__owner(slot, word);
    if (kin__word_state(word) == KIN__MEMBER_FREE) {
        return false;
    }
    bool is_process = kin__word_role(word) == KIN__MEMBER_PROCESS;
    uint32_t process = is_process ? owner : from->process;
    uint32_t parent = is_process ? from->parent : 0;
    *ret_member = (kin_member){.id = owner,
                               .process_id = process,
                               .is_process = is_process,
                               .state = kin__state_of(owner),
                               .pid = (int32_t)from->pid,
                               .tid = (int32_t)from->tid,
                               .claim_count = count_claims(from)};
    if (parent != 0 && kin__member_state_of(parent) != KIN__MEMBER_FREE) {
        ret_member->parent_id = parent;
    }
    tell_name(ret_member, process);
    if (ret_member->state == KIN_STATE_BLOCKED && !is_process) {
        tell_wait(ret_member, from);
    }
    return kin__word_generation(atomic_load(&from->word)) == kin__word_generation(word);
}

int kin_members(kin_member *members, size_t capacity)
{
    struct kin__thread *self = NULL;
    int r = members == NULL && capacity != 0 ? -EINVAL : kin__self_find(&self);
    if (r < 0) {
        return r;
    }
    kin__keeper_mind(); /* that the dead are dead is told by who reaps them */
    size_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        kin_member member;
        if (tell(slot, &member)) {
            if (count < capacity) {
                members[count] = member;
            }
            count++;
        }
    }
    return (int)count;
}
