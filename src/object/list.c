#include "object/list.h"

#include <kin/list.h>

#include "base/allocate.h"
#include "base/arithmetic.h"
#include "object/free/free.h"

#include <string.h>

kin_object *kin__list_create(struct kin__arena *arena, size_t count)
{
    struct object_list *list = kin__object_allocate(arena, KIN_KIND_LIST, sizeof *list);
    if (list == NULL) {
        return NULL;
    }
    kin__list_begin(list);
    if (count != 0) {
        list->items = kin__arena_array(arena, list, count * sizeof *list->items);
        if (list->items != NULL) {
            list->container.object.flags |= KIN__ARRAY_IN_REGION;
        } else {
            list->items = kin__allocate_array(count, sizeof *list->items);
        }
        if (list->items == NULL) {
            kin_object_free(&list->container.object);
            return NULL;
        }
        list->capacity = count;
    }
    return &list->container.object;
}

kin_object *kin_list_create(void)
{
    return kin__list_create(NULL, 0);
}

/* Makes room for `more` items. */
static int make_room(struct object_list *list, size_t more)
{
    if (list->capacity - list->count >= more) {
        return 0;
    }
    size_t needed;
    size_t bytes;
    if (!kin__size_add(list->count, more, &needed)) {
        return -ENOMEM;
    }
    size_t capacity = list->capacity + list->capacity / 2;
    capacity = capacity < needed ? needed : capacity;
    capacity = capacity < 4 ? 4 : capacity;
    if (!kin__size_multiply(capacity, sizeof *list->items, &bytes)) {
        return -ENOMEM;
    }
    bool is_in_region = (list->container.object.flags & KIN__ARRAY_IN_REGION) != 0;
    kin_object **items = kin__reallocate(is_in_region ? NULL : list->items, bytes);
    if (items == NULL) {
        return -ENOMEM;
    }
    if (is_in_region) {
        memcpy(items, list->items, list->count * sizeof *items);
        list->container.object.flags &= (uint8_t)~KIN__ARRAY_IN_REGION;
    }
    list->items = items;
    list->capacity = capacity;
    return 0;
}

int kin__list_extend(kin_object *object, kin_object *const *items, size_t count, uint32_t own_count)
{
    struct object_list *list = (struct object_list *)object;
    if (count == 0) {
        return 0;
    }
    int r = make_room(list, count);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < count; i++) {
        if (kin__is_in_memory(items[i])) {
            kin__object_link(&list->container, items[i], own_count);
            kin__depth_add(&list->container, items[i]);
        }
        list->items[list->count + i] = items[i];
    }
    list->count += count;
    return 0;
}

/* 0 if `item` can go into `list`; if not, it is freed. */
static int check_item(const kin_object *list, kin_object *item)
{
    if (list == NULL || item == NULL) {
        kin_object_free(item);
        return -ENOMEM;
    }
    if (kin__kind(list) != KIN_KIND_LIST) {
        kin_object_free(item);
        return -EINVAL;
    }
    return 0;
}

/* Appends, and leaves it to the caller to say that the two are linked: then the list may go, if
 * the item had its last reference. */
static int append(kin_object *list, kin_object *item)
{
    int r = check_item(list, item);
    if (r < 0) {
        return r;
    }
    r = kin__list_extend(list, &item, 1, KIN__COUNTS_SAY_NOTHING);
    if (r < 0) {
        kin_object_free(item);
    }
    return r;
}

int kin_list_append(kin_object *list, kin_object *item)
{
    int r = append(list, item);
    if (r == 0) {
        kin__object_linked((struct container *)list, item);
    }
    return r;
}

int kin_list_insert(kin_object *list, size_t index, kin_object *item)
{
    int r = append(list, item);
    if (r < 0) {
        return r;
    }
    struct object_list *whole = (struct object_list *)list;
    if (index < whole->count - 1) {
        memmove(whole->items + index + 1, whole->items + index,
                (whole->count - 1 - index) * sizeof *whole->items);
        whole->items[index] = item;
    }
    kin__object_linked(&whole->container, item);
    return 0;
}

int kin_list_set(kin_object *list, size_t index, kin_object *item)
{
    int r = check_item(list, item);
    if (r < 0) {
        return r;
    }
    struct object_list *whole = (struct object_list *)list;
    if (index >= whole->count) {
        kin_object_free(item);
        return -ERANGE;
    }
    kin__object_link(&whole->container, item, KIN__COUNTS_SAY_NOTHING);
    kin_object *before = whole->items[index];
    whole->items[index] = item;
    kin__object_linked(&whole->container, item);
    kin_object_free(before);
    return 0;
}

int kin_list_remove(kin_object *list, size_t index)
{
    if (list == NULL) {
        return -ENOMEM;
    }
    if (kin__kind(list) != KIN_KIND_LIST) {
        return -EINVAL;
    }
    struct object_list *whole = (struct object_list *)list;
    if (index >= whole->count) {
        return -ERANGE;
    }
    kin_object *item = whole->items[index];
    whole->count--;
    memmove(whole->items + index, whole->items + index + 1,
            (whole->count - index) * sizeof *whole->items);
    kin_object_free(item);
    return 0;
}

kin_object *kin__tuple_create(struct kin__arena *arena, kin_object *const *items, size_t count)
{
    size_t bytes;
    struct object_tuple *tuple = NULL;
    if (kin__size_multiply(count, sizeof *items, &bytes) &&
        kin__size_add(bytes, sizeof *tuple, &bytes)) {
        tuple = kin__object_allocate(arena, KIN_KIND_TUPLE, bytes);
    }
    if (tuple == NULL) {
        return NULL;
    }
    tuple->container.scratch = 0;
    tuple->container.depth = 0;
    tuple->count = count;
    tuple->hash = 0;
    for (size_t i = 0; i < count; i++) {
        tuple->items[i] = items[i];
        kin__depth_add(&tuple->container, items[i]);
    }
    return &tuple->container.object;
}

/* Whether all of them are there; if not, they are freed. */
static bool check_items(kin_object *const *items, size_t count)
{
    bool is_whole = items != NULL || count == 0;
    for (size_t i = 0; items != NULL && i < count; i++) {
        is_whole = is_whole && items[i] != NULL;
    }
    for (size_t i = 0; !is_whole && items != NULL && i < count; i++) {
        kin_object_free(items[i]);
    }
    return is_whole;
}

static void free_items(kin_object *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kin_object_free(items[i]);
    }
}

kin_object *kin_tuple_from(kin_object *const *items, size_t count)
{
    if (!check_items(items, count)) {
        return NULL;
    }
    kin_object *tuple = kin__tuple_create(NULL, items, count);
    if (tuple == NULL) {
        free_items(items, count);
    }
    return tuple;
}

kin_object *kin_list_from(kin_object *const *items, size_t count)
{
    if (!check_items(items, count)) {
        return NULL;
    }
    kin_object *list = kin__list_create(NULL, count);
    if (list == NULL || kin__list_extend(list, items, count, 1) < 0) {
        free_items(items, count);
        return kin_object_free(list);
    }
    return list;
}
