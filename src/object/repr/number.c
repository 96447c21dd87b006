#include "object/repr/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/allocate.h"
#include "object/integer.h"

enum {
    DIGITS_MAX = 17,          /* tell any two doubles apart */
    DIGITS_SAFE = 15,         /* a text of so many is spelled alike after it was a double */
    POINT_MIN = -4,           /* what the first digit stands for, as a power of ten, is above .. */
    POINT_MAX = 16,           /* .. and below, where no exponent is written */
    DECIMAL_BYTES_MAX = 1786, /* of an int: Python writes no more than 4300 digits */
    INT_TEXT_BYTES = 24
};

/* Whether a text leads back to a double. Below a power of two doubles are twice as dense as above,
 * and what is nearest to it may be too far away below while the next above is not. */
static bool leads_back(char *text, int precision, double value)
{
    if (strtod(text, NULL) == value) {
        return true;
    }
    char *at = text + strlen(text);
    while (*at != 'e') {
        at--;
    }
    char *last = at - 1;
    if (precision < DIGITS_MAX - 1 || *last == '9') {
        return false;
    }
    (*last)++;
    return strtod(text, NULL) == value;
}

/* The digits of a finite number that is not negative: digits[0].digits[1]digits[2]... times ten
 * to the power of *ret_exponent. */
static void find_digits(double value, char digits[static DIGITS_MAX + 1], int *ret_exponent)
{
    char text[KIN__FLOAT_TEXT_BYTES];
    /* A double below DBL_MIN has less digits than others, perhaps a single one. */
    int precision = value < 0x1p-1022 ? 1 : DIGITS_SAFE;
    for (;; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, value);
        if (precision == DIGITS_MAX || leads_back(text, precision, value)) {
            break;
        }
    }
    int count = 0;
    const char *at = text;
    for (; *at != 'e'; at++) { /* what is no digit is the point, of whatever locale */
        if (*at >= '0' && *at <= '9') {
            digits[count++] = *at;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    digits[count] = '\0';
    *ret_exponent = (int)strtol(at + 1, NULL, 10);
}

/* The digits with the point behind the first `whole` of them. */
static void place_point(char *text, const char *digits, int whole, bool is_part)
{
    int count = (int)strlen(digits);
    if (whole <= 0) {
        *text++ = '0';
        *text++ = '.';
        for (int i = whole; i < 0; i++) {
            *text++ = '0';
        }
        memcpy(text, digits, (size_t)count + 1);
        return;
    }
    for (int i = 0; i < whole; i++) {
        *text++ = i < count ? digits[i] : '0';
    }
    if (count > whole) {
        *text++ = '.';
        memcpy(text, digits + whole, (size_t)(count - whole) + 1);
    } else {
        memcpy(text, is_part ? "" : ".0", is_part ? 1 : 3);
    }
}

void kin__float_to_text(double value, bool is_part, char ret_text[static KIN__FLOAT_TEXT_BYTES])
{
    char digits[DIGITS_MAX + 1];
    int exponent;
    if (isnan(value)) {
        memcpy(ret_text, "nan", 4);
        return;
    }
    if (signbit(value)) {
        *ret_text++ = '-';
        value = -value;
    }
    if (isinf(value)) {
        memcpy(ret_text, "inf", 4);
        return;
    }
    find_digits(value, digits, &exponent);
    if (exponent >= POINT_MIN && exponent < POINT_MAX) {
        place_point(ret_text, digits, exponent + 1, is_part);
    } else {
        snprintf(ret_text, KIN__FLOAT_TEXT_BYTES - 1, "%c%s%se%+03d", digits[0],
                 digits[1] == '\0' ? "" : ".", digits + 1, exponent);
    }
}

static void write_complex(struct kin__writer *writer, double real, double imaginary)
{
    char text[KIN__FLOAT_TEXT_BYTES];
    bool is_imaginary = real == 0 && !signbit(real);
    if (!is_imaginary) {
        kin__float_to_text(real, true, text);
        kin__write_text(writer, "(");
        kin__write_text(writer, text);
    }
    kin__float_to_text(imaginary, true, text);
    kin__write_text(writer, is_imaginary || text[0] == '-' ? "" : "+");
    kin__write_text(writer, text);
    kin__write_text(writer, is_imaginary ? "j" : "j)");
}

/* 0x and the digits, for ints of which the decimal ones would take too long to find. */
static void write_hexadecimal(struct kin__writer *writer, const struct integer_view *view)
{
    size_t low = 0; /* the first byte that is not 0 takes the carry of the negation */
    while (view->is_negative && view->bytes[low] == 0) {
        low++;
    }
    bool is_leading = true;
    kin__write_text(writer, view->is_negative ? "-0x" : "0x");
    for (size_t i = view->size; i-- > 0;) {
        unsigned byte = view->bytes[i];
        if (view->is_negative && i >= low) {
            byte = (i > low ? ~byte : 0 - byte) & 0xff;
        }
        for (int shift = 4; shift >= 0; shift -= 4) {
            unsigned digit = (byte >> shift) & 0xf;
            is_leading = is_leading && digit == 0;
            if (!is_leading) {
                kin__write(writer, &"0123456789abcdef"[digit], 1);
            }
        }
    }
}

static int write_integer(struct kin__writer *writer, const kin_object *integer)
{
    char text[INT_TEXT_BYTES];
    if (kin__is_small_int(integer)) {
        snprintf(text, sizeof text, "%" PRId64, kin__small_int_value(integer));
        kin__write_text(writer, text);
        return 0;
    }
    struct integer_view view;
    kin__integer_view(integer, &view);
    if (view.size > DECIMAL_BYTES_MAX) {
        write_hexadecimal(writer, &view);
        return 0;
    }
    char *decimal = kin__integer_to_decimal(integer);
    if (decimal == NULL) {
        return -ENOMEM;
    }
    kin__write_text(writer, decimal);
    kin__release(decimal);
    return 0;
}

int kin__write_number(struct kin__writer *writer, const kin_object *number)
{
    char text[KIN__FLOAT_TEXT_BYTES];
    switch (kin__kind(number)) {
    case KIN_KIND_BOOL:
        kin__write_text(writer, number == KIN__TRUE ? "True" : "False");
        return 0;
    case KIN_KIND_FLOAT:
        kin__float_to_text(((const struct object_float *)number)->value, false, text);
        kin__write_text(writer, text);
        return 0;
    case KIN_KIND_COMPLEX:
        write_complex(writer, ((const struct object_complex *)number)->real,
                      ((const struct object_complex *)number)->imaginary);
        return 0;
    default:
        return write_integer(writer, number);
    }
}
