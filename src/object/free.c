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
#include "object/free.h"

#include "base/allocate.h"
#include "object/instance.h"
#include "object/region.h"
#include "object/runtime.h"
#include "os/memory.h"

enum { SEARCH_OPEN_MAX = 64, SEARCH_SEEN_MAX = 512 };

struct walk {
    struct kin__ending ending;
    struct container *ended;      /* their parts are still to be dropped */
    struct container *candidates; /* for circles */
    bool is_collecting;           /* in pass 3: who is alive was just found out */
};

typedef void visit_function(struct walk *walk, kin_object *part);

static inline __attribute__((always_inline)) void
visit_table(struct walk *walk, const struct object_table *table, visit_function *visit)
{
    for (uint64_t i = 0; i < table->used; i++) {
        visit(walk, table->entries[i].key);
        visit(walk, table->entries[i].value);
    }
}

static inline __attribute__((always_inline)) void
visit_instance(struct walk *walk, const struct object_instance *instance, visit_function *visit)
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
visit_parts(struct walk *walk, struct container *container, visit_function *visit)
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
        visit_table(walk, (const struct object_table *)container, visit);
    } else {
        visit_instance(walk, (const struct object_instance *)container, visit);
    }
}

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
static void end_container(struct walk *walk, struct container *container)
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

static void end_data(struct container *container)
{
    if (container->object.kind == KIN_KIND_INSTANCE) {
        struct object_instance *instance = (struct object_instance *)container;
        if (instance->data != NULL && instance->class_->free != NULL) {
            instance->class_->free(instance->data);
        }
    }
}

static void push(struct container **list, struct container *container)
{
    container->link = *list;
    *list = container;
}

/* Drops one reference. What `object` was is read before: afterwards it may be another's. */
static inline __attribute__((always_inline)) void drop(struct walk *walk, kin_object *object)
{
    if (!kin__is_in_memory(object)) {
        return;
    }
    uint8_t flags = __atomic_load_n(&object->flags, __ATOMIC_RELAXED); /* see kin__mark_inside */
    bool may_circle = (flags & KIN__MAY_CIRCLE) != 0;
    if (atomic_load_explicit(&object->count, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&object->count, 1, memory_order_acq_rel) != 1) {
        if (may_circle && !walk->is_collecting && (object->flags & KIN__CANDIDATE) == 0) {
            object->flags |= KIN__CANDIDATE;
            push(&walk->candidates, (struct container *)object);
        }
        return;
    }
    if (object->kind <= KIN_KIND_STR) { /* nothing but its memory */
        kin__object_release(&walk->ending, object);
    } else if (!kin__kind_is_container((kin_kind)object->kind)) {
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
        end_data(container);
        visit_parts(walk, container, drop);
        end_container(walk, container);
    }
}

/* Pass 1: `candidates` is the end of the list, which grows. */
static void count_part(struct walk *walk, kin_object *part)
{
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
static void mark_alive(struct walk *walk, kin_object *part)
{
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
            visit_parts(walk, alive, mark_alive);
        }
    }
}

/* Pass 3: a part that ends as well holds nothing any more. */
static void drop_other(struct walk *walk, kin_object *part)
{
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
        visit_parts(walk, container, count_part);
    }
    walk->candidates = NULL;
    find_alive(walk, all);

    struct container *ending = part_from_alive(all);
    walk->is_collecting = true;
    for (struct container *container = ending; container != NULL; container = container->link) {
        end_data(container);
        visit_parts(walk, container, drop_other);
    }
    for (struct container *container = ending, *next; container != NULL; container = next) {
        next = container->link;
        end_container(walk, container);
    }
    end_all(walk);
    walk->is_collecting = false;
}

void kin__objects_free(kin_object *const *objects, size_t count)
{
    struct walk walk = {0};
    for (size_t i = 0; i < count; i++) {
        drop(&walk, objects[i]);
    }
    end_all(&walk);
    while (walk.candidates != NULL) {
        collect(&walk);
        end_all(&walk);
    }
    kin__ending_finish(&walk.ending);
}

kin_object *kin_object_free(kin_object *object)
{
    kin__objects_free(&object, 1);
    return NULL;
}

/* Whether one container leads to another: looked for a while. */
struct search {
    struct walk walk; /* of no use but for visit_parts */
    const struct container *target;
    struct container *open[SEARCH_OPEN_MAX]; /* still to be looked into */
    uint32_t open_count;
    uint32_t seen_count;
    bool may_lead; /* it was found, or there is too much */
};

static void search_part(struct walk *walk, kin_object *part)
{
    struct search *search = (struct search *)walk;
    if (!kin__is_container(part) || search->may_lead) {
        return;
    }
    struct container *container = (struct container *)part;
    if (container == search->target || search->open_count == SEARCH_OPEN_MAX ||
        search->seen_count == SEARCH_SEEN_MAX) {
        search->may_lead = true;
        return;
    }
    search->open[search->open_count++] = container;
    search->seen_count++;
}

static bool may_lead(kin_object *part, const struct container *target)
{
    struct search search = {.target = target};
    search_part(&search.walk, part);
    while (search.open_count != 0 && !search.may_lead) {
        visit_parts(&search.walk, search.open[--search.open_count], search_part);
    }
    return search.may_lead;
}

void kin__object_linked(struct container *whole, const kin_object *part)
{
    if (kin__is_container(part) && (whole->object.flags & KIN__INSIDE) != 0 &&
        may_lead((kin_object *)(uintptr_t)part, whole)) {
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
