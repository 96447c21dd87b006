/* kin_value: types, ranges, the lock, atomics, handles. What deaths do is in value_death.c. */
#include "shared.h"

#include <float.h>
#include <kin/event.h>
#include <kin/value.h>
#include <limits.h>
#include <wchar.h>

static const char integer_types[] = "cubBhHiIlLqQ";

static kin_value *new_value(char type)
{
    kin_value *value = NULL;
    REQUIRE(kin_value_create(type, NULL, &value) == 0);
    return value;
}

static kin_value *new_raw(char type)
{
    kin_value *value = NULL;
    REQUIRE(kin_value_create(type, KIN_OPTIONS(kin_value_options, .is_raw = true), &value) == 0);
    return value;
}

/* --- types --- */

TEST(value_functions_refuse_null)
{
    begin();
    int64_t number = 0;
    kin_handle handle;
    kin_value *value = new_value('i');
    CHECK_EQUAL(kin_value_create('i', NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_attach(kin_value_handle(value), NULL), -EINVAL);
    CHECK_EQUAL(kin_value_get_int(NULL, &number), -EINVAL);
    CHECK_EQUAL(kin_value_get_int(value, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_get_uint(value, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_get_float(value, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_set_int(NULL, 1), -EINVAL);
    CHECK_EQUAL(kin_value_set_uint(NULL, 1), -EINVAL);
    CHECK_EQUAL(kin_value_set_float(NULL, 1), -EINVAL);
    CHECK_EQUAL(kin_value_add_int(NULL, 1, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_add_float(NULL, 1, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_exchange_int(NULL, 1, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_compare_exchange_int(NULL, 1, 2, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_set_handle(NULL, kin_value_handle(value)), -EINVAL);
    CHECK_EQUAL(kin_value_get_handle(NULL, &handle), -EINVAL);
    CHECK_EQUAL(kin_value_acquire(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_value_release(NULL), -EINVAL);
    CHECK_EQUAL(kin_value_mark_consistent(NULL), -EINVAL);
    CHECK(kin_value_lock(NULL) == NULL);
    CHECK(kin_value_data(NULL) == NULL);
    CHECK_EQUAL(kin_value_type(NULL), 0);
    CHECK_EQUAL(kin_value_handle(NULL).counter, 0);
    CHECK(kin_value_free(NULL) == NULL);
    kin_value_free(value);
}

TEST(a_value_needs_a_family)
{
    kin_value *value = NULL;
    CHECK_EQUAL(kin_value_create('i', NULL, &value), KIN_EFAMILY);
    CHECK(value == NULL);
}

TEST(a_value_has_one_of_the_types)
{
    begin();
    kin_value *value = NULL;
    const char *wrong = "aCxOZ 1";
    for (const char *type = wrong; *type != '\0'; type++) {
        CHECK_EQUAL(kin_value_create(*type, NULL, &value), -EINVAL);
    }
    CHECK_EQUAL(kin_value_create('\0', NULL, &value), -EINVAL);
    CHECK_EQUAL(kin_value_create((char)-1, NULL, &value), -EINVAL);
    kin_value_options options = {.size = sizeof options + 1};
    CHECK_EQUAL(kin_value_create('i', &options, &value), -EINVAL);
    options = (kin_value_options){.size = sizeof options, .scope = (kin_scope)7};
    CHECK_EQUAL(kin_value_create('i', &options, &value), -EINVAL);
    CHECK(value == NULL);
    CHECK_EQUAL(object_count(), 0);
}

TEST(a_new_value_is_zero)
{
    begin();
    for (const char *type = "cubBhHiIlLqQfd"; *type != '\0'; type++) {
        double number = 1;
        kin_value *value = new_value(*type);
        CHECK_EQUAL(kin_value_type(value), *type);
        CHECK_EQUAL(kin_value_get_float(value, &number), 0);
        CHECK(number == 0);
        kin_value_free(value);
    }
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(a_value_begins_with_its_initial_value)
{
    begin();
    double number = 0;
    int64_t integer = 0;
    kin_value *value = NULL;
    REQUIRE(kin_value_create('d', KIN_OPTIONS(kin_value_options, .initial = &(double){2.5}),
                             &value) == 0);
    CHECK_EQUAL(kin_value_get_float(value, &number), 0);
    CHECK(number == 2.5);
    kin_value_free(value);
    REQUIRE(kin_value_create('h', KIN_OPTIONS(kin_value_options, .initial = &(short){-7}),
                             &value) == 0);
    CHECK_EQUAL(kin_value_get_int(value, &integer), 0);
    CHECK_EQUAL(integer, -7);
    kin_value_free(value);
}

struct range {
    char type;
    int64_t min;
    uint64_t max;
};

static const struct range ranges[] = {
    {'c', 0, UCHAR_MAX},     {'u', WCHAR_MIN, WCHAR_MAX}, {'b', SCHAR_MIN, SCHAR_MAX},
    {'B', 0, UCHAR_MAX},     {'h', SHRT_MIN, SHRT_MAX},   {'H', 0, USHRT_MAX},
    {'i', INT_MIN, INT_MAX}, {'I', 0, UINT_MAX},          {'l', LONG_MIN, LONG_MAX},
    {'L', 0, ULONG_MAX},     {'q', INT64_MIN, INT64_MAX}, {'Q', 0, UINT64_MAX},
};

TEST(an_integer_is_held_up_to_the_ends_of_its_type_and_refused_beyond)
{
    begin();
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const struct range *range = &ranges[i];
        int64_t number = 99;
        uint64_t unsigned_number = 99;
        kin_value *value = new_value(range->type);
        CHECK_EQUAL(kin_value_set_int(value, range->min), 0);
        CHECK_EQUAL(kin_value_get_int(value, &number), 0);
        CHECK_EQUAL(number, range->min);
        CHECK_EQUAL(kin_value_get_uint(value, &unsigned_number), range->min < 0 ? -ERANGE : 0);
        CHECK_EQUAL(kin_value_set_uint(value, range->max), 0);
        CHECK_EQUAL(kin_value_get_uint(value, &unsigned_number), 0);
        CHECK(unsigned_number == range->max);
        CHECK_EQUAL(kin_value_get_int(value, &number), range->max > INT64_MAX ? -ERANGE : 0);
        if (range->min > INT64_MIN) {
            CHECK_EQUAL(kin_value_set_int(value, range->min - 1), -ERANGE);
        }
        if (range->max < UINT64_MAX) {
            CHECK_EQUAL(kin_value_set_uint(value, range->max + 1), -ERANGE);
            CHECK_EQUAL(kin_value_set_uint(value, UINT64_MAX), -ERANGE);
        }
        CHECK_EQUAL(kin_value_get_uint(value, &unsigned_number), 0);
        CHECK(unsigned_number == range->max);
        CHECK_EQUAL(kin_value_set_float(value, 1), -EINVAL);
        CHECK_EQUAL(kin_value_add_float(value, 1, NULL), -EINVAL);
        kin_value_free(value);
    }
}

TEST(a_float_takes_integers_and_gives_none)
{
    begin();
    int64_t integer = 0;
    uint64_t unsigned_number = 0;
    double number = 0;
    kin_value *narrow = new_value('f');
    kin_value *wide = new_value('d');
    CHECK_EQUAL(kin_value_set_int(narrow, -3), 0);
    CHECK_EQUAL(kin_value_get_float(narrow, &number), 0);
    CHECK(number == -3);
    CHECK_EQUAL(kin_value_set_uint(wide, UINT64_MAX), 0);
    CHECK_EQUAL(kin_value_get_float(wide, &number), 0);
    CHECK(number == (double)UINT64_MAX);
    CHECK_EQUAL(kin_value_get_int(narrow, &integer), -EINVAL);
    CHECK_EQUAL(kin_value_get_uint(narrow, &unsigned_number), -EINVAL);
    CHECK_EQUAL(kin_value_set_float(narrow, DBL_MAX), -ERANGE);
    CHECK_EQUAL(kin_value_set_float(narrow, -DBL_MAX), -ERANGE);
    CHECK_EQUAL(kin_value_set_float(narrow, -2 * DBL_MAX), 0); /* minus infinity */
    CHECK_EQUAL(kin_value_set_float(wide, DBL_MAX), 0);
    CHECK_EQUAL(kin_value_get_float(wide, &number), 0);
    CHECK(number == DBL_MAX);
    CHECK_EQUAL(kin_value_add_int(wide, 1, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_exchange_int(wide, 1, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_compare_exchange_int(wide, 1, 1, NULL), -EINVAL);
    kin_value_free(narrow);
    kin_value_free(wide);
}

TEST(the_data_of_a_value_is_the_c_type)
{
    begin();
    int64_t number = 0;
    kin_value *value = new_raw('i');
    int *data = kin_value_data(value);
    *data = 17;
    CHECK_EQUAL(kin_value_get_int(value, &number), 0);
    CHECK_EQUAL(number, 17);
    kin_value_free(value);
}

TEST(value_attach_refuses_stale_handles_and_those_of_other_types)
{
    begin();
    kin_value *value = new_value('i');
    kin_value *other = NULL;
    kin_handle handle = kin_value_handle(value);
    CHECK_EQUAL(kin_value_attach(kin_rlock_handle(kin_value_lock(value)), &other), -EINVAL);
    CHECK_EQUAL(kin_value_attach((kin_handle){0}, &other), -ESTALE);
    REQUIRE(kin_value_attach(handle, &other) == 0);
    kin_value_free(value);
    int64_t number = 0;
    CHECK_EQUAL(kin_value_set_int(other, 5), 0);
    CHECK_EQUAL(kin_value_get_int(other, &number), 0);
    CHECK_EQUAL(number, 5);
    kin_value_free(other);
    CHECK_EQUAL(kin_value_attach(handle, &other), -ESTALE);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

/* --- the lock --- */

static void *ask_from_outside(void *user)
{
    CHECK_EQUAL(kin_value_acquire(user, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_value_acquire(user, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(kin_value_release(user), -EPERM);
    return NULL;
}

TEST(a_holder_of_the_lock_gets_and_sets_inside)
{
    begin();
    int64_t number = 0;
    kin_value *value = new_value('q');
    CHECK_EQUAL(kin_value_acquire(value, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_value_set_int(value, 4), 0);
    CHECK_EQUAL(kin_value_get_int(value, &number), 0);
    CHECK_EQUAL(number, 4);
    thread_join(thread_start(ask_from_outside, value));
    CHECK_EQUAL(kin_value_release(value), 0);
    CHECK_EQUAL(kin_value_release(value), -EPERM);
    kin_value_free(value);
}

static void *set_when_free(void *user)
{
    CHECK_EQUAL(kin_value_set_int(user, 2), 0);
    return NULL;
}

TEST(a_set_waits_for_the_holder_of_the_lock)
{
    begin();
    int64_t number = 0;
    kin_value *value = new_value('i');
    CHECK_EQUAL(kin_value_acquire(value, KIN_FOREVER), 0);
    pthread_t thread = thread_start(set_when_free, value);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_value_set_int(value, 1), 0);
    CHECK_EQUAL(kin_value_get_int(value, &number), 0);
    CHECK_EQUAL(number, 1);
    CHECK_EQUAL(kin_value_release(value), 0);
    thread_join(thread);
    CHECK_EQUAL(kin_value_get_int(value, &number), 0);
    CHECK_EQUAL(number, 2);
    kin_value_free(value);
}

TEST(a_raw_value_has_no_lock)
{
    begin();
    kin_value *value = new_raw('i');
    CHECK(kin_value_lock(value) == NULL);
    CHECK_EQUAL(object_count(), 1);
    CHECK_EQUAL(kin_value_acquire(value, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_value_release(value), -EINVAL);
    CHECK_EQUAL(kin_value_mark_consistent(value), -EINVAL);
    kin_value_free(value);
}

TEST(values_can_share_a_lock)
{
    begin();
    kin_value *first = new_value('i');
    kin_value *second = NULL;
    kin_value_options options = {.size = sizeof options, .lock = kin_value_lock(first)};
    REQUIRE(kin_value_create('d', &options, &second) == 0);
    CHECK_EQUAL(object_count(), 3);
    CHECK_EQUAL(kin_value_acquire(first, KIN_FOREVER), 0);
    thread_join(thread_start(ask_from_outside, second));
    CHECK_EQUAL(kin_value_set_float(second, 1), 0);
    CHECK_EQUAL(kin_value_release(second), 0);
    kin_value_free(first);
    CHECK_EQUAL(kin_value_acquire(second, KIN_FOREVER), 0); /* it keeps the lock */
    CHECK_EQUAL(kin_value_release(second), 0);
    options.is_raw = true;
    kin_value *none = NULL;
    CHECK_EQUAL(kin_value_create('i', &options, &none), -EINVAL);
    kin_value_free(second);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

/* --- atomics --- */

TEST(an_add_returns_what_was_there_and_wraps)
{
    begin();
    for (const char *type = integer_types; *type != '\0'; type++) {
        int64_t old = 99;
        kin_value *value = new_value(*type);
        CHECK_EQUAL(kin_value_add_int(value, 5, &old), 0);
        CHECK_EQUAL(old, 0);
        CHECK_EQUAL(kin_value_add_int(value, -2, &old), 0);
        CHECK_EQUAL(old, 5);
        CHECK_EQUAL(kin_value_add_int(value, 0, &old), 0);
        CHECK_EQUAL(old, 3);
        CHECK_EQUAL(kin_value_add_int(value, 1, NULL), 0);
        CHECK_EQUAL(kin_value_set_int(value, 0), 0);
        CHECK_EQUAL(kin_value_add_int(value, -1, NULL), 0);
        CHECK_EQUAL(kin_value_add_int(value, 1, &old), 0);
        CHECK(old != 0);
        CHECK_EQUAL(kin_value_add_int(value, 0, &old), 0);
        CHECK_EQUAL(old, 0);
        kin_value_free(value);
    }
}

TEST(a_small_type_wraps_within_its_own_width)
{
    begin();
    int64_t number = 0;
    kin_value *value = new_value('b');
    CHECK_EQUAL(kin_value_set_int(value, 127), 0);
    CHECK_EQUAL(kin_value_add_int(value, 1, &number), 0);
    CHECK_EQUAL(number, 127);
    CHECK_EQUAL(kin_value_get_int(value, &number), 0);
    CHECK_EQUAL(number, -128);
    CHECK_EQUAL(kin_value_exchange_int(value, 300, &number), 0);
    CHECK_EQUAL(number, -128);
    CHECK_EQUAL(kin_value_get_int(value, &number), 0);
    CHECK_EQUAL(number, 44);
    kin_value_free(value);
    value = new_value('Q');
    CHECK_EQUAL(kin_value_exchange_int(value, -1, &number), 0);
    uint64_t large = 0;
    CHECK_EQUAL(kin_value_get_uint(value, &large), 0);
    CHECK(large == UINT64_MAX);
    CHECK_EQUAL(kin_value_exchange_int(value, 0, &number), 0);
    CHECK_EQUAL(number, -1);
    kin_value_free(value);
}

TEST(a_compare_exchange_stores_only_in_place_of_what_is_expected)
{
    begin();
    for (const char *type = integer_types; *type != '\0'; type++) {
        int64_t old = 99;
        kin_value *value = new_value(*type);
        CHECK_EQUAL(kin_value_compare_exchange_int(value, 0, 7, &old), 0);
        CHECK_EQUAL(old, 0);
        CHECK_EQUAL(kin_value_compare_exchange_int(value, 0, 9, &old), -EAGAIN);
        CHECK_EQUAL(old, 7);
        CHECK_EQUAL(kin_value_compare_exchange_int(value, 7, 9, NULL), 0);
        CHECK_EQUAL(kin_value_get_int(value, &old), 0);
        CHECK_EQUAL(old, 9);
        kin_value_free(value);
    }
}

static void *add_many(void *user)
{
    for (int i = 0; i < 10000; i++) {
        CHECK_EQUAL(kin_value_add_int(user, 1, NULL), 0);
    }
    return NULL;
}

static void *add_many_floats(void *user)
{
    for (int i = 0; i < 10000; i++) {
        CHECK_EQUAL(kin_value_add_float(user, 0.5, NULL), 0);
    }
    return NULL;
}

static void check_sum(char type, void *(*body)(void *user), double sum)
{
    double number = 0;
    pthread_t threads[3];
    kin_value *value = new_raw(type);
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(body, value);
    }
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(kin_value_get_float(value, &number), 0);
    CHECK(number == sum);
    kin_value_free(value);
}

TEST(adds_of_threads_are_all_counted)
{
    begin();
    check_sum('H', add_many, 30000);
    check_sum('i', add_many, 30000);
    check_sum('Q', add_many, 30000);
    check_sum('f', add_many_floats, 15000);
    check_sum('d', add_many_floats, 15000);
}

static void add_in_child(void *user)
{
    add_many(user);
}

TEST_OF_PROCESSES(adds_of_processes_are_all_counted)
{
    begin();
    int64_t number = 0;
    kin_value *value = new_value('i');
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = child_start(add_in_child, value);
    }
    for (int i = 0; i < 3; i++) {
        child_join(pids[i]);
    }
    CHECK_EQUAL(kin_value_get_int(value, &number), 0);
    CHECK_EQUAL(number, 30000);
    kin_value_free(value);
}

static void increment_under_the_lock(void *user)
{
    for (int i = 0; i < 1000; i++) {
        int64_t number = 0;
        CHECK_EQUAL(kin_value_acquire(user, KIN_FOREVER), 0);
        CHECK_EQUAL(kin_value_get_int(user, &number), 0);
        CHECK_EQUAL(kin_value_set_int(user, number + 1), 0);
        CHECK_EQUAL(kin_value_release(user), 0);
    }
}

TEST_OF_PROCESSES(increments_under_the_lock_are_all_counted)
{
    begin();
    int64_t number = 0;
    kin_value *value = new_value('i');
    pid_t pids[5];
    for (int i = 0; i < 5; i++) {
        pids[i] = child_start(increment_under_the_lock, value);
    }
    for (int i = 0; i < 5; i++) {
        child_join(pids[i]);
    }
    CHECK_EQUAL(kin_value_get_int(value, &number), 0);
    CHECK_EQUAL(number, 5000);
    kin_value_free(value);
}

/* --- handles --- */

TEST(a_value_keeps_what_it_names_alive)
{
    begin();
    kin_handle found = {0};
    kin_event *event = NULL;
    kin_event *again = NULL;
    kin_value *value = new_value(KIN_ITEM_HANDLE);
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_event_handle(event);
    CHECK_EQUAL(kin_value_get_handle(value, &found), 0);
    CHECK_EQUAL(found.counter, 0);
    CHECK_EQUAL(kin_value_set_handle(value, handle), 0);
    kin_event_set(event);
    kin_event_free(event);
    CHECK(is_there(handle));
    CHECK_EQUAL(kin_value_get_handle(value, &found), 0);
    REQUIRE(kin_event_attach(found, &again) == 0);
    CHECK(kin_event_is_set(again));
    kin_event_free(again);
    CHECK_SOUND();
    CHECK_EQUAL(kin_value_set_handle(value, kin_value_handle(value)), 0); /* itself */
    CHECK(!is_there(handle));
    CHECK_EQUAL(kin_value_set_handle(value, handle), -ESTALE);
    CHECK_EQUAL(kin_value_get_handle(value, &found), 0);
    CHECK_EQUAL(found.counter, kin_value_handle(value).counter);
    CHECK_EQUAL(kin_value_set_handle(value, (kin_handle){0}), 0);
    kin_value_free(value);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(a_value_that_is_freed_drops_what_it_names)
{
    begin();
    kin_event *event = NULL;
    kin_value *value = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_event_handle(event);
    REQUIRE(kin_value_create('&', KIN_OPTIONS(kin_value_options, .initial = &handle), &value) == 0);
    kin_event_free(event);
    CHECK(is_there(handle));
    kin_value_free(value);
    CHECK(!is_there(handle));
    CHECK_EQUAL(kin_value_create('&', KIN_OPTIONS(kin_value_options, .initial = &handle), &value),
                -ESTALE);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(a_handle_is_no_number)
{
    begin();
    int64_t number = 0;
    double real = 0;
    uint64_t large = 0;
    kin_handle found;
    kin_value *handle = new_value('&');
    kin_value *integer = new_value('i');
    CHECK_EQUAL(kin_value_get_int(handle, &number), -EINVAL);
    CHECK_EQUAL(kin_value_get_uint(handle, &large), -EINVAL);
    CHECK_EQUAL(kin_value_get_float(handle, &real), -EINVAL);
    CHECK_EQUAL(kin_value_set_int(handle, 1), -EINVAL);
    CHECK_EQUAL(kin_value_set_uint(handle, UINT64_MAX), -EINVAL);
    CHECK_EQUAL(kin_value_set_float(handle, 1), -EINVAL);
    CHECK_EQUAL(kin_value_add_int(handle, 1, NULL), -EINVAL);
    CHECK_EQUAL(kin_value_add_float(handle, 1, NULL), -EINVAL);
    CHECK(kin_value_data(handle) == NULL);
    CHECK_EQUAL(kin_value_set_handle(integer, kin_value_handle(handle)), -EINVAL);
    CHECK_EQUAL(kin_value_get_handle(integer, &found), -EINVAL);
    CHECK_EQUAL(kin_value_get_handle(handle, NULL), -EINVAL);
    kin_value_free(handle);
    kin_value_free(integer);
}

/* --- one process --- */

static void use_what_is_another_processs(void *user)
{
    int64_t number = 0;
    kin_value *other = NULL;
    CHECK_EQUAL(kin_value_get_int(user, &number), -ESTALE);
    CHECK_EQUAL(kin_value_set_int(user, 1), -ESTALE);
    CHECK_EQUAL(kin_value_add_int(user, 1, NULL), -ESTALE);
    CHECK(kin_value_data(user) == NULL);
    CHECK_EQUAL(kin_value_attach(kin_value_handle(user), &other), -EACCES);
    kin_value_free(user);
}

TEST_OF_PROCESSES(a_value_of_one_process_is_no_other_ones)
{
    begin();
    int64_t number = 0;
    kin_value_options options = {.size = sizeof options, .scope = KIN_SCOPE_PROCESS};
    kin_value *value = NULL;
    REQUIRE(kin_value_create('i', &options, &value) == 0);
    CHECK_EQUAL(kin_value_set_int(value, 7), 0);
    child_join(child_start(use_what_is_another_processs, value));
    CHECK_EQUAL(kin_value_get_int(value, &number), 0);
    CHECK_EQUAL(number, 7);
    kin_value_free(value);
    CHECK_EQUAL(object_count(), 0);
}

/* Each value names the one before, and is kept by the next one alone. */
static kin_value *new_chain(uint32_t length)
{
    kin_value *last = NULL;
    for (uint32_t i = 0; i < length; i++) {
        kin_handle handle = kin_value_handle(last);
        kin_value_options options = {.size = sizeof options, .is_raw = true, .initial = &handle};
        kin_value *next = NULL;
        REQUIRE(kin_value_create('&', &options, &next) == 0);
        kin_value_free(last);
        last = next;
    }
    return last;
}

TEST_WITH(a_long_chain_of_values_is_freed_with_its_end, .limit_seconds = 60)
{
    enum { LENGTH = 100000 }; /* one stack frame for each would be too much */
    begin();
    kin_value *last = new_chain(LENGTH);
    CHECK_EQUAL(object_count(), LENGTH);
    kin_value_free(last);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}
