#include "interop/generator.h"

#include "harness/test.h"

#include <math.h>
#include <stdio.h>

enum { MADE_MAX = 256, OPEN_MAX = 16, DEPTH_MAX = 6, BYTES_MAX = 1024 };

struct generator {
    uint64_t state;
    kin_object *made[MADE_MAX]; /* what may come a second time */
    size_t made_count;
    kin_object *keys[MADE_MAX]; /* the same for what can be a key */
    size_t key_count;
    kin_object *open[OPEN_MAX]; /* what is being filled, borrowed: it may come inside itself */
    size_t open_count;
    int left;
    int depth;
};

typedef kin_object *maker(struct generator *generator);

static kin_object *make_value(struct generator *generator);

/* Classes that a program has and Python has as well: classes.py. */
static kin_class plain = {.module = "classes", .name = "Plain"};
static kin_class slots = {.module = "classes", .name = "Slots"};
static kin_class reduced = {.module = "classes", .name = "Reduced"};
static kin_class inner = {.module = "classes", .name = "Outer.Inner"};
KIN_CLASS(plain)
KIN_CLASS(slots)
KIN_CLASS(reduced)
KIN_CLASS(inner)

/* splitmix64 */
static uint64_t next(struct generator *generator)
{
    uint64_t value = generator->state += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

static size_t below(struct generator *generator, size_t end)
{
    return (size_t)(next(generator) % end);
}

#define PICK(generator, array) ((array)[below(generator, sizeof(array) / sizeof *(array))])

/* Remembers an object if there is room. Returns it. */
static kin_object *keep(kin_object *object, kin_object **kept, size_t *count)
{
    REQUIRE(object != NULL);
    if (*count < MADE_MAX) {
        kept[(*count)++] = kin_object_ref(object);
    }
    return object;
}

static size_t some(struct generator *generator)
{
    static const size_t counts[] = {0, 1, 1, 2, 3, 4, 5};
    return PICK(generator, counts);
}

/* What a constructor has made. */
static kin_object *made(int code, kin_object *const *object)
{
    REQUIRE(code == 0);
    return *object;
}

/* --- leaves --- */

static kin_object *make_singleton(struct generator *generator)
{
    switch (below(generator, 5)) {
    case 0:
        return kin_object_none();
    case 1:
        return kin_object_ellipsis();
    case 2:
        return kin_object_not_implemented();
    default:
        return kin_object_from_bool(below(generator, 2) == 1);
    }
}

static kin_object *make_integer(struct generator *generator)
{
    static const int64_t edges[] = {0,
                                    1,
                                    -1,
                                    255,
                                    256,
                                    65535,
                                    65536,
                                    INT32_MAX,
                                    -INT32_MAX,
                                    INT32_MIN,
                                    INT64_MAX,
                                    INT64_MIN,
                                    INT64_MAX >> 2,
                                    INT64_MIN >> 2,
                                    (INT64_MAX >> 2) + 1,
                                    (INT64_MIN >> 2) - 1};
    unsigned char bytes[BYTES_MAX];
    switch (below(generator, 4)) {
    case 0:
        return kin_object_from_int(PICK(generator, edges));
    case 1:
        return kin_object_from_int((int64_t)next(generator) >> below(generator, 64));
    case 2:
        return kin_object_from_uint(next(generator));
    default:
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = below(generator, 4) == 0 ? 0xff : (unsigned char)next(generator);
        }
        return kin_object_from_int_bytes(bytes, below(generator, 8) == 0 ? 254 + some(generator)
                                                                         : some(generator) * 7);
    }
}

static double number(struct generator *generator)
{
    static const double edges[] = {0.0,  -0.0,   INFINITY, -INFINITY, NAN,
                                   -NAN, 5e-324, 0.1,      -1.5,      1.7976931348623157e308};
    uint64_t bits = next(generator);
    double value;
    memcpy(&value, &bits, sizeof value);
    return below(generator, 2) == 0 ? PICK(generator, edges) : value;
}

static kin_object *make_float(struct generator *generator)
{
    return kin_object_from_float(number(generator));
}

static kin_object *make_complex(struct generator *generator)
{
    double real = number(generator);
    return kin_object_from_complex(real, number(generator));
}

