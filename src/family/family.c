#include "family/family.h"

#include "family/call.h"
#include "family/death.h"
#include "family/keeper.h"
#include "family/member.h"
#include "family/reference.h"
#include "family/sleep.h"
#include "object/runtime.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* How often a thread looks again before it sleeps: some microseconds. */
#define SPIN_COUNT 100u

/* --- becoming a member --- */

static void name_member(struct kin__member *member, const char *name)
{
    snprintf(member->name, sizeof member->name, "%s", name);
}

static uint64_t start_pid_of(uint32_t owner, uint32_t pid)
{
    return (uint64_t)kin__owner_generation(owner) << 32 | pid;
}

/* Makes the slot this process's own and starts its keeper. -ESTALE: who had claimed the slot for it
 * is dead, and the slot reaped. */
static int take_slot(uint32_t owner)
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
    member->start_time = kin__os_process_start_time(kin__family.pid);
    atomic_store(&member->start_pid, start_pid_of(owner, kin__family.pid));
    if (!kin__member_move(owner, KIN__MEMBER_CLAIMED, KIN__MEMBER_LIVE, 0)) {
        return -ESTALE;
    }
    kin__death_tell(kin__death_next_of(owner)); /* its place in the ring is another now */
    return kin__keeper_start();
}

/* Gives up a slot that was taken, with all but the references; the keeper runs. */
static void give_up_slot(void)
{
    struct kin__thread *self = kin__self();
    kin__keeper_stop();
    if (self != NULL) { /* from here on this thread stands for the process */
        self->member = kin__family.member;
        self->owner = kin__family.owner;
        kin__death_end_process();
    } else {
        kin__member_free(kin__family.owner);
    }
    kin__thread_current = (struct kin__thread){0};
}

/* In no family, or the child of a plain fork: what is the parent's is not ours to free. */
static void forget_slot(void)
{
    kin__list_init(&kin__family.errands);
    kin__heap_forget();
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
    member->parent = kin__family.parent;
    name_member(member, "fork");
    atomic_store(&member->start_pid, start_pid_of(owner, kin__os_process_id()));
    uint32_t watcher = kin__death_watcher_of(owner);
    kin__member_move(owner, KIN__MEMBER_CLAIMED, KIN__MEMBER_CLAIMED, watcher);
    kin__death_tell(watcher);
    r = take_slot(owner);
    if (r == 0) {
        r = inherit(owner);
        if (r < 0) {
            give_up_slot();
        }
    } else if (r != -ESTALE) {
        kin__member_free(owner);
    }
    if (r < 0) {
        forget_slot();
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
}

static void lock_heap_for_fork(void)
{
    mtx_lock(&kin__family.errand_lock);
    mtx_lock(&kin__family.reap_lock);
    mtx_lock(&kin__heap.lock);
}

static void unlock_heap_after_fork(void)
{
    mtx_unlock(&kin__heap.lock);
    mtx_unlock(&kin__family.reap_lock);
    mtx_unlock(&kin__family.errand_lock);
}

static void unlock_references_after_fork(bool is_child)
{
    mtx_unlock(&kin__references.lock);
    mtx_unlock(&kin__family.enter_lock);
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
        lock_references_for_fork();
        lock_heap_for_fork();
    }
}

