#include "sync/deadlock/cycle.h"

#include "family/death.h"
#include "sync/deadlock/wait.h"

#include <string.h>

/* The main thread of a process; 0: it is not known (any more). */
static uint32_t main_thread_of(uint32_t process)
{
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        const struct kin__member *member = kin__member_at(slot);
        uint64_t word = atomic_load(&member->word);
        if (kin__word_state(word) == KIN__MEMBER_LIVE &&
            kin__word_role(word) == KIN__MEMBER_THREAD && member->process == process &&
            member->tid == member->pid) {
            return kin__owner(slot, word);
        }
    }
    return 0;
}

/* Who has what is waited for; 0: nobody. */
static uint32_t holder_of(uint64_t edge)
{
    if (kin__wait_kind(edge) == KIN__WAIT_PROCESS) {
        return main_thread_of(kin__wait_target(edge));
    }
    const struct kin__mutex *mutex = kin__mutex_find(kin__wait_target(edge));
    uint32_t owner = mutex == NULL ? 0 : atomic_load(&mutex->holder) & KIN__OWNER_MASK;
    return kin__owner_slot(owner) == 0 ? 0 : owner;
}

/* Follows the chain from `first`; whether it comes back to it. */
static bool walk(uint32_t first, struct kin__deadlock_cycle *ret_cycle)
{
    uint32_t waiter = first;
    for (uint32_t i = 0; i < KIN__DEADLOCK_STEPS_MAX; i++) {
        const struct kin__member *member = kin__member_of(waiter);
        uint64_t edge = member == NULL ? 0 : atomic_load(&member->waits_for);
        if (kin__wait_kind(edge) == KIN__WAIT_NONE || edge & KIN__WAIT_MAY_END ||
            kin__member_state_of(waiter) != KIN__MEMBER_LIVE) {
            return false;
        }
        uint32_t holder = holder_of(edge);
        if (holder == 0 || holder == waiter) {
            return false;
        }
        ret_cycle->steps[i] = (struct kin__deadlock_step){edge, waiter, holder};
        ret_cycle->count = i + 1;
        if (holder == first) {
            return true;
        }
        waiter = holder;
    }
    return false;
}

/* Walks twice; again, if something moved meanwhile. */
static bool find_twice(uint32_t first, struct kin__deadlock_cycle *ret_cycle)
{
    struct kin__deadlock_cycle again;
    do {
        if (!walk(first, ret_cycle) || !walk(first, &again)) {
            return false;
        }
    } while (again.count != ret_cycle->count ||
             memcmp(again.steps, ret_cycle->steps, again.count * sizeof *again.steps) != 0);
    return true;
}

static bool is_anybody_dead(const struct kin__deadlock_cycle *cycle)
{
    for (uint32_t i = 0; i < cycle->count; i++) {
        const struct kin__member *member = kin__member_of(cycle->steps[i].waiter);
        if (member->process != kin__family.owner && kin__death_is_certain(member->process, 1)) {
            return true;
        }
    }
    return false;
}

bool kin__deadlock_is_reported(const struct kin__deadlock_cycle *cycle)
{
    for (uint32_t i = 0; i < cycle->count; i++) {
        if (cycle->steps[i].edge & KIN__WAIT_REPORTED) {
            return true;
        }
    }
    return false;
}

bool kin__deadlock_find(uint32_t owner, struct kin__deadlock_cycle *ret_cycle)
{
    return find_twice(owner, ret_cycle) && !is_anybody_dead(ret_cycle);
}
