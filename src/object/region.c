#include "object/region.h"

#include "base/allocate.h"
#include "object/runtime.h"

enum {
    REGION_BYTES_MIN = 1024,
    REGION_BYTES_MAX = 64 * 1024 /* a distance in units of 8 bytes has 16 bits */
};

/* While a region is being filled, `live` is too large by this much, so that no object that is
 * freed meanwhile takes it away. */
#define FILLING (UINT32_C(1) << 30)

struct region {
    _Atomic uint32_t live; /* objects in it that have not ended */
    uint32_t bytes;
};

/* Large regions come and go with each message; a few are kept, since the system would clear the
 * pages of each new one. NULL: none is there. */
static struct region *take_spare(void)
{
    for (int i = 0; i < KIN__SPARE_REGION_COUNT; i++) {
        _Atomic(struct region *) *spare = &kin__spare_regions[i];
        struct region *region = atomic_load_explicit(spare, memory_order_relaxed);
        region = region == NULL ? NULL : atomic_exchange(spare, NULL);
        if (region != NULL) {
            return region;
        }
    }
    return NULL;
}

static void release(struct region *region)
{
    for (int i = 0; i < KIN__SPARE_REGION_COUNT && region->bytes == REGION_BYTES_MAX; i++) {
        struct region *none = NULL;
        if (atomic_compare_exchange_strong(&kin__spare_regions[i], &none, region)) {
            return;
        }
    }
    kin__release(region);
}

static struct region *region_of(const kin_object *object)
{
    char *start = (char *)(uintptr_t)object - (size_t)object->region * 8;
    return (struct region *)(void *)start;
}

static void count_down(struct region *region, uint32_t count)
{
    if (atomic_fetch_sub_explicit(&region->live, count, memory_order_acq_rel) == count) {
        release(region);
    }
}

void kin__arena_finish(struct kin__arena *arena)
{
    if (arena->region != NULL) {
        count_down(arena->region, FILLING - arena->fresh_count);
    }
    arena->region = NULL;
    arena->next = NULL;
    arena->end = NULL;
    arena->fresh_count = 0;
}

static bool begin_region(struct kin__arena *arena)
{
    kin__arena_finish(arena);
    size_t bytes = arena->next_bytes;
    bytes = bytes < REGION_BYTES_MIN ? REGION_BYTES_MIN : bytes;
    bytes = bytes > REGION_BYTES_MAX ? REGION_BYTES_MAX : bytes;
    struct region *region = bytes == REGION_BYTES_MAX ? take_spare() : NULL;
    region = region == NULL ? kin__allocate(bytes) : region;
    if (region == NULL) {
        return false;
    }
    region->bytes = (uint32_t)bytes;
    atomic_init(&region->live, FILLING);
    arena->region = region;
    arena->next = (unsigned char *)region + sizeof *region;
    arena->end = (unsigned char *)region + bytes;
    arena->next_bytes = bytes * 4;
    return true;
}

void *kin__object_allocate_slow(struct kin__arena *arena, kin_kind kind, size_t bytes)
{
    if (arena == NULL || bytes > KIN__OBJECT_BYTES_MAX) {
        kin_object *object = kin__allocate(bytes);
        if (object != NULL) {
            kin__object_begin(object, kind, 0);
        }
        return object;
    }
    if (arena->next_bytes < bytes + sizeof(struct region) + 8) {
        arena->next_bytes = 2 * bytes;
    }
    return begin_region(arena) ? kin__object_allocate(arena, kind, bytes) : NULL;
}

void *kin__arena_array(struct kin__arena *arena, const void *owner, size_t bytes)
{
    bytes = (bytes + 7) & ~(size_t)7;
    if (arena == NULL || !kin__arena_has_room(arena, owner, bytes)) {
        return NULL;
    }
    void *array = arena->next;
    arena->next += bytes;
    return array;
}

void kin__ending_finish(struct kin__ending *ending)
{
    if (ending->region != NULL) {
        count_down(ending->region, ending->count);
    }
    ending->region = NULL;
    ending->count = 0;
}

void kin__object_release_slow(struct kin__ending *ending, kin_object *object)
{
    if (object->region == 0) {
        kin__release(object);
        return;
    }
    kin__ending_finish(ending);
    ending->region = region_of(object);
    ending->count = 1;
}
