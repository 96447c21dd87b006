/**
 * Memory of objects. Objects that are made together, by a decoder, are cut from regions one behind
 * the other; a region is given back when the last object in it is freed. That costs a few
 * instructions an object, and keeps neighbours together. What is larger than a page has memory of
 * its own.
 */
#ifndef KIN_OBJECT_REGION_H
#define KIN_OBJECT_REGION_H

#include "object/object.h"

struct region;

/* Where a decoder takes objects from; all zero at first. */
struct kin__arena {
    struct region *region; /* the one being filled; NULL: none yet */
    unsigned char *next;
    unsigned char *end;
    uint32_t fresh_count; /* objects in it that `live` of the region does not count yet */
    size_t next_bytes;    /* how large the next region will be; 0: small */
};

/* What is larger has memory of its own. */
#define KIN__OBJECT_BYTES_MAX 4096u

static inline void kin__object_begin(kin_object *object, kin_kind kind, size_t region)
{
    atomic_init(&object->count, 1);
    object->kind = (uint8_t)kind;
    object->flags = 0;
    object->region = (uint16_t)region;
}

void *kin__object_allocate_slow(struct kin__arena *arena, kin_kind kind, size_t bytes);

/* An object of `bytes` bytes with one reference, of which only the header is set. NULL arena:
 * memory of its own. NULL: no memory. */
static inline void *kin__object_allocate(struct kin__arena *arena, kin_kind kind, size_t bytes)
{
    if (arena == NULL || bytes > KIN__OBJECT_BYTES_MAX ||
        (size_t)(arena->end - arena->next) < bytes + 7) {
        return kin__object_allocate_slow(arena, kind, bytes);
    }
    kin_object *object = (kin_object *)(void *)arena->next;
    arena->next += (bytes + 7) & ~(size_t)7;
    arena->fresh_count++;
    kin__object_begin(object, kind, (size_t)((char *)object - (char *)arena->region) / 8);
    return object;
}

/* The largest array of a container in a region. */
#define KIN__ARRAY_BYTES_MAX (16u * 1024)

/* Whether the array of `owner` may be the next `bytes` bytes of `arena`: it is in the same region,
 * and they are there. */
static inline bool kin__arena_has_room(const struct kin__arena *arena, const void *owner,
                                       size_t bytes)
{
    const char *region = (const char *)owner - (size_t)((const kin_object *)owner)->region * 8;
    return region == (const char *)arena->region && bytes <= KIN__ARRAY_BYTES_MAX &&
           (size_t)(arena->end - arena->next) >= bytes;
}

/* Bytes that live as long as the region that `arena` fills now, aligned to 8: for the arrays of
 * the container that was allocated just before. NULL: there is not enough room (never an error). */
void *kin__arena_array(struct kin__arena *arena, const void *owner, size_t bytes);

/* No more objects come: the region that is being filled goes with its last object. */
void kin__arena_finish(struct kin__arena *arena);

/* kin_object_free of many: circles are looked for once. */
void kin__objects_free(kin_object *const *objects, size_t count);

/* Gives memory of ended objects back; many at a time, so that a region is counted down once. */
struct kin__ending {
    struct region *region;
    uint32_t count;
};
void kin__object_release_slow(struct kin__ending *ending, kin_object *object);

static inline void kin__object_release(struct kin__ending *ending, kin_object *object)
{
    void *region = (char *)object - (size_t)object->region * 8;
    if (region == ending->region) { /* one of its own has no region there */
        ending->count++;
    } else {
        kin__object_release_slow(ending, object);
    }
}

void kin__ending_finish(struct kin__ending *ending);

#endif
