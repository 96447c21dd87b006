/**
 * What looking for keys may cost. Keys that hash alike, long texts that differ at their end, sets
 * in sets: somebody who makes up a pickle can make one look-up as dear as he likes. So each
 * look-up is charged, beyond what every key costs, and refused once the effort is spent.
 */
#ifndef KIN_OBJECT_EQUALITY_EFFORT_H
#define KIN_OBJECT_EQUALITY_EFFORT_H

#include <stdbool.h>
#include <stdint.h>

#include "object/runtime.h"

struct kin__pairs;

struct kin__effort {
    uint64_t steps;           /* left; one is some nanoseconds */
    uint32_t time_ms_max;     /* if not 0: when they are spent, there are more until it is over */
    int64_t deadline_ns;      /* when that is; 0: nobody has looked at the clock yet */
    uint32_t depth;           /* of comparisons in comparisons: sets in sets */
    struct kin__pairs *pairs; /* what the outermost comparison knows; NULL: nothing */
};

enum {
    KIN__EFFORT_DEPTH_MAX = 32,
    KIN__EFFORT_SLICE = 1 << 18, /* steps between looks at the clock */
    KIN__EFFORT_FREE_BYTES = 64  /* so many bytes are compared or hashed for nothing */
};

/* What one call of a user may cost: far beyond anything that is meant. */
#define KIN__EFFORT_OF_CALL ((struct kin__effort){.steps = UINT64_C(1) << 32})

/* The effort of a call by a user: `own`, or if a class's hook makes it, that of what has called the
 * hook. So hooks that call back, which call hooks, are limited as a whole. */
static inline struct kin__effort *kin__effort_begin(struct kin__effort *own)
{
    *own = KIN__EFFORT_OF_CALL;
    return kin__effort_current != NULL ? kin__effort_current : own;
}

/* Whether the time is over; it begins when that is asked first. */
bool kin__effort_is_late(struct kin__effort *effort);

/* For when they are spent: as kin__effort_charge. */
bool kin__effort_charge_slow(struct kin__effort *effort, uint64_t steps);

/* Charges `steps`; false: KIN_ELIMIT, there are not so many left. */
static inline bool kin__effort_charge(struct kin__effort *effort, uint64_t steps)
{
    if (effort->steps < steps) {
        return kin__effort_charge_slow(effort, steps);
    }
    effort->steps -= steps;
    return true;
}

/* Charges looking at `size` bytes. */
static inline bool kin__effort_charge_bytes(struct kin__effort *effort, uint64_t size)
{
    return size <= KIN__EFFORT_FREE_BYTES ||
           kin__effort_charge(effort, size / KIN__EFFORT_FREE_BYTES);
}

#endif
