#include "harness/test.h"

#include <kin/class.h>
#include <kin/dict.h>
#include <kin/error.h>
#include <kin/list.h>
#include <kin/set.h>

#include <errno.h>
#include <math.h>

#include "base/fault.h"
#include "object/object.h"

enum { DEEP = 1000000, NODES_TWICE = 60 };

static kin_object *number(int64_t value)
{
    return kin_object_from_int(value);
}

/* Whether two objects are equal, both ways; frees them. */
static int equal(kin_object *first, kin_object *second)
{
    int r = kin_object_equal(first, second);
    CHECK_EQUAL(kin_object_equal(second, first), r);
    kin_object_free(first);
    kin_object_free(second);
    return r;
}

/* The order of two objects, 2: they have none; frees them. */
static int order(kin_object *first, kin_object *second)
{
    int result = 0;
    int back = 0;
    int r = kin_object_compare(first, second, &result);
    CHECK_EQUAL(kin_object_compare(second, first, &back), r);
    CHECK_EQUAL((result > 0) - (result < 0), (back < 0) - (back > 0));
    kin_object_free(first);
    kin_object_free(second);
    return r == -EINVAL ? 2 : r < 0 ? r : (result > 0) - (result < 0);
}

static kin_object *power_of_two(unsigned exponent, int more)
{
    unsigned char bytes[160] = {0};
    bytes[exponent / 8] = (unsigned char)(1u << (exponent % 8));
    bytes[0] = (unsigned char)(bytes[0] + more);
    return kin_object_from_int_bytes(bytes, exponent / 8 + 2);
}

static kin_object *real(double value)
{
    return kin_object_from_float(value);
}

TEST(numbers_are_compared_exactly)
{
    CHECK_EQUAL(equal(number(1), kin_object_from_bool(true)), 1);
    CHECK_EQUAL(equal(number(1), real(1)), 1);
    CHECK_EQUAL(equal(number((INT64_C(1) << 53) + 1), real(0x1p53)), 0);
    CHECK_EQUAL(equal(power_of_two(64, 0), real(0x1p64)), 1);
    CHECK_EQUAL(equal(power_of_two(64, 1), real(0x1p64)), 0);
    CHECK_EQUAL(equal(kin_object_from_complex(2, 0), number(2)), 1);
    CHECK_EQUAL(equal(kin_object_from_complex(2, 1), number(2)), 0);
    CHECK_EQUAL(equal(real((double)NAN), real((double)NAN)), 0);
    CHECK_EQUAL(equal(number(0), kin_object_none()), 0);
    CHECK_EQUAL(order(number(1), real(1.5)), -1);
    CHECK_EQUAL(order(number(-1), real(-1.5)), 1);
    CHECK_EQUAL(order(power_of_two(64, 1), real(0x1p64)), 1);
    CHECK_EQUAL(order(power_of_two(1200, 0), real(0x1p1023)), 1);
    CHECK_EQUAL(order(power_of_two(1200, 0), real((double)INFINITY)), -1);
    CHECK_EQUAL(order(number(INT64_MIN), real(-0x1p64)), 1);
    CHECK_EQUAL(order(number(1), real((double)NAN)), 2);
    CHECK_EQUAL(order(kin_object_from_complex(1, 0), number(1)), 2);
}

TEST(containers_are_equal_by_what_is_in_them)
{
    CHECK_EQUAL(equal(KIN_LIST(number(1), number(2)), KIN_LIST(real(1), number(2))), 1);
    CHECK_EQUAL(equal(KIN_LIST(number(1), number(2)), KIN_LIST(number(1), number(3))), 0);
    CHECK_EQUAL(equal(KIN_LIST(number(1)), KIN_LIST(number(1), number(2))), 0);
    CHECK_EQUAL(equal(KIN_LIST(number(1)), KIN_TUPLE(number(1))), 0);
    CHECK_EQUAL(equal(KIN_LIST(kin_list_create(), KIN_LIST(number(1))),
                      KIN_LIST(kin_list_create(), KIN_LIST(number(2)))),
                0);
    CHECK_EQUAL(equal(kin_object_from_bytes("a", 1), kin_object_from_bytearray("a", 1)), 1);
    CHECK_EQUAL(equal(kin_object_from_bytes("a", 1), kin_object_from_text("a")), 0);
    CHECK_EQUAL(equal(kin_object_from_global("a", "bc"), kin_object_from_global("ab", "c")), 0);
    CHECK_EQUAL(equal(NULL, number(1)), -ENOMEM);
}

