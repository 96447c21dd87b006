/**
 * Messages between any number of processes and threads: objects, or bytes.
 *
 * A message is in the queue, visible to all, from the moment that put returned; there is no
 * feeder thread, and a process that has put may exit, or be killed, at once.
 *
 * Writing a message in place stands in kin/reservation.h, reading it in place, with the chance to
 * refuse it, in kin/claim.h.
 */
#ifndef KIN_QUEUE_H
#define KIN_QUEUE_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/message.h>
#include <kin/pickle.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/**
 * A queue, shared by the family.
 *
 * Peer death: whoever dies in a call on it, each message is in the queue as a whole or not at all.
 * Nobody waits for the dead. What it had taken is gone with it; what it had claimed comes again.
 */
typedef struct kin_queue kin_queue;

/** What kin_queue_create can be told. */
typedef struct kin_queue_options {
    size_t size;     /* of this struct */
    kin_scope scope; /* default: the family */

    /* Most messages in the queue at a time; 0: no limit. */
    uint64_t item_count_max;

    /* Most bytes of messages in the queue at a time; 0: no limit. A single message that is
     * larger is refused with -EMSGSIZE. */
    uint64_t message_bytes_max;

    /* Whether each message is a task: see kin_queue_join. */
    bool is_joinable;

    /* After so many claims that came to nothing, by refusal or death, a message becomes a dead
     * letter: see kin/claim.h. 0: no limit; at most 65534. */
    uint32_t delivery_count_max;

    /* What kin_queue_get may use for an object, whoever calls it; NULL: the defaults. */
    const kin_pickle_limits *limits;
} kin_queue_options;

/**
 * Makes an empty queue. NULL options: no limits. Free it with kin_queue_free.
 * Returns 0, -ENOMEM, or -EINVAL: options of an unknown size or value.
 */
KIN_API int kin_queue_create(const kin_queue_options *options, kin_queue **ret_queue);

/**
 * Opens the queue that `handle` names, in this process. Free it with kin_queue_free.
 *
 * Returns 0, or -ESTALE: the queue is gone; -EINVAL: the handle names something else; -EACCES: it
 * is another process's own.
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
 * Appends an object, as a pickle, waiting for space if the queue is full. It may hold handles
 * (kin/handle.h), at most 255: what they name lives at least as long as the message.
 *
 * Returns 0, or a code of kin_queue_put_bytes, or
 *   -EOPNOTSUPP  an fd is in it
 *   KIN_ELIMIT   more than 255 handles are in it
 *   -ESTALE      what a handle in it names is gone
 *   -ENOMEM      also: `object` is NULL
 *   what a class's getstate returned
 * Then the queue is as it was.
 */
KIN_API int kin_queue_put(kin_queue *queue, const kin_object *object, kin_timeout timeout);

/**
 * Takes the oldest message and makes an object of it, waiting for one if the queue is empty.
 *
 * Returns 0, or a code of kin_queue_get_bytes, or one of kin_pickle_decode: then the message was no
 * object (somebody has put bytes) or goes beyond the queue's limits, and it was taken all the
 * same, so that what follows it can be.
 *
 * Peer death: as kin_queue_get_bytes.
 */
KIN_API int kin_queue_get(kin_queue *queue, kin_timeout timeout, kin_object **ret_object);

/**
 * Appends a copy of `size` bytes, waiting for space if the queue is full. Messages of one
 * thread keep their order. `size` may be 0.
 *
 * Returns 0: the message is in the queue. Otherwise it is not:
 *   -EAGAIN      full, and the timeout is KIN_NOW
 *   -ETIMEDOUT   full until the deadline
 *   -ECANCELED   the token fired
 *   -EPIPE       the queue is closed
 *   -EMSGSIZE    larger than message_bytes_max, or than 1 TiB
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

/**
 * The same with references to shared objects: each object that a handle names lives at least as
 * long as the message, whoever else lets go of it. At most 255 handles. -ESTALE: one leads to
 * nothing. See kin_message_handles.
 */
KIN_API int kin_queue_put_with_handles(kin_queue *queue, kin_bytes bytes, const kin_handle *handles,
                                       uint32_t handle_count, kin_timeout timeout);

/**
 * Appends copies of `count` messages, in their order, waiting for space for each. Costs much less
 * than as many single calls if the messages are small.
 *
 * Returns how many are in the queue now: `count`, or less if a later one could not be put (the
 * deadline passed, the queue was closed ...); if none could, the code of kin_queue_put_bytes.
 */
KIN_API int kin_queue_put_many_bytes(kin_queue *queue, const kin_bytes *messages, uint32_t count,
                                     kin_timeout timeout);

/**
 * Takes the oldest messages, all that are there up to `count_max`, waiting for the first.
 *
 * Returns how many, at least 1, or a code of kin_queue_get_bytes. Release each with
 * kin_message_free.
 */
KIN_API int kin_queue_get_many_bytes(kin_queue *queue, uint32_t count_max, kin_timeout timeout,
                                     kin_message *ret_messages);

/**
 * Says that the task that a message was is done; of a joinable queue, once for each message that
 * was taken by kin_queue_get_bytes. To acknowledge a claim says so by itself. Anybody may say it
 * for any other; the calling thread's own oldest message is meant if it has one.
 *
 * Returns 0, or -EOVERFLOW: nothing that was taken is left to be done; -EINVAL: the queue is not
 * joinable.
 */
KIN_API int kin_queue_task_done(kin_queue *queue);

/**
 * Waits until every message that was put into a joinable queue is done, or the queue is shut down.
 *
 * Returns 0, or KIN_OWNER_DIED (> 0): the same, but since the last join somebody died with a
 * message that it had taken and that was not done; it counts as done. Dead letters count as
 * done. Or
 *   -EAGAIN      something is left to do, and the timeout is KIN_NOW
 *   -ETIMEDOUT   something was left to do at the deadline
 *   -ECANCELED   the token fired
 *   -EINVAL      the queue is not joinable
 */
KIN_API int kin_queue_join(kin_queue *queue, kin_timeout timeout);

/**
 * An fd for poll, epoll and the like: readable when there is something to get, and when a closed
 * queue has come to its end. It stays readable until a get finds nothing (-EAGAIN): so take with
 * KIN_NOW until then, and poll. Made at the first call, for this process; it is the queue's: not to
 * be read or closed, valid until kin_queue_free. kin's own thread rings it: producers do not pay
 * for it.
 *
 * Returns 0, or -EMFILE, -ENFILE.
 */
KIN_API int kin_queue_event_fd(kin_queue *queue, int *ret_fd);

/** Ends the queue for producers: every put returns -EPIPE; what is in it can still be taken. */
KIN_API int kin_queue_close(kin_queue *queue);

/**
 * Ends the queue for all: every put and every get returns -EPIPE, those that wait too, and every
 * join returns. What is in the queue goes with it. Claims that are open can still be acknowledged.
 */
KIN_API int kin_queue_shutdown(kin_queue *queue);

/** Whether kin_queue_close or kin_queue_shutdown was called, by anybody. */
KIN_API bool kin_queue_is_closed(const kin_queue *queue);

/**
 * Number of messages in the queue, those that are being written included, exact at the moment of
 * the call. Claimed ones are not counted, unless they come back.
 */
KIN_API uint64_t kin_queue_item_count(const kin_queue *queue);

/** Whether no further message would fit, at the moment of the call. Never if there is no limit. */
KIN_API bool kin_queue_is_full(kin_queue *queue);

KIN_END

#endif
