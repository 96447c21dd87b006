/*
 * kin_condition when somebody dies: who waits, who has been notified, who notifies, who holds
 * the lock.
 */
#include "unit/sync/conditions.h"

/* The schedule that leaves glibc's condition variables hanging: one who sleeps in it is killed,
 * and from then on others wait and notify. */
TEST_OF_PROCESSES(a_killed_waiter_costs_those_who_come_later_nothing)
{
    kin_condition *condition = new_condition();
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    child_kill(start_waiter(&waiter));
    CHECK_EQUAL(line_length(condition), 0);
    for (int round = 0; round < 4; round++) {
        pid_t child = start_waiter(&waiter);
        CHECK_EQUAL(notify(condition, 1), 1);
        child_join(child);
    }
    CHECK_EQUAL(notify(condition, 1), 0);
    check_family();
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(a_notify_chooses_no_dead_waiter)
{
    kin_condition *condition = new_condition();
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    pid_t first = start_waiter(&waiter);
    pid_t second = start_waiter(&waiter);
    child_kill(first);
    CHECK_EQUAL(notify(condition, 1), 1);
    child_join(second);
    CHECK_EQUAL(atomic_load(&numbers[RETURNED]), 1);
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(the_notify_of_one_who_dies_before_it_has_the_lock_goes_to_the_next)
{
    kin_condition *condition = new_condition();
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    pid_t first = start_waiter(&waiter);
    pid_t second = start_waiter(&waiter);
    pid_t third = start_waiter(&waiter);
    acquire(condition);
    CHECK_EQUAL(kin_condition_notify(condition, 1), 1);
    child_kill(first); /* it cannot have come past the lock */
    release(condition);
    child_join(second);
    acquire(condition);
    CHECK_EQUAL(line_length(condition), 1); /* the third sleeps on */
    CHECK_EQUAL(kin_condition_notify_all(condition), 1);
    release(condition);
    child_join(third);
    check_family();
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(a_notify_goes_on_from_one_dead_to_the_next_until_somebody_lives)
{
    enum { DEAD = 4 };
    kin_condition *condition = new_condition();
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    pid_t children[DEAD + 1];
    for (int i = 0; i <= DEAD; i++) {
        children[i] = start_waiter(&waiter);
    }
    acquire(condition);
    CHECK_EQUAL(kin_condition_notify(condition, 1), 1);
    for (int i = 0; i < DEAD; i++) {
        child_kill(children[i]);
    }
    release(condition);
    child_join(children[DEAD]);
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(the_notifies_of_several_who_die_at_once_all_go_on)
{
    enum { DEAD = 3 };
    kin_condition *condition = new_condition();
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    pid_t dead[DEAD];
    pid_t children[DEAD];
    for (int i = 0; i < DEAD; i++) {
        dead[i] = start_waiter(&waiter);
    }
    for (int i = 0; i < DEAD; i++) {
        children[i] = start_waiter(&waiter);
    }
    acquire(condition);
    CHECK_EQUAL(kin_condition_notify(condition, DEAD), DEAD);
    for (int i = 0; i < DEAD; i++) {
        kill(dead[i], SIGKILL);
    }
    for (int i = 0; i < DEAD; i++) {
        waitpid(dead[i], NULL, 0);
    }
    release(condition);
    for (int i = 0; i < DEAD; i++) {
        child_join(children[i]);
    }
    kin_condition_free(condition);
}

/* A thread that ends inside of a wait is dead to the others. */
static void *end_after_notify(void *user)
{
    struct waiter *waiter = user;
    acquire(waiter->condition);
    kin_condition_wait(waiter->condition, KIN_FOREVER);
    pthread_exit(NULL); /* holding the lock */
}

TEST(a_thread_that_ends_with_the_lock_notifies_all)
{
    kin_condition *condition = new_condition();
    struct waiter waiter = {
        .condition = condition, .timeout = KIN_FOREVER, .expected = KIN_OWNER_DIED};
    pthread_t ending = thread_start(end_after_notify, &waiter);
    await_sleepers(getpid(), 1);
    pthread_t first = start_waiting_thread(&waiter);
    pthread_t second = start_waiting_thread(&waiter);
    CHECK_EQUAL(notify(condition, 1), 1);
    thread_join(ending);
    thread_join(first);
    thread_join(second);
    CHECK_EQUAL(atomic_load(&numbers[DIED]), 2);
    kin_condition_free(condition);
}

/* --- the lock's holder --- */

static void change_and_stay(void *user)
{
    CHECK(kin_condition_acquire(user, KIN_FOREVER) >= 0);
    atomic_store(&numbers[STATE], 1);
    stay(GO);
}

static void change_notify_one_and_stay(void *user)
{
    CHECK(kin_condition_acquire(user, KIN_FOREVER) >= 0);
    CHECK_EQUAL(kin_condition_notify(user, 1), 1);
    atomic_store(&numbers[STATE], 1);
    stay(GO);
}

static void kill_holder(child_body *body, kin_condition *condition)
{
    pid_t holder = child_start(body, condition);
    await_number(GO, 1);
    child_kill(holder);
}

/* Notified of what the dead holder may have changed, though it could tell nobody. */
static void kill_holder_beside_three(child_body *body)
{
    kin_condition *condition = new_condition();
    struct waiter waiter = {
        .condition = condition, .timeout = KIN_FOREVER, .expected = KIN_OWNER_DIED};
    pid_t children[2] = {start_waiter(&waiter), start_waiter(&waiter)};
    pthread_t thread = start_waiting_thread(&waiter);
    kill_holder(body, condition);
    child_join(children[0]);
    child_join(children[1]);
    thread_join(thread);
    CHECK_EQUAL(atomic_load(&numbers[DIED]), 3);
    CHECK_EQUAL(kin_condition_acquire(condition, KIN_NOW), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_condition_mark_consistent(condition), 0);
    CHECK_EQUAL(kin_condition_wait(condition, KIN_NOW), -EAGAIN);
    release(condition);
    check_family();
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(all_who_wait_are_told_when_a_holder_dies_that_has_notified_nobody)
{
    kill_holder_beside_three(change_and_stay);
}

TEST_OF_PROCESSES(all_who_wait_are_told_when_a_holder_dies_that_has_notified_one_of_three)
{
    kill_holder_beside_three(change_notify_one_and_stay);
}

static void acquire_lock_and_stay(void *user)
{
    CHECK_EQUAL(kin_lock_acquire(user, KIN_FOREVER), 0);
    stay(GO);
}

TEST_OF_PROCESSES(who_took_the_lock_without_the_condition_is_its_holder_all_the_same)
{
    begin();
    kin_lock *lock = NULL;
    kin_lock *other = NULL;
    kin_condition *conditions[2] = {NULL};
    REQUIRE(kin_lock_create(NULL, &lock) == 0);
    REQUIRE(kin_lock_create(NULL, &other) == 0);
    kin_condition_options options = {.size = sizeof options, .lock = lock};
    REQUIRE(kin_condition_create(&options, &conditions[0]) == 0);
    options.lock = other;
    REQUIRE(kin_condition_create(&options, &conditions[1]) == 0);
    struct waiter waiter = {
        .condition = conditions[0], .timeout = KIN_FOREVER, .expected = KIN_OWNER_DIED};
    struct waiter stranger = {.condition = conditions[1], .timeout = KIN_FOREVER};
    pid_t child = start_waiter(&waiter);
    pid_t untouched = start_waiter(&stranger);
    pid_t holder = child_start(acquire_lock_and_stay, lock);
    await_number(GO, 1);
    child_kill(holder);
    child_join(child);
    CHECK_EQUAL(line_length(conditions[1]), 1); /* the death of another lock's holder */
    CHECK_EQUAL(notify(conditions[1], 1), 1);
    child_join(untouched);
    for (int i = 0; i < 2; i++) {
        kin_condition_free(conditions[i]);
    }
    kin_lock_free(lock);
    kin_lock_free(other);
}

static void wait_without_mending(void *user)
{
    struct waiter *waiter = user;
    CHECK_EQUAL(kin_condition_acquire(waiter->condition, KIN_FOREVER), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_condition_wait(waiter->condition, kin_within_ms(1)), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_condition_wait(waiter->condition, KIN_NOW), KIN_OWNER_DIED);
    release(waiter->condition);
}

TEST_OF_PROCESSES(who_waits_over_a_state_that_nobody_mended_is_told_even_after_the_deadline)
{
    kin_condition *condition = new_condition();
    struct waiter waiter = {.condition = condition};
    kill_holder(change_and_stay, condition);
    wait_without_mending(&waiter);
    kin_condition_free(condition);
}

static bool must_not_look(void *user)
{
    CHECK(atomic_load(&numbers[STATE]) == 0);
    (void)user;
    return false;
}

static void *wait_for_and_mend(void *user)
{
    acquire(user);
    atomic_fetch_add(&numbers[WAITING], 1);
    CHECK_EQUAL(kin_condition_wait_for(user, must_not_look, NULL, KIN_FOREVER), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_condition_mark_consistent(user), 0);
    release(user);
    return NULL;
}

TEST_OF_PROCESSES(wait_for_shows_no_half_changed_state_to_the_predicate)
{
    kin_condition *condition = new_condition();
    pthread_t thread = thread_start(wait_for_and_mend, condition);
    await_sleepers(getpid(), 1);
    kill_holder(change_and_stay, condition);
    thread_join(thread);
    acquire(condition);
    release(condition);
    kin_condition_free(condition);
}

static void notified_and_stay(void *user)
{
    CHECK(kin_condition_acquire(user, KIN_FOREVER) >= 0);
    atomic_fetch_add(&numbers[WAITING], 1);
    CHECK_EQUAL(kin_condition_wait(user, KIN_FOREVER), 0);
    stay(GO);
}

TEST_OF_PROCESSES(one_who_dies_right_after_its_wait_dies_as_the_holder)
{
    kin_condition *condition = new_condition();
    struct waiter waiter = {
        .condition = condition, .timeout = KIN_FOREVER, .expected = KIN_OWNER_DIED};
    pid_t first = child_start(notified_and_stay, condition);
    await_sleepers(first, 1);
    pid_t second = start_waiter(&waiter);
    CHECK_EQUAL(notify(condition, 1), 1);
    await_number(GO, 1);
    child_kill(first);
    child_join(second);
    kin_condition_free(condition);
}

/* --- the last --- */

TEST_OF_PROCESSES(nothing_is_left_of_a_condition_in_which_all_died)
{
    begin();
    struct waiter waiter = {.timeout = KIN_FOREVER};
    REQUIRE(kin_condition_create(NULL, &waiter.condition) == 0);
    kin_handle handle = kin_condition_handle(waiter.condition);
    pid_t children[2] = {start_waiter(&waiter), start_waiter(&waiter)};
    kin_condition_free(waiter.condition);
    child_kill(children[0]);
    child_kill(children[1]);
    waiter.condition = NULL;
    CHECK_EQUAL(kin_condition_attach(handle, &waiter.condition), -ESTALE);
    check_family();
}
