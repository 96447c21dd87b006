/* kin_object and kin_pickle. */

#include "harness_kin.h"
#include "pickle/codec.h"
#include "pickle/values.h"

#include <kin.h>
#include <string.h>

enum { DEPTH_MAX = 16, KEY_MAX = 16 };

/* Equal keys are one object, as they are in Python. */
static kin_object *keys[KEY_MAX];

/* What is being built: the outermost is first. */
static struct {
    kin_object *whole;
    kin_object *key; /* of a dict: the next object is its value */
    size_t missing;
} open_objects[DEPTH_MAX];
static int depth;

static kin_object *object;
static kin_object *bytes;

/* An object is done: it goes into the one that is open, which may be done with it. */
static void add(kin_object *part)
{
    while (depth > 0) {
        kin_object *whole = open_objects[depth - 1].whole;
        if (kin_object_kind(whole) == KIN_KIND_LIST) {
            harness_must(kin_list_append(whole, part), "kin_list_append");
        } else if (open_objects[depth - 1].key == NULL) {
            open_objects[depth - 1].key = part;
            return;
        } else {
            harness_must(kin_dict_set(whole, open_objects[depth - 1].key, part), "kin_dict_set");
            open_objects[depth - 1].key = NULL;
        }
        if (--open_objects[depth - 1].missing > 0) {
            return;
        }
        part = whole;
        depth--;
    }
    object = part;
}

static void begin(kin_object *whole, size_t count)
{
    if (depth == DEPTH_MAX) {
        harness_die("too deep");
    }
    open_objects[depth].whole = whole;
    open_objects[depth].key = NULL;
    open_objects[depth].missing = count;
    depth++;
}

static void add_list(size_t count)
{
    begin(kin_list_create(), count);
}

static void add_dict(size_t count)
{
    begin(kin_dict_create(), count);
}

static kin_object *find_key(const char *text)
{
    for (int i = 0; i < KEY_MAX; i++) {
        if (keys[i] == NULL) {
            keys[i] = kin_object_from_text(text);
        }
        if (strcmp(kin_object_text(keys[i]), text) == 0) {
            return kin_object_ref(keys[i]);
        }
    }
    harness_die("too many keys");
}

static void add_text(const char *text)
{
    bool is_key = depth > 0 && open_objects[depth - 1].key == NULL &&
                  kin_object_kind(open_objects[depth - 1].whole) == KIN_KIND_DICT;
    add(is_key ? find_key(text) : kin_object_from_text(text));
}

static void add_bytes(const void *data, size_t size)
{
    add(kin_object_from_bytes(data, size));
}

static void add_integer(int64_t value)
{
    add(kin_object_from_int(value));
}

static void add_real(double value)
{
    add(kin_object_from_float(value));
}

static void add_boolean(int value)
{
    add(kin_object_from_bool(value != 0));
}

static void open_value(const char *value)
{
    static const struct builder builder = {
        .list = add_list,
        .dict = add_dict,
        .text = add_text,
        .bytes = add_bytes,
        .integer = add_integer,
        .real = add_real,
        .boolean = add_boolean,
    };
    if (values_build(value, &builder) < 0) {
        harness_die("no value '%s'", value);
    }
    for (int i = 0; i < KEY_MAX; i++) {
        keys[i] = kin_object_free(keys[i]);
    }
    harness_must(kin_pickle_encode(object, NULL, &bytes), "kin_pickle_encode");
}

static void encode(void)
{
    kin_object *made = NULL;
    harness_must(kin_pickle_encode(object, NULL, &made), "kin_pickle_encode");
    kin_object_free(made);
}

static void decode(void)
{
    kin_bytes pickle = kin_object_bytes(bytes);
    kin_object *made = NULL;
    harness_must(kin_pickle_decode(pickle.data, pickle.size, NULL, &made, NULL, NULL),
                 "kin_pickle_decode");
    kin_object_free(made);
}

const codec_subject codec_measured = {.open = open_value, .encode = encode, .decode = decode};
