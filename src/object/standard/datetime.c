/*
 * Python's module datetime. What is pickled of a date, time or datetime are bytes, the highest of a
 * number first:
 *
 *     date       year 2, month 1, day 1
 *     time       hour 1, minute 1, second 1, microsecond 3
 *     datetime   a date and a time
 *
 * The highest bit of a time's hour, or of a datetime's month, says that the time is the second of
 * two alike (fold). A zone may follow as second argument. Python 2 and protocols up to 2 write the
 * bytes as a str of as many characters.
 */
#include "object/standard/standard.h"

#include <kin/list.h>
#include <string.h>

#include "object/standard/timedelta.h"

enum { DATE_BYTES = 4, TIME_BYTES = 6, DATETIME_BYTES = 10, FOLD = 0x80 };

static int construct(kin_object *instance);
static int equal(const kin_object *first, const kin_object *second);
static int hash(const kin_object *instance, uint64_t *ret_hash);
static kin_object *describe(const kin_object *instance);

#define MOMENT(text)                                                                  \
    {                                                                                 \
        .module = "datetime", .name = (text), .construct = construct, .equal = equal, \
        .hash = hash, .describe = describe                                            \
    }

enum { CLASS_DATE, CLASS_DATETIME, CLASS_TIME, CLASS_TIMEDELTA, CLASS_TIMEZONE };

static const kin_class classes[] = {
    [CLASS_DATE] = MOMENT("date"),
    [CLASS_DATETIME] = MOMENT("datetime"),
    [CLASS_TIME] = MOMENT("time"),
    [CLASS_TIMEDELTA] = {.module = "datetime",
                         .name = "timedelta",
                         .construct = kin__timedelta_construct,
                         .describe = kin__timedelta_describe},
    [CLASS_TIMEZONE] = {.module = "datetime",
                        .name = "timezone",
                        .construct = kin__timezone_construct,
                        .equal = kin__timezone_equal,
                        .hash = kin__timezone_hash,
                        .describe = kin__timezone_describe},
};

const struct kin__module kin__module_datetime = {"datetime", KIN__CLASSES(classes)};

const kin_class *const kin__class_timedelta = &classes[CLASS_TIMEDELTA];
const kin_class *const kin__class_timezone = &classes[CLASS_TIMEZONE];

static bool has_date(const kin_class *class_)
{
    return class_ != &classes[CLASS_TIME];
}

static bool has_time(const kin_class *class_)
{
    return class_ != &classes[CLASS_DATE];
}

static size_t bytes_of(const kin_class *class_)
{
    return (has_date(class_) ? DATE_BYTES : 0u) + (has_time(class_) ? TIME_BYTES : 0u);
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int year, int month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static bool is_within(int value, int first, int last)
{
    return value >= first && value <= last;
}

static bool is_valid(const kin_class *class_, const kin_datetime *value)
{
    bool is_date = is_within(value->year, 1, 9999) && is_within(value->month, 1, 12) &&
                   is_within(value->day, 1, days_of_month(value->year, value->month));
    bool is_time = is_within(value->hour, 0, 23) && is_within(value->minute, 0, 59) &&
                   is_within(value->second, 0, 59) && is_within(value->microsecond, 0, 999999);
    return (!has_date(class_) || is_date) && (!has_time(class_) || is_time);
}

/* Reads the bytes; what is in them is still to be checked. */
static void unpack(const kin_class *class_, const unsigned char *at, kin_datetime *ret_value)
{
    kin_datetime value = {.fold = false};
    if (has_date(class_)) {
        value.year = at[0] << 8 | at[1];
        value.month = at[2];
        value.day = at[3];
        at += DATE_BYTES;
    }
    if (has_time(class_)) {
        value.hour = at[0];
        value.minute = at[1];
        value.second = at[2];
        value.microsecond = at[3] << 16 | at[4] << 8 | at[5];
        int *marked = has_date(class_) ? &value.month : &value.hour;
        value.fold = (*marked & FOLD) != 0;
        *marked &= ~FOLD;
    }
    *ret_value = value;
}

static void pack(const kin_class *class_, const kin_datetime *value, unsigned char *at)
{
    unsigned char *marked = has_date(class_) ? at + 2 : at;
    if (has_date(class_)) {
        at[0] = (unsigned char)(value->year >> 8);
        at[1] = (unsigned char)value->year;
        at[2] = (unsigned char)value->month;
        at[3] = (unsigned char)value->day;
        at += DATE_BYTES;
    }
    if (has_time(class_)) {
        at[0] = (unsigned char)value->hour;
        at[1] = (unsigned char)value->minute;
        at[2] = (unsigned char)value->second;
        at[3] = (unsigned char)(value->microsecond >> 16);
        at[4] = (unsigned char)(value->microsecond >> 8);
        at[5] = (unsigned char)value->microsecond;
        *marked |= value->fold ? FOLD : 0;
    }
}

/* The bytes of a str whose characters are all below 256. */
static bool narrow(kin_bytes text, unsigned char *at, size_t size)
{
    const unsigned char *from = text.data;
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (used >= text.size) {
            return false;
        }
        if (from[used] < 0x80) {
            at[i] = from[used++];
        } else if (from[used] <= 0xc3 && used + 1 < text.size) {
            at[i] = (unsigned char)(from[used] << 6 | (from[used + 1] & 0x3f));
            used += 2;
        } else {
            return false;
        }
    }
    return used == text.size;
}

