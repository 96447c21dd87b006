#include "family/family.h"

#include "family/call.h"
#include "family/keeper.h"
#include "family/keeper/life.h"
#include "family/life/finalizer.h"
#include "family/life/interrupt.h"
#include "family/life/log.h"
#include "family/member.h"
#include "family/reference.h"
#include "object/runtime.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/thread.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/timeout.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* How often a thread looks again before it sleeps: some microseconds. */
#define SPIN_COUNT 100u

#define FIRST_NAME "MainProcess"

#define NO_STATUS INT_MIN /* nobody knows it, or the process does not end */

static void end_thread(void *user)
{
    (void)user;
    if (kin__family_is_open() && kin__family.pid != 0) {
        kin__thread_unregister();
        if (kin__life_is_here()) {
            kin__keeper_need(); /* none: it looks dead to its watcher, which sees that it is not */
            kin__life_drop();
        }
    }
}

/* At the end of the process, threads of it run on, until the very end, beside this and behind it.
 * What they are at can be given back only when they can no longer go on with it: that is what
 * happens to a process that dies, so this one does not leave, it dies. */
static bool has_others_at_exit(bool is_exit)
{
    if (kin__life_is_elsewhere()) {
        return true;
    }
    if (!is_exit || kin__os_thread_is_alone()) {
        return false;
    }
    uint32_t count = kin__os_thread_count();
    return count == 0 || count > 1 + (uint32_t)kin__keeper_runs();
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

/* What the program has to do at its end, and between that its children's. True: all is done; false:
 * other threads run on. Which there are is looked at when the first finalizers may have ended some.
 * The messages are those of Python's multiprocessing. */
static bool shut_down(bool is_exit)
{
    KIN__LOG(KIN_LOG_INFO, "process shutting down");
    KIN__LOG(KIN_LOG_DEBUG, "running all \"atexit\" finalizers with priority >= 0");
    kin__finalizers_run(0);
    bool has_others = has_others_at_exit(is_exit);
    run_fini_hooks(has_others);
    KIN__LOG(KIN_LOG_DEBUG, "running the remaining \"atexit\" finalizers");
    kin__finalizers_close();
    return !has_others;
}

/* As late as it can be told: who is killed before, by what it still had to do or while it waits for
 * its children, has not ended with this status. */
static void tell_status(int status)
{
    for (int i = KIN__LAYER_COUNT; i-- > 0 && status != NO_STATUS;) {
        if (kin__layers[i] != NULL && kin__layers[i]->exit != NULL) {
            kin__layers[i]->exit(status);
        }
    }
}

/* Whether what the process has can wait until its parent joins it, which has the pages of the table
 * and of the heap at hand: it is but what it was given, and nobody is waiting. */
static bool dies_unnoticed(void)
{
    return kin__life_is_here() && atomic_load(&kin__family.member->given) != 0 &&
           kin__keeper_is_unwatched();
}

static void leave(bool is_exit, int status)
{
    if (!kin__family_is_open()) {
        return;
    }
    if (kin__family.is_leaving) { /* a finalizer has called exit */
        tell_status(status);
        return;
    }
    if (!is_exit && kin__life_is_elsewhere()) {
        return; /* that thread could not let go of the slot after this one has freed it */
    }
    kin__family.is_leaving = true;
    if (kin__family.pid != 0) {
        bool is_done = shut_down(is_exit);
        tell_status(status);
        if (!is_done || (is_exit && dies_unnoticed())) {
            return;
        }
        kin__interrupt_end();
        kin__life_speak();
        if (kin__self() != NULL) {
            kin__references_free();
        }
        kin__child_give_up();
    }
    kin__references_forget();
    int fd = kin__family.fd;
    struct kin__memory memory = kin__family.memory;
    kin__thread_current = (struct kin__thread){0};
    kin__child_forget();
    kin__family.fd = -1;
    kin__family.generation++;
    kin__family.is_leaving = false;
    if (!is_exit) { /* at exit, other threads may still sleep in there */
        kin__os_memory_unmap(memory.base, memory.bytes);
        kin__os_close(fd);
    }
}

void kin__family_leave_at_exit(int status)
{
    leave(true, status);
}

void kin_fini(void)
{
    leave(false, NO_STATUS);
}

static void leave_at_exit(int status, void *unused)
{
    (void)unused;
    kin__family_leave_at_exit(status);
}

static void leave_without_status(void)
{
    leave(true, NO_STATUS);
}

static int watch_exit(void)
{
    int r = kin__os_at_exit(leave_at_exit);
    return r == -ENOSYS && atexit(leave_without_status) == 0 ? 0 : r;
}

static int prepare_locks(void)
{
    bool is_done = mtx_init(&kin__family.enter_lock, mtx_plain) == thrd_success &&
                   mtx_init(&kin__family.reap_lock, mtx_plain) == thrd_success &&
                   mtx_init(&kin__family.errand_lock, mtx_plain) == thrd_success &&
                   mtx_init(&kin__family.keeper_lock, mtx_plain) == thrd_success &&
                   mtx_init(&kin__heap.lock, mtx_plain) == thrd_success &&
                   mtx_init(&kin__references.lock, mtx_plain) == thrd_success && watch_exit() == 0;
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
            r = kin__child_watch_forks();
        }
        kin__family.prepared += r == 0;
    }
    return r;
}

