#include "os/fault.h"

#ifdef KIN_FAULTS

#include <stdatomic.h>

/* Shared by the threads of one process; a forked child starts with its parent's values. */
static _Atomic uint64_t fail_at;
static _Atomic uint64_t call_count;

static _Thread_local uint64_t fail_here; /* calls of this thread until then; 0: none fails */

void kin__os_fail_at(uint64_t n)
{
    atomic_store(&call_count, 0);
    atomic_store(&fail_at, n);
}

uint64_t kin__os_call_count(void)
{
    return atomic_load(&call_count);
}

void kin__os_fail_here(uint64_t n)
{
    fail_here = n;
}

int kin__os_must_fail(void)
{
    if (fail_here > 0 && --fail_here == 0) {
        return 1;
    }
    return atomic_fetch_add(&call_count, 1) + 1 == atomic_load(&fail_at);
}

#else

typedef int kin__os_no_faults; /* a translation unit is not empty */

#endif
