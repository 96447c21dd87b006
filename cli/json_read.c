#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "json.h"

/* jansson itself refuses what is nested deeper than 2048: this may recurse. */

struct reader {
    struct json_fault *fault;
};

static int refuse(struct reader *reader, const char *reason)
{
    snprintf(reader->fault->reason, sizeof reader->fault->reason, "%s", reason);
    return -EBADMSG;
}

static int read_value(struct reader *reader, json_t *value, kin_object **ret_object);

static int made(kin_object *object, kin_object **ret_object)
{
    *ret_object = object;
    return object == NULL ? -ENOMEM : 0;
}

static int read_items(struct reader *reader, json_t *array, kin_object **ret_list)
{
    kin_object *list = kin_list_create();
    if (!json_is_array(array)) {
        kin_object_free(list);
        return refuse(reader, "an array is expected here");
    }
    int r = list == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < json_array_size(array) && r == 0; i++) {
        kin_object *item = NULL;
        r = read_value(reader, json_array_get(array, i), &item);
        r = r < 0 ? r : kin_list_append(list, item);
    }
    if (r < 0) {
        kin_object_free(list);
        return r;
    }
    *ret_list = list;
    return 0;
}

/* The objects of a list, in memory that is to be freed; each has a reference more. */
static kin_object **references_of(const kin_object *list)
{
    size_t count = kin_object_count(list);
    kin_object **items = malloc((count + 1) * sizeof *items);
    for (size_t i = 0; items != NULL && i < count; i++) {
        items[i] = kin_object_ref(kin_object_at(list, i));
    }
    return items;
}

static int read_tuple(struct reader *reader, json_t *array, kin_object **ret_object)
{
    kin_object *list = NULL;
    int r = read_items(reader, array, &list);
    if (r < 0) {
        return r;
    }
    kin_object **items = references_of(list);
    r = items == NULL ? -ENOMEM : made(kin_tuple_from(items, kin_object_count(list)), ret_object);
    free(items);
    kin_object_free(list);
    return r;
}

static int read_set(struct reader *reader, json_t *array, kin_object **ret_object)
{
    kin_object *list = NULL;
    kin_object *set = kin_set_create();
    int r = read_items(reader, array, &list);
    for (size_t i = 0; r == 0 && i < kin_object_count(list); i++) {
        r = kin_set_add(set, kin_object_ref(kin_object_at(list, i)));
    }
    kin_object_free(list);
    if (r < 0) {
        kin_object_free(set);
        return r == -EINVAL ? refuse(reader, "a member of a set can change") : r;
    }
    return made(set, ret_object);
}

static int read_frozenset(struct reader *reader, json_t *array, kin_object **ret_object)
{
    kin_object *list = NULL;
    int r = read_items(reader, array, &list);
    if (r < 0) {
        return r;
    }
    kin_object **items = references_of(list);
    r = items == NULL ? -ENOMEM : kin_frozenset_from(items, kin_object_count(list), ret_object);
    free(items);
    kin_object_free(list);
    return r == -EINVAL ? refuse(reader, "a member of a set can change") : r;
}

static int set_pair(struct reader *reader, kin_object *dict, json_t *key, json_t *value)
{
    kin_object *key_object = NULL;
    kin_object *value_object = NULL;
    int r = read_value(reader, key, &key_object);
    if (r == 0) {
        r = read_value(reader, value, &value_object);
    }
    if (r < 0) {
        kin_object_free(key_object);
        return r;
    }
    r = kin_dict_set(dict, key_object, value_object);
    return r == -EINVAL ? refuse(reader, "a key can change") : r;
}

static int read_pairs(struct reader *reader, json_t *array, kin_object **ret_object)
{
    kin_object *dict = kin_dict_create();
    int r = json_is_array(array) ? 0 : refuse(reader, "an array is expected here");
    for (size_t i = 0; r == 0 && i < json_array_size(array); i++) {
        json_t *pair = json_array_get(array, i);
        r = json_array_size(pair) == 2
                ? set_pair(reader, dict, json_array_get(pair, 0), json_array_get(pair, 1))
                : refuse(reader, "a pair of key and value is expected here");
    }
    if (r < 0) {
        kin_object_free(dict);
        return r;
    }
    return made(dict, ret_object);
}

/* The bytes that a base64 text stands for, to be freed; NULL: `*ret_code` says why. */
static unsigned char *bytes_of(struct reader *reader, json_t *value, size_t *ret_size,
                               int *ret_code)
{
    unsigned char *data = json_is_string(value) ? base64_read(json_string_value(value),
                                                              json_string_length(value), ret_size)
                                                : NULL;
    *ret_code = data == NULL ? refuse(reader, "base64 is expected here") : 0;
    return data;
}

static int read_bytes(struct reader *reader, json_t *value, kin_object **ret_object)
{
    int r;
    size_t size;
    unsigned char *data = bytes_of(reader, value, &size, &r);
    r = data == NULL ? r : made(kin_object_from_bytes(data, size), ret_object);
    free(data);
    return r;
}

