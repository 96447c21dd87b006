/* The lock that the scenarios of the internal lock use: kin's, or one with a defect. */
#ifndef CRASH_LOCK_H
#define CRASH_LOCK_H

#include "family/lock.h"

struct lock_variant {
    int (*acquire)(struct kin__lock *lock, struct kin__thread *self);
    void (*release)(struct kin__lock *lock, struct kin__thread *self);
};

extern struct lock_variant lock_variant;

#endif
