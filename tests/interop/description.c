#include "interop/description.h"

#include "harness/test.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Numbers of objects, by address. */
struct numbers {
    const kin_object **objects;
    size_t *values;
    size_t count;
    size_t capacity; /* a power of two, or 0 */
};

struct describer {
    struct description *text;
    struct numbers numbers;
};

static void add(struct describer *describer, const kin_object *object);

/* --- bytes --- */

static void append(struct description *text, const void *data, size_t size)
{
    if (text->size + size > text->capacity) {
        text->capacity = 2 * (text->size + size) + 64;
        text->data = realloc(text->data, text->capacity);
        REQUIRE(text->data != NULL);
    }
    memcpy(text->data + text->size, data, size);
    text->size += size;
}

__attribute__((format(printf, 2, 3))) static void append_format(struct description *text,
                                                                const char *format, ...)
{
    char piece[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    REQUIRE(size >= 0 && (size_t)size < sizeof piece);
    append(text, piece, (size_t)size);
}

static void append_double(struct description *text, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = htobe64(bits);
    append(text, &bits, sizeof bits);
}

/* --- what was there before --- */

static void numbers_grow(struct numbers *numbers)
{
    struct numbers old = *numbers;
    numbers->capacity = old.capacity == 0 ? 64 : 2 * old.capacity;
    numbers->objects = calloc(numbers->capacity, sizeof *numbers->objects);
    numbers->values = calloc(numbers->capacity, sizeof *numbers->values);
    REQUIRE(numbers->objects != NULL && numbers->values != NULL);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.objects[i] != NULL) {
            size_t at = ((uintptr_t)old.objects[i] >> 3) & (numbers->capacity - 1);
            while (numbers->objects[at] != NULL) {
                at = (at + 1) & (numbers->capacity - 1);
            }
            numbers->objects[at] = old.objects[i];
            numbers->values[at] = old.values[i];
        }
    }
    free(old.objects);
    free(old.values);
}

/* Whether an object was there before; if not, it gets the next number. */
static bool seen(struct describer *describer, const kin_object *object)
{
    struct numbers *numbers = &describer->numbers;
    if (2 * numbers->count >= numbers->capacity) {
        numbers_grow(numbers);
    }
    size_t at = ((uintptr_t)object >> 3) & (numbers->capacity - 1);
    while (numbers->objects[at] != NULL) {
        if (numbers->objects[at] == object) {
            append_format(describer->text, "@%zu;", numbers->values[at]);
            return true;
        }
        at = (at + 1) & (numbers->capacity - 1);
    }
    numbers->objects[at] = object;
    numbers->values[at] = numbers->count++;
    return false;
}

/* --- objects by kind --- */

static void add_integer(struct description *text, const kin_object *object)
{
    unsigned char bytes[4096] = {0};
    int64_t size = kin_object_to_int_bytes(object, bytes, sizeof bytes);
    REQUIRE(size >= 0 && size <= (int64_t)sizeof bytes);
    bool is_negative = size > 0 && (bytes[size - 1] & 0x80) != 0;
    unsigned carry = 1;
    for (int64_t i = 0; i < size && is_negative; i++) { /* the magnitude */
        unsigned value = (unsigned char)~bytes[i] + carry;
        bytes[i] = (unsigned char)value;
        carry = value >> 8;
    }
    while (size > 0 && bytes[size - 1] == 0) {
        size--;
    }
    append_format(text, is_negative ? "i-" : "i");
    append_format(text, "%x", size > 0 ? bytes[size - 1] : 0);
    for (int64_t i = size - 2; i >= 0; i--) {
        append_format(text, "%02x", bytes[i]);
    }
    append_format(text, ";");
}

static void add_bytes(struct describer *describer, const kin_object *object, char letter,
                      size_t numbered_size_min)
{
    kin_bytes bytes = kin_object_bytes(object);
    if (bytes.size < numbered_size_min || !seen(describer, object)) {
        append_format(describer->text, "%c%zu:", letter, bytes.size);
        append(describer->text, bytes.data, bytes.size);
    }
}

static void add_row(struct describer *describer, const kin_object *row, char letter)
{
    size_t count = kin_object_count(row);
    append_format(describer->text, "%c%zu:", letter, count);
    for (size_t i = 0; i < count; i++) {
        add(describer, kin_object_at(row, i));
    }
}

