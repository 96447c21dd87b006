/*
 * How a process gets its slot in the member table, and gives it up: a child that kin starts, a
 * child of a plain fork, and the first process.
 *
 * A child's slot is claimed and filled by who starts it, and taken over by the child:
 *
 *     prepared    CLAIMED by the starter, nobody runs: goes with the starter
 *     started     its process id is in `start_pid`; the starter's keeper looks for its end
 *     taken       CLAIMED by the child itself, and then LIVE: from here on nobody but its reaper
 *                 takes it away
 *
 * The starter takes back what it has prepared by one compare-and-swap of the word that the child
 * takes its slot by. So either there is a child, or it finds that it has no slot, and ends.
 */

#include "base/runtime.h"
#include "family/death.h"
#include "family/family.h"
#include "family/keeper.h"
#include "family/keeper/life.h"
#include "family/life/finalizer.h"
#include "family/life/fork_hook.h"
#include "family/life/interrupt.h"
#include "family/life/log.h"
#include "family/member.h"
#include "family/reference.h"
#include "family/sleep.h"
#include "os/process.h"

#include <errno.h>
#include <kin/error.h>
#include <stdio.h>
#include <string.h>

#define PLAIN_FORK_NAME "fork" /* of the child of a plain fork */

/* --- the slot --- */

void kin__child_name(uint32_t owner, const char *name)
{
    struct kin__member *member = kin__member_of(owner);
    snprintf(member->name, sizeof member->name, "%s", name);
}

static uint64_t start_pid_of(uint32_t owner, uint32_t pid)
{
    return (uint64_t)kin__owner_generation(owner) << 32 | pid;
}

void kin__child_identify(uint32_t owner, const char *identity)
{
    struct kin__member *member = kin__member_of(owner);
    snprintf(member->identity, sizeof member->identity, "%s", identity);
}

/* Says who the parent is, for later, when that may be dead and its slot another's. */
static void note_parent(struct kin__member *member, uint32_t parent)
{
    const struct kin__member *above = parent == 0 ? NULL : kin__member_of(parent);
    member->parent = parent;
    if (above != NULL) {
        member->parent_pid = above->pid;
        memcpy(member->parent_name, above->name, sizeof member->parent_name);
    }
    if (kin__member_state_of(parent) != KIN__MEMBER_LIVE) { /* of a plain fork, long ago */
        member->parent_pid = 0;
        member->parent_name[0] = '\0';
    }
}

int kin__child_prepare(const char *name, uint32_t flags, uint32_t *ret_owner)
{
    uint32_t owner = 0;
    int r = kin__thread_register();
    if (r == 0) {
        r = kin__member_claim(KIN__MEMBER_PROCESS, kin__family.owner, &owner);
    }
    if (r == 0) {
        r = kin__keeper_need_for_child();
        if (r < 0) {
            kin__member_free(owner);
        }
    }
    if (r < 0) {
        return r;
    }
    struct kin__member *member = kin__member_of(owner);
    kin__member_unwatch(member);
    member->role = KIN__MEMBER_PROCESS;
    member->process = owner;
    note_parent(member, kin__family.owner);
    /* The children of a daemon die with it, and theirs with them. */
    member->flags = flags | (kin__family.member->flags & KIN__MEMBER_DAEMON);
    kin__child_name(owner, name);
    atomic_store(&member->start_pid, start_pid_of(owner, 0));
    *ret_owner = owner;
    return 0;
}

void kin__child_started(uint32_t owner, uint32_t pid)
{
    /* The child may have ended by now, and its slot be somebody else's: then this fails. */
    uint64_t unknown = start_pid_of(owner, 0);
    atomic_compare_exchange_strong(&kin__member_of(owner)->start_pid, &unknown,
                                   start_pid_of(owner, pid));
    kin__keeper_expect();
}

uint32_t kin__child_pid(uint32_t owner)
{
    uint64_t start_pid = atomic_load(&kin__member_of(owner)->start_pid);
    bool is_its_own = start_pid >> 32 == kin__owner_generation(owner);
    return is_its_own ? (uint32_t)start_pid : 0;
}

bool kin__child_abandon(uint32_t owner)
{
    struct kin__member *member = kin__member_of(owner);
    uint32_t generation = kin__owner_generation(owner);
    uint64_t word = kin__member_word(KIN__MEMBER_CLAIMED, KIN__MEMBER_PROCESS, generation,
                                     kin__family.owner);
    if (!atomic_compare_exchange_strong(&member->word, &word,
                                        kin__member_word(KIN__MEMBER_REAPING, KIN__MEMBER_PROCESS,
                                                         generation, kin__family.owner))) {
        return false;
    }
    kin__heap_reap(owner); /* what was given to it */
    kin__member_free(owner);
    return true;
}

