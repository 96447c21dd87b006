/**
 * Which containers a walk is inside of: those that it must not enter again.
 */
#ifndef KIN_OBJECT_REPR_ACTIVE_H
#define KIN_OBJECT_REPR_ACTIVE_H

#include "object/equality/stack.h"
#include "object/object.h"

enum { ACTIVE_FEW = 16 };

struct kin__active {
    struct kin__stack entered; /* const kin_object *, in order; a few are just looked at */
    const kin_object *few[ACTIVE_FEW];
    uint32_t *slots; /* once there were more: by address, place in `entered` + 1 */
    size_t slot_count;
};

/* Starts outside of all; `active` stays at its address. */
void kin__active_init(struct kin__active *active);

/* Releases what was allocated. */
void kin__active_deinit(struct kin__active *active);

/* Whether the walk is inside of a container. */
bool kin__active_has(const struct kin__active *active, const kin_object *container);

/* Enters a container. 0 or -ENOMEM. */
int kin__active_enter(struct kin__active *active, const kin_object *container);

/* Leaves the one that was entered last. */
void kin__active_leave(struct kin__active *active);

#endif
