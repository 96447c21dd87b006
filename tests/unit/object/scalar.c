#include "harness/test.h"

#include <kin/object.h>

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/allocate.h"
#include "object/integer.h"

TEST(no_object_is_nothing_and_says_enomem)
{
    int64_t value = 0;
    double number = 0;
    CHECK_EQUAL(kin_object_kind(NULL), KIN_KIND_NOTHING);
    CHECK_STRING(kin_object_type_name(NULL), "");
    CHECK_EQUAL(kin_object_to_int(NULL, &value), -ENOMEM);
    CHECK_EQUAL(kin_object_to_float(NULL, &number), -ENOMEM);
    CHECK(!kin_object_is_true(NULL));
    CHECK(kin_object_text(NULL) == NULL);
    CHECK(kin_object_ref(NULL) == NULL);
    CHECK(kin_object_free(NULL) == NULL);
    CHECK_EQUAL(kin_object_count(NULL), 0);
}

TEST(constants_need_no_memory)
{
    CHECK(kin_object_none() == kin_object_none());
    CHECK_STRING(kin_object_type_name(kin_object_none()), "NoneType");
    CHECK(kin_object_is_true(kin_object_from_bool(true)));
    CHECK(!kin_object_is_true(kin_object_from_bool(false)));
    CHECK(!kin_object_is_true(kin_object_none()));
    int64_t value = 7;
    CHECK_EQUAL(kin_object_to_int(kin_object_from_bool(true), &value), 0);
    CHECK_EQUAL(value, 1);
    CHECK_EQUAL(kin_object_to_int(kin_object_none(), &value), -EINVAL);
    kin_object_free(kin_object_none());
}

TEST(ints_of_64_bits_come_back)
{
    const int64_t numbers[] = {0,
                               1,
                               -1,
                               127,
                               128,
                               -128,
                               -129,
                               INT32_MAX,
                               INT32_MIN,
                               INT64_MAX,
                               INT64_MIN,
                               KIN__SMALL_INT_MAX,
                               KIN__SMALL_INT_MAX + 1,
                               KIN__SMALL_INT_MIN,
                               KIN__SMALL_INT_MIN - 1};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        kin_object *object = kin_object_from_int(numbers[i]);
        int64_t value = 42;
        CHECK_EQUAL(kin_object_kind(object), KIN_KIND_INT);
        CHECK_EQUAL(kin_object_to_int(object, &value), 0);
        CHECK_EQUAL(value, numbers[i]);
        uint64_t plain = 42;
        CHECK_EQUAL(kin_object_to_uint(object, &plain), numbers[i] < 0 ? -EOVERFLOW : 0);
        kin_object_free(object);
    }
}

TEST(uints_of_64_bits_come_back)
{
    const uint64_t numbers[] = {0, UINT64_MAX, UINT64_C(1) << 63, (uint64_t)INT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        kin_object *object = kin_object_from_uint(numbers[i]);
        uint64_t value = 42;
        int64_t number = 0;
        CHECK_EQUAL(kin_object_to_uint(object, &value), 0);
        CHECK(value == numbers[i]);
        CHECK_EQUAL(kin_object_to_int(object, &number), numbers[i] > INT64_MAX ? -EOVERFLOW : 0);
        kin_object_free(object);
    }
}