/* This process is in the family of a memory that is mapped, but has no slot yet. */
static void open_family(int fd)
{
    kin__family.fd = fd;
    kin__family.generation++;
    /* Whether somebody can run beside who looks again. A quota says nothing about that, and to read
     * it takes longer than the rest of what is done here. */
    kin__family.spin_count = kin__os_core_count() > 1 ? SPIN_COUNT : 0;
    kin__list_init(&kin__references.objects);
    kin__list_init(&kin__family.errands);
    kin__finalizers_open();
    kin__handle_hooks = (struct kin__handle_hooks){kin__object_hold, kin__object_free};
}

static void close_family(void)
{
    kin__life_drop();
    kin__child_forget();
    kin__os_memory_unmap(kin__family.memory.base, kin__family.memory.bytes);
    kin__family.fd = -1;
}

static int found_family(uint64_t memory_bytes_max, int64_t grace_ms)
{
    int fd = -1;
    uint32_t owner = 0;
    int r = kin__memory_create(memory_bytes_max, &fd, &kin__family.memory);
    if (r < 0) {
        return r;
    }
    open_family(fd);
    kin__shared()->grace_ms = grace_ms;
    r = kin__member_claim(KIN__MEMBER_PROCESS, 0, &owner);
    if (r == 0) {
        kin__log_name(FIRST_NAME);
        kin__child_name(owner, FIRST_NAME);
        r = kin__child_take(owner);
    }
    if (r == 0 && kin__os_thread_id() != kin__family.pid) {
        r = kin__keeper_need(); /* other threads may outlive this one, and call kin_fini */
    }
    if (r == 0) {
        atomic_store(&kin__family.is_entered, true);
        r = kin__thread_register();
        if (r < 0) {
            kin__child_give_up();
        }
    }
    if (r < 0) {
        close_family();
        kin__os_close(fd);
    }
    return r;
}

/* Whether an owner id is that of a process that somebody is about to start. */
static bool is_prepared(uint32_t owner)
{
    const struct kin__member *member = kin__member_of(owner);
    uint64_t word = member == NULL ? 0 : atomic_load(&member->word);
    return kin__word_generation(word) == kin__owner_generation(owner) &&
           kin__word_state(word) == KIN__MEMBER_CLAIMED &&
           kin__word_role(word) == KIN__MEMBER_PROCESS && kin__word_by(word) != owner;
}

int kin__family_attach(int fd, uint32_t owner)
{
    if (kin__family_is_open()) {
        return -EALREADY;
    }
    int r = kin__function_check();
    if (r == 0) {
        r = prepare_once();
    }
    if (r == 0) {
        r = kin__memory_attach(fd, &kin__family.memory);
    }
    if (r < 0) {
        return r;
    }
    open_family(fd);
    kin__family.has_input = kin__os_fd_is_open(0);
    r = is_prepared(owner) ? 0 : -ESTALE;
    if (r == 0) {
        atomic_store(&kin__family.is_entered, true);
        r = kin__child_begin(owner);
    }
    if (r == 0) {
        kin__keeper_break_silence(); /* there may be blocks that were given to it */
    }
    if (r < 0) {
        close_family();
    }
    return r;
}

/* A process that was spawned to be a child of the family runs as one, and does not return. */
static void divert_child(const int *argc, char *const *const *argv)
{
    int fd = -1;
    uint32_t owner = 0;
    bool has_arguments = argc != NULL && argv != NULL;
    int r = kin__mark_read(has_arguments ? *argc : 0, has_arguments ? *argv : NULL, &fd, &owner);
    if (r == -ENOENT) {
        return;
    }
    if (r == 0) {
        r = kin__family_attach(fd, owner);
    }
    if (r == 0 && kin__layers[KIN__LAYER_PROCESS] != NULL) {
        kin__layers[KIN__LAYER_PROCESS]->begin_child(fd);
    }
    kin_error *error = KIN_ERROR(r, "started as a child, which this process cannot be: %s",
                                 r == -ESTALE ? "nobody has prepared it, or who has is dead"
                                              : "what it was given is no family of this program");
    kin_error_print(error, stderr);
    kin__os_exit_now(1);
}

int kin_init_with(int *argc, char ***argv, const kin_family_options *options)
{
    if (kin__family.generation == KIN__GENERATION_FIRST) { /* else it has been one already */
        divert_child(argc, (char *const *const *)argv);
    }
    uint64_t bytes = KIN__MEMORY_BYTES_DEFAULT;
    int64_t grace_ms = options == NULL ? 0 : options->grace_ms;
    if (options != NULL) {
        if (options->size != sizeof *options) {
            return -EINVAL;
        }
        bytes = options->memory_bytes_max != 0 ? options->memory_bytes_max : bytes;
    }
    if (bytes < KIN__MEMORY_BYTES_MIN || bytes > (uint64_t)1 << 46 || grace_ms < 0) {
        return -EINVAL;
    }
    if (kin__family_is_open()) {
        return 0;
    }
    int r = kin__function_check();
    kin__family.has_input = kin__os_fd_is_open(0);
    if (r == 0) {
        r = prepare_once();
    }
    return r < 0 ? r : found_family(bytes, grace_ms);
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
