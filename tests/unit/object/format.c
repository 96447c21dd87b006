#include "harness/test.h"

#include <kin/class.h>
#include <kin/dict.h>
#include <kin/list.h>
#include <kin/set.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/fault.h"
#include "object/object.h"
#include "object/repr/writer.h"

struct float_case {
    double value;
    const char *expected;
};

struct text_case {
    const char *bytes;
    size_t size;
    const char *expected;
};

/* What Python's repr() says of them. */
static const struct float_case floats[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {0.1, "0.1"},
    {1.0, "1.0"},
    {-1.5, "-1.5"},
    {100.0, "100.0"},
    {1e15, "1000000000000000.0"},
    {1e16, "1e+16"},
    {123456789012345680.0, "1.2345678901234568e+17"},
    {0.0001, "0.0001"},
    {0.00001, "1e-05"},
    {1e22, "1e+22"},
    {1e100, "1e+100"},
    {5e-324, "5e-324"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
    {7.120236347223045e-307, "7.120236347223045e-307"},
    {0.30000000000000004, "0.30000000000000004"},
    {3.141592653589793, "3.141592653589793"},
    {9007199254740993.0, "9007199254740992.0"},
    {1234567.125, "1234567.125"},
    {(double)INFINITY, "inf"},
    {-(double)INFINITY, "-inf"},
    {(double)NAN, "nan"},
    {4.35, "4.35"},
    {2e-7, "2e-07"},
};
static const struct text_case texts[] = {
    {"", 0, "''"},
    {"abc", 3, "'abc'"},
    {"it's", 4, "\"it's\""},
    {"say \"x\"", 7, "'say \"x\"'"},
    {"both ' and \"", 12, "'both \\' and \"'"},
    {"back\\slash", 10, "'back\\\\slash'"},
    {"\x09\x0a\x0d\x00\x1f\x7f", 6, "'\\t\\n\\r\\x00\\x1f\\x7f'"},
    {"caf\xc3\xa9", 5, "'caf\xc3\xa9'"},
    {"\xc2\x80\xc2\x9f\xc2\xa0\xc2\xad", 8, "'\\x80\\x9f\\xa0\\xad'"},
    {"\xcd\xb8\xe2\x80\xa8\xe3\x80\x80\xef\xbb\xbf", 11, "'\\u0378\\u2028\\u3000\\ufeff'"},
    {"\xed\xa0\x80x", 4, "'\\ud800x'"},
    {"\xf0\x9f\x98\x80", 4, "'\xf0\x9f\x98\x80'"},
    {"\xf3\xa0\x80\x81\xf4\x8f\xbf\xbf", 8, "'\\U000e0001\\U0010ffff'"},
    {"\xe6\xbc\xa2\xe5\xad\x97", 6, "'\xe6\xbc\xa2\xe5\xad\x97'"},
    {"e\xcc\x81", 3, "'e\xcc\x81'"},
};
static const struct text_case byte_texts[] = {
    {"", 0, "b''"},
    {"it's", 4, "b\"it's\""},
    {"\"", 1, "b'\"'"},
    {"'\"", 2, "b'\\'\"'"},
    {"\\\x00\x7f\x80\xff\x0a", 6, "b'\\\\\\x00\\x7f\\x80\\xff\\n'"},
};

enum { TEXT_BYTES = 4096, DEEP = 1000000 };

/* Checks what an object looks like, and frees it. */
static void check_format(kin_object *object, const char *expected)
{
    char text[TEXT_BYTES];
    CHECK_EQUAL(kin_object_format(object, text, sizeof text), strlen(expected));
    CHECK_STRING(text, expected);
    kin_object_free(object);
}

static kin_object *number(int64_t value)
{
    return kin_object_from_int(value);
}

TEST(floats_look_as_in_python)
{
    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) {
        check_format(kin_object_from_float(floats[i].value), floats[i].expected);
    }
}

TEST(texts_look_as_in_python)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        kin_object *text = NULL;
        REQUIRE(kin_object_from_str(texts[i].bytes, texts[i].size, &text) == 0);
        check_format(text, texts[i].expected);
    }
}

TEST(bytes_look_as_in_python)
{
    for (size_t i = 0; i < sizeof byte_texts / sizeof byte_texts[0]; i++) {
        check_format(kin_object_from_bytes(byte_texts[i].bytes, byte_texts[i].size),
                     byte_texts[i].expected);
    }
    check_format(kin_object_from_bytearray("", 0), "bytearray(b'')");
    check_format(kin_object_from_bytearray("'", 1), "bytearray(b\"\\'\")");
}

