/**
 * Classes and functions, by their names.
 */
#include "object/encode/leaf.h"

/* Before protocol 4: names in two lines. */
static int write_lines(struct encoder *encoder, const char *module, const char *name,
                       size_t name_size)
{
    size_t module_size = strlen(module);
    int r = kin__encode_reserve(encoder, module_size + name_size + 3);
    if (r < 0) {
        return r;
    }
    unsigned char *start = encoder->next;
    kin__write_u8(encoder, OPCODE_GLOBAL);
    memcpy(encoder->next, module, module_size);
    encoder->next += module_size;
    kin__write_u8(encoder, '\n');
    memcpy(encoder->next, name, name_size);
    encoder->next += name_size;
    kin__write_u8(encoder, '\n');
    uint32_t line_count = 0;
    for (const unsigned char *at = start; at < encoder->next; at++) {
        line_count += *at == '\n';
        if (*at >= 0x80 && encoder->protocol < 3) {
            return -EOPNOTSUPP;
        }
    }
    return line_count == 2 ? 0 : -EOPNOTSUPP;
}

/* A nested name is taken apart: getattr(getattr(module.First, 'second'), 'third'). */
static int write_nested(struct encoder *encoder, const struct known_global *global,
                        const char *first_end)
{
    static const struct known_global get_attribute = {"builtins", "getattr"};
    uint32_t depth = 0;
    int r = 0;
    for (const char *dot = first_end; dot != NULL && r == 0; dot = strchr(dot + 1, '.')) {
        r = kin__encode_known(encoder, &get_attribute);
        depth++;
    }
    if (r == 0) {
        r = write_lines(encoder, global->module, global->name, (size_t)(first_end - global->name));
    }
    const char *name = first_end + 1;
    for (; depth > 0 && r == 0; depth--) {
        const char *end = strchr(name, '.');
        size_t size = end == NULL ? strlen(name) : (size_t)(end - name);
        r = kin__encode_text(encoder, name, size);
        if (r == 0) {
            r = kin__encode_opcode(encoder, OPCODE_TUPLE2);
        }
        if (r == 0) {
            r = kin__encode_opcode(encoder, OPCODE_REDUCE);
        }
        name += size + 1;
    }
    return r;
}

static int write_global(struct encoder *encoder, const char *module, const char *name)
{
    if (encoder->protocol < 4) {
        struct known_global global = {module, name};
        if (encoder->protocol < 3) {
            kin__encode_rename(&global);
        }
        const char *dot = strchr(global.name, '.');
        return dot != NULL ? write_nested(encoder, &global, dot)
                           : write_lines(encoder, global.module, global.name, strlen(global.name));
    }
    int r = kin__encode_text(encoder, module, strlen(module));
    if (r == 0) {
        r = kin__encode_text(encoder, name, strlen(name));
    }
    return r < 0 ? r : kin__encode_opcode(encoder, OPCODE_STACK_GLOBAL);
}

/* Writes a global, or fetches it by its key from the memo. */
static int encode_named(struct encoder *encoder, const void *key, const char *module,
                        const char *name)
{
    int r = kin__encode_get(encoder, key);
    if (r == 0) {
        r = write_global(encoder, module, name);
        return r < 0 ? r : kin__encode_put(encoder, key);
    }
    return r < 0 ? r : 0;
}

int kin__encode_known(struct encoder *encoder, const struct known_global *known)
{
    return encode_named(encoder, known, known->module, known->name);
}

int kin__encode_class(struct encoder *encoder, const kin_class *class_)
{
    return encode_named(encoder, class_, class_->module, class_->name);
}

int kin__encode_global(struct encoder *encoder, const struct object_global *global)
{
    if (global->class_ != NULL) { /* each of its instances has a global of its own, as a rule */
        return kin__encode_class(encoder, global->class_);
    }
    int r = write_global(encoder, global->bytes, global->bytes + global->module_size + 1);
    return r < 0 ? r : kin__encode_note(encoder, &global->object);
}
