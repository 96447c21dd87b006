/**
 * Lists and tuples: objects in a row. How many there are says kin_object_count, kin_object_at
 * gives one.
 */
#ifndef KIN_LIST_H
#define KIN_LIST_H

#include <kin/object.h>

KIN_BEGIN

/** An empty list. */
KIN_API kin_object *kin_list_create(void);

/** A list of `count` objects, each of which is taken. NULL also if one of them is NULL. */
KIN_API kin_object *kin_list_from(kin_object *const *items, size_t count);

/** Appends `item`, taken. Returns 0, -ENOMEM, -EINVAL: not a list. */
KIN_API int kin_list_append(kin_object *list, kin_object *item);

/** Puts `item`, taken, before the one at `index`; at the end if that is too large. Codes alike. */
KIN_API int kin_list_insert(kin_object *list, size_t index, kin_object *item);

/** Replaces the one at `index` by `item`, taken. Returns 0, -ERANGE: there is none; -ENOMEM,
 * -EINVAL. */
KIN_API int kin_list_set(kin_object *list, size_t index, kin_object *item);

/** Takes the one at `index` out and frees it. Returns 0, -ERANGE, -ENOMEM, -EINVAL. */
KIN_API int kin_list_remove(kin_object *list, size_t index);

/** A tuple of `count` objects, each of which is taken. NULL also if one of them is NULL. */
KIN_API kin_object *kin_tuple_from(kin_object *const *items, size_t count);

/** A list of the objects that are its arguments, each taken: KIN_LIST(kin_object_from_int(1), x).
 * C only. */
#define KIN_LIST(...)                                 \
    kin_list_from((kin_object *const[]){__VA_ARGS__}, \
                  sizeof((kin_object *const[]){__VA_ARGS__}) / sizeof(kin_object *))

/** A tuple of them. C only. */
#define KIN_TUPLE(...)                                 \
    kin_tuple_from((kin_object *const[]){__VA_ARGS__}, \
                   sizeof((kin_object *const[]){__VA_ARGS__}) / sizeof(kin_object *))

/** What Python calls range(first, end): the ints from `first` to before `end`. */
KIN_API kin_object *kin_object_from_range(int64_t first, int64_t end);

KIN_END

#endif
