/**
 * The consumers' end: finding the oldest message and leasing it.
 *
 * A slot whose producer is still writing is passed, and noted in `skipped`; so a producer that
 * is stopped, or has a reservation open, holds nobody up. The order of one producer is kept all the
 * same: a later message of its is seen READY only after the earlier one was committed, so a look
 * back at the skipped slots, after the candidate was seen, and from the youngest to the oldest,
 * finds the earlier one READY. When `skipped` is full the head stays where it is, and each look
 * walks on from there, again and again until a walk finds nothing older than the one before.
 *
 * A message that comes back stands before the head, so the head is moved back to it; what lies
 * between is passed again.
 *
 * A closed queue has come to its end when it is empty and no consumer has a message in hand: if
 * that one is killed, the message comes again, and somebody must be there to take it.
 */
#ifndef KIN_QUEUE_HEAD_H
#define KIN_QUEUE_HEAD_H

#include "queue/layout.h"

/* A consumer at work. */
struct getting {
    struct queue_shared *queue;
    struct kin__thread *self;
    uint32_t index;
    enum slot_state state; /* what a message becomes: LEASED or CLAIMED */
    uint64_t retired;      /* block of a segment to free; 0: none */
    bool is_spinning;      /* the next look at the queue is one of those before it sleeps */
    bool has_more;         /* and found more than it took */
    bool is_ending;        /* closed and nothing left, but others are taking messages out */
};

/* Begins a call of a consumer. 0, or what kin__queue_enter says. */
static inline int kin__get_begin(const kin_queue *queue, enum slot_state state,
                                 struct getting *ret_get)
{
    *ret_get = (struct getting){.state = state};
    int r = kin__queue_enter(queue, &ret_get->queue, &ret_get->self);
    if (r == 0) {
        ret_get->index = kin__object_index(&queue->object);
    }
    return r;
}

static inline void kin__get_end(struct getting *get)
{
    if (get->retired != 0) {
        kin__block_free(get->retired, kin__block_of_member(kin__family.owner));
    }
    kin__queue_leave(get->self);
}

/* Leases the oldest messages, at least one and at most BATCH_MAX, waiting for the first. How many,
 * or -EAGAIN, -ETIMEDOUT, -ECANCELED, -EPIPE. */
int kin__head_lease(struct getting *get, struct slot **ret_slots, uint32_t count,
                    kin_timeout timeout);

/* Turns ABORTED slots that the head meets into DONE ones; whether there is a message to lease.
 * Under the head lock. */
bool kin__head_settle(struct queue_shared *queue);

/* Turns a RESERVED slot into a DONE one, wherever it stands. Under the head lock. */
void kin__head_give_up(struct queue_shared *queue, struct slot *slot);

/* Moves the head back to a slot that is READY again. Under the head lock. */
void kin__head_move_back(struct queue_shared *queue, const struct slot *slot);

#endif
