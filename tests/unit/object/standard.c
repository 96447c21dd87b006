/* Objects of Python's own library: made here, and of what a pickle says. */
#include "harness/test.h"

#include <kin/dict.h>
#include <kin/list.h>
#include <kin/standard.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "object/instance.h"
#include "object/standard/standard.h"

#define DAY_US (INT64_C(86400) * 1000000)

/* What a decoder makes of a name and arguments; the kind of it, or a code. */
static int kind_of(const char *module, const char *name, kin_object *arguments)
{
    kin_object *object = NULL;
    struct kin__origin origin = {.callable = kin_object_from_global(module, name),
                                 .arguments = arguments,
                                 .made_by = MADE_BY_CALL};
    int r = kin__instance_make(NULL, &origin, &object);
    if (r == 0) {
        r = (int)kin_object_kind(object);
        kin_object_free(object);
    }
    return r;
}

static kin_object *make(const char *module, const char *name, kin_object *arguments)
{
    kin_object *object = NULL;
    struct kin__origin origin = {.callable = kin_object_from_global(module, name),
                                 .arguments = arguments,
                                 .made_by = MADE_BY_CALL};
    CHECK_EQUAL(kin__instance_make(NULL, &origin, &object), 0);
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_INSTANCE);
    return object;
}

static kin_object *text(const char *characters)
{
    return kin_object_from_text(characters);
}

static kin_object *number(int64_t value)
{
    return kin_object_from_int(value);
}

/* Compares and hashes two, and frees them. */
static int are_equal(kin_object *first, kin_object *second)
{
    uint64_t hash = 0;
    uint64_t other_hash = 1;
    int r = kin_object_equal(first, second);
    CHECK_EQUAL(kin_object_equal(second, first), r);
    CHECK_EQUAL(kin_object_hash(first, &hash), 0);
    CHECK_EQUAL(kin_object_hash(second, &other_hash), 0);
    CHECK(r != 1 || hash == other_hash);
    kin_object_free(first);
    kin_object_free(second);
    return r;
}

TEST(every_standard_class_is_found)
{
    static const struct kin__module *const modules[] = {
        &kin__module_builtins, &kin__module_datetime, &kin__module_collections,
        &kin__module_decimal,  &kin__module_uuid,     &kin__module_array};
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < modules[i]->count; j++) {
            const kin_class *class_ = &modules[i]->classes[j];
            CHECK(kin_class_find(modules[i]->name, class_->name) == class_);
        }
    }
    for (size_t i = 0; i < kin__exception_modules_count; i++) {
        const struct kin__module *module = &kin__exception_modules[i];
        for (size_t j = 0; j < module->count; j++) {
            CHECK_STRING(module->classes[j].module, module->name);
            CHECK(kin_class_find(module->name, module->classes[j].name) == &module->classes[j]);
        }
    }
}

TEST(a_datetime_keeps_what_it_says)
{
    kin_datetime value = {.year = 2024,
                          .month = 2,
                          .day = 29,
                          .hour = 23,
                          .minute = 59,
                          .second = 58,
                          .microsecond = 999999,
                          .fold = true,
                          .has_offset = true,
                          .offset_us = -3600000000};
    kin_datetime read;
    kin_object *object = NULL;
    REQUIRE(kin_object_from_datetime(&value, &object) == 0);
    CHECK_STRING(kin_object_type_name(object), "datetime.datetime");
    CHECK_BYTES(kin_object_bytes(kin_object_at(kin_instance_arguments(object), 0)).data,
                "\x07\xe8\x82\x1d\x17\x3b\x3a\x0f\x42\x3f", 10);
    REQUIRE(kin_object_to_datetime(object, &read) == 0);
    CHECK_EQUAL(read.year, 2024);
    CHECK_EQUAL(read.month, 2);
    CHECK_EQUAL(read.day, 29);
    CHECK_EQUAL(read.hour, 23);
    CHECK_EQUAL(read.minute, 59);
    CHECK_EQUAL(read.second, 58);
    CHECK_EQUAL(read.microsecond, 999999);
    CHECK(read.fold && read.has_offset);
    CHECK_EQUAL(read.offset_us, -3600000000);
    CHECK_STRING(kin_object_type_name(kin_datetime_zone(object)), "datetime.timezone");
    kin_object_free(object);
}

