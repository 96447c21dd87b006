#include "object/standard/timedelta.h"

#include <kin/list.h>
#include <string.h>

#define US_OF_SECOND INT64_C(1000000)
#define SECONDS_OF_DAY INT64_C(86400)
#define DAYS_MAX INT64_C(999999999)

/* Divides, rounding down; `*value` is left with the rest, which is not negative. */
static int64_t carry(int64_t *value, int64_t unit)
{
    int64_t whole = *value / unit;
    *value %= unit;
    if (*value < 0) {
        *value += unit;
        whole--;
    }
    return whole;
}

/* Brings a sum into its one form; false: more days than Python has. */
static bool normalize(int64_t days, int64_t seconds, int64_t microseconds, kin_timedelta *ret_value)
{
    int64_t carried = carry(&microseconds, US_OF_SECOND);
    int64_t whole_days = carry(&seconds, SECONDS_OF_DAY); /* so that the next sum fits */
    seconds += carried;
    whole_days += carry(&seconds, SECONDS_OF_DAY);
    if (__builtin_add_overflow(days, whole_days, &days) || days > DAYS_MAX || days < -DAYS_MAX) {
        return false;
    }
    *ret_value = (kin_timedelta){
        .days = (int32_t)days, .seconds = (int32_t)seconds, .microseconds = (int32_t)microseconds};
    return true;
}

static kin_object *arguments_of(const kin_timedelta *value)
{
    return KIN_TUPLE(kin_object_from_int(value->days), kin_object_from_int(value->seconds),
                     kin_object_from_int(value->microseconds));
}

/* Reads ints; what is not there is 0. KIN__STAYS_OPAQUE: there are others, or too large ones. */
static int read(const kin_object *timedelta, int64_t fields[3])
{
    for (size_t i = 0; i < kin__argument_count(timedelta); i++) {
        kin_kind kind = kin__kind(kin__argument(timedelta, i));
        if (kind != KIN_KIND_INT && kind != KIN_KIND_BOOL) {
            return kind == KIN_KIND_FLOAT ? KIN__STAYS_OPAQUE : -EBADMSG;
        }
        if (i >= 3 || kin_object_to_int(kin__argument(timedelta, i), &fields[i]) < 0) {
            return KIN__STAYS_OPAQUE; /* milliseconds, minutes, hours, weeks */
        }
    }
    return 0;
}

int kin__timedelta_construct(kin_object *timedelta)
{
    int64_t fields[3] = {0};
    kin_timedelta value;
    int r = read(timedelta, fields);
    if (r != 0) {
        return r;
    }
    if (!normalize(fields[0], fields[1], fields[2], &value)) {
        return -EBADMSG;
    }
    bool is_normal = kin__argument_count(timedelta) == 3 && fields[0] == value.days &&
                     fields[1] == value.seconds && fields[2] == value.microseconds;
    return is_normal ? 0 : kin__standard_rewrite(timedelta, arguments_of(&value));
}

int kin_object_from_timedelta(int64_t days, int64_t seconds, int64_t microseconds,
                              kin_object **ret_object)
{
    kin_timedelta value;
    if (ret_object == NULL) {
        return -EINVAL;
    }
    if (!normalize(days, seconds, microseconds, &value)) {
        return -EOVERFLOW;
    }
    return kin__standard_make(kin__class_timedelta, MADE_BY_CALL, arguments_of(&value), ret_object);
}

int kin_object_to_timedelta(const kin_object *object, kin_timedelta *ret_value)
{
    int64_t fields[3] = {0};
    if (!kin__is_of(object, kin__class_timedelta) || ret_value == NULL) {
        return object == NULL ? -ENOMEM : -EINVAL;
    }
    (void)read(object, fields);
    *ret_value = (kin_timedelta){.days = (int32_t)fields[0],
                                 .seconds = (int32_t)fields[1],
                                 .microseconds = (int32_t)fields[2]};
    return 0;
}

kin_object *kin__timedelta_describe(const kin_object *timedelta)
{
    static const char *const names[] = {"days", "seconds", "microseconds"};
    int64_t fields[3] = {0};
    (void)read(timedelta, fields);
    kin_object *list = kin__describe(kin_list_create(), "datetime.timedelta(");
    bool is_first = true;
    for (size_t i = 0; i < 3; i++) {
        if (fields[i] != 0) {
            list = kin__describe(list, "%s%s=%d", is_first ? "" : ", ", names[i], (int)fields[i]);
            is_first = false;
        }
    }
    return kin__describe(list, is_first ? "0)" : ")");
}

static bool is_day_part(int64_t offset_us)
{
    int64_t day = SECONDS_OF_DAY * US_OF_SECOND;
    return offset_us > -day && offset_us < day;
}

/* False also for what is larger than any offset. */
static bool offset_of(const kin_object *timedelta, int64_t *ret_offset_us)
{
    kin_timedelta value;
    if (kin_object_to_timedelta(timedelta, &value) < 0 || value.days < -1 || value.days > 0) {
        return false;
    }
    int64_t offset = (value.days * SECONDS_OF_DAY + value.seconds) * US_OF_SECOND +
                     value.microseconds;
    if (!is_day_part(offset)) {
        return false;
    }
    *ret_offset_us = offset;
    return true;
}

int kin__timezone_construct(kin_object *timezone)
{
    size_t count = kin__argument_count(timezone);
    int64_t offset_us;
    if (kin__kind(kin__argument(timezone, 0)) == KIN_KIND_OPAQUE) {
        return KIN__STAYS_OPAQUE; /* a timedelta of a rare form */
    }
    bool is_right = count >= 1 && count <= 2 && offset_of(kin__argument(timezone, 0), &offset_us) &&
                    (count == 1 || kin__kind(kin__argument(timezone, 1)) == KIN_KIND_STR);
    return is_right ? 0 : -EBADMSG;
}

bool kin__timezone_offset(const kin_object *zone, int64_t *ret_offset_us)
{
    *ret_offset_us = 0;
    return kin__is_of(zone, kin__class_timezone) &&
           offset_of(kin__argument(zone, 0), ret_offset_us);
}

/* Whatever they are called. */
int kin__timezone_equal(const kin_object *first, const kin_object *second)
{
    return kin_object_equal(kin__argument(first, 0), kin__argument(second, 0));
}

int kin__timezone_hash(const kin_object *timezone, uint64_t *ret_hash)
{
    return kin_object_hash(kin__argument(timezone, 0), ret_hash);
}

kin_object *kin__timezone_describe(const kin_object *timezone)
{
    kin_object *parts[] = {kin__argument(timezone, 0), kin__argument(timezone, 1)};
    int64_t offset_us;
    if (parts[1] == NULL && kin__timezone_offset(timezone, &offset_us) && offset_us == 0) {
        return kin__describe(kin_list_create(), "datetime.timezone.utc");
    }
    return kin__describe_call("datetime.timezone", parts, parts[1] == NULL ? 1 : 2);
}

int kin_object_from_timezone(int64_t offset_us, const char *name, kin_object **ret_object)
{
    kin_object *offset = NULL;
    kin_object *text = NULL;
    if (ret_object == NULL || !is_day_part(offset_us)) {
        return -EINVAL;
    }
    int r = name == NULL ? 0 : kin_object_from_str(name, strlen(name), &text);
    r = r < 0 ? r : kin_object_from_timedelta(0, 0, offset_us, &offset);
    if (r < 0) {
        kin_object_free(text);
        return r;
    }
    return kin__standard_make(kin__class_timezone, MADE_BY_CALL,
                              name == NULL ? KIN_TUPLE(offset) : KIN_TUPLE(offset, text),
                              ret_object);
}
