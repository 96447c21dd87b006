/**
 * Circles: those that show when they are closed, not when they are let go; and when they are looked
 * for.
 *
 * To look for circles is dear, and a walk that does uses fields of all objects it comes to. So
 * what hooks of classes let go of is looked at by who has called them, later: once, however often
 * a hook is called. `kin__circles_later`, if it is set, is the list (by `link`) of what to look at.
 */
#ifndef KIN_OBJECT_FREE_FREE_H
#define KIN_OBJECT_FREE_FREE_H

#include "object/object.h"

/* To be called after a user has put `part` into `whole`. His reference to `whole` may be borrowed:
 * its count says nothing then, and he will never let go of it, which would show a circle. So if
 * it is in another container, and `part` may lead to it, circles are looked for at once. */
void kin__object_linked(struct container *whole, const kin_object *part);

/* Looks for circles among what a list of kin__circles_later has; or, if that is set again, leaves
 * it to the next. */
void kin__circles_end(struct container *candidates);

/* Whether `part` is `whole` or leads to it; also if there is no memory to find out. search.c */
bool kin__leads_to(const kin_object *part, const struct container *whole);

#endif