TEST(dates_and_times_have_their_parts)
{
    kin_datetime value = {.year = 1, .month = 1, .day = 1, .hour = 3, .fold = true};
    kin_datetime read;
    kin_object *object = NULL;
    REQUIRE(kin_object_from_date(&value, &object) == 0);
    REQUIRE(kin_object_to_datetime(object, &read) == 0);
    CHECK_EQUAL(read.day, 1);
    CHECK_EQUAL(read.hour, 0);
    CHECK(!read.fold);
    kin_object_free(object);
    REQUIRE(kin_object_from_time(&value, &object) == 0);
    CHECK_BYTES(kin_object_bytes(kin_object_at(kin_instance_arguments(object), 0)).data,
                "\x83\0\0\0\0\0", 6);
    REQUIRE(kin_object_to_datetime(object, &read) == 0);
    CHECK_EQUAL(read.year, 0);
    CHECK_EQUAL(read.hour, 3);
    CHECK(read.fold);
    CHECK(kin_datetime_zone(object) == NULL);
    kin_object_free(object);
}

TEST(there_are_no_days_and_times_that_do_not_exist)
{
    kin_object *object = NULL;
    static const kin_datetime bad[] = {
        {.year = 0, .month = 1, .day = 1},
        {.year = 10000, .month = 1, .day = 1},
        {.year = 2023, .month = 2, .day = 29},
        {.year = 1900, .month = 2, .day = 29},
        {.year = 2023, .month = 13, .day = 1},
        {.year = 2023, .month = 4, .day = 31},
        {.year = 2023, .month = 4, .day = 1, .hour = 24},
        {.year = 2023, .month = 4, .day = 1, .minute = 60},
        {.year = 2023, .month = 4, .day = 1, .second = -1},
        {.year = 2023, .month = 4, .day = 1, .microsecond = 1000000},
        {.year = 2023, .month = 4, .day = 1, .has_offset = true, .offset_us = DAY_US},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_EQUAL(kin_object_from_datetime(&bad[i], &object), -EINVAL);
    }
    kin_datetime value;
    CHECK_EQUAL(kin_object_to_datetime(kin_object_none(), &value), -EINVAL);
    CHECK_EQUAL(kin_object_to_datetime(NULL, &value), -ENOMEM);
    CHECK(object == NULL);
}

TEST(moments_in_pickles_are_checked)
{
    enum { REFUSED = -EBADMSG, OPAQUE = KIN_KIND_OPAQUE, FINE = KIN_KIND_INSTANCE };
    const char *good = "\x07\xe8\x02\x1d\x17\x3b\x3a\x0f\x42\x3f";
    CHECK_EQUAL(kind_of("datetime", "datetime", KIN_TUPLE(kin_object_from_bytes(good, 10))), FINE);
    CHECK_EQUAL(kind_of("datetime", "datetime", KIN_TUPLE(kin_object_from_bytes(good, 9))),
                REFUSED);
    CHECK_EQUAL(kind_of("datetime", "date", KIN_TUPLE(kin_object_from_bytes(good, 4))), FINE);
    CHECK_EQUAL(
        kind_of("datetime", "date", KIN_TUPLE(kin_object_from_bytes(good, 4), kin_object_none())),
        REFUSED);
    CHECK_EQUAL(kind_of("datetime", "time", KIN_TUPLE(kin_object_from_bytes(good + 4, 6))), FINE);
    CHECK_EQUAL(kind_of("datetime", "time", KIN_TUPLE(kin_object_from_bytes("\x18\0\0\0\0\0", 6))),
                REFUSED);
    CHECK_EQUAL(kind_of("datetime", "datetime", KIN_TUPLE(number(2020), number(1), number(1))),
                OPAQUE);
    CHECK_EQUAL(kind_of("datetime", "datetime",
                        KIN_TUPLE(kin_object_from_bytes(good, 10), kin_list_create())),
                REFUSED);
    CHECK_EQUAL(kind_of("datetime", "datetime",
                        KIN_TUPLE(kin_object_from_bytes(good, 10), kin_object_none())),
                FINE);
    CHECK_EQUAL(kind_of("datetime", "datetime", kin_tuple_from(NULL, 0)), REFUSED);
    CHECK_EQUAL(kind_of("datetime", "datetime", KIN_TUPLE(kin_list_create())), REFUSED);
    CHECK_EQUAL(kind_of("datetime", "date", KIN_TUPLE(text("\x07\xc3\xa4\x01"))), REFUSED);
    CHECK_EQUAL(kind_of("datetime", "date", KIN_TUPLE(text("\x07\xc4\x80\x01\x01"))), REFUSED);
    kin_datetime value = {.year = 0};
    kin_object *date = make("datetime", "date", KIN_TUPLE(text("\x07\xc3\xa4\x01\x02")));
    CHECK_EQUAL(kin_object_to_datetime(date, &value), 0); /* as protocols up to 2 write it */
    CHECK_EQUAL(value.year, 2020);
    CHECK_EQUAL(kin_object_kind(kin_object_at(kin_instance_arguments(date), 0)), KIN_KIND_BYTES);
    kin_object_free(date);
}

