/**
 * Slots, each with one message, and segments, which are runs of slots. What the states mean and who
 * changes them stands in layout.h.
 */
#ifndef KIN_QUEUE_SLOT_H
#define KIN_QUEUE_SLOT_H

#include "base/arithmetic.h"
#include "family/directory.h"

#include <string.h>

enum slot_state {
    SLOT_FREE,
    SLOT_RESERVED,
    SLOT_READY,
    SLOT_LEASED,
    SLOT_DONE,
    SLOT_ABORTED,
    SLOT_CLAIMED,
    SLOT_TAKEN,
    SLOT_DEAD,
};

#define SLOT_SMALL_BYTES 104u

#define MESSAGE_BYTES_MAX (((uint64_t)1 << 40) - 1)
#define MESSAGE_HANDLES_MAX 255u

struct slot {
    _Atomic uint64_t state; /* ticket's low bits : 28, state : 4, owner id or returns : 32 */
    uint64_t about;         /* bytes : 40, handles in front of them in the block : 8, claims so far
                              * : 16; by the producer, before RESERVED; claims before CLAIMED */
    uint64_t bytes_end;     /* bytes of all messages up to this one, since the queue's start */
    union {
        uint64_t block;                        /* by the producer, before RESERVED */
        unsigned char small[SLOT_SMALL_BYTES]; /* by the producer, before READY */
    };
};

#define SEGMENT_BYTES_FIRST 8176u /* 62 slots: most queues are short */
#define SEGMENT_BYTES 65536u      /* 511 slots: one chunk */

struct segment {
    _Atomic uint64_t next; /* block of the next segment; 0: none yet; under the tail lock */
    uint64_t base;         /* ticket of slots[0]; constant */
    uint64_t bytes_base;   /* bytes_end of the slot before; constant */
    uint32_t slot_count;   /* constant */
    uint32_t reserved[25];
    struct slot slots[];
};

struct place {
    uint64_t segment; /* its block */
    uint64_t ticket;
};

KIN_STATIC_ASSERT_SIZE(struct slot, 128);
KIN_STATIC_ASSERT_SIZE(struct segment, 128);

static inline uint64_t kin__slot_word(uint64_t ticket, enum slot_state state, uint32_t owner)
{
    return (ticket & 0xfffffff) | (uint64_t)state << 28 | (uint64_t)owner << 32;
}

/* The word of the same slot in another state. */
static inline uint64_t kin__slot_next(const struct slot *slot, enum slot_state state,
                                      uint32_t owner)
{
    return kin__slot_word(atomic_load_explicit(&slot->state, memory_order_relaxed), state, owner);
}

static inline enum slot_state kin__slot_state(uint64_t word)
{
    return (enum slot_state)(word >> 28 & 0xf);
}

static inline uint32_t kin__slot_owner(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

/* What a message is like. A word and no bit-fields: those are written by parts, and then the line
 * is read first, which the consumer has. */
static inline uint64_t kin__slot_about(uint64_t bytes, uint32_t handle_count, uint32_t deliveries)
{
    return bytes | (uint64_t)handle_count << 40 | (uint64_t)deliveries << 48;
}

static inline uint64_t kin__slot_bytes(const struct slot *slot)
{
    return slot->about & MESSAGE_BYTES_MAX;
}

static inline uint32_t kin__slot_handle_count(const struct slot *slot)
{
    return slot->about >> 40 & 0xff;
}

static inline uint32_t kin__slot_deliveries(const struct slot *slot)
{
    return (uint32_t)(slot->about >> 48);
}

/* Copies a message of at most SLOT_SMALL_BYTES: most are a few words, and a call would take
 * longer. */
static inline void kin__small_copy(void *to, const void *from, size_t size)
{
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
        memcpy((unsigned char *)to + at, (const unsigned char *)from + at, sizeof(uint64_t));
    }
    for (; at < size; at++) {
        ((unsigned char *)to)[at] = ((const unsigned char *)from)[at];
    }
}

/* Notes that it is claimed once more, having come back so often; the count ends at its greatest. */
static inline void kin__slot_deliver(struct slot *slot, uint32_t returns)
{
    uint32_t deliveries = returns < UINT16_MAX ? returns + 1 : UINT16_MAX;
    slot->about = kin__slot_about(kin__slot_bytes(slot), kin__slot_handle_count(slot), deliveries);
}

/* Whether its message stands in a block. */
static inline bool kin__slot_is_large(const struct slot *slot)
{
    return kin__slot_bytes(slot) > SLOT_SMALL_BYTES || kin__slot_handle_count(slot) != 0;
}

/* A segment by its block. */
static inline struct segment *kin__segment_at(uint64_t block)
{
    return kin__at(kin__u64_align_up(block, KIN__OBJECT_ALIGNMENT));
}

/* A ticket's slot in its segment. */
static inline struct slot *kin__segment_slot(struct segment *segment, uint64_t ticket)
{
    return &segment->slots[ticket - segment->base];
}

/* Whether a ticket lies behind the end of a segment. */
static inline bool kin__segment_is_past(const struct segment *segment, uint64_t ticket)
{
    return ticket - segment->base >= segment->slot_count;
}

/* Allocates an empty segment that belongs to this process. 0, or -ENOMEM. */
int kin__segment_create(uint32_t bytes, uint64_t *ret_block);

#endif