int kin__child_take(uint32_t owner)
{
    struct kin__member *member = kin__member_of(owner);
    kin__family.owner = owner;
    kin__family.member = member;
    kin__family.pid = kin__os_process_id();
    /* If the claimer is dead, the slot may be somebody else's by now. So nothing is written before
     * it is ours for certain, but who we are: under our generation, for those who will watch us. */
    uint64_t unknown = start_pid_of(owner, 0);
    atomic_compare_exchange_strong(&member->start_pid, &unknown,
                                   start_pid_of(owner, kin__family.pid));
    if (!kin__member_move(owner, KIN__MEMBER_CLAIMED, KIN__MEMBER_CLAIMED, owner)) {
        return -ESTALE;
    }
    member->role = KIN__MEMBER_PROCESS;
    member->process = owner;
    member->tid = member->pid = kin__family.pid;
    member->taken_ns = kin__os_process_clock();
    atomic_store(&member->start_pid, start_pid_of(owner, kin__family.pid));
    if (!kin__member_move(owner, KIN__MEMBER_CLAIMED, KIN__MEMBER_LIVE, 0)) {
        return -ESTALE;
    }
    bool needs_keeper = member->flags & KIN__MEMBER_DAEMON;
    return needs_keeper || kin__life_begin() < 0 ? kin__keeper_need() : 0;
}

void kin__child_give_up(void)
{
    struct kin__thread *self = kin__self();
    if (kin__keeper_runs()) { /* that another thread has started */
        kin__life_drop();
    }
    if (atomic_load(&kin__family.is_silent) && kin__life_is_here()) {
        kin__life_end(); /* it has claimed nothing */
        kin__thread_current = (struct kin__thread){0};
        return;
    }
    kin__keeper_stop();
    if (self != NULL) { /* from here on this thread stands for the process */
        self->member = kin__family.member;
        self->owner = kin__family.owner;
        kin__death_end_process();
    } else if (kin__life_is_here()) {
        kin__life_end();
    } else {
        kin__member_free(kin__family.owner);
    }
    kin__thread_current = (struct kin__thread){0};
}

void kin__child_forget(void)
{
    kin__heap_forget();
    kin__keeper_forget();
    kin__family.pid = 0;
    kin__family.owner = 0;
    kin__family.member = NULL;
    atomic_store(&kin__family.is_entered, false);
}

/* What the parent had open is open here, as far as it still exists. */
static int inherit(uint32_t owner)
{
    int r = kin__thread_register();
    if (r < 0) {
        return r;
    }
    mtx_lock(&kin__references.lock);
    r = kin__references_copy(owner);
    if (r == 0) {
        kin__references_adopt();
    }
    mtx_unlock(&kin__references.lock);
    return r;
}

/* Makes the child of a plain fork a member. Its watcher knows of it before it lives: from there on
 * its death is seen, whenever it comes. */
static int enter_after_fork(void)
{
    uint32_t owner = 0;
    int r = kin__member_claim(KIN__MEMBER_PROCESS, 0, &owner);
    if (r < 0) {
        return r;
    }
    struct kin__member *member = kin__member_of(owner);
    kin__member_unwatch(member);
    note_parent(member, kin__family.parent);
    kin__child_name(owner, PLAIN_FORK_NAME);
    atomic_store(&member->start_pid, start_pid_of(owner, kin__os_process_id()));
    uint32_t watcher = kin__death_watcher_of(owner);
    kin__member_move(owner, KIN__MEMBER_CLAIMED, KIN__MEMBER_CLAIMED, watcher);
    kin__death_tell(watcher);
    r = kin__child_take(owner);
    if (r == 0) {
        r = inherit(owner);
        if (r < 0) {
            kin__child_give_up();
        }
    } else if (r != -ESTALE) {
        kin__member_free(owner);
    }
    if (r < 0) {
        kin__child_forget();
    }
    return r;
}

int kin__family_enter(void)
{
    int r = 0;
    if (!kin__family_is_open()) {
        return KIN_EFAMILY;
    }
    if (atomic_load_explicit(&kin__family.is_entered, memory_order_acquire) ||
        kin__thread_current.is_entering) {
        return 0;
    }
    mtx_lock(&kin__family.enter_lock);
    if (!atomic_load(&kin__family.is_entered)) {
        kin__thread_current.is_entering = true;
        do {
            r = enter_after_fork();
        } while (r == -ESTALE); /* the watcher has just died */
        kin__thread_current.is_entering = false;
        atomic_store(&kin__family.is_entered, r == 0);
    }
    mtx_unlock(&kin__family.enter_lock);
    return r;
}

/* --- fork --- */

/* In two steps: between them the child's references are made, which takes the heap's lock. */
static void lock_references_for_fork(void)
{
    for (int i = KIN__LAYER_COUNT; i-- > 0;) {
        if (kin__layers[i] != NULL && kin__layers[i]->fork_before != NULL) {
            kin__layers[i]->fork_before();
        }
    }
    mtx_lock(&kin__family.enter_lock);
    mtx_lock(&kin__references.lock);
    mtx_lock(&kin__finalizers.lock);
    kin__log_lock();
    mtx_lock(&kin__weak_lock);
}

static void lock_heap_for_fork(void)
{
    mtx_lock(&kin__family.errand_lock);
    mtx_lock(&kin__family.reap_lock);
    mtx_lock(&kin__heap.lock);
    mtx_lock(&kin__family.keeper_lock);
}

