/**
 * The end of objects.
 *
 * An object ends with its last reference, and drops its own: a list of work instead of recursion.
 *
 * Circles keep their own counts up. When a reference to an object that may be in one is dropped
 * and others are left, the object becomes a candidate; when nothing else is left to end, all
 * that the candidates lead to is looked at, in three passes over a list that runs through the
 * objects themselves:
 *
 *     1. count in `scratch` how many references come from within; each object found joins the list
 *     2. one with more references than that is held from outside: alive, and all it leads to, of
 *        which each may be the last of a circle that is held, so that each may circle from then on
 *     3. the others hold each other only: they end together
 *
 * What a class's own data leads to is not seen: an instance that holds itself through it stays.
 */
#include "object/free/free.h"

#include "base/allocate.h"
#include "object/free/parts.h"
#include "object/region.h"
#include "object/runtime.h"
#include "os/memory.h"

struct walk {
    struct kin__ending ending;
    struct container *ended;      /* their parts are still to be dropped */
    struct container *candidates; /* for circles */
    bool is_collecting;           /* in pass 3: who is alive was just found out */
};

/* Ends an object that refers to no other. */
static void end_leaf(struct walk *walk, kin_object *object)
{
    if (object->kind == KIN_KIND_BYTES || object->kind == KIN_KIND_BYTEARRAY) {
        struct object_bytes *bytes = (struct object_bytes *)object;
        if (bytes->backing != NULL) {
            bytes->backing->release(bytes->backing);
        } else if (bytes->data != bytes->bytes) {
            kin__release(bytes->data);
        }
    } else if (object->kind == KIN_KIND_HANDLE) {
        kin__handle_let_go(((struct object_handle *)object)->held);
    } else if (object->kind == KIN_KIND_FD) {
        kin__os_close(((struct object_fd *)object)->fd);
    }
    kin__object_release(&walk->ending, object);
}

/* Ends a container, the parts of which were dropped. */
static inline void end_container(struct walk *walk, struct container *container)
{
    bool has_array = (container->object.flags & KIN__ARRAY_IN_REGION) == 0;
    if (container->object.kind == KIN_KIND_LIST) {
        if (has_array) {
            kin__release(((struct object_list *)container)->items);
        }
    } else if (container->object.kind > KIN_KIND_FROZENSET) {
        kin__release(((struct object_instance *)container)->parts);
    } else if (container->object.kind != KIN_KIND_TUPLE) {
        struct object_table *table = (struct object_table *)container;
        if (has_array) {
            kin__release(table->entries);
        }
        if (table->index != NULL) {
            kin__release(table->index);
        }
    }
    kin__object_release(&walk->ending, &container->object);
}

/* What a hook lets go of is a part of this walk: while it is under way, no other may look for
 * circles. */
static void end_data(struct walk *walk, struct container *container)
{
    if (container->object.kind == KIN_KIND_INSTANCE) {
        struct object_instance *instance = (struct object_instance *)container;
        if (instance->data != NULL && instance->class_->free != NULL) {
            struct container **outer = kin__circles_later;
            kin__circles_later = &walk->candidates;
            instance->class_->free(instance->data);
            kin__circles_later = outer;
        }
    }
}

static void push(struct container **list, struct container *container)
{
    container->link = *list;
    *list = container;
}

/* Drops one reference: whether it was the last. */
static inline bool count_down(kin_object *object)
{
    return atomic_load_explicit(&object->count, memory_order_acquire) == 1 ||
           atomic_fetch_sub_explicit(&object->count, 1, memory_order_acq_rel) == 1;
}

/* Drops one reference. What `object` was is read before: afterwards it may be another's. */
static inline __attribute__((always_inline)) void drop(void *walking, kin_object *object)
{
    struct walk *walk = walking;
    if (!kin__is_in_memory(object)) {
        return;
    }
    if (object->kind <= KIN_KIND_STR) { /* nothing but its memory */
        if (count_down(object)) {
            kin__object_release(&walk->ending, object);
        }
        return;
    }
    uint8_t flags = __atomic_load_n(&object->flags, __ATOMIC_RELAXED); /* see kin__mark_inside */
    bool may_circle = (flags & KIN__MAY_CIRCLE) != 0;
    if (!count_down(object)) {
        if (may_circle && !walk->is_collecting && (object->flags & KIN__CANDIDATE) == 0) {
            object->flags |= KIN__CANDIDATE;
            push(&walk->candidates, (struct container *)object);
        }
        return;
    }
    if (!kin__kind_is_container((kin_kind)object->kind)) {
        end_leaf(walk, object);
    } else if ((object->flags & KIN__CANDIDATE) != 0) { /* its link is in use: ends with circles */
        atomic_store_explicit(&object->count, 0, memory_order_relaxed);
    } else {
        push(&walk->ended, (struct container *)object);
    }
}

static void end_all(struct walk *walk)
{
    while (walk->ended != NULL) {
        struct container *container = walk->ended;
        walk->ended = container->link;
        end_data(walk, container);
        kin__visit_parts(walk, container, drop);
        end_container(walk, container);
    }
}

