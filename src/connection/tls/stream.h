/**
 * One connection under TLS: a transport that keeps state, and so belongs to one process.
 *
 * OpenSSL reads from the fd itself, and writes into a buffer, `outgoing`, that is emptied into the
 * fd as it takes it. So a record, once made, is never made again. But a record holds up to 16 KiB
 * of what the connection sends, and when the fd takes only part of it, what has been sent? `send`
 * then says: all but the last byte. The connection knows that it has begun a message, and comes
 * back with the rest; it is that one byte, `is_owed`, which counts as sent when the buffer is
 * empty.
 *
 * The thread that sends and the one that receives may be at it at the same time; OpenSSL is not
 * made for that. They hold a lock, for moments: nobody waits inside, and of a large message only
 * some records go or come at a time.
 */
#ifndef KIN_CONNECTION_TLS_STREAM_H
#define KIN_CONNECTION_TLS_STREAM_H

#include "base/buffer.h"
#include "connection/tls/context.h"
#include "connection/transport.h"

#include <threads.h>

struct kin__tls_stream {
    struct kin__transport transport;
    struct kin__tls_context *context;
    SSL *ssl;
    mtx_t lock;
    uint32_t pid;                /* whose it is; a forked child does not touch `ssl` */
    struct kin__buffer outgoing; /* what OpenSSL wants sent */
    size_t sent;                 /* of it */
    size_t allowed;              /* bytes that this call may still take from the fd */
    bool is_owed;                /* one byte, see above */
    bool has_ended;              /* the fd has come to its end */
    int code;                    /* why the fd failed; 0: it did not */
};

/* How streams reach their fd, for a context. NULL: no memory. */
BIO_METHOD *kin__tls_stream_method(void);

/* Makes a stream of a connected socket, whose `fd` is taken on success. `host`: which the client
 * wanted to reach; NULL on the server. 0, or -ENOMEM, -EINVAL: no name that a certificate could
 * have. */
int kin__tls_stream_create(struct kin__tls_context *context, int fd, const char *host,
                           struct kin__tls_stream **ret_stream);

/* Goes on with the handshake, as far as it gets without waiting. 1: it is over; 0: when
 * `ret_wanted` is ready (see os/poll.h); or
 *   KIN_EAUTHENTICATION  the key, the certificate or the name is not right, here or in the eyes of
 *                        the other side
 *   -EPROTO              it speaks another protocol
 *   -ECONNRESET and others  of the socket */
int kin__tls_stream_handshake(struct kin__tls_stream *stream, int16_t *ret_wanted);

#endif
