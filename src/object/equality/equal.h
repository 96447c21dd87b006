/**
 * Whether objects are equal, for look-ups: with a limit to the effort.
 */
#ifndef KIN_OBJECT_EQUALITY_EQUAL_H
#define KIN_OBJECT_EQUALITY_EQUAL_H

#include <string.h>

#include <kin/error.h>

#include "object/equality/effort.h"
#include "object/object.h"

/* Whether two different objects are equal: 1, 0, KIN_ELIMIT, -ENOMEM, or what a class's hook
 * returned. */
int kin__equal(const kin_object *first, const kin_object *second, struct kin__effort *effort);

/* The same for two keys, most of which are texts or small ints. */
static inline int kin__key_equal(const kin_object *first, const kin_object *second,
                                 struct kin__effort *effort)
{
    if (first == second) {
        return 1;
    }
    if (kin__is_small_int(first) && kin__is_small_int(second)) {
        return 0;
    }
    if (kin__is_in_memory(first) && kin__is_in_memory(second) &&
        (first->kind == KIN_KIND_STR || second->kind == KIN_KIND_STR)) {
        const struct object_text *text = (const struct object_text *)first;
        const struct object_text *other = (const struct object_text *)second;
        if (first->kind != second->kind || text->size != other->size) {
            return 0;
        }
        if (!kin__effort_charge_bytes(effort, text->size)) {
            return KIN_ELIMIT;
        }
        return memcmp(text->bytes, other->bytes, text->size) == 0;
    }
    return kin__equal(first, second, effort);
}

#endif