static bool may_be_zone(const kin_object *object)
{
    kin_kind kind = kin__kind(object);
    return kind == KIN_KIND_OPAQUE || kind == KIN_KIND_INSTANCE || kind == KIN_KIND_GLOBAL;
}

static int construct(kin_object *instance)
{
    const kin_class *class_ = kin_instance_class(instance);
    const kin_object *packed = kin__argument(instance, 0);
    kin_object *zone = kin__argument(instance, 1);
    kin_bytes bytes = kin_object_bytes(packed);
    unsigned char moment[DATETIME_BYTES];
    if (kin__kind(packed) == KIN_KIND_INT) {
        return KIN__STAYS_OPAQUE; /* year, month, day ...: Python writes none */
    }
    size_t size = bytes_of(class_);
    bool is_bytes = kin__kind(packed) == KIN_KIND_BYTES && bytes.size == size;
    if (kin__argument_count(instance) > (has_time(class_) ? 2 : 1) ||
        (zone != NULL && zone != KIN__NONE && !may_be_zone(zone)) ||
        (!is_bytes && (kin__kind(packed) != KIN_KIND_STR || !narrow(bytes, moment, size)))) {
        return -EBADMSG;
    }
    kin_datetime value;
    unpack(class_, is_bytes ? bytes.data : moment, &value);
    if (!is_valid(class_, &value)) {
        return -EBADMSG;
    }
    if (is_bytes && zone != KIN__NONE) {
        return 0;
    }
    kin_object *whole = is_bytes ? kin_object_ref(packed)
                                 : kin_object_from_bytes(moment, bytes_of(class_));
    return kin__standard_rewrite(instance, zone == NULL || zone == KIN__NONE
                                               ? KIN_TUPLE(whole)
                                               : KIN_TUPLE(whole, kin_object_ref(zone)));
}

static bool is_moment(const kin_object *object)
{
    return kin__kind(object) == KIN_KIND_INSTANCE &&
           kin_instance_class(object)->construct == construct;
}

int kin_object_to_datetime(const kin_object *object, kin_datetime *ret_value)
{
    if (!is_moment(object) || ret_value == NULL) {
        return object == NULL ? -ENOMEM : -EINVAL;
    }
    kin_datetime value;
    unpack(kin_instance_class(object), kin_object_bytes(kin__argument(object, 0)).data, &value);
    value.has_offset = kin__timezone_offset(kin__argument(object, 1), &value.offset_us);
    *ret_value = value;
    return 0;
}

kin_object *kin_datetime_zone(const kin_object *object)
{
    return is_moment(object) ? kin__argument(object, 1) : NULL;
}

/* Days before a date since the first one there is. */
static int64_t days_before(const kin_datetime *value)
{
    int64_t years = value->year - 1;
    int64_t days = years * 365 + years / 4 - years / 100 + years / 400 + value->day - 1;
    for (int month = 1; month < value->month; month++) {
        days += days_of_month(value->year, month);
    }
    return days;
}

/* Microseconds from the first moment there is, or of the day; in UTC if there is an offset. */
static int64_t position(const kin_datetime *value)
{
    int64_t days = value->year == 0 ? 0 : days_before(value);
    int64_t seconds = days * 86400 + value->hour * 3600 + value->minute * 60 + value->second;
    return seconds * 1000000 + value->microsecond - (value->has_offset ? value->offset_us : 0);
}

