#include "object/equality/number.h"

#include <math.h>
#include <string.h>

#include "object/integer.h"

enum {
    BYTES_MAX = 136, /* two's complement of any double without its fraction takes 129 */
    FRACTION_BITS = 52,
    EXPONENT_BIAS = 1075 /* of a double that is seen as 53 bits times a power of two */
};

/* The part of a finite double before the point, of 2^63 or more, as two's complement. */
static void spell(double value, unsigned char bytes[static BYTES_MAX])
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    unsigned shift = (unsigned)((bits >> FRACTION_BITS) & 0x7ff) - EXPONENT_BIAS;
    uint64_t digits = (bits & ((UINT64_C(1) << FRACTION_BITS) - 1)) | UINT64_C(1) << FRACTION_BITS;
    memset(bytes, 0, BYTES_MAX);
    for (unsigned i = 0; i < 8; i++) {
        unsigned part = (unsigned)((digits >> (8 * i)) & 0xff) << (shift % 8);
        bytes[shift / 8 + i] |= (unsigned char)part;
        bytes[shift / 8 + i + 1] |= (unsigned char)(part >> 8);
    }
    unsigned carry = 1;
    for (unsigned i = 0; value < 0 && i < BYTES_MAX; i++) {
        carry += (unsigned char)~bytes[i];
        bytes[i] = (unsigned char)carry;
        carry >>= 8;
    }
}

/* An int against a double of 2^63 or more. */
static int compare_large(const kin_object *integer, double value)
{
    struct integer_view view;
    unsigned char bytes[BYTES_MAX];
    kin__integer_view(integer, &view);
    if (view.is_negative != (value < 0) || isinf(value)) {
        return value < 0 ? 1 : -1;
    }
    if (view.size > BYTES_MAX) {
        return value < 0 ? -1 : 1;
    }
    spell(value, bytes);
    for (size_t i = BYTES_MAX; i-- > 0;) {
        unsigned char fill = view.is_negative ? 0xff : 0;
        unsigned char byte = i < view.size ? view.bytes[i] : fill;
        if (byte != bytes[i]) {
            return byte < bytes[i] ? -1 : 1;
        }
    }
    return 0;
}

/* An int against a double that is no NaN. */
static int compare_mixed(const kin_object *integer, double value)
{
    int64_t number;
    if (!(value >= -0x1p63 && value < 0x1p63)) {
        return compare_large(integer, value);
    }
    if (kin_object_to_int(integer, &number) < 0) { /* larger than any such double */
        struct integer_view view;
        kin__integer_view(integer, &view);
        return view.is_negative ? -1 : 1;
    }
    int64_t whole = (int64_t)value;
    double fraction = value - (double)whole; /* exact */
    if (number != whole) {
        return number < whole ? -1 : 1;
    }
    return fraction == 0 ? 0 : fraction < 0 ? 1 : -1;
}

static double real_of(const kin_object *number)
{
    return number->kind == KIN_KIND_FLOAT ? ((const struct object_float *)number)->value
                                          : ((const struct object_complex *)number)->real;
}

static double imaginary_of(const kin_object *number)
{
    return kin__kind(number) == KIN_KIND_COMPLEX
               ? ((const struct object_complex *)number)->imaginary
               : 0;
}

static bool is_integer(const kin_object *number)
{
    kin_kind kind = kin__kind(number);
    return kind == KIN_KIND_INT || kind == KIN_KIND_BOOL;
}

/* The real parts. false: one is a NaN. */
static bool compare_real(const kin_object *first, const kin_object *second, int *ret_order)
{
    if (is_integer(first) && is_integer(second)) {
        *ret_order = kin__integer_compare(first, second);
        return true;
    }
    double a = is_integer(first) ? 0 : real_of(first);
    double b = is_integer(second) ? 0 : real_of(second);
    if (isnan(a) || isnan(b)) {
        return false;
    }
    if (is_integer(first)) {
        *ret_order = compare_mixed(first, b);
    } else if (is_integer(second)) {
        *ret_order = -compare_mixed(second, a);
    } else {
        *ret_order = (a > b) - (a < b);
    }
    return true;
}

bool kin__number_equal(const kin_object *first, const kin_object *second)
{
    int order;
    return compare_real(first, second, &order) && order == 0 &&
           imaginary_of(first) == imaginary_of(second);
}

int kin__number_compare(const kin_object *first, const kin_object *second, int *ret_order)
{
    if (kin__kind(first) == KIN_KIND_COMPLEX || kin__kind(second) == KIN_KIND_COMPLEX) {
        return -EINVAL;
    }
    return compare_real(first, second, ret_order) ? 0 : -EINVAL;
}
