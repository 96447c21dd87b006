/*
 * Process ids that come back: one who dies holding a lock is followed, before it has been reaped,
 * by a newcomer with the same id. The dead must be found dead although its id lives (a stranger),
 * and the newcomer, if it is a member, must not be taken for the dead.
 */
#define _GNU_SOURCE
#include "soak/soak.h"
#include "storm/storm.h"

#include "family/family.h"
#include "family/runtime.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/lock.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_US = 30000, ROUNDS = 5, TRIES = 200, LIMIT_MS = 20000 };

struct board {
    _Atomic uint32_t is_held; /* the child has its lock */
    _Atomic uint32_t is_over; /* the newcomer may end */
};

struct pids {
    struct board *board;
    kin_lock *old; /* held by the one that dies */
    kin_lock *own; /* held by the newcomer */
};

static void await(const _Atomic uint32_t *word)
{
    while (atomic_load(word) == 0) {
        usleep(100);
    }
}

static _Noreturn void hold(const struct pids *pids, kin_lock *lock)
{
    int r = kin_lock_acquire(lock, KIN_FOREVER);
    atomic_store(&pids->board->is_held, 1);
    await(&pids->board->is_over);
    r = r == 0 ? kin_lock_release(lock) : r;
    kin_fini();
    _exit(r == 0 ? 0 : 1);
}

/* Starts a member that holds the old lock, and kills it. Its keeper's word is free, its slot
 * is not: the caller keeps this process from reaping. The id. */
static pid_t leave_a_dead_holder(const struct pids *pids)
{
    uint32_t owner = 0;
    atomic_store(&pids->board->is_held, 0);
    pid_t pid = kin__family_fork("holder", 0, &owner);
    if (pid == 0) {
        hold(pids, pids->old);
    }
    await(&pids->board->is_held);
    usleep(TICK_US); /* the newcomer starts at another tick of the kernel's clock */
    mtx_lock(&kin__family.reap_lock);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return pid;
}

/* A process with that id, which is no member and does nothing. Its id, or -errno. */
static pid_t start_stranger(pid_t pid)
{
    struct clone_args arguments = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&pid, .set_tid_size = 1};
    long r = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (r == 0) {
        for (;;) {
            pause();
        }
    }
    return r < 0 ? -errno : (pid_t)r;
}

static bool ask_for_next_pid(pid_t pid)
{
    FILE *file = fopen("/proc/sys/kernel/ns_last_pid", "we");
    bool is = file != NULL && fprintf(file, "%d", (int)pid - 1) > 0;
    return file != NULL && fclose(file) == 0 && is;
}

/* A forked child with that id, which becomes a member and holds its own lock. Another process may
 * get the id before it: then the next try. Its id, 0: not in so many tries; -1: not allowed. */
static pid_t start_member(const struct pids *pids, pid_t pid)
{
    atomic_store(&pids->board->is_held, 0);
    for (int i = 0; i < TRIES; i++) {
        if (!ask_for_next_pid(pid)) {
            return -1;
        }
        pid_t child = fork();
        if (child == 0 && getpid() != pid) {
            _exit(0);
        } else if (child == 0) {
            hold(pids, pids->own);
        }
        if (child == pid) {
            return pid;
        }
        waitpid(child, NULL, 0);
    }
    return 0;
}

/* The dead holder's lock is handed on, though somebody lives who has its id. */
static bool old_lock_is_handed_on(const struct pids *pids)
{
    int r = kin_lock_acquire(pids->old, kin_within_ms(LIMIT_MS));
    if (r != KIN_OWNER_DIED) {
        printf("  the lock of the dead: %s\n", kin_code_name(r));
        return false;
    }
    return kin_lock_mark_consistent(pids->old) == 0 && kin_lock_release(pids->old) == 0;
}

static bool play_stranger(const struct pids *pids)
{
    atomic_store(&pids->board->is_over, 0);
    pid_t pid = leave_a_dead_holder(pids);
    pid_t stranger = start_stranger(pid);
    mtx_unlock(&kin__family.reap_lock);
    if (stranger != pid) {
        printf("  the kernel refuses a process with the id %d: %s (needs CAP_CHECKPOINT_RESTORE, "
               "and Linux 5.5)\n",
               (int)pid, strerror(-stranger));
        return false;
    }
    bool is_right = old_lock_is_handed_on(pids);
    kill(stranger, SIGKILL);
    waitpid(stranger, NULL, 0);
    return is_right;
}

static bool play_member(const struct pids *pids)
{
    int status = 1;
    atomic_store(&pids->board->is_over, 0);
    pid_t pid = leave_a_dead_holder(pids);
    /* A fork takes that lock: whether the dead is reaped before the newcomer is there, is left to
     * chance. */
    mtx_unlock(&kin__family.reap_lock);
    pid_t newcomer = start_member(pids, pid);
    if (newcomer <= 0) {
        puts(newcomer < 0 ? "  the kernel lets nobody choose the next process id (needs "
                            "CAP_CHECKPOINT_RESTORE)"
                          : "  others took the id each time");
        return false;
    }
    bool is_right = old_lock_is_handed_on(pids);
    await(&pids->board->is_held);
    int r = kin_lock_acquire(pids->own, kin_within_ms(20));
    if (r != -ETIMEDOUT) {
        printf("  the newcomer's lock: %s\n", kin_code_name(r));
        is_right = false;
    }
    atomic_store(&pids->board->is_over, 1);
    is_right &= waitpid(newcomer, &status, 0) == newcomer && status == 0;
    return is_right;
}

bool storm_pids(const struct storm_options *options)
{
    struct pids pids = {.board = mmap(NULL, sizeof *pids.board, PROT_READ | PROT_WRITE,
                                      MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
    (void)options;
    if (pids.board == MAP_FAILED || kin_init(NULL, NULL) != 0 ||
        kin_lock_create(NULL, &pids.old) != 0 || kin_lock_create(NULL, &pids.own) != 0) {
        return false;
    }
    bool is_right = true;
    for (int i = 0; i < ROUNDS && is_right; i++) {
        is_right = play_stranger(&pids) && play_member(&pids);
    }
    printf("pids: %d times a stranger and a member with the id of one who died: %s\n", ROUNDS,
           is_right ? "all told apart" : "wrong");
    kin_lock_free(pids.old);
    kin_lock_free(pids.own);
    munmap(pids.board, sizeof *pids.board);
    is_right &= soak_check_family(2) == 0;
    kin_fini();
    return is_right;
}
