/**
 * What objects have once in a process: the classes that are registered; how they hold what belongs
 * to the family, of which this layer knows nothing.
 */
#ifndef KIN_OBJECT_RUNTIME_H
#define KIN_OBJECT_RUNTIME_H

#include <kin/family.h>
#include <kin/object.h>

#include <stdint.h>

#include "object/class/class.h"

/* Set by the family. `hold` keeps the object that a handle names alive in this process until
 * `let_go` of what it returned: 0, or -ESTALE, KIN_EFAMILY, -ENOMEM. */
struct kin__handle_hooks {
    int (*hold)(kin_handle handle, void **ret_held);
    void (*let_go)(void *held);
};

extern struct kin__handle_hooks kin__handle_hooks;

/* Set by the layer that has shared memory: makes a bytearray of the one that a handle names. 0, or
 * -ESTALE and the like. NULL: what names one stays opaque. */
typedef int kin__view_hook_function(kin_handle handle, kin_object **ret_object);
extern kin__view_hook_function *kin__view_hook;

extern struct kin__registry kin__registry;

/* What hashes are keyed by; 0: not drawn yet. object/equality/hash.c alone reads and writes it. */
extern _Atomic uint64_t kin__hash_secret[2];

/* Of the comparison that has called a class's hook in this thread; NULL: none has. */
struct kin__effort;
extern _Thread_local struct kin__effort *kin__effort_current;

/* Where this thread notes what may be in circles, while it must not look for them: free.h. NULL: it
 * may. */
struct container;
extern _Thread_local struct container **kin__circles_later;

/* Regions of objects that wait to be used again; object/region.c alone reads and writes them. */
#define KIN__SPARE_REGION_COUNT 16
struct region;
extern _Atomic(struct region *) kin__spare_regions[KIN__SPARE_REGION_COUNT];

/* Lets go of what a handle object has held; NULL is fine. */
void kin__handle_let_go(void *held);

#endif
