/**
 * TLS 1.3 for connections over TCP: nobody on the way can read or change what is sent, or take the
 * place of one side.
 *
 * With a key (KIN_TLS_KEY) both sides need nothing else: TLS itself proves that they have it. With
 * certificates each side is known by a name that an authority has signed; a key, where there is
 * one, is proved as well, inside. CPython's own connections speak no TLS.
 *
 * It is OpenSSL's, version 3: libssl.so.3 and libcrypto.so.3, which a process loads when it first
 * wants TLS; for a key alone, libcrypto. Where that fails, KIN_EOPENSSL says so, and a message of
 * level KIN_LOG_SUBWARNING (kin/log.h) says why.
 */
#ifndef KIN_TLS_H
#define KIN_TLS_H

#include <kin/export.h>
#include <stddef.h>

KIN_BEGIN

/** How the two sides know each other. */
typedef enum kin_tls_mode { KIN_TLS_OFF, KIN_TLS_KEY, KIN_TLS_CERTIFICATES } kin_tls_mode;

/** How TLS is to be used. Files are in the PEM format. */
typedef struct kin_tls_options {
    size_t size; /* of this struct */

    /* KIN_TLS_KEY: the key of the listener or client has at least 16 bytes, and they must be
     * random: a password can be guessed by who listens in. */
    kin_tls_mode mode;

    /* The rest is for KIN_TLS_CERTIFICATES. This side's certificate, with those between it and the
     * authority, and its private key. A listener needs them; a client, if the listener asks. */
    const char *certificate_file;
    const char *private_key_file;

    /* Who must have signed the other side's. A client needs it. A listener without it asks for no
     * certificates, and then needs a key. */
    const char *authority_file;

    /* The name that the other side's certificate must have. Client: default: the host of the
     * address. Listener: default: any that the authority has signed. */
    const char *peer_name;
} kin_tls_options;

KIN_END

#endif