static kin_object *moment(int hour, bool fold, bool has_offset, int64_t offset_us)
{
    kin_object *object = NULL;
    kin_datetime value = {.year = 2024,
                          .month = 12,
                          .day = 31,
                          .hour = hour,
                          .fold = fold,
                          .has_offset = has_offset,
                          .offset_us = offset_us};
    CHECK_EQUAL(kin_object_from_datetime(&value, &object), 0);
    return object;
}

static kin_object *moment_in(kin_object *zone)
{
    return make("datetime", "time", KIN_TUPLE(kin_object_from_bytes("\1\0\0\0\0\0", 6), zone));
}

static kin_object *zone_of(const char *key)
{
    kin_object *object = NULL;
    struct kin__origin origin = {
        .callable = kin_object_from_global("zoneinfo", "ZoneInfo._unpickle"),
        .arguments = KIN_TUPLE(text(key), kin_object_from_bool(false))};
    CHECK_EQUAL(kin__instance_make(NULL, &origin, &object), 0);
    return object;
}

TEST(moments_are_equal_when_they_are_the_same_time)
{
    int64_t hour_us = INT64_C(3600000000);
    CHECK_EQUAL(are_equal(moment(1, false, false, 0), moment(1, true, false, 0)), 1);
    CHECK_EQUAL(are_equal(moment(1, false, false, 0), moment(2, false, false, 0)), 0);
    CHECK_EQUAL(are_equal(moment(1, false, true, 0), moment(3, false, true, 2 * hour_us)), 1);
    CHECK_EQUAL(are_equal(moment(1, false, true, 0), moment(1, false, false, 0)), 0);
    CHECK_EQUAL(are_equal(moment_in(zone_of("Europe/Berlin")), moment_in(zone_of("Europe/Berlin"))),
                1);
    CHECK_EQUAL(are_equal(moment_in(zone_of("Europe/Berlin")), moment_in(zone_of("Asia/Tokyo"))),
                0);
}

TEST(a_timedelta_has_one_form)
{
    kin_object *object = NULL;
    kin_timedelta value;
    CHECK_EQUAL(kin_object_from_timedelta(0, 0, -1, &object), 0);
    CHECK_EQUAL(kin_object_to_timedelta(object, &value), 0);
    CHECK_EQUAL(value.days, -1);
    CHECK_EQUAL(value.seconds, 86399);
    CHECK_EQUAL(value.microseconds, 999999);
    kin_object_free(object);
    object = NULL;
    CHECK_EQUAL(kin_object_from_timedelta(1000000000, 0, 0, &object), -EOVERFLOW);
    CHECK_EQUAL(kin_object_from_timedelta(INT64_MAX, INT64_MAX, 0, &object), -EOVERFLOW);
    CHECK_EQUAL(kin_object_from_timedelta(0, INT64_MIN, INT64_MIN, &object), -EOVERFLOW);
    CHECK(object == NULL);
    CHECK_EQUAL(are_equal(make("datetime", "timedelta", KIN_TUPLE(number(1))),
                          make("datetime", "timedelta", KIN_TUPLE(number(0), number(86400)))),
                1);
    CHECK_EQUAL(kind_of("datetime", "timedelta", KIN_TUPLE(kin_object_from_float(0.5))),
                KIN_KIND_OPAQUE);
    CHECK_EQUAL(kind_of("datetime", "timedelta", KIN_TUPLE(text("1"))), -EBADMSG);
    CHECK_EQUAL(kind_of("datetime", "timedelta", KIN_TUPLE(number(INT64_MAX))), -EBADMSG);
    CHECK_EQUAL(kin_object_to_timedelta(kin_object_none(), &value), -EINVAL);
}

