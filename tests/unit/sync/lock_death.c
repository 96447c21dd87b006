/* kin_lock when its holder or a waiter dies. */
#include "family/directory.h"
#include "family/verify.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/lock.h>

enum { LOCK_COUNT = 40 }; /* more than a member's slot has room for */

static kin_lock *new_lock(void)
{
    kin_lock *lock = NULL;
    begin();
    REQUIRE(kin_lock_create(NULL, &lock) == 0);
    return lock;
}

static void sleep_for_ever(void)
{
    for (;;) {
        pause();
    }
}

static void acquire_and_stay(void *user)
{
    CHECK(kin_lock_acquire(user, KIN_FOREVER) >= 0);
    atomic_store(&numbers[0], 1);
    sleep_for_ever();
}

static pid_t start_holder(kin_lock *lock)
{
    atomic_store(&numbers[0], 0);
    pid_t holder = child_start(acquire_and_stay, lock);
    await_number(0, 1);
    return holder;
}

/* Waits for the lock; counts how it came in numbers[1] (clean) and numbers[2] (owner died). */
static void acquire_and_count(void *user)
{
    int r = kin_lock_acquire(user, KIN_FOREVER);
    CHECK(r == 0 || r == KIN_OWNER_DIED);
    atomic_fetch_add(&numbers[r == 0 ? 1 : 2], 1);
    CHECK_EQUAL(kin_lock_release(user), 0);
}

static void *acquire_and_count_in_thread(void *user)
{
    acquire_and_count(user);
    return NULL;
}

