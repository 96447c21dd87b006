/**
 * A flag that any process or thread can set and clear, and wait for.
 */
#ifndef KIN_EVENT_H
#define KIN_EVENT_H

#include <kin/export.h>
#include <kin/family.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/**
 * An event, shared by the family. Nobody owns it.
 *
 * Peer death: a death changes nothing about the flag. One that dies waiting costs nobody a wake-up.
 */
typedef struct kin_event kin_event;

/** What kin_event_create can be told. */
typedef struct kin_event_options {
    size_t size;     /* of this struct */
    kin_scope scope; /* default: the family */
} kin_event_options;

/**
 * Makes an event that is not set. NULL options: for the family. Free it with kin_event_free.
 * Returns 0, -ENOMEM, or -EINVAL: options of an unknown size, no such scope.
 */
KIN_API int kin_event_create(const kin_event_options *options, kin_event **ret_event);

/**
 * Opens the event that `handle` names, in this process. Free it with kin_event_free.
 *
 * Returns 0, or -ESTALE: the event is gone; -EINVAL: the handle names something else; -EACCES: it
 * is another process's own.
 */
KIN_API int kin_event_attach(kin_handle handle, kin_event **ret_event);

/** Lets go of the event; NULL is fine. The last process to let go frees it. Returns NULL. */
KIN_API kin_event *kin_event_free(kin_event *event);

/** The event's name for other processes. */
KIN_API kin_handle kin_event_handle(const kin_event *event);

/**
 * Sets the flag and wakes all who wait for it.
 *
 * Peer death: one that dies in here has set the flag or not; if it has, nobody sleeps on.
 */
KIN_API int kin_event_set(kin_event *event);

/** Clears the flag. Those whom an earlier set woke return all the same. */
KIN_API int kin_event_clear(kin_event *event);

/** Whether the flag is set, at this moment. */
KIN_API bool kin_event_is_set(const kin_event *event);

/**
 * Waits until the flag is set; a set that is cleared again before the waiter ran counts.
 *
 * Returns 0, or
 *   -EAGAIN      not set, and the timeout is KIN_NOW
 *   -ETIMEDOUT   not set before the deadline
 *   -ECANCELED   the token fired
 */
KIN_API int kin_event_wait(kin_event *event, kin_timeout timeout);

/**
 * An fd for poll, epoll and the like: readable when the event is set. It stays readable until
 * kin_event_clear is called in this process, or a kin_event_wait of this process finds the event
 * not set (-EAGAIN). An event that is cleared at once may not make it readable: kin_wait_many does
 * not miss that. Made at the first call, for this process; it is the event's: not to be read or
 * closed, valid until kin_event_free. kin's own thread rings it.
 *
 * Returns 0, or -EMFILE, -ENFILE.
 */
KIN_API int kin_event_event_fd(kin_event *event, int *ret_fd);

KIN_END

#endif
