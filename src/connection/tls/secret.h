/**
 * The pre-shared key of TLS, made from the key of a connection.
 */
#ifndef KIN_CONNECTION_TLS_SECRET_H
#define KIN_CONNECTION_TLS_SECRET_H

#include "connection/tls/context.h"

/* Derives the secret. 0, or -ENOSYS: the system's OpenSSL refuses. */
int kin__tls_secret_derive(const struct kin__key *key,
                           unsigned char ret_secret[KIN__TLS_SECRET_BYTES]);

/* Lets the context's streams use its secret, and nothing but that. 0, or -ENOSYS. */
int kin__tls_secret_install(struct kin__tls_context *context);

#endif