static void unlock_heap_after_fork(void)
{
    mtx_unlock(&kin__family.keeper_lock);
    mtx_unlock(&kin__heap.lock);
    mtx_unlock(&kin__family.reap_lock);
    mtx_unlock(&kin__family.errand_lock);
}

static void unlock_references_after_fork(bool is_child)
{
    mtx_unlock(&kin__weak_lock);
    kin__log_unlock();
    mtx_unlock(&kin__finalizers.lock);
    mtx_unlock(&kin__references.lock);
    mtx_unlock(&kin__family.enter_lock);
    if (is_child) {
        kin__family.is_leaving = false;
        kin__finalizers_forget();
    }
    for (int i = 0; i < KIN__LAYER_COUNT; i++) {
        const struct kin__layer_hooks *hooks = kin__layers[i];
        void (*hook)(void) = hooks == NULL ? NULL
                             : is_child    ? hooks->fork_child
                                           : hooks->fork_parent;
        if (hook != NULL) {
            hook();
        }
    }
}

static void before_fork(void)
{
    if (kin__family_is_open() && !kin__thread_current.is_forking) {
        kin__fork_hooks_before();
        lock_references_for_fork();
        lock_heap_for_fork();
    }
}

static void after_fork_parent(void)
{
    if (kin__family_is_open() && !kin__thread_current.is_forking) {
        unlock_heap_after_fork();
        unlock_references_after_fork(false);
        if (kin__family.pid != 0 && !kin__family.is_leaving) {
            kin__keeper_need(); /* nobody says whether the child becomes a member, nor joins it */
        }
        kin__fork_hooks_after(false);
    }
}

/* The child of a plain fork becomes a member when it first uses kin. */
static void after_fork_child(void)
{
    if (!kin__family_is_open() || kin__thread_current.is_forking) {
        return;
    }
    kin__thread_current = (struct kin__thread){0};
    kin__family.parent = kin__family.owner != 0 ? kin__family.owner : kin__family.parent;
    kin__child_forget();
    kin__log_name(PLAIN_FORK_NAME);
    unlock_heap_after_fork();
    unlock_references_after_fork(true);
    kin__fork_hooks_after(true);
}

/* The slot is this process's: what it cannot do is noted for who has started it. */
static void tell_refusal(int code)
{
    const struct kin__layer_hooks *hooks = kin__layers[KIN__LAYER_PROCESS];
    if (code != -ESTALE && hooks != NULL && hooks->refuse != NULL) {
        hooks->refuse(code);
    }
}

int kin__child_begin(uint32_t owner)
{
    kin__interrupt_leave_to_others(); /* before there is a keeper to act on the parent's */
    int r = kin__child_take(owner);
    atomic_store(&kin__family.is_silent, r == 0);
    if (r == 0) {
        kin__log_name(kin__family.member->name);
        r = kin__keeper_runs() ? kin__thread_register() : 0;
    }
    if (r < 0) {
        tell_refusal(r);
    }
    return r;
}

/* Who has claimed the slot may have given it more than who forks. */
static void note_given(uint32_t owner)
{
    struct kin__member *member = kin__member_of(owner);
    if (kin__word_by(atomic_load(&member->word)) == kin__family.owner) {
        atomic_store(&member->given, kin__references_given());
    }
}

/* In the child of kin__child_fork. Whatever fails here, the process ends as if it had been
 * killed: nobody has seen it run. If its parent is dead and its slot reaped, there was no child. */
static void begin_child(uint32_t owner)
{
    kin__thread_current = (struct kin__thread){0};
    kin__heap_forget();
    kin__keeper_forget();
    kin__references_adopt();
    unlock_heap_after_fork();
    unlock_references_after_fork(true);
    if (kin__child_begin(owner) < 0) {
        kin__os_die();
    }
    kin__fork_hooks_after(true);
}

int kin__child_fork(uint32_t owner)
{
    kin__fork_hooks_before();
    kin__thread_current.is_forking = true;
    lock_references_for_fork();
    int r = kin__references_copy(owner);
    if (r == 0) {
        lock_heap_for_fork();
        note_given(owner);
        r = kin__os_fork();
        if (r == 0) {
            begin_child(owner);
            return 0;
        }
        unlock_heap_after_fork();
        kin__references_abandon(owner, r > 0);
    }
    unlock_references_after_fork(false);
    kin__thread_current.is_forking = false;
    kin__fork_hooks_after(false);
    return r;
}

int kin__family_fork(const char *name, uint32_t flags, uint32_t *ret_owner)
{
    uint32_t owner = 0;
    int r = kin__child_prepare(name, flags, &owner);
    if (r < 0) {
        return r;
    }
    r = kin__child_fork(owner);
    if (r < 0) {
        kin__member_free(owner);
    } else if (r > 0) {
        kin__child_started(owner, (uint32_t)r);
        *ret_owner = owner;
    }
    return r;
}

int kin__child_watch_forks(void)
{
    return kin__os_fork_hooks(before_fork, after_fork_parent, after_fork_child);
}
