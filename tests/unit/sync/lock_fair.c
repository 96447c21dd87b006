/* kin_lock with is_fair: order, nobody passes, deaths and timeouts in the line. */
#include "family/directory.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/lock.h>

enum { WAITER_COUNT = 6 };

static kin_lock *new_fair_lock(void)
{
    kin_lock *lock = NULL;
    begin();
    REQUIRE(kin_lock_create(KIN_OPTIONS(kin_lock_options, .is_fair = true), &lock) == 0);
    return lock;
}

static uint32_t holder_of(kin_lock *lock)
{
    const _Atomic uint32_t *holder = kin__entry_object(kin__entry_at(kin_lock_handle(lock).index));
    return atomic_load(holder);
}

/* One who waits, and notes when it came in: numbers[1 + turn] = its number. */
struct waiter {
    kin_lock *lock;
    kin_timeout timeout;
    int expected;
    uint64_t number;
};

static void wait_for_turn(void *user)
{
    const struct waiter *waiter = user;
    CHECK_EQUAL(kin_lock_acquire(waiter->lock, waiter->timeout), waiter->expected);
    if (waiter->expected >= 0) {
        uint64_t turn = atomic_fetch_add(&numbers[0], 1);
        atomic_store(&numbers[1 + turn], waiter->number);
        CHECK_EQUAL(kin_lock_release(waiter->lock), 0);
    }
}

static void *wait_for_turn_in_thread(void *user)
{
    wait_for_turn(user);
    return NULL;
}

static pthread_t start_waiter(struct waiter *waiter, uint32_t asleep)
{
    pthread_t thread = thread_start(wait_for_turn_in_thread, waiter);
    await_sleepers(getpid(), asleep);
    return thread;
}

TEST(a_fair_lock_goes_to_threads_in_the_order_in_which_they_came)
{
    kin_lock *lock = new_fair_lock();
    struct waiter waiters[WAITER_COUNT];
    pthread_t threads[WAITER_COUNT];
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    for (uint32_t i = 0; i < WAITER_COUNT; i++) {
        waiters[i] = (struct waiter){.lock = lock, .timeout = KIN_FOREVER, .number = i + 1};
        threads[i] = start_waiter(&waiters[i], i + 1);
    }
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), 0); /* comes last */
    CHECK_EQUAL(atomic_load(&numbers[0]), WAITER_COUNT);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    for (uint32_t i = 0; i < WAITER_COUNT; i++) {
        thread_join(threads[i]);
        CHECK_EQUAL(atomic_load(&numbers[1 + i]), i + 1);
    }
    CHECK_EQUAL(holder_of(lock), 0);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(a_fair_lock_goes_to_processes_in_the_order_in_which_they_came)
{
    kin_lock *lock = new_fair_lock();
    struct waiter waiters[WAITER_COUNT];
    pid_t children[WAITER_COUNT];
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    for (uint32_t i = 0; i < WAITER_COUNT; i++) {
        waiters[i] = (struct waiter){.lock = lock, .timeout = KIN_FOREVER, .number = i + 1};
        children[i] = child_start(wait_for_turn, &waiters[i]);
        await_sleepers(children[i], 1);
    }
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    for (uint32_t i = 0; i < WAITER_COUNT; i++) {
        child_join(children[i]);
        CHECK_EQUAL(atomic_load(&numbers[1 + i]), i + 1);
    }
    kin_lock_free(lock);
}

/* Gets the lock 50 times in a row, each time as soon as it can. */
static void *want_it_often(void *user)
{
    for (int i = 0; i < 50; i++) {
        CHECK_EQUAL(kin_lock_acquire(user, KIN_FOREVER), 0);
        atomic_fetch_add(&numbers[10], 1);
        CHECK_EQUAL(kin_lock_release(user), 0);
    }
    return NULL;
}

TEST(who_waits_for_a_fair_lock_is_not_passed)
{
    kin_lock *lock = new_fair_lock();
    struct waiter waiter = {.lock = lock, .timeout = KIN_FOREVER, .number = 1};
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    pthread_t first = start_waiter(&waiter, 1);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), 0); /* at once, and yet second */
    CHECK_EQUAL(atomic_load(&numbers[0]), 1);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    thread_join(first);
    pthread_t greedy[3];
    for (int i = 0; i < 3; i++) {
        greedy[i] = thread_start(want_it_often, lock);
    }
    for (int i = 0; i < 3; i++) {
        thread_join(greedy[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[10]), 150);
    CHECK_EQUAL(holder_of(lock), 0);
    kin_lock_free(lock);
}

TEST(one_that_leaves_the_line_loses_its_place_only)
{
    kin_lock *lock = new_fair_lock();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    struct waiter waiters[3] = {
        {.lock = lock, .timeout = kin_by(INT64_MAX, cancel), .expected = -ECANCELED},
        {.lock = lock, .timeout = KIN_FOREVER, .number = 1},
        {.lock = lock, .timeout = KIN_FOREVER, .number = 2}};
    pthread_t threads[3];
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    for (uint32_t i = 0; i < 3; i++) {
        threads[i] = start_waiter(&waiters[i], i + 1);
    }
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    thread_join(threads[0]);
    CHECK_EQUAL(kin_lock_acquire(lock, kin_within_ms(1)), -EDEADLK);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    thread_join(threads[1]);
    thread_join(threads[2]);
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    CHECK_EQUAL(atomic_load(&numbers[2]), 2);
    kin_cancel_free(cancel);
    kin_lock_free(lock);
}

