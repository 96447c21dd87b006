/* The internal lock: exclusion, owners that die, wake-ups that death swallows. */
#include "family/lock.h"

#include "fake.h"
#include "family/sleep.h"

#include <kin/error.h>

/* A lock and what it guards, in family memory. */
struct guarded {
    struct kin__lock lock;
    uint32_t first;
    uint32_t second;
};

static struct guarded *guarded;

static void new_guarded(void)
{
    uint64_t offset = 0;
    begin();
    REQUIRE(kin__block_create(sizeof *guarded, 0, KIN__BLOCK_BYTES, &offset) == 0);
    guarded = kin__at(offset);
    memset(guarded, 0, sizeof *guarded);
}

TEST(a_lock_holds_the_threads_id_and_nothing_when_it_is_free)
{
    new_guarded();
    struct kin__thread *self = kin__self();
    CHECK_EQUAL(kin__lock_acquire(&guarded->lock, self), 0);
    CHECK_EQUAL(atomic_load(&guarded->lock.word), self->id);
    CHECK(kin__os_robust_is_pending(self->robust));
    kin__lock_release(&guarded->lock, self);
    CHECK_EQUAL(atomic_load(&guarded->lock.word), 0);
    CHECK(!kin__os_robust_is_pending(self->robust));
}

static void count_up(int rounds)
{
    struct kin__thread *self = kin__self();
    for (int i = 0; i < rounds; i++) {
        CHECK_EQUAL(kin__lock_acquire(&guarded->lock, self), 0);
        guarded->first++;
        guarded->second = guarded->first;
        kin__lock_release(&guarded->lock, self);
    }
}

static void count_in_child(void *user)
{
    count_up(*(int *)user);
}

static void *count_in_thread(void *user)
{
    count_up(*(int *)user);
    return NULL;
}

TEST(threads_exclude_each_other)
{
    int rounds = 20000;
    pthread_t threads[3];
    new_guarded();
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(count_in_thread, &rounds);
    }
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(guarded->first, 3 * rounds);
    CHECK_EQUAL(guarded->second, 3 * rounds);
}

TEST_OF_PROCESSES(threads_and_processes_exclude_each_other)
{
    int rounds = 20000;
    pid_t pids[3];
    pthread_t threads[2];
    new_guarded();
    for (int i = 0; i < 3; i++) {
        pids[i] = child_start(count_in_child, &rounds);
    }
    for (int i = 0; i < 2; i++) {
        threads[i] = thread_start(count_in_thread, &rounds);
    }
    for (int i = 0; i < 2; i++) {
        thread_join(threads[i]);
    }
    for (int i = 0; i < 3; i++) {
        child_join(pids[i]);
    }
    CHECK_EQUAL(guarded->first, 5 * rounds);
    CHECK_EQUAL(guarded->second, 5 * rounds);
    CHECK_EQUAL(atomic_load(&guarded->lock.word), 0);
}

