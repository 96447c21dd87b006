/**
 * What can be asked of an object of any kind.
 */
#include "object/instance.h"
#include "object/standard/standard.h"

kin_kind kin_object_kind(const kin_object *object)
{
    return kin__kind(object);
}

const char *kin_object_type_name(const kin_object *object)
{
    static const char *const names[] = {
        [KIN_KIND_NOTHING] = "",
        [KIN_KIND_NONE] = "NoneType",
        [KIN_KIND_BOOL] = "bool",
        [KIN_KIND_INT] = "int",
        [KIN_KIND_FLOAT] = "float",
        [KIN_KIND_COMPLEX] = "complex",
        [KIN_KIND_STR] = "str",
        [KIN_KIND_BYTES] = "bytes",
        [KIN_KIND_BYTEARRAY] = "bytearray",
        [KIN_KIND_LIST] = "list",
        [KIN_KIND_TUPLE] = "tuple",
        [KIN_KIND_DICT] = "dict",
        [KIN_KIND_SET] = "set",
        [KIN_KIND_FROZENSET] = "frozenset",
        [KIN_KIND_GLOBAL] = "global",
        [KIN_KIND_HANDLE] = "handle",
        [KIN_KIND_FD] = "fd",
    };
    kin_kind kind = kin__kind(object);
    if (kind == KIN_KIND_INSTANCE || kind == KIN_KIND_OPAQUE) {
        return kin__instance_type_name((const struct object_instance *)object);
    }
    return names[kind];
}

size_t kin_object_count(const kin_object *object)
{
    switch (kin__kind(object)) {
    case KIN_KIND_LIST:
        return ((const struct object_list *)object)->count;
    case KIN_KIND_TUPLE:
        return ((const struct object_tuple *)object)->count;
    case KIN_KIND_DICT:
    case KIN_KIND_SET:
    case KIN_KIND_FROZENSET:
        return ((const struct object_table *)object)->count;
    case KIN_KIND_INSTANCE:
        return kin__is_range(object) ? kin__range_count(object) : 0;
    default:
        return 0;
    }
}

kin_object *kin_object_at(const kin_object *object, size_t index)
{
    kin_object *const *items = NULL;
    if (kin__kind(object) == KIN_KIND_LIST) {
        items = ((const struct object_list *)object)->items;
    } else if (kin__kind(object) == KIN_KIND_TUPLE) {
        items = ((const struct object_tuple *)object)->items;
    } else if (kin__is_range(object)) {
        return kin__range_at(object, index);
    }
    return items == NULL || index >= kin_object_count(object) ? NULL : items[index];
}

bool kin_object_is_true(const kin_object *object)
{
    switch (kin__kind(object)) {
    case KIN_KIND_NOTHING:
    case KIN_KIND_NONE:
        return false;
    case KIN_KIND_BOOL:
        return object == KIN__TRUE;
    case KIN_KIND_INT:
        return !kin__is_small_int(object) || kin__small_int_value(object) != 0;
    case KIN_KIND_FLOAT:
        return ((const struct object_float *)object)->value != 0;
    case KIN_KIND_COMPLEX:
        return ((const struct object_complex *)object)->real != 0 ||
               ((const struct object_complex *)object)->imaginary != 0;
    case KIN_KIND_STR:
    case KIN_KIND_BYTES:
    case KIN_KIND_BYTEARRAY:
        return kin_object_bytes(object).size != 0;
    case KIN_KIND_LIST:
    case KIN_KIND_TUPLE:
    case KIN_KIND_DICT:
    case KIN_KIND_SET:
    case KIN_KIND_FROZENSET:
        return kin_object_count(object) != 0;
    default:
        return true;
    }
}
