/* kin_lock with is_handoff: anybody releases, and what that does to holdings and deaths. */
#include "unit/children.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/lock.h>

enum { LOCK_COUNT = 40, ROUND_COUNT = 20 };

static kin_lock *new_handoff_lock(bool is_fair)
{
    kin_lock *lock = NULL;
    REQUIRE(kin_lock_create(KIN_OPTIONS(kin_lock_options, .is_handoff = true, .is_fair = is_fair),
                            &lock) == 0);
    return lock;
}

static uint32_t holding_count(void)
{
    const struct kin__member *member = kin__self()->member;
    uint32_t count = atomic_load(&member->holding_overflow);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        count += atomic_load(&member->holdings[i]) != 0;
    }
    return count;
}

static void *release_in_thread(void *user)
{
    CHECK_EQUAL(kin_lock_release(user), 0);
    return NULL;
}

static void release_in_child(void *user)
{
    CHECK_EQUAL(kin_lock_release(user), 0);
}

TEST_OF_PROCESSES(another_thread_or_process_releases_a_handoff_lock)
{
    begin();
    kin_lock *lock = new_handoff_lock(false);
    CHECK_EQUAL(kin_lock_release(lock), -EPERM);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
        CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), -EAGAIN);
        thread_join(thread_start(release_in_thread, lock));
        CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
        child_join(child_start(release_in_child, lock));
        CHECK_EQUAL(kin_lock_release(lock), -EPERM);
    }
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(holding_count(), 0);
    kin_lock_free(lock);
}

static void *release_when_it_sleeps(void *user)
{
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_lock_release(user), 0);
    return NULL;
}

static void acquire_twice(bool is_fair)
{
    begin();
    kin_lock *lock = new_handoff_lock(is_fair);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, kin_within_ms(1)), -ETIMEDOUT);
    CHECK_EQUAL(holding_count(), 1);
    pthread_t thread = thread_start(release_when_it_sleeps, lock);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), 0);
    thread_join(thread);
    CHECK_EQUAL(holding_count(), 1);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(holding_count(), 0);
    kin_lock_free(lock);
}

TEST(who_acquires_a_handoff_lock_twice_waits_for_another_to_release_it)
{
    acquire_twice(false);
}

TEST(who_acquires_a_fair_handoff_lock_twice_waits_for_another_to_release_it)
{
    acquire_twice(true);
}

static void acquire_and_stay(void *user)
{
    CHECK_EQUAL(kin_lock_acquire(user, KIN_FOREVER), 0);
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(the_last_acquirer_of_a_handoff_lock_is_its_holder_when_it_dies)
{
    begin();
    kin_lock *lock = new_handoff_lock(false);
    pid_t holder = child_start(acquire_and_stay, lock);
    await_number(0, 1);
    child_kill(holder);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_lock_mark_consistent(lock), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    atomic_store(&numbers[0], 0);
    holder = child_start(acquire_and_stay, lock);
    await_number(0, 1);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    child_kill(holder); /* no holder any more */
    CHECK(kin_lock_is_locked(lock));
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}

TEST(what_others_released_does_not_fill_the_member_slot)
{
    kin_lock *locks[LOCK_COUNT];
    begin();
    for (int i = 0; i < LOCK_COUNT; i++) {
        locks[i] = new_handoff_lock(false);
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < LOCK_COUNT; i++) {
            CHECK_EQUAL(kin_lock_acquire(locks[i], KIN_NOW), 0);
            thread_join(thread_start(release_in_thread, locks[i]));
        }
        CHECK_EQUAL(atomic_load(&kin__self()->member->holding_overflow), 0);
    }
    for (int i = 0; i < LOCK_COUNT; i++) {
        kin_lock_free(locks[i]);
    }
}

/* --- a ring: each waits for its own lock, and releases the next one's --- */

static kin_lock *ring[3];

static void *go_round(void *user)
{
    uint64_t place = (uint64_t)(uintptr_t)user;
    for (uint64_t round = 0; round < ROUND_COUNT; round++) {
        CHECK_EQUAL(kin_lock_acquire(ring[place], KIN_FOREVER), 0);
        uint64_t turn = atomic_fetch_add(&numbers[0], 1);
        CHECK_EQUAL(turn, 3 * round + place);
        CHECK_EQUAL(kin_lock_release(ring[(place + 1) % 3]), 0);
    }
    return NULL;
}

