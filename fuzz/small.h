/*
 * Whether an object is small when it is written out: what is shared is then written each time, so
 * that a few bytes can make gigabytes of text, which is no fault, but takes a sanitizer minutes.
 */
#ifndef FUZZ_SMALL_H
#define FUZZ_SMALL_H

#include <kin/class.h>
#include <kin/dict.h>
#include <kin/list.h>
#include <kin/set.h>
#include <stdbool.h>

#define FUZZ_DEPTH_MAX 500
#define FUZZ_SIZE_MAX 1000000

/* Takes what an object costs from `left`; false: there is not enough, or it is too deep. */
static inline bool fuzz_pay(const kin_object *object, int depth, int64_t *left)
{
    kin_object *key = NULL;
    kin_object *value = NULL;
    size_t position = 0;
    *left -= 1 + (int64_t)kin_object_bytes(object).size;
    if (object == NULL || *left < 0 || depth == FUZZ_DEPTH_MAX) {
        return object == NULL;
    }
    switch (kin_object_kind(object)) {
    case KIN_KIND_LIST:
    case KIN_KIND_TUPLE:
        for (size_t i = 0; i < kin_object_count(object); i++) {
            if (!fuzz_pay(kin_object_at(object, i), depth + 1, left)) {
                return false;
            }
        }
        return true;
    case KIN_KIND_DICT:
        while (kin_dict_next(object, &position, &key, &value)) {
            if (!fuzz_pay(key, depth + 1, left) || !fuzz_pay(value, depth + 1, left)) {
                return false;
            }
        }
        return true;
    case KIN_KIND_SET:
    case KIN_KIND_FROZENSET:
        while (kin_set_next(object, &position, &value)) {
            if (!fuzz_pay(value, depth + 1, left)) {
                return false;
            }
        }
        return true;
    default: /* NULL is nothing */
        return fuzz_pay(kin_opaque_callable(object), depth + 1, left) &&
               fuzz_pay(kin_instance_arguments(object), depth + 1, left) &&
               fuzz_pay(kin_instance_keywords(object), depth + 1, left) &&
               fuzz_pay(kin_instance_state(object), depth + 1, left) &&
               fuzz_pay(kin_instance_items(object), depth + 1, left);
    }
}

static inline bool fuzz_is_small(const kin_object *object)
{
    int64_t left = FUZZ_SIZE_MAX;
    return fuzz_pay(object, 0, &left);
}

#endif
