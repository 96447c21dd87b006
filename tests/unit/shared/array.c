/* kin_array: items, bounds, slices, atomics, handles. */
#include "shared.h"

#include <kin/array.h>
#include <kin/event.h>
#include <stdlib.h>

static const kin_slice all = {0, INT64_MAX, 1};
static const kin_slice backwards = {INT64_MAX, INT64_MIN, -1};

static kin_array *new_array(char type, uint64_t length)
{
    kin_array *array = NULL;
    REQUIRE(kin_array_create(type, length, NULL, &array) == 0);
    return array;
}

TEST(array_functions_refuse_null)
{
    begin();
    int64_t number = 0;
    int items[2] = {0};
    kin_array *array = new_array('i', 2);
    CHECK_EQUAL(kin_array_create('i', 1, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_array_attach(kin_array_handle(array), NULL), -EINVAL);
    CHECK_EQUAL(kin_array_get_int(NULL, 0, &number), -EINVAL);
    CHECK_EQUAL(kin_array_get_int(array, 0, NULL), -EINVAL);
    CHECK_EQUAL(kin_array_set_int(NULL, 0, 1), -EINVAL);
    CHECK_EQUAL(kin_array_get_slice(NULL, all, items, 2, NULL), -EINVAL);
    CHECK_EQUAL(kin_array_get_slice(array, all, NULL, 2, NULL), -EINVAL);
    CHECK_EQUAL(kin_array_set_slice(NULL, all, items, 2), -EINVAL);
    CHECK_EQUAL(kin_array_set_slice(array, all, NULL, 2), -EINVAL);
    CHECK_EQUAL(kin_array_acquire(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_array_length(NULL), 0);
    CHECK_EQUAL(kin_array_type(NULL), 0);
    CHECK(kin_array_data(NULL) == NULL);
    CHECK(kin_array_lock(NULL) == NULL);
    CHECK(kin_array_free(NULL) == NULL);
    kin_array_free(array);
}

TEST(a_new_array_is_zero_and_has_its_length_and_type)
{
    begin();
    for (const char *type = "cubBhHiIlLqQfd"; *type != '\0'; type++) {
        double number = 1;
        kin_array *array = new_array(*type, 1000);
        CHECK_EQUAL(kin_array_type(array), *type);
        CHECK_EQUAL(kin_array_length(array), 1000);
        CHECK_EQUAL((uintptr_t)kin_array_data(array) % 64, 0);
        for (uint64_t i = 0; i < 1000; i += 111) {
            CHECK_EQUAL(kin_array_get_float(array, i, &number), 0);
            CHECK(number == 0);
        }
        kin_array_free(array);
    }
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(what_is_outside_of_an_array_is_refused)
{
    begin();
    int64_t number = 0;
    kin_array *array = new_array('h', 3);
    CHECK_EQUAL(kin_array_set_int(array, 2, 5), 0);
    CHECK_EQUAL(kin_array_set_int(array, 3, 5), -ERANGE);
    CHECK_EQUAL(kin_array_get_int(array, 3, &number), -ERANGE);
    CHECK_EQUAL(kin_array_get_int(array, UINT64_MAX, &number), -ERANGE);
    CHECK_EQUAL(kin_array_add_int(array, 3, 1, NULL), -ERANGE);
    CHECK_EQUAL(kin_array_exchange_int(array, 3, 1, NULL), -ERANGE);
    CHECK_EQUAL(kin_array_compare_exchange_int(array, 3, 0, 1, NULL), -ERANGE);
    CHECK_EQUAL(kin_array_add_float(array, 3, 1, NULL), -ERANGE);
    CHECK_EQUAL(kin_array_set_int(array, 0, 40000), -ERANGE);
    kin_array_free(array);
    array = new_array('&', 3);
    CHECK_EQUAL(kin_array_set_handle(array, 3, kin_array_handle(array)), -ERANGE);
    CHECK_EQUAL(kin_array_get_handle(array, 3, &(kin_handle){0}), -ERANGE);
    kin_array_free(array);
}

TEST(an_array_that_no_memory_can_hold_is_no_memory)
{
    begin();
    kin_array *array = NULL;
    CHECK_EQUAL(kin_array_create('q', UINT64_MAX, NULL, &array), -ENOMEM);
    CHECK_EQUAL(kin_array_create('q', UINT64_MAX / 8, NULL, &array), -ENOMEM);
    CHECK_EQUAL(kin_array_create('b', INT64_MAX, NULL, &array), -ENOMEM);
    CHECK_EQUAL(kin_array_create('b', (uint64_t)1 << 60, NULL, &array), -ENOMEM);
    CHECK_EQUAL(kin_array_create('&', 65535, NULL, &array), -ENOMEM);
    CHECK(array == NULL);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(an_array_begins_with_its_initial_items)
{
    begin();
    int64_t number = 0;
    const int items[4] = {3, 1, 4, 1};
    kin_array *array = NULL;
    REQUIRE(kin_array_create('i', 4, KIN_OPTIONS(kin_array_options, .initial = items), &array) ==
            0);
    for (uint64_t i = 0; i < 4; i++) {
        CHECK_EQUAL(kin_array_get_int(array, i, &number), 0);
        CHECK_EQUAL(number, items[i]);
    }
    kin_array_free(array);
}

TEST(items_do_not_touch_their_neighbours)
{
    begin();
    for (const char *type = "cubBhHiIlLqQ"; *type != '\0'; type++) {
        int64_t number = 0;
        kin_array *array = new_array(*type, 3);
        CHECK_EQUAL(kin_array_set_int(array, 1, 77), 0);
        CHECK_EQUAL(kin_array_exchange_int(array, 1, -1, &number), 0);
        CHECK_EQUAL(number, 77);
        CHECK_EQUAL(kin_array_add_int(array, 1, 1, NULL), 0);
        CHECK_EQUAL(kin_array_compare_exchange_int(array, 1, 0, -1, NULL), 0);
        for (uint64_t i = 0; i < 3; i += 2) {
            CHECK_EQUAL(kin_array_get_int(array, i, &number), 0);
            CHECK_EQUAL(number, 0);
        }
        kin_array_free(array);
    }
}

TEST(floats_are_added_in_place)
{
    begin();
    double number = 0;
    kin_array *array = new_array('f', 2);
    CHECK_EQUAL(kin_array_set_float(array, 1, 1.5), 0);
    CHECK_EQUAL(kin_array_add_float(array, 1, 0.25, &number), 0);
    CHECK(number == 1.5);
    CHECK_EQUAL(kin_array_get_float(array, 1, &number), 0);
    CHECK(number == 1.75);
    CHECK_EQUAL(kin_array_set_uint(array, 0, 9), 0);
    uint64_t integer = 0;
    CHECK_EQUAL(kin_array_get_uint(array, 0, &integer), -EINVAL);
    kin_array_free(array);
}

/* --- slices --- */

static kin_array *new_digits(void)
{
    const int digits[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    kin_array *array = NULL;
    REQUIRE(kin_array_create('i', 10, KIN_OPTIONS(kin_array_options, .initial = digits), &array) ==
            0);
    return array;
}

TEST(a_slice_is_copied_in_its_order)
{
    begin();
    uint64_t count = 0;
    int got[10] = {0};
    kin_array *array = new_digits();
    CHECK_EQUAL(kin_array_get_slice(array, (kin_slice){2, 8, 1}, got, 10, &count), 0);
    CHECK_EQUAL(count, 6);
    CHECK(got[0] == 2 && got[5] == 7);
    CHECK_EQUAL(kin_array_get_slice(array, (kin_slice){-1, 2, -3}, got, 10, &count), 0);
    CHECK_EQUAL(count, 3);
    CHECK(got[0] == 9 && got[1] == 6 && got[2] == 3);
    CHECK_EQUAL(kin_array_get_slice(array, backwards, got, 10, NULL), 0);
    CHECK(got[0] == 9 && got[9] == 0);
    CHECK_EQUAL(kin_array_get_slice(array, (kin_slice){5, 5, 1}, NULL, 0, &count), 0);
    CHECK_EQUAL(count, 0);
    kin_array_free(array);
}

TEST(a_slice_that_has_no_room_is_not_copied)
{
    begin();
    uint64_t count = 0;
    int got[10] = {-1};
    kin_array *array = new_digits();
    CHECK_EQUAL(kin_array_get_slice(array, all, got, 9, &count), -EMSGSIZE);
    CHECK_EQUAL(count, 10);
    CHECK_EQUAL(got[0], -1);
    CHECK_EQUAL(kin_array_get_slice(array, (kin_slice){0, 1, 0}, got, 9, &count), -EINVAL);
    kin_array_free(array);
}

TEST(a_slice_is_set_in_its_order)
{
    begin();
    int got[10] = {0};
    const int items[5] = {10, 20, 30, 40, 50};
    kin_array *array = new_digits();
    CHECK_EQUAL(kin_array_set_slice(array, (kin_slice){0, 10, 2}, items, 5), 0);
    CHECK_EQUAL(kin_array_set_slice(array, (kin_slice){-1, -4, -1}, items, 3), 0);
    CHECK_EQUAL(kin_array_set_slice(array, (kin_slice){1, 3, 1}, items, 2), 0);
    CHECK_EQUAL(kin_array_get_slice(array, all, got, 10, NULL), 0);
    const int expected[10] = {10, 10, 20, 3, 30, 5, 40, 30, 20, 10};
    CHECK_BYTES(got, expected, sizeof got);
    kin_array_free(array);
}

TEST(a_slice_is_set_as_a_whole_or_not)
{
    begin();
    const int items[5] = {10, 20, 30, 40, 50};
    int got[10] = {0};
    kin_array *array = new_digits();
    CHECK_EQUAL(kin_array_set_slice(array, (kin_slice){0, 4, 1}, items, 5), -EINVAL);
    CHECK_EQUAL(kin_array_set_slice(array, (kin_slice){0, 6, 1}, items, 5), -EINVAL);
    CHECK_EQUAL(kin_array_set_slice(array, (kin_slice){0, 5, 0}, items, 5), -EINVAL);
    CHECK_EQUAL(kin_array_set_slice(array, (kin_slice){5, 5, 1}, NULL, 0), 0);
    CHECK_EQUAL(kin_array_get_slice(array, all, got, 10, NULL), 0);
    CHECK_EQUAL(got[0], 0);
    kin_array_free(array);
}

TEST(slices_have_items_of_every_width)
{
    begin();
    unsigned char bytes[6] = {1, 2, 3, 4, 5, 6};
    double numbers_got[3] = {0};
    kin_array *narrow = new_array('B', 6);
    kin_array *wide = new_array('d', 6);
    CHECK_EQUAL(kin_array_set_slice(narrow, backwards, bytes, 6), 0);
    CHECK_EQUAL(kin_array_get_slice(narrow, (kin_slice){0, 3, 1}, bytes, 6, NULL), 0);
    CHECK(bytes[0] == 6 && bytes[2] == 4 && bytes[3] == 4);
    CHECK_EQUAL(kin_array_set_slice(wide, (kin_slice){0, 6, 2}, (double[]){.5, 1.5, 2.5}, 3), 0);
    CHECK_EQUAL(kin_array_get_slice(wide, (kin_slice){4, INT64_MIN, -2}, numbers_got, 3, NULL), 0);
    CHECK(numbers_got[0] == 2.5 && numbers_got[2] == .5);
    kin_array_free(narrow);
    kin_array_free(wide);
}

TEST(an_empty_array_can_be_used)
{
    begin();
    uint64_t count = 9;
    int64_t number = 0;
    kin_array *array = new_array('d', 0);
    CHECK_EQUAL(kin_array_length(array), 0);
    CHECK_EQUAL(kin_array_get_slice(array, all, NULL, 0, &count), 0);
    CHECK_EQUAL(count, 0);
    CHECK_EQUAL(kin_array_get_int(array, 0, &number), -ERANGE);
    CHECK_EQUAL(kin_array_acquire(array, KIN_NOW), 0);
    CHECK_EQUAL(kin_array_release(array), 0);
    kin_array_free(array);
}

/* --- several processes --- */

enum { MILLION = 1000000 };

static void fill_half(void *user)
{
    kin_array *array = NULL;
    REQUIRE(kin_array_attach(kin_array_handle(user), &array) == 0);
    int64_t *items = kin_array_data(array);
    for (int64_t i = MILLION / 2; i < MILLION; i++) {
        items[i] = i;
    }
    kin_array_free(array);
}

TEST_OF_PROCESSES(processes_see_each_others_items)
{
    begin();
    kin_array *array = new_array('q', MILLION);
    int64_t *items = kin_array_data(array);
    pid_t pid = child_start(fill_half, array);
    for (int64_t i = 0; i < MILLION / 2; i++) {
        items[i] = i;
    }
    child_join(pid);
    int64_t sum = 0;
    for (int64_t i = 0; i < MILLION; i++) {
        sum += items[i];
    }
    CHECK_EQUAL(sum, (int64_t)MILLION * (MILLION - 1) / 2);
    kin_array_free(array);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

static void *count_up(void *user)
{
    for (uint64_t i = 0; i < 3000; i++) {
        CHECK_EQUAL(kin_array_add_int(user, i % 3, 1, NULL), 0);
    }
    return NULL;
}

TEST(adds_to_neighbouring_items_are_all_counted)
{
    begin();
    kin_array *array = NULL;
    REQUIRE(kin_array_create('B', 3, KIN_OPTIONS(kin_array_options, .is_raw = true), &array) == 0);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        threads[i] = thread_start(count_up, array);
    }
    for (int i = 0; i < 2; i++) {
        thread_join(threads[i]);
    }
    for (uint64_t i = 0; i < 3; i++) {
        int64_t number = 0;
        CHECK_EQUAL(kin_array_get_int(array, i, &number), 0);
        CHECK_EQUAL(number, 2000 % 256);
    }
    kin_array_free(array);
}

/* --- handles --- */

TEST(an_array_of_handles_keeps_alive_what_it_names)
{
    enum { COUNT = 300 };
    begin();
    static kin_handle handles[COUNT];
    static kin_handle got[COUNT];
    kin_array *array = new_array('&', COUNT);
    for (uint64_t i = 0; i < COUNT; i++) {
        kin_event *event = NULL;
        REQUIRE(kin_event_create(NULL, &event) == 0);
        handles[i] = kin_event_handle(event);
        CHECK_EQUAL(kin_array_set_handle(array, i, handles[i]), 0);
        kin_event_free(event);
    }
    CHECK_EQUAL(object_count(), COUNT + 2);
    CHECK(kin_array_data(array) == NULL);
    CHECK_EQUAL(kin_array_get_slice(array, all, got, COUNT, NULL), 0);
    CHECK_BYTES(got, handles, sizeof got);
    CHECK_EQUAL(kin_array_set_slice(array, backwards, handles, COUNT), -ESTALE); /* in the middle,
        the events of the other half are gone */
    CHECK_SOUND();
    kin_array_free(array);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(a_slice_of_handles_is_set)
{
    begin();
    kin_event *event = NULL;
    kin_array *array = new_array('&', 4);
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handles[2] = {kin_event_handle(event), kin_array_handle(array)};
    CHECK_EQUAL(kin_array_set_slice(array, (kin_slice){0, 4, 2}, handles, 2), 0);
    kin_event_free(event);
    CHECK(is_there(handles[0]));
    kin_handle nothing[4] = {{0}};
    CHECK_EQUAL(kin_array_set_slice(array, all, nothing, 4), 0);
    CHECK(!is_there(handles[0]));
    kin_array_free(array);
    CHECK_EQUAL(object_count(), 0);
    CHECK_SOUND();
}

TEST(arrays_and_values_can_share_a_lock)
{
    begin();
    kin_array *array = new_array('i', 3);
    kin_value *value = NULL;
    kin_value_options options = {.size = sizeof options, .lock = kin_array_lock(array)};
    REQUIRE(kin_value_create('i', &options, &value) == 0);
    CHECK_EQUAL(kin_value_acquire(value, KIN_NOW), 0);
    CHECK_EQUAL(kin_array_set_int(array, 0, 1), 0);
    CHECK_EQUAL(kin_array_release(array), 0);
    kin_array_free(array);
    kin_value_free(value);
    CHECK_EQUAL(object_count(), 0);
}

TEST(a_lock_of_one_process_is_refused_for_all)
{
    begin();
    kin_array *array = NULL;
    kin_array *other = NULL;
    kin_array_options options = {.size = sizeof options, .scope = KIN_SCOPE_PROCESS};
    REQUIRE(kin_array_create('i', 1, &options, &array) == 0);
    options.lock = kin_array_lock(array);
    CHECK_EQUAL(kin_array_create('i', 1, &options, &other), 0);
    kin_array_free(other);
    options.scope = KIN_SCOPE_FAMILY;
    CHECK_EQUAL(kin_array_create('i', 1, &options, &other), -EINVAL);
    kin_array_free(array);
}
