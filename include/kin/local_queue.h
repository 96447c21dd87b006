/**
 * Pointers between the threads of one process: first in first out, last in first out, or by
 * priority.
 *
 * A local queue belongs to the process that made it: it carries pointers, which mean nothing
 * elsewhere. For messages between processes see kin/queue.h.
 */
#ifndef KIN_LOCAL_QUEUE_H
#define KIN_LOCAL_QUEUE_H

#include <kin/export.h>
#include <kin/timeout.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

KIN_BEGIN

/**
 * A queue between threads.
 *
 * Peer death: nobody outside of the process can touch it, and no code of the program runs while
 * a thread is at work inside of it, so a thread that ends never leaves it stuck.
 *
 * Fork: it stays with the process that made it. In a forked child every call on it is refused
 * with -ESTALE, and kin_local_queue_free gives the child's copy of its memory back, not the items.
 */
typedef struct kin_local_queue kin_local_queue;

/** Which item a get takes. */
typedef enum kin_local_order {
    KIN_LOCAL_FIFO = 0, /* the oldest */
    KIN_LOCAL_LIFO,     /* the youngest */
    KIN_LOCAL_PRIORITY, /* the one with the smallest priority; the oldest of those */
} kin_local_order;

/** What kin_local_queue_create can be told. */
typedef struct kin_local_queue_options {
    size_t size; /* of this struct */

    kin_local_order order; /* default: KIN_LOCAL_FIFO */

    /* Most items in the queue at a time; 0: no limit. */
    uint64_t item_count_max;

    /* Gives an item back that nobody took: in kin_local_queue_free and kin_local_queue_shutdown,
     * for each that is left, on the calling thread. NULL: they are dropped. */
    void (*free_item)(void *item);
} kin_local_queue_options;

/**
 * Makes an empty queue. NULL options: first in, first out, no limit. Free it with
 * kin_local_queue_free. Returns 0, -ENOMEM, or -EINVAL: options of an unknown size, or an order
 * that there is not.
 */
KIN_API int kin_local_queue_create(const kin_local_queue_options *options,
                                   kin_local_queue **ret_queue);

/**
 * Ends the queue; NULL is fine. Returns NULL. What is still in it is given to `free_item`. No
 * other thread may be in a call on it; to bring those that wait to leave, close it first.
 */
KIN_API kin_local_queue *kin_local_queue_free(kin_local_queue *queue);

/**
 * Puts an item, which may be NULL, waiting for space if the queue is full. Items of one thread
 * keep their order. In a queue of KIN_LOCAL_PRIORITY its priority is 0.
 *
 * Returns 0: the item is in the queue. Otherwise it is not:
 *   -EAGAIN      full, and the timeout is KIN_NOW
 *   -ETIMEDOUT   full until the deadline
 *   -ECANCELED   the token fired
 *   -EPIPE       the queue is closed
 *   -ENOMEM      no memory for one more
 */
KIN_API int kin_local_queue_put(kin_local_queue *queue, void *item, kin_timeout timeout);

/**
 * The same with a priority: the smallest is taken first, equal ones in the order in which they
 * were put. -EINVAL: the queue is not one of KIN_LOCAL_PRIORITY.
 */
KIN_API int kin_local_queue_put_priority(kin_local_queue *queue, void *item, int64_t priority,
                                         kin_timeout timeout);

/**
 * Puts `count` items (at most INT_MAX) in their order, waiting for space as long as there are
 * some left. Items of other threads may come between them.
 *
 * Returns how many are in the queue: all, or the first few, if the wait ended or the queue was
 * closed in between. If none is, the code, as kin_local_queue_put.
 */
KIN_API int kin_local_queue_put_array(kin_local_queue *queue, void *const *items, size_t count,
                                      kin_timeout timeout);

/**
 * Takes an item, waiting for one if the queue is empty.
 *
 * Returns 0, or
 *   -EAGAIN      empty, and the timeout is KIN_NOW
 *   -ETIMEDOUT   no item before the deadline
 *   -ECANCELED   the token fired
 *   -EPIPE       closed and empty: no item will come again
 */
KIN_API int kin_local_queue_get(kin_local_queue *queue, kin_timeout timeout, void **ret_item);

/**
 * Takes up to `count` items (1 to INT_MAX) at once, as many as are there, waiting for the first.
 * `ret_items` has room for `count`. Returns how many, or a code as kin_local_queue_get.
 */
KIN_API int kin_local_queue_get_array(kin_local_queue *queue, size_t count, kin_timeout timeout,
                                      void **ret_items);

/**
 * Says that the work on an item that was taken is done. Once for each item, by any thread.
 * Returns 0, or -EOVERFLOW: one too many, there is no item that was taken and is not done.
 */
KIN_API int kin_local_queue_task_done(kin_local_queue *queue);

/**
 * Waits until each item that was put has been taken, and kin_local_queue_task_done was called
 * for it. Returns 0, or -EAGAIN, -ETIMEDOUT, -ECANCELED: there are some that are not done.
 */
KIN_API int kin_local_queue_join(kin_local_queue *queue, kin_timeout timeout);

/** Ends the queue for puts: each returns -EPIPE. What is in it can still be taken. */
KIN_API int kin_local_queue_close(kin_local_queue *queue);

/**
 * Ends the queue at once: each put and get returns -EPIPE from now on. What is in it is given to
 * `free_item` and counts as done; kin_local_queue_join waits only for items that were taken.
 */
KIN_API int kin_local_queue_shutdown(kin_local_queue *queue);

/** Whether the queue was closed or shut down. */
KIN_API bool kin_local_queue_is_closed(const kin_local_queue *queue);

/** Number of items in the queue, exact at the moment of the call. */
KIN_API uint64_t kin_local_queue_item_count(const kin_local_queue *queue);

KIN_END

#endif
