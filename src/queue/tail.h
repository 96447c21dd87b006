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
    uint64_t size;
    uint64_t block; /* of a large message, with its bytes in it; 0: small */
    uint32_t handle_count;
    struct slot *slot;
    uint64_t ticket;
};

/* Begins a call of a producer. 0, or what kin__queue_enter says. */
int kin__put_begin(const kin_queue *queue, struct putting *ret_put);
void kin__put_end(struct putting *put);

/* Reserves slots for the first messages of several, for at least one, waiting while the queue is
 * full. How many, or -EAGAIN, -ETIMEDOUT, -ECANCELED, -EPIPE, -ENOMEM. */
int kin__tail_reserve(struct putting *put, struct incoming *messages, uint32_t count,
                      kin_timeout timeout);

/* Makes reserved slots, whose messages have been written, READY, and wakes consumers. */
void kin__tail_commit(struct putting *put, const struct incoming *messages, uint32_t count);

#endif
