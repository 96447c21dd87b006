/**
 * Whether an object can be JSON: it does not lead back to itself, and is not too deep.
 */
#ifndef KIN_CLI_CIRCLE_H
#define KIN_CLI_CIRCLE_H

#include <kin.h>

/* 0; -ELOOP: it leads back to itself, or is deeper than `depth_max`; -ENOMEM. */
int circle_check(const kin_object *object, int depth_max);

#endif
