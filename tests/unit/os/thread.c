#define _GNU_SOURCE
#include "os/thread.h"

#include "harness/test.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *report_id(void *user)
{
    *(uint32_t *)user = kin__os_thread_id();
    return NULL;
}

TEST(the_id_of_a_thread_is_the_kernels)
{
    uint32_t id = 0;
    struct kin__os_thread thread;
    REQUIRE(kin__os_thread_start(report_id, &id, &thread) == 0);
    kin__os_thread_join(thread);
    CHECK_EQUAL(kin__os_thread_id(), (long long)syscall(SYS_gettid));
    CHECK(id != 0);
    CHECK(id != kin__os_thread_id());
}

static void *report_mask(void *user)
{
    pthread_sigmask(SIG_SETMASK, NULL, user);
    return NULL;
}

TEST(a_thread_of_kin_has_all_signals_blocked_and_its_starter_keeps_its_own)
{
    sigset_t mask;
    sigset_t before;
    sigset_t after;
    struct kin__os_thread thread;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    sigemptyset(&mask);
    REQUIRE(kin__os_thread_start(report_mask, &mask, &thread) == 0);
    kin__os_thread_join(thread);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    CHECK(sigismember(&mask, SIGTERM));
    CHECK(sigismember(&mask, SIGCHLD));
    CHECK(sigismember(&mask, SIGINT));
    CHECK_EQUAL(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

static atomic_int phase;

static void *stay(void *user)
{
    while (atomic_load(&phase) == 0) {
        usleep(100);
    }
    return user;
}

TEST(the_thread_count_counts_all_threads_of_the_process)
{
    uint32_t before = kin__os_thread_count();
    struct kin__os_thread thread;
    CHECK(before >= 1);
    atomic_store(&phase, 0);
    REQUIRE(kin__os_thread_start(stay, NULL, &thread) == 0);
    CHECK(kin__os_thread_count() > before);
    atomic_store(&phase, 1);
    kin__os_thread_join(thread);
}

TEST(the_threads_are_counted_with_no_fd_left)
{
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK(kin__os_thread_count() >= 1);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

TEST(a_thread_is_alone_until_there_is_another)
{
    struct kin__os_thread thread;
    bool was_alone = kin__os_thread_is_alone(); /* false where that cannot be told */
    CHECK(was_alone || kin__os_thread_count() >= 1);
    atomic_store(&phase, 0);
    REQUIRE(kin__os_thread_start(stay, NULL, &thread) == 0);
    CHECK(!kin__os_thread_is_alone());
    atomic_store(&phase, 1);
    kin__os_thread_join(thread);
}

/* Larger than the stack that a thread of kin's own gets. */
static _Thread_local volatile unsigned char many[1 << 20];

TEST(a_thread_starts_in_a_program_with_large_thread_local_variables)
{
    struct kin__os_thread thread;
    many[0] = 1; /* or they would not be there */
    atomic_store(&phase, 1);
    REQUIRE(kin__os_thread_start(stay, NULL, &thread) == 0);
    kin__os_thread_join(thread);
}

static atomic_int end_count;

static void count_end(void *user)
{
    atomic_fetch_add((atomic_int *)user, 1);
}

static struct kin__os_thread_end thread_end;

static void *end_with_notice(void *user)
{
    kin__os_thread_end_set(thread_end, user);
    return NULL;
}

static void *end_without_notice(void *user)
{
    return user;
}

TEST(the_end_of_a_thread_is_heard_if_it_asked_for_that)
{
    struct kin__os_thread thread;
    REQUIRE(kin__os_thread_end_create(&thread_end, count_end) == 0);
    REQUIRE(kin__os_thread_start(end_without_notice, &end_count, &thread) == 0);
    kin__os_thread_join(thread);
    CHECK_EQUAL(atomic_load(&end_count), 0);
    REQUIRE(kin__os_thread_start(end_with_notice, &end_count, &thread) == 0);
    kin__os_thread_join(thread);
    CHECK_EQUAL(atomic_load(&end_count), 1);
}

static int fork_trace[3];
static int fork_step;

static void note_before(void)
{
    fork_trace[0] = ++fork_step;
}

static void note_parent(void)
{
    fork_trace[1] = ++fork_step;
}

static void note_child(void)
{
    fork_trace[2] = ++fork_step;
}

TEST(the_fork_hooks_run_around_each_fork)
{
    int status = 0;
    REQUIRE(kin__os_fork_hooks(note_before, note_parent, note_child) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(fork_trace[0] == 1 && fork_trace[1] == 0 && fork_trace[2] == 2 ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    CHECK_EQUAL(status, 0);
    CHECK_EQUAL(fork_trace[0], 1);
    CHECK_EQUAL(fork_trace[1], 2);
    CHECK_EQUAL(fork_trace[2], 0);
}
