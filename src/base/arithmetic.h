/*
 * Arithmetic that cannot go wrong unseen: sums and products that say when
 * they do not fit, alignment, powers of two. The checked functions return true when the
 * exact result fits, and only then write it.
 */
#ifndef KIN_BASE_ARITHMETIC_H
#define KIN_BASE_ARITHMETIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

/* One definition for both types; the results are written only if they fit. */
#define KIN_CHECKED_OPERATION(name, type, builtin)                     \
    static inline bool name(type first, type second, type *ret_result) \
    {                                                                  \
        type result;                                                   \
        if (builtin(first, second, &result)) {                         \
            return false;                                              \
        }                                                              \
        *ret_result = result;                                          \
        return true;                                                   \
    }

KIN_CHECKED_OPERATION(kin__size_add, size_t, __builtin_add_overflow)
KIN_CHECKED_OPERATION(kin__size_multiply, size_t, __builtin_mul_overflow)
KIN_CHECKED_OPERATION(kin__u64_add, uint64_t, __builtin_add_overflow)
KIN_CHECKED_OPERATION(kin__u64_multiply, uint64_t, __builtin_mul_overflow)

#undef KIN_CHECKED_OPERATION

/** True for 1, 2, 4, 8 ...; false for 0. */
static inline bool kin__u64_is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/** The exponent of the largest power of two that is not above `value`, which is not 0. */
static inline unsigned kin__u64_log2(uint64_t value)
{
    KIN_ASSERT(value != 0);
    return 63U - (unsigned)__builtin_clzll(value);
}

/** The smallest power of two that is not below `value`, which is at most 2^63; 1 for 0. */
static inline uint64_t kin__u64_ceil_power_of_two(uint64_t value)
{
    KIN_ASSERT(value <= UINT64_C(1) << 63);
    return value <= 1 ? 1 : UINT64_C(2) << kin__u64_log2(value - 1);
}

/** The next multiple of `alignment`, a power of two, at or above `value`, which has to exist. */
static inline uint64_t kin__u64_align_up(uint64_t value, uint64_t alignment)
{
    KIN_ASSERT(kin__u64_is_power_of_two(alignment));
    KIN_ASSERT(value <= UINT64_MAX - (alignment - 1));
    return (value + (alignment - 1)) & ~(alignment - 1);
}

#endif
