/*
 * How deep a graph is. As long as each container is in one place, all that goes into another is
 * complete, and its depth is known when it does. Where one is referred to again, it may be filled
 * later, or be in itself. Such a graph is measured once, at the end of its pickle: each container
 * gets one more than the deepest in it, from below, on a stack of our own that never is higher than
 * the limit. A way that leads back is none.
 *
 * While it is on the stack, a container is KIN__VISITED and KIN__CANDIDATE, then KIN__VISITED; all
 * that are so are in a list through their links.
 */
#include "object/equality/stack.h"
#include "object/free/free.h"
#include "object/instance.h"
#include "object/pickle.h"
#include "object/runtime.h"

#include "object/decode/decode.h"

enum { FRAMES_FIRST = 32, INSTANCE_FIXED_PARTS = 3 };

struct depth_frame {
    struct container *container;
    uint64_t next; /* part to be looked at */
};

struct depth_walk {
    struct kin__stack stack;
    struct container *visited;
    uint32_t depth_max;
};

static kin_object *part_of_instance(const struct object_instance *instance, uint64_t index)
{
    kin_object *const fixed[INSTANCE_FIXED_PARTS] = {instance->callable, instance->arguments,
                                                     instance->keywords};
    return index < INSTANCE_FIXED_PARTS ? fixed[index]
                                        : instance->parts[index - INSTANCE_FIXED_PARTS].object;
}

/* Part `index` of a container, which may be NULL. False: there is none. */
static bool find_part(const struct container *container, uint64_t index, kin_object **ret_part)
{
    kin_kind kind = (kin_kind)container->object.kind;
    uint64_t count;
    if (kind == KIN_KIND_LIST) {
        const struct object_list *list = (const struct object_list *)container;
        count = list->count;
        *ret_part = index < count ? list->items[index] : NULL;
    } else if (kind == KIN_KIND_TUPLE) {
        const struct object_tuple *tuple = (const struct object_tuple *)container;
        count = tuple->count;
        *ret_part = index < count ? tuple->items[index] : NULL;
    } else if (kind <= KIN_KIND_FROZENSET) {
        const struct object_table *table = (const struct object_table *)container;
        count = 2 * table->used;
        if (index < count) {
            const struct table_entry *entry = &table->entries[index / 2];
            *ret_part = index % 2 == 0 ? entry->key : entry->value;
        }
    } else {
        const struct object_instance *instance = (const struct object_instance *)container;
        count = INSTANCE_FIXED_PARTS + (uint64_t)instance->part_count;
        *ret_part = index < count ? part_of_instance(instance, index) : NULL;
    }
    return index < count;
}

/* Goes down into a container. */
static int enter(struct depth_walk *walk, struct container *container)
{
    if (walk->stack.count >= walk->depth_max) {
        return KIN_ELIMIT;
    }
    struct depth_frame *frame = kin__stack_push(&walk->stack);
    if (frame == NULL) {
        return -ENOMEM;
    }
    *frame = (struct depth_frame){.container = container};
    container->object.flags |= KIN__VISITED | KIN__CANDIDATE;
    container->depth = 0;
    container->link = walk->visited;
    walk->visited = container;
    return 0;
}

/* Notes that something of this depth is in a container. */
static int deepen(struct depth_walk *walk, struct container *container, uint32_t depth)
{
    container->depth = depth + 1 > container->depth ? depth + 1 : container->depth;
    return container->depth >= walk->depth_max ? KIN_ELIMIT : 0;
}

/* Looks at the next part of the container on top. */
static int go_on(struct depth_walk *walk)
{
    struct depth_frame *frame = kin__stack_top(&walk->stack);
    struct container *container = frame->container;
    kin_object *part = NULL;
    if (!find_part(container, frame->next++, &part)) {
        container->object.flags &= (uint8_t)~KIN__CANDIDATE;
        kin__stack_pop(&walk->stack);
        frame = kin__stack_top(&walk->stack);
        return frame == NULL ? 0 : deepen(walk, frame->container, container->depth);
    }
    if (!kin__is_container(part) || (part->flags & KIN__CANDIDATE) != 0) {
        return 0;
    }
    return (part->flags & KIN__VISITED) == 0
               ? enter(walk, (struct container *)part)
               : deepen(walk, container, ((struct container *)part)->depth);
}

int kin__decode_measure(struct decoder *decoder, kin_object *object)
{
    struct depth_frame frames[FRAMES_FIRST];
    struct depth_walk walk = {.depth_max = decoder->depth_max};
    if (!kin__is_container(object)) {
        return 0;
    }
    struct container *candidates = decoder->candidates;
    struct container **later = kin__circles_later;
    decoder->candidates = NULL;
    kin__circles_later = NULL; /* theirs are the same fields */
    kin__circles_end(candidates);
    kin__circles_later = later;
    kin__stack_init(&walk.stack, frames, FRAMES_FIRST, sizeof frames[0]);
    int r = enter(&walk, (struct container *)object);
    while (r == 0 && kin__stack_top(&walk.stack) != NULL) {
        r = go_on(&walk);
    }
    kin__stack_deinit(&walk.stack);
    for (struct container *container = walk.visited; container != NULL;
         container = container->link) {
        container->object.flags &= (uint8_t) ~(KIN__VISITED | KIN__CANDIDATE);
    }
    return r == KIN_ELIMIT ? kin__decode_fail(decoder, r, "deeper than the limit")
           : r < 0         ? kin__decode_fail_with(decoder, r, NULL)
                           : 0;
}
