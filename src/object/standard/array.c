/*
 * array.array: numbers of a machine. From protocol 3 on Python writes
 *
 *     array._array_reconstructor(array.array, typecode, format, bytes)
 *
 * where the format says how the numbers were laid out where they come from; before, it writes
 * array.array(typecode, [number, ...]), which is brought into the first form.
 */
#include "object/standard/standard.h"

#include <kin/list.h>
#include <string.h>
#include <wchar.h>

#include "base/allocate.h"
#include "base/arithmetic.h"

static int construct(kin_object *array);
static int reconstruct(kin_object *array);
static kin_object *describe(const kin_object *array);

static const kin_class classes[] = {
    {.module = "array", .name = "_array_reconstructor", .construct = reconstruct},
    {.module = "array", .name = "array", .construct = construct, .describe = describe},
};

const struct kin__module kin__module_array = {"array", KIN__CLASSES(classes)};
const kin_class *const kin__class_array = &classes[1];

/* Python's numbers for formats; where there are two, they are of the order of bytes: low first,
 * high first. */
enum format {
    FORMAT_U8 = 0,
    FORMAT_S8 = 1,
    FORMAT_U16 = 2,
    FORMAT_S16 = 4,
    FORMAT_U32 = 6,
    FORMAT_S32 = 8,
    FORMAT_U64 = 10,
    FORMAT_S64 = 12,
    FORMAT_FLOAT = 14,
    FORMAT_DOUBLE = 16,
    FORMAT_UTF16 = 18,
    FORMAT_UTF32 = 20,
    FORMAT_COUNT = 22
};

static const unsigned char bytes_of_format[FORMAT_COUNT] = {1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 8,
                                                            8, 8, 8, 4, 4, 8, 8, 2, 2, 4, 4};

#define SIGNED(type) (sizeof(type) == 4 ? FORMAT_S32 : FORMAT_S64)
#define UNSIGNED(type) (sizeof(type) == 4 ? FORMAT_U32 : FORMAT_U64)

/* How numbers of a typecode are laid out here; FORMAT_COUNT: there is no such typecode. */
static unsigned format_here(char typecode)
{
    unsigned high_first = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 1 : 0;
    switch (typecode) {
    case 'b':
        return FORMAT_S8;
    case 'B':
        return FORMAT_U8;
    case 'u':
        return (sizeof(wchar_t) == 2 ? FORMAT_UTF16 : FORMAT_UTF32) + high_first;
    case 'w':
        return FORMAT_UTF32 + high_first;
    case 'h':
        return FORMAT_S16 + high_first;
    case 'H':
        return FORMAT_U16 + high_first;
    case 'i':
        return FORMAT_S32 + high_first;
    case 'I':
        return FORMAT_U32 + high_first;
    case 'l':
        return (unsigned)SIGNED(long) + high_first;
    case 'L':
        return (unsigned)UNSIGNED(long) + high_first;
    case 'q':
        return FORMAT_S64 + high_first;
    case 'Q':
        return FORMAT_U64 + high_first;
    case 'f':
        return FORMAT_FLOAT + high_first;
    case 'd':
        return FORMAT_DOUBLE + high_first;
    default:
        return FORMAT_COUNT;
    }
}

/* The typecode that an object says; '\0': none. */
static char typecode_of(const kin_object *object)
{
    kin_bytes text = kin_object_bytes(object);
    bool is_one = kin__kind(object) == KIN_KIND_STR && text.size == 1;
    char typecode = is_one ? *(const char *)text.data : '\0';
    return format_here(typecode) == FORMAT_COUNT ? '\0' : typecode;
}

static int reconstruct(kin_object *array)
{
    const kin_object *type = kin__argument(array, 0);
    const kin_object *bytes = kin__argument(array, 3);
    int64_t format = -1;
    if (kin__argument_count(array) != 4 || kin__kind(type) != KIN_KIND_GLOBAL ||
        typecode_of(kin__argument(array, 1)) == '\0' ||
        kin_object_to_int(kin__argument(array, 2), &format) < 0 || format < 0 ||
        format >= FORMAT_COUNT || kin__kind(bytes) != KIN_KIND_BYTES ||
        kin_object_bytes(bytes).size % bytes_of_format[format] != 0) {
        return -EBADMSG;
    }
    if (strcmp(kin__global_full_name((const struct object_global *)type), "array.array") != 0) {
        return KIN__STAYS_OPAQUE; /* of a class that is made from it */
    }
    ((struct object_instance *)array)->class_ = kin__class_array;
    return 0;
}

/* Writes one number as it is laid out here; false: it does not fit, or is none. */
static bool put_number(unsigned char *at, unsigned format, const kin_object *number)
{
    unsigned size = bytes_of_format[format];
    double real;
    if (format >= FORMAT_FLOAT && format < FORMAT_UTF16) {
        if (kin_object_to_float(number, &real) < 0) {
            return false;
        }
        float narrow = (float)real;
        memcpy(at, size == sizeof narrow ? (void *)&narrow : (void *)&real, size);
        return true;
    }
    bool is_signed = format == FORMAT_S8 || (format >= FORMAT_U16 && format / 2 % 2 == 0);
    uint64_t bits;
    int r = is_signed ? kin_object_to_int(number, (int64_t *)&bits)
                      : kin_object_to_uint(number, &bits);
    unsigned unused = 64 - 8 * size;
    if (r < 0 || (is_signed ? (int64_t)(bits << unused) >> unused != (int64_t)bits
                            : bits << unused >> unused != bits)) {
        return false;
    }
    for (unsigned i = 0; i < size; i++) {
        bool is_high_first = format >= FORMAT_U16 && format % 2 == 1;
        at[is_high_first ? size - 1 - i : i] = (unsigned char)(bits >> (8 * i));
    }
    return true;
}

