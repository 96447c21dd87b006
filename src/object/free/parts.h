/**
 * What a container refers to, for the walks of free.c and search.c: inlined into each of their
 * loops, together with what they do with it.
 */
#ifndef KIN_OBJECT_FREE_PARTS_H
#define KIN_OBJECT_FREE_PARTS_H

#include "object/instance.h"

typedef void kin__visit(void *walk, kin_object *part);

static inline __attribute__((always_inline)) void
kin__visit_table(void *walk, const struct object_table *table, kin__visit *visit)
{
    for (uint64_t i = 0; i < table->used; i++) {
        visit(walk, table->entries[i].key);
        visit(walk, table->entries[i].value);
    }
}

static inline __attribute__((always_inline)) void
kin__visit_instance(void *walk, const struct object_instance *instance, kin__visit *visit)
{
    visit(walk, instance->callable);
    visit(walk, instance->arguments);
    visit(walk, instance->keywords);
    for (uint32_t i = 0; i < instance->part_count; i++) {
        visit(walk, instance->parts[i].object);
    }
}

/* Visits what a container refers to, NULLs included. */
static inline __attribute__((always_inline)) void
kin__visit_parts(void *walk, const struct container *container, kin__visit *visit)
{
    if (container->object.kind == KIN_KIND_LIST) {
        const struct object_list *list = (const struct object_list *)container;
        for (uint64_t i = 0; i < list->count; i++) {
            visit(walk, list->items[i]);
        }
    } else if (container->object.kind == KIN_KIND_TUPLE) {
        const struct object_tuple *tuple = (const struct object_tuple *)container;
        for (uint64_t i = 0; i < tuple->count; i++) {
            visit(walk, tuple->items[i]);
        }
    } else if (container->object.kind <= KIN_KIND_FROZENSET) {
        kin__visit_table(walk, (const struct object_table *)container, visit);
    } else {
        kin__visit_instance(walk, (const struct object_instance *)container, visit);
    }
}

#endif
