/* Values and arrays, and processes that are killed. */
#include "shared.h"

#include <kin/array.h>
#include <kin/event.h>
#include <kin/queue.h>
#include <kin/value.h>

static kin_value *shared_value;

static _Noreturn void wait_to_be_killed(void)
{
    atomic_fetch_add(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

static void hold_half_done(void *user)
{
    CHECK_EQUAL(kin_value_acquire(user, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_value_set_int(user, 5), 0);
    wait_to_be_killed();
}

TEST_OF_PROCESSES(who_reads_after_a_writer_died_with_the_lock_is_told)
{
    begin();
    int64_t number = 0;
    kin_value *value = NULL;
    REQUIRE(kin_value_create('i', NULL, &value) == 0);
    pid_t pid = child_start(hold_half_done, value);
    await_number(0, 1);
    child_kill(pid);
    CHECK_EQUAL(kin_value_get_int(value, &number), KIN_OWNER_DIED);
    CHECK_EQUAL(number, 5);
    CHECK_EQUAL(kin_value_set_int(value, 6), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_value_set_int(value, INT64_MAX), -ERANGE);
    CHECK_EQUAL(kin_value_mark_consistent(value), -EPERM);
    CHECK_EQUAL(kin_value_acquire(value, KIN_FOREVER), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_value_mark_consistent(value), 0);
    CHECK_EQUAL(kin_value_release(value), 0);
    CHECK_EQUAL(kin_value_get_int(value, &number), 0);
    CHECK_EQUAL(number, 6);
    kin_value_free(value);
    CHECK_SOUND();
}

static void hold_array(void *user)
{
    CHECK_EQUAL(kin_array_acquire(user, KIN_FOREVER), 0);
    wait_to_be_killed();
}

TEST_OF_PROCESSES(slices_of_an_array_whose_writer_died_are_told)
{
    begin();
    int items[4] = {1, 2, 3, 4};
    uint64_t count = 0;
    kin_array *array = NULL;
    REQUIRE(kin_array_create('i', 4, NULL, &array) == 0);
    pid_t pid = child_start(hold_array, array);
    await_number(0, 1);
    child_kill(pid);
    kin_slice all = {0, INT64_MAX, 1};
    CHECK_EQUAL(kin_array_set_slice(array, all, items, 4), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_array_get_slice(array, all, items, 4, &count), KIN_OWNER_DIED);
    CHECK_EQUAL(items[3], 4);
    CHECK_EQUAL(kin_array_acquire(array, KIN_FOREVER), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_array_mark_consistent(array), 0);
    CHECK_EQUAL(kin_array_release(array), 0);
    CHECK_EQUAL(kin_array_get_slice(array, all, items, 4, &count), 0);
    kin_array_free(array);
}

/* --- what is given outlives its giver --- */

static void give_an_event_and_wait(void *user)
{
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    REQUIRE(kin_event_set(event) == 0);
    CHECK_EQUAL(kin_value_set_handle(user, kin_event_handle(event)), 0);
    wait_to_be_killed();
}

static void give_an_event(void *user)
{
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    REQUIRE(kin_event_set(event) == 0);
    CHECK_EQUAL(kin_value_set_handle(user, kin_event_handle(event)), 0);
    kin_event_free(event);
}

static void check_event_in(kin_value *value)
{
    kin_handle handle;
    kin_event *event = NULL;
    CHECK_EQUAL(kin_value_get_handle(value, &handle), 0);
    REQUIRE(kin_event_attach(handle, &event) == 0);
    CHECK(kin_event_is_set(event));
    kin_event_free(event);
    CHECK(is_there(handle));
    kin_value_free(value);
    CHECK(!is_there(handle));
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST_OF_PROCESSES(a_handle_in_a_value_survives_its_giver)
{
    begin();
    kin_value *value = NULL;
    REQUIRE(kin_value_create('&', NULL, &value) == 0);
    child_join(child_start(give_an_event, value));
    check_event_in(value);
}

TEST_OF_PROCESSES(a_handle_in_a_value_survives_the_killing_of_its_giver)
{
    begin();
    kin_value *value = NULL;
    REQUIRE(kin_value_create('&', NULL, &value) == 0);
    pid_t pid = child_start(give_an_event_and_wait, value);
    await_number(0, 1);
    child_kill(pid);
    check_event_in(value);
}

static void own_a_value_and_wait(void *user)
{
    kin_event *event = user;
    kin_value *value = NULL;
    REQUIRE(kin_value_create('&', NULL, &value) == 0);
    CHECK_EQUAL(kin_value_set_handle(value, kin_event_handle(event)), 0);
    kin_event_free(event);
    atomic_store(&numbers[1], kin_value_handle(value).index);
    wait_to_be_killed();
}

TEST_OF_PROCESSES(a_value_goes_with_the_last_process_and_drops_what_it_named)
{
    begin();
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_event_handle(event);
    pid_t pid = child_start(own_a_value_and_wait, event);
    await_number(0, 1);
    kin_event_free(event);
    CHECK(is_there(handle)); /* the child's value names it */
    child_kill(pid);
    while (object_count() != 0) {
        pause_a_moment();
    }
    CHECK_SOUND();
}

/* --- random kills --- */

static void work_until_killed(void *user)
{
    kin_event *event = user;
    atomic_fetch_add(&numbers[0], 1);
    for (int64_t i = 0;; i++) {
        kin_value *own = NULL;
        kin_value_add_int(shared_value, 1, NULL);
        if (kin_value_create('&', NULL, &own) == 0) {
            kin_value_set_handle(own, kin_event_handle(event));
            kin_value_set_handle(own, kin_value_handle(shared_value));
            kin_value_free(own);
        }
        if (kin_value_acquire(shared_value, KIN_FOREVER) == KIN_OWNER_DIED) {
            kin_value_mark_consistent(shared_value);
        }
        kin_value_release(shared_value);
    }
}

TEST_OF_PROCESSES(killed_users_of_values_leave_nothing_behind)
{
    begin();
    kin_event *event = NULL;
    REQUIRE(kin_value_create('q', NULL, &shared_value) == 0);
    REQUIRE(kin_event_create(NULL, &event) == 0);
    for (int round = 0; round < 12; round++) {
        pid_t pids[2];
        atomic_store(&numbers[0], 0);
        for (int i = 0; i < 2; i++) {
            pids[i] = child_start(work_until_killed, event);
        }
        await_number(0, 2);
        usleep((useconds_t)(round * 200));
        for (int i = 0; i < 2; i++) {
            kill(pids[i], SIGKILL);
            waitpid(pids[i], NULL, 0);
        }
        while (object_count() != 3) { /* the value, its lock, the event */
            pause_a_moment();
        }
        int r = kin_value_acquire(shared_value, KIN_FOREVER);
        CHECK(r == 0 || r == KIN_OWNER_DIED);
        CHECK_EQUAL(kin_value_mark_consistent(shared_value), 0);
        CHECK_EQUAL(kin_value_release(shared_value), 0);
    }
    kin_value_free(shared_value);
    kin_event_free(event);
    while (object_count() != 0) { /* until the last one is reaped */
        pause_a_moment();
    }
    CHECK_SOUND();
}
