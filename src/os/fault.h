/**
 * Makes the n-th call to the system fail, for tests. Compiled in with KIN_FAULTS only.
 *
 * Every function of os/ that can fail starts with KIN__OS_FAULT(code): the errno value that
 * the system would give for the commonest reason.
 */
#ifndef KIN_OS_FAULT_H
#define KIN_OS_FAULT_H

#include <stdint.h>

#ifdef KIN_FAULTS

/* From now on the n-th call fails, once; 0: none does. Counts from 1. */
void kin__os_fail_at(uint64_t n);

/* The same, of the calls of this thread: where another one's, the keeper's say, are not to be
 * counted. */
void kin__os_fail_here(uint64_t n);

/* Number of calls since kin__os_fail_at. */
uint64_t kin__os_call_count(void);

/* Counts a call; true if it is the one to fail. */
int kin__os_must_fail(void);

#define KIN__OS_FAULT(code)        \
    do {                           \
        if (kin__os_must_fail()) { \
            return -(code);        \
        }                          \
    } while (0)

#else

#define KIN__OS_FAULT(code) ((void)0)

#endif

#endif
