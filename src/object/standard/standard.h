/**
 * The classes of Python's own library that kin knows: constant tables, one a module, and what
 * their hooks share. The hooks check what a pickle says as Python's constructors would
 * (-EBADMSG), bring what can be written in several ways into one, and leave an opaque object
 * where the arguments are in order but of a rare kind (KIN__STAYS_OPAQUE).
 */
#ifndef KIN_OBJECT_STANDARD_STANDARD_H
#define KIN_OBJECT_STANDARD_STANDARD_H

#include <kin/standard.h>

#include "object/instance.h"

/* The classes of a module, in the order of their names (strcmp). */
struct kin__module {
    const char *name;
    const kin_class *classes;
    size_t count;
};

/* The classes in an array, and how many there are. */
#define KIN__CLASSES(array) (array), sizeof(array) / sizeof *(array)

extern const struct kin__module kin__module_array;
extern const struct kin__module kin__module_builtins;
extern const struct kin__module kin__module_collections;
extern const struct kin__module kin__module_datetime;
extern const struct kin__module kin__module_decimal;
extern const struct kin__module kin__module_uuid;

extern const kin_class *const kin__class_array;

/* Modules of which kin knows exceptions only. */
extern const struct kin__module kin__exception_modules[];
extern const size_t kin__exception_modules_count;

/* What kin_object_count and kin_object_at say of ranges. */
bool kin__is_range(const kin_object *object);
size_t kin__range_count(const kin_object *range);
kin_object *kin__range_at(const kin_object *range, size_t index);

/* The hooks of builtins. */
int kin__exception_construct(kin_object *exception);
int kin__exception_setstate(kin_object *exception, kin_object *state);
kin_object *kin__exception_describe(const kin_object *exception);
int kin__exception_group_construct(kin_object *group);
int kin__unicode_error_construct(kin_object *error);
int kin__range_construct(kin_object *range);
int kin__range_equal(const kin_object *first, const kin_object *second);
int kin__range_hash(const kin_object *range, uint64_t *ret_hash);
kin_object *kin__range_describe(const kin_object *range);
int kin__slice_construct(kin_object *slice);
kin_object *kin__slice_describe(const kin_object *slice);
int kin__type_construct(kin_object *type);
kin_object *kin__type_describe(const kin_object *type);

/* kin_class_find among them. */
const kin_class *kin__standard_find(kin_bytes module, kin_bytes name);

/* Whether it is one of them. */
bool kin__is_standard(const kin_class *class_);

/* Makes an instance of one of them; `arguments` are taken. */
int kin__standard_make(const kin_class *class_, enum made_by made_by, kin_object *arguments,
                       kin_object **ret_object);

/* Replaces what an instance was made with, by what says the same; `arguments` is taken; NULL is
 * -ENOMEM. */
int kin__standard_rewrite(kin_object *instance, kin_object *arguments);

/*
 * For `describe` hooks: each takes the list, NULL as well, and returns it, or NULL: no memory.
 */

/* Appends what is printed; at most 255 bytes. */
kin_object *kin__describe(kin_object *list, const char *format, ...) KIN_PRINTF(2, 3);

/* Appends an object, of which Python's repr is shown. */
kin_object *kin__describe_object(kin_object *list, const kin_object *object);

/* A new list: a name and objects in parentheses. */
kin_object *kin__describe_call(const char *name, kin_object *const *objects, size_t count);

/* Whether it is an instance of this class. */
static inline bool kin__is_of(const kin_object *object, const kin_class *class_)
{
    return kin__kind(object) == KIN_KIND_INSTANCE &&
           ((const struct object_instance *)object)->class_ == class_;
}

/* Argument `index`; NULL: there is none. */
static inline kin_object *kin__argument(const kin_object *instance, size_t index)
{
    const struct object_tuple *arguments =
        (const struct object_tuple *)((const struct object_instance *)instance)->arguments;
    return index < arguments->count ? arguments->items[index] : NULL;
}

static inline size_t kin__argument_count(const kin_object *instance)
{
    return ((const struct object_tuple *)((const struct object_instance *)instance)->arguments)
        ->count;
}

#endif
