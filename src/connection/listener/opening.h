/**
 * A connection that is being opened: the sockets are connected, and now TLS and the challenge
 * have to be gone through, where the terms ask for them. Never waits: who drives many of them polls
 * for what each one wants, and takes a step.
 *
 * Until both sides have proved themselves, a message of more than 256 bytes is refused when its
 * size has come, and nothing of what came is kept beyond it.
 */
#ifndef KIN_CONNECTION_LISTENER_OPENING_H
#define KIN_CONNECTION_LISTENER_OPENING_H

#include "base/list.h"
#include "connection/listener/terms.h"
#include "connection/tls/stream.h"

#include <kin/connection.h>

enum kin__opening_stage { KIN__OPENING_TLS, KIN__OPENING_CHALLENGE, KIN__OPENING_OPEN };

struct kin__opening {
    struct kin__list_node node;     /* for its driver */
    const struct kin__terms *terms; /* borrowed */
    enum kin__opening_stage stage;
    bool is_unix;
    bool has_proved; /* the peer has, that it belongs here */
    bool has_spoken; /* it is the peer's turn */
    int16_t wanted;  /* what to poll `transport->fd` for */
    int code;        /* why it fails, as soon as the peer was told; 0: it does not */
    struct kin__transport *transport;
    struct kin__tls_stream *tls; /* `transport`, if it is one */
    int64_t begun_ns;
    struct kin__os_address peer; /* size 0: none */
    struct kin__handshake handshake;
    uint32_t sent;     /* of what `handshake` has outgoing */
    uint32_t received; /* of `incoming` */
    unsigned char incoming[4 + KIN__HANDSHAKE_MESSAGE_MAX];
};

/* Begins to open a connected socket, which is taken on success. `host`: see kin__tls_stream_create.
 * 0, or -ENOMEM, -EIO: no randomness; -EINVAL: of the host. */
int kin__opening_begin(const struct kin__terms *terms, int fd, const struct kin__address *address,
                       struct kin__opening **ret_opening);

/* Goes on as far as it gets. 1: open; 0: when `wanted` is ready; or
 *   KIN_EAUTHENTICATION, KIN_EDIGEST, -EBADMSG, -EPROTO  see the handshake and TLS
 *   -ECONNRESET                             the peer has left
 *   -ENOMEM, -ENOSYS and others             of this side */
int kin__opening_step(struct kin__opening *opening);

/* Makes a connection of one that is open, and frees it. 0, or -ENOMEM, KIN_EFAMILY: then it is as
 * it was. */
int kin__opening_finish(struct kin__opening *opening, kin_connection **ret_connection);

/* Closes it. Returns NULL. */
struct kin__opening *kin__opening_free(struct kin__opening *opening);

#endif