TEST_OF_PROCESSES(a_lock_whose_holder_was_killed_is_taken_with_owner_died)
{
    kin_lock *lock = new_lock();
    child_kill(start_holder(lock));
    CHECK(!kin_lock_is_locked(lock));
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(owner_died_is_said_until_the_state_is_marked_consistent)
{
    kin_lock *lock = new_lock();
    child_kill(start_holder(lock));
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), KIN_OWNER_DIED);
        CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), -EDEADLK);
        CHECK_EQUAL(kin_lock_release(lock), 0);
    }
    CHECK_EQUAL(kin_lock_mark_consistent(lock), -EPERM);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_lock_mark_consistent(lock), 0);
    CHECK_EQUAL(kin_lock_mark_consistent(lock), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(a_sleeping_waiter_gets_the_lock_of_a_killed_holder)
{
    kin_lock *lock = new_lock();
    pid_t holder = start_holder(lock);
    pthread_t waiter = thread_start(acquire_and_count_in_thread, lock);
    await_sleepers(getpid(), 1);
    child_kill(holder);
    thread_join(waiter);
    CHECK_EQUAL(atomic_load(&numbers[2]), 1);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(many_sleeping_waiters_all_get_the_lock_of_a_killed_holder)
{
    kin_lock *lock = new_lock();
    pid_t holder = start_holder(lock);
    pid_t children[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        children[i] = child_start(acquire_and_count, lock);
    }
    for (int i = 0; i < 4; i++) {
        threads[i] = thread_start(acquire_and_count_in_thread, lock);
        await_sleepers(children[i], 1);
    }
    await_sleepers(getpid(), 4);
    child_kill(holder);
    for (int i = 0; i < 4; i++) {
        child_join(children[i]);
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[2]), 8);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(a_killed_holder_of_40_locks_gives_up_all)
{
    kin_lock *locks[LOCK_COUNT];
    begin();
    for (int i = 0; i < LOCK_COUNT; i++) {
        REQUIRE(kin_lock_create(NULL, &locks[i]) == 0);
    }
    uint32_t owner = 0;
    pid_t holder = kin__family_fork("holder", 0, &owner);
    if (holder == 0) {
        for (int i = 0; i < LOCK_COUNT; i++) {
            CHECK_EQUAL(kin_lock_acquire(locks[i], KIN_NOW), 0);
        }
        atomic_store(&numbers[0], 1);
        sleep_for_ever();
    }
    await_number(0, 1);
    for (int i = 0; i < LOCK_COUNT; i++) {
        CHECK(kin_lock_is_locked(locks[i]));
    }
    child_kill(holder);
    for (int i = 0; i < LOCK_COUNT; i++) {
        CHECK_EQUAL(kin_lock_acquire(locks[i], KIN_NOW), KIN_OWNER_DIED);
        CHECK_EQUAL(kin_lock_release(locks[i]), 0);
        kin_lock_free(locks[i]);
    }
}

TEST(40_locks_are_released_in_any_order_and_leave_no_claim)
{
    kin_lock *locks[LOCK_COUNT];
    begin();
    for (int i = 0; i < LOCK_COUNT; i++) {
        REQUIRE(kin_lock_create(NULL, &locks[i]) == 0);
        CHECK_EQUAL(kin_lock_acquire(locks[i], KIN_NOW), 0);
        CHECK_EQUAL(kin_lock_acquire(locks[i], KIN_NOW), -EDEADLK);
    }
    for (int i = 0; i < LOCK_COUNT; i += 2) {
        CHECK_EQUAL(kin_lock_release(locks[i]), 0);
    }
    for (int i = LOCK_COUNT - 1; i > 0; i -= 2) {
        CHECK_EQUAL(kin_lock_release(locks[i]), 0);
    }
    const struct kin__member *member = kin__self()->member;
    CHECK_EQUAL(atomic_load(&member->holding_overflow), 0);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        CHECK_EQUAL(atomic_load(&member->holdings[i]), 0);
    }
    for (int i = 0; i < LOCK_COUNT; i++) {
        kin_lock_free(locks[i]);
    }
}

static void *acquire_and_end(void *user)
{
    CHECK(kin_lock_acquire(user, KIN_FOREVER) >= 0);
    atomic_store(&numbers[3], 1);
    await_number(4, 1);
    return NULL;
}

TEST(a_thread_that_ends_holding_a_lock_counts_as_dead)
{
    kin_lock *lock = new_lock();
    pthread_t holder = thread_start(acquire_and_end, lock);
    await_number(3, 1);
    pthread_t waiter = thread_start(acquire_and_count_in_thread, lock);
    await_sleepers(getpid(), 1);
    atomic_store(&numbers[4], 1);
    thread_join(holder);
    thread_join(waiter);
    CHECK_EQUAL(atomic_load(&numbers[2]), 1);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}

static void acquire_and_leave(void *user)
{
    CHECK_EQUAL(kin_lock_acquire(user, KIN_FOREVER), 0);
    atomic_store(&numbers[3], 1);
    await_number(4, 1);
}

TEST_OF_PROCESSES(a_process_that_leaves_holding_a_lock_counts_as_dead)
{
    kin_lock *lock = new_lock();
    pid_t holder = child_start(acquire_and_leave, lock);
    await_number(3, 1);
    pthread_t waiter = thread_start(acquire_and_count_in_thread, lock);
    await_sleepers(getpid(), 1);
    atomic_store(&numbers[4], 1);
    child_join(holder);
    thread_join(waiter);
    CHECK_EQUAL(atomic_load(&numbers[2]), 1);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(a_killed_waiter_costs_nobody_a_wake_up)
{
    kin_lock *lock = new_lock();
    REQUIRE(kin_lock_acquire(lock, KIN_NOW) == 0);
    pid_t doomed = child_start(acquire_and_count, lock);
    await_sleepers(doomed, 1);
    pthread_t waiter = thread_start(acquire_and_count_in_thread, lock);
    await_sleepers(getpid(), 1);
    child_kill(doomed);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    thread_join(waiter);
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    CHECK_EQUAL(atomic_load(&numbers[2]), 0);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(a_waiter_killed_after_it_was_woken_costs_nobody_a_wake_up)
{
    kin_lock *lock = new_lock();
    REQUIRE(kin_lock_acquire(lock, KIN_NOW) == 0);
    pid_t doomed = child_start(acquire_and_count, lock); /* first in the kernel's line */
    await_sleepers(doomed, 1);
    pthread_t waiter = thread_start(acquire_and_count_in_thread, lock);
    await_sleepers(getpid(), 1);
    REQUIRE(kill(doomed, SIGSTOP) == 0);
    CHECK_EQUAL(kin_lock_release(lock), 0); /* wakes the stopped one, which cannot run */
    child_kill(doomed);
    thread_join(waiter);
    CHECK(atomic_load(&numbers[1]) + atomic_load(&numbers[2]) >= 1);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(holders_are_killed_again_and_again_and_the_lock_goes_on)
{
    kin_lock *lock = new_lock();
    for (int round = 0; round < 10; round++) {
        child_kill(start_holder(lock));
        CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), KIN_OWNER_DIED);
        CHECK_EQUAL(kin_lock_release(lock), 0);
    }
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_lock_mark_consistent(lock), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(the_verifier_finds_a_lock_that_is_held_by_nobody)
{
    kin_lock *lock = new_lock();
    pid_t holder = start_holder(lock);
    char report[1000];
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    child_kill(holder);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    _Atomic uint32_t *word = kin__entry_object(kin__entry_at(kin_lock_handle(lock).index));
    atomic_store(word, 0x12340077);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 1);
    CHECK(strstr(report, "held by nobody who lives") != NULL);
    atomic_store(word, 0);
    kin_lock_free(lock);
}
