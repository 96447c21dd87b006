#include "object/instance.h"

#include <kin/dict.h>
#include <kin/list.h>
#include <string.h>

#include "base/allocate.h"
#include "object/class/class.h"
#include "object/free/free.h"
#include "object/list.h"
#include "object/standard/standard.h"
#include "object/table.h"

static void free_all(kin_object *const *objects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kin_object_free(objects[i]);
    }
}

static struct object_instance *instance_of(const kin_object *object)
{
    kin_kind kind = kin__kind(object);
    return kind == KIN_KIND_INSTANCE || kind == KIN_KIND_OPAQUE
               ? (struct object_instance *)(uintptr_t)object
               : NULL;
}

/* Adds a part, which is taken on success only. */
static int add_part(struct object_instance *instance, enum part_kind kind, kin_object *object)
{
    uint32_t count = instance->part_count;
    if ((count & (count - 1)) == 0) { /* full: there is room for a power of two */
        if (count > UINT32_MAX / 2) {
            return -ENOMEM;
        }
        size_t capacity = count == 0 ? 1 : (size_t)count * 2;
        void *parts = kin__reallocate(instance->parts, capacity * sizeof *instance->parts);
        if (parts == NULL) {
            return -ENOMEM;
        }
        instance->parts = parts;
    }
    instance->parts[count] = (struct instance_part){.kind = kind, .object = object};
    instance->part_count++;
    return 0;
}

static struct instance_part *find_state(const struct object_instance *instance)
{
    for (uint32_t i = instance->part_count; i-- > 0;) {
        if (instance->parts[i].kind == PART_STATE) {
            return &instance->parts[i];
        }
    }
    return NULL;
}

/* Takes `state`, also on failure. None: no state any more. */
static int replace_state(struct object_instance *instance, kin_object *state)
{
    struct instance_part *part = find_state(instance);
    int r = 0;
    if (state == KIN__NONE) {
        if (part != NULL) {
            kin_object *before = part->object;
            size_t behind = (size_t)(instance->parts + instance->part_count - part - 1);
            memmove(part, part + 1, behind * sizeof *part);
            instance->part_count--;
            kin_object_free(before);
        }
    } else if (part != NULL) {
        kin_object *before = part->object;
        part->object = state;
        kin_object_free(before);
    } else {
        r = add_part(instance, PART_STATE, state);
        if (r < 0) {
            kin_object_free(state);
        }
    }
    return r;
}

kin_object *kin__instance_items(const struct object_instance *instance)
{
    bool has_items = instance->class_ != NULL && instance->class_->shape != KIN_SHAPE_PLAIN &&
                     instance->part_count != 0;
    return has_items ? instance->parts[0].object : NULL;
}

/* The list of the last part if it is of this kind, a new part's if it is not. NULL: no memory. */
static kin_object *list_of_part(struct object_instance *instance, enum part_kind kind)
{
    if (instance->part_count != 0) {
        struct instance_part *last = &instance->parts[instance->part_count - 1];
        if (last->kind == kind) {
            return last->object;
        }
    }
    kin_object *list = kin_list_create();
    if (list != NULL && add_part(instance, kind, list) < 0) {
        list = kin_object_free(list);
    }
    return list;
}