static int read_bytearray(struct reader *reader, json_t *value, kin_object **ret_object)
{
    int r;
    size_t size;
    unsigned char *data = bytes_of(reader, value, &size, &r);
    r = data == NULL ? r : made(kin_object_from_bytearray(data, size), ret_object);
    free(data);
    return r;
}

static int read_str(struct reader *reader, json_t *value, kin_object **ret_object)
{
    int r;
    size_t size;
    unsigned char *data = bytes_of(reader, value, &size, &r);
    r = data == NULL ? r : kin_object_from_str(data, size, ret_object);
    free(data);
    return r == -EILSEQ ? refuse(reader, "not the text of a str") : r;
}

static int read_pickle(struct reader *reader, json_t *value, kin_object **ret_object)
{
    int r;
    size_t size;
    unsigned char *data = bytes_of(reader, value, &size, &r);
    r = data == NULL ? r : kin_pickle_decode(data, size, NULL, ret_object, NULL, NULL);
    free(data);
    return r < 0 ? refuse(reader, "the pickle in it is broken") : r;
}

/* Decimal digits are a pickle already, of protocol 0. */
static int read_int(struct reader *reader, json_t *value, kin_object **ret_object)
{
    const char *digits = json_string_value(value);
    size_t size = json_string_length(value);
    char *pickle = digits == NULL ? NULL : malloc(size + 8);
    if (pickle == NULL || digits[strspn(digits, "-0123456789")] != '\0') {
        free(pickle);
        return refuse(reader, "the digits of an int are expected here");
    }
    int written = snprintf(pickle, size + 8, "L%sL\n.", digits);
    int r = kin_pickle_decode(pickle, (size_t)written, NULL, ret_object, NULL, NULL);
    free(pickle);
    return r < 0 ? refuse(reader, "the digits of an int are expected here") : 0;
}

static int read_float(struct reader *reader, json_t *value, kin_object **ret_object)
{
    const char *words = json_string_value(value);
    if (words == NULL ||
        (strcmp(words, "nan") != 0 && strcmp(words, "inf") != 0 && strcmp(words, "-inf") != 0)) {
        return refuse(reader, "nan, inf or -inf is expected here");
    }
    return made(kin_object_from_float(strtod(words, NULL)), ret_object);
}

static int read_complex(struct reader *reader, json_t *value, kin_object **ret_object)
{
    kin_object *parts = NULL;
    double real;
    double imaginary;
    int r = read_items(reader, value, &parts);
    if (r < 0) {
        return r;
    }
    r = kin_object_count(parts) == 2 && kin_object_to_float(kin_object_at(parts, 0), &real) == 0 &&
                kin_object_to_float(kin_object_at(parts, 1), &imaginary) == 0
            ? made(kin_object_from_complex(real, imaginary), ret_object)
            : refuse(reader, "two numbers are expected here");
    kin_object_free(parts);
    return r;
}

static int read_global(struct reader *reader, json_t *value, kin_object **ret_object)
{
    const char *module = json_string_value(json_array_get(value, 0));
    const char *name = json_string_value(json_array_get(value, 1));
    if (module == NULL || name == NULL || *module == '\0' || *name == '\0' ||
        json_array_size(value) != 2) {
        return refuse(reader, "a module and a name are expected here");
    }
    return made(kin_object_from_global(module, name), ret_object);
}

/* Moves what `from` holds into the items of an instance. */
static int fill(struct reader *reader, kin_object *items, const kin_object *from)
{
    if (items == NULL || kin_object_kind(items) != kin_object_kind(from)) {
        return refuse(reader, "the class has no such items");
    }
    int r = 0;
    for (size_t i = 0;
         r == 0 && kin_object_kind(from) == KIN_KIND_LIST && i < kin_object_count(from); i++) {
        r = kin_list_append(items, kin_object_ref(kin_object_at(from, i)));
    }
    size_t position = 0;
    for (kin_object *key, *value; r == 0 && kin_object_kind(from) == KIN_KIND_DICT &&
                                  kin_dict_next(from, &position, &key, &value);) {
        r = kin_dict_set(items, kin_object_ref(key), kin_object_ref(value));
    }
    return r;
}

