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
 *     CLAIMED   by a consumer, which works with the message in place until it acknowledges it
 *     TAKEN     in a joinable queue: was taken out, and nobody has said yet that it is done
 *     DONE      is over
 *     ABORTED   came to nothing; not yet counted as DONE
 *     DEAD      came back too often: a dead letter
 *
 *     FREE -> RESERVED      under the tail lock; also FREE -> READY, one small message
 *     RESERVED -> READY     by its producer, no lock: the commit
 *     RESERVED -> DONE      by its producer, which gives it up, under the head lock
 *     RESERVED -> ABORTED   by a reaper, its producer being dead; under the head lock
 *     ABORTED -> DONE       under the head lock
 *     READY -> LEASED       under the head lock
 *     LEASED -> DONE        by its consumer, no lock; in a joinable queue LEASED -> TAKEN
 *     TAKEN -> DONE         by anybody, under the head lock
 *     READY -> CLAIMED      under the head lock; also DEAD -> CLAIMED
 *     CLAIMED -> DONE       by its consumer, under the head lock; or -> READY, or -> DEAD
 *     LEASED, CLAIMED, TAKEN -> READY, READY or DEAD, DONE
 *                           by a reaper, the consumer being dead; under the head lock
 *
 * In a word of RESERVED, LEASED, CLAIMED and TAKEN stands the owner, in one of READY and DEAD how
 * often the message came back. Everything else is a cache that is rebuilt from the states by
 * whoever finds a lock's holder dead: tail and head (recover.c). No lock is held while a message
 * is copied, but for one small message on its way in, from the producer's stack.
 *
 * A message of up to SLOT_SMALL_BYTES stands in its slot. A larger one has a block, which is
 * written before the slot is reserved, belongs to the producer's process, then (before the
 * commit) to the queue, then to the consumer's process: it is not copied again. At the moment of
 * a death the slot says which block it is about, and the block's owner word says who has it.
 */
#ifndef KIN_QUEUE_LAYOUT_H
#define KIN_QUEUE_LAYOUT_H

#include "family/bell.h"
#include "family/lock.h"
#include "family/reference.h"
#include "family/sleep.h"
#include "queue/slot.h"

#include <kin/queue.h>

#define KIN__TYPE_QUEUE 4u

/* Whether messages can be put (OPEN) and taken (OPEN, CLOSED). */
enum closing { QUEUE_OPEN, QUEUE_CLOSED, QUEUE_SHUT };

/* Slots that consumers have passed while their producers were writing. */
#define SKIPPED_MAX 8u

/* How many messages pass in one hold of a lock. */
#define BATCH_MAX 64u

/* What decoding a message may use, as in kin_pickle_limits. */
struct decoding_limits {
    uint64_t input_bytes_max;
    uint64_t memory_bytes_max;
    uint64_t object_count_max;
    uint64_t opcode_count_max;
    uint64_t memo_count_max;
    uint32_t depth_max;
    uint32_t integer_bits_max;
    uint32_t time_ms_max;
    uint32_t reserved;
};

KIN_STATIC_ASSERT_SIZE(struct decoding_limits, 56);

/* Peer death: the states of the slots are always true; what else stands here is rebuilt from them
 * by whoever finds a lock's holder dead, and by the reaper of one that died in the queue. See
 * recover.c. */
struct queue_shared {
    /* Constant. */
    uint64_t item_count_max;     /* 0: no limit */
    uint64_t message_bytes_max;  /* 0: no limit */
    uint32_t delivery_count_max; /* 0: no limit */
    uint32_t is_joinable;
    struct decoding_limits limits;

    /* Written once or twice, under the tail lock; read by all, so not beside what they write. */
    _Atomic uint32_t closing; /* enum closing */

    /* Written by producers, under the tail lock. */
    _Alignas(KIN__MEMORY_LINE) struct kin__lock tail_lock;
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
    _Atomic uint64_t taken;            /* slots that are neither RESERVED nor READY nor FREE */
    _Atomic uint64_t bytes_taken;      /* and the bytes of their messages */
    _Atomic uint64_t finished;         /* slots that nobody has to do anything about: DONE, DEAD */
    _Atomic uint64_t dead_letters;     /* slots that are DEAD */
    uint64_t claimed;                  /* slots that are CLAIMED */
    _Atomic uint64_t tasks_lost;       /* were TAKEN by one that died */
    struct place skipped[SKIPPED_MAX]; /* slots that were RESERVED when they were passed */

    /* Event counts, written by those who sleep and those who wake them. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t items; /* consumers sleep on it */
    _Atomic uint32_t watch;                            /* and keepers that ring for pollers */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t space; /* producers sleep on it */
    _Atomic uint32_t finishes;                         /* and those that wait until all is done */
};