TEST(bytes_of_an_int_are_minimal)
{
    const unsigned char padded[] = {0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    unsigned char bytes[16] = {0};
    kin_object *object = kin_object_from_int_bytes(padded, sizeof padded);
    CHECK_EQUAL(kin_object_to_int_bytes(object, bytes, sizeof bytes), 2);
    CHECK_EQUAL(bytes[0], 0x80);
    CHECK_EQUAL(bytes[1], 0);
    CHECK_EQUAL(kin_object_to_int_bytes(object, bytes, 1), 2);
    CHECK_EQUAL(kin_object_to_int_bytes(kin_object_from_int(0), bytes, 0), 0);
    kin_object_free(object);
    object = kin_object_from_int_bytes(NULL, 0);
    CHECK(object == kin_object_from_int(0));
}

static void check_decimal(const char *text)
{
    kin_object *object = NULL;
    CHECK_EQUAL(kin__integer_from_decimal(NULL, text, strlen(text), &object), 0);
    char *again = kin__integer_to_decimal(object);
    CHECK_STRING(again, text);
    kin__release(again);
    kin_object_free(object);
}

TEST(decimal_digits_come_back)
{
    check_decimal("0");
    check_decimal("-1");
    check_decimal("999999999");
    check_decimal("1000000000");
    check_decimal("-9223372036854775808");
    check_decimal("18446744073709551616");
    check_decimal("-340282366920938463463374607431768211456");
    check_decimal("123456789012345678901234567890123456789012345678901234567890");
    kin_object *object = NULL;
    CHECK_EQUAL(kin__integer_from_decimal(NULL, "", 0, &object), -EINVAL);
    CHECK_EQUAL(kin__integer_from_decimal(NULL, "-", 1, &object), -EINVAL);
    CHECK_EQUAL(kin__integer_from_decimal(NULL, "12x", 3, &object), -EINVAL);
}

static int order(const char *first, const char *second)
{
    kin_object *a = NULL;
    kin_object *b = NULL;
    REQUIRE(kin__integer_from_decimal(NULL, first, strlen(first), &a) == 0);
    REQUIRE(kin__integer_from_decimal(NULL, second, strlen(second), &b) == 0);
    int result = kin__integer_compare(a, b);
    kin_object_free(a);
    kin_object_free(b);
    return result;
}

TEST(ints_of_all_sizes_have_an_order)
{
    CHECK(order("0", "0") == 0);
    CHECK(order("-1", "0") < 0);
    CHECK(order("1", "0") > 0);
    CHECK(order("128", "127") > 0);
    CHECK(order("-129", "-128") < 0);
    CHECK(order("18446744073709551616", "18446744073709551615") > 0);
    CHECK(order("-18446744073709551616", "18446744073709551615") < 0);
    CHECK(order("-18446744073709551616", "-18446744073709551615") < 0);
}

static double as_double(const char *text, int expected)
{
    kin_object *object = NULL;
    double value = 0;
    REQUIRE(kin__integer_from_decimal(NULL, text, strlen(text), &object) == 0);
    CHECK_EQUAL(kin_object_to_float(object, &value), expected);
    kin_object_free(object);
    return value;
}

TEST(a_large_int_is_rounded_to_the_nearest_double)
{
    CHECK(as_double("9007199254740993", 0) == 9007199254740992.0);
    CHECK(as_double("9007199254740995", 0) == 9007199254740996.0);
    CHECK(as_double("36893488147419103233", 0) == 36893488147419103232.0);
    CHECK(as_double("-18446744073709551616", 0) == -18446744073709551616.0);
    /* just above and at the middle between two doubles, 2^70 and its next */
    CHECK(as_double("1180591620717411434496", 0) == 0x1p70);
    CHECK(as_double("1180591620717411434497", 0) == 0x1p70 + 0x1p18);
    char text[400] = "1";
    memset(text + 1, '0', 308);
    CHECK(as_double(text, 0) == 1e308);
    memset(text + 1, '0', 309);
    as_double(text, -EOVERFLOW);
}

TEST(floats_and_complex_numbers_come_back)
{
    kin_object *object = kin_object_from_float(-0.5);
    double real = 0;
    double imaginary = 7;
    CHECK_EQUAL(kin_object_to_float(object, &real), 0);
    CHECK(real == -0.5);
    CHECK_EQUAL(kin_object_to_complex(object, &real, &imaginary), 0);
    CHECK(imaginary == 0);
    kin_object_free(object);
    object = kin_object_from_complex(1, -2);
    CHECK_EQUAL(kin_object_to_complex(object, &real, &imaginary), 0);
    CHECK(real == 1 && imaginary == -2);
    CHECK_EQUAL(kin_object_to_float(object, &real), -EINVAL);
    CHECK_STRING(kin_object_type_name(object), "complex");
    kin_object_free(object);
}
