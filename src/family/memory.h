/**
 * The memory of a family: its layout, and how it becomes readable and writable.
 *
 *     0          struct family_shared: sizes, high-water marks, the directory's lock
 *     members    struct kin__member[member_capacity], see member.h
 *     directory  struct kin__entry[entry_capacity], see directory.h
 *     chunks     struct kin__chunk[chunk_capacity], one for each 64 KiB of the heap; heap/chunk.h
 *     heap       the blocks, see heap.h
 *
 * All regions are sized once for the whole address range and get their pages as their
 * high-water mark rises. Places are named by offsets from the start, never by pointers. What
 * one process writes another validates: an offset that came out of shared memory goes through
 * kin__memory_has before it is followed.
 */
#ifndef KIN_FAMILY_MEMORY_H
#define KIN_FAMILY_MEMORY_H

#include "base/assert.h"

#include <kin/family.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIN__MEMORY_MAGIC 0x316d656d2d6e696bu /* "kin-mem1" */
#define KIN__MEMORY_LAYOUT 1u
#define KIN__MEMORY_BYTES_MIN ((uint64_t)64 << 20)
#define KIN__MEMORY_BYTES_DEFAULT ((uint64_t)64 << 30)
#define KIN__MEMORY_LINE 128u /* two cache lines: the processor fetches them in pairs */

/* An internal lock, see lock.h. */
struct kin__lock {
    _Atomic uint32_t word;
};

/* A region whose pages are added as `used` rises. */
struct kin__region {
    uint64_t offset;            /* constant */
    uint32_t capacity;          /* constant: number of elements */
    uint32_t element_bytes;     /* constant */
    _Atomic uint64_t committed; /* bytes that have pages; only rises; any process */
    _Atomic uint32_t used;      /* elements below this may be in use; only rises; any process */
    uint32_t reserved;
};

/* Offset 0 of the memory. The first block is constant after kin_init. Peer death: the directory's
 * entry under change is counted again by whoever finds the lock's holder dead; the rest are
 * marks that only rise, and hints. */
struct kin__family_shared {
    uint64_t magic;
    uint32_t layout;
    uint32_t family; /* random; part of each handle */
    uint64_t bytes;
    struct kin__region members;
    struct kin__region directory;
    struct kin__region chunks;
    uint64_t heap_offset;

    /* The directory's lock and what it guards; written by whoever creates, opens or frees an
     * object. */
    _Alignas(KIN__MEMORY_LINE) struct kin__lock directory_lock;
    uint32_t directory_current;       /* entry under change; 0: none */
    uint64_t directory_counter;       /* last counter given to an object */
    uint32_t directory_search;        /* where to look for a free entry first: a hint */
    uint32_t directory_former;        /* entry whose handle is being replaced; 0: none */
    uint64_t directory_place;         /* of the handle that is being replaced; 0: none */
    kin_handle directory_handle;      /* by this one */
    _Atomic uint64_t directory_names; /* rises with each name that is given */

    /* Hints of the heap, written by whoever claims or frees chunks. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t chunk_search;
    _Atomic uint32_t idle_chunk_count;  /* free chunks that have pages; rebuilt by the reaper */
    _Atomic uint32_t busy_chunk_count;  /* chunks in spans and extents; rebuilt likewise */
    _Atomic uint32_t orphan_span_count; /* spans that nobody allocates from; rebuilt likewise */

    /* Number of deaths repaired, for statistics and tests. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint64_t death_count;

    /* Held by a thread while it does something about a deadlock that it has found. */
    struct kin__lock deadlock_lock;

    int64_t grace_ms; /* constant after kin_init: how long ends wait for children; 0: for ever */

    _Atomic uint32_t interrupt_handler; /* owner id of the process that Ctrl-C is for; 0: none. By
                                         * that one, and whoever finds it dead */
    uint32_t reserved;
    uint64_t build; /* of kin, where it is a shared library; constant: attach refuses another */
};

static_assert(offsetof(struct kin__family_shared, members) == 24, "layout 1");
static_assert(offsetof(struct kin__family_shared, directory_lock) == 128, "layout 1");
static_assert(offsetof(struct kin__family_shared, chunk_search) == 256, "layout 1");
static_assert(sizeof(struct kin__family_shared) == 512, "layout 1");

/* A mapped memory, or a private copy of one. */
struct kin__memory {
    unsigned char *base;
    uint64_t bytes;
};

static inline struct kin__family_shared *kin__memory_shared(const struct kin__memory *memory)
{
    return (struct kin__family_shared *)(void *)memory->base;
}

static inline void *kin__memory_at(const struct kin__memory *memory, uint64_t offset)
{
    return memory->base + offset;
}

/* Whether [offset, offset + bytes) lies in the memory. */
static inline bool kin__memory_has(const struct kin__memory *memory, uint64_t offset,
                                   uint64_t bytes)
{
    return offset <= memory->bytes && bytes <= memory->bytes - offset;
}

/* Makes a memory of at most `bytes_max` and lays it out. 0 and its fd and mapping, or -ENOMEM,
 * -ENOSYS, -EMFILE. */
int kin__memory_create(uint64_t bytes_max, int *ret_fd, struct kin__memory *ret_memory);

/* Maps a memory that another process has made. 0, -EBADMSG: it is not one, or of another layout, or
 * -ENOMEM. */
int kin__memory_attach(int fd, struct kin__memory *ret_memory);

/* Gives the first `count` elements of a region their pages. 0, or -ENOMEM. */
int kin__region_commit(struct kin__region *region, uint32_t count);

/* Finds the element that an index names; NULL if the region has none. */
static inline void *kin__region_at(const struct kin__memory *memory,
                                   const struct kin__region *region, uint32_t index)
{
    if (index >= atomic_load_explicit(&region->used, memory_order_acquire)) {
        return NULL;
    }
    return kin__memory_at(memory, region->offset + (uint64_t)index * region->element_bytes);
}

/* Raises `used` to at least `count`. Pairs with the acquire in kin__region_at. */
static inline void kin__region_use(struct kin__region *region, uint32_t count)
{
    uint32_t used = atomic_load(&region->used);
    while (used < count && !atomic_compare_exchange_weak(&region->used, &used, count)) {
    }
}

#endif