static kin_object *make_text(struct generator *generator)
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "xyz",
                                         " ",
                                         "\n",
                                         "'",
                                         "\\",
                                         "\"",
                                         "\x7f",
                                         "\u00e9",
                                         "\u00ff",
                                         "\u0100",
                                         "\u20ac",
                                         "\xed\xa0\x80",
                                         "\xed\xbf\xbf",
                                         "\ufffe",
                                         "\U0001f600",
                                         "\U0010ffff"};
    static const size_t counts[] = {0, 1, 2, 3, 8, 8, 40, 200};
    char text[BYTES_MAX];
    size_t size = 0;
    kin_object *object = NULL;
    for (size_t count = PICK(generator, counts); count > 0; count--) {
        const char *piece = PICK(generator, pieces);
        memcpy(text + size, piece, strlen(piece));
        size += strlen(piece);
        if (below(generator, 50) == 0) {
            text[size++] = 0;
        }
    }
    return made(kin_object_from_str(text, size, &object), &object);
}

static size_t fill(struct generator *generator, unsigned char *bytes)
{
    static const size_t sizes[] = {0, 1, 2, 3, 8, 40, 255, 256, 1000};
    size_t size = PICK(generator, sizes);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)next(generator);
    }
    return size;
}

static kin_object *make_bytes(struct generator *generator)
{
    unsigned char bytes[BYTES_MAX];
    size_t size = fill(generator, bytes);
    return kin_object_from_bytes(bytes, size);
}

static kin_object *make_bytearray(struct generator *generator)
{
    unsigned char bytes[BYTES_MAX];
    size_t size = fill(generator, bytes);
    return kin_object_from_bytearray(bytes, size);
}

static kin_object *make_global(struct generator *generator)
{
    static const char *const names[][2] = {
        {"builtins", "len"},        {"builtins", "list"},    {"classes", "Plain"},
        {"classes", "Outer.Inner"}, {"classes", "function"}, {"collections", "OrderedDict"},
        {"builtins", "ValueError"}};
    const char *const *name = PICK(generator, names);
    return kin_object_from_global(name[0], name[1]);
}

/* --- leaves of Python's library --- */

static kin_object *make_datetime(struct generator *generator)
{
    kin_datetime when = {.year = 1 + (int)below(generator, 9999),
                         .month = 1 + (int)below(generator, 12),
                         .day = 1 + (int)below(generator, 28),
                         .hour = (int)below(generator, 24),
                         .minute = (int)below(generator, 60),
                         .second = (int)below(generator, 60),
                         .microsecond = (int)below(generator, 1000000)};
    when.has_offset = below(generator, 3) == 0;
    when.offset_us = when.has_offset ? (int64_t)60000000 * (int)below(generator, 1400) : 0;
    kin_object *object = NULL;
    switch (below(generator, 3)) {
    case 0:
        return made(kin_object_from_datetime(&when, &object), &object);
    case 1:
        when = (kin_datetime){.year = when.year, .month = when.month, .day = when.day};
        return made(kin_object_from_date(&when, &object), &object);
    default:
        when.year = when.month = when.day = 0;
        return made(kin_object_from_time(&when, &object), &object);
    }
}

static kin_object *make_span(struct generator *generator)
{
    kin_object *object = NULL;
    if (below(generator, 2) == 0) {
        int64_t offset_us = ((int64_t)below(generator, 2879) - 1439) * 60000000;
        return made(
            kin_object_from_timezone(offset_us, below(generator, 2) == 0 ? NULL : "zone", &object),
            &object);
    }
    return made(kin_object_from_timedelta((int64_t)below(generator, 1999) - 999,
                                          (int64_t)below(generator, 86400),
                                          (int64_t)below(generator, 1000000), &object),
                &object);
}

static kin_object *make_decimal(struct generator *generator)
{
    static const char *const texts[] = {"0",      "-0",      "1.50",      "NaN",
                                        "sNaN42", "1E+1000", "-Infinity", "123456789.987654321"};
    kin_object *object = NULL;
    return made(kin_object_from_decimal(PICK(generator, texts), &object), &object);
}

static kin_object *make_uuid(struct generator *generator)
{
    unsigned char bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)next(generator);
    }
    return kin_object_from_uuid(bytes);
}

static kin_object *make_range(struct generator *generator)
{
    if (below(generator, 2) == 0) {
        kin_object *first = make_integer(generator);
        kin_object *end = make_integer(generator);
        return kin_object_from_slice(first, end, kin_object_none());
    }
    return kin_object_from_range((int64_t)next(generator), (int64_t)next(generator));
}

