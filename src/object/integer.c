#include "object/integer.h"

#include "base/allocate.h"

#include <math.h>
#include <string.h>

#define DIGITS_AT_ONCE 9
#define BILLION 1000000000u

/* A magnitude: limbs of 32 bits, the lowest first. Allocated. */
struct magnitude {
    uint32_t *limbs;
    size_t count; /* without zeros at the top */
};

/* How many bytes of two's complement are needed. */
static size_t minimal_size(const unsigned char *bytes, size_t size)
{
    while (size > 1) {
        unsigned char sign = bytes[size - 2] & 0x80;
        unsigned char top = bytes[size - 1];
        if (!(top == 0 && sign == 0) && !(top == 0xff && sign != 0)) {
            break;
        }
        size--;
    }
    return size == 1 && bytes[0] == 0 ? 0 : size;
}

static int64_t small_value(const unsigned char *bytes, size_t size)
{
    uint64_t value = size != 0 && (bytes[size - 1] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = size; i-- > 0;) {
        value = (value << 8) | bytes[i];
    }
    return (int64_t)value;
}

kin_object *kin__integer_from_bytes(struct kin__arena *arena, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    size = minimal_size(bytes, size);
    if (size <= 8) {
        int64_t value = small_value(bytes, size);
        if (kin__fits_small_int(value)) {
            return kin__small_int(value);
        }
    }
    struct object_integer *integer = kin__object_allocate(arena, KIN_KIND_INT,
                                                          sizeof *integer + size);
    if (integer == NULL) {
        return NULL;
    }
    integer->size = size;
    memcpy(integer->bytes, bytes, size);
    return &integer->object;
}

void kin__integer_view(const kin_object *integer, struct integer_view *ret_view)
{
    if (kin__is_in_memory(integer)) {
        const struct object_integer *large = (const struct object_integer *)integer;
        ret_view->bytes = large->bytes;
        ret_view->size = large->size;
    } else {
        int64_t value = kin__is_small_int(integer) ? kin__small_int_value(integer)
                                                   : integer == KIN__TRUE;
        for (int i = 0; i < 8; i++) {
            ret_view->small[i] = (unsigned char)((uint64_t)value >> (8 * i));
        }
        ret_view->bytes = ret_view->small;
        ret_view->size = minimal_size(ret_view->small, 8);
    }
    ret_view->is_negative = ret_view->size != 0 &&
                            (ret_view->bytes[ret_view->size - 1] & 0x80) != 0;
}

int kin__integer_compare(const kin_object *first, const kin_object *second)
{
    struct integer_view a;
    struct integer_view b;
    kin__integer_view(first, &a);
    kin__integer_view(second, &b);
    if (a.is_negative != b.is_negative) {
        return a.is_negative ? -1 : 1;
    }
    if (a.size != b.size) {
        return (a.size < b.size) == a.is_negative ? 1 : -1;
    }
    for (size_t i = a.size; i-- > 0;) {
        if (a.bytes[i] != b.bytes[i]) {
            return a.bytes[i] < b.bytes[i] ? -1 : 1;
        }
    }
    return 0;
}

/* The magnitude of two's complement bytes, with room for `spare` limbs more. */
static int find_magnitude(const struct integer_view *view, struct magnitude *ret_magnitude)
{
    size_t count = view->size / 4 + 1;
    uint32_t *limbs = kin__allocate_array(count, sizeof *limbs);
    if (limbs == NULL) {
        return -ENOMEM;
    }
    uint64_t carry = view->is_negative ? 1 : 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t limb = 0;
        for (size_t k = 0; k < 4; k++) {
            size_t at = i * 4 + k;
            uint32_t fill = view->is_negative ? 0xff : 0;
            limb |= (at < view->size ? view->bytes[at] : fill) << (8 * k);
        }
        uint64_t sum = (view->is_negative ? ~limb : limb) + carry;
        limbs[i] = (uint32_t)sum;
        carry = sum >> 32;
    }
    while (count > 0 && limbs[count - 1] == 0) {
        count--;
    }
    *ret_magnitude = (struct magnitude){.limbs = limbs, .count = count};
    return 0;
}

/* Divides by a billion. Returns the rest. */
static uint32_t cut_digits(struct magnitude *magnitude)
{
    uint64_t rest = 0;
    for (size_t i = magnitude->count; i-- > 0;) {
        uint64_t value = (rest << 32) | magnitude->limbs[i];
        magnitude->limbs[i] = (uint32_t)(value / BILLION);
        rest = value % BILLION;
    }
    while (magnitude->count > 0 && magnitude->limbs[magnitude->count - 1] == 0) {
        magnitude->count--;
    }
    return (uint32_t)rest;
}

