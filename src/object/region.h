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

/* An object of `bytes` bytes with one reference, of which only the header is set. NULL arena:
 * memory of its own. NULL: no memory. */
void *kin__object_allocate(struct kin__arena *arena, kin_kind kind, size_t bytes);

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
void kin__object_release(struct kin__ending *ending, kin_object *object);
void kin__ending_finish(struct kin__ending *ending);

#endif
