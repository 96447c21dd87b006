/*
 * All memory of the simulated machine, in one piece that can be put back as it was: the family's
 * memory, the private memory of its processes, the stacks of its threads, the machine itself.
 *
 * Pages are write-protected until they are first written, so what one schedule has changed is
 * known, and putting it back costs a copy of those few pages.
 */
#ifndef EXPLORE_REGION_H
#define EXPLORE_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGION_FAMILY_BYTES ((size_t)64 << 20)

/* Maps the region. Once a process. */
void region_create(void);

/* The family's memory: the first REGION_FAMILY_BYTES of the region. */
extern unsigned char *region_family;

/* Behind it: what processes allocate, which their threads share. */
#define REGION_PRIVATE_BYTES ((size_t)4 << 20)
#define REGION_SHARED_BYTES (REGION_FAMILY_BYTES + REGION_PRIVATE_BYTES)

/* Memory behind that, zeroed, page-aligned, for ever. */
void *region_take(size_t bytes);

/* From here on region_restore puts everything back as it is now. */
void region_keep(void);
void region_restore(void);

/* Pages that have been written since region_keep. */
size_t region_dirty_count(void);

/* Called for a fault that is none of the region's own; does not return. */
extern void (*region_on_fault)(const void *address);

/* Whether an address lies in the region. */
bool region_has(const volatile void *address);

/* Whether other threads may see what is there. */
static inline bool region_is_shared(const volatile void *address)
{
    return (size_t)((const volatile unsigned char *)address - region_family) < REGION_SHARED_BYTES;
}

#endif