TEST(other_numbers_look_as_in_python)
{
    unsigned char bytes[2000] = {0};
    check_format(kin_object_none(), "None");
    check_format(kin_object_from_bool(true), "True");
    check_format(kin_object_from_bool(false), "False");
    check_format(number(-42), "-42");
    check_format(number(INT64_MIN), "-9223372036854775808");
    check_format(kin_object_from_uint(UINT64_MAX), "18446744073709551615");
    check_format(kin_object_from_complex(0, 1), "1j");
    check_format(kin_object_from_complex(-0.0, 1), "(-0+1j)");
    check_format(kin_object_from_complex(1.5, -2), "(1.5-2j)");
    check_format(kin_object_from_complex((double)NAN, (double)NAN), "(nan+nanj)");
    check_format(kin_object_from_complex(1e16, -(double)INFINITY), "(1e+16-infj)");
    bytes[8] = 16;
    check_format(kin_object_from_int_bytes(bytes, 10), "295147905179352825856");
}

TEST(huge_ints_are_written_in_hexadecimal)
{
    static char text[TEXT_BYTES];
    unsigned char bytes[2000] = {0};
    bytes[1] = 0xa0;
    bytes[1999] = 0x0f;
    kin_object *integer = kin_object_from_int_bytes(bytes, sizeof bytes);
    CHECK_EQUAL(kin_object_format(integer, text, sizeof text), 2 + 3999);
    CHECK(strncmp(text, "0xf000", 6) == 0);
    CHECK_STRING(text + 3995, "00a000");
    kin_object_free(integer);
    bytes[1999] = 0xf0;
    integer = kin_object_from_int_bytes(bytes, sizeof bytes);
    CHECK_EQUAL(kin_object_format(integer, text, sizeof text), 3 + 3999);
    CHECK(strncmp(text, "-0xfffff", 8) == 0);
    CHECK_STRING(text + 3996, "ff6000");
    kin_object_free(integer);
}

TEST(containers_look_as_in_python)
{
    kin_object *items[] = {number(1), KIN_TUPLE(number(2))};
    kin_object *frozenset = NULL;
    REQUIRE(kin_frozenset_from(items, 2, &frozenset) == 0);
    check_format(frozenset, "frozenset({1, (2,)})");
    REQUIRE(kin_frozenset_from(NULL, 0, &frozenset) == 0);
    check_format(frozenset, "frozenset()");
    check_format(kin_set_create(), "set()");
    kin_object *set = kin_set_create();
    kin_set_add(set, number(1));
    kin_set_add(set, number(2));
    check_format(set, "{1, 2}");
    check_format(kin_list_create(), "[]");
    check_format(kin_tuple_from(NULL, 0), "()");
    check_format(KIN_TUPLE(number(1)), "(1,)");
    check_format(KIN_TUPLE(number(1), KIN_LIST(number(2), KIN_TUPLE(number(3)))), "(1, [2, (3,)])");
    check_format(kin_dict_create(), "{}");
    kin_object *dict = kin_dict_create();
    kin_dict_set_text(dict, "a", KIN_LIST(number(1), number(2)));
    kin_dict_set(dict, KIN_TUPLE(number(1), number(2)), kin_dict_create());
    kin_dict_set(dict, kin_object_none(), number(3));
    check_format(dict, "{'a': [1, 2], (1, 2): {}, None: 3}");
}

TEST(what_leads_back_to_itself_is_written_once)
{
    kin_object *list = KIN_LIST(number(1));
    kin_list_append(list, kin_object_ref(list));
    check_format(KIN_TUPLE(list), "([1, [...]],)");
    kin_object *dict = kin_dict_create();
    kin_dict_set_text(dict, "me", KIN_LIST(kin_object_ref(dict)));
    check_format(dict, "{'me': [{...}]}");
    kin_object *inner = kin_list_create();
    kin_object *tuple = KIN_TUPLE(inner);
    kin_list_append(inner, kin_object_ref(tuple));
    check_format(tuple, "([(...)],)");
    kin_object *twice = kin_list_create();
    check_format(KIN_LIST(kin_object_ref(twice), twice), "[[], []]");
}

