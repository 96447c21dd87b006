#include "harness/test.h"

#include <kin/dict.h>
#include <kin/error.h>
#include <kin/list.h>
#include <kin/set.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "object/table.h"

enum { MANY = 1000 };

static kin_object *number(int64_t value)
{
    return kin_object_from_int(value);
}

static int64_t value_of(const kin_object *object)
{
    int64_t value = -1;
    CHECK_EQUAL(kin_object_to_int(object, &value), 0);
    return value;
}

/* A dict of `count` numbers and their squares. */
static kin_object *squares(int64_t count)
{
    kin_object *dict = kin_dict_create();
    for (int64_t i = 0; i < count; i++) {
        REQUIRE(kin_dict_set(dict, number(i), number(i * i)) == 0);
    }
    return dict;
}

static int64_t square_in(const kin_object *dict, int64_t key)
{
    kin_object *object = number(key);
    kin_object *value = kin_dict_get(dict, object);
    kin_object_free(object);
    return value == NULL ? -1 : value_of(value);
}

TEST(a_dict_finds_what_was_set)
{
    for (int64_t count = 0; count < 70; count++) {
        kin_object *dict = squares(count);
        CHECK_EQUAL(kin_object_count(dict), count);
        for (int64_t i = 0; i < count; i++) {
            CHECK_EQUAL(square_in(dict, i), i * i);
        }
        CHECK_EQUAL(square_in(dict, count), -1);
        kin_object_free(dict);
    }
}

TEST(a_text_is_found_by_its_characters)
{
    char name[24];
    for (int count = 4; count < 40; count += 12) { /* without an index, and with one */
        kin_object *dict = kin_dict_create();
        for (int i = 0; i < count; i++) {
            snprintf(name, sizeof name, "name %d", i);
            CHECK_EQUAL(kin_dict_set_text(dict, name, number(i)), 0);
        }
        CHECK_EQUAL(kin_dict_set_text(dict, "name 2", number(99)), 0);
        CHECK_EQUAL(kin_object_count(dict), count);
        CHECK_EQUAL(value_of(kin_dict_get_text(dict, "name 2")), 99);
        CHECK_EQUAL(value_of(kin_dict_get_text(dict, "name 3")), 3);
        CHECK(kin_dict_get_text(dict, "name") == NULL);
        kin_object *key = kin_object_from_text("name 3");
        CHECK_EQUAL(value_of(kin_dict_get(dict, key)), 3);
        kin_object_free(key);
        kin_object_free(dict);
    }
}

TEST(keys_stay_in_the_order_of_insertion)
{
    kin_object *dict = squares(MANY);
    for (int64_t i = 0; i < MANY; i += 2) {
        kin_object *key = number(i);
        CHECK_EQUAL(kin_dict_remove(dict, key), 0);
        CHECK_EQUAL(kin_dict_remove(dict, key), -ENOENT);
        kin_object_free(key);
    }
    CHECK_EQUAL(kin_dict_set(dict, number(0), number(0)), 0);
    CHECK_EQUAL(kin_object_count(dict), MANY / 2 + 1);
    size_t position = 0;
    int64_t expected = 1;
    for (kin_object *key, *value; kin_dict_next(dict, &position, &key, &value);) {
        CHECK_EQUAL(value_of(key), expected < MANY ? expected : 0);
        CHECK_EQUAL(value_of(value), value_of(key) * value_of(key));
        expected += 2;
    }
    CHECK_EQUAL(expected, MANY + 3);
    kin_object_free(dict);
}

TEST(keys_that_come_and_go_need_no_more_room)
{
    kin_object *dict = squares(20);
    uint64_t capacity = ((struct object_table *)dict)->capacity;
    for (int64_t i = 20; i < 10000; i++) {
        kin_object *key = number(i - 20);
        CHECK_EQUAL(kin_dict_remove(dict, key), 0);
        CHECK_EQUAL(kin_dict_set(dict, number(i), number(i * i)), 0);
    }
    CHECK_EQUAL(square_in(dict, 9999), 9999 * 9999);
    CHECK_EQUAL(kin_object_count(dict), 20);
    CHECK(((struct object_table *)dict)->capacity <= 4 * capacity);
    kin_object_free(dict);
}

/* Whether a second key is the same as the first; in a small dict and in one with an index. */
static bool is_same_key(kin_object *first, kin_object *second)
{
    bool is_same[2];
    for (int i = 0; i < 2; i++) {
        kin_object *dict = i == 0 ? kin_dict_create() : squares(0);
        for (int64_t k = 0; i == 1 && k < 50; k++) {
            kin_dict_set(dict, number(k + 1000), kin_object_none());
        }
        size_t before = kin_object_count(dict);
        CHECK_EQUAL(kin_dict_set(dict, kin_object_ref(first), kin_object_none()), 0);
        CHECK_EQUAL(kin_dict_set(dict, kin_object_ref(second), kin_object_none()), 0);
        is_same[i] = kin_object_count(dict) == before + 1;
        kin_object_free(dict);
    }
    CHECK_EQUAL(is_same[0], is_same[1]);
    kin_object_free(first);
    kin_object_free(second);
    return is_same[0];
}

