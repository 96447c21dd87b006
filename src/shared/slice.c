#include "shared/slice.h"

#include <errno.h>

/* A place within [low, high], from one that may count from the end. */
static int64_t clamp(int64_t place, int64_t length, int64_t low, int64_t high)
{
    if (place < 0) {
        place = place < -length - 1 ? -1 : place + length;
    }
    return place < low ? low : place > high ? high : place;
}

int kin__slice_resolve(kin_slice slice, uint64_t length, struct kin__slice_range *ret_range)
{
    *ret_range = (struct kin__slice_range){.step = slice.step};
    if (slice.step == 0) {
        return -EINVAL;
    }
    int64_t end = length > INT64_MAX - 1 ? INT64_MAX - 1 : (int64_t)length;
    bool is_up = slice.step > 0;
    int64_t low = is_up ? 0 : -1;
    int64_t high = is_up ? end : end - 1;
    int64_t start = clamp(slice.start, end, low, high);
    int64_t stop = clamp(slice.stop, end, low, high);
    uint64_t distance = is_up ? (uint64_t)(stop - start) : (uint64_t)(start - stop);
    uint64_t step = is_up ? (uint64_t)slice.step : 0 - (uint64_t)slice.step;
    if (is_up ? stop > start : start > stop) {
        ret_range->first = (uint64_t)start;
        ret_range->count = (distance - 1) / step + 1;
    }
    return 0;
}

uint64_t kin_slice_length(kin_slice slice, uint64_t length)
{
    struct kin__slice_range range;
    kin__slice_resolve(slice, length, &range);
    return range.count;
}
