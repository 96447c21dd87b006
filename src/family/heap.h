/**
 * Blocks of the family's memory.
 *
 * The truth about a block is one word, its owner, in its header: 0 for a free block, else the
 * process or the object that it belongs to. Allocating, giving away and freeing are each one
 * compare-and-swap of that word; a process that dies leaves blocks with its name on them, which
 * the reaper frees. Everything else, in the process's private memory, is a cache: which spans
 * it may allocate from and where it looks next.
 *
 * A span is a chunk cut into blocks of one size, each with its header in front. Only the span's
 * owner allocates from it, any process frees. Larger blocks are extents: whole chunks, with
 * the header in the chunk table.
 *
 * A block can hold references to objects: its first `handle_count` x 16 bytes are handles (see
 * directory.h), counted as long as the block lives. Blocks are not zeroed, their handles are.
 */
#ifndef KIN_FAMILY_HEAP_H
#define KIN_FAMILY_HEAP_H

#include "family/heap/chunk.h"
#include "family/memory.h"

#include <threads.h>

/* What a block is, for the verifier and for reading dumps. */
enum kin__block_type { KIN__BLOCK_BYTES = 1, KIN__BLOCK_REFERENCES, KIN__BLOCK_OBJECT };

#define KIN__SIZE_CLASS_COUNT 13u

/* The spans of one size class that this process has. */
struct kin__heap_class {
    uint32_t *spans; /* chunk indexes */
    uint32_t span_count;
    uint32_t span_capacity;
    uint32_t span_next;  /* where to look next */
    uint32_t block_next; /* and at which block of that span */
};

struct kin__heap {
    mtx_t lock; /* of this process; taken around fork */
    struct kin__heap_class classes[KIN__SIZE_CLASS_COUNT];
    _Atomic uint32_t extent_turn; /* where to look for the next extent */
};

/* The owner word for a member, and for the object at a directory index. */
static inline uint64_t kin__block_of_member(uint32_t owner)
{
    return (uint64_t)1 << 62 | owner;
}

static inline bool kin__block_is_of_member(uint64_t owner)
{
    return owner >> 62 == 1;
}

static inline uint64_t kin__block_of_object(uint32_t index, uint64_t counter)
{
    return (uint64_t)2 << 62 | (uint64_t)(index & 0x3fffffff) << 32 | (uint32_t)counter;
}

/* Allocates a block of at least `bytes`, handles included, that belongs to this process. 0 and
 * its offset (16-byte aligned; 64 KiB aligned above 32 KiB), or -ENOMEM. */
int kin__block_create(uint64_t bytes, uint32_t handle_count, enum kin__block_type type,
                      uint64_t *ret_offset);

/* The same, and all zero. A large block is not written to: it gets new pages. */
int kin__block_create_zeroed(uint64_t bytes, uint32_t handle_count, enum kin__block_type type,
                             uint64_t *ret_offset);

/* How many bytes a block has; 0 if the offset is not that of a block in use. */
uint64_t kin__block_capacity(uint64_t offset);

/* Who has the block. The offset must be that of a block, free or not. */
uint64_t kin__block_owner(uint64_t offset);

/* Hands a block from one owner to another. False: `from` does not have it (any more). */
bool kin__block_give(uint64_t offset, uint64_t from, uint64_t to);

/* Frees a block that `owner` has, and drops the references in it. Does nothing if `owner` does
 * not have it: two may try, one succeeds. */
void kin__block_free(uint64_t offset, uint64_t owner);

/* The header of the block at `offset`, in this process's mapping; NULL: no block can be there. */
struct kin__block_header *kin__block_header_at(uint64_t offset);

/* Gives chunks back that are wholly free; by the process itself. */
void kin__heap_trim(void);

/* Takes back what the dead process had: frees its blocks, offers its spans for adoption. */
void kin__heap_reap(uint32_t dead);

/* Visits every block of a memory, free ones too: header, offset, bytes. Blocks that are
 * created or freed meanwhile may be missed or seen. */
typedef void kin__heap_visit(void *user, const struct kin__block_header *header, uint64_t offset,
                             uint64_t bytes);
void kin__heap_each(const struct kin__memory *memory, kin__heap_visit *visit, void *user);

/* In a forked child: forgets the parent's spans. */
void kin__heap_forget(void);

#endif
