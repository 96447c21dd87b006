/*
 * Calls whose meaning is known: objects that Python's pickles make by calling builtins, because
 * their protocol has no opcode for them, and kin's own handles and fds.
 */
#include "object/decode/decode.h"
#include "object/handle.h"
#include "object/instance.h"
#include "object/list.h"
#include "object/runtime.h"
#include "object/table.h"
#include "object/text.h"

#include <string.h>

/* A call: what is known of it. */
struct known {
    struct decoder *decoder;
    kin_object *const *arguments;
    size_t count;
    kin_object *made;
};

typedef int known_function(struct known *known);

/* 1 for what was made. */
static int finish(struct known *known, kin_object *made)
{
    known->made = made;
    return made == NULL ? kin__decode_fail_with(known->decoder, -ENOMEM, NULL) : 1;
}

/* Whether argument `index` names Latin-1, as str encodings are known to pickles. */
static bool is_latin1(const struct known *known, size_t index)
{
    const char *name = kin_object_text(known->arguments[index]);
    return name != NULL && (strcmp(name, "latin1") == 0 || strcmp(name, "latin-1") == 0);
}

/* Bytes of a kind of a str, whose characters they are. */
static int encode_latin1(struct known *known, kin_kind kind, kin_bytes text)
{
    int r = kin__decode_charge(known->decoder, 2 * text.size);
    if (r < 0) {
        return r;
    }
    kin_object *object = kin__bytes_create(&known->decoder->arena, kind, NULL, text.size);
    if (object == NULL) {
        return finish(known, NULL);
    }
    struct object_bytes *bytes = (struct object_bytes *)object;
    const unsigned char *from = text.data;
    size_t written = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = from[i];
        if (byte >= 0x80) { /* two bytes, or more than Latin-1 has */
            if (byte > 0xc3) {
                kin_object_free(object);
                return 0;
            }
            byte = (unsigned char)((byte << 6) | (from[++i] & 0x3f));
        }
        bytes->data[written++] = byte;
    }
    bytes->size = written;
    bytes->data[written] = '\0';
    return finish(known, object);
}

static int make_bytes_of(struct known *known, kin_kind kind)
{
    struct kin__arena *arena = &known->decoder->arena;
    if (known->count == 0) {
        return finish(known, kin__bytes_create(arena, kind, NULL, 0));
    }
    kin_kind given = kin__kind(known->arguments[0]);
    kin_bytes bytes = kin_object_bytes(known->arguments[0]);
    if (known->count == 1 && (given == KIN_KIND_BYTES || given == KIN_KIND_BYTEARRAY)) {
        int r = kin__decode_charge(known->decoder, bytes.size);
        return r < 0 ? r : finish(known, kin__bytes_create(arena, kind, bytes.data, bytes.size));
    }
    return known->count == 2 && given == KIN_KIND_STR && is_latin1(known, 1)
               ? encode_latin1(known, kind, bytes)
               : 0;
}

static int make_bytes(struct known *known)
{
    return make_bytes_of(known, KIN_KIND_BYTES);
}

static int make_bytearray(struct known *known)
{
    return make_bytes_of(known, KIN_KIND_BYTEARRAY);
}

static int make_encoded(struct known *known)
{
    bool is_known = known->count == 2 && kin__kind(known->arguments[0]) == KIN_KIND_STR &&
                    is_latin1(known, 1);
    return is_known ? encode_latin1(known, KIN_KIND_BYTES, kin_object_bytes(known->arguments[0]))
                    : 0;
}

static int make_complex(struct known *known)
{
    double parts[2];
    if (known->count != 2 || kin_object_to_float(known->arguments[0], &parts[0]) != 0 ||
        kin_object_to_float(known->arguments[1], &parts[1]) != 0) {
        return 0;
    }
    struct object_complex *made = kin__object_allocate(&known->decoder->arena, KIN_KIND_COMPLEX,
                                                       sizeof *made);
    if (made == NULL) {
        return finish(known, NULL);
    }
    made->real = parts[0];
    made->imaginary = parts[1];
    return finish(known, &made->object);
}

static int make_set_of(struct known *known, kin_kind kind)
{
    static const kin_object *const none = NULL;
    kin_kind given = known->count == 1 ? kin__kind(known->arguments[0]) : KIN_KIND_NOTHING;
    if (known->count != 0 && given != KIN_KIND_LIST && given != KIN_KIND_TUPLE) {
        return 0;
    }
    int r = kin__decode_set_of(known->decoder, kind, known->count == 0 ? none : known->arguments[0],
                               &known->made);
    return r < 0 ? r : 1;
}

static int make_set(struct known *known)
{
    return make_set_of(known, KIN_KIND_SET);
}

static int make_frozenset(struct known *known)
{
    return make_set_of(known, KIN_KIND_FROZENSET);
}

static int make_list(struct known *known)
{
    return known->count == 0 ? finish(known, kin__list_create(&known->decoder->arena, 0)) : 0;
}

static int make_tuple(struct known *known)
{
    return known->count == 0 ? finish(known, kin__tuple_create(&known->decoder->arena, NULL, 0))
                             : 0;
}

static int make_dict(struct known *known)
{
    return known->count == 0
               ? finish(known, kin__table_create(&known->decoder->arena, KIN_KIND_DICT, 0))
               : 0;
}