static kin_object *make_numbers(struct generator *generator)
{
    static const char typecodes[] = "bBhHiIlLqQ";
    uint64_t numbers[5];
    size_t count = some(generator);
    for (size_t i = 0; i < 5; i++) {
        numbers[i] = next(generator);
    }
    kin_object *object = NULL;
    char typecode = typecodes[below(generator, sizeof typecodes - 1)];
    return made(kin_object_from_numbers(typecode, numbers, count, &object), &object);
}

static maker *const leaf_makers[] = {
    make_singleton, make_integer, make_integer, make_float,     make_float,  make_complex,
    make_text,      make_text,    make_bytes,   make_bytearray, make_global, make_datetime,
    make_span,      make_decimal, make_uuid,    make_range,     make_numbers};

/* --- keys: nothing that can change, no NaN --- */

static kin_object *make_key(struct generator *generator)
{
    if (generator->key_count > 0 && below(generator, 10) == 0) {
        return kin_object_ref(generator->keys[below(generator, generator->key_count)]);
    }
    kin_object *key = NULL;
    size_t choice = below(generator, generator->depth < DEPTH_MAX ? 7 : 5);
    if (choice > 4) {
        kin_object *parts[5];
        size_t count = some(generator);
        generator->depth += 3;
        for (size_t i = 0; i < count; i++) {
            parts[i] = make_key(generator);
        }
        generator->depth -= 3;
        key = choice == 5 ? kin_tuple_from(parts, count) : NULL;
        CHECK(key != NULL || kin_frozenset_from(parts, count, &key) == 0);
    } else {
        static maker *const makers[] = {make_integer, make_text, make_text, make_bytes, make_uuid};
        key = makers[choice](generator);
    }
    return keep(key, generator->keys, &generator->key_count);
}

/* --- containers --- */

static void open_container(struct generator *generator, kin_object *container)
{
    REQUIRE(container != NULL && generator->open_count < OPEN_MAX);
    generator->open[generator->open_count++] = container;
}

static void close_container(struct generator *generator)
{
    generator->open_count--;
}

static void fill_list(struct generator *generator, kin_object *list)
{
    for (size_t count = some(generator); count > 0; count--) {
        CHECK_EQUAL(kin_list_append(list, make_value(generator)), 0);
    }
}

static void fill_dict(struct generator *generator, kin_object *dict)
{
    for (size_t count = some(generator); count > 0; count--) {
        kin_object *key = make_key(generator);
        if (kin_dict_get(dict, key) == NULL) {
            CHECK_EQUAL(kin_dict_set(dict, key, make_value(generator)), 0);
        } else {
            kin_object_free(key);
        }
    }
}

static kin_object *make_list(struct generator *generator)
{
    kin_object *list = kin_list_create();
    open_container(generator, list);
    fill_list(generator, list);
    close_container(generator);
    return list;
}

static kin_object *make_tuple(struct generator *generator)
{
    kin_object *parts[5];
    size_t count = some(generator);
    for (size_t i = 0; i < count; i++) {
        parts[i] = make_value(generator);
    }
    return kin_tuple_from(parts, count);
}

static kin_object *make_dict(struct generator *generator)
{
    kin_object *dict = kin_dict_create();
    open_container(generator, dict);
    fill_dict(generator, dict);
    close_container(generator);
    return dict;
}

static kin_object *make_set(struct generator *generator)
{
    kin_object *set = kin_set_create();
    for (size_t count = some(generator); count > 0; count--) {
        CHECK_EQUAL(kin_set_add(set, make_key(generator)), 0);
    }
    return set;
}

static kin_object *make_frozenset(struct generator *generator)
{
    kin_object *parts[5], *object = NULL;
    size_t count = some(generator);
    for (size_t i = 0; i < count; i++) {
        parts[i] = make_key(generator);
    }
    return made(kin_frozenset_from(parts, count, &object), &object);
}

/* --- containers of Python's library --- */

static kin_object *make_deque(struct generator *generator)
{
    kin_object *deque = kin_deque_create(below(generator, 2) == 0 ? -1 : 5);
    open_container(generator, deque);
    fill_list(generator, kin_instance_items(deque));
    close_container(generator);
    return deque;
}

