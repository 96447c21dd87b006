/**
 * None, bools, ints, floats, complex numbers.
 */
#include "object/integer.h"

#include <string.h>

kin_object *kin_object_none(void)
{
    return KIN__NONE;
}

kin_object *kin_object_from_bool(bool value)
{
    return value ? KIN__TRUE : KIN__FALSE;
}

/* The lowest byte first, whatever the machine. */
static kin_object *from_bits(uint64_t bits, size_t size)
{
    unsigned char bytes[9] = {0};
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(bits >> (8 * i));
    }
    return kin__integer_from_bytes(NULL, bytes, size);
}

kin_object *kin_object_from_int(int64_t value)
{
    return kin__fits_small_int(value) ? kin__small_int(value) : from_bits((uint64_t)value, 8);
}

kin_object *kin_object_from_uint(uint64_t value)
{
    return from_bits(value, 9);
}

kin_object *kin_object_from_int_bytes(const void *data, size_t size)
{
    return data == NULL && size != 0 ? NULL : kin__integer_from_bytes(NULL, data, size);
}

kin_object *kin_object_from_float(double value)
{
    struct object_float *object = kin__object_allocate(NULL, KIN_KIND_FLOAT, sizeof *object);
    if (object == NULL) {
        return NULL;
    }
    object->value = value;
    return &object->object;
}

kin_object *kin_object_from_complex(double real, double imaginary)
{
    struct object_complex *object = kin__object_allocate(NULL, KIN_KIND_COMPLEX, sizeof *object);
    if (object == NULL) {
        return NULL;
    }
    object->real = real;
    object->imaginary = imaginary;
    return &object->object;
}

/* 0 for an int or bool; -EINVAL for another object, -ENOMEM for none. */
static int check_integer(const kin_object *object)
{
    kin_kind kind = kin__kind(object);
    if (kind == KIN_KIND_NOTHING) {
        return -ENOMEM;
    }
    return kind == KIN_KIND_INT || kind == KIN_KIND_BOOL ? 0 : -EINVAL;
}

int kin_object_to_int(const kin_object *object, int64_t *ret_value)
{
    int r = ret_value == NULL ? -EINVAL : check_integer(object);
    if (r < 0) {
        return r;
    }
    struct integer_view view;
    kin__integer_view(object, &view);
    if (view.size > 8) {
        return -EOVERFLOW;
    }
    uint64_t bits = view.is_negative ? UINT64_MAX : 0;
    for (size_t i = view.size; i-- > 0;) {
        bits = (bits << 8) | view.bytes[i];
    }
    *ret_value = (int64_t)bits;
    return 0;
}

int kin_object_to_uint(const kin_object *object, uint64_t *ret_value)
{
    int r = ret_value == NULL ? -EINVAL : check_integer(object);
    if (r < 0) {
        return r;
    }
    struct integer_view view;
    kin__integer_view(object, &view);
    if (view.is_negative || view.size > 9 || (view.size == 9 && view.bytes[8] != 0)) {
        return -EOVERFLOW;
    }
    uint64_t bits = 0;
    for (size_t i = view.size < 8 ? view.size : 8; i-- > 0;) {
        bits = (bits << 8) | view.bytes[i];
    }
    *ret_value = bits;
    return 0;
}

int64_t kin_object_to_int_bytes(const kin_object *object, void *data, size_t size)
{
    int r = data == NULL && size != 0 ? -EINVAL : check_integer(object);
    if (r < 0) {
        return r;
    }
    struct integer_view view;
    kin__integer_view(object, &view);
    if (view.size <= size && view.size != 0) {
        memcpy(data, view.bytes, view.size);
    }
    return (int64_t)view.size;
}

int kin_object_to_float(const kin_object *object, double *ret_value)
{
    if (ret_value == NULL) {
        return -EINVAL;
    }
    if (kin__kind(object) == KIN_KIND_FLOAT) {
        *ret_value = ((const struct object_float *)object)->value;
        return 0;
    }
    int r = check_integer(object);
    return r < 0 ? r : kin__integer_to_double(object, ret_value);
}

int kin_object_to_complex(const kin_object *object, double *ret_real, double *ret_imaginary)
{
    if (ret_real == NULL || ret_imaginary == NULL) {
        return -EINVAL;
    }
    if (kin__kind(object) == KIN_KIND_COMPLEX) {
        *ret_real = ((const struct object_complex *)object)->real;
        *ret_imaginary = ((const struct object_complex *)object)->imaginary;
        return 0;
    }
    int r = kin_object_to_float(object, ret_real);
    if (r == 0) {
        *ret_imaginary = 0;
    }
    return r;
}