static uint64_t take_number(const unsigned char *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = size; i-- > 0;) {
        number = (number << 8) | bytes[i];
    }
    return number;
}

/* Before protocol 4 Python takes a nested name apart: getattr(module.First, 'second'). */
static int make_nested(struct known *known)
{
    char nested[DECODE_NAME_BYTES_MAX];
    struct decoder *decoder = known->decoder;
    const char *first = known->count == 2 ? kin_global_name(known->arguments[0]) : NULL;
    const char *second = first == NULL ? NULL : kin_object_text(known->arguments[1]);
    if (second == NULL || *second == '\0' || strpbrk(second, ".\n\r") != NULL ||
        strlen(second) != kin_object_bytes(known->arguments[1]).size) {
        return 0;
    }
    const char *module_name = kin_global_module(known->arguments[0]);
    kin_bytes module = {module_name, strlen(module_name)};
    size_t first_bytes = strlen(first);
    size_t second_bytes = strlen(second);
    kin_bytes name = {nested, first_bytes + 1 + second_bytes};
    if (name.size > DECODE_NAME_BYTES_MAX) {
        return 0;
    }
    memcpy(nested, first, first_bytes);
    nested[first_bytes] = '.';
    memcpy(nested + first_bytes + 1, second, second_bytes);
    int r = kin__decode_charge(decoder, 2 * (module.size + name.size));
    if (r == 0 && kin__global_make(&decoder->arena, module, name, &known->made) < 0) {
        return finish(known, NULL);
    }
    if (r == 0 && ((struct object_global *)known->made)->class_ != NULL) {
        r = kin__decode_keep(decoder); /* as where a name is read */
    }
    return r < 0 ? r : 1;
}

/* The handle that a call is given. 0 or a code. */
static int take_handle(struct known *known, kin_handle *ret_handle)
{
    kin_bytes bytes = known->count == 1 ? kin_object_bytes(known->arguments[0]) : (kin_bytes){0};
    if (bytes.size != sizeof(kin_handle)) {
        return kin__decode_fail(known->decoder, -EBADMSG, "not a handle");
    }
    const unsigned char *at = bytes.data;
    *ret_handle = (kin_handle){.index = (uint32_t)take_number(at, 4),
                               .family = (uint32_t)take_number(at + 4, 4),
                               .counter = take_number(at + 8, 8)};
    return 0;
}

static int make_handle(struct known *known)
{
    kin_handle handle;
    if (!known->decoder->takes_handles) {
        return 0;
    }
    int r = take_handle(known, &handle);
    if (r < 0) {
        return r;
    }
    r = kin__handle_create(&known->decoder->arena, handle, &known->made);
    return r < 0 ? kin__decode_fail_with(known->decoder, r, "a handle of what is gone") : 1;
}

static int make_shared_memory(struct known *known)
{
    kin_handle handle;
    if (!known->decoder->takes_handles || kin__view_hook == NULL) {
        return 0;
    }
    int r = take_handle(known, &handle);
    if (r < 0) {
        return r;
    }
    r = kin__view_hook(handle, &known->made);
    return r < 0 ? kin__decode_fail_with(known->decoder, r, "shared memory that is gone") : 1;
}

static int make_fd(struct known *known)
{
    uint64_t index = 0;
    if (known->decoder->fds == NULL) {
        return 0;
    }
    if (known->count != 1 || kin_object_to_uint(known->arguments[0], &index) != 0 ||
        index >= known->decoder->fd_count) {
        return kin__decode_fail(known->decoder, -EBADMSG, "not an fd that came with the bytes");
    }
    int r = kin__fd_create(&known->decoder->arena, known->decoder->fds[index], &known->made);
    return r < 0 ? kin__decode_fail_with(known->decoder, r, "the fd cannot be duplicated") : 1;
}

static const struct {
    const char *module;
    const char *name;
    known_function *make;
} functions[] = {
    {"builtins", "bytearray", make_bytearray},
    {"builtins", "bytes", make_bytes},
    {"builtins", "complex", make_complex},
    {"builtins", "dict", make_dict},
    {"builtins", "frozenset", make_frozenset},
    {"builtins", "getattr", make_nested},
    {"builtins", "list", make_list},
    {"builtins", "set", make_set},
    {"builtins", "tuple", make_tuple},
    {"_codecs", "encode", make_encoded},
    {KIN__WIRE_MODULE, KIN__WIRE_HANDLE, make_handle},
    {KIN__WIRE_MODULE, KIN__WIRE_FD, make_fd},
    {KIN__WIRE_MODULE, KIN__WIRE_SHARED_MEMORY, make_shared_memory},
};

int kin__decode_call_known(struct decoder *decoder, const struct decode_call *call,
                           kin_object **ret_object)
{
    const char *module = kin_global_module(call->callable);
    const char *name = kin_global_name(call->callable);
    const struct object_global *global = (const struct object_global *)call->callable;
    if (module == NULL || call->made_by != MADE_BY_CALL || global->class_ != NULL) {
        return 0;
    }
    const struct object_tuple *arguments = (const struct object_tuple *)call->arguments;
    struct known known = {
        .decoder = decoder, .arguments = arguments->items, .count = arguments->count};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (strcmp(name, functions[i].name) == 0 && strcmp(module, functions[i].module) == 0) {
            int r = functions[i].make(&known);
            *ret_object = r == 1 ? known.made : *ret_object;
            return r;
        }
    }
    return 0;
}
