#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "circle.h"
#include "json.h"

struct writer {
    FILE *stream;
    int indent;
    int depth;
    int opaque_depth; /* how many opaque objects this is inside of */
};

static int write_object(struct writer *writer, const kin_object *object);

static void text(struct writer *writer, const char *words)
{
    fputs(words, writer->stream);
}

/* Begins a line, if lines are wanted. */
static void line(struct writer *writer)
{
    if (writer->indent > 0) {
        fprintf(writer->stream, "\n%*s", writer->indent * writer->depth, "");
    }
}

static void open_level(struct writer *writer, const char *bracket)
{
    text(writer, bracket);
    writer->depth++;
}

static void close_level(struct writer *writer, const char *bracket, bool is_empty)
{
    writer->depth--;
    if (!is_empty) {
        line(writer);
    }
    text(writer, bracket);
}

/* Begins an element behind others. */
static void next(struct writer *writer, bool is_first)
{
    text(writer, is_first ? "" : writer->indent > 0 ? "," : ", ");
    line(writer);
}

static void write_text(struct writer *writer, kin_bytes bytes)
{
    const unsigned char *at = bytes.data;
    fputc('"', writer->stream);
    for (size_t i = 0; i < bytes.size; i++) {
        if (at[i] == '"' || at[i] == '\\') {
            fprintf(writer->stream, "\\%c", at[i]);
        } else if (at[i] == '\n') {
            text(writer, "\\n");
        } else if (at[i] < 0x20 || at[i] == 0x7f) {
            fprintf(writer->stream, "\\u%04x", at[i]);
        } else {
            fputc(at[i], writer->stream);
        }
    }
    fputc('"', writer->stream);
}

static void write_words(struct writer *writer, const char *words)
{
    write_text(writer, (kin_bytes){words, strlen(words)});
}

/* Whether a lone surrogate is in a str: three bytes from ed a0 on. */
static bool has_surrogate(kin_bytes bytes)
{
    const unsigned char *at = bytes.data;
    for (size_t i = 0; i + 1 < bytes.size; i++) {
        if (at[i] == 0xed && at[i + 1] >= 0xa0) {
            return true;
        }
    }
    return false;
}

/* {"$KIND": "base64"} */
static void write_bytes(struct writer *writer, const char *kind, kin_bytes bytes)
{
    fprintf(writer->stream, "{\"$%s\": \"", kind);
    base64_write(bytes.data, bytes.size, writer->stream);
    text(writer, "\"}");
}

/* What Python's repr says, in quotes or not. */
static int write_repr(struct writer *writer, const kin_object *object, bool is_quoted)
{
    int size = kin_object_format(object, NULL, 0);
    char *words = size < 0 ? NULL : malloc((size_t)size + 1);
    if (words == NULL) {
        return -ENOMEM;
    }
    kin_object_format(object, words, (size_t)size + 1);
    if (is_quoted) {
        write_words(writer, words);
    } else {
        text(writer, words);
    }
    free(words);
    return 0;
}

/* What JSON has as a number, and what it has not, in quotes. */
static int write_number(struct writer *writer, const kin_object *object)
{
    int64_t integer;
    double value;
    double imaginary;
    if (kin_object_kind(object) == KIN_KIND_COMPLEX) {
        kin_object_to_complex(object, &value, &imaginary);
        kin_object *parts = KIN_LIST(kin_object_from_float(value),
                                     kin_object_from_float(imaginary));
        text(writer, "{\"$complex\": ");
        int r = write_object(writer, parts);
        text(writer, "}");
        kin_object_free(parts);
        return r;
    }
    bool is_int = kin_object_kind(object) == KIN_KIND_INT;
    if (is_int ? kin_object_to_int(object, &integer) == 0
               : kin_object_to_float(object, &value) == 0 && value - value == 0) {
        return write_repr(writer, object, false);
    }
    text(writer, is_int ? "{\"$int\": " : "{\"$float\": ");
    int r = write_repr(writer, object, true);
    text(writer, "}");
    return r;
}

/* A row: of a list, tuple, or a set. */
static int write_row(struct writer *writer, const kin_object *object)
{
    size_t count = kin_object_count(object);
    bool is_set = kin_object_kind(object) == KIN_KIND_SET ||
                  kin_object_kind(object) == KIN_KIND_FROZENSET;
    size_t position = 0;
    int r = 0;
    open_level(writer, "[");
    for (size_t i = 0; i < count && r == 0; i++) {
        kin_object *item = is_set ? NULL : kin_object_at(object, i);
        if (is_set && !kin_set_next(object, &position, &item)) {
            break;
        }
        next(writer, i == 0);
        r = write_object(writer, item);
    }
    close_level(writer, "]", count == 0);
    return r;
}