/* A dict or set of numbers, each once, in an order that `step` says. */
static kin_object *numbers(bool is_set, int64_t count, int64_t step)
{
    kin_object *object = is_set ? kin_set_create() : kin_dict_create();
    for (int64_t i = 0; i < count; i++) {
        int64_t value = i * step % count;
        int r = is_set ? kin_set_add(object, number(value))
                       : kin_dict_set(object, number(value), KIN_LIST(number(value)));
        CHECK_EQUAL(r, 0);
    }
    return object;
}

TEST(the_order_in_dicts_and_sets_does_not_count)
{
    for (int64_t count = 5; count < 500; count += 50) {
        CHECK_EQUAL(equal(numbers(false, count, 1), numbers(false, count, count - 1)), 1);
        CHECK_EQUAL(equal(numbers(true, count, 1), numbers(true, count, count - 1)), 1);
        CHECK_EQUAL(equal(numbers(true, count, 1), numbers(true, count + 1, 1)), 0);
        kin_object *other = numbers(false, count, 1);
        kin_dict_set(other, number(count / 2), KIN_LIST(number(-1)));
        CHECK_EQUAL(equal(numbers(false, count, 1), other), 0);
    }
    kin_object *items[] = {number(1), number(0)};
    kin_object *frozenset = NULL;
    REQUIRE(kin_frozenset_from(items, 2, &frozenset) == 0);
    CHECK_EQUAL(equal(numbers(true, 2, 1), frozenset), 1);
}

/* A list that ends in itself after `length` items 0. */
static kin_object *ring(int length)
{
    kin_object *start = KIN_LIST(number(0));
    kin_object *list = kin_object_ref(start);
    for (int i = 1; i < length; i++) {
        kin_object *next = KIN_LIST(number(0));
        kin_list_append(list, kin_object_ref(next));
        kin_object_free(list);
        list = next;
    }
    kin_list_append(list, kin_object_ref(start));
    kin_object_free(list);
    return start;
}

TEST(circles_are_equal_if_no_path_tells_them_apart)
{
    CHECK_EQUAL(equal(ring(1), ring(1)), 1);
    CHECK_EQUAL(equal(ring(2), ring(3)), 1);
    CHECK_EQUAL(equal(ring(700), ring(900)), 1);
    kin_object *other = ring(500);
    kin_list_append(kin_object_at(kin_object_at(other, 1), 1), number(1));
    CHECK_EQUAL(equal(ring(500), other), 0);
    CHECK_EQUAL(order(ring(2), ring(3)), 0);
}

static kin_object *pair_list(kin_object *first, kin_object *second)
{
    return KIN_LIST(first, second);
}

static kin_object *pair_tuple(kin_object *first, kin_object *second)
{
    return KIN_TUPLE(first, second);
}

static kin_object *pair_dict(kin_object *first, kin_object *second)
{
    kin_object *dict = kin_dict_create();
    kin_dict_set(dict, number(1), first);
    kin_dict_set(dict, number(2), second);
    return dict;
}

/* A graph of few nodes through which lead 2 to the power of `depth` paths. */
static kin_object *twice(kin_object *(*pair)(kin_object *, kin_object *), int depth, int64_t end)
{
    kin_object *object = KIN_LIST(number(end));
    for (int i = 0; i < depth; i++) {
        object = pair(kin_object_ref(object), object);
    }
    return object;
}

TEST(what_is_reached_many_times_is_compared_once)
{
    kin_object *(*const pairs[])(kin_object *, kin_object *) = {pair_list, pair_tuple, pair_dict};
    for (size_t i = 0; i < 3; i++) {
        CHECK_EQUAL(equal(twice(pairs[i], NODES_TWICE, 1), twice(pairs[i], NODES_TWICE, 1)), 1);
        CHECK_EQUAL(equal(twice(pairs[i], NODES_TWICE, 1), twice(pairs[i], NODES_TWICE, 2)), 0);
    }
    CHECK_EQUAL(order(twice(pair_list, NODES_TWICE, 1), twice(pair_list, NODES_TWICE, 1)), 0);
    CHECK_EQUAL(order(twice(pair_list, NODES_TWICE, 1), twice(pair_list, NODES_TWICE, 2)), -1);
}

/* frozenset({x, (x,)}) of such, `depth` deep. */
static kin_object *sets_in_sets(int depth, int64_t end)
{
    kin_object *object = KIN_TUPLE(number(end));
    for (int i = 0; i < depth; i++) {
        kin_object *items[] = {kin_object_ref(object), KIN_TUPLE(kin_object_ref(object))};
        kin_object_free(object);
        REQUIRE(kin_frozenset_from(items, 2, &object) == 0);
    }
    return object;
}

