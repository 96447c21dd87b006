#include "family/death.h"

#include "family/directory.h"
#include "family/heap.h"
#include "family/keeper.h"
#include "family/keeper/life.h"
#include "family/member.h"
#include "family/sleep.h"
#include "os/process.h"

bool kin__death_is_certain(uint32_t owner, int64_t deadline_ns)
{
    const struct kin__member *member = kin__member_of(owner);
    uint32_t state = kin__member_state_of(owner);
    if (state == KIN__MEMBER_FREE) {
        return false;
    }
    uint32_t pid = member->pid;
    if (pid == 0) { /* it is being started or freed: 0 also until its parent has written it */
        uint64_t start_pid = atomic_load(&member->start_pid);
        bool is_its_own = start_pid >> 32 == kin__owner_generation(owner);
        pid = is_its_own ? (uint32_t)start_pid : 0;
    }
    if (pid == 0) {
        return false;
    }
    bool has_no_keeper = atomic_load(&member->life) & KIN__OS_FUTEX_DIED;
    return kin__os_process_is_gone(pid, member->taken_ns, deadline_ns) ||
           (has_no_keeper && kin__os_process_has_unmapped(pid, kin__family.fd));
}

bool kin__death_has_come(uint32_t owner)
{
    uint32_t state = kin__member_state_of(owner);
    return state == KIN__MEMBER_FREE || state == KIN__MEMBER_REAPING ||
           atomic_load(&kin__member_of(owner)->life) & KIN__OS_FUTEX_DIED;
}

static void repair_object(uint32_t index, uint32_t dead)
{
    const struct kin__entry *entry = index == 0 ? NULL : kin__entry_at(index);
    if (entry == NULL || atomic_load(&entry->state) != KIN__ENTRY_LIVE ||
        entry->type >= KIN__TYPE_COUNT) {
        return;
    }
    const struct kin__type *type = kin__types[entry->type];
    uint64_t block = entry->block;
    if (type != NULL && type->repair != NULL && kin__block_capacity(block) != 0) {
        type->repair(index, kin__entry_object(entry), dead);
    }
}

/* Repairs all objects that a member may have claimed something in. */
static void repair_holdings(const struct kin__member *member, uint32_t dead)
{
    repair_object(atomic_load(&member->doing), dead);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        repair_object(atomic_load(&member->holdings[i]) & KIN__HOLDING_INDEX, dead);
    }
    if (atomic_load(&member->holding_overflow) != 0) {
        uint32_t used = atomic_load(&kin__shared()->directory.used);
        for (uint32_t index = 1; index < used; index++) {
            repair_object(index, dead);
        }
    }
}

static bool holds_anything(const struct kin__member *member)
{
    uint32_t any = atomic_load(&member->doing) | atomic_load(&member->holding_overflow);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        any |= atomic_load(&member->holdings[i]);
    }
    return any != 0;
}

/* Says to all that somebody died: after the repair, before anybody is woken. */
static void announce(void)
{
    atomic_fetch_add(&kin__shared()->death_count, 1);
    kin__os_futex_wake((_Atomic uint32_t *)(void *)&kin__shared()->death_count, UINT32_MAX);
    kin__sleep_wake_all();
    /* Who was not asleep yet is for the keepers. */
    uint32_t self = kin__family.owner;
    kin__death_tell(kin__keeper_runs() ? self : kin__death_watcher_of(self));
}

/* Moves a slot to REAPING by this process if it is as `word` says, and the owner's; also one that a
 * dead reaper has left. A child that has taken its slot over since is no longer what was seen. */
static bool claim(uint32_t owner, uint64_t word)
{
    uint32_t state = kin__word_state(word);
    uint32_t by = kin__word_by(word);
    if (kin__word_generation(word) != kin__owner_generation(owner) || state == KIN__MEMBER_FREE) {
        return false;
    }
    if (state == KIN__MEMBER_REAPING && by != kin__family.owner &&
        kin__member_state_of(by) != KIN__MEMBER_FREE && !kin__death_is_certain(by, 1)) {
        return false;
    }
    uint64_t claimed = kin__member_word(KIN__MEMBER_REAPING, kin__word_role(word),
                                        kin__word_generation(word), kin__family.owner);
    return atomic_compare_exchange_strong(&kin__member_of(owner)->word, &word, claimed);
}

/* Reaps the threads of a process, the slots that it had claimed for others, and the threads' slots
 * that it was about to free. True: one of them held something or was asleep; it may have been
 * woken for something that it will not come to take. */
static bool reap_members_of(uint32_t process)
{
    bool has_held = false;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        struct kin__member *member = kin__member_at(slot);
        uint64_t word = atomic_load(&member->word);
        uint32_t owner = kin__owner(slot, word);
        bool is_thread = kin__word_role(word) == KIN__MEMBER_THREAD && member->process == process;
        bool is_half_freed = kin__word_state(word) == KIN__MEMBER_REAPING &&
                             kin__word_role(word) == KIN__MEMBER_THREAD;
        bool is_unfinished = (kin__word_state(word) == KIN__MEMBER_CLAIMED || is_half_freed) &&
                             kin__word_by(word) == process;
        if (owner == process || !(is_thread || is_unfinished) || !claim(owner, word)) {
            continue;
        }
        has_held |= holds_anything(member) || atomic_load(&member->sleeping_on) != 0;
        repair_holdings(member, owner);
        if (kin__word_role(word) == KIN__MEMBER_PROCESS) { /* a child that was never started */
            kin__heap_reap(owner);
        }
        kin__member_free(owner);
    }
    return has_held;
}