static int check_objects(kin_object *const *objects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (objects[i] == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

static void link_all(struct object_instance *instance, uint32_t own_count,
                     kin_object *const *objects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kin__object_link(&instance->container, objects[i], own_count);
    }
}

/* Appends what is taken to a list, also on failure. */
static int append_all(kin_object *list, kin_object *const *objects, size_t count)
{
    int r = check_objects(objects, count);
    if (r == 0) {
        r = list == NULL ? -ENOMEM : kin__list_extend(list, objects, count, 1);
    }
    if (r < 0) {
        free_all(objects, count);
    }
    return r;
}

/* The list that objects of an opaque one, or of an instance of that shape, go into. */
static int append_part(kin_object *object, enum part_kind kind, kin_object *const *objects,
                       size_t count)
{
    struct object_instance *instance = instance_of(object);
    kin_object *list = NULL;
    if (object->kind == KIN_KIND_OPAQUE) {
        list = list_of_part(instance, kind);
    } else if (kind == PART_ITEMS && instance->class_->shape == KIN_SHAPE_LIST) {
        list = kin__instance_items(instance);
    } else {
        free_all(objects, count);
        return -EBADMSG;
    }
    return append_all(list, objects, count);
}

int kin__instance_append(kin_object *object, uint32_t own_count, kin_object *const *items,
                         size_t count)
{
    link_all(instance_of(object), own_count, items, count);
    return append_part(object, PART_ITEMS, items, count);
}

int kin__instance_add_members(kin_object *object, uint32_t own_count, kin_object *const *items,
                              size_t count)
{
    link_all(instance_of(object), own_count, items, count);
    return append_part(object, PART_MEMBERS, items, count);
}

int kin__instance_set_pairs(kin_object *object, uint32_t own_count, kin_object *const *pairs,
                            size_t count)
{
    struct object_instance *instance = instance_of(object);
    link_all(instance, own_count, pairs, count);
    if (object->kind == KIN_KIND_OPAQUE || instance->class_->shape != KIN_SHAPE_DICT) {
        return append_part(object, PART_PAIRS, pairs, count);
    }
    struct object_table *table = (struct object_table *)kin__instance_items(instance);
    struct kin__effort effort;
    int r = check_objects(pairs, count);
    size_t i = 0;
    for (; r == 0 && i + 1 < count; i += 2) {
        kin__object_link(&table->container, pairs[i], 1);
        kin__object_link(&table->container, pairs[i + 1], 1);
        r = kin__table_set(table, pairs[i], pairs[i + 1], kin__effort_begin(&effort));
    }
    free_all(pairs + i, count - i);
    return r;
}

int kin__instance_build(kin_object *object, uint32_t own_count, kin_object *state)
{
    struct object_instance *instance = instance_of(object);
    if (state == NULL) {
        return -ENOMEM;
    }
    kin__object_link(&instance->container, state, own_count);
    if (object->kind == KIN_KIND_INSTANCE && instance->class_->setstate != NULL) {
        int r = instance->class_->setstate(object, state);
        kin_object_free(state);
        return r;
    }
    if (object->kind == KIN_KIND_INSTANCE) {
        return replace_state(instance, state);
    }
    int r = add_part(instance, PART_STATE, state);
    if (r < 0) {
        kin_object_free(state);
    }
    return r;
}

int kin__instance_add_effect(kin_object *object, uint32_t own_count, kin_object *effect)
{
    struct object_instance *instance = instance_of(object);
    if (effect == NULL) {
        return -ENOMEM;
    }
    kin__object_link(&instance->container, effect, own_count);
    int r = object->kind == KIN_KIND_OPAQUE ? add_part(instance, PART_EFFECT, effect) : -EBADMSG;
    if (r < 0) {
        kin_object_free(effect);
    }
    return r;
}

int kin__instance_get_state(const kin_object *object, kin_object **ret_state)
{
    const struct object_instance *instance = instance_of(object);
    kin_object *state = NULL;
    if (instance->class_ != NULL && instance->class_->getstate != NULL) {
        int r = instance->class_->getstate(object, &state);
        if (r < 0) {
            return r;
        }
        if (state == NULL) {
            return -ENOMEM;
        }
        *ret_state = state == KIN__NONE ? NULL : state;
        return 0;
    }
    *ret_state = kin_object_ref(kin_instance_state(object));
    return 0;
}

/* The class that makes what it was called for: copyreg._reconstructor(class, object, None) is how
 * protocols 0 and 1 write what later ones write with NEWOBJ. Rewrites it as that. */
static const kin_class *class_of(struct kin__origin *origin)
{
    if (kin__kind(origin->callable) != KIN_KIND_GLOBAL) {
        return NULL;
    }
    const struct object_global *global = (const struct object_global *)origin->callable;
    const struct object_tuple *arguments = (const struct object_tuple *)origin->arguments;
    if (global->class_ != NULL) {
        bool is_odd = kin_object_count(origin->keywords) != 0 && kin__is_standard(global->class_);
        return is_odd ? NULL : global->class_; /* Python's own have no pickles with keywords */
    }
    if (arguments->count != 3 || arguments->items[2] != KIN__NONE ||
        kin__kind(arguments->items[0]) != KIN_KIND_GLOBAL ||
        kin__kind(arguments->items[1]) != KIN_KIND_GLOBAL ||
        strcmp(kin__global_full_name(global), "copyreg._reconstructor") != 0 ||
        strcmp(kin__global_full_name((const void *)arguments->items[1]), "object") != 0) {
        return NULL;
    }
    global = (const struct object_global *)arguments->items[0];
    kin_object *none = global->class_ == NULL ? NULL : kin_tuple_from(NULL, 0);
    if (none == NULL) {
        return NULL; /* also without memory: it is opaque then, which is right as well */
    }
    kin_object_free(origin->callable);
    origin->callable = kin_object_ref(&global->object);
    kin_object_free(origin->arguments);
    origin->arguments = none;
    origin->made_by = MADE_BY_NEW;
    return global->class_;
}

/* Makes it an instance, or leaves it an opaque object. */
static int adopt(struct object_instance *instance, const kin_class *class_)
{
    int r = 0;
    instance->container.object.kind = KIN_KIND_INSTANCE;
    instance->class_ = class_;
    if (class_->shape != KIN_SHAPE_PLAIN) {
        bool is_list = class_->shape == KIN_SHAPE_LIST;
        kin_object *items = is_list ? kin_list_create() : kin_dict_create();
        r = items == NULL ? -ENOMEM : add_part(instance, is_list ? PART_ITEMS : PART_PAIRS, items);
        if (r < 0) {
            kin_object_free(items);
            return r;
        }
        kin__mark_inside(items); /* users change it in place: kin_instance_items */
    }
    if (class_->construct != NULL) {
        r = class_->construct(&instance->container.object);
    }
    if (r == KIN__STAYS_OPAQUE) {
        instance->container.object.kind = KIN_KIND_OPAQUE;
        instance->class_ = NULL;
        while (instance->part_count != 0) {
            kin_object_free(instance->parts[--instance->part_count].object);
        }
    }
    return r < 0 ? r : 0;
}

static int check_origin(const struct kin__origin *origin)
{
    if (origin->callable == NULL || origin->arguments == NULL) {
        return -ENOMEM;
    }
    bool is_right = kin__kind(origin->arguments) == KIN_KIND_TUPLE &&
                    (origin->keywords == NULL || kin__kind(origin->keywords) == KIN_KIND_DICT);
    return is_right ? 0 : -EBADMSG;
}

int kin__instance_make(struct kin__arena *arena, const struct kin__origin *origin,
                       kin_object **ret_instance)
{
    struct kin__origin taken = *origin;
    struct object_instance *instance = NULL;
    int r = check_origin(&taken);
    const kin_class *class_ = r < 0 ? NULL : class_of(&taken);
    if (r == 0) {
        instance = kin__object_allocate(arena, KIN_KIND_OPAQUE, sizeof *instance);
        r = instance == NULL ? -ENOMEM : 0;
    }
    if (r < 0) {
        free_all((kin_object *[]){taken.callable, taken.arguments, taken.keywords}, 3);
        return r;
    }
    *instance = (struct object_instance){.container = instance->container,
                                         .callable = taken.callable,
                                         .arguments = taken.arguments,
                                         .keywords = taken.keywords,
                                         .made_by = taken.made_by};
    instance->container.scratch = 0;
    instance->container.depth = 0;
    instance->container.link = NULL;
    r = class_ == NULL ? 0 : adopt(instance, class_);
    if (r < 0) {
        kin_object_free(&instance->container.object);
        return r;
    }
    *ret_instance = &instance->container.object;
    return 0;
}

int kin_instance_create(const kin_class *class_, kin_object *arguments, kin_object **ret_instance)
{
    if (class_ == NULL || ret_instance == NULL ||
        (arguments != NULL && kin__kind(arguments) != KIN_KIND_TUPLE)) {
        kin_object_free(arguments);
        return -EINVAL;
    }
    kin_object *global = kin_object_from_global(class_->module, class_->name);
    if (global != NULL) { /* also one that another has taken the place of, or not registered yet */
        ((struct object_global *)global)->class_ = class_;
    }
    bool is_plain = kin_object_count(arguments) == 0;
    struct kin__origin origin = {.callable = global,
                                 .arguments = arguments,
                                 .made_by = is_plain ? MADE_BY_NEW : MADE_BY_CALL};
    return kin__instance_make(NULL, &origin, ret_instance);
}

const kin_class *kin_instance_class(const kin_object *object)
{
    const struct object_instance *instance = instance_of(object);
    return instance == NULL ? NULL : instance->class_;
}

kin_object *kin_instance_arguments(const kin_object *object)
{
    const struct object_instance *instance = instance_of(object);
    return instance == NULL ? NULL : instance->arguments;
}

kin_object *kin_instance_keywords(const kin_object *object)
{
    const struct object_instance *instance = instance_of(object);
    return instance == NULL || kin_object_count(instance->keywords) == 0 ? NULL
                                                                         : instance->keywords;
}

kin_object *kin_instance_state(const kin_object *object)
{
    const struct object_instance *instance = instance_of(object);
    const struct instance_part *part = instance == NULL ? NULL : find_state(instance);
    return part == NULL ? NULL : part->object;
}

int kin_instance_set_state(kin_object *object, kin_object *state)
{
    struct object_instance *instance = instance_of(object);
    if (instance == NULL || state == NULL) {
        kin_object_free(state);
        return object == NULL || instance != NULL ? -ENOMEM : -EINVAL;
    }
    kin__object_link(&instance->container, state, KIN__COUNTS_SAY_NOTHING);
    int r = replace_state(instance, state);
    if (r == 0) {
        kin__object_linked(&instance->container, state);
    }
    return r;
}

kin_object *kin_instance_items(const kin_object *object)
{
    const struct object_instance *instance = instance_of(object);
    kin_object *items = instance == NULL ? NULL : kin__instance_items(instance);
    if (items != NULL) { /* which may be given something that leads to the instance */
        kin__mark_inside(items);
    }
    return items;
}

void *kin_instance_data(const kin_object *object)
{
    return kin__kind(object) == KIN_KIND_INSTANCE ? instance_of(object)->data : NULL;
}

int kin_instance_set_data(kin_object *object, void *data)
{
    if (kin__kind(object) != KIN_KIND_INSTANCE) {
        return object == NULL ? -ENOMEM : -EINVAL;
    }
    instance_of(object)->data = data;
    return 0;
}

kin_object *kin_opaque_callable(const kin_object *object)
{
    return kin__kind(object) == KIN_KIND_OPAQUE ? instance_of(object)->callable : NULL;
}

const char *kin__instance_type_name(const struct object_instance *instance)
{
    if (instance->class_ == kin__class_array) { /* made by a function, as a rule */
        return "array.array";
    }
    if (kin__kind(instance->callable) == KIN_KIND_GLOBAL) {
        return kin__global_full_name((const struct object_global *)instance->callable);
    }
    return "object";
}