TEST(sets_in_sets_are_compared_or_refused_but_never_for_ever)
{
    CHECK_EQUAL(equal(sets_in_sets(15, 1), sets_in_sets(15, 1)), 1);
    CHECK_EQUAL(equal(sets_in_sets(15, 1), sets_in_sets(15, 2)), 0);
    CHECK_EQUAL(equal(sets_in_sets(60, 1), sets_in_sets(60, 1)), KIN_ELIMIT);
}

static kin_object *deep(kin_object *(*pair)(kin_object *, kin_object *), int64_t end)
{
    kin_object *object = number(end);
    for (int i = 0; i < (pair == pair_list ? DEEP : DEEP / 10); i++) {
        object = pair(number(0), object);
    }
    return object;
}

TEST_WITH(a_million_objects_in_each_other_are_compared, .limit_seconds = 120)
{
    CHECK_EQUAL(equal(deep(pair_list, 1), deep(pair_list, 1)), 1);
    CHECK_EQUAL(equal(deep(pair_dict, 1), deep(pair_dict, 2)), 0);
    CHECK_EQUAL(order(deep(pair_tuple, 1), deep(pair_tuple, 2)), -1);
    kin_object *tuple = deep(pair_tuple, 1);
    kin_object *same = deep(pair_tuple, 1);
    uint64_t hash = 0;
    uint64_t other = 1;
    CHECK_EQUAL(kin_object_hash(tuple, &hash), 0);
    CHECK_EQUAL(kin_object_hash(same, &other), 0);
    CHECK(hash == other);
    CHECK_EQUAL(equal(tuple, same), 1);
}

TEST(rows_are_ordered_by_the_first_that_differs)
{
    CHECK_EQUAL(order(KIN_LIST(number(1), number(2)), KIN_LIST(number(1), number(3))), -1);
    CHECK_EQUAL(order(KIN_TUPLE(number(1)), KIN_TUPLE(number(1), number(3))), -1);
    CHECK_EQUAL(order(KIN_LIST(KIN_LIST(number(2)), number(1)), KIN_LIST(KIN_LIST(number(1)))), 1);
    CHECK_EQUAL(order(KIN_LIST(kin_dict_create(), number(1)), KIN_LIST(kin_dict_create())), 1);
    CHECK_EQUAL(order(KIN_LIST(kin_dict_create()), KIN_LIST(kin_object_none())), 2);
    CHECK_EQUAL(order(KIN_LIST(number(1)), KIN_TUPLE(number(1))), 2);
    CHECK_EQUAL(
        order(KIN_LIST(kin_object_from_complex(1, 1)), KIN_LIST(kin_object_from_complex(1, 1))), 0);
    CHECK_EQUAL(order(kin_object_from_text("a"), kin_object_from_text("ab")), -1);
    CHECK_EQUAL(
        order(kin_object_from_text("\xef\xbf\xbf"), kin_object_from_text("\xf0\x9f\x98\x80")), -1);
    CHECK_EQUAL(order(kin_object_from_text("a"), kin_object_from_bytes("a", 1)), 2);
    CHECK_EQUAL(order(kin_object_from_bytes("b", 1), kin_object_from_bytearray("a", 1)), 1);
    CHECK_EQUAL(order(kin_object_none(), kin_object_none()), 2);
    CHECK_EQUAL(order(NULL, kin_object_none()), -ENOMEM);
}

static int same_length(const kin_object *first, const kin_object *second)
{
    return kin_object_count(kin_instance_arguments(first)) ==
           kin_object_count(kin_instance_arguments(second));
}

static int same_state(const kin_object *first, const kin_object *second)
{
    return kin_object_equal(kin_instance_state(first), kin_instance_state(second));
}

static kin_class plain_class = {.module = "shop", .name = "Plain"};
static kin_class other_class = {.module = "shop", .name = "Other"};
static kin_class length_class = {.module = "shop", .name = "Length", .equal = same_length};
static kin_class nested_class = {.module = "shop", .name = "Nested", .equal = same_state};

static kin_object *instance(const kin_class *class_, kin_object *arguments, kin_object *state)
{
    kin_object *object = NULL;
    REQUIRE(kin_instance_create(class_, arguments, &object) == 0);
    if (state != NULL) {
        REQUIRE(kin_instance_set_state(object, state) == 0);
    }
    return object;
}

