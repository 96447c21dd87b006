#include "shared/item.h"

#include "base/assert.h"

#include <errno.h>
#include <float.h>
#include <kin/value.h>
#include <string.h>
#include <wchar.h>

#define SIGNED_OR_NOT(type) ((type)-1 < (type)0 ? KIN__ITEM_SIGNED : KIN__ITEM_UNSIGNED)

static const struct kin__item_type types[] = {
    {KIN_ITEM_CHAR, KIN__ITEM_UNSIGNED, sizeof(char)},
    {KIN_ITEM_WCHAR, SIGNED_OR_NOT(wchar_t), sizeof(wchar_t)},
    {KIN_ITEM_INT8, KIN__ITEM_SIGNED, sizeof(signed char)},
    {KIN_ITEM_UINT8, KIN__ITEM_UNSIGNED, sizeof(unsigned char)},
    {KIN_ITEM_SHORT, KIN__ITEM_SIGNED, sizeof(short)},
    {KIN_ITEM_USHORT, KIN__ITEM_UNSIGNED, sizeof(unsigned short)},
    {KIN_ITEM_INT, KIN__ITEM_SIGNED, sizeof(int)},
    {KIN_ITEM_UINT, KIN__ITEM_UNSIGNED, sizeof(unsigned int)},
    {KIN_ITEM_LONG, KIN__ITEM_SIGNED, sizeof(long)},
    {KIN_ITEM_ULONG, KIN__ITEM_UNSIGNED, sizeof(unsigned long)},
    {KIN_ITEM_INT64, KIN__ITEM_SIGNED, sizeof(int64_t)},
    {KIN_ITEM_UINT64, KIN__ITEM_UNSIGNED, sizeof(uint64_t)},
    {KIN_ITEM_FLOAT, KIN__ITEM_FLOAT, sizeof(float)},
    {KIN_ITEM_DOUBLE, KIN__ITEM_FLOAT, sizeof(double)},
    {KIN_ITEM_HANDLE, KIN__ITEM_HANDLE, sizeof(kin_handle)},
};

const struct kin__item_type *kin__item_type_of(uint32_t code)
{
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++) {
        if ((uint32_t)types[i].code == code) {
            return &types[i];
        }
    }
    return NULL;
}

/* --- numbers as bits --- */

static uint64_t bits_of_float(const struct kin__item_type *type, double number)
{
    uint64_t bits = 0;
    if (type->bytes == sizeof(float)) {
        float narrow = (float)number;
        uint32_t narrow_bits = 0;
        memcpy(&narrow_bits, &narrow, sizeof narrow);
        bits = narrow_bits;
    } else {
        memcpy(&bits, &number, sizeof number);
    }
    return bits;
}

static double float_of_bits(const struct kin__item_type *type, uint64_t bits)
{
    double number = 0;
    if (type->bytes == sizeof(float)) {
        uint32_t narrow_bits = (uint32_t)bits;
        float narrow = 0;
        memcpy(&narrow, &narrow_bits, sizeof narrow);
        number = narrow;
    } else {
        memcpy(&number, &bits, sizeof number);
    }
    return number;
}

int kin__item_from_int(const struct kin__item_type *type, int64_t number, uint64_t *ret_bits)
{
    if (type->class == KIN__ITEM_HANDLE) {
        return -EINVAL;
    }
    if (type->class == KIN__ITEM_FLOAT) {
        *ret_bits = bits_of_float(type, (double)number);
        return 0;
    }
    uint64_t bits = kin__item_wrap(type, number);
    if (kin__item_unwrap(type, bits) != number ||
        (type->class == KIN__ITEM_UNSIGNED && number < 0)) {
        return -ERANGE;
    }
    *ret_bits = bits;
    return 0;
}

int kin__item_from_uint(const struct kin__item_type *type, uint64_t number, uint64_t *ret_bits)
{
    if (number <= INT64_MAX || type->class == KIN__ITEM_HANDLE) {
        return kin__item_from_int(type, (int64_t)number, ret_bits);
    }
    if (type->class == KIN__ITEM_FLOAT) {
        *ret_bits = bits_of_float(type, (double)number);
        return 0;
    }
    *ret_bits = number;
    return type->class == KIN__ITEM_UNSIGNED && type->bytes == 8 ? 0 : -ERANGE;
}

int kin__item_from_float(const struct kin__item_type *type, double number, uint64_t *ret_bits)
{
    if (type->class != KIN__ITEM_FLOAT) {
        return -EINVAL;
    }
    double size = number < 0 ? -number : number;
    if (type->bytes == sizeof(float) && size > FLT_MAX && size <= DBL_MAX) { /* but infinity may */
        return -ERANGE;
    }
    *ret_bits = bits_of_float(type, number);
    return 0;
}

int kin__item_to_int(const struct kin__item_type *type, uint64_t bits, int64_t *ret_number)
{
    if (!kin__item_is_integer(type)) {
        return -EINVAL;
    }
    if (type->class == KIN__ITEM_UNSIGNED && bits > INT64_MAX) {
        return -ERANGE;
    }
    *ret_number = kin__item_unwrap(type, bits);
    return 0;
}

int kin__item_to_uint(const struct kin__item_type *type, uint64_t bits, uint64_t *ret_number)
{
    if (!kin__item_is_integer(type)) {
        return -EINVAL;
    }
    if (type->class == KIN__ITEM_SIGNED && kin__item_unwrap(type, bits) < 0) {
        return -ERANGE;
    }
    *ret_number = bits;
    return 0;
}

int kin__item_to_float(const struct kin__item_type *type, uint64_t bits, double *ret_number)
{
    if (type->class == KIN__ITEM_HANDLE) {
        return -EINVAL;
    }
    if (type->class == KIN__ITEM_FLOAT) {
        *ret_number = float_of_bits(type, bits);
    } else if (type->class == KIN__ITEM_SIGNED) {
        *ret_number = (double)kin__item_unwrap(type, bits);
    } else {
        *ret_number = (double)bits;
    }
    return 0;
}

/* --- the memory --- */

double kin__item_add_float(const struct kin__item_type *type, void *place, double number)
{
    uint64_t bits = kin__item_load(type, place);
    while (!kin__item_compare_exchange(type, place, &bits,
                                       bits_of_float(type, float_of_bits(type, bits) + number))) {
    }
    return float_of_bits(type, bits);
}
