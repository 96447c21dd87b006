/**
 * Dicts: values found by keys, in the order in which the keys came. How many there are says
 * kin_object_count. Keys are objects that cannot change: numbers, text, bytes, tuples and
 * frozensets of such, instances; 1, 1.0 and True are one key, as in Python.
 */
#ifndef KIN_DICT_H
#define KIN_DICT_H

#include <kin/object.h>

KIN_BEGIN

/** An empty dict. */
KIN_API kin_object *kin_dict_create(void);

/** Sets the value of a key; both are taken. A key that is there keeps its place. Returns 0,
 * -EINVAL: not a dict, or no key (it can change); -ENOMEM. */
KIN_API int kin_dict_set(kin_object *dict, kin_object *key, kin_object *value);

/** The same for a key that is a text; `value` is taken. */
KIN_API int kin_dict_set_text(kin_object *dict, const char *key, kin_object *value);

/** The value of a key, borrowed; NULL: there is none. */
KIN_API kin_object *kin_dict_get(const kin_object *dict, const kin_object *key);

/** The same for a key that is a text. */
KIN_API kin_object *kin_dict_get_text(const kin_object *dict, const char *key);

/** Takes a key and its value out and frees them. Returns 0, -ENOENT: no such key; -EINVAL,
 * -ENOMEM. */
KIN_API int kin_dict_remove(kin_object *dict, const kin_object *key);

/**
 * Steps through a dict: `position` is 0 at the start and moves on; key and value are borrowed.
 * False at the end. While stepping, values may be replaced, but no key added or removed.
 *
 *     size_t position = 0;
 *     for (kin_object *key, *value; kin_dict_next(dict, &position, &key, &value);) ...
 */
KIN_API bool kin_dict_next(const kin_object *dict, size_t *position, kin_object **ret_key,
                           kin_object **ret_value);

KIN_END

#endif