static kin_object *make_ordered(struct generator *generator)
{
    kin_object *dict = kin_ordered_dict_create();
    if (below(generator, 2) == 0) {
        kin_object_free(dict);
        dict = kin_default_dict_create(kin_object_from_global("builtins", "list"));
    }
    open_container(generator, dict);
    fill_dict(generator, kin_instance_items(dict));
    close_container(generator);
    return dict;
}

static kin_object *make_exception(struct generator *generator)
{
    static const char *const names[] = {"ValueError", "KeyError", "RuntimeError", "StopIteration"};
    const char *name = PICK(generator, names);
    kin_object *object = NULL;
    return made(kin_object_from_exception("builtins", name, make_tuple(generator), &object),
                &object);
}

/* --- instances of the program's own classes, and of one that it knows nothing about --- */

static void fill_attributes(struct generator *generator, kin_object *attributes)
{
    size_t count = some(generator);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "attribute%zu", i);
        CHECK_EQUAL(kin_dict_set_text(attributes, name, make_value(generator)), 0);
    }
}

static kin_object *make_plain(struct generator *generator)
{
    kin_object *instance = NULL, *attributes = kin_dict_create();
    const kin_class *class_ = below(generator, 2) == 0 ? &plain : &inner;
    CHECK_EQUAL(kin_instance_create(class_, kin_tuple_from(NULL, 0), &instance), 0);
    open_container(generator, instance);
    fill_attributes(generator, attributes);
    close_container(generator);
    CHECK_EQUAL(kin_instance_set_state(instance, attributes), 0);
    return instance;
}

static kin_object *make_slots(struct generator *generator)
{
    kin_object *instance = NULL, *attributes = kin_dict_create();
    CHECK_EQUAL(kin_instance_create(&slots, kin_tuple_from(NULL, 0), &instance), 0);
    CHECK_EQUAL(kin_dict_set_text(attributes, "second", make_value(generator)), 0);
    kin_object *state = KIN_TUPLE(kin_object_none(), attributes);
    CHECK_EQUAL(kin_instance_set_state(instance, state), 0);
    return instance;
}

static kin_object *make_reduced(struct generator *generator)
{
    kin_object *instance = NULL;
    CHECK_EQUAL(kin_instance_create(&reduced, make_tuple(generator), &instance), 0);
    return instance;
}

/* classes.Stateful, which is not registered here: NEWOBJ and BUILD with [something]. */
static kin_object *make_opaque(struct generator *generator)
{
    static const char pickle[] = "\x80\x02"
                                 "cclasses\nStateful\n)\x81]Nab.";
    kin_object *opaque = NULL, *state = KIN_LIST(make_value(generator));
    CHECK_EQUAL(kin_pickle_decode(pickle, sizeof pickle - 1, NULL, &opaque, NULL, NULL), 0);
    CHECK_EQUAL(kin_object_kind(opaque), KIN_KIND_OPAQUE);
    CHECK_EQUAL(kin_instance_set_state(opaque, state), 0);
    return opaque;
}

static maker *const container_makers[] = {make_list,  make_list,    make_tuple,     make_tuple,
                                          make_dict,  make_dict,    make_set,       make_frozenset,
                                          make_deque, make_ordered, make_exception, make_plain,
                                          make_slots, make_reduced, make_opaque};

static kin_object *make_value(struct generator *generator)
{
    size_t chance = below(generator, 100);
    generator->left--;
    if (generator->made_count > 0 && chance < 10) {
        return kin_object_ref(generator->made[below(generator, generator->made_count)]);
    }
    if (generator->open_count > 0 && chance < 12) {
        return kin_object_ref(generator->open[below(generator, generator->open_count)]);
    }
    kin_object *value;
    if (generator->depth >= DEPTH_MAX || generator->left <= 0 || chance < 40) {
        value = PICK(generator, leaf_makers)(generator);
    } else {
        generator->depth++;
        value = PICK(generator, container_makers)(generator);
        generator->depth--;
    }
    return keep(value, generator->made, &generator->made_count);
}

kin_object *generate(uint64_t seed)
{
    static const int sizes[] = {1, 5, 20, 40, 80};
    struct generator generator = {.state = seed};
    generator.left = PICK(&generator, sizes);
    kin_object *value = make_value(&generator);
    for (size_t i = 0; i < generator.made_count; i++) {
        kin_object_free(generator.made[i]);
    }
    for (size_t i = 0; i < generator.key_count; i++) {
        kin_object_free(generator.keys[i]);
    }
    return value;
}