static kin_object *power_of_two(unsigned exponent, int more)
{
    unsigned char bytes[64] = {0};
    bytes[exponent / 8] = (unsigned char)(1u << (exponent % 8));
    bytes[0] = (unsigned char)(bytes[0] + more);
    return kin_object_from_int_bytes(bytes, exponent / 8 + 2);
}

static kin_object *frozen(kin_object *first, kin_object *second)
{
    kin_object *items[] = {first, second};
    kin_object *set = NULL;
    CHECK_EQUAL(kin_frozenset_from(items, 2, &set), 0);
    return set;
}

TEST(numbers_that_are_equal_are_one_key)
{
    CHECK(is_same_key(number(1), kin_object_from_bool(true)));
    CHECK(is_same_key(number(1), kin_object_from_float(1.0)));
    CHECK(is_same_key(kin_object_from_complex(1, 0), kin_object_from_bool(true)));
    CHECK(is_same_key(number(0), kin_object_from_float(-0.0)));
    CHECK(is_same_key(number(INT64_MIN), kin_object_from_float(-0x1p63)));
    CHECK(is_same_key(power_of_two(63, 0), kin_object_from_float(0x1p63)));
    CHECK(is_same_key(power_of_two(200, 0), kin_object_from_float(0x1p200)));
    CHECK(!is_same_key(power_of_two(200, 1), kin_object_from_float(0x1p200)));
    CHECK(!is_same_key(number((INT64_C(1) << 53) + 1), kin_object_from_float(0x1p53)));
    CHECK(!is_same_key(number(1), kin_object_from_float(1.5)));
    CHECK(!is_same_key(number(1), kin_object_from_text("1")));
    CHECK(!is_same_key(number(0), kin_object_none()));
}

TEST(a_nan_is_the_same_key_as_itself_only)
{
    kin_object *nan = kin_object_from_float((double)NAN);
    CHECK(is_same_key(kin_object_ref(nan), kin_object_ref(nan)));
    CHECK(!is_same_key(nan, kin_object_from_float((double)NAN)));
}

TEST(tuples_and_frozensets_are_keys_by_what_is_in_them)
{
    CHECK(is_same_key(KIN_TUPLE(number(1), number(2)),
                      KIN_TUPLE(kin_object_from_float(1), number(2))));
    CHECK(!is_same_key(KIN_TUPLE(number(1), number(2)), KIN_TUPLE(number(2), number(1))));
    CHECK(is_same_key(kin_tuple_from(NULL, 0), kin_tuple_from(NULL, 0)));
    CHECK(is_same_key(frozen(number(1), number(2)), frozen(number(2), number(1))));
    CHECK(!is_same_key(frozen(number(1), number(2)), frozen(number(3), number(0))));
    CHECK(is_same_key(frozen(frozen(number(1), number(2)), KIN_TUPLE(number(3))),
                      frozen(KIN_TUPLE(number(3)), frozen(number(2), number(1)))));
    CHECK(is_same_key(KIN_TUPLE(frozen(number(1), number(2)), KIN_TUPLE(number(4))),
                      KIN_TUPLE(frozen(number(2), number(1)), KIN_TUPLE(number(4)))));
}

TEST(what_can_change_is_no_key)
{
    for (int count = 0; count < 40; count += 20) {
        kin_object *dict = squares(count);
        CHECK_EQUAL(kin_dict_set(dict, kin_list_create(), number(1)), -EINVAL);
        CHECK_EQUAL(kin_dict_set(dict, kin_dict_create(), number(1)), -EINVAL);
        CHECK_EQUAL(kin_dict_set(dict, kin_set_create(), number(1)), -EINVAL);
        CHECK_EQUAL(kin_dict_set(dict, kin_object_from_bytearray("x", 1), number(1)), -EINVAL);
        CHECK_EQUAL(
            kin_dict_set(dict, KIN_TUPLE(number(1), KIN_TUPLE(kin_list_create())), number(1)),
            -EINVAL);
        kin_object *list = kin_list_create();
        CHECK(kin_dict_get(dict, list) == NULL);
        CHECK_EQUAL(kin_dict_remove(dict, list), -EINVAL);
        kin_object_free(list);
        CHECK_EQUAL(kin_object_count(dict), count);
        kin_object_free(dict);
    }
}