static void after_fork_parent(void)
{
    if (kin__family_is_open() && !kin__thread_current.is_forking) {
        unlock_heap_after_fork();
        unlock_references_after_fork(false);
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
    forget_slot();
    unlock_heap_after_fork();
    unlock_references_after_fork(true);
}

/* In the child of kin__family_fork. Whatever fails here, the process ends as if it had been
 * killed: nobody has seen it run. If its parent is dead and its slot reaped, there was no child. */
static void begin_child(uint32_t owner)
{
    kin__thread_current = (struct kin__thread){0};
    kin__list_init(&kin__family.errands);
    kin__heap_forget();
    kin__references_adopt();
    unlock_heap_after_fork();
    unlock_references_after_fork(true);
    uint32_t parent = kin__member_of(owner)->parent;
    if (take_slot(owner) < 0 || kin__thread_register() < 0) {
        kin__os_die();
    }
    struct kin__member *above = kin__member_of(parent);
    kin__count_raise_slow(&above->command, 1); /* there is a life word to watch now */
}

int kin__family_fork(const char *name, uint32_t flags, uint32_t *ret_owner)
{
    uint32_t owner = 0;
    int r = kin__thread_register();
    if (r == 0) {
        r = kin__member_claim(KIN__MEMBER_PROCESS, kin__family.owner, &owner);
    }
    if (r < 0) {
        return r;
    }
    struct kin__member *member = kin__member_of(owner);
    member->role = KIN__MEMBER_PROCESS;
    member->process = owner;
    member->parent = kin__family.owner;
    member->flags = flags;
    name_member(member, name);
    atomic_store(&member->start_pid, start_pid_of(owner, 0));
    kin__thread_current.is_forking = true;
    lock_references_for_fork();
    r = kin__references_copy(owner);
    if (r == 0) {
        lock_heap_for_fork();
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
    if (r < 0) {
        kin__member_free(owner);
        return r;
    }
    /* The child may have ended by now, and its slot be somebody else's: then this fails. */
    uint64_t unknown = start_pid_of(owner, 0);
    atomic_compare_exchange_strong(&member->start_pid, &unknown, start_pid_of(owner, (uint32_t)r));
    kin__keeper_tell();
    *ret_owner = owner;
    return r;
}

/* --- kin_init, kin_fini --- */

static void end_thread(void *user)
{
    (void)user;
    if (kin__family_is_open() && kin__family.pid != 0) {
        kin__thread_unregister();
    }
}

/* At the end of the process, threads of it run on, until the very end, beside this and behind it.
 * What they are at can be given back only when they can no longer go on with it: that is what
 * happens to a process that dies, so this one does not leave, it dies. */
static bool has_others_at_exit(bool is_exit)
{
    enum { SELF_AND_KEEPER = 2 };
    uint32_t count = is_exit ? kin__os_thread_count() : 1;
    return count == 0 || count > SELF_AND_KEEPER;
}

static void run_fini_hooks(bool has_others)
{
    for (int i = KIN__LAYER_COUNT; i-- > 0;) {
        const struct kin__layer_hooks *hooks = kin__layers[i];
        void (*hook)(void) = hooks == NULL ? NULL : has_others ? hooks->fini_beside : hooks->fini;
        if (hook != NULL) {
            hook();
        }
    }
}

static void leave(bool is_exit)
{
    if (!kin__family_is_open()) {
        return;
    }
    if (kin__family.pid != 0) {
        bool has_others = has_others_at_exit(is_exit);
        run_fini_hooks(has_others);
        if (has_others) {
            return;
        }
        if (kin__self() != NULL) {
            kin__references_free();
        }
        give_up_slot();
    }
    kin__references_forget();
    int fd = kin__family.fd;
    struct kin__memory memory = kin__family.memory;
    kin__thread_current = (struct kin__thread){0};
    forget_slot();
    kin__family.fd = -1;
    kin__family.generation++;
    if (!is_exit) { /* at exit, other threads may still sleep in there */
        kin__os_memory_unmap(memory.base, memory.bytes);
        kin__os_close(fd);
    }
}

void kin__family_leave_at_exit(void)
{
    leave(true);
}

void kin_fini(void)
{
    leave(false);
}

static int prepare_locks(void)
{
    bool is_done = mtx_init(&kin__family.enter_lock, mtx_plain) == thrd_success &&
                   mtx_init(&kin__family.reap_lock, mtx_plain) == thrd_success &&
                   mtx_init(&kin__family.errand_lock, mtx_plain) == thrd_success &&
                   mtx_init(&kin__heap.lock, mtx_plain) == thrd_success &&
                   mtx_init(&kin__references.lock, mtx_plain) == thrd_success &&
                   atexit(kin__family_leave_at_exit) == 0;
    return is_done ? 0 : -ENOMEM;
}

/* What a process needs once, whatever number of families it sees. No step can be undone, so after
 * a failure the next kin_init goes on behind the last one that succeeded. */
static int prepare_once(void)
{
    enum { LOCKS, THREAD_END, FORK_HOOKS, ALL };
    int r = 0;
    while (r == 0 && kin__family.prepared < ALL) {
        if (kin__family.prepared == LOCKS) {
            r = prepare_locks();
        } else if (kin__family.prepared == THREAD_END) {
            r = kin__os_thread_end_create(&kin__family.thread_end, end_thread);
        } else {
            r = kin__os_fork_hooks(before_fork, after_fork_parent, after_fork_child);
        }
        kin__family.prepared += r == 0;
    }
    return r;
}

static int found_family(uint64_t memory_bytes_max)
{
    int fd = -1;
    uint32_t owner = 0;
    int r = kin__memory_create(memory_bytes_max, &fd, &kin__family.memory);
    if (r < 0) {
        return r;
    }
    kin__family.fd = fd;
    kin__family.generation++;
    kin__family.spin_count = kin__os_cpu_count() > 1 ? SPIN_COUNT : 0;
    kin__list_init(&kin__references.objects);
    kin__list_init(&kin__family.errands);
    kin__handle_hooks = (struct kin__handle_hooks){kin__object_hold, kin__object_free};
    r = kin__member_claim(KIN__MEMBER_PROCESS, 0, &owner);
    if (r == 0) {
        name_member(kin__member_of(owner), "MainProcess");
        r = take_slot(owner);
    }
    if (r == 0) {
        atomic_store(&kin__family.is_entered, true);
        r = kin__thread_register();
        if (r < 0) {
            give_up_slot();
        }
    }
    if (r < 0) {
        forget_slot();
        kin__os_memory_unmap(kin__family.memory.base, kin__family.memory.bytes);
        kin__os_close(fd);
        kin__family.fd = -1;
    }
    return r;
}

int kin_init_with(int *argc, char ***argv, const kin_family_options *options)
{
    (void)argc; /* a spawned child will be told by them what it is */
    (void)argv;
    uint64_t bytes = KIN__MEMORY_BYTES_DEFAULT;
    if (options != NULL) {
        if (options->size != sizeof *options) {
            return -EINVAL;
        }
        bytes = options->memory_bytes_max != 0 ? options->memory_bytes_max : bytes;
    }
    if (bytes < KIN__MEMORY_BYTES_MIN || bytes > (uint64_t)1 << 46) {
        return -EINVAL;
    }
    if (kin__family_is_open()) {
        return 0;
    }
    int r = kin__function_check();
    if (r == 0) {
        r = prepare_once();
    }
    return r < 0 ? r : found_family(bytes);
}

int kin_init(int *argc, char ***argv)
{
    return kin_init_with(argc, argv, NULL);
}

uint32_t kin_cpu_count(void)
{
    return kin__os_cpu_count();
}

int64_t kin_now_ns(void)
{
    return kin__os_now_ns();
}
