/**
 * Lists and tuples: making and filling them, also in a decoder's arena.
 */
#ifndef KIN_OBJECT_LIST_H
#define KIN_OBJECT_LIST_H

#include "object/object.h"
#include "object/region.h"

/* Sets what a list without items has behind its header. */
static inline void kin__list_begin(struct object_list *list)
{
    list->container.scratch = 0;
    list->container.depth = 0;
    list->count = 0;
    list->capacity = 0;
    list->items = NULL;
}

/* An empty list with room for `count` items. NULL: no memory. */
kin_object *kin__list_create(struct kin__arena *arena, size_t count);

/* Appends `count` items, which are taken on success only. `own_count`: references to the list that
 * no object has (the caller's, a memo's). 0, -ENOMEM. */
int kin__list_extend(kin_object *list, kin_object *const *items, size_t count, uint32_t own_count);

/* A tuple of `count` items, which are taken on success only. NULL: no memory. */
kin_object *kin__tuple_create(struct kin__arena *arena, kin_object *const *items, size_t count);

/* Notes that `part` is in `whole` now. */
static inline void kin__depth_add(struct container *whole, const kin_object *part)
{
    if (kin__is_container(part)) {
        uint32_t depth = ((const struct container *)part)->depth + 1;
        whole->depth = depth > whole->depth ? depth : whole->depth;
        kin__mark_inside(part);
    }
}

#endif
