/**
 * Writing a message where it will be read: no copy is made.
 *
 *     kin_reservation reservation;
 *     if (kin_queue_reserve(queue, bytes, KIN_FOREVER, &reservation) == 0) {
 *         fill(reservation.data, reservation.size);
 *         kin_queue_commit(queue, &reservation);
 *     }
 */
#ifndef KIN_RESERVATION_H
#define KIN_RESERVATION_H

#include <kin/queue.h>

KIN_BEGIN

/** A place in a queue for a message that is being written; it belongs to the calling thread. */
typedef struct kin_reservation {
    void *data;     /* to write to, until the commit; not zeroed; aligned to 8 bytes */
    size_t size;    /* of the message */
    uint64_t place; /* this and what follows is kin's */
    uint64_t ticket;
    uint64_t block;
    uint32_t queue;
} kin_reservation;

/**
 * Takes a place at the end of the queue for a message of `size` bytes, waiting for space if the
 * queue is full. A consumer does not wait for a reservation that is open, but takes what was
 * committed behind it; of what is committed the oldest reservation comes first.
 *
 * Any number can be open at a time. End each with kin_queue_commit or kin_queue_abandon, in the
 * same thread. Returns 0, or a code of kin_queue_put_bytes.
 *
 * Peer death: a reservation of one that dies is abandoned.
 */
KIN_API int kin_queue_reserve(kin_queue *queue, size_t size, kin_timeout timeout,
                              kin_reservation *ret_reservation);

/**
 * Puts the message that was written into the queue. The reservation is over, and all zero.
 *
 * Returns 0, or
 *   -EPERM    the reservation is another thread's or queue's, or over
 *   -EINVAL   it is all zero
 *   -EPIPE    the queue was shut down meanwhile: the message is thrown away
 */
KIN_API int kin_queue_commit(kin_queue *queue, kin_reservation *reservation);

/** Gives the place up; what was written is thrown away. Returns 0, or -EPERM, -EINVAL. */
KIN_API int kin_queue_abandon(kin_queue *queue, kin_reservation *reservation);

KIN_END

#endif
