/**
 * The classes that are registered, by name: a user's in lists by the hash of their names, in
 * front of which a later one is put; behind them those of kin (object/standard), which are
 * constant.
 *
 * Registering is one compare-and-swap, looking up takes no lock: libraries that are loaded while
 * others decode may register classes.
 */
#ifndef KIN_OBJECT_CLASS_H
#define KIN_OBJECT_CLASS_H

#include <kin/class.h>

#include <stdatomic.h>

enum { REGISTRY_LIST_COUNT = 256 };

struct kin__registry {
    _Atomic(kin_class *) lists[REGISTRY_LIST_COUNT];
};

/* kin_class_find of names that do not end with NUL. */
const kin_class *kin__class_find(kin_bytes module, kin_bytes name);

#endif
