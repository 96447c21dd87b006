/* Which items of an array a kin_slice means. */
#ifndef KIN_SHARED_SLICE_H
#define KIN_SHARED_SLICE_H

#include <kin/array.h>

/* The items first, first + step, ... */
struct kin__slice_range {
    uint64_t first;
    int64_t step;
    uint64_t count;
};

/* The items that a slice means in an array of `length` items. 0, or -EINVAL: the step is 0. */
int kin__slice_resolve(kin_slice slice, uint64_t length, struct kin__slice_range *ret_range);

#endif