static void add_pairs(struct describer *describer, const kin_object *dict, char letter)
{
    size_t position = 0;
    append_format(describer->text, "%c%zu:", letter, kin_object_count(dict));
    for (kin_object *key, *value; kin_dict_next(dict, &position, &key, &value);) {
        add(describer, key);
        add(describer, value);
    }
}

struct member {
    const kin_object *object;
    struct description alone;
};

static int compare_members(const void *first, const void *second)
{
    const struct description *one = &((const struct member *)first)->alone;
    const struct description *other = &((const struct member *)second)->alone;
    size_t size = one->size < other->size ? one->size : other->size;
    int order = memcmp(one->data, other->data, size);
    return order != 0 ? order : (one->size > other->size) - (one->size < other->size);
}

static void add_set(struct describer *describer, const kin_object *set, char letter)
{
    size_t count = kin_object_count(set), position = 0, used = 0;
    struct member *members = calloc(count + 1, sizeof *members);
    REQUIRE(members != NULL);
    for (kin_object *item; kin_set_next(set, &position, &item);) {
        members[used++] = (struct member){item, describe(item)};
    }
    CHECK_EQUAL(used, count);
    qsort(members, count, sizeof *members, compare_members);
    append_format(describer->text, "%c%zu:", letter, count);
    for (size_t i = 0; i < count; i++) {
        add(describer, members[i].object);
        description_free(&members[i].alone);
    }
    free(members);
}

/* --- instances --- */

static const char *full_name(const kin_object *instance)
{
    return kin_object_type_name(instance);
}

