/* The order of locks, which builds with KIN_DEBUG watch. */
#include "unit/children.h"

#include <errno.h>
#include <kin/deadlock.h>
#include <kin/lock.h>
#include <kin/rlock.h>
#include <string.h>

#if defined(KIN_DEBUG) && KIN_DEBUG

static kin_lock *locks[3];
static char last_report[4096];

static void note_report(const kin_deadlock *deadlock, void *user)
{
    CHECK_EQUAL(deadlock->kind, KIN_DEADLOCK_ORDER);
    CHECK_EQUAL(deadlock->thread_count, 1);
    snprintf(user, sizeof last_report, "%s", deadlock->text);
    atomic_fetch_add(&numbers[0], 1);
}

static void open_locks(void)
{
    static const char *const names[] = {"first", "second", "third"};
    begin();
    for (int i = 0; i < 3; i++) {
        REQUIRE(kin_lock_create(KIN_OPTIONS(kin_lock_options, .name = names[i]), &locks[i]) == 0);
    }
    REQUIRE(kin_deadlock_policy_set(KIN_DEADLOCK_ERROR, note_report, last_report) == 0);
}

static void close_locks(void)
{
    for (int i = 0; i < 3; i++) {
        kin_lock_free(locks[i]);
    }
    CHECK_EQUAL(kin_deadlock_policy_set(KIN_DEADLOCK_ERROR, NULL, NULL), 0);
}

/* Takes two locks, one inside the other. */
static void nest(kin_lock *outer, kin_lock *inner, kin_timeout timeout)
{
    CHECK_EQUAL(kin_lock_acquire(outer, timeout), 0);
    CHECK_EQUAL(kin_lock_acquire(inner, timeout), 0);
    CHECK_EQUAL(kin_lock_release(inner), 0);
    CHECK_EQUAL(kin_lock_release(outer), 0);
}

TEST(two_locks_in_both_orders_are_reported_once_and_without_a_deadlock)
{
    open_locks();
    nest(locks[0], locks[1], KIN_FOREVER);
    nest(locks[0], locks[1], KIN_FOREVER);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    nest(locks[1], locks[0], KIN_FOREVER);
    CHECK_EQUAL(atomic_load(&numbers[0]), 1);
    CHECK(strstr(last_report, "\"second\", acquired at ") != NULL);
    CHECK(strstr(last_report, "acquires lock") != NULL);
    CHECK(strstr(last_report, "\"first\", which was held before") != NULL);
    nest(locks[1], locks[0], KIN_FOREVER);
    CHECK_EQUAL(atomic_load(&numbers[0]), 1);
    close_locks();
}

static void nest_in_child(void *user)
{
    (void)user;
    nest(locks[0], locks[1], KIN_FOREVER);
}

TEST_OF_PROCESSES(the_orders_of_different_processes_are_compared)
{
    open_locks();
    child_join(child_start(nest_in_child, NULL));
    nest(locks[1], locks[0], KIN_FOREVER);
    CHECK_EQUAL(atomic_load(&numbers[0]), 1);
    close_locks();
}

TEST(an_order_over_a_third_lock_is_found)
{
    open_locks();
    nest(locks[0], locks[1], KIN_FOREVER);
    nest(locks[1], locks[2], KIN_FOREVER);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    nest(locks[2], locks[0], KIN_FOREVER);
    CHECK_EQUAL(atomic_load(&numbers[0]), 1);
    close_locks();
}

TEST(who_does_not_wait_has_no_order)
{
    open_locks();
    nest(locks[0], locks[1], KIN_FOREVER);
    nest(locks[1], locks[0], KIN_NOW);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    CHECK_EQUAL(kin_deadlock_policy_set(KIN_DEADLOCK_OFF, note_report, last_report), 0);
    nest(locks[1], locks[0], KIN_FOREVER);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    close_locks();
}

TEST(what_was_freed_has_no_order)
{
    open_locks();
    for (int i = 0; i < 20; i++) {
        kin_lock *other = NULL;
        REQUIRE(kin_lock_create(NULL, &other) == 0);
        if (i % 2 == 0) {
            nest(locks[0], other, KIN_FOREVER);
        } else {
            nest(other, locks[0], KIN_FOREVER);
        }
        kin_lock_free(other);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    close_locks();
}

TEST(an_rlock_that_nests_has_no_order_with_itself)
{
    kin_rlock *rlock = NULL;
    open_locks();
    REQUIRE(kin_rlock_create(NULL, &rlock) == 0);
    CHECK_EQUAL(kin_rlock_acquire(rlock, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_lock_acquire(locks[0], KIN_FOREVER), 0);
    CHECK_EQUAL(kin_rlock_acquire(rlock, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_rlock_release(rlock), 0);
    CHECK_EQUAL(kin_lock_release(locks[0]), 0);
    CHECK_EQUAL(kin_rlock_release(rlock), 0);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    kin_rlock_free(rlock);
    close_locks();
}

#endif
