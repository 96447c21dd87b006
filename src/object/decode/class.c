/*
 * What pickles say of classes and functions: their names, calls of them, states. Names become
 * globals, calls instances of registered classes or opaque objects; nothing is called but the
 * hooks of registered classes.
 */
#include "object/list.h"

#include <string.h>

#include "object/decode/decode.h"
#include "object/instance.h"
#include "object/text.h"

/* Whether it could be the name of a module, class or function: in lines, and with dots between
 * what is not empty. */
static bool is_name(kin_bytes name)
{
    const char *text = name.data;
    for (size_t i = 0; i < name.size; i++) {
        bool is_edge = i == 0 || i + 1 == name.size || text[i - 1] == '.';
        if (text[i] == '\n' || text[i] == '\r' || (text[i] == '.' && is_edge)) {
            return false;
        }
    }
    return name.size != 0 && kin__utf8_check(name.data, name.size) != 0;
}

/* Pushes the global of a name. */
static int push_global(struct decoder *decoder, kin_bytes module, kin_bytes name)
{
    if (module.size > DECODE_NAME_BYTES_MAX || name.size > DECODE_NAME_BYTES_MAX) {
        return kin__decode_fail(decoder, KIN_ELIMIT, "a name longer than the limit");
    }
    if (decoder->protocol < 3) {
        kin__decode_rename(&module, &name);
    }
    size_t bytes = sizeof(struct object_global) + 2 * (module.size + name.size) + 16;
    int r = kin__decode_charge_object(decoder, bytes);
    if (r < 0) {
        return r;
    }
    kin_object *global = NULL;
    r = is_name(module) && is_name(name) ? kin__global_make(&decoder->arena, module, name, &global)
                                         : -EBADMSG;
    if (r < 0) {
        return kin__decode_fail_with(decoder, r, "not the name of a class or function");
    }
    kin__decode_push(decoder, global);
    /* Its hooks may let go of what they are given. */
    return ((struct object_global *)global)->class_ == NULL ? 0 : kin__decode_keep(decoder);
}

/* The two lines of GLOBAL and INST. */
static int take_global(struct decoder *decoder)
{
    char module[DECODE_NAME_BYTES_MAX + 1];
    size_t module_size;
    size_t name_size;
    int r = kin__decode_take_line(decoder, &module_size);
    if (r < 0) {
        return r;
    }
    if (module_size > DECODE_NAME_BYTES_MAX) {
        return kin__decode_fail(decoder, KIN_ELIMIT, "a name longer than the limit");
    }
    memcpy(module, decoder->line, module_size);
    r = kin__decode_take_line(decoder, &name_size);
    return r < 0 ? r
                 : push_global(decoder, (kin_bytes){module, module_size},
                               (kin_bytes){decoder->line, name_size});
}

int kin__decode_global(struct decoder *decoder)
{
    return take_global(decoder);
}

int kin__decode_stack_global(struct decoder *decoder)
{
    int r = kin__decode_need(decoder, 2);
    if (r < 0) {
        return r;
    }
    kin_object *module = decoder->cursor.top[-2];
    kin_object *name = decoder->cursor.top[-1];
    if (kin__kind(module) != KIN_KIND_STR || kin__kind(name) != KIN_KIND_STR) {
        return kin__decode_fail(decoder, -EBADMSG, "the name of a class or function is no str");
    }
    r = push_global(decoder, kin_object_bytes(module),
                    kin_object_bytes(name)); /* into spare room */
    if (r < 0) {
        return r;
    }
    kin_object *global = *--decoder->cursor.top;
    decoder->cursor.top -= 2;
    kin__decode_push(decoder, global);
    return kin__decode_drop_both(decoder, module, name);
}

/* --- calls --- */

static void free_call(const struct decode_call *call)
{
    kin_object_free(call->callable);
    kin_object_free(call->arguments);
    kin_object_free(call->keywords);
}

static int drop_call(struct decoder *decoder, const struct decode_call *call)
{
    int r = kin__decode_drop_both(decoder, call->callable, call->arguments);
    int s = kin__decode_drop_both(decoder, call->keywords, NULL);
    return r < 0 ? r : s;
}

static bool is_callable(const kin_object *object)
{
    kin_kind kind = kin__kind(object);
    return kind == KIN_KIND_GLOBAL || kind == KIN_KIND_OPAQUE || kind == KIN_KIND_INSTANCE;
}

static int check_call(struct decoder *decoder, const struct decode_call *call)
{
    if (!is_callable(call->callable)) {
        return kin__decode_fail(decoder, -EBADMSG, "what is called is no class or function");
    }
    if (kin__kind(call->arguments) != KIN_KIND_TUPLE) {
        return kin__decode_fail(decoder, -EBADMSG, "the arguments are no tuple");
    }
    if (call->keywords != NULL && kin__kind(call->keywords) != KIN_KIND_DICT) {
        return kin__decode_fail(decoder, -EBADMSG, "the keywords are no dict");
    }
    return kin__decode_charge_object(decoder, sizeof(struct object_instance));
}

