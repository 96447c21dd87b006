/**
 * Numbers of different types side by side, exactly: no int is rounded to be compared to a float.
 */
#ifndef KIN_OBJECT_EQUALITY_NUMBER_H
#define KIN_OBJECT_EQUALITY_NUMBER_H

#include "object/object.h"

/* Whether it is a bool, int, float or complex number. */
static inline bool kin__is_number(const kin_object *object)
{
    kin_kind kind = kin__kind(object);
    return kind >= KIN_KIND_BOOL && kind <= KIN_KIND_COMPLEX;
}

/* Whether two numbers are equal; nothing is equal to a NaN. */
bool kin__number_equal(const kin_object *first, const kin_object *second);

/* Orders two bools, ints or floats: negative, 0, positive. -EINVAL: a NaN, or a complex number. */
int kin__number_compare(const kin_object *first, const kin_object *second, int *ret_order);

#endif
