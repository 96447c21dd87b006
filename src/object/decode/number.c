/* Numbers that are not as short as those the loop knows. */
#include "object/decode/decode.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "object/integer.h"
#include "object/text.h"

/* An int of two's complement bytes, the lowest first, in the input. */
static int put_integer(struct decoder *decoder, uint64_t size)
{
    if (size > decoder->integer_bits_max / 8 + 1) {
        return kin__decode_fail(decoder, KIN_ELIMIT, "an int of more bits than the limit");
    }
    const unsigned char *at = kin__decode_take(decoder, size);
    if (at == NULL) {
        return -EBADMSG;
    }
    int r = kin__decode_charge_object(decoder,
                                      size <= 7 ? 0 : sizeof(struct object_integer) + size);
    if (r < 0) {
        return r;
    }
    unsigned char few[256];
    kin_object *bytes = NULL;
    const unsigned char *copy = few;
    if (size <= sizeof few) {
        memcpy(few, at, size);
    } else { /* looked at more than once, while somebody may change it */
        r = kin__decode_charge(decoder, size);
        bytes = r < 0 ? NULL : kin__bytes_create(NULL, KIN_KIND_BYTES, at, size);
        if (bytes == NULL) {
            return r < 0 ? r : kin__decode_fail_with(decoder, -ENOMEM, NULL);
        }
        copy = ((const struct object_bytes *)bytes)->data;
    }
    kin_object *integer = kin__integer_from_bytes(&decoder->arena, copy, size);
    kin_object_free(bytes);
    return integer == NULL ? kin__decode_fail_with(decoder, -ENOMEM, NULL)
                           : kin__decode_push(decoder, integer);
}

int kin__decode_long1(struct decoder *decoder)
{
    const unsigned char *at = kin__decode_take(decoder, 1);
    return at == NULL ? -EBADMSG : put_integer(decoder, kin__decode_u8(at));
}

int kin__decode_long4(struct decoder *decoder)
{
    const unsigned char *at = kin__decode_take(decoder, 4);
    if (at == NULL) {
        return -EBADMSG;
    }
    uint32_t size = kin__decode_u32(at);
    if (size > INT32_MAX) {
        return kin__decode_fail(decoder, -EBADMSG, "the size of an int is negative");
    }
    return put_integer(decoder, size);
}

/* The int of `size` digits in decoder->line. The effort grows with the square of the size, and the
 * limit of bits bounds it. */
static int put_decimal(struct decoder *decoder, size_t size)
{
    const char *digits = decoder->line + (decoder->line[0] == '-' || decoder->line[0] == '+');
    if (digits[0] == '0' && digits + 1 < decoder->line + size) { /* to some Pythons it is octal */
        return kin__decode_fail(decoder, -EBADMSG, "not an int");
    }
    if (size > 20 && size / 3 > (uint64_t)decoder->integer_bits_max / 10 + 1) { /* 3.3 bits each */
        return kin__decode_fail(decoder, KIN_ELIMIT, "an int of more bits than the limit");
    }
    int r = kin__decode_charge_object(decoder,
                                      size < 18 ? 0 : sizeof(struct object_integer) + size);
    kin_object *integer = NULL;
    if (r == 0 && size > DECODE_FUEL) {
        r = kin__decode_check_time(decoder);
    }
    if (r < 0) {
        return r;
    }
    r = kin__integer_from_decimal(&decoder->arena, decoder->line, size, &integer);
    return r < 0 ? kin__decode_fail_with(decoder, r == -EINVAL ? -EBADMSG : r, "not an int")
                 : kin__decode_push(decoder, integer);
}

int kin__decode_int(struct decoder *decoder)
{
    size_t size;
    int r = kin__decode_take_line(decoder, &size);
    if (r < 0) {
        return r;
    }
    const char *line = decoder->line;
    bool is_bool = size == 2 && (line[1] == '0' || (line[1] == '1' && line[0] != '-')) &&
                   (line[0] == '0' || line[0] == '+' || line[0] == '-'); /* as CPython has it */
    if (is_bool) {
        r = kin__decode_charge_object(decoder, 0);
        return r < 0 ? r : kin__decode_push(decoder, line[1] == '1' ? KIN__TRUE : KIN__FALSE);
    }
    return put_decimal(decoder, size);
}

int kin__decode_long(struct decoder *decoder)
{
    size_t size;
    int r = kin__decode_take_line(decoder, &size);
    if (r < 0) {
        return r;
    }
    return put_decimal(decoder, size > 0 && decoder->line[size - 1] == 'L' ? size - 1 : size);
}

static int put_float(struct decoder *decoder, double value)
{
    int r = kin__decode_charge_object(decoder, sizeof(struct object_float));
    if (r < 0) {
        return r;
    }
    struct object_float *object = kin__object_allocate(&decoder->arena, KIN_KIND_FLOAT,
                                                       sizeof *object);
    if (object == NULL) {
        return kin__decode_fail_with(decoder, -ENOMEM, NULL);
    }
    object->value = value;
    return kin__decode_push(decoder, &object->object);
}

int kin__decode_binfloat(struct decoder *decoder)
{
    const unsigned char *at = kin__decode_take(decoder, 8);
    if (at == NULL) {
        return -EBADMSG;
    }
    uint64_t bits = __builtin_bswap64(kin__decode_u64(at)); /* the highest byte first */
    double value;
    memcpy(&value, &bits, sizeof value);
    return put_float(decoder, value);
}

/* Whether it is what Python takes for a float. */
static bool is_float(const char *text, size_t size)
{
    static const char *const words[] = {"inf", "infinity", "nan", "INF", "Infinity", "NAN", "NaN"};
    size_t sign = size != 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text + sign, words[i]) == 0) {
            return true;
        }
    }
    bool has_digit = false;
    for (size_t i = 0; i < size; i++) {
        has_digit = has_digit || (text[i] >= '0' && text[i] <= '9');
        if (strchr("0123456789+-.eE", text[i]) == NULL || text[i] == '\0') {
            return false;
        }
    }
    return has_digit;
}

/* strtod of a locale in which another byte divides a number from its fraction. */
static double parse_float(char *text, char **ret_end)
{
    char *dot = strchr(text, '.');
    const char *here = localeconv()->decimal_point;
    if (dot != NULL && here[0] != '.' && here[0] != '\0' && here[1] == '\0') {
        *dot = here[0];
    }
    return strtod(text, ret_end);
}

int kin__decode_float(struct decoder *decoder)
{
    size_t size;
    int r = kin__decode_take_line(decoder, &size);
    if (r < 0) {
        return r;
    }
    char *end = decoder->line;
    if (size > DECODE_NAME_BYTES_MAX) {
        return kin__decode_fail(decoder, KIN_ELIMIT, "a float of more digits than the limit");
    }
    bool is_word = memchr(decoder->line, 'n', size) != NULL ||
                   memchr(decoder->line, 'N', size) != NULL; /* inf and nan */
    double value = is_float(decoder->line, size) ? parse_float(decoder->line, &end) : 0;
    if (size == 0 || end != decoder->line + size) {
        return kin__decode_fail(decoder, -EBADMSG, "not a float");
    }
    if (isinf(value) && !is_word) {
        return kin__decode_fail(decoder, -EBADMSG, "a float larger than any");
    }
    return put_float(decoder, value);
}
