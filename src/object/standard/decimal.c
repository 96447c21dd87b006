/*
 * decimal.Decimal, which Python pickles as its text. The text is checked and kept; two are equal if
 * they say the same number, as 1.5 and 15E-1 do, for which they are brought into one form: digits
 * without zeros at either end, and an exponent.
 */
#include "object/standard/standard.h"

#include <kin/list.h>
#include <string.h>

static int construct(kin_object *decimal);
static int equal(const kin_object *first, const kin_object *second);
static int hash(const kin_object *decimal, uint64_t *ret_hash);
static kin_object *describe(const kin_object *decimal);

static const kin_class classes[] = {{.module = "decimal",
                                     .name = "Decimal",
                                     .construct = construct,
                                     .equal = equal,
                                     .hash = hash,
                                     .describe = describe}};

const struct kin__module kin__module_decimal = {"decimal", KIN__CLASSES(classes)};

/* The parts of a text. */
struct number {
    bool is_negative;
    bool is_special;    /* neither digits nor exponent: */
    const char *word;   /* "inf", "nan" or "snan" */
    const char *digits; /* with underscores and at most one point; of a NaN without */
    size_t size;
    int64_t exponent; /* of the last digit's place; without what the point says */
};

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

static bool is_space(char letter)
{
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

static char lower(char letter)
{
    return (char)(letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter);
}

/* Whether the text goes on with a word, in small letters or large ones. */
static bool take_word(const char **at, const char *end, const char *word)
{
    const char *from = *at;
    for (; *word != '\0'; word++, from++) {
        if (from == end || lower(*from) != *word) {
            return false;
        }
    }
    *at = from;
    return true;
}

/* "Infinity", "Inf", or "NaN" or "sNaN" with digits or without. */
static bool read_special(const char *at, const char *end, struct number *number)
{
    number->is_special = true;
    if (take_word(&at, end, "inf")) {
        number->word = "inf";
        take_word(&at, end, "inity");
        return at == end;
    }
    bool is_signaling = take_word(&at, end, "s");
    number->word = is_signaling ? "snan" : "nan";
    if (!take_word(&at, end, "nan")) {
        return false;
    }
    number->digits = at;
    while (at < end && (is_digit(*at) || *at == '_')) {
        at++;
    }
    number->size = (size_t)(at - number->digits);
    return at == end;
}

static bool read_exponent(const char *at, const char *end, struct number *number)
{
    bool is_negative = at < end && *at == '-';
    bool has_digits = false;
    at += at < end && (*at == '-' || *at == '+') ? 1 : 0;
    for (; at < end; at++) {
        if (*at != '_') {
            if (!is_digit(*at) || number->exponent > INT64_MAX / 100) {
                return false;
            }
            number->exponent = number->exponent * 10 + (*at - '0');
            has_digits = true;
        }
    }
    number->exponent = is_negative ? -number->exponent : number->exponent;
    return has_digits;
}

static bool read_digits(const char *at, const char *end, struct number *number)
{
    bool has_point = false;
    bool has_digits = false;
    number->digits = at;
    for (; at < end && (is_digit(*at) || *at == '_' || *at == '.'); at++) {
        if (*at == '.' && has_point) {
            return false;
        }
        has_point = has_point || *at == '.';
        has_digits = has_digits || is_digit(*at);
    }
    number->size = (size_t)(at - number->digits);
    if (!has_digits) {
        return false;
    }
    return at == end || (lower(*at) == 'e' && read_exponent(at + 1, end, number));
}

static bool read(kin_bytes text, struct number *ret_number)
{
    struct number number = {.is_negative = false};
    const char *at = text.data;
    const char *end = at + text.size;
    while (at < end && is_space(*at)) {
        at++;
    }
    while (at < end && is_space(end[-1])) {
        end--;
    }
    number.is_negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+') ? 1 : 0;
    bool starts_number = at < end && (is_digit(*at) || *at == '.' || *at == '_');
    if (starts_number ? !read_digits(at, end, &number) : !read_special(at, end, &number)) {
        return false;
    }
    *ret_number = number;
    return true;
}

static int construct(kin_object *decimal)
{
    const kin_object *value = kin__argument(decimal, 0);
    struct number number;
    kin_kind kind = kin__kind(value);
    if (kind != KIN_KIND_STR) { /* Decimal(), of an int, a float, a tuple: Python writes none */
        return kind == KIN_KIND_INT || kind == KIN_KIND_FLOAT || kind == KIN_KIND_TUPLE ||
                       value == NULL
                   ? KIN__STAYS_OPAQUE
                   : -EBADMSG;
    }
    if (((const struct object_text *)value)->object.flags & KIN__ASCII) {
        return kin__argument_count(decimal) == 1 && read(kin_object_bytes(value), &number)
                   ? 0
                   : -EBADMSG;
    }
    return KIN__STAYS_OPAQUE; /* digits of other scripts */
}

/* Steps through the digits from the first that is not 0. */
struct digits {
    const char *at;
    const char *end;
    int64_t exponent; /* of the number 0.digits */
};

static void begin(const struct number *number, struct digits *digits)
{
    const char *at = number->digits;
    const char *end = at + number->size;
    const char *point = memchr(at, '.', number->size);
    int64_t before = 0; /* digits before the point */
    for (const char *place = at; place < (point == NULL ? end : point); place++) {
        before += is_digit(*place) ? 1 : 0;
    }
    int64_t zeros = 0;
    while (at < end && !(is_digit(*at) && *at != '0')) {
        zeros += is_digit(*at) ? 1 : 0;
        at++;
    }
    while (end > at && !(is_digit(end[-1]) && end[-1] != '0')) {
        end--;
    }
    *digits = (struct digits){at, end, at == end ? 0 : number->exponent + before - zeros};
}

/* The next digit; '\0': no more. */
static char next_digit(struct digits *digits)
{
    while (digits->at < digits->end && !is_digit(*digits->at)) {
        digits->at++;
    }
    return digits->at < digits->end ? *digits->at++ : '\0';
}

static int equal(const kin_object *first, const kin_object *second)
{
    struct number one = {.is_negative = false};
    struct number other = {.is_negative = false};
    read(kin_object_bytes(kin__argument(first, 0)), &one);
    read(kin_object_bytes(kin__argument(second, 0)), &other);
    if (one.is_special || other.is_special) {
        return one.is_special && other.is_special && one.word == other.word &&
               strcmp(one.word, "inf") == 0 && one.is_negative == other.is_negative;
    }
    struct digits left;
    struct digits right;
    begin(&one, &left);
    begin(&other, &right);
    bool is_zero = left.at == left.end;
    if (left.exponent != right.exponent || is_zero != (right.at == right.end) ||
        (!is_zero && one.is_negative != other.is_negative)) {
        return 0;
    }
    char digit;
    do {
        digit = next_digit(&left);
        if (digit != next_digit(&right)) {
            return 0;
        }
    } while (digit != '\0');
    return 1;
}

static int hash(const kin_object *decimal, uint64_t *ret_hash)
{
    struct number number = {.is_negative = false};
    struct digits digits = {.exponent = INT64_MAX};
    uint64_t sum = 0;
    read(kin_object_bytes(kin__argument(decimal, 0)), &number);
    if (!number.is_special) {
        begin(&number, &digits);
        for (char digit; (digit = next_digit(&digits)) != '\0';) {
            sum = sum * UINT64_C(0x9e3779b97f4a7c15) + (unsigned char)digit;
        }
    }
    kin_object *key = KIN_TUPLE(kin_object_from_uint(sum), kin_object_from_int(digits.exponent));
    int r = kin_object_hash(key, ret_hash);
    kin_object_free(key);
    return r;
}

static kin_object *describe(const kin_object *decimal)
{
    kin_object *text = kin__argument(decimal, 0);
    return kin__describe_call("Decimal", &text, 1);
}

int kin_object_from_decimal(const char *text, kin_object **ret_object)
{
    struct number number;
    if (text == NULL || ret_object == NULL || !read((kin_bytes){text, strlen(text)}, &number)) {
        return -EINVAL;
    }
    return kin__standard_make(&classes[0], MADE_BY_CALL, KIN_TUPLE(kin_object_from_text(text)),
                              ret_object);
}

const char *kin_decimal_text(const kin_object *decimal)
{
    return kin__is_of(decimal, &classes[0]) ? kin_object_text(kin__argument(decimal, 0)) : NULL;
}