static void hold_for_ever(void *user)
{
    (void)user;
    CHECK(kin__lock_acquire(&guarded->lock, kin__self()) >= 0);
    atomic_fetch_add(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(the_next_one_learns_that_the_holder_died_once)
{
    new_guarded();
    struct kin__thread *self = kin__self();
    pid_t pid = child_start(hold_for_ever, NULL);
    await_number(0, 1);
    child_kill(pid);
    CHECK_EQUAL(kin__lock_acquire(&guarded->lock, self), KIN_OWNER_DIED);
    kin__lock_release(&guarded->lock, self);
    CHECK_EQUAL(kin__lock_acquire(&guarded->lock, self), 0);
    kin__lock_release(&guarded->lock, self);
}

TEST_OF_PROCESSES(a_heir_that_dies_passes_the_news_on)
{
    new_guarded();
    for (uint64_t i = 1; i <= 2; i++) {
        pid_t pid = child_start(hold_for_ever, NULL);
        await_number(0, i);
        child_kill(pid);
    }
    struct kin__thread *self = kin__self();
    CHECK_EQUAL(kin__lock_acquire(&guarded->lock, self), KIN_OWNER_DIED);
    kin__lock_release(&guarded->lock, self);
}

static void wait_for_dead_holder(void *user)
{
    struct kin__thread *self = kin__self();
    (void)user;
    if (kin__lock_acquire(&guarded->lock, self) == KIN_OWNER_DIED) {
        atomic_fetch_add(&numbers[1], 1);
    }
    kin__lock_release(&guarded->lock, self);
}

TEST_OF_PROCESSES(sleepers_wake_when_the_holder_is_killed_and_one_of_them_learns_why)
{
    pid_t waiters[3];
    new_guarded();
    pid_t pid = child_start(hold_for_ever, NULL);
    await_number(0, 1);
    for (int i = 0; i < 3; i++) {
        waiters[i] = child_start(wait_for_dead_holder, NULL);
        await_sleepers(waiters[i], 1);
    }
    child_kill(pid);
    for (int i = 0; i < 3; i++) {
        child_join(waiters[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
}

static void *end_holding(void *user)
{
    kin__lock_acquire(&guarded->lock, kin__self());
    return user;
}

TEST(a_thread_that_ends_in_the_lock_counts_as_a_dead_holder)
{
    new_guarded();
    thread_join(thread_start(end_holding, NULL));
    struct kin__thread *self = kin__self();
    CHECK_EQUAL(kin__lock_acquire(&guarded->lock, self), KIN_OWNER_DIED);
    kin__lock_release(&guarded->lock, self);
}

static void acquire_and_release(void *user)
{
    struct kin__thread *self = kin__self();
    await_number(*(int *)user, 1);
    CHECK_EQUAL(kin__lock_acquire(&guarded->lock, self), 0);
    kin__lock_release(&guarded->lock, self);
}

/* Waits as kin__lock_acquire does, and when woken never comes to acquire. */
static void swallow_wake_up(void *user)
{
    await_number(*(int *)user, 1);
    uint32_t word = atomic_fetch_or(&guarded->lock.word, KIN__OS_FUTEX_WAITERS);
    word |= KIN__OS_FUTEX_WAITERS;
    while (atomic_load(&guarded->lock.word) == word) {
        kin__sleep_on_lock(&guarded->lock.word, word, kin__self());
    }
    atomic_store(&numbers[3], 1);
    for (;;) {
        pause();
    }
}

/* The schedule that leaves a waiter of a plain robust mutex asleep on a free lock: the holder
 * releases and wakes the first waiter; before that one runs, somebody else acquires; the first
 * waiter is killed; the release then finds no mark of waiters, for the dead one had not made it. */
TEST_OF_PROCESSES(a_wake_up_that_a_killed_waiter_swallowed_is_made_good)
{
    int gates[2] = {1, 2};
    new_guarded();
    struct kin__thread *self = kin__self();
    pid_t first = child_start(swallow_wake_up, &gates[0]);
    pid_t second = child_start(acquire_and_release, &gates[1]);
    CHECK_EQUAL(kin__lock_acquire(&guarded->lock, self), 0);
    atomic_store(&numbers[1], 1);
    await_sleepers(first, 1);
    atomic_store(&numbers[2], 1);
    await_sleepers(second, 1);
    kin__lock_release(&guarded->lock, self); /* wakes the first */
    await_number(3, 1);
    CHECK_EQUAL(kin__lock_acquire(&guarded->lock, self), 0);
    kill(first, SIGKILL);
    REQUIRE(waitpid(first, NULL, 0) == first);
    kin__lock_release(&guarded->lock, self);
    child_join(second);
}

/* The same, but nobody reaps: a reaper may itself be the one that is forgotten. */
TEST(nobody_sleeps_on_an_internal_lock_for_ever)
{
    new_guarded();
    struct kin__thread *self = kin__self();
    atomic_store(&guarded->lock.word, 5);
    kin__sleep_on_lock(&guarded->lock.word, 5, self); /* nobody wakes it */
    CHECK_EQUAL(atomic_load(&self->member->sleeping_on), 0);
    atomic_store(&guarded->lock.word, 0);
}

static void count_for_ever(void *user)
{
    struct kin__thread *self = kin__self();
    atomic_fetch_add(&numbers[0], 1);
    (void)user;
    for (;;) {
        if (kin__lock_acquire(&guarded->lock, self) == KIN_OWNER_DIED) {
            guarded->second = guarded->first;
        }
        if (guarded->second != guarded->first) {
            atomic_fetch_add(&numbers[2], 1);
        }
        guarded->first++;
        guarded->second++;
        kin__lock_release(&guarded->lock, self);
    }
}

TEST_OF_PROCESSES(
    killed_at_random_times_holders_never_leave_the_lock_held_or_a_half_change_unnoticed)
{
    new_guarded();
    for (int round = 0; round < 12; round++) {
        pid_t pids[3];
        atomic_store(&numbers[0], 0);
        for (int i = 0; i < 3; i++) {
            pids[i] = child_start(count_for_ever, NULL);
        }
        await_number(0, 3);
        usleep((useconds_t)(round * 150));
        for (int i = 0; i < 3; i++) {
            kill(pids[i], SIGKILL);
            waitpid(pids[i], NULL, 0);
        }
        struct kin__thread *self = kin__self();
        if (kin__lock_acquire(&guarded->lock, self) == KIN_OWNER_DIED) {
            guarded->second = guarded->first;
        }
        CHECK_EQUAL(guarded->first, guarded->second);
        kin__lock_release(&guarded->lock, self);
    }
    CHECK_EQUAL(atomic_load(&numbers[2]), 0);
}