static bool is_named(const kin_object *object, const char *module, const char *name)
{
    return kin__kind(object) == KIN_KIND_GLOBAL && strcmp(kin_global_module(object), module) == 0 &&
           strcmp(kin_global_name(object), name) == 0;
}

/* What copyreg.__newobj__(class, ...) and __newobj_ex__(class, arguments, keywords) mean, which
 * older protocols call, later ones have opcodes for. */
static int normalise(struct decoder *decoder, struct decode_call *call)
{
    const struct object_tuple *given = (const struct object_tuple *)call->arguments;
    bool is_plain = is_named(call->callable, "copyreg", "__newobj__") && given->count > 0;
    bool has_keywords = is_named(call->callable, "copyreg", "__newobj_ex__") && given->count == 3 &&
                        kin__kind(given->items[1]) == KIN_KIND_TUPLE &&
                        kin__kind(given->items[2]) == KIN_KIND_DICT;
    if (call->made_by != MADE_BY_CALL || !(is_plain || has_keywords) ||
        kin__kind(given->items[0]) != KIN_KIND_GLOBAL) {
        return 0;
    }
    struct decode_call meant = {.callable = given->items[0]};
    if (has_keywords) {
        meant.made_by = MADE_BY_NEW_WITH_KEYWORDS;
        meant.arguments = kin_object_ref(given->items[1]);
        meant.keywords = kin_object_ref(given->items[2]);
    } else {
        size_t count = given->count - 1;
        int r = kin__decode_charge(decoder, sizeof *given + count * sizeof given->items[0]);
        if (r < 0) {
            return r;
        }
        meant.made_by = MADE_BY_NEW;
        meant.arguments = kin__tuple_create(&decoder->arena, given->items + 1, count);
        if (meant.arguments == NULL) {
            return kin__decode_fail_with(decoder, -ENOMEM, NULL);
        }
        for (size_t i = 0; i < count; i++) {
            kin_object_ref(given->items[1 + i]);
        }
    }
    kin_object_ref(meant.callable);
    struct decode_call before = *call;
    *call = meant;
    return drop_call(decoder, &before);
}

static uint32_t depth_of(const kin_object *object)
{
    return kin__is_container(object) ? ((const struct container *)object)->depth + 1 : 0;
}

/* What a hook may take for an object that it is given: a copy in another form. */
static uint64_t copy_bytes(const kin_object *object)
{
    enum { PER_CHARACTER = 4, PER_BYTE = 2, PER_ITEM = 16, PER_KEY = 64 };
    switch (kin__kind(object)) {
    case KIN_KIND_INT:
        return kin__is_in_memory(object) ? ((const struct object_integer *)object)->size : 0;
    case KIN_KIND_STR:
        return kin_object_bytes(object).size * PER_CHARACTER;
    case KIN_KIND_BYTES:
    case KIN_KIND_BYTEARRAY:
        return kin_object_bytes(object).size * PER_BYTE;
    case KIN_KIND_LIST:
    case KIN_KIND_TUPLE:
        return kin_object_count(object) * PER_ITEM;
    case KIN_KIND_DICT:
    case KIN_KIND_SET:
    case KIN_KIND_FROZENSET:
        return kin_object_count(object) * PER_KEY;
    default:
        return 0;
    }
}

/* Charges what the hooks of a class may take for a new instance, and what its shape does. */
static int charge_hooks(struct decoder *decoder, const struct decode_call *call)
{
    const struct object_global *global = (const struct object_global *)call->callable;
    if (kin__kind(call->callable) != KIN_KIND_GLOBAL ||
        (global->class_ == NULL && !is_named(call->callable, "copyreg", "_reconstructor"))) {
        return 0;
    }
    const struct object_tuple *arguments = (const struct object_tuple *)call->arguments;
    uint64_t bytes = sizeof(struct object_table) + 2 * sizeof(struct instance_part);
    for (uint64_t i = 0; i < arguments->count; i++) {
        bytes += sizeof(kin_object *) + copy_bytes(arguments->items[i]);
    }
    return kin__decode_charge(decoder, bytes);
}

/* Pushes what a call makes. All of `call` is taken, also on failure. */
static int push_call(struct decoder *decoder, struct decode_call *call)
{
    kin_object *made = NULL;
    kin__decode_hurry(decoder);
    int r = check_call(decoder, call);
    if (r == 0) {
        r = kin__decode_call_known(decoder, call, &made);
    }
    if (r == 1) {
        kin__decode_push(decoder, made);
        return drop_call(decoder, call);
    }
    if (r == 0) {
        r = normalise(decoder, call);
    }
    if (r == 0) {
        r = charge_hooks(decoder, call);
    }
    if (r < 0) {
        free_call(call);
        return r;
    }
    uint32_t depth = depth_of(call->arguments);
    uint32_t other = depth_of(call->callable);
    depth = other > depth ? other : depth;
    other = depth_of(call->keywords);
    depth = other > depth ? other : depth;
    struct kin__origin origin = {.callable = call->callable,
                                 .arguments = call->arguments,
                                 .keywords = call->keywords,
                                 .made_by = call->made_by};
    r = kin__instance_make(&decoder->arena, &origin, &made);
    if (r < 0) {
        return kin__decode_fail_with(decoder, r, "its class refuses these arguments");
    }
    struct container *container = (struct container *)made;
    container->depth = container->depth > depth ? container->depth : depth;
    kin__decode_push(decoder, made);
    return kin__decode_check_depth(decoder, made);
}

