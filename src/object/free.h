/**
 * Circles that show when they are closed, not when they are let go.
 */
#ifndef KIN_OBJECT_FREE_H
#define KIN_OBJECT_FREE_H

#include "object/object.h"

/* To be called after a user has put `part` into `whole`. His reference to `whole` may be borrowed:
 * its count says nothing then, and he will never let go of it, which would show a circle. So if
 * it is in another container, and `part` may lead to it, circles are looked for at once. */
void kin__object_linked(struct container *whole, const kin_object *part);

#endif
