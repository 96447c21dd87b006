/*
 * The state of the allocation hook: the one thing in this layer that changes. Both words
 * are read and written by all threads; they order nothing else, so relaxed is enough.
 */
#include "base/fault.h"

#if defined(KIN_FAULTS) && KIN_FAULTS

#include <stdatomic.h>

static _Atomic uint64_t allocation_count;
static _Atomic uint64_t failing_allocation; /* the count of the one that fails; 0: none */

void kin__allocation_fail_at(uint64_t n)
{
    uint64_t failing = n == 0 ? 0 : kin__allocation_count() + n;
    atomic_store_explicit(&failing_allocation, failing, memory_order_relaxed);
}

uint64_t kin__allocation_count(void)
{
    return atomic_load_explicit(&allocation_count, memory_order_relaxed);
}

bool kin__allocation_begin(void)
{
    uint64_t count = atomic_fetch_add_explicit(&allocation_count, 1, memory_order_relaxed) + 1;
    return count == atomic_load_explicit(&failing_allocation, memory_order_relaxed);
}

#else

/* ISO C wants a declaration in every file. */
typedef int kin__fault_is_off;

#endif
