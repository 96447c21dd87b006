/**
 * Ints of any size. As bytes they are two's complement, the lowest first, without needless ones,
 * which is what pickles hold.
 */
#ifndef KIN_OBJECT_INTEGER_H
#define KIN_OBJECT_INTEGER_H

#include "object/object.h"
#include "object/region.h"

/* The bytes of an int, small or large; a bool's are those of 0 and 1. */
struct integer_view {
    const unsigned char *bytes;
    size_t size; /* 0: the number 0 */
    bool is_negative;
    unsigned char small[8]; /* where `bytes` leads if the number has no memory of its own */
};

/* Looks at an int or bool. */
void kin__integer_view(const kin_object *integer, struct integer_view *ret_view);

/* An int of two's complement bytes; needless ones are left out. NULL: no memory. */
kin_object *kin__integer_from_bytes(struct kin__arena *arena, const void *data, size_t size);

/* An int of `size` decimal digits, a sign before them or not. Takes time with the square of the
 * size. 0, -EINVAL: not a number; -ENOMEM. */
int kin__integer_from_decimal(struct kin__arena *arena, const char *text, size_t size,
                              kin_object **ret_integer);

/* Its decimal digits, with a '-' before them if negative, and a NUL: kin__release it. Takes time
 * with the square of the size. NULL: no memory. */
char *kin__integer_to_decimal(const kin_object *integer);

/* Negative, 0 or positive, as the first is less, equal or greater. */
int kin__integer_compare(const kin_object *first, const kin_object *second);

/* The nearest double, ties to even. 0, or -EOVERFLOW. */
int kin__integer_to_double(const kin_object *integer, double *ret_value);

#endif