static_assert(_Alignof(struct queue_shared) <= KIN__OBJECT_ALIGNMENT, "layout 1");
KIN_STATIC_ASSERT_OFFSET(struct queue_shared, tail_lock, 128);
KIN_STATIC_ASSERT_OFFSET(struct queue_shared, head_lock, 256);
KIN_STATIC_ASSERT_OFFSET(struct queue_shared, items, 512);
KIN_STATIC_ASSERT_OFFSET(struct queue_shared, space, 640);

struct kin_queue {
    struct kin__object object;
    kin__bell_place bell; /* of kin_queue_event_fd */
};

/* How many producers to wake when so many slots are free. Where bytes are counted, the one that is
 * first in line may not fit although the next one would: all have to look. */
static inline uint32_t kin__queue_space_wakes(const struct queue_shared *queue, uint32_t slots)
{
    return queue->message_bytes_max != 0 ? UINT32_MAX : slots;
}

/* Acquires the tail lock or the head lock, rebuilding what it guards if its holder died. */
void kin__queue_rebuild_tail(struct queue_shared *queue, uint32_t index);
void kin__queue_rebuild_head(struct queue_shared *queue, uint32_t index);

static inline void kin__queue_lock_tail(struct queue_shared *queue, uint32_t index,
                                        struct kin__thread *self)
{
    if (kin__lock_acquire(&queue->tail_lock, self) == KIN_OWNER_DIED) {
        kin__queue_rebuild_tail(queue, index);
    }
}

static inline void kin__queue_lock_head(struct queue_shared *queue, uint32_t index,
                                        struct kin__thread *self)
{
    if (kin__lock_acquire(&queue->head_lock, self) == KIN_OWNER_DIED) {
        kin__queue_rebuild_head(queue, index);
    }
}

/* The owner word of blocks that belong to the queue at a directory index. */
uint64_t kin__queue_owner(uint32_t index);

/* Takes a segment out of the chain of which all slots are DONE and that producers have left; under
 * the head lock. The block then belongs to this process, which is to free it outside the lock;
 * 0: none. Looks at the first segment only, or at all up to the head. */
uint64_t kin__queue_retire(struct queue_shared *queue, uint32_t index, bool is_thorough);

/* Says that so many messages are READY. */
static inline void kin__queue_tell_items(struct queue_shared *queue, uint32_t count)
{
    kin__count_raise(&queue->items, count);
    kin__count_raise(&queue->watch, UINT32_MAX);
}

/* Whether a message that is claimed is a dead letter. */
static inline bool kin__queue_is_letter(const struct queue_shared *queue, const struct slot *slot)
{
    return queue->delivery_count_max != 0 && kin__slot_deliveries(slot) > queue->delivery_count_max;
}

/* What is counted over all slots of a queue. */
struct kin__queue_counts {
    uint64_t waiting; /* RESERVED or READY */
    uint64_t bytes_waiting;
    uint64_t bytes_end; /* of the last one */
    uint64_t unfinished;
    uint64_t claimed;
    uint64_t dead_letters;
};
void kin__queue_count(const struct queue_shared *queue, const struct slot *slot,
                      enum slot_state state, struct kin__queue_counts *counts);

/* Makes a message that is taken, in a slot, one that is in the queue again, or a dead letter if it
 * came back too often. Under the head lock; the head is to be moved back. */
void kin__queue_return(struct queue_shared *queue, struct slot *slot);

/* Messages came back: producers, which know of more that were taken, see that there is less space
 * than they thought. Under no lock. */
void kin__queue_look_again(struct queue_shared *queue, uint32_t index, struct kin__thread *self);

/* Whether all that was put is done. What is done is read first: the other way round the two might
 * be of different moments, and alike by chance. */
static inline bool kin__queue_is_finished(const struct queue_shared *queue)
{
    uint64_t finished = atomic_load(&queue->finished);
    return finished == atomic_load(&queue->tail);
}

/* Wakes those who wait until all is done, if it is. */
void kin__queue_tell_finished(struct queue_shared *queue);

/* Keeps the limits of objects that are taken. */
void kin__queue_set_limits(struct queue_shared *queue, const kin_pickle_limits *limits);

/* See struct kin__type. */
void kin__queue_repair(uint32_t index, void *at, uint32_t dead);
void kin__queue_drain(uint32_t index, void *at);
void kin__queue_verify(struct kin__verifier *verifier, uint32_t index, const void *at);

/* The queue's shared part and the calling thread, ready for work: notes in the member slot
 * that it works on the queue. 0, or -EINVAL, -ESTALE, KIN_EFAMILY, -ENOMEM. */
static inline int kin__queue_enter(const kin_queue *queue, struct queue_shared **ret_shared,
                                   struct kin__thread **ret_self)
{
    int r = kin__object_enter(queue, ret_shared, ret_self);
    if (r == 0) {
        atomic_store_explicit(&(*ret_self)->member->doing, kin__object_index(&queue->object),
                              memory_order_release);
    }
    return r;
}

/* It works on it no longer. */
static inline void kin__queue_leave(struct kin__thread *self)
{
    atomic_store_explicit(&self->member->doing, 0, memory_order_release);
}

#endif