TEST(what_is_no_dict_is_refused)
{
    kin_object *list = kin_list_create();
    kin_object *key = kin_object_from_text("key");
    CHECK_EQUAL(kin_dict_set(list, kin_object_ref(key), number(1)), -EINVAL);
    CHECK_EQUAL(kin_dict_set(NULL, kin_object_ref(key), number(1)), -ENOMEM);
    CHECK_EQUAL(kin_dict_set_text(list, "key", number(1)), -EINVAL);
    CHECK(kin_dict_get(list, key) == NULL);
    CHECK(kin_dict_get_text(NULL, "key") == NULL);
    CHECK_EQUAL(kin_dict_remove(list, key), -EINVAL);
    size_t position = 0;
    CHECK(!kin_dict_next(list, &position, NULL, NULL));
    kin_object *dict = kin_dict_create();
    CHECK_EQUAL(kin_dict_set(dict, NULL, number(1)), -ENOMEM);
    CHECK_EQUAL(kin_dict_set(dict, kin_object_ref(key), NULL), -ENOMEM);
    CHECK_EQUAL(kin_dict_set_text(dict, "\xff", number(1)), -EILSEQ);
    CHECK(kin_dict_get(dict, NULL) == NULL);
    CHECK_EQUAL(kin_object_count(dict), 0);
    kin_object_free(dict);
    kin_object_free(key);
    kin_object_free(list);
}

TEST(a_set_holds_different_objects)
{
    kin_object *set = kin_set_create();
    for (int64_t i = 0; i < MANY; i++) {
        CHECK_EQUAL(kin_set_add(set, number(i % 100)), 0);
    }
    CHECK_EQUAL(kin_object_count(set), 100);
    kin_object *key = kin_object_from_float(42);
    CHECK(kin_set_contains(set, key));
    CHECK_EQUAL(kin_set_remove(set, key), 0);
    CHECK_EQUAL(kin_set_remove(set, key), -ENOENT);
    CHECK(!kin_set_contains(set, key));
    size_t position = 0;
    int64_t sum = 0;
    for (kin_object *item; kin_set_next(set, &position, &item);) {
        sum += value_of(item);
    }
    CHECK_EQUAL(sum, 4950 - 42);
    CHECK_EQUAL(kin_set_add(set, kin_list_create()), -EINVAL);
    CHECK_EQUAL(kin_set_add(set, NULL), -ENOMEM);
    CHECK_EQUAL(kin_set_add(NULL, number(1)), -ENOMEM);
    kin_object *bad[] = {number(1), kin_list_create(), kin_object_from_text("freed too")};
    kin_object *none = NULL;
    CHECK_EQUAL(kin_frozenset_from(bad, 3, &none), -EINVAL);
    CHECK(none == NULL);
    kin_object_free(key);
    kin_object_free(set);
}

TEST(a_dict_in_itself_ends)
{
    kin_object *dict = kin_dict_create();
    CHECK_EQUAL(kin_dict_set_text(dict, "self", kin_object_ref(dict)), 0);
    kin_object_free(dict);
}

TEST(look_ups_are_refused_when_they_cost_too_much)
{
    enum { LARGE = 1 << 20 };
    char *bytes = calloc(1, LARGE);
    REQUIRE(bytes != NULL);
    kin_object *first = kin_object_from_bytes(bytes, LARGE);
    bytes[LARGE - 1] = 1;
    kin_object *second = kin_object_from_bytes(bytes, LARGE);
    free(bytes);
    kin_object *dict = kin_dict_create();
    struct object_table *table = (struct object_table *)dict;
    struct kin__effort effort = {.steps = 3 * LARGE / 64};
    CHECK_EQUAL(kin__table_set(table, kin_object_ref(first), number(1), &effort), 0);
    int r = 0;
    int count = 0;
    struct table_entry *entry;
    while (r == 0 && count < 100) {
        r = kin__table_find(table, second, &effort, &entry);
        count++;
    }
    CHECK_EQUAL(r, KIN_ELIMIT);
    CHECK(count <= 4);
    kin_object_free(first);
    kin_object_free(second);
    kin_object_free(dict);
}

#if defined(KIN_FAULTS) && KIN_FAULTS
TEST(a_dict_survives_each_failed_allocation)
{
    int r = -ENOMEM;
    for (uint64_t n = 1; r == -ENOMEM && n < 1000; n++) {
        kin_object *dict = kin_dict_create();
        for (int64_t i = 0; i < 7; i++) {
            kin_dict_set(dict, number(i), number(i * i));
        }
        kin__allocation_fail_at(n);
        int64_t i = 7;
        for (r = 0; i < 100 && r == 0; i += r == 0) {
            r = kin_dict_set(dict, KIN_TUPLE(number(i), number(i)), number(i * i));
        }
        kin__allocation_fail_at(0);
        CHECK_EQUAL(kin_object_count(dict), i);
        CHECK_EQUAL(square_in(dict, 5), 25);
        kin_object_free(dict);
    }
    CHECK_EQUAL(r, 0);
}
#endif
