#include "base/allocate.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/arithmetic.h"
#include "base/fault.h"

static bool allocation_fails(void)
{
#if defined(KIN_FAULTS) && KIN_FAULTS
    return kin__allocation_begin();
#else
    return false;
#endif
}

/* Of 0 bytes ISO C may give NULL, which here always means failure. */
static size_t at_least_one(size_t bytes)
{
    return bytes == 0 ? 1 : bytes;
}

void *kin__allocate(size_t bytes)
{
    return allocation_fails() ? NULL : malloc(at_least_one(bytes));
}

void *kin__allocate_zeroed(size_t bytes)
{
    return allocation_fails() ? NULL : calloc(1, at_least_one(bytes));
}

void *kin__allocate_array(size_t count, size_t size)
{
    size_t bytes;
    return kin__size_multiply(count, size, &bytes) ? kin__allocate(bytes) : NULL;
}

void *kin__reallocate(void *memory, size_t bytes)
{
    return allocation_fails() ? NULL : realloc(memory, at_least_one(bytes));
}

void kin__release(void *memory)
{
    free(memory);
}