/* Its end counts as a death, so it stays until what it has acquired is released. */
static void go_round_in_child(void *user)
{
    go_round(user);
    atomic_fetch_add(&numbers[1], 1);
    await_number(1, 3);
}

static void open_ring(bool is_fair)
{
    begin();
    for (int i = 0; i < 3; i++) {
        ring[i] = new_handoff_lock(is_fair);
        CHECK_EQUAL(kin_lock_acquire(ring[i], KIN_NOW), 0);
    }
}

static void close_ring(void)
{
    CHECK_EQUAL(atomic_load(&numbers[0]), 3 * ROUND_COUNT);
    for (int i = 0; i < 3; i++) {
        kin_lock_free(ring[i]);
    }
}

TEST(three_threads_take_turns_by_three_locks_each_released_by_another)
{
    pthread_t threads[3];
    open_ring(false);
    for (uintptr_t i = 0; i < 3; i++) {
        threads[i] = thread_start(go_round, (void *)i);
    }
    CHECK_EQUAL(kin_lock_release(ring[0]), 0);
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    close_ring();
}

TEST_OF_PROCESSES(three_processes_take_turns_by_three_fair_locks_each_released_by_another)
{
    pid_t children[3];
    open_ring(true);
    for (uintptr_t i = 0; i < 3; i++) {
        children[i] = child_start(go_round_in_child, (void *)i);
    }
    CHECK_EQUAL(kin_lock_release(ring[0]), 0);
    for (int i = 0; i < 3; i++) {
        child_join(children[i]);
    }
    close_ring();
}

/* --- a pipeline: each stage waits for the lock that the one before it releases --- */

static kin_lock *gates[2];

static void *first_stage(void *user)
{
    atomic_store(&numbers[0], 20);
    CHECK_EQUAL(kin_lock_release(gates[0]), 0);
    return user;
}

static void *second_stage(void *user)
{
    CHECK_EQUAL(kin_lock_acquire(gates[0], KIN_FOREVER), 0);
    atomic_store(&numbers[0], atomic_load(&numbers[0]) + 1);
    CHECK_EQUAL(kin_lock_release(gates[1]), 0);
    return user;
}

static void *third_stage(void *user)
{
    CHECK_EQUAL(kin_lock_acquire(gates[1], KIN_FOREVER), 0);
    atomic_store(&numbers[0], atomic_load(&numbers[0]) * 2);
    return user;
}

TEST(a_pipeline_of_three_stages_runs_in_order_by_two_locks)
{
    begin();
    for (int i = 0; i < 2; i++) {
        gates[i] = new_handoff_lock(false);
        CHECK_EQUAL(kin_lock_acquire(gates[i], KIN_NOW), 0);
    }
    pthread_t third = thread_start(third_stage, NULL);
    pthread_t second = thread_start(second_stage, NULL);
    await_sleepers(getpid(), 2);
    pthread_t first = thread_start(first_stage, NULL);
    thread_join(first);
    thread_join(second);
    thread_join(third);
    CHECK_EQUAL(atomic_load(&numbers[0]), 42);
    for (int i = 0; i < 2; i++) { /* those who acquired them have ended: they are the process's */
        CHECK(kin_lock_is_locked(gates[i]));
        CHECK_EQUAL(kin_lock_release(gates[i]), 0);
        kin_lock_free(gates[i]);
    }
}

static void acquire_and_leave(void *user)
{
    CHECK_EQUAL(kin_lock_acquire(user, KIN_NOW), 0);
}

static void *acquire_in_thread(void *user)
{
    CHECK_EQUAL(kin_lock_acquire(user, KIN_NOW), 0);
    return NULL;
}

static void acquire_in_thread_and_leave(void *user)
{
    thread_join(thread_start(acquire_in_thread, user));
}

TEST_OF_PROCESSES(a_process_that_leaves_in_order_does_not_keep_a_handoff_lock)
{
    child_body *const bodies[] = {acquire_and_leave, acquire_in_thread_and_leave};
    begin();
    for (int i = 0; i < 2; i++) {
        kin_lock *lock = new_handoff_lock(false);
        child_join(child_start(bodies[i], lock));
        CHECK_EQUAL(kin_lock_acquire(lock, kin_within_ms(60000)), KIN_OWNER_DIED);
        CHECK_EQUAL(kin_lock_release(lock), 0);
        kin_lock_free(lock);
    }
}