static int read_instance(struct reader *reader, json_t *whole, kin_object **ret_object)
{
    const char *module = json_string_value(json_object_get(whole, "module"));
    const kin_class *class_ = kin_class_find(
        module, json_string_value(json_object_get(whole, "$instance")));
    json_t *items = json_object_get(whole, "items");
    json_t *state = json_object_get(whole, "state");
    kin_object *arguments = NULL;
    kin_object *part = NULL;
    kin_object *instance = NULL;
    if (class_ == NULL) {
        return refuse(reader, "this class is not known");
    }
    int r = read_tuple(reader, json_object_get(whole, "arguments"), &arguments);
    r = r < 0 ? r : kin_instance_create(class_, arguments, &instance);
    if (r < 0) {
        return r == -ENOMEM || reader->fault->reason[0] != '\0'
                   ? r
                   : refuse(reader, "the class refuses these arguments");
    }
    if (items != NULL) {
        r = read_value(reader, items, &part);
        r = r < 0 ? r : fill(reader, kin_instance_items(instance), part);
        part = kin_object_free(part);
    }
    if (r == 0 && state != NULL) {
        r = read_value(reader, state, &part);
        r = r < 0 ? r : kin_instance_set_state(instance, part);
    }
    if (r < 0) {
        kin_object_free(instance);
        return r;
    }
    return made(instance, ret_object);
}

/* A typecode and numbers. */
static int read_numbers(struct reader *reader, json_t *value, kin_object **ret_object)
{
    kin_object *arguments = NULL;
    int r = read_tuple(reader, value, &arguments);
    if (r < 0) {
        return r;
    }
    r = kin_instance_create(kin_class_find("array", "array"), arguments, ret_object);
    return r == -EBADMSG ? refuse(reader, "these are not the numbers of an array") : r;
}

/* What has one key that begins with "$". */
static int read_marked(struct reader *reader, const char *kind, json_t *value,
                       kin_object **ret_object)
{
    static const struct {
        const char *name;
        int (*read)(struct reader *reader, json_t *value, kin_object **ret_object);
    } kinds[] = {{"$int", read_int},     {"$float", read_float},   {"$complex", read_complex},
                 {"$str", read_str},     {"$bytes", read_bytes},   {"$bytearray", read_bytearray},
                 {"$tuple", read_tuple}, {"$set", read_set},       {"$frozenset", read_frozenset},
                 {"$dict", read_pairs},  {"$global", read_global}, {"$array", read_numbers}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kind, kinds[i].name) == 0) {
            return kinds[i].read(reader, value, ret_object);
        }
    }
    return refuse(reader, "a key that begins with $, which is not known");
}

static int read_object(struct reader *reader, json_t *object, kin_object **ret_object)
{
    if (json_object_get(object, "$instance") != NULL) {
        return read_instance(reader, object, ret_object);
    }
    if (json_object_get(object, "$opaque") != NULL) {
        return read_pickle(reader, json_object_get(object, "$pickle"), ret_object);
    }
    const char *key = json_object_iter_key(json_object_iter(object));
    if (json_object_size(object) == 1 && key[0] == '$') {
        return read_marked(reader, key, json_object_get(object, key), ret_object);
    }
    kin_object *dict = kin_dict_create();
    json_t *value;
    int r = 0;
    json_object_foreach(object, key, value)
    {
        kin_object *part = NULL;
        r = r < 0 ? r : read_value(reader, value, &part);
        r = r < 0 ? r : kin_dict_set_text(dict, key, part);
    }
    if (r < 0) {
        kin_object_free(dict);
        return r;
    }
    return made(dict, ret_object);
}

static int read_value(struct reader *reader, json_t *value, kin_object **ret_object)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return read_object(reader, value, ret_object);
    case JSON_ARRAY:
        return read_items(reader, value, ret_object);
    case JSON_STRING:
        return kin_object_from_str(json_string_value(value), json_string_length(value), ret_object);
    case JSON_INTEGER:
        return made(kin_object_from_int(json_integer_value(value)), ret_object);
    case JSON_REAL:
        return made(kin_object_from_float(json_real_value(value)), ret_object);
    case JSON_TRUE:
    case JSON_FALSE:
        return made(kin_object_from_bool(json_is_true(value)), ret_object);
    default:
        return made(kin_object_none(), ret_object);
    }
}

static size_t skip_space(const char *data, size_t from, size_t size)
{
    while (from < size && memchr(" \t\r\n", data[from], 4) != NULL) {
        from++;
    }
    return from;
}

int json_read(const void *data, size_t size, int (*take)(void *user, kin_object *object),
              void *user, struct json_fault *fault)
{
    struct reader reader = {.fault = fault};
    size_t at = skip_space(data, 0, size);
    int r = 0;
    fault->reason[0] = '\0';
    if (at == size) {
        fault->offset = at;
        return refuse(&reader, "there is nothing");
    }
    while (r == 0 && at < size) {
        json_error_t error;
        json_t *value = json_loadb((const char *)data + at, size - at,
                                   JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK,
                                   &error);
        if (value == NULL) {
            fault->offset = at + (error.position > 0 ? (size_t)error.position : 0);
            return refuse(&reader, error.text);
        }
        kin_object *object = NULL;
        fault->offset = at;
        r = read_value(&reader, value, &object);
        json_decref(value);
        r = r < 0 ? r : take(user, object);
        at = skip_space(data, at + (size_t)error.position, size);
    }
    return r;
}