/* Whether two zones of other programs are the same, as far as names, numbers and texts say it.
 * What lies deeper is not looked at: it could lead to a moment with a zone, and so on. */
static bool is_same_zone(const kin_object *first, const kin_object *second)
{
    if (first == second) {
        return true;
    }
    if (kin__kind(first) != KIN_KIND_OPAQUE || kin__kind(second) != KIN_KIND_OPAQUE ||
        kin__is_container(kin_opaque_callable(first)) ||
        kin_object_equal(kin_opaque_callable(first), kin_opaque_callable(second)) != 1 ||
        kin__argument_count(first) != kin__argument_count(second)) {
        return false;
    }
    for (size_t i = 0; i < kin__argument_count(first); i++) {
        if (kin__is_container(kin__argument(first, i)) ||
            kin_object_equal(kin__argument(first, i), kin__argument(second, i)) != 1) {
            return false;
        }
    }
    return true;
}

/* Moments with a known offset by when they are, others by what they say and their zone. */
static int equal(const kin_object *first, const kin_object *second)
{
    kin_datetime one;
    kin_datetime other;
    kin_object_to_datetime(first, &one);
    kin_object_to_datetime(second, &other);
    kin_object *zone = kin_datetime_zone(first);
    kin_object *other_zone = kin_datetime_zone(second);
    if (one.has_offset != other.has_offset || (zone == NULL) != (other_zone == NULL) ||
        position(&one) != position(&other)) {
        return 0;
    }
    return zone == NULL || one.has_offset || is_same_zone(zone, other_zone);
}

static int hash(const kin_object *instance, uint64_t *ret_hash)
{
    kin_datetime value;
    kin_object_to_datetime(instance, &value);
    kin_object *key = kin_object_from_int(position(&value));
    int r = kin_object_hash(key, ret_hash);
    kin_object_free(key);
    return r;
}

static kin_object *describe(const kin_object *instance)
{
    const kin_class *class_ = kin_instance_class(instance);
    kin_datetime value;
    kin_object_to_datetime(instance, &value);
    kin_object *list = kin__describe(kin_list_create(), "datetime.%s(", class_->name);
    if (has_date(class_)) {
        list = kin__describe(list, "%d, %d, %d%s", value.year, value.month, value.day,
                             has_time(class_) ? ", " : "");
    }
    if (has_time(class_)) {
        list = kin__describe(list, "%d, %d", value.hour, value.minute);
    }
    if (value.second != 0 || value.microsecond != 0) {
        list = kin__describe(list, ", %d", value.second);
    }
    if (value.microsecond != 0) {
        list = kin__describe(list, ", %d", value.microsecond);
    }
    kin_object *zone = kin_datetime_zone(instance);
    bool is_fold_first = has_date(class_); /* as CPython has it */
    if (value.fold && is_fold_first) {
        list = kin__describe(list, ", fold=1");
    }
    if (zone != NULL) {
        list = kin__describe_object(kin__describe(list, ", tzinfo="), zone);
    }
    if (value.fold && !is_fold_first) {
        list = kin__describe(list, ", fold=1");
    }
    return kin__describe(list, ")");
}

static int make(const kin_class *class_, const kin_datetime *value, kin_object **ret_object)
{
    unsigned char moment[DATETIME_BYTES] = {0};
    kin_object *zone = NULL;
    if (value == NULL || ret_object == NULL || !is_valid(class_, value)) {
        return -EINVAL;
    }
    bool has_zone = has_time(class_) && value->has_offset;
    int r = has_zone ? kin_object_from_timezone(value->offset_us, NULL, &zone) : 0;
    if (r < 0) {
        return r;
    }
    pack(class_, value, moment);
    kin_object *bytes = kin_object_from_bytes(moment, bytes_of(class_));
    return kin__standard_make(class_, MADE_BY_CALL,
                              has_zone ? KIN_TUPLE(bytes, zone) : KIN_TUPLE(bytes), ret_object);
}

int kin_object_from_datetime(const kin_datetime *value, kin_object **ret_object)
{
    return make(&classes[CLASS_DATETIME], value, ret_object);
}

int kin_object_from_date(const kin_datetime *value, kin_object **ret_object)
{
    return make(&classes[CLASS_DATE], value, ret_object);
}

int kin_object_from_time(const kin_datetime *value, kin_object **ret_object)
{
    return make(&classes[CLASS_TIME], value, ret_object);
}
