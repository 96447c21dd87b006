/**
 * The chunk table: who has which 64 KiB of the heap, and which of them have pages.
 *
 *     IDLE      nobody's; has pages or not (COMMITTED)
 *     CLAIMED   by `owner`, on the way to something else, or the rest of an extent
 *     SPAN      blocks of one size class; `owner` is the process that may allocate in it,
 *               0: any process may adopt it
 *     EXTENT    the first chunk of a block that is `count` chunks long; the others are CLAIMED
 *
 * Each edge is one compare-and-swap of `word`, with the owner in it, so a chunk is nobody's
 * secret: the reaper walks the table, stepping over whole extents, and takes back what is
 * CLAIMED by a dead process. Nothing here is locked.
 */
#ifndef KIN_FAMILY_CHUNK_H
#define KIN_FAMILY_CHUNK_H

#include "base/assert.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define KIN__CHUNK_BYTES ((uint64_t)64 << 10)

enum kin__chunk_state {
    KIN__CHUNK_IDLE,
    KIN__CHUNK_CLAIMED,
    KIN__CHUNK_SPAN,
    KIN__CHUNK_EXTENT,
};

#define KIN__CHUNK_COMMITTED ((uint64_t)1 << 16) /* an IDLE chunk that has pages */

/* What is known of a block; see heap.h. */
struct kin__block_header {
    _Atomic uint64_t owner;
    uint16_t type;
    uint16_t handle_count;
    uint32_t reserved;
};

struct kin__chunk {
    _Atomic uint64_t word; /* state : 8, size class : 8, COMMITTED : 1, owner : 32 high */
    uint32_t count;        /* of an extent: its chunks; written before it becomes EXTENT */
    uint32_t reserved;
    struct kin__block_header header; /* of an extent */
};

KIN_STATIC_ASSERT_SIZE(struct kin__block_header, 16);
KIN_STATIC_ASSERT_SIZE(struct kin__chunk, 32);

static inline uint32_t kin__chunk_state(uint64_t word)
{
    return (uint32_t)(word & 0xff);
}

static inline uint32_t kin__chunk_class(uint64_t word)
{
    return (uint32_t)(word >> 8 & 0xff);
}

static inline uint32_t kin__chunk_owner(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

static inline uint64_t kin__chunk_word(uint32_t state, uint32_t size_class, uint32_t owner)
{
    return state | (uint64_t)size_class << 8 | (uint64_t)owner << 32;
}

struct kin__chunk *kin__chunk_at(uint32_t index);
uint64_t kin__chunk_offset(uint32_t index);
/* The chunk that holds an offset; UINT32_MAX: none does. */
uint32_t kin__chunk_of(uint64_t offset);

/* Claims `count` chunks in a row for this process, with pages; `is_renewed`: with new ones, which
 * are zero. 0, or -ENOMEM. */
int kin__chunk_claim(uint32_t count, bool is_renewed, uint32_t *ret_first);

/* The same for what is sent from process to process again and again. What was just read elsewhere
 * is the slowest to write: its lines are in the other core's cache. So chunks take turns, by the
 * caller's own `turn`, within a window of 4 MiB more than what is in use: long enough for them to
 * have left the caches that are near a core, short enough for those that all share. */
int kin__chunk_claim_in_turn(uint32_t count, _Atomic uint32_t *turn, uint32_t *ret_first);

/* Gives back chunks that are CLAIMED by this process. Some idle ones keep their pages, so that
 * a steady state needs no system call; beyond that the pages go back. */
void kin__chunk_release(uint32_t first, uint32_t count);

/* Gives back a chunk that a dead process had claimed and that is CLAIMED by this one now. The dead
 * may not have got to giving it pages, so it counts as one that has none. */
void kin__chunk_reclaim(uint32_t index);

/* Makes the counts that are hints right again: by a reaper, after a death. */
void kin__chunk_recount(void);

#endif
