/**
 * Spans of time, and zones that are one of them away from UTC.
 */
#ifndef KIN_OBJECT_STANDARD_TIMEDELTA_H
#define KIN_OBJECT_STANDARD_TIMEDELTA_H

#include "object/standard/standard.h"

extern const kin_class *const kin__class_timedelta;
extern const kin_class *const kin__class_timezone;

/* The hooks of both. */
int kin__timedelta_construct(kin_object *timedelta);
kin_object *kin__timedelta_describe(const kin_object *timedelta);
int kin__timezone_construct(kin_object *timezone);
int kin__timezone_equal(const kin_object *first, const kin_object *second);
int kin__timezone_hash(const kin_object *timezone, uint64_t *ret_hash);
kin_object *kin__timezone_describe(const kin_object *timezone);

/* How far a zone is from UTC, in microseconds; false, and 0: it is no datetime.timezone. */
bool kin__timezone_offset(const kin_object *zone, int64_t *ret_offset_us);

#endif