static int write_marked_row(struct writer *writer, const char *kind, const kin_object *object)
{
    fprintf(writer->stream, "{\"$%s\": ", kind);
    int r = write_row(writer, object);
    text(writer, "}");
    return r;
}

/* Whether JSON can have such a key, and none of those here. */
static bool is_plain_key(const kin_object *key)
{
    kin_bytes bytes = kin_object_bytes(key);
    return kin_object_kind(key) == KIN_KIND_STR && !has_surrogate(bytes) &&
           (bytes.size == 0 ||
            (*(const char *)bytes.data != '$' && memchr(bytes.data, 0, bytes.size) == NULL));
}

static bool has_plain_keys(const kin_object *dict)
{
    size_t position = 0;
    for (kin_object *key, *value; kin_dict_next(dict, &position, &key, &value);) {
        if (!is_plain_key(key)) {
            return false;
        }
    }
    return true;
}

static int write_dict(struct writer *writer, const kin_object *dict)
{
    bool is_plain = has_plain_keys(dict);
    bool is_first = true;
    size_t position = 0;
    int r = 0;
    open_level(writer, is_plain ? "{" : "{\"$dict\": [");
    for (kin_object *key, *value; r == 0 && kin_dict_next(dict, &position, &key, &value);) {
        next(writer, is_first);
        is_first = false;
        text(writer, is_plain ? "" : "[");
        r = write_object(writer, key);
        text(writer, is_plain ? ": " : ", ");
        r = r < 0 ? r : write_object(writer, value);
        text(writer, is_plain ? "" : "]");
    }
    close_level(writer, is_plain ? "}" : "]}", is_first);
    return r;
}

static int write_member(struct writer *writer, const char *name, const kin_object *object)
{
    if (object == NULL) {
        return 0;
    }
    next(writer, false);
    fprintf(writer->stream, "\"%s\": ", name);
    return kin_object_kind(object) == KIN_KIND_TUPLE ? write_row(writer, object)
                                                     : write_object(writer, object);
}

/* Number `index` of an array; NULL: it has none, but characters, or no memory. */
static kin_object *number_of(const kin_numbers *numbers, size_t index)
{
    const unsigned char *at = (const unsigned char *)numbers->data + index * numbers->item_bytes;
    unsigned char bytes[9] = {0};
    double value;
    float narrow;
    if (numbers->typecode == 'd') {
        memcpy(&value, at, sizeof value);
        return kin_object_from_float(value);
    }
    if (numbers->typecode == 'f') {
        memcpy(&narrow, at, sizeof narrow);
        return kin_object_from_float((double)narrow);
    }
    for (size_t i = 0; i < numbers->item_bytes; i++) {
        bool is_high_first = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
        bytes[i] = at[is_high_first ? numbers->item_bytes - 1 - i : i];
    }
    bool is_signed = strchr("bhilq", numbers->typecode) != NULL;
    return kin_object_from_int_bytes(bytes, numbers->item_bytes + (is_signed ? 0 : 1));
}

/* {"$array": ["i", [1, 2]]} */
static int write_numbers(struct writer *writer, const kin_numbers *numbers)
{
    int r = 0;
    fprintf(writer->stream, "{\"$array\": [\"%c\", ", numbers->typecode);
    open_level(writer, "[");
    for (size_t i = 0; i < numbers->count && r == 0; i++) {
        kin_object *number = number_of(numbers, i);
        next(writer, i == 0);
        r = number == NULL ? -ENOMEM : write_number(writer, number);
        kin_object_free(number);
    }
    close_level(writer, "]", numbers->count == 0);
    text(writer, "]}");
    return r;
}

/* Of characters, or of another machine: its pickle says it best. */
static bool is_odd_array(const kin_object *object, const kin_numbers *numbers)
{
    return strcmp(kin_object_type_name(object), "array.array") == 0 &&
           (numbers->data == NULL || strchr("uw", numbers->typecode) != NULL);
}

static int write_opaque(struct writer *writer, const kin_object *object);