/* A call of the `count` values on top: callable, arguments and keywords. */
static int call_top(struct decoder *decoder, size_t count, uint32_t made_by)
{
    int r = kin__decode_need(decoder, count);
    if (r < 0) {
        return r;
    }
    kin_object **values = decoder->cursor.top - count;
    struct decode_call call = {.callable = values[0],
                               .arguments = values[1],
                               .keywords = count == 3 ? values[2] : NULL,
                               .made_by = made_by};
    decoder->cursor.top = values;
    return push_call(decoder, &call);
}

int kin__decode_reduce(struct decoder *decoder)
{
    return call_top(decoder, 2, MADE_BY_CALL);
}

int kin__decode_newobj(struct decoder *decoder)
{
    return call_top(decoder, 2, MADE_BY_NEW);
}

int kin__decode_newobj_ex(struct decoder *decoder)
{
    return call_top(decoder, 3, MADE_BY_NEW_WITH_KEYWORDS);
}

/* A call of a class, as protocols 0 and 1 write it: `arguments` are taken away, with the MARK
 * before them; `class_` is, too, also on failure. Without arguments no constructor is called. */
static int instantiate(struct decoder *decoder, kin_object *class_, kin_object **arguments)
{
    size_t count = (size_t)(decoder->cursor.top - arguments);
    int r = kin__decode_charge_object(decoder, sizeof(struct object_tuple) + count * 8);
    kin_object *tuple = r < 0 ? NULL : kin__tuple_create(&decoder->arena, arguments, count);
    if (tuple == NULL) {
        kin_object_free(class_);
        return r < 0 ? r : kin__decode_fail_with(decoder, -ENOMEM, NULL);
    }
    kin__decode_take_mark(decoder);
    struct decode_call call = {
        .callable = class_, .arguments = tuple, .made_by = count == 0 ? MADE_BY_NEW : MADE_BY_CALL};
    return push_call(decoder, &call);
}

int kin__decode_inst(struct decoder *decoder)
{
    kin_object **items;
    size_t count;
    int r = kin__decode_need_mark(decoder, 0, &items, &count);
    if (r == 0) {
        r = take_global(decoder);
    }
    if (r < 0) {
        return r;
    }
    kin_object *class_ = *--decoder->cursor.top;
    return instantiate(decoder, class_, items);
}

int kin__decode_obj(struct decoder *decoder)
{
    kin_object **items;
    size_t count;
    int r = kin__decode_need_mark(decoder, 0, &items, &count);
    if (r == 0 && count == 0) {
        r = kin__decode_fail(decoder, -EBADMSG, "a value is missing above the MARK");
    }
    if (r < 0) {
        return r;
    }
    kin_object *class_ = items[0];
    items[0] = KIN__NONE;
    return instantiate(decoder, class_, items + 1);
}

int kin__decode_build(struct decoder *decoder)
{
    int r = kin__decode_need(decoder, 2);
    if (r == 0) {
        r = kin__decode_charge(decoder, 2 * sizeof(struct instance_part));
    }
    if (r < 0) {
        return r;
    }
    kin_object *whole = decoder->cursor.top[-2];
    kin_kind kind = kin__kind(whole);
    if (kind != KIN_KIND_INSTANCE && kind != KIN_KIND_OPAQUE) {
        return kin__decode_fail(decoder, -EBADMSG, "a state for what has none");
    }
    if (kind == KIN_KIND_INSTANCE && kin_instance_class(whole)->setstate != NULL) {
        r = kin__decode_charge(decoder, copy_bytes(decoder->cursor.top[-1]));
        if (r < 0) {
            return r;
        }
    }
    kin_object *state = *--decoder->cursor.top;
    kin__decode_hurry(decoder);
    kin__depth_add((struct container *)whole, state);
    r = kin__instance_build(whole, kin__decode_own_count(whole), state);
    return r < 0 ? kin__decode_fail_with(decoder, r, "its class refuses this state")
                 : kin__decode_check_depth(decoder, whole);
}

int kin__decode_persid(struct decoder *decoder)
{
    return kin__decode_fail(decoder, -EOPNOTSUPP, "a persistent id: only its writer knows it");
}

int kin__decode_ext(struct decoder *decoder)
{
    return kin__decode_fail(decoder, -EOPNOTSUPP, "an extension code: only its writer knows it");
}
