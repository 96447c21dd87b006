/**
 * Waiting for several things at once: connections, fds, the ends of processes, queues, events.
 *
 *     kin_wait_item items[] = {kin_wait_for_connection(client), kin_wait_for_queue(orders),
 *                              kin_wait_for_read(kin_process_sentinel(worker))};
 *     int count = kin_wait_many(items, 3, kin_within_ms(250));
 *     if (count > 0 && items[2].is_ready) ... the worker has ended
 */
#ifndef KIN_WAIT_H
#define KIN_WAIT_H

#include <kin/connection.h>
#include <kin/event.h>
#include <kin/export.h>
#include <kin/queue.h>
#include <kin/timeout.h>
#include <stdbool.h>
#include <stdint.h>

KIN_BEGIN

/** What an item waits for. */
typedef enum kin_wait_kind {
    KIN_WAIT_READ = 1,   /* an fd: something can be read, or it has come to its end, or is broken */
    KIN_WAIT_WRITE,      /* an fd: something can be written, or that will never be possible */
    KIN_WAIT_CONNECTION, /* a connection: a receive would find something, or the end */
    KIN_WAIT_QUEUE,      /* a queue: a get would return, with a message or -EPIPE */
    KIN_WAIT_EVENT       /* an event: set, or was since the wait began */
} kin_wait_kind;

/** One thing to wait for. Make it with a function below. */
typedef struct kin_wait_item {
    kin_wait_kind kind;
    bool is_ready; /* written by kin_wait_many */
    union {
        int fd;
        kin_connection *connection;
        kin_queue *queue;
        kin_event *event;
    };
} kin_wait_item;

/** Waits until `fd` can be read: a socket, a pipe, the sentinel of a process. */
static inline kin_wait_item kin_wait_for_read(int fd)
{
    kin_wait_item item;
    item.kind = KIN_WAIT_READ;
    item.is_ready = false;
    item.fd = fd;
    return item;
}

/** Waits until `fd` can be written. For both, take two items. */
static inline kin_wait_item kin_wait_for_write(int fd)
{
    kin_wait_item item = kin_wait_for_read(fd);
    item.kind = KIN_WAIT_WRITE;
    return item;
}

/** Waits until a message comes, or a part of one, or the end; see kin_connection_poll. */
static inline kin_wait_item kin_wait_for_connection(kin_connection *connection)
{
    kin_wait_item item;
    item.kind = KIN_WAIT_CONNECTION;
    item.is_ready = false;
    item.connection = connection;
    return item;
}

/** Waits until there is something to get, or the queue has come to its end. */
static inline kin_wait_item kin_wait_for_queue(kin_queue *queue)
{
    kin_wait_item item;
    item.kind = KIN_WAIT_QUEUE;
    item.is_ready = false;
    item.queue = queue;
    return item;
}

/** Waits until the event is set; a set that is cleared again before the waiter ran counts. */
static inline kin_wait_item kin_wait_for_event(kin_event *event)
{
    kin_wait_item item;
    item.kind = KIN_WAIT_EVENT;
    item.is_ready = false;
    item.event = event;
    return item;
}

/**
 * Waits until at least one of the items is ready, and says of each whether it is, in `is_ready`.
 * Takes nothing: whoever is faster may find the message, or the bytes, that made an item ready.
 * The same thing may stand in several items. No items: waits as long as the timeout says.
 *
 * Returns how many are ready, at least 1; what is ready counts, although the time is over. Or
 *   -EAGAIN      none, and the timeout is KIN_NOW
 *   -ETIMEDOUT   none before the deadline
 *   -ECANCELED   none, and the token fired
 *   -EBADF       an fd is not open, or a connection is for sending only
 *   -EINVAL      an item is nothing to wait for; or more fds than the process may have open
 *   -ESTALE      a connection was closed here; a queue or an event is gone
 *   -EMFILE      no fd is left, of which a wait for queues, events or a token needs some
 *
 * Peer death: one that dies makes its process's sentinel ready, ends its connections, and costs
 * nobody the wake-up for what it had put or set.
 */
KIN_API int kin_wait_many(kin_wait_item *items, uint32_t count, kin_timeout timeout);

KIN_END

#endif
