/* kin_semaphore when an owner of permits or a waiter dies. */
#include "family/directory.h"
#include "family/verify.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/semaphore.h>

static kin_semaphore *new_bounded(uint32_t value)
{
    kin_semaphore *semaphore = NULL;
    begin();
    REQUIRE(kin_semaphore_create(value, KIN_OPTIONS(kin_semaphore_options, .is_bounded = true),
                                 &semaphore) == 0);
    return semaphore;
}

static void sleep_for_ever(void)
{
    for (;;) {
        pause();
    }
}

/* Takes one permit after the other, as long as there are any. */
static void take_all_and_stay(void *user)
{
    int r = 0;
    while (r >= 0) {
        r = kin_semaphore_acquire(user, KIN_NOW);
    }
    CHECK_EQUAL(r, -EAGAIN);
    atomic_store(&numbers[0], 1);
    sleep_for_ever();
}

static pid_t start_owner(kin_semaphore *semaphore)
{
    atomic_store(&numbers[0], 0);
    pid_t owner = child_start(take_all_and_stay, semaphore);
    await_number(0, 1);
    return owner;
}

/* Counts how it came in numbers[1] (clean) and numbers[2] (owner died). */
static void acquire_and_count(void *user)
{
    int r = kin_semaphore_acquire(user, KIN_FOREVER);
    CHECK(r == 0 || r == KIN_OWNER_DIED);
    atomic_fetch_add(&numbers[r == 0 ? 1 : 2], 1);
    await_number(3, 1);
    CHECK_EQUAL(kin_semaphore_release(user, 1), 0);
}

static void *acquire_and_count_in_thread(void *user)
{
    acquire_and_count(user);
    return NULL;
}

TEST_OF_PROCESSES(permits_of_the_dead_come_back_each_with_owner_died_once)
{
    kin_semaphore *semaphore = new_bounded(40); /* more than a member's slot has room for */
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    child_kill(start_owner(semaphore));
    CHECK_EQUAL(kin_semaphore_value(semaphore), 39);
    for (int i = 0; i < 39; i++) {
        CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), KIN_OWNER_DIED);
    }
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 40), 0);
    for (int i = 0; i < 40; i++) {
        CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    }
    CHECK_EQUAL(kin_semaphore_release(semaphore, 40), 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), -EOVERFLOW);
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(sleeping_waiters_get_the_permits_of_the_killed)
{
    kin_semaphore *semaphore = new_bounded(2);
    pid_t owner = start_owner(semaphore);
    pid_t child = child_start(acquire_and_count, semaphore);
    await_sleepers(child, 1);
    pthread_t thread = thread_start(acquire_and_count_in_thread, semaphore);
    await_sleepers(getpid(), 1);
    atomic_store(&numbers[3], 1);
    child_kill(owner);
    child_join(child);
    thread_join(thread);
    CHECK_EQUAL(atomic_load(&numbers[1]) + atomic_load(&numbers[2]), 2);
    CHECK(atomic_load(&numbers[2]) >= 1);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 2);
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(what_a_dead_one_took_of_a_plain_semaphore_does_not_come_back)
{
    kin_semaphore *semaphore = NULL;
    begin();
    REQUIRE(kin_semaphore_create(3, NULL, &semaphore) == 0);
    child_kill(start_owner(semaphore));
    CHECK_EQUAL(kin_semaphore_value(semaphore), 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    kin_semaphore_free(semaphore);
}

static void *take_and_end(void *user)
{
    CHECK_EQUAL(kin_semaphore_acquire(user, KIN_NOW), 0);
    return NULL;
}

TEST(a_thread_that_ends_with_a_permit_counts_as_dead)
{
    kin_semaphore *semaphore = new_bounded(2);
    thread_join(thread_start(take_and_end, semaphore));
    CHECK_EQUAL(kin_semaphore_value(semaphore), 2);
    int first = kin_semaphore_acquire(semaphore, KIN_NOW);
    int second = kin_semaphore_acquire(semaphore, KIN_NOW);
    CHECK_EQUAL(first + second, KIN_OWNER_DIED);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 2), 0);
    kin_semaphore_free(semaphore);
}

static void take_two(void *user)
{
    CHECK_EQUAL(kin_semaphore_acquire(user, KIN_NOW), 0);
    CHECK_EQUAL(kin_semaphore_acquire(user, KIN_NOW), 0);
    atomic_store(&numbers[0], 1);
    sleep_for_ever();
}

TEST_OF_PROCESSES(a_permit_given_back_in_place_of_its_owner_does_not_come_back_twice)
{
    kin_semaphore *semaphore = new_bounded(3);
    pid_t owner = child_start(take_two, semaphore);
    await_number(0, 1);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 2);
    child_kill(owner);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 3);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), -EOVERFLOW);
    int died_count = 0;
    for (int i = 0; i < 3; i++) {
        died_count += kin_semaphore_acquire(semaphore, KIN_NOW) == KIN_OWNER_DIED;
    }
    CHECK_EQUAL(died_count, 1);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 3), 0);
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(a_waiter_killed_after_it_was_woken_for_a_permit_costs_nobody_a_wake_up)
{
    kin_semaphore *semaphore = new_bounded(1);
    REQUIRE(kin_semaphore_acquire(semaphore, KIN_NOW) == 0);
    pid_t doomed = child_start(acquire_and_count, semaphore); /* first in the kernel's line */
    await_sleepers(doomed, 1);
    pthread_t waiter = thread_start(acquire_and_count_in_thread, semaphore);
    await_sleepers(getpid(), 1);
    REQUIRE(kill(doomed, SIGSTOP) == 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0); /* wakes the stopped one */
    child_kill(doomed);
    atomic_store(&numbers[3], 1);
    thread_join(waiter);
    CHECK(atomic_load(&numbers[1]) + atomic_load(&numbers[2]) >= 1);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 1);
    kin_semaphore_free(semaphore);
}

static void pass_gate_for_ever(void *user)
{
    for (;;) {
        CHECK(kin_semaphore_acquire(user, KIN_FOREVER) >= 0);
        atomic_fetch_add(&numbers[4], 1);
        CHECK_EQUAL(kin_semaphore_release(user, 1), 0);
    }
}

TEST_OF_PROCESSES_WITH(killed_in_the_crowd_again_and_again_no_permit_is_lost, .limit_seconds = 60)
{
    kin_semaphore *semaphore = new_bounded(2);
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = child_start(pass_gate_for_ever, semaphore);
    }
    for (int round = 0; round < 15; round++) {
        uint64_t passed = atomic_load(&numbers[4]);
        await_number(4, passed + 50);
        child_kill(children[round % 3]);
        children[round % 3] = child_start(pass_gate_for_ever, semaphore);
    }
    for (int i = 0; i < 3; i++) {
        child_kill(children[i]);
    }
    CHECK_EQUAL(kin_semaphore_value(semaphore), 2);
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(the_verifier_finds_a_permit_of_nobody)
{
    kin_semaphore *semaphore = new_bounded(2);
    pid_t owner = start_owner(semaphore);
    char report[1000];
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    child_kill(owner);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    _Atomic uint32_t *permits = (_Atomic uint32_t *)kin__entry_object(
                                    kin__entry_at(kin_semaphore_handle(semaphore).index)) +
                                32;
    atomic_store(permits, 0x12340077);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 1);
    CHECK(strstr(report, "permit of nobody who lives") != NULL);
    atomic_store(permits, 0);
    kin_semaphore_free(semaphore);
}