bool kin__death_is_listening(uint32_t owner)
{
    const struct kin__member *member = owner == 0 ? NULL : kin__member_of(owner);
    uint64_t word = member == NULL ? 0 : atomic_load(&member->word);
    return kin__word_generation(word) == kin__owner_generation(owner) &&
           kin__word_state(word) == KIN__MEMBER_LIVE &&
           kin__word_role(word) == KIN__MEMBER_PROCESS &&
           atomic_load(&member->life_next) & KIN__OS_FUTEX_WAITERS &&
           !(atomic_load(&member->life) & KIN__OS_FUTEX_DIED);
}

void kin__death_tell(uint32_t process)
{
    struct kin__member *member = process == 0 ? NULL : kin__member_of(process);
    if (member != NULL) {
        kin__count_raise_slow(&member->command, 1);
    }
}

/* The process with a keeper that is nearest to an owner's slot, going up the table or down, and
 * around its end; 0: there is no other. */
static uint32_t find_neighbour(uint32_t owner, bool is_up)
{
    uint32_t used = atomic_load(&kin__shared()->members.used);
    uint32_t slot = kin__owner_slot(owner);
    for (uint32_t i = 1; i < used; i++) {
        slot = is_up ? slot + 1 : slot - 1;
        slot = slot == 0 || slot > used ? used - 1 : slot == used ? 1 : slot;
        uint32_t neighbour = kin__owner(slot, atomic_load(&kin__member_at(slot)->word));
        if (slot != kin__owner_slot(owner) && kin__death_is_listening(neighbour)) {
            return neighbour;
        }
    }
    return 0;
}

uint32_t kin__death_next_of(uint32_t owner)
{
    return find_neighbour(owner, true);
}

uint32_t kin__death_previous_of(uint32_t owner)
{
    return find_neighbour(owner, false);
}

void kin__death_tell_children(uint32_t owner, uint32_t except)
{
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        const struct kin__member *member = kin__member_at(slot);
        uint32_t child = kin__owner(slot, atomic_load(&member->word));
        if (member->parent == owner && child != except && kin__death_is_listening(child)) {
            kin__death_tell(child);
        }
    }
}

/* The process that now watches over the children of the dead looks at the table anew. */
static void tell_heir(void)
{
    uint32_t heir = kin__death_watcher_of(0);
    kin__death_tell(heir);
    kin__death_tell(heir == 0 ? 0 : kin__death_watcher_of(heir)); /* nobody is his own watcher */
}

static void reap(uint32_t owner);

/* Goes on with the processes that the dead was reaping when it died. */
static void continue_reaping_of(uint32_t dead)
{
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        uint64_t word = atomic_load(&kin__member_at(slot)->word);
        if (kin__word_state(word) == KIN__MEMBER_REAPING && kin__word_by(word) == dead &&
            kin__word_role(word) == KIN__MEMBER_PROCESS && slot != kin__owner_slot(dead)) {
            reap(kin__owner(slot, word));
        }
    }
}

/* The order matters to a reaper that goes on after this one: the slot of the process is freed
 * last, and until then all of this is found and done again. What it was freeing comes first: that
 * may have been another's before, who died at it, and leads to blocks that are still that one's. */
static void reap(uint32_t owner)
{
    const struct kin__member *member = kin__member_of(owner);
    if (!claim(owner, atomic_load(&member->word))) {
        return;
    }
    uint64_t given = atomic_load(&member->given);
    if (given != 0) { /* it has nothing else; but it may have died before it woke somebody */
        kin__block_free(given, kin__block_of_member(owner));
        announce();
        kin__member_free(owner);
        return;
    }
    kin__death_tell_children(owner, 0);
    kin__directory_reap(owner);
    continue_reaping_of(owner);
    reap_members_of(owner);
    repair_holdings(member, owner);
    kin__heap_reap(owner);
    announce();
    kin__member_free(owner);
    kin__death_tell(kin__death_next_of(owner));
    tell_heir();
}

bool kin__death_reap(uint32_t owner)
{
    mtx_lock(&kin__family.reap_lock);
    reap(owner);
    mtx_unlock(&kin__family.reap_lock);
    return kin__member_state_of(owner) == KIN__MEMBER_FREE;
}

void kin__death_end_thread(uint32_t owner)
{
    struct kin__member *member = kin__member_of(owner);
    bool is_death = holds_anything(member);
    if (!kin__member_move(owner, KIN__MEMBER_LIVE, KIN__MEMBER_REAPING, kin__family.owner)) {
        return;
    }
    if (is_death) {
        repair_holdings(member, owner);
    }
    kin__member_free(owner);
    if (is_death) {
        announce();
    }
}

void kin__death_end_process(void)
{
    uint32_t owner = kin__family.owner;
    const struct kin__member *member = kin__member_of(owner);
    bool is_death = reap_members_of(owner);
    if (holds_anything(member)) { /* what its threads have left to it */
        repair_holdings(member, owner);
        is_death = true;
    }
    kin__directory_reap(owner);
    kin__heap_reap(owner);
    if (is_death) { /* somebody may wait for what it held */
        announce();
    }
    if (kin__life_is_here()) {
        kin__life_end();
        return; /* it has watched over nobody */
    }
    kin__member_free(owner);
    kin__death_tell(kin__death_next_of(owner));
    tell_heir();
}

uint32_t kin__death_watcher_of(uint32_t owner)
{
    const struct kin__member *member = owner == 0 ? NULL : kin__member_of(owner);
    if (member != NULL && kin__death_is_listening(member->parent)) {
        return member->parent;
    }
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        uint32_t candidate = kin__owner(slot, atomic_load(&kin__member_at(slot)->word));
        if (candidate != owner && kin__death_is_listening(candidate)) {
            return candidate;
        }
    }
    return 0;
}