/* What an array is made of in its one form; NULL: no memory. */
static kin_object *arguments_of(char typecode, kin_object *bytes)
{
    return KIN_TUPLE(kin_object_from_global("array", "array"),
                     kin_object_from_text((char[]){typecode, '\0'}),
                     kin_object_from_int(format_here(typecode)), bytes);
}

/* Of array.array(typecode) and array.array(typecode, [number, ...]). */
static int construct(kin_object *array)
{
    char typecode = typecode_of(kin__argument(array, 0));
    unsigned format = format_here(typecode);
    const kin_object *numbers = kin__argument(array, 1);
    size_t count = kin_object_count(numbers);
    if (kin__argument_count(array) > 2 || typecode == '\0' || kin__kind(numbers) == KIN_KIND_INT) {
        return -EBADMSG;
    }
    if (format >= FORMAT_UTF16 || (numbers != NULL && kin__kind(numbers) != KIN_KIND_LIST)) {
        return KIN__STAYS_OPAQUE;
    }
    unsigned size = bytes_of_format[format];
    unsigned char *data = kin__allocate_array(count, size);
    for (size_t i = 0; data != NULL && i < count; i++) {
        if (!put_number(data + i * size, format, kin_object_at(numbers, i))) {
            kin__release(data);
            return -EBADMSG;
        }
    }
    kin_object *bytes = data == NULL ? NULL : kin_object_from_bytes(data, count * size);
    kin__release(data);
    kin_object *callable = kin_object_from_global("array", "_array_reconstructor");
    struct object_instance *instance = (struct object_instance *)array;
    if (callable == NULL) {
        kin_object_free(bytes);
        return -ENOMEM;
    }
    kin_object_free(instance->callable);
    instance->callable = callable;
    instance->made_by = MADE_BY_CALL;
    return kin__standard_rewrite(array, arguments_of(typecode, bytes));
}

int kin_object_from_numbers(char typecode, const void *data, size_t count, kin_object **ret_object)
{
    unsigned format = format_here(typecode);
    size_t bytes;
    if (ret_object == NULL || format == FORMAT_COUNT || (data == NULL && count != 0)) {
        return -EINVAL;
    }
    if (!kin__size_multiply(count, bytes_of_format[format], &bytes)) {
        return -ENOMEM;
    }
    return kin__standard_make(&classes[0], MADE_BY_CALL,
                              arguments_of(typecode, kin_object_from_bytes(data, bytes)),
                              ret_object);
}

int kin_object_to_numbers(const kin_object *object, kin_numbers *ret_numbers)
{
    int64_t format;
    if (!kin__is_of(object, kin__class_array) || ret_numbers == NULL) {
        return object == NULL ? -ENOMEM : -EINVAL;
    }
    char typecode = typecode_of(kin__argument(object, 1));
    (void)kin_object_to_int(kin__argument(object, 2), &format);
    if (format != (int64_t)format_here(typecode)) {
        return -EINVAL;
    }
    kin_bytes bytes = kin_object_bytes(kin__argument(object, 3));
    size_t size = bytes_of_format[format];
    *ret_numbers = (kin_numbers){
        .typecode = typecode, .item_bytes = size, .count = bytes.size / size, .data = bytes.data};
    return 0;
}

/* One number as an object. */
static kin_object *number_at(const unsigned char *at, unsigned format)
{
    unsigned size = bytes_of_format[format];
    unsigned char low_first[9] = {0};
    double real;
    float narrow;
    for (unsigned i = 0; i < size; i++) {
        low_first[i] = at[format >= FORMAT_U16 && format % 2 == 1 ? size - 1 - i : i];
    }
    if (format == FORMAT_FLOAT || format == FORMAT_FLOAT + 1) {
        memcpy(&narrow, at, sizeof narrow);
        return kin_object_from_float((double)narrow);
    }
    if (format == FORMAT_DOUBLE || format == FORMAT_DOUBLE + 1) {
        memcpy(&real, at, sizeof real);
        return kin_object_from_float(real);
    }
    bool is_signed = format == FORMAT_S8 || (format >= FORMAT_U16 && format / 2 % 2 == 0);
    return kin_object_from_int_bytes(low_first, is_signed ? size : size + 1u);
}

static kin_object *describe(const kin_object *array)
{
    kin_numbers numbers;
    kin_object *typecode = kin__argument(array, 1);
    kin_object *list = kin__describe_object(kin__describe(kin_list_create(), "array("), typecode);
    if (kin_object_to_numbers(array, &numbers) < 0 ||
        format_here(numbers.typecode) >= FORMAT_UTF16) { /* the bytes say it well enough */
        list = kin__describe_object(kin__describe(list, ", "), kin__argument(array, 3));
    } else if (numbers.count != 0) {
        kin_object *all = kin_list_create();
        for (size_t i = 0; i < numbers.count && all != NULL; i++) {
            const unsigned char *at = (const unsigned char *)numbers.data + i * numbers.item_bytes;
            if (kin_list_append(all, number_at(at, format_here(numbers.typecode))) < 0) {
                all = kin_object_free(all);
            }
        }
        list = kin__describe(list, ", ");
        list = all == NULL ? kin_object_free(list) : kin__describe_object(list, all);
        kin_object_free(all);
    }
    return kin__describe(list, ")");
}
