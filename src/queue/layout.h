/**
 * A queue in the family's memory.
 *
 * Messages stand in slots, slots in segments, segments in a chain from the oldest that is not
 * done with to the one that is being filled. Slots have numbers, tickets, that are never used
 * twice. What is true of a slot is in one word, `state`, with the owner in it:
 *
 *     FREE      never used
 *     RESERVED  by a producer, which writes the message
 *     READY     the message is in the queue
 *     LEASED    by a consumer, which takes the message out
 *     DONE      was taken
 *     ABORTED   its producer died; not yet counted as DONE
 *
 *     FREE -> RESERVED      under the tail lock
 *     RESERVED -> READY     by its producer, no lock: the commit
 *     RESERVED -> ABORTED   by a reaper, its producer being dead; under the head lock -> DONE
 *     READY -> LEASED       under the head lock
 *     LEASED -> DONE        by its consumer, no lock
 *     LEASED -> READY       by a reaper, its consumer being dead; under the head lock
 *
 * Everything else is a cache that is rebuilt from the states by whoever finds a lock's holder
 * dead: tail and head (recover.c). No lock is held while a message is copied.
 *
 * A message of up to SLOT_SMALL_BYTES stands in its slot. A larger one has a block, which is
 * written before the slot is reserved, belongs to the producer's process, then (before the
 * commit) to the queue, then to the consumer's process: it is not copied again. At the moment of
 * a death the slot says which block it is about, and the block's owner word says who has it.
 */
#ifndef KIN_QUEUE_LAYOUT_H
#define KIN_QUEUE_LAYOUT_H

#include "family/lock.h"
#include "family/reference.h"

#include <kin/queue.h>

#define KIN__TYPE_QUEUE 4u

enum slot_state {
    SLOT_FREE,
    SLOT_RESERVED,
    SLOT_READY,
    SLOT_LEASED,
    SLOT_DONE,
    SLOT_ABORTED,
};

#define SLOT_SMALL_BYTES 104u

struct slot {
    _Atomic uint64_t state; /* ticket's low bits : 28, state : 4, owner id : 32 */
    uint64_t size;          /* of the message; by the producer, before RESERVED */
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

/* Slots that consumers have passed while their producers were writing. */
#define SKIPPED_MAX 8u

struct place {
    uint64_t segment; /* its block */
    uint64_t ticket;
};

/* Peer death: the states of the slots are always true; what else stands here is rebuilt from them
 * by whoever finds a lock's holder dead, and by the reaper of one that died in the queue. See
 * recover.c. */
struct queue_shared {
    /* Constant. */
    uint64_t item_count_max;    /* 0: no limit */
    uint64_t message_bytes_max; /* 0: no limit */

    /* Written by producers, under the tail lock. */
    _Alignas(KIN__MEMORY_LINE) struct kin__lock tail_lock;
    _Atomic uint32_t is_closed;
    _Atomic uint64_t tail_segment; /* also read by who retires: see kin__queue_retire */
    _Atomic uint64_t tail;         /* ticket of the next message */
    uint64_t bytes_put;            /* of messages below tail */
    uint64_t taken_seen;           /* `taken` and `bytes_taken` when a producer last looked */
    uint64_t bytes_taken_seen;

    /* Written by consumers, under the head lock. */
    _Alignas(KIN__MEMORY_LINE) struct kin__lock head_lock;
    uint32_t skipped_count;
    struct place head;                 /* below: LEASED, DONE, or in `skipped` */
    uint64_t oldest;                   /* block of the first segment of the chain */
    _Atomic uint64_t taken;            /* slots that are LEASED or DONE */
    _Atomic uint64_t bytes_taken;      /* and the bytes of their messages */
    struct place skipped[SKIPPED_MAX]; /* slots that were RESERVED when they were passed */

    /* Event counts, written by those who sleep and those who wake them. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t items; /* consumers sleep on it */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t space; /* producers sleep on it */
};

KIN_STATIC_ASSERT_SIZE(struct slot, 128);
KIN_STATIC_ASSERT_SIZE(struct segment, 128);
static_assert(_Alignof(struct queue_shared) <= KIN__OBJECT_ALIGNMENT, "layout 1");
KIN_STATIC_ASSERT_OFFSET(struct queue_shared, tail_lock, 128);
KIN_STATIC_ASSERT_OFFSET(struct queue_shared, head_lock, 256);
KIN_STATIC_ASSERT_OFFSET(struct queue_shared, items, 512);
KIN_STATIC_ASSERT_OFFSET(struct queue_shared, space, 640);

struct kin_queue {
    struct kin__object object;
};

static inline uint64_t kin__slot_word(uint64_t ticket, enum slot_state state, uint32_t owner)
{
    return (ticket & 0xfffffff) | (uint64_t)state << 28 | (uint64_t)owner << 32;
}

static inline enum slot_state kin__slot_state(uint64_t word)
{
    return (enum slot_state)(word >> 28 & 0xf);
}

static inline uint32_t kin__slot_owner(uint64_t word)
{
    return (uint32_t)(word >> 32);
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

/* How many producers to wake when there is space. Where bytes are counted, the one that is first
 * in line may not fit although the next one would: all have to look. */
static inline uint32_t kin__queue_space_wakes(const struct queue_shared *queue)
{
    return queue->message_bytes_max != 0 ? UINT32_MAX : 1;
}

/* Allocates an empty segment that belongs to this process. 0, or -ENOMEM. */
int kin__segment_create(uint32_t bytes, uint64_t *ret_block);

/* Acquires the tail lock or the head lock, rebuilding what it guards if its holder died. */
void kin__queue_lock_tail(struct queue_shared *queue, uint32_t index, struct kin__thread *self);
void kin__queue_lock_head(struct queue_shared *queue, uint32_t index, struct kin__thread *self);

/* The owner word of blocks that belong to the queue at a directory index. */
uint64_t kin__queue_owner(uint32_t index);

/* Takes the first segment out of the chain if all its slots are DONE and producers have left it;
 * under the head lock. The block then belongs to this process, which is to free it outside the
 * lock; 0: none. */
uint64_t kin__queue_retire(struct queue_shared *queue, uint32_t index);

/* See struct kin__type. */
void kin__queue_repair(uint32_t index, void *at, uint32_t dead);
void kin__queue_drain(uint32_t index, void *at);
void kin__queue_verify(struct kin__verifier *verifier, uint32_t index, const void *at);

/* The queue's shared part and the calling thread, ready for work: notes in the member slot
 * that it works on the queue. 0, or -EINVAL, -ESTALE, KIN_EFAMILY, -ENOMEM. */
int kin__queue_enter(const kin_queue *queue, struct queue_shared **ret_shared,
                     struct kin__thread **ret_self);

/* It works on it no longer. */
static inline void kin__queue_leave(struct kin__thread *self)
{
    atomic_store_explicit(&self->member->doing, 0, memory_order_release);
}

#endif