/* Pass 1: `candidates` is the end of the list, which grows. */
static void count_part(void *walking, kin_object *part)
{
    struct walk *walk = walking;
    if (!kin__is_container(part)) {
        return;
    }
    struct container *container = (struct container *)part;
    if ((part->flags & KIN__VISITED) == 0) {
        part->flags |= KIN__VISITED;
        container->scratch = 0;
        container->link = NULL;
        walk->candidates->link = container;
        walk->candidates = container;
    }
    container->scratch++;
}

/* Pass 2: `ended` is the list of those alive whose parts were not looked at yet. */
static void mark_alive(void *walking, kin_object *part)
{
    struct walk *walk = walking;
    if (kin__is_container(part) && (part->flags & KIN__ALIVE) == 0) {
        part->flags |= KIN__ALIVE;
        ((struct container *)part)->alive_next = walk->ended;
        walk->ended = (struct container *)part;
    }
}

static void find_alive(struct walk *walk, struct container *all)
{
    for (struct container *container = all; container != NULL; container = container->link) {
        if ((container->object.flags & KIN__ALIVE) == 0 &&
            container->scratch < atomic_load(&container->object.count)) {
            mark_alive(walk, &container->object);
        }
        while (walk->ended != NULL) {
            struct container *alive = walk->ended;
            walk->ended = alive->alive_next;
            kin__visit_parts(walk, alive, mark_alive);
        }
    }
}

/* Pass 3: a part that ends as well holds nothing any more. */
static void drop_other(void *walking, kin_object *part)
{
    struct walk *walk = walking;
    if (!kin__is_container(part) || (part->flags & KIN__ENDING) == 0) {
        drop(walk, part);
    }
}

/* Takes those alive out of the list. Returns the others. */
static struct container *part_from_alive(struct container *all)
{
    struct container *ending = NULL;
    for (struct container *container = all, *next; container != NULL; container = next) {
        next = container->link;
        bool is_alive = (container->object.flags & KIN__ALIVE) != 0;
        container->object.flags &= (uint8_t) ~(KIN__VISITED | KIN__ALIVE);
        container->scratch = 0;
        container->depth = 0;
        if (is_alive) { /* perhaps by another that is in the circle */
            container->object.flags |= KIN__MAY_CIRCLE;
        } else {
            container->object.flags |= KIN__ENDING;
            push(&ending, container);
        }
    }
    return ending;
}

static void collect(struct walk *walk)
{
    struct container *all = walk->candidates;
    struct container *last = all;
    for (struct container *container = all; container != NULL; container = container->link) {
        container->object.flags &= (uint8_t)~KIN__CANDIDATE;
        container->object.flags |= KIN__VISITED;
        container->scratch = 0;
        last = container;
    }
    walk->candidates = last;
    for (struct container *container = all; container != NULL; container = container->link) {
        kin__visit_parts(walk, container, count_part);
    }
    walk->candidates = NULL;
    find_alive(walk, all);

    struct container *ending = part_from_alive(all);
    walk->is_collecting = true;
    for (struct container *container = ending; container != NULL; container = container->link) {
        end_data(walk, container);
        kin__visit_parts(walk, container, drop_other);
    }
    for (struct container *container = ending, *next; container != NULL; container = next) {
        next = container->link;
        end_container(walk, container);
    }
    end_all(walk);
    walk->is_collecting = false;
}

/* Leaves the candidates to who looks for circles later. */
static void leave(struct container *candidates, struct container **later)
{
    while (candidates != NULL) {
        struct container *candidate = candidates;
        candidates = candidate->link;
        push(later, candidate);
    }
}

static void finish(struct walk *walk)
{
    if (walk->candidates != NULL && kin__circles_later != NULL) {
        leave(walk->candidates, kin__circles_later);
        walk->candidates = NULL;
    }
    while (walk->candidates != NULL) {
        collect(walk);
        end_all(walk);
    }
    kin__ending_finish(&walk->ending);
}

void kin__objects_free(kin_object *const *objects, size_t count)
{
    struct walk walk = {0};
    for (size_t i = 0; i < count; i++) {
        drop(&walk, objects[i]);
    }
    end_all(&walk);
    finish(&walk);
}

void kin__circles_end(struct container *candidates)
{
    struct walk walk = {.candidates = candidates};
    finish(&walk);
}

kin_object *kin_object_free(kin_object *object)
{
    kin__objects_free(&object, 1);
    return NULL;
}

void kin__object_linked(struct container *whole, const kin_object *part)
{
    if (kin__is_container(part) && (whole->object.flags & KIN__INSIDE) != 0 &&
        kin__leads_to(part, whole)) {
        whole->object.flags |= KIN__MAY_CIRCLE;
        kin_object_free(kin_object_ref(&whole->object)); /* marks all that is in circles with it */
    }
}

kin_object *kin_object_ref(const kin_object *object)
{
    kin_object *same = (kin_object *)(uintptr_t)object;
    if (kin__is_in_memory(object)) {
        atomic_fetch_add_explicit(&same->count, 1, memory_order_relaxed);
    }
    return same;
}
