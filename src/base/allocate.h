/*
 * The private memory of this process. All of kin allocates here, so that tests can let any
 * allocation fail (base/fault.h).
 */
#ifndef KIN_BASE_ALLOCATE_H
#define KIN_BASE_ALLOCATE_H

#include <stddef.h>

/** Memory of `bytes` bytes, aligned for any type, or NULL: none left. 0 bytes are not NULL. */
void *kin__allocate(size_t bytes);

/** The same, all bytes 0. */
void *kin__allocate_zeroed(size_t bytes);

/** Memory for `count` elements of `size` bytes each; NULL also if the product does not fit. */
void *kin__allocate_array(size_t count, size_t size);

/** Resizes `memory` (NULL: nothing yet). NULL: none left, and `memory` is as it was. */
void *kin__reallocate(void *memory, size_t bytes);

/** Gives memory back; NULL is fine. */
void kin__release(void *memory);

#endif
