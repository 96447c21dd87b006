/* Goes through each container once, however often it is referred to. */
#include "circle.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

enum { PLACES_FIRST = 256 };

struct place {
    const kin_object *object; /* NULL: free */
    bool is_open;             /* the walk is inside of it */
};

struct walk {
    struct place *places; /* by address */
    size_t count;
    size_t capacity; /* a power of two */
    int depth;
    int depth_max;
};

static struct place *place_of(const struct walk *walk, const kin_object *object)
{
    size_t at = (size_t)(((uintptr_t)object >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 24);
    for (;; at++) {
        struct place *place = &walk->places[at & (walk->capacity - 1)];
        if (place->object == NULL || place->object == object) {
            return place;
        }
    }
}

static int make_room(struct walk *walk)
{
    if (2 * walk->count < walk->capacity) {
        return 0;
    }
    struct walk before = *walk;
    walk->capacity = before.capacity == 0 ? PLACES_FIRST : 4 * before.capacity;
    walk->places = calloc(walk->capacity, sizeof *walk->places);
    if (walk->places == NULL) {
        *walk = before;
        return -ENOMEM;
    }
    for (size_t i = 0; i < before.capacity; i++) {
        if (before.places[i].object != NULL) {
            *place_of(walk, before.places[i].object) = before.places[i];
        }
    }
    free(before.places);
    return 0;
}

static int look_at(struct walk *walk, const kin_object *object);

static int look_into(struct walk *walk, const kin_object *object)
{
    kin_kind kind = kin_object_kind(object);
    bool is_row = kind == KIN_KIND_LIST || kind == KIN_KIND_TUPLE; /* a range has a count, too */
    size_t position = 0;
    int r = 0;
    for (size_t i = 0; r == 0 && is_row && i < kin_object_count(object); i++) {
        r = look_at(walk, kin_object_at(object, i));
    }
    for (kin_object *key, *value; r == 0 && kin_dict_next(object, &position, &key, &value);) {
        r = look_at(walk, key);
        r = r < 0 ? r : look_at(walk, value);
    }
    for (kin_object *item; r == 0 && kin_set_next(object, &position, &item);) {
        r = look_at(walk, item);
    }
    r = r < 0 ? r : look_at(walk, kin_instance_arguments(object));
    r = r < 0 ? r : look_at(walk, kin_instance_items(object));
    return r < 0 ? r : look_at(walk, kin_instance_state(object));
}

static int look_at(struct walk *walk, const kin_object *object)
{
    kin_kind kind = kin_object_kind(object);
    if (kind < KIN_KIND_LIST || kind == KIN_KIND_GLOBAL || kind > KIN_KIND_OPAQUE) {
        return 0;
    }
    if (walk->depth > walk->depth_max) {
        return -ELOOP;
    }
    int r = make_room(walk);
    if (r < 0) {
        return r;
    }
    struct place *place = place_of(walk, object);
    if (place->object != NULL) {
        return place->is_open ? -ELOOP : 0;
    }
    *place = (struct place){object, true};
    walk->count++;
    walk->depth++;
    r = look_into(walk, object);
    walk->depth--;
    place_of(walk, object)->is_open = false; /* it may have moved */
    return r;
}

int circle_check(const kin_object *object, int depth_max)
{
    struct walk walk = {.depth_max = depth_max};
    int r = look_at(&walk, object);
    free(walk.places);
    return r;
}
