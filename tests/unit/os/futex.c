#define _GNU_SOURCE
#include "os/futex.h"

#include "os/clock.h"

#include "harness/test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS_NS 1000000

/* Words that the processes of a test share. */
static _Atomic uint32_t *words;

static void map_words(void)
{
    words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(words != MAP_FAILED);
}

void test_teardown(void)
{
    if (words != NULL) {
        munmap((void *)words, 4096);
        words = NULL;
    }
}

/* Waits until the first thread of a process sleeps. */
static void await_sleep(pid_t pid)
{
    char state = '?';
    while (state != 'S') {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        FILE *stat = fopen(path, "re");
        REQUIRE(stat != NULL && fscanf(stat, "%*d (%*[^)]) %c", &state) == 1);
        fclose(stat);
        usleep(100);
    }
}

TEST(a_wait_for_a_word_that_has_changed_ends_at_once)
{
    map_words();
    atomic_store(words, 7);
    CHECK_EQUAL(kin__os_futex_wait(words, 6, INT64_MAX), 0);
    struct kin__os_futex_wait waits[2] = {{.word = words, .expected = 7},
                                          {.word = words + 1, .expected = 1}};
    CHECK_EQUAL(kin__os_futex_wait_many(waits, 2, INT64_MAX), 0);
}

TEST(a_wait_ends_at_its_deadline_also_if_that_is_past)
{
    map_words();
    struct kin__os_futex_wait wait = {.word = words, .expected = 0};
    int64_t deadline_ns[] = {INT64_MIN, -1, 0, 1, kin__os_now_ns() + MS_NS};
    for (size_t i = 0; i < sizeof deadline_ns / sizeof *deadline_ns; i++) {
        CHECK_EQUAL(kin__os_futex_wait(words, 0, deadline_ns[i]), -ETIMEDOUT);
        CHECK_EQUAL(kin__os_futex_wait_many(&wait, 1, deadline_ns[i]), -ETIMEDOUT);
    }
    CHECK(kin__os_now_ns() >= deadline_ns[4]);
}

static pid_t start_waiter(uint32_t count)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct kin__os_futex_wait waits[KIN__OS_FUTEX_WORDS_MAX];
        for (uint32_t i = 0; i < count; i++) {
            waits[i] = (struct kin__os_futex_wait){.word = words + i, .expected = 0};
        }
        int r = count == 0 ? kin__os_futex_wait(words, 0, INT64_MAX)
                           : kin__os_futex_wait_many(waits, count, INT64_MAX);
        _exit(r == 0 ? 0 : 1);
    }
    await_sleep(pid);
    return pid;
}

static void join(pid_t pid)
{
    int status = -1;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_EQUAL(status, 0);
}

TEST(a_wake_in_one_process_ends_a_wait_in_another)
{
    map_words();
    pid_t pid = start_waiter(0);
    CHECK_EQUAL(kin__os_futex_wake(words, 1), 1);
    join(pid);
    CHECK_EQUAL(kin__os_futex_wake(words, UINT32_MAX), 0);
}

TEST(a_wait_for_128_words_ends_with_a_wake_of_any)
{
    map_words();
    pid_t pid = start_waiter(KIN__OS_FUTEX_WORDS_MAX);
    CHECK_EQUAL(kin__os_futex_wake(words + 127, UINT32_MAX), 1);
    join(pid);
}

TEST(a_wake_wakes_as_many_as_it_was_told)
{
    map_words();
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = start_waiter(i == 1 ? 2 : 0);
    }
    CHECK_EQUAL(kin__os_futex_wake(words, 2), 2);
    CHECK_EQUAL(kin__os_futex_wake(words, UINT32_MAX), 1);
    for (int i = 0; i < 3; i++) {
        join(pids[i]);
    }
}

static void on_signal(int number)
{
    (void)number;
}

TEST(a_signal_ends_a_wait_as_if_for_no_reason)
{
    map_words();
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    for (uint32_t count = 0; count < 2; count++) {
        pid_t pid = start_waiter(count);
        kill(pid, SIGUSR1);
        join(pid);
    }
}

/* --- words that the kernel releases --- */

static void hold_and_wait(_Atomic uint32_t *word)
{
    struct kin__os_robust robust;
    REQUIRE(kin__os_robust_find(&robust) == 0);
    CHECK(!kin__os_robust_is_pending(robust));
    kin__os_robust_begin(robust, word);
    CHECK(kin__os_robust_is_pending(robust));
    atomic_store(word, (uint32_t)syscall(SYS_gettid));
    atomic_store(words + 100, 1);
    for (;;) {
        pause();
    }
}

