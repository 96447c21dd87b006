/*
 * Failing on purpose: with KIN_FAULTS, a test makes the n-th allocation from now fail. A
 * test of a function that allocates runs it with n = 1, 2, 3 ... until it succeeds.
 */
#ifndef KIN_BASE_FAULT_H
#define KIN_BASE_FAULT_H

#if defined(KIN_FAULTS) && KIN_FAULTS

#include <stdbool.h>
#include <stdint.h>

/** Lets the n-th allocation from now fail, once, in whichever thread makes it; 0: none. */
void kin__allocation_fail_at(uint64_t n);

/** How many allocations this process has tried so far. */
uint64_t kin__allocation_count(void);

/** Counts one allocation; true if it has to fail. For base/allocate.c only. */
bool kin__allocation_begin(void);

#endif

#endif