static int write_instance(struct writer *writer, const kin_object *object)
{
    kin_numbers numbers = {.data = NULL};
    bool is_array = kin_object_to_numbers(object, &numbers) == 0;
    if (is_odd_array(object, &numbers)) {
        return write_opaque(writer, object);
    }
    if (is_array) {
        return write_numbers(writer, &numbers);
    }
    const kin_class *class_ = kin_instance_class(object);
    kin_object *state = kin_instance_state(object);
    open_level(writer, "{");
    line(writer);
    text(writer, "\"$instance\": ");
    write_words(writer, class_->name);
    next(writer, false);
    text(writer, "\"module\": ");
    write_words(writer, class_->module);
    int r = write_member(writer, "arguments", kin_instance_arguments(object));
    r = r < 0 ? r : write_member(writer, "items", kin_instance_items(object));
    if (r == 0 && state != NULL) {
        next(writer, false);
        text(writer, "\"state\": ");
        r = write_object(writer, state);
    }
    close_level(writer, "}", false);
    return r;
}

/* What it is, for who reads it; and its pickle, of which it is made again. Inside of another the
 * pickle of that holds it already. */
static int write_opaque(struct writer *writer, const kin_object *object)
{
    kin_object *bytes = NULL;
    writer->opaque_depth++;
    open_level(writer, "{");
    line(writer);
    text(writer, "\"$opaque\": ");
    write_words(writer, kin_object_type_name(object));
    int r = write_member(writer, "arguments", kin_instance_arguments(object));
    r = r < 0 ? r : write_member(writer, "state", kin_instance_state(object));
    if (r == 0 && writer->opaque_depth == 1) {
        r = kin_pickle_encode(object, NULL, &bytes);
    }
    if (bytes != NULL) {
        next(writer, false);
        text(writer, "\"$pickle\": \"");
        kin_bytes pickle = kin_object_bytes(bytes);
        base64_write(pickle.data, pickle.size, writer->stream);
        text(writer, "\"");
        kin_object_free(bytes);
    }
    close_level(writer, "}", false);
    writer->opaque_depth--;
    return r;
}

static int write_global(struct writer *writer, const kin_object *global)
{
    text(writer, "{\"$global\": [");
    write_words(writer, kin_global_module(global));
    text(writer, ", ");
    write_words(writer, kin_global_name(global));
    text(writer, "]}");
    return 0;
}

static int write_str(struct writer *writer, const kin_object *object)
{
    kin_bytes bytes = kin_object_bytes(object);
    if (has_surrogate(bytes)) {
        write_bytes(writer, "str", bytes);
    } else {
        write_text(writer, bytes);
    }
    return 0;
}

static int write_kind(struct writer *writer, const kin_object *object)
{
    switch (kin_object_kind(object)) {
    case KIN_KIND_NONE:
        return text(writer, "null"), 0;
    case KIN_KIND_BOOL:
        return text(writer, kin_object_is_true(object) ? "true" : "false"), 0;
    case KIN_KIND_INT:
    case KIN_KIND_FLOAT:
    case KIN_KIND_COMPLEX:
        return write_number(writer, object);
    case KIN_KIND_STR:
        return write_str(writer, object);
    case KIN_KIND_BYTES:
        return write_bytes(writer, "bytes", kin_object_bytes(object)), 0;
    case KIN_KIND_BYTEARRAY:
        return write_bytes(writer, "bytearray", kin_object_bytes(object)), 0;
    case KIN_KIND_LIST:
        return write_row(writer, object);
    case KIN_KIND_TUPLE:
        return write_marked_row(writer, "tuple", object);
    case KIN_KIND_SET:
        return write_marked_row(writer, "set", object);
    case KIN_KIND_FROZENSET:
        return write_marked_row(writer, "frozenset", object);
    case KIN_KIND_DICT:
        return write_dict(writer, object);
    case KIN_KIND_GLOBAL:
        return write_global(writer, object);
    case KIN_KIND_INSTANCE:
        return write_instance(writer, object);
    case KIN_KIND_OPAQUE:
        return write_opaque(writer, object);
    default:
        return -EOPNOTSUPP;
    }
}

static int write_object(struct writer *writer, const kin_object *object)
{
    if (writer->depth > JSON_DEPTH_MAX) {
        return -ELOOP;
    }
    if (ferror(writer->stream)) {
        return -EIO;
    }
    return write_kind(writer, object);
}

int json_write(const kin_object *object, int indent, FILE *stream)
{
    struct writer writer = {.stream = stream, .indent = indent};
    int r = circle_check(object, JSON_DEPTH_MAX);
    if (r < 0) {
        return r;
    }
    r = write_object(&writer, object);
    fputc('\n', stream);
    return r == 0 && ferror(stream) ? -EIO : r;
}
