#include "harness/test.h"

#include <kin/list.h>

#include <errno.h>

#include "base/fault.h"
#include "object/list.h"

static int64_t number_at(const kin_object *object, size_t index)
{
    int64_t value = -1;
    CHECK_EQUAL(kin_object_to_int(kin_object_at(object, index), &value), 0);
    return value;
}

TEST(items_keep_their_order)
{
    kin_object *list = kin_list_create();
    for (int i = 0; i < 100; i++) {
        CHECK_EQUAL(kin_list_append(list, kin_object_from_int(i)), 0);
    }
    CHECK_EQUAL(kin_object_count(list), 100);
    CHECK_EQUAL(number_at(list, 99), 99);
    CHECK(kin_object_at(list, 100) == NULL);
    CHECK_EQUAL(kin_list_insert(list, 0, kin_object_from_int(-5)), 0);
    CHECK_EQUAL(kin_list_insert(list, 1000, kin_object_from_int(1000)), 0);
    CHECK_EQUAL(number_at(list, 0), -5);
    CHECK_EQUAL(number_at(list, 1), 0);
    CHECK_EQUAL(number_at(list, 101), 1000);
    CHECK_EQUAL(kin_list_remove(list, 0), 0);
    CHECK_EQUAL(number_at(list, 0), 0);
    CHECK_EQUAL(kin_list_set(list, 0, kin_object_from_text("zero")), 0);
    CHECK_STRING(kin_object_text(kin_object_at(list, 0)), "zero");
    kin_object_free(list);
}

TEST(bad_places_and_kinds_are_refused)
{
    kin_object *list = KIN_LIST(kin_object_from_int(1));
    kin_object *tuple = KIN_TUPLE(kin_object_from_int(1), kin_object_from_text("two"));
    CHECK_EQUAL(kin_list_set(list, 1, kin_object_from_text("x")), -ERANGE);
    CHECK_EQUAL(kin_list_remove(list, 1), -ERANGE);
    CHECK_EQUAL(kin_list_append(tuple, kin_object_from_text("x")), -EINVAL);
    CHECK_EQUAL(kin_list_remove(tuple, 0), -EINVAL);
    CHECK_EQUAL(kin_list_append(NULL, kin_object_from_text("x")), -ENOMEM);
    CHECK_EQUAL(kin_list_append(list, NULL), -ENOMEM);
    CHECK_EQUAL(kin_list_remove(NULL, 0), -ENOMEM);
    CHECK_EQUAL(kin_object_count(tuple), 2);
    CHECK_STRING(kin_object_text(kin_object_at(tuple, 1)), "two");
    kin_object_free(list);
    kin_object_free(tuple);
}

TEST(a_missing_part_makes_the_whole_missing)
{
    CHECK(KIN_LIST(kin_object_from_text("x"), NULL) == NULL);
    CHECK(KIN_TUPLE(NULL, kin_object_from_text("x")) == NULL);
    CHECK(kin_list_from(NULL, 2) == NULL);
    kin_object *empty = kin_tuple_from(NULL, 0);
    CHECK_EQUAL(kin_object_kind(empty), KIN_KIND_TUPLE);
    kin_object_free(empty);
}

#ifdef KIN_FAULTS

static int build(void)
{
    kin_object *list = kin_list_create();
    int r = 0;
    for (int i = 0; i < 20 && r == 0; i++) {
        r = kin_list_append(list, KIN_TUPLE(kin_object_from_text("key"), kin_object_from_float(i)));
    }
    kin_object_free(list);
    return r;
}

TEST(any_allocation_may_fail)
{
    int r = -ENOMEM;
    for (uint64_t n = 1; r == -ENOMEM && n < 1000; n++) {
        kin__allocation_fail_at(n);
        r = build();
        kin__allocation_fail_at(0);
    }
    CHECK_EQUAL(r, 0);
}

#endif

TEST(a_list_that_gets_its_own_last_reference_is_gone)
{
    for (size_t index = 0; index < 2; index++) {
        kin_object *list = kin_list_create();
        CHECK_EQUAL(kin_list_append(list, kin_object_from_int(1)), 0);
        CHECK_EQUAL(kin_list_insert(list, index, list), 0);
    }
}
