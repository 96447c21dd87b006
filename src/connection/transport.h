/**
 * What a connection's bytes travel over: a pipe, a socket, TLS on a socket.
 *
 * A transport moves bytes and knows nothing of messages. It is private memory of the process and
 * used by one thread at a time for each direction: the connection's locks see to that. The plain
 * ones keep no state but the fd, so several processes can use copies of the same end; one that
 * keeps state (TLS) belongs to one process, and its connection is made with KIN_SCOPE_PROCESS.
 */
#ifndef KIN_CONNECTION_TRANSPORT_H
#define KIN_CONNECTION_TRANSPORT_H

#include "os/socket.h"

#include <kin/timeout.h>

struct kin__transport;

struct kin__transport_operations {
    bool gives_receipts; /* `receive` and `send` fill in the receipt, see os/socket.h */
    uint32_t
        whole_bytes; /* up to so many bytes are sent whole, or not at all if the process dies */

    /* Moves some bytes, at least one. How many; receive: 0 is the end of file. Or -EAGAIN: may not
     * wait, see `wait`; -EPIPE, -ECONNRESET and others. What may not wait must not, even if others
     * have the same fd. */
    int64_t (*receive)(struct kin__transport *transport, const struct kin__os_intake *intake);
    int64_t (*send)(struct kin__transport *transport, const struct kin__os_output *output);

    /* Waits until it is worth trying again. 0, or what kin__poll says: -EAGAIN, -ETIMEDOUT,
     * -ECANCELED ... What `receive` would take is in `receive` first: a transport that has bytes
     * inside says 0 at once. */
    int (*wait_to_receive)(struct kin__transport *transport, kin_timeout timeout);
    int (*wait_to_send)(struct kin__transport *transport, kin_timeout timeout);

    /* Whether there are bytes inside that `receive` would take, though the fd is not readable. May
     * be NULL: there never are. */
    bool (*has_bytes)(struct kin__transport *transport);

    /* No more bytes will be sent: the peer finds an end of file. May be NULL: cannot be said. */
    void (*shut)(struct kin__transport *transport);

    /* Closes the fd and frees the transport. */
    void (*free)(struct kin__transport *transport);
};

/* The first member of each transport. */
struct kin__transport {
    const struct kin__transport_operations *operations;
    int fd;
};

/* A transport for a pipe or a plain socket; takes `fd`, on success. 0, or -ENOMEM. */
int kin__transport_create(int fd, enum kin__os_fd_kind kind, struct kin__transport **ret_transport);

/* Frees a plain one, and leaves the fd open. */
void kin__transport_forget(struct kin__transport *transport);

#endif
