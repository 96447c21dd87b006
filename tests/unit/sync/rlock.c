/* kin_rlock: nesting. What it shares with kin_lock is tested there. */
#include "unit/children.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/lock.h>
#include <kin/rlock.h>

static kin_rlock *new_rlock(const kin_rlock_options *options)
{
    kin_rlock *rlock = NULL;
    begin();
    REQUIRE(kin_rlock_create(options, &rlock) == 0);
    return rlock;
}

static void acquire(kin_rlock *rlock, int times, int code)
{
    for (int i = 0; i < times; i++) {
        CHECK_EQUAL(kin_rlock_acquire(rlock, KIN_NOW), code);
    }
}

static void release(kin_rlock *rlock, int times)
{
    for (int i = 0; i < times; i++) {
        CHECK(kin_rlock_is_locked(rlock));
        CHECK_EQUAL(kin_rlock_release(rlock), 0);
    }
}

TEST(rlock_functions_refuse_null_and_foreign_options)
{
    kin_rlock *rlock = new_rlock(NULL);
    kin_rlock *other = NULL;
    kin_lock *lock = NULL;
    CHECK_EQUAL(kin_rlock_create(NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_rlock_create(&(kin_rlock_options){.size = 1}, &other), -EINVAL);
    CHECK_EQUAL(kin_rlock_create(KIN_OPTIONS(kin_rlock_options, .scope = (kin_scope)7), &other),
                -EINVAL);
    CHECK_EQUAL(kin_rlock_acquire(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_rlock_acquire(rlock, (kin_timeout){0}), -EINVAL);
    CHECK_EQUAL(kin_rlock_release(NULL), -EINVAL);
    CHECK_EQUAL(kin_rlock_mark_consistent(NULL), -EINVAL);
    CHECK(!kin_rlock_is_locked(NULL));
    CHECK_EQUAL(kin_rlock_handle(NULL).counter, 0);
    CHECK(kin_rlock_free(NULL) == NULL);
    CHECK_EQUAL(kin_lock_attach(kin_rlock_handle(rlock), &lock), -EINVAL);
    REQUIRE(kin_rlock_attach(kin_rlock_handle(rlock), &other) == 0);
    kin_rlock_free(other);
    kin_rlock_free(rlock);
}

TEST(an_rlock_is_free_after_as_many_releases_as_acquires)
{
    kin_rlock *rlock = new_rlock(NULL);
    for (int round = 0; round < 3; round++) {
        acquire(rlock, 5, 0);
        release(rlock, 5);
        CHECK(!kin_rlock_is_locked(rlock));
        CHECK_EQUAL(kin_rlock_release(rlock), -EPERM);
    }
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        CHECK_EQUAL(atomic_load(&kin__self()->member->holdings[i]), 0);
    }
    kin_rlock_free(rlock);
}

static void ask_from_outside(void *user)
{
    kin_rlock *rlock = user;
    CHECK(kin_rlock_is_locked(rlock));
    CHECK_EQUAL(kin_rlock_acquire(rlock, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_rlock_acquire(rlock, kin_within_ms(5)), -ETIMEDOUT);
    CHECK_EQUAL(kin_rlock_release(rlock), -EPERM);
    CHECK_EQUAL(kin_rlock_mark_consistent(rlock), -EPERM);
}

static void *ask_from_thread(void *user)
{
    ask_from_outside(user);
    return NULL;
}

TEST_OF_PROCESSES(others_do_not_get_an_rlock_at_any_depth)
{
    kin_rlock *rlock = new_rlock(NULL);
    acquire(rlock, 2, 0);
    thread_join(thread_start(ask_from_thread, rlock));
    release(rlock, 1);
    child_join(child_start(ask_from_outside, rlock));
    release(rlock, 1);
    kin_rlock_free(rlock);
}

static void *acquire_and_count(void *user)
{
    CHECK_EQUAL(kin_rlock_acquire(user, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_rlock_acquire(user, KIN_FOREVER), 0);
    atomic_fetch_add(&numbers[0], 1);
    CHECK_EQUAL(kin_rlock_release(user), 0);
    CHECK_EQUAL(kin_rlock_release(user), 0);
    return NULL;
}

static void wake_waiters(const kin_rlock_options *options)
{
    kin_rlock *rlock = new_rlock(options);
    pthread_t threads[3];
    acquire(rlock, 3, 0);
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(acquire_and_count, rlock);
    }
    await_sleepers(getpid(), 3);
    release(rlock, 2);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    release(rlock, 1);
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 3);
    kin_rlock_free(rlock);
}

TEST(the_last_release_of_an_rlock_wakes_those_who_wait)
{
    wake_waiters(NULL);
}

TEST(the_last_release_of_a_fair_rlock_wakes_those_who_wait)
{
    wake_waiters(KIN_OPTIONS(kin_rlock_options, .is_fair = true));
}

static void acquire_thrice_and_stay(void *user)
{
    acquire(user, 3, 0);
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(the_rlock_of_a_killed_holder_is_taken_once_with_owner_died)
{
    kin_rlock *rlock = new_rlock(NULL);
    pid_t holder = child_start(acquire_thrice_and_stay, rlock);
    await_number(0, 1);
    child_kill(holder);
    acquire(rlock, 2, KIN_OWNER_DIED);
    CHECK_EQUAL(kin_rlock_mark_consistent(rlock), 0);
    acquire(rlock, 1, 0);
    release(rlock, 3);
    CHECK(!kin_rlock_is_locked(rlock));
    acquire(rlock, 1, 0);
    release(rlock, 1);
    kin_rlock_free(rlock);
}
