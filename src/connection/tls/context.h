/**
 * What the TLS connections of one listener or client have in common: TLS 1.3 and nothing older, no
 * tickets, nothing sent before the handshake is over, no compression.
 *
 * With a key, TLS proves by itself that both sides have it (an external pre-shared key, with a
 * Diffie-Hellman exchange). The key is not used as it is, but a secret derived from it, which is
 * good for nothing else. Somebody who watches such a handshake can try out keys at his leisure:
 * that is why short ones are refused.
 */
#ifndef KIN_CONNECTION_TLS_CONTEXT_H
#define KIN_CONNECTION_TLS_CONTEXT_H

#include "connection/handshake/key.h"
#include "connection/openssl/openssl.h"

#include <kin/tls.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { KIN__TLS_KEY_BYTES_MIN = 16, KIN__TLS_SECRET_BYTES = 32 };

/* In memory for secrets, see os/memory.h. */
struct kin__tls_context {
    _Atomic uint32_t references; /* its maker's, and one of each stream */
    SSL_CTX *settings;
    BIO_METHOD *method; /* how its streams reach their fd, see stream.c */
    kin_tls_mode mode;
    bool is_server;
    char *peer_name; /* NULL: none is asked for */
    unsigned char secret[KIN__TLS_SECRET_BYTES];
};

enum kin__tls_side { KIN__TLS_SERVER, KIN__TLS_CLIENT };

/* Makes one. `key` NULL: none. 0, or
 *   -EINVAL              options that do not fit together, or a key that is too short
 *   KIN_EAUTHENTICATION  a certificate, key or authority cannot be read, or do not belong together
 *   -ENOMEM, KIN_EOPENSSL */
int kin__tls_context_create(const kin_tls_options *options, const struct kin__key *key,
                            enum kin__tls_side side, struct kin__tls_context **ret_context);

/* Drops one reference; NULL is fine. Returns NULL. */
struct kin__tls_context *kin__tls_context_free(struct kin__tls_context *context);

#endif