TEST(a_timezone_is_less_than_a_day_from_utc)
{
    kin_object *object = NULL;
    CHECK_EQUAL(kin_object_from_timezone(DAY_US - 1, "far east", &object), 0);
    CHECK_EQUAL(kin_object_count(kin_instance_arguments(object)), 2);
    kin_object *other = NULL;
    CHECK_EQUAL(kin_object_from_timezone(DAY_US - 1, NULL, &other), 0);
    CHECK_EQUAL(are_equal(object, other), 1);
    CHECK_EQUAL(kin_object_from_timezone(-DAY_US, NULL, &object), -EINVAL);
    CHECK_EQUAL(kind_of("datetime", "timezone", KIN_TUPLE(number(3))), -EBADMSG);
    CHECK_EQUAL(kin_object_from_timedelta(1, 0, 0, &object), 0);
    CHECK_EQUAL(kind_of("datetime", "timezone", KIN_TUPLE(object)), -EBADMSG);
}

static kin_object *decimal(const char *characters)
{
    kin_object *object = NULL;
    CHECK_EQUAL(kin_object_from_decimal(characters, &object), 0);
    return object;
}

TEST(decimals_are_what_python_reads)
{
    kin_object *object = NULL;
    static const char *const good[] = {"0",     "-1.50", "+.5",       "5.",  " 1_000 ", "1e5",
                                       "1E-99", "inf",   "-Infinity", "NaN", "sNaN12",  "-nan"};
    static const char *const bad[] = {"",    ".",  "-",    "1.2.3", "e5",  "1e",
                                      "1e+", "0x", "infi", "nanx",  "1 2", "1e9999999999999999999"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        object = decimal(good[i]);
        CHECK_STRING(kin_decimal_text(object), good[i]);
        kin_object_free(object);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_EQUAL(kin_object_from_decimal(bad[i], &object), -EINVAL);
        CHECK_EQUAL(kind_of("decimal", "Decimal", KIN_TUPLE(text(bad[i]))), -EBADMSG);
    }
    CHECK_EQUAL(kind_of("decimal", "Decimal", KIN_TUPLE(number(5))), KIN_KIND_OPAQUE);
    CHECK_EQUAL(kind_of("decimal", "Decimal", KIN_TUPLE(kin_list_create())), -EBADMSG);
    CHECK(kin_decimal_text(kin_object_none()) == NULL);
}

TEST(decimals_are_equal_as_numbers)
{
    CHECK_EQUAL(are_equal(decimal("1.5"), decimal("15E-1")), 1);
    CHECK_EQUAL(are_equal(decimal("100"), decimal("1e2")), 1);
    CHECK_EQUAL(are_equal(decimal("0.00"), decimal("-0e7")), 1);
    CHECK_EQUAL(are_equal(decimal("1_0.010"), decimal("10.01")), 1);
    CHECK_EQUAL(are_equal(decimal(".001"), decimal("1e-3")), 1);
    CHECK_EQUAL(are_equal(decimal("1.5"), decimal("-1.5")), 0);
    CHECK_EQUAL(are_equal(decimal("1.5"), decimal("1.51")), 0);
    CHECK_EQUAL(are_equal(decimal("1"), decimal("0")), 0);
    CHECK_EQUAL(are_equal(decimal("inf"), decimal("Infinity")), 1);
    CHECK_EQUAL(are_equal(decimal("inf"), decimal("-inf")), 0);
    CHECK_EQUAL(are_equal(decimal("nan"), decimal("nan")), 0);
    CHECK_EQUAL(are_equal(decimal("nan"), decimal("0")), 0);
}

