/**
 * Objects of Python's own library: dates and times, decimals, UUIDs, ranges, exceptions, ordered
 * dicts, deques, arrays of numbers. They go to Python as what they are there and come from there;
 * all are instances (kin/class.h) of classes that are registered from the start.
 *
 *     kin_object *when;
 *     kin_object_from_datetime(&(kin_datetime){.year = 1815, .month = 12, .day = 10}, &when);
 *     kin_object_print(when, stdout);                       datetime.datetime(1815, 12, 10, 0, 0)
 *
 * What reads an object returns 0, -EINVAL: it is something else, or -ENOMEM: it is NULL.
 */
#ifndef KIN_STANDARD_H
#define KIN_STANDARD_H

#include <kin/object.h>

KIN_BEGIN

/** What a datetime, date or time says; what it does not have is 0. */
typedef struct kin_datetime {
    int year;  /* 1 to 9999 */
    int month; /* 1 to 12 */
    int day;   /* from 1 */
    int hour;
    int minute;
    int second;
    int microsecond;
    bool fold;         /* of two equal times, when clocks are put back, the second */
    bool has_offset;   /* it has a zone that is a fixed distance from UTC: */
    int64_t offset_us; /* in microseconds, less than a day */
} kin_datetime;

/** A datetime.datetime; -EINVAL: there is no such day or time. */
KIN_API int kin_object_from_datetime(const kin_datetime *value, kin_object **ret_object);

/** A datetime.date. */
KIN_API int kin_object_from_date(const kin_datetime *value, kin_object **ret_object);

/** A datetime.time. */
KIN_API int kin_object_from_time(const kin_datetime *value, kin_object **ret_object);

/** Reads a datetime, date or time. */
KIN_API int kin_object_to_datetime(const kin_object *object, kin_datetime *ret_value);

/** The zone of a datetime or time, borrowed: a datetime.timezone, or what its writer's program
 * knows, opaque. NULL: it has none. */
KIN_API kin_object *kin_datetime_zone(const kin_object *object);

/** A span of time: 0 <= seconds < 86 400, 0 <= microseconds < 1 000 000; days may be negative. */
typedef struct kin_timedelta {
    int32_t days;
    int32_t seconds;
    int32_t microseconds;
} kin_timedelta;

/** A datetime.timedelta of any sum of these; -EOVERFLOW: more than 999 999 999 days. */
KIN_API int kin_object_from_timedelta(int64_t days, int64_t seconds, int64_t microseconds,
                                      kin_object **ret_object);

/** Reads a timedelta. */
KIN_API int kin_object_to_timedelta(const kin_object *object, kin_timedelta *ret_value);

/** A datetime.timezone: less than a day from UTC; `name` may be NULL. */
KIN_API int kin_object_from_timezone(int64_t offset_us, const char *name, kin_object **ret_object);

/** A decimal.Decimal: "12.50", "-1E+3", "Infinity", "NaN"; -EINVAL: not one. */
KIN_API int kin_object_from_decimal(const char *text, kin_object **ret_object);

/** The text of a Decimal, as it was given; NULL: not a Decimal. */
KIN_API const char *kin_decimal_text(const kin_object *decimal);

/** A uuid.UUID of 16 bytes, the first one first in its text. */
KIN_API kin_object *kin_object_from_uuid(const unsigned char bytes[16]);

/** Reads a UUID. */
KIN_API int kin_object_to_uuid(const kin_object *object, unsigned char ret_bytes[16]);

/** Reads a range (kin_object_from_range makes one); -EOVERFLOW: its numbers are too large. How many
 * there are says kin_object_count, kin_object_at gives one. */
KIN_API int kin_object_to_range(const kin_object *object, int64_t *ret_first, int64_t *ret_end,
                                int64_t *ret_step);

/** slice(first, end, step); each is taken and may be None. The arguments of the instance say what
 * a slice is: kin_instance_arguments. */
KIN_API kin_object *kin_object_from_slice(kin_object *first, kin_object *end, kin_object *step);

/** Python's Ellipsis, a global. */
KIN_API kin_object *kin_object_ellipsis(void);

/** Python's NotImplemented, a global. */
KIN_API kin_object *kin_object_not_implemented(void);

/** An exception: "builtins" and "ValueError", "queue" and "Full", with a tuple of arguments, which
 * is taken. -ENOENT: kin knows no exception of that name. */
KIN_API int kin_object_from_exception(const char *module, const char *name, kin_object *arguments,
                                      kin_object **ret_object);

/** Whether it is an exception that kin knows; of others the class stays opaque. */
KIN_API bool kin_object_is_exception(const kin_object *object);

/** What an exception says: its first argument, if that is a str; NULL otherwise. What kind it is
 * says kin_object_type_name. */
KIN_API const char *kin_exception_text(const kin_object *exception);

/** An empty collections.OrderedDict; what is in it: kin_instance_items, a dict. */
KIN_API kin_object *kin_ordered_dict_create(void);

/** An empty collections.defaultdict; `factory`, taken, is a global or None. */
KIN_API kin_object *kin_default_dict_create(kin_object *factory);

/** An empty collections.deque; what is in it: kin_instance_items, a list. Python drops what is
 * beyond `count_max`; negative: nothing is. */
KIN_API kin_object *kin_deque_create(int64_t count_max);

/** How many objects a deque keeps at most; -1: any number. -EINVAL, -ENOMEM. */
KIN_API int64_t kin_deque_count_max(const kin_object *deque);

/** What an array.array holds. */
typedef struct kin_numbers {
    char typecode; /* as Python's: one of "bBuwhHiIlLqQfd" */
    size_t item_bytes;
    size_t count;
    const void *data; /* in the order of bytes of this machine; valid as long as the object */
} kin_numbers;

/** An array.array: a copy of `count` numbers. -EINVAL: no such typecode, or data is NULL. */
KIN_API int kin_object_from_numbers(char typecode, const void *data, size_t count,
                                    kin_object **ret_object);

/** Looks at an array.array; -EINVAL also for one of a machine whose numbers are laid out in
 * another way. */
KIN_API int kin_object_to_numbers(const kin_object *object, kin_numbers *ret_numbers);

KIN_END

#endif
