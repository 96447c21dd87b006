/**
 * Messages between any number of processes and threads.
 *
 * A message is in the queue, visible to all, from the moment that put returned; there is no
 * feeder thread, and a process that has put may exit, or be killed, at once.
 */
#ifndef KIN_QUEUE_H
#define KIN_QUEUE_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/** A queue, shared by the family. */
typedef struct kin_queue kin_queue;

/** What kin_queue_create can be told. */
typedef struct kin_queue_options {
    size_t size; /* of this struct */

    /* Most messages in the queue at a time; 0: no limit. */
    uint64_t item_count_max;

    /* Most bytes of messages in the queue at a time; 0: no limit. A single message that is
     * larger is refused with -EMSGSIZE. */
    uint64_t message_bytes_max;
} kin_queue_options;

/** A message that was taken from a queue. Read it with kin_message_bytes. */
typedef struct kin_message {
    uint64_t size;
    uint64_t place; /* where in the family's memory the bytes are; 0: in `small` */
    unsigned char small[112];
} kin_message;

/**
 * Makes an empty queue. NULL options: no limits. Free it with kin_queue_free.
 * Returns 0, -ENOMEM, or -EINVAL: options of an unknown size.
 */
KIN_API int kin_queue_create(const kin_queue_options *options, kin_queue **ret_queue);

/**
 * Opens the queue that `handle` names, in this process. Free it with kin_queue_free.
 *
 * Returns 0, or -ESTALE: the queue is gone; -EINVAL: the handle names something else.
 */
KIN_API int kin_queue_attach(kin_handle handle, kin_queue **ret_queue);

/**
 * Lets go of the queue; NULL is fine. Returns NULL. The messages stay for the others; when
 * the last process has let go, the queue and what it holds are freed.
 */
KIN_API kin_queue *kin_queue_free(kin_queue *queue);

/** The queue's name for other processes. */
KIN_API kin_handle kin_queue_handle(const kin_queue *queue);

/**
 * Appends a copy of `size` bytes, waiting for space if the queue is full. Messages of one
 * thread keep their order. `size` may be 0.
 *
 * Returns 0: the message is in the queue. Otherwise it is not:
 *   -EAGAIN      full, and the timeout is KIN_NOW
 *   -ETIMEDOUT   full until the deadline
 *   -ECANCELED   the token fired
 *   -EPIPE       the queue is closed
 *   -EMSGSIZE    larger than message_bytes_max
 *   -ENOMEM      the family's memory is used up
 *
 * Peer death: a producer that dies in here leaves either the whole message or no trace.
 */
KIN_API int kin_queue_put_bytes(kin_queue *queue, const void *data, size_t size,
                                kin_timeout timeout);

/**
 * Takes the oldest message, waiting for one if the queue is empty.
 *
 * `ret_message` owns its bytes; release it with kin_message_free.
 *
 * Returns 0, or
 *   -EAGAIN      empty, and the timeout is KIN_NOW
 *   -ETIMEDOUT   no message before the deadline
 *   -ECANCELED   the token fired
 *   -EPIPE       closed and empty: no message will come again
 *
 * Peer death: a consumer that is killed before this returned leaves the message in the queue;
 * one that dies afterwards takes it along. A producer that dies while it writes is skipped,
 * and one that is stopped while it writes holds nobody up.
 */
KIN_API int kin_queue_get_bytes(kin_queue *queue, kin_timeout timeout, kin_message *ret_message);

/** Ends the queue for producers: every put returns -EPIPE; what is in it can still be taken. */
KIN_API int kin_queue_close(kin_queue *queue);

/** Whether kin_queue_close was called, by anybody. */
KIN_API bool kin_queue_is_closed(const kin_queue *queue);

/** Number of messages in the queue, exact at the moment of the call. */
KIN_API uint64_t kin_queue_item_count(const kin_queue *queue);

/** The bytes of a message: valid until kin_message_free, or until the message is moved. */
KIN_API kin_bytes kin_message_bytes(const kin_message *message);

/** Gives the bytes of a message back; the message is empty then, and may be freed again. */
KIN_API void kin_message_free(kin_message *message);

KIN_END

#endif