char *kin__integer_to_decimal(const kin_object *integer)
{
    struct integer_view view;
    struct magnitude magnitude;
    kin__integer_view(integer, &view);
    if (find_magnitude(&view, &magnitude) < 0) {
        return NULL;
    }
    size_t room = magnitude.count * 10 + 12; /* a limb has less than 10 digits */
    char *text = kin__allocate(room);
    if (text == NULL) {
        kin__release(magnitude.limbs);
        return NULL;
    }
    char *at = text + room;
    *--at = '\0';
    do {
        uint32_t digits = cut_digits(&magnitude);
        for (int i = 0; i < DIGITS_AT_ONCE; i++) {
            *--at = (char)('0' + digits % 10);
            digits /= 10;
        }
    } while (magnitude.count > 0);
    while (*at == '0' && at[1] != '\0') {
        at++;
    }
    if (view.is_negative) {
        *--at = '-';
    }
    memmove(text, at, (size_t)(text + room - at));
    kin__release(magnitude.limbs);
    return text;
}

/* Multiplies by `factor` and adds. There is room for a limb more. */
static void append_digits(struct magnitude *magnitude, uint32_t factor, uint32_t digits)
{
    uint64_t carry = digits;
    for (size_t i = 0; i < magnitude->count; i++) {
        carry += (uint64_t)magnitude->limbs[i] * factor;
        magnitude->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0) {
        magnitude->limbs[magnitude->count++] = (uint32_t)carry;
    }
}

/* The int with a magnitude: its limbs become two's complement bytes in place; there is room for a
 * limb more. */
static kin_object *from_magnitude(struct kin__arena *arena, struct magnitude *magnitude,
                                  bool is_negative)
{
    magnitude->limbs[magnitude->count++] = 0;
    unsigned char *bytes = (unsigned char *)magnitude->limbs;
    uint64_t carry = is_negative ? 1 : 0;
    for (size_t i = 0; i < magnitude->count; i++) {
        uint32_t limb = magnitude->limbs[i];
        uint64_t sum = (uint64_t)(is_negative ? ~limb : limb) + carry;
        carry = sum >> 32;
        for (size_t k = 0; k < 4; k++) {
            bytes[i * 4 + k] = (unsigned char)(sum >> (8 * k));
        }
    }
    return kin__integer_from_bytes(arena, bytes, magnitude->count * 4);
}

int kin__integer_from_decimal(struct kin__arena *arena, const char *text, size_t size,
                              kin_object **ret_integer)
{
    bool is_negative = size != 0 && text[0] == '-';
    size_t at = is_negative || (size != 0 && text[0] == '+') ? 1 : 0;
    if (at == size) {
        return -EINVAL;
    }
    struct magnitude magnitude = {.count = 0};
    magnitude.limbs = kin__allocate_array(size / DIGITS_AT_ONCE + 3, sizeof *magnitude.limbs);
    if (magnitude.limbs == NULL) {
        return -ENOMEM;
    }
    while (at < size) {
        uint32_t digits = 0;
        uint32_t factor = 1;
        for (int i = 0; i < DIGITS_AT_ONCE && at < size; i++, at++) {
            if (text[at] < '0' || text[at] > '9') {
                kin__release(magnitude.limbs);
                return -EINVAL;
            }
            digits = digits * 10 + (uint32_t)(text[at] - '0');
            factor *= 10;
        }
        append_digits(&magnitude, factor, digits);
    }
    kin_object *integer = from_magnitude(arena, &magnitude, is_negative);
    kin__release(magnitude.limbs);
    if (integer == NULL) {
        return -ENOMEM;
    }
    *ret_integer = integer;
    return 0;
}

int kin__integer_to_double(const kin_object *integer, double *ret_value)
{
    if (!kin__is_in_memory(integer)) {
        *ret_value = kin__is_small_int(integer) ? (double)kin__small_int_value(integer)
                                                : (double)(integer == KIN__TRUE);
        return 0;
    }
    struct integer_view view;
    kin__integer_view(integer, &view);
    if (view.size > 129) { /* beyond 2^1024 */
        return -EOVERFLOW;
    }
    /* The topmost 64 bits of the magnitude; that lower ones are not 0 shows in the last of them,
     * which is far below what a double keeps. */
    unsigned char bytes[136] = {0};
    unsigned carry = view.is_negative ? 1 : 0;
    size_t top = 0;
    for (size_t i = 0; i < view.size; i++) {
        carry += view.is_negative ? (unsigned char)~view.bytes[i] : view.bytes[i];
        bytes[i] = (unsigned char)carry;
        carry >>= 8;
        top = bytes[i] != 0 ? i : top;
    }
    if (carry != 0) { /* -256 to a power */
        top = view.size;
        bytes[top] = 1;
    }
    size_t low = top >= 8 ? top - 7 : 0;
    uint64_t bits = 0;
    for (size_t i = top + 1; i-- > low;) {
        bits = (bits << 8) | bytes[i];
    }
    for (size_t i = 0; i < low; i++) {
        bits |= bytes[i] != 0;
    }
    double value = ldexp((double)bits, (int)(low * 8));
    if (isinf(value)) {
        return -EOVERFLOW;
    }
    *ret_value = view.is_negative ? -value : value;
    return 0;
}
