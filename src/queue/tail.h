/**
 * The producers' end: reserving slots for messages, and committing them.
 */
#ifndef KIN_QUEUE_TAIL_H
#define KIN_QUEUE_TAIL_H

#include "queue/layout.h"

/* A producer at work. */
struct putting {
    struct queue_shared *queue;
    struct kin__thread *self;
    uint32_t index;
    uint64_t segment; /* a spare one, allocated outside the lock; 0: none */
};

/* A message on its way in. */
struct incoming {
    const void *data;
    const struct kin__encoding *encoding; /* what `data` is the start of; NULL: there is none */
    uint64_t size;
    uint64_t block; /* of a large message, with its bytes in it; 0: small */
    uint32_t handle_count;
    struct slot *slot;
    uint64_t ticket;
};

/* Begins a call of a producer. 0, or what kin__queue_enter says. */
static inline int kin__put_begin(const kin_queue *queue, struct putting *ret_put)
{
    int r = kin__queue_enter(queue, &ret_put->queue, &ret_put->self);
    if (r == 0) {
        ret_put->index = kin__object_index(&queue->object);
        ret_put->segment = 0;
    }
    return r;
}

static inline void kin__put_end(struct putting *put)
{
    if (put->segment != 0) { /* another producer was faster */
        kin__block_free(put->segment, kin__block_of_member(kin__family.owner));
    }
    kin__queue_leave(put->self);
}

/* Puts one message, with the references that belong to it. 0, or a code of kin_queue_put_bytes. */
int kin__put_one(struct putting *put, struct incoming *message, const kin_handle *handles,
                 kin_timeout timeout);

/* Reserves slots for the first messages of several, for at least one, waiting while the queue is
 * full. How many, or -EAGAIN, -ETIMEDOUT, -ECANCELED, -EPIPE, -ENOMEM. */
int kin__tail_reserve(struct putting *put, struct incoming *messages, uint32_t count,
                      kin_timeout timeout);

/* Puts one message of at most SLOT_SMALL_BYTES in one hold of the lock, FREE -> READY. The tail is
 * moved before that, so that nobody is done with a message that does not count yet. 0, or -EAGAIN:
 * it takes the long way. */
int kin__tail_put_small(struct putting *put, const void *data, size_t size);

/* Makes reserved slots, whose messages have been written, READY, and wakes consumers. The last
 * store is the barrier that raising a count asks for. */
static inline void kin__tail_commit(struct putting *put, const struct incoming *messages,
                                    uint32_t count)
{
    struct queue_shared *queue = put->queue;
    for (uint32_t i = 0; i + 1 < count; i++) {
        atomic_store_explicit(&messages[i].slot->state,
                              kin__slot_word(messages[i].ticket, SLOT_READY, 0),
                              memory_order_release);
    }
    const struct incoming *last = &messages[count - 1];
    atomic_exchange(&last->slot->state, kin__slot_word(last->ticket, SLOT_READY, 0));
    kin__queue_tell_items(queue, count);
}

#endif
