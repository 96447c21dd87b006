/**
 * Connections, for the other parts of kin: making one over any transport, and moving messages
 * without a copy that is not needed.
 */
#ifndef KIN_CONNECTION_CONNECTION_H
#define KIN_CONNECTION_CONNECTION_H

#include "connection/transport.h"

#include <kin/connection.h>
#include <stdatomic.h>
#include <stdbool.h>

/* What kin__connection_create makes. */
struct kin__connection_plan {
    kin_scope scope; /* KIN_SCOPE_PROCESS for a transport that keeps state */
    enum kin__os_fd_kind kind;
    bool is_readable;
    bool is_writable;
    bool may_read_ahead; /* nobody reads from the fd but through this connection */
    uint64_t message_bytes_max;
};

/* Makes a connection; takes the transport, on success. 0, or -ENOMEM, KIN_EFAMILY. */
int kin__connection_create(const struct kin__connection_plan *plan,
                           struct kin__transport *transport, kin_connection **ret_connection);

/* So much of a message is shown before it is taken. */
#define KIN__FRONT_BYTES 128u

/* What is to be sent as one message. */
struct kin__parcel {
    const kin_bytes *pieces; /* one behind the other they are the message */
    uint32_t count;
    const int *fds; /* borrowed; they go with the message */
    uint32_t fd_count;
};

/* Sends it. As kin_connection_send_bytes and kin_connection_send_fds. */
int kin__connection_send(kin_connection *connection, const struct kin__parcel *parcel,
                         kin_timeout timeout);

struct calling;

/* Where a message is to go. */
struct kin__sink {
    uint64_t skipped_above; /* what is longer is thrown away, with KIN_ELIMIT; 0: nothing is */

    /* Finds a place for the first `room` bytes of a message of `bytes` bytes; called again, with
     * more room, as they come: so who announces much and sends little costs little. What stands in
     * the place before stands in the new one after, too. Called with the receiver's lock held, so
     * it must not call kin; the place is written to until the receive returns. 0, or a code, with
     * which the receive ends: the message is still there for the next. */
    int (*reserve)(struct kin__sink *sink, uint64_t bytes, uint64_t room, void **ret_place);

    /* Shows the first bytes of a message, KIN__FRONT_BYTES if it is not shorter, before it is
     * taken; again if one is received that was begun before. With the receiver's lock held. NULL:
     * nobody looks. */
    void (*look)(struct kin__sink *sink, const struct calling *calling, const void *front,
                 uint64_t bytes);

    struct kin__os_fds *fds; /* where its fds go, which are the caller's then; NULL: closed */
    bool is_exact;           /* others receive too, and want their fds: read nothing of theirs */
    uint64_t size;           /* out, if it came: bytes of the message */
};

/* Receives a message. As kin_connection_receive_into; `fds` is untouched on failure. */
int kin__connection_receive(kin_connection *connection, struct kin__sink *sink,
                            kin_timeout timeout);

/* For who waits on many at once: beside polling the fd, whether a message is there whole that poll
 * does not see, since it was read ahead; or the end is broken, or was left by one who died. A part
 * of a message does not count: else who takes with KIN_NOW would look again and again until the
 * rest comes, which poll sees. Also in the keeper: waits for nobody. Whoever receives meanwhile,
 * and leaves bytes, raises the event count `watch` of the receiver. */
bool kin__connection_has_message(const kin_connection *connection);

#endif
