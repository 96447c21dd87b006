/**
 * Sets and frozensets: different objects, each of which could be a key of a dict (kin/dict.h).
 */
#ifndef KIN_SET_H
#define KIN_SET_H

#include <kin/object.h>

KIN_BEGIN

/** An empty set. */
KIN_API kin_object *kin_set_create(void);

/** A frozenset of `count` objects, each of which is taken; of equal ones the first stays. Returns
 * 0, -EINVAL: one can change; -ENOMEM. */
KIN_API int kin_frozenset_from(kin_object *const *items, size_t count, kin_object **ret_object);

/** Adds `item`, taken, unless an equal one is there. Returns 0, -EINVAL: not a set, or an item that
 * can change; -ENOMEM. */
KIN_API int kin_set_add(kin_object *set, kin_object *item);

/** Whether a set or frozenset holds an equal one. */
KIN_API bool kin_set_contains(const kin_object *set, const kin_object *item);

/** Takes the equal one out and frees it. Returns 0, -ENOENT, -EINVAL, -ENOMEM. */
KIN_API int kin_set_remove(kin_object *set, const kin_object *item);

/** Steps through a set or frozenset, in the order of insertion, as kin_dict_next does. */
KIN_API bool kin_set_next(const kin_object *set, size_t *position, kin_object **ret_item);

KIN_END

#endif
