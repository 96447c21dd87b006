/*
 * Members of a family for tests of the layers above it: children that run a function, threads,
 * numbers that all of them share, and waiting until one of them sleeps inside kin.
 *
 * Each test starts with begin(), which starts a keeper too: what the dead have held is looked at
 * from outside here, by a process that does not wait for it in kin. The weak definitions let every
 * file of a program include this.
 */
#ifndef UNIT_CHILDREN_H
#define UNIT_CHILDREN_H

#include "family/family.h"
#include "family/keeper.h"
#include "family/member.h"
#include "harness/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUMBER_COUNT = 1024 };

/* Zero at the start of a test; whatever a test agrees on with its children. */
__attribute__((weak)) _Atomic uint64_t *numbers;

/* Tests that start processes. The thread sanitizer cannot follow them: each child has a keeper,
 * and it takes no threads in the child of a program with threads. */
#define TEST_OF_PROCESSES(name) TEST_OF_PROCESSES_WITH(name, .limit_seconds = 0)
#ifndef __SANITIZE_THREAD__
#define TEST_OF_PROCESSES_WITH(name, ...) TEST_WITH(name, __VA_ARGS__)
#else
#define TEST_OF_PROCESSES_WITH(name, ...) __attribute__((unused)) static void name(void)
#endif

static inline void begin(void)
{
    numbers = mmap(NULL, NUMBER_COUNT * sizeof *numbers, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(numbers != MAP_FAILED);
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin__keeper_need() == 0);
}

__attribute__((weak)) void test_teardown(void)
{
    kin_fini();
    if (numbers != NULL) {
        munmap((void *)numbers, NUMBER_COUNT * sizeof *numbers);
        numbers = NULL;
    }
}

/* Lets others run; the tests' way to wait for what cannot be slept for. */
static inline void pause_a_moment(void)
{
    usleep(200);
}

static inline void await_number(int index, uint64_t least)
{
    while (atomic_load(&numbers[index]) < least) {
        pause_a_moment();
    }
}

/* --- processes --- */

typedef void child_body(void *user);

/* A child that runs `body` and leaves the family in order. */
static inline pid_t child_start(child_body *body, void *user)
{
    uint32_t owner = 0;
    int pid = kin__family_fork("child", 0, &owner);
    REQUIRE(pid >= 0);
    if (pid == 0) {
        body(user);
        kin_fini();
        _exit(0);
    }
    return pid;
}

static inline void child_join(pid_t pid)
{
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_EQUAL(status, 0);
}

/* Whether the family has a member that is this process, alive or not reaped yet. */
__attribute__((no_sanitize("thread"))) static inline bool is_member(pid_t pid)
{
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        const struct kin__member *member = kin__member_at(slot);
        uint64_t word = atomic_load(&member->word);
        if (kin__word_role(word) == KIN__MEMBER_PROCESS &&
            kin__word_state(word) != KIN__MEMBER_FREE && member->pid == (uint32_t)pid) {
            return true;
        }
    }
    return false;
}

/* Kills the child and waits until the family knows; others may die meanwhile. */
static inline void child_kill(pid_t pid)
{
    int status = 0;
    REQUIRE(kill(pid, SIGKILL) == 0);
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    while (is_member(pid)) {
        pause_a_moment();
    }
}

/* --- who sleeps --- */

static inline char state_in_kernel(uint32_t pid, uint32_t tid)
{
    char path[64];
    char state = '?';
    snprintf(path, sizeof path, "/proc/%u/task/%u/stat", pid, tid);
    FILE *stat = fopen(path, "re");
    if (stat != NULL) {
        if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1) {
            state = '?';
        }
        fclose(stat);
    }
    return state;
}

/* How many threads of a process sleep inside kin, on a word that they have published. A mere look
 * at what others write. */
__attribute__((no_sanitize("thread"))) static inline uint32_t sleeper_count(pid_t pid)
{
    uint32_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        struct kin__member *member = kin__member_at(slot);
        count += kin__word_role(atomic_load(&member->word)) == KIN__MEMBER_THREAD &&
                 member->pid == (uint32_t)pid && atomic_load(&member->sleeping_on) != 0 &&
                 state_in_kernel(member->pid, member->tid) == 'S';
    }
    return count;
}

static inline void await_sleepers(pid_t pid, uint32_t least)
{
    while (sleeper_count(pid) < least) {
        pause_a_moment();
    }
}

/* --- threads --- */

static inline pthread_t thread_start(void *(*body)(void *user), void *user)
{
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, body, user) == 0);
    return thread;
}

static inline void thread_join(pthread_t thread)
{
    REQUIRE(pthread_join(thread, NULL) == 0);
}

#endif