TEST(instances_are_equal_by_class_arguments_and_state)
{
    CHECK_EQUAL(equal(instance(&plain_class, KIN_TUPLE(number(1)), NULL),
                      instance(&plain_class, KIN_TUPLE(real(1)), NULL)),
                1);
    CHECK_EQUAL(equal(instance(&plain_class, KIN_TUPLE(number(1)), NULL),
                      instance(&plain_class, KIN_TUPLE(number(2)), NULL)),
                0);
    CHECK_EQUAL(equal(instance(&plain_class, KIN_TUPLE(number(1)), number(2)),
                      instance(&plain_class, KIN_TUPLE(number(1)), number(3))),
                0);
    CHECK_EQUAL(equal(instance(&plain_class, KIN_TUPLE(number(1)), NULL),
                      instance(&other_class, KIN_TUPLE(number(1)), NULL)),
                0);
    CHECK_EQUAL(equal(instance(&length_class, KIN_TUPLE(number(1)), NULL),
                      instance(&length_class, KIN_TUPLE(number(2)), NULL)),
                1);
}

TEST(classes_that_compare_by_calling_back_are_a_part_of_the_comparison)
{
    kin_object *first = number(1);
    kin_object *second = number(1);
    for (int i = 0; i < 20; i++) { /* 2^20 paths; each instance compares its state itself */
        first = instance(&nested_class, KIN_TUPLE(number(0)),
                         pair_list(kin_object_ref(first), first));
        second = instance(&nested_class, KIN_TUPLE(number(0)),
                          pair_list(kin_object_ref(second), second));
    }
    CHECK_EQUAL(equal(kin_object_ref(first), kin_object_ref(second)), 1);
    for (int i = 0; i < 100; i++) {
        first = instance(&nested_class, KIN_TUPLE(number(0)), first);
        second = instance(&nested_class, KIN_TUPLE(number(0)), second);
    }
    CHECK_EQUAL(equal(first, second), KIN_ELIMIT);
}

TEST(equal_instances_have_equal_hashes_whatever_their_state)
{
    uint64_t first = 0;
    uint64_t second = 1;
    kin_object *object = instance(&plain_class, KIN_TUPLE(number(1), KIN_LIST(number(2))), NULL);
    kin_object *other = instance(&plain_class, KIN_TUPLE(real(1), KIN_LIST(number(2))), NULL);
    CHECK_EQUAL(kin_object_hash(object, &first), 0);
    CHECK_EQUAL(kin_object_hash(other, &second), 0);
    CHECK(first == second);
    kin_instance_set_state(object, number(5));
    kin_list_append(kin_object_at(kin_instance_arguments(object), 1), number(5));
    CHECK_EQUAL(kin_object_hash(object, &second), 0);
    CHECK(first == second);
    kin_object *list = kin_list_create();
    CHECK_EQUAL(kin_object_hash(list, &second), -EINVAL);
    CHECK_EQUAL(kin_object_hash(NULL, &second), -ENOMEM);
    CHECK(first == second);
    kin_object_free(list);
    kin_object_free(object);
    kin_object_free(other);
}

static int hash_state(const kin_object *object, uint64_t *ret_hash)
{
    return kin_object_hash(kin_instance_state(object), ret_hash);
}

static kin_class hashed_class = {.module = "shop", .name = "Hashed", .hash = hash_state};

TEST(classes_that_hash_by_calling_back_go_only_so_deep)
{
    uint64_t hash = 0;
    kin_object *object = number(1);
    for (int i = 0; i < 10; i++) {
        object = instance(&hashed_class, KIN_TUPLE(number(0)), object);
    }
    CHECK_EQUAL(kin_object_hash(object, &hash), 0);
    for (int i = 0; i < 10000; i++) {
        object = instance(&hashed_class, KIN_TUPLE(number(0)), object);
    }
    CHECK_EQUAL(kin_object_hash(object, &hash), KIN_ELIMIT);
    kin_object_free(object);
}

#if defined(KIN_FAULTS) && KIN_FAULTS
TEST(comparing_survives_each_failed_allocation)
{
    kin_object *first = twice(pair_list, 30, 1);
    kin_object *second = twice(pair_list, 30, 1);
    int r = -ENOMEM;
    for (uint64_t n = 1; r == -ENOMEM && n < 100; n++) {
        kin__allocation_fail_at(n);
        r = kin_object_equal(first, second);
        kin__allocation_fail_at(0);
    }
    CHECK_EQUAL(r, 1);
    kin_object_free(first);
    kin_object_free(second);
}
#endif