static void *time_out_often(void *user)
{
    for (int i = 0; i < 30; i++) {
        int r = kin_lock_acquire(user, kin_within_ms(1));
        CHECK(r == 0 || r == -ETIMEDOUT);
        if (r == 0) {
            pause_a_moment();
            CHECK_EQUAL(kin_lock_release(user), 0);
        }
    }
    return NULL;
}

TEST(those_who_give_up_just_when_they_are_woken_leave_no_other_asleep)
{
    kin_lock *lock = new_fair_lock();
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) {
        threads[i] = thread_start(i < 2 ? want_it_often : time_out_often, lock);
    }
    for (int i = 0; i < 5; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(holder_of(lock), 0);
    kin_lock_free(lock);
}

static void acquire_and_stay(void *user)
{
    CHECK(kin_lock_acquire(user, KIN_FOREVER) >= 0);
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(the_fair_lock_of_a_killed_holder_goes_to_the_first_in_line)
{
    kin_lock *lock = new_fair_lock();
    struct waiter waiters[2];
    pthread_t threads[2];
    pid_t holder = child_start(acquire_and_stay, lock);
    await_number(0, 1);
    atomic_store(&numbers[0], 0);
    for (uint32_t i = 0; i < 2; i++) {
        waiters[i] = (struct waiter){
            .lock = lock, .timeout = KIN_FOREVER, .expected = KIN_OWNER_DIED, .number = i + 1};
        threads[i] = start_waiter(&waiters[i], i + 1);
    }
    child_kill(holder);
    thread_join(threads[0]);
    thread_join(threads[1]);
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    CHECK_EQUAL(atomic_load(&numbers[2]), 2);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_lock_mark_consistent(lock), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(the_first_in_line_is_killed_and_the_second_gets_the_fair_lock)
{
    kin_lock *lock = new_fair_lock();
    struct waiter doomed = {.lock = lock, .timeout = KIN_FOREVER};
    struct waiter second = {.lock = lock, .timeout = KIN_FOREVER, .number = 2};
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    pid_t first = child_start(wait_for_turn, &doomed);
    await_sleepers(first, 1);
    pthread_t thread = start_waiter(&second, 1);
    REQUIRE(kill(first, SIGSTOP) == 0);
    CHECK_EQUAL(kin_lock_release(lock), 0); /* for the stopped one, which cannot take it */
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), -EAGAIN);
    CHECK(!kin_lock_is_locked(lock));
    child_kill(first);
    thread_join(thread);
    CHECK_EQUAL(atomic_load(&numbers[1]), 2);
    CHECK_EQUAL(holder_of(lock), 0);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(a_fair_lock_kept_for_one_who_died_alone_is_free)
{
    kin_lock *lock = new_fair_lock();
    struct waiter doomed = {.lock = lock, .timeout = KIN_FOREVER};
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    pid_t first = child_start(wait_for_turn, &doomed);
    await_sleepers(first, 1);
    REQUIRE(kill(first, SIGSTOP) == 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    child_kill(first);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}

/* --- killed anywhere --- */

/* Wants the lock again and again, at times not for long, until it is killed or told to stop. */
static void want_it_until_stopped(void *user)
{
    for (uint64_t i = 0; atomic_load(&numbers[20]) == 0; i++) {
        int r = kin_lock_acquire(user, i % 8 == 0 ? kin_within_ms(1) : KIN_FOREVER);
        CHECK(r >= 0 || r == -ETIMEDOUT);
        if (r == KIN_OWNER_DIED) {
            CHECK_EQUAL(kin_lock_mark_consistent(user), 0);
        }
        if (r >= 0) {
            atomic_fetch_add(&numbers[21], 1);
            CHECK_EQUAL(kin_lock_release(user), 0);
        }
    }
}

/* Each has had the lock some more times since. */
static void await_progress(void)
{
    await_number(21, atomic_load(&numbers[21]) + 50);
}

TEST_OF_PROCESSES(those_who_want_a_fair_lock_are_killed_again_and_again_and_it_goes_on)
{
    enum { WORKER_COUNT = 4, KILL_COUNT = 30 };
    kin_lock *lock = new_fair_lock();
    pid_t workers[WORKER_COUNT];
    for (int i = 0; i < WORKER_COUNT; i++) {
        workers[i] = child_start(want_it_until_stopped, lock);
    }
    for (int i = 0; i < KILL_COUNT; i++) {
        await_progress();
        child_kill(workers[i % WORKER_COUNT]);
        workers[i % WORKER_COUNT] = child_start(want_it_until_stopped, lock);
    }
    await_progress();
    atomic_store(&numbers[20], 1);
    for (int i = 0; i < WORKER_COUNT; i++) {
        child_join(workers[i]);
    }
    CHECK(kin_lock_acquire(lock, KIN_NOW) >= 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}