/* Whether what repr says of it stands for all that it is. */
static bool is_represented(const char *name)
{
    static const char *const names[] = {"datetime.date",
                                        "datetime.time",
                                        "datetime.datetime",
                                        "datetime.timedelta",
                                        "datetime.timezone",
                                        "decimal.Decimal",
                                        "uuid.UUID",
                                        "range",
                                        "slice",
                                        "array.array"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void add_representation(struct describer *describer, const kin_object *object,
                               const char *name)
{
    char small[512];
    int size = kin_object_format(object, small, sizeof small);
    REQUIRE(size >= 0);
    char *text = malloc((size_t)size + 1);
    REQUIRE(text != NULL && kin_object_format(object, text, (size_t)size + 1) == size);
    append_format(describer->text, "R%s;", name);
    append(describer->text, text, (size_t)size);
    append_format(describer->text, ";");
    free(text);
}

/* A dict whose keys Python makes one with others of the same text. */
static void add_attributes(struct describer *describer, const kin_object *attributes)
{
    size_t position = 0;
    append_format(describer->text, "d%zu:", kin_object_count(attributes));
    for (kin_object *key, *value; kin_dict_next(attributes, &position, &key, &value);) {
        append_format(describer->text, "%s=", kin_object_text(key));
        add(describer, value);
    }
}

static void add_state(struct describer *describer, const kin_object *state)
{
    const kin_object *second = kin_object_at(state, 1);
    append_format(describer->text, "|");
    if (kin_object_kind(state) == KIN_KIND_DICT) {
        add_attributes(describer, state);
    } else if (kin_object_kind(state) == KIN_KIND_TUPLE && kin_object_count(state) == 2 &&
               kin_object_kind(second) == KIN_KIND_DICT) {
        add(describer, kin_object_at(state, 0));
        add_attributes(describer, second);
    } else {
        add(describer, state);
    }
}

static void add_instance(struct describer *describer, const kin_object *object)
{
    if (seen(describer, object)) {
        return;
    }
    const char *name = full_name(object);
    if (is_represented(name)) {
        add_representation(describer, object, name);
        return;
    }
    append_format(describer->text, "I%s(", name);
    if (strcmp(name, "collections.deque") == 0) {
        if (kin_deque_count_max(object) >= 0) {
            append_format(describer->text, "i%llx;", (long long)kin_deque_count_max(object));
        }
    } else {
        const kin_object *arguments = kin_instance_arguments(object);
        for (size_t i = 0; i < kin_object_count(arguments); i++) {
            add(describer, kin_object_at(arguments, i));
        }
    }
    append_format(describer->text, ")");
    const kin_object *state = kin_instance_state(object);
    if (state != NULL && kin_object_kind(state) != KIN_KIND_NONE &&
        !(kin_object_kind(state) == KIN_KIND_DICT && kin_object_count(state) == 0)) {
        add_state(describer, state);
    }
    const kin_object *items = kin_instance_items(object);
    if (items != NULL && kin_object_kind(items) == KIN_KIND_LIST) {
        add_row(describer, items, 'L');
    } else if (items != NULL) {
        add_pairs(describer, items, 'D');
    }
}

static void add_global(struct describer *describer, const kin_object *global)
{
    const char *module = kin_global_module(global);
    bool is_builtin = strcmp(module, "builtins") == 0;
    append_format(describer->text, "g%s%s%s;", is_builtin ? "" : module, is_builtin ? "" : ".",
                  kin_global_name(global));
}

/* --- all of them --- */

static void add_container(struct describer *describer, const kin_object *object)
{
    kin_kind kind = kin_object_kind(object);
    bool is_constant = kind == KIN_KIND_TUPLE || kind == KIN_KIND_FROZENSET;
    if ((!is_constant || kin_object_count(object) > 0) && seen(describer, object)) {
        return;
    }
    if (kind == KIN_KIND_LIST || kind == KIN_KIND_TUPLE) {
        add_row(describer, object, kind == KIN_KIND_LIST ? 'l' : 't');
    } else if (kind == KIN_KIND_DICT) {
        add_pairs(describer, object, 'd');
    } else {
        add_set(describer, object, kind == KIN_KIND_SET ? 'S' : 'Z');
    }
}

static void add_number(struct description *text, const kin_object *object)
{
    double real = 0, imaginary = 0;
    REQUIRE(kin_object_to_complex(object, &real, &imaginary) == 0);
    bool is_float = kin_object_kind(object) == KIN_KIND_FLOAT;
    append_format(text, is_float ? "f" : "c");
    append_double(text, real);
    if (!is_float) {
        append_double(text, imaginary);
    }
}

static void add(struct describer *describer, const kin_object *object)
{
    switch (kin_object_kind(object)) {
    case KIN_KIND_NONE:
        append_format(describer->text, "N");
        break;
    case KIN_KIND_BOOL:
        append_format(describer->text, kin_object_is_true(object) ? "T" : "F");
        break;
    case KIN_KIND_INT:
        add_integer(describer->text, object);
        break;
    case KIN_KIND_FLOAT:
    case KIN_KIND_COMPLEX:
        add_number(describer->text, object);
        break;
    case KIN_KIND_STR:
        add_bytes(describer, object, 's', 3);
        break;
    case KIN_KIND_BYTES:
        add_bytes(describer, object, 'b', 2);
        break;
    case KIN_KIND_BYTEARRAY:
        add_bytes(describer, object, 'a', 0);
        break;
    case KIN_KIND_GLOBAL:
        add_global(describer, object);
        break;
    case KIN_KIND_INSTANCE:
    case KIN_KIND_OPAQUE:
        add_instance(describer, object);
        break;
    case KIN_KIND_LIST:
    case KIN_KIND_TUPLE:
    case KIN_KIND_DICT:
    case KIN_KIND_SET:
    case KIN_KIND_FROZENSET:
        add_container(describer, object);
        break;
    default:
        test_fail(TEST_HERE, "an object of kind %d", (int)kin_object_kind(object));
    }
}

struct description describe(const kin_object *object)
{
    struct description text = {0};
    struct describer describer = {.text = &text};
    add(&describer, object);
    free(describer.numbers.objects);
    free(describer.numbers.values);
    return text;
}

void description_free(struct description *description)
{
    free(description->data);
    *description = (struct description){0};
}

static void show(const char *title, const char *data, size_t size, size_t at)
{
    char text[256];
    size_t used = 0;
    for (size_t i = at < 60 ? 0 : at - 60; i < size && i < at + 60; i++) {
        text[used++] = data[i] >= ' ' && data[i] < 127 ? data[i] : '.';
    }
    test_fail(TEST_HERE, "%s at byte %zu: %.*s", title, at, (int)used, text);
}

void description_check(const char *what, const struct description *actual, const void *expected,
                       size_t expected_size)
{
    size_t at = 0;
    while (at < actual->size && at < expected_size &&
           actual->data[at] == ((const char *)expected)[at]) {
        at++;
    }
    if (at < actual->size || at < expected_size) {
        test_fail(TEST_HERE, "%s", what);
        show("is", actual->data, actual->size, at);
        show("not", expected, expected_size, at);
    }
}