TEST(a_uuid_keeps_its_bytes)
{
    unsigned char bytes[16] = {0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xfe};
    unsigned char read[16];
    kin_object *uuid = kin_object_from_uuid(bytes);
    CHECK_EQUAL(kin_object_to_uuid(uuid, read), 0);
    CHECK_BYTES(read, bytes, 16);
    CHECK_EQUAL(are_equal(uuid, kin_object_from_uuid(bytes)), 1);
    memset(bytes, 0, 16);
    uuid = kin_object_from_uuid(bytes);
    CHECK_EQUAL(kin_object_to_uuid(uuid, read), 0);
    CHECK_BYTES(read, bytes, 16);
    kin_object *state = kin_dict_create();
    CHECK_EQUAL(kin__instance_build(uuid, 1, state), -EBADMSG);
    state = kin_dict_create();
    CHECK_EQUAL(kin_dict_set_text(state, "int", number(-1)), 0);
    CHECK_EQUAL(kin__instance_build(uuid, 1, state), -EBADMSG);
    state = kin_dict_create();
    CHECK_EQUAL(
        kin_dict_set_text(state, "int",
                          kin_object_from_int_bytes("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 17)),
        0);
    CHECK_EQUAL(kin__instance_build(uuid, 1, state), -EBADMSG);
    state = kin_dict_create();
    CHECK_EQUAL(kin_dict_set_text(state, "int", number(5)), 0);
    CHECK_EQUAL(kin_dict_set_text(state, "is_safe", number(-1)), 0);
    CHECK_EQUAL(kin__instance_build(uuid, 1, state), 0);
    CHECK_EQUAL(kin_object_to_uuid(uuid, read), 0);
    CHECK_EQUAL(read[15], 5);
    kin_object_free(uuid);
    CHECK_EQUAL(kind_of("uuid", "UUID", KIN_TUPLE(text("1234"))), KIN_KIND_OPAQUE);
    uuid = make("uuid", "UUID", kin_tuple_from(NULL, 0));
    CHECK_EQUAL(kin_object_to_uuid(uuid, read), -EINVAL); /* it never got its state */
    kin_object_free(uuid);
}

TEST(a_range_is_a_row_of_ints)
{
    kin_object *range = kin_object_from_range(-2, 3);
    CHECK_STRING(kin_object_type_name(range), "range");
    CHECK_EQUAL(kin_object_count(range), 5);
    CHECK(kin_object_at(range, 0) == number(-2));
    CHECK(kin_object_at(range, 4) == number(2));
    CHECK(kin_object_at(range, 5) == NULL);
    int64_t first;
    int64_t end;
    int64_t step;
    CHECK_EQUAL(kin_object_to_range(range, &first, &end, &step), 0);
    CHECK_EQUAL(first, -2);
    CHECK_EQUAL(end, 3);
    CHECK_EQUAL(step, 1);
    kin_object_free(range);
    range = make("builtins", "range", KIN_TUPLE(number(10), number(0), number(-3)));
    CHECK_EQUAL(kin_object_count(range), 4);
    CHECK(kin_object_at(range, 3) == number(1));
    CHECK_EQUAL(
        are_equal(range, make("builtins", "range", KIN_TUPLE(number(10), number(-1), number(-3)))),
        1);
    CHECK_EQUAL(are_equal(kin_object_from_range(5, 5), kin_object_from_range(7, 3)), 1);
    CHECK_EQUAL(
        are_equal(make("builtins", "range", KIN_TUPLE(number(3))), kin_object_from_range(0, 3)), 1);
    CHECK_EQUAL(are_equal(kin_object_from_range(0, 3), kin_object_from_range(0, 4)), 0);
    range = kin_object_from_range(INT64_MIN, INT64_MAX);
    CHECK_EQUAL(kin_object_count(range), UINT64_MAX);
    CHECK(kin_object_at(range, UINT64_C(1) << 63) == number(0));
    kin_object_free(range);
    CHECK_EQUAL(kind_of("builtins", "range", kin_tuple_from(NULL, 0)), -EBADMSG);
    CHECK_EQUAL(kind_of("builtins", "range", KIN_TUPLE(text("3"))), -EBADMSG);
    CHECK_EQUAL(kind_of("builtins", "range", KIN_TUPLE(number(0), number(3), number(0))), -EBADMSG);
    CHECK_EQUAL(kin_object_to_range(kin_object_none(), &first, &end, &step), -EINVAL);
}

TEST(slices_and_constants)
{
    kin_object *slice = kin_object_from_slice(number(1), kin_object_none(), number(2));
    CHECK_EQUAL(kin_object_count(kin_instance_arguments(slice)), 3);
    kin_object_free(slice);
    slice = make("builtins", "slice", KIN_TUPLE(number(3)));
    CHECK_EQUAL(
        are_equal(slice, kin_object_from_slice(kin_object_none(), number(3), kin_object_none())),
        1);
    CHECK_EQUAL(kind_of("builtins", "slice", kin_tuple_from(NULL, 0)), -EBADMSG);
    kin_object *ellipsis = kin_object_ellipsis();
    CHECK_STRING(kin_global_name(ellipsis), "Ellipsis");
    char text[32];
    CHECK_EQUAL(kin_object_format(ellipsis, text, sizeof text), 8);
    CHECK_STRING(text, "Ellipsis");
    CHECK_EQUAL(kind_of("builtins", "type", KIN_TUPLE(ellipsis)), KIN_KIND_INSTANCE);
    CHECK_EQUAL(kind_of("builtins", "type", KIN_TUPLE(kin_object_not_implemented())),
                KIN_KIND_INSTANCE);
    CHECK_EQUAL(kind_of("builtins", "type", KIN_TUPLE(kin_object_none())), KIN_KIND_INSTANCE);
    CHECK_EQUAL(kind_of("builtins", "type", KIN_TUPLE(number(1))), KIN_KIND_OPAQUE);
}

TEST(an_exception_has_a_name_and_arguments)
{
    kin_object *error = NULL;
    REQUIRE(kin_object_from_exception("builtins", "ValueError",
                                      KIN_TUPLE(text("no such thing"), number(5)), &error) == 0);
    CHECK(kin_object_is_exception(error));
    CHECK_STRING(kin_object_type_name(error), "ValueError");
    CHECK_STRING(kin_exception_text(error), "no such thing");
    CHECK_EQUAL(kin__instance_build(error, 1, number(1)), -EBADMSG);
    CHECK_EQUAL(kin__instance_build(error, 1, kin_dict_create()), 0);
    kin_object *group = NULL;
    CHECK_EQUAL(kin_object_from_exception("builtins", "ExceptionGroup",
                                          KIN_TUPLE(text("some"), KIN_LIST(error)), &group),
                0);
    kin_object_free(group);
    REQUIRE(kin_object_from_exception("queue", "Full", kin_tuple_from(NULL, 0), &error) == 0);
    CHECK(kin_exception_text(error) == NULL);
    CHECK_STRING(kin_object_type_name(error), "queue.Full");
    kin_object_free(error);
    CHECK_EQUAL(kin_object_from_exception("builtins", "range", kin_tuple_from(NULL, 0), &error),
                -ENOENT);
    CHECK_EQUAL(kin_object_from_exception("my", "Error", kin_tuple_from(NULL, 0), &error), -ENOENT);
    CHECK_EQUAL(kin_object_from_exception("builtins", "KeyError", kin_list_create(), &error),
                -EINVAL);
    CHECK_EQUAL(kind_of("builtins", "ExceptionGroup", KIN_TUPLE(text("a"), kin_list_create())),
                -EBADMSG);
    CHECK_EQUAL(kind_of("builtins", "ExceptionGroup", KIN_TUPLE(text("a"), KIN_LIST(number(1)))),
                -EBADMSG);
    CHECK_EQUAL(kind_of("builtins", "UnicodeDecodeError", KIN_TUPLE(text("utf8"))), -EBADMSG);
    CHECK_EQUAL(kind_of("builtins", "UnicodeDecodeError",
                        KIN_TUPLE(text("utf8"), kin_object_from_bytes("x", 1), number(0), number(1),
                                  text("bad"))),
                KIN_KIND_INSTANCE);
    CHECK_EQUAL(kind_of("builtins", "UnicodeTranslateError",
                        KIN_TUPLE(text("x"), number(0), number(1), text("bad"))),
                KIN_KIND_INSTANCE);
    CHECK(!kin_object_is_exception(NULL));
}

TEST(collections_hold_objects)
{
    kin_object *dict = kin_ordered_dict_create();
    CHECK_EQUAL(kin_dict_set_text(kin_instance_items(dict), "a", number(1)), 0);
    CHECK_STRING(kin_object_type_name(dict), "collections.OrderedDict");
    kin_object_free(dict);
    dict = kin_default_dict_create(kin_object_from_global("builtins", "list"));
    CHECK_EQUAL(kin_object_kind(kin_instance_items(dict)), KIN_KIND_DICT);
    kin_object_free(dict);
    dict = kin_default_dict_create(kin_object_none());
    CHECK_EQUAL(kin_object_count(kin_instance_arguments(dict)), 0);
    kin_object_free(dict);
    CHECK(kin_default_dict_create(number(3)) == NULL);
    kin_object *deque = kin_deque_create(-1);
    CHECK_EQUAL(kin_deque_count_max(deque), -1);
    CHECK_EQUAL(kin_list_append(kin_instance_items(deque), number(1)), 0);
    kin_object_free(deque);
    deque = kin_deque_create(3);
    CHECK_EQUAL(kin_deque_count_max(deque), 3);
    CHECK_EQUAL(kin_object_equal(deque, deque), 1);
    kin_object_free(deque);
    CHECK_EQUAL(kin_deque_count_max(kin_object_none()), -EINVAL);
    deque = make("collections", "deque", KIN_TUPLE(kin_list_create(), kin_object_none()));
    CHECK_EQUAL(are_equal(deque, kin_deque_create(-1)), 1);
    deque = make("collections", "deque", KIN_TUPLE(kin_list_create(), number(2)));
    CHECK_EQUAL(are_equal(deque, kin_deque_create(2)), 1);
    CHECK_EQUAL(kind_of("collections", "deque", KIN_TUPLE(KIN_LIST(number(1)))), KIN_KIND_OPAQUE);
    CHECK_EQUAL(kind_of("collections", "deque", KIN_TUPLE(kin_list_create(), number(-2))),
                -EBADMSG);
    CHECK_EQUAL(kind_of("collections", "defaultdict", KIN_TUPLE(text("list"))), -EBADMSG);
    CHECK_EQUAL(kind_of("collections", "OrderedDict", KIN_TUPLE(kin_list_create())),
                KIN_KIND_OPAQUE);
}

TEST(an_array_is_laid_out_as_in_c)
{
    static const int32_t ints[] = {1, -2, 3};
    kin_object *array = NULL;
    kin_numbers numbers;
    REQUIRE(kin_object_from_numbers('i', ints, 3, &array) == 0);
    CHECK_STRING(kin_object_type_name(array), "array.array");
    REQUIRE(kin_object_to_numbers(array, &numbers) == 0);
    CHECK_EQUAL(numbers.typecode, 'i');
    CHECK_EQUAL(numbers.item_bytes, 4);
    CHECK_EQUAL(numbers.count, 3);
    CHECK_BYTES(numbers.data, ints, sizeof ints);
    kin_object *old = make("array", "array",
                           KIN_TUPLE(text("i"), KIN_LIST(number(1), number(-2), number(3))));
    CHECK_EQUAL(are_equal(array, old), 1);
    array = make("array", "array", KIN_TUPLE(text("d"), KIN_LIST(kin_object_from_float(0.5))));
    REQUIRE(kin_object_to_numbers(array, &numbers) == 0);
    double real = 0.5;
    CHECK_BYTES(numbers.data, &real, sizeof real);
    kin_object_free(array);
    array = make("array", "array", KIN_TUPLE(text("H")));
    REQUIRE(kin_object_to_numbers(array, &numbers) == 0);
    CHECK_EQUAL(numbers.count, 0);
    kin_object_free(array);
    CHECK_EQUAL(kin_object_from_numbers('z', ints, 3, &array), -EINVAL);
    CHECK_EQUAL(kin_object_from_numbers('i', NULL, 3, &array), -EINVAL);
    CHECK_EQUAL(kin_object_to_numbers(kin_object_none(), &numbers), -EINVAL);
}

static kin_object *rebuilt(const char *typecode, int64_t format, const char *data, size_t size)
{
    return KIN_TUPLE(kin_object_from_global("array", "array"), text(typecode), number(format),
                     kin_object_from_bytes(data, size));
}

TEST(arrays_in_pickles_are_checked)
{
    static const char *const fitting[] = {"b-128",        "B255",        "h-32768", "H65535",
                                          "i-2147483648", "I4294967295", "q-1"};
    static const char *const unfitting[] = {"b128", "B256", "B-1", "h32768", "i2147483648", "Q-1"};
    for (size_t i = 0; i < sizeof fitting / sizeof *fitting; i++) {
        char typecode[] = {fitting[i][0], '\0'};
        CHECK_EQUAL(
            kind_of("array", "array",
                    KIN_TUPLE(text(typecode), KIN_LIST(number(strtoll(fitting[i] + 1, NULL, 10))))),
            KIN_KIND_INSTANCE);
    }
    for (size_t i = 0; i < sizeof unfitting / sizeof *unfitting; i++) {
        char typecode[] = {unfitting[i][0], '\0'};
        CHECK_EQUAL(kind_of("array", "array",
                            KIN_TUPLE(text(typecode),
                                      KIN_LIST(number(strtoll(unfitting[i] + 1, NULL, 10))))),
                    -EBADMSG);
    }
    CHECK_EQUAL(kind_of("array", "array", KIN_TUPLE(text("x"))), -EBADMSG);
    CHECK_EQUAL(kind_of("array", "array", KIN_TUPLE(text("i"), KIN_LIST(text("1")))), -EBADMSG);
    CHECK_EQUAL(kind_of("array", "_array_reconstructor", rebuilt("i", 8, "12345678", 8)),
                KIN_KIND_INSTANCE);
    CHECK_EQUAL(kind_of("array", "_array_reconstructor", rebuilt("i", 8, "1234567", 7)), -EBADMSG);
    CHECK_EQUAL(kind_of("array", "_array_reconstructor", rebuilt("i", 22, "", 0)), -EBADMSG);
    CHECK_EQUAL(kind_of("array", "_array_reconstructor", rebuilt("x", 8, "", 0)), -EBADMSG);
    kin_numbers numbers;
    kin_object *array = make("array", "_array_reconstructor",
                             rebuilt("i", 9, "12345678", 8)); /* high first */
    CHECK_EQUAL(kin_object_to_numbers(array, &numbers), -EINVAL);
    kin_object_free(array);
    CHECK_EQUAL(kind_of("array", "_array_reconstructor",
                        KIN_TUPLE(kin_object_from_global("my", "Array"), text("i"), number(8),
                                  kin_object_from_bytes("", 0))),
                KIN_KIND_OPAQUE);
}

#ifdef KIN_FAULTS
/* Frees what was made. */
static int done(int r, kin_object **object)
{
    *object = kin_object_free(*object);
    return r;
}

static int make_everything(void)
{
    kin_object *object = NULL;
    kin_datetime value = {.year = 2020, .month = 1, .day = 1, .has_offset = true};
    int r = done(kin_object_from_datetime(&value, &object), &object);
    r = r < 0 ? r : done(kin_object_from_timezone(1, "name", &object), &object);
    r = r < 0 ? r : done(kin_object_from_decimal("1.5", &object), &object);
    r = r < 0 ? r : done(kin_object_from_numbers('i', "1234", 1, &object), &object);
    r = r < 0 ? r
              : done(kin_object_from_exception("queue", "Empty", KIN_TUPLE(text("a")), &object),
                     &object);
    kin_object *made[] = {kin_object_from_uuid((const unsigned char *)"0123456789abcdef"),
                          kin_object_from_range(INT64_MIN, INT64_MAX),
                          kin_object_from_slice(number(1), text("a"), kin_list_create()),
                          kin_ordered_dict_create(),
                          kin_deque_create(5),
                          kin_default_dict_create(kin_object_from_global("builtins", "list"))};
    for (size_t i = 0; i < 6; i++) {
        r = r < 0 ? r : made[i] == NULL ? -ENOMEM : 0;
        kin_object_free(made[i]);
    }
    int kind = r < 0 ? r
                     : kind_of("array", "array", KIN_TUPLE(text("q"), KIN_LIST(number(INT64_MAX))));
    return kind < 0 ? kind : 0;
}

TEST(without_memory_no_standard_object_is_made)
{
    uint64_t n = 1;
    for (int r = -ENOMEM; r < 0 && n < 1000; n++) {
        kin__allocation_fail_at(n);
        r = make_everything();
        kin__allocation_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM);
    }
    CHECK(n > 10 && n < 1000);
}
#endif