static void kill_and_join(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

TEST(a_pending_word_of_a_killed_thread_is_marked_and_has_no_owner)
{
    map_words();
    pid_t pid = fork();
    if (pid == 0) {
        hold_and_wait(words + 3);
    }
    while (atomic_load(words + 100) == 0) {
        usleep(100);
    }
    kill_and_join(pid);
    CHECK_EQUAL(atomic_load(words + 3), KIN__OS_FUTEX_DIED);
}

TEST(a_word_that_is_not_pending_any_more_is_left_alone)
{
    map_words();
    pid_t pid = fork();
    if (pid == 0) {
        struct kin__os_robust robust;
        REQUIRE(kin__os_robust_find(&robust) == 0);
        kin__os_robust_begin(robust, words);
        atomic_store(words, (uint32_t)syscall(SYS_gettid));
        kin__os_robust_end(robust);
        atomic_store(words + 1, atomic_load(words));
        _exit(0);
    }
    join(pid);
    CHECK_EQUAL(atomic_load(words), atomic_load(words + 1));
}

TEST(a_pending_word_that_somebody_else_owns_is_left_alone)
{
    map_words();
    pid_t pid = fork();
    if (pid == 0) {
        struct kin__os_robust robust;
        REQUIRE(kin__os_robust_find(&robust) == 0);
        kin__os_robust_begin(robust, words);
        kill(getpid(), SIGKILL);
    }
    atomic_store(words, (uint32_t)getpid());
    waitpid(pid, NULL, 0);
    CHECK_EQUAL(atomic_load(words), (uint32_t)getpid());
}

static struct kin__os_life life;

static void *live(void *user)
{
    REQUIRE(kin__os_life_begin(&life, user) == 0);
    atomic_store(words + 100, 1);
    for (;;) {
        pause();
    }
    return NULL;
}

static pid_t start_living(void)
{
    atomic_store(words + 100, 0);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, live, (void *)(words + 2));
        for (;;) {
            pause();
        }
    }
    while (atomic_load(words + 100) == 0) {
        usleep(100);
    }
    return pid;
}

enum { BELOW = 2 + KIN__OS_LIFE_DISTANCE / sizeof(uint32_t) };

TEST(life_words_hold_an_id_while_the_process_lives_and_none_afterwards)
{
    map_words();
    pid_t pid = start_living();
    uint32_t alive = atomic_load(words + 2);
    CHECK(alive & KIN__OS_FUTEX_WAITERS);
    CHECK((alive & KIN__OS_FUTEX_TID) != 0);
    CHECK_EQUAL(atomic_load(words + BELOW), alive);
    kill_and_join(pid);
    CHECK_EQUAL(atomic_load(words + 2), KIN__OS_FUTEX_WAITERS | KIN__OS_FUTEX_DIED);
    CHECK_EQUAL(atomic_load(words + BELOW), KIN__OS_FUTEX_WAITERS | KIN__OS_FUTEX_DIED);
}

TEST(the_death_of_a_process_wakes_a_sleeper_on_each_life_word)
{
    map_words();
    pid_t living = start_living();
    uint32_t alive = atomic_load(words + 2);
    pid_t sleepers[2];
    for (int i = 0; i < 2; i++) {
        sleepers[i] = fork();
        if (sleepers[i] == 0) {
            _exit(-kin__os_futex_wait(words + (i == 0 ? 2 : BELOW), alive, INT64_MAX));
        }
        await_sleep(sleepers[i]);
    }
    kill_and_join(living);
    join(sleepers[0]);
    join(sleepers[1]);
}

static void *live_and_end(void *user)
{
    struct kin__os_life own;
    REQUIRE(kin__os_life_begin(&own, user) == 0);
    atomic_store(words + 2, 0);
    kin__os_life_end();
    memset(&own, 0xff, sizeof own);
    return NULL;
}

TEST(a_life_that_was_ended_leaves_nothing_for_the_kernel)
{
    map_words();
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, live_and_end, (void *)(words + 2)) == 0);
    pthread_join(thread, NULL);
    CHECK_EQUAL(atomic_load(words + 2), 0);
    CHECK(!(atomic_load(words + BELOW) & KIN__OS_FUTEX_DIED));
}
