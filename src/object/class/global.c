/* Names of classes and functions. Whether a class of this name is registered is looked up once. */
#include "object/class/class.h"
#include "object/instance.h"

#include <string.h>

#include "base/arithmetic.h"

static const char builtin_module[] = "builtins";

static bool is_builtin(kin_bytes module)
{
    return module.size == sizeof builtin_module - 1 &&
           memcmp(module.data, builtin_module, module.size) == 0;
}

/* Names end with NUL in C: none may be in them. */
static bool is_name(kin_bytes name)
{
    return name.size != 0 && name.size <= UINT16_MAX && memchr(name.data, 0, name.size) == NULL;
}

static char *put(char *at, kin_bytes bytes, char end)
{
    memcpy(at, bytes.data, bytes.size);
    at[bytes.size] = end;
    return at + bytes.size + 1;
}

int kin__global_make(struct kin__arena *arena, kin_bytes module, kin_bytes name,
                     kin_object **ret_global)
{
    if (!is_name(module) || !is_name(name)) {
        return -EBADMSG;
    }
    size_t bytes = offsetof(struct object_global, bytes) + 2 * (module.size + name.size + 2);
    struct object_global *global = kin__object_allocate(arena, KIN_KIND_GLOBAL, bytes);
    if (global == NULL) {
        return -ENOMEM;
    }
    global->module_size = (uint32_t)module.size;
    global->name_size = (uint32_t)name.size;
    global->class_ = kin__class_find(module, name);
    char *at = put(put(global->bytes, module, '\0'), name, '\0');
    if (!is_builtin(module)) {
        at = put(at, module, '.');
    }
    put(at, name, '\0');
    *ret_global = &global->object;
    return 0;
}

kin_object *kin_object_from_global(const char *module, const char *name)
{
    kin_object *global = NULL;
    if (module == NULL || name == NULL) {
        return NULL;
    }
    kin_bytes module_bytes = {module, strlen(module)};
    kin_bytes name_bytes = {name, strlen(name)};
    return kin__global_make(NULL, module_bytes, name_bytes, &global) < 0 ? NULL : global;
}

static const struct object_global *global_of(const kin_object *object)
{
    return kin__kind(object) == KIN_KIND_GLOBAL ? (const struct object_global *)object : NULL;
}

const char *kin_global_module(const kin_object *object)
{
    const struct object_global *global = global_of(object);
    return global == NULL ? NULL : global->bytes;
}

const char *kin_global_name(const kin_object *object)
{
    const struct object_global *global = global_of(object);
    return global == NULL ? NULL : global->bytes + global->module_size + 1;
}

const char *kin__global_full_name(const struct object_global *global)
{
    return global->bytes + global->module_size + global->name_size + 2;
}
