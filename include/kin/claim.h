/**
 * Working with a message where it stands: no copy is made, and it is over only when the consumer
 * says so. One that the consumer refuses, or that it has in hand when it dies, comes again.
 *
 *     kin_claim claim;
 *     while (kin_queue_claim(queue, KIN_FOREVER, &claim) == 0) {
 *         bool is_done = work(claim.bytes);
 *         is_done ? kin_queue_acknowledge(queue, &claim) : kin_queue_refuse(queue, &claim);
 *     }
 *
 * So every message is worked on at least once, and one whose consumer was killed between its work
 * and the acknowledgement is worked on twice: `delivery` says that it may be so. There is no time
 * limit on a claim: a consumer that is stopped, but alive, keeps what it has.
 */
#ifndef KIN_CLAIM_H
#define KIN_CLAIM_H

#include <kin/queue.h>

KIN_BEGIN

/** A message in the hands of a consumer; it belongs to the calling thread. */
typedef struct kin_claim {
    kin_bytes bytes;           /* valid until the claim ends */
    const kin_handle *handles; /* that the message came with; likewise; NULL: none */
    uint32_t handle_count;
    uint32_t delivery; /* 1: the first time that this message is claimed */
    uint64_t place;    /* this and what follows is kin's */
    uint64_t word;
    uint32_t queue;
} kin_claim;

/**
 * Claims the oldest message, waiting for one if the queue is empty. Any number of claims can be
 * open at a time; end each with kin_queue_acknowledge or kin_queue_refuse, in the same thread.
 *
 * Returns 0, or a code of kin_queue_get_bytes. A closed queue ends (-EPIPE) when it is empty and
 * no claim is open.
 *
 * Peer death: the claims of one that dies are refused.
 */
KIN_API int kin_queue_claim(kin_queue *queue, kin_timeout timeout, kin_claim *ret_claim);

/**
 * Makes an object of a claimed message. Returns 0, -EINVAL, or a code of kin_pickle_decode: the
 * claim is open all the same.
 */
KIN_API int kin_claim_object(kin_queue *queue, const kin_claim *claim, kin_object **ret_object);

/**
 * Says that the message is done with; it goes, and the claim is all zero. Returns 0, or -EPERM:
 * another thread's or queue's, or over; -EINVAL: all zero.
 */
KIN_API int kin_queue_acknowledge(kin_queue *queue, kin_claim *claim);

/**
 * Puts the message back at its place in the queue, before all that came after it, also if the queue
 * is full; or makes it a dead letter, if it was claimed delivery_count_max times. Returns 0, or
 * -EPERM, -EINVAL as above.
 */
KIN_API int kin_queue_refuse(kin_queue *queue, kin_claim *claim);

/**
 * Claims the oldest dead letter, which counts as one more `delivery`. To refuse it leaves it a dead
 * letter. Returns 0, or -EAGAIN: there is none.
 */
KIN_API int kin_queue_claim_dead_letter(kin_queue *queue, kin_claim *ret_claim);

/** Number of dead letters, exact at the moment of the call. */
KIN_API uint64_t kin_queue_dead_letter_count(const kin_queue *queue);

KIN_END

#endif