static kin_object *describe(const kin_object *point)
{
    return KIN_LIST(kin_object_from_text("<point at "),
                    KIN_TUPLE(kin_object_ref(kin_object_at(kin_instance_arguments(point), 0))),
                    kin_object_from_text(">"));
}

static kin_class point_class = {.module = "plane", .name = "Point", .describe = describe};
static kin_class plain_class = {.module = "plane", .name = "Line.End"};

TEST(instances_look_as_their_class_says)
{
    kin_object *point = NULL;
    REQUIRE(kin_instance_create(&point_class, KIN_TUPLE(KIN_LIST(number(1))), &point) == 0);
    check_format(KIN_LIST(point), "[<point at [1]>]");
    kin_object *end = NULL;
    REQUIRE(kin_instance_create(&plain_class, KIN_TUPLE(number(1), number(2)), &end) == 0);
    check_format(kin_object_ref(end), "plane.Line.End(1, 2)");
    kin_instance_set_state(end, KIN_LIST(kin_object_ref(end)));
    check_format(end, "plane.Line.End(1, 2, state=[...])");
    check_format(kin_object_from_global("collections", "deque"), "collections.deque");
}

TEST(what_does_not_fit_is_cut_off)
{
    char text[8];
    kin_object *list = KIN_LIST(number(1234), number(5678));
    memset(text, 'x', sizeof text);
    CHECK_EQUAL(kin_object_format(list, text, 5), 12);
    CHECK_STRING(text, "[123");
    CHECK_EQUAL(kin_object_format(list, text, 1), 12);
    CHECK_STRING(text, "");
    CHECK_EQUAL(kin_object_format(list, NULL, 0), 12);
    CHECK_EQUAL(kin_object_format(list, NULL, 1), -EINVAL);
    CHECK_EQUAL(kin_object_format(NULL, text, 8), -ENOMEM);
    kin_object_free(list);
    kin_object *accents = kin_object_from_text("éé");
    CHECK_EQUAL(kin_object_format(accents, text, 5), 6);
    CHECK_STRING(text, "'é");
    kin_object_free(accents);
}

TEST(a_million_lists_in_each_other_are_written)
{
    kin_object *list = kin_list_create();
    for (int i = 1; i < DEEP; i++) {
        list = KIN_LIST(list);
    }
    CHECK_EQUAL(kin_object_format(list, NULL, 0), 2 * DEEP);
    kin_object_free(list);
}

TEST(more_than_any_disk_holds_is_refused)
{
    struct kin__writer writer;
    kin__writer_init(&writer, NULL, 0, NULL);
    writer.size = INT_MAX - 3; /* to write all of it takes long */
    kin__write_text(&writer, "123");
    CHECK_EQUAL(kin__writer_finish(&writer), 0);
    kin__write_text(&writer, "4");
    CHECK_EQUAL(kin__writer_finish(&writer), -EOVERFLOW);
}

TEST(an_object_is_printed_on_a_line)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    REQUIRE(stream != NULL);
    kin_object *list = kin_list_create();
    for (int64_t i = 0; i < 1000; i++) {
        kin_list_append(list, number(i));
    }
    CHECK_EQUAL(kin_object_print(list, stream), 0);
    CHECK_EQUAL(kin_object_print(NULL, stream), -ENOMEM);
    CHECK_EQUAL(kin_object_print(list, NULL), -EINVAL);
    fclose(stream);
    CHECK_EQUAL(size, kin_object_format(list, NULL, 0) + 2);
    CHECK(strncmp(text, "[0, 1, 2", 8) == 0);
    CHECK_STRING(text + size - 7, " 999]\n\n");
    free(text);
    kin_object_free(list);
}

#if defined(KIN_FAULTS) && KIN_FAULTS
TEST(writing_survives_each_failed_allocation)
{
    kin_object *list = KIN_LIST(kin_object_from_uint(UINT64_MAX));
    for (int i = 1; i < 100; i++) {
        list = KIN_LIST(list);
    }
    int r = -ENOMEM;
    for (uint64_t n = 1; r == -ENOMEM && n < 100; n++) {
        kin__allocation_fail_at(n);
        r = kin_object_format(list, NULL, 0);
        kin__allocation_fail_at(0);
    }
    CHECK_EQUAL(r, 200 + 20);
    kin_object_free(list);
}
#endif
