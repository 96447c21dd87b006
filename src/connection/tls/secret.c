#include "connection/tls/secret.h"

#include <errno.h>
#include <string.h>

#define LABEL "kin connection key for TLS 1.3"
#define IDENTITY "kin"

/* Suites whose hash is SHA-256, to which the secret is bound. */
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"
static const unsigned char suite_bytes[2] = {0x13, 0x01}; /* TLS_AES_128_GCM_SHA256 */

int kin__tls_secret_derive(const struct kin__key *key,
                           unsigned char ret_secret[KIN__TLS_SECRET_BYTES])
{
    size_t size = KIN__TLS_SECRET_BYTES;
    EVP_PKEY_CTX *derivation = kin__crypto.EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    bool is_done = derivation != NULL && kin__crypto.EVP_PKEY_derive_init(derivation) > 0 &&
                   kin__crypto.EVP_PKEY_CTX_set_hkdf_md(derivation, kin__crypto.EVP_sha256()) > 0 &&
                   kin__crypto.EVP_PKEY_CTX_set1_hkdf_key(derivation, key->bytes, (int)key->size) >
                       0 &&
                   kin__crypto.EVP_PKEY_CTX_add1_hkdf_info(derivation, (const unsigned char *)LABEL,
                                                           sizeof LABEL - 1) > 0 &&
                   kin__crypto.EVP_PKEY_derive(derivation, ret_secret, &size) > 0;
    kin__crypto.EVP_PKEY_CTX_free(derivation);
    return is_done ? 0 : -ENOSYS;
}

/* A session that stands for the secret: that is how OpenSSL wants it. NULL: no memory. */
static SSL_SESSION *session_of(SSL *ssl)
{
    const struct kin__tls_context *context = kin__ssl.SSL_CTX_get_ex_data(
        kin__ssl.SSL_get_SSL_CTX(ssl), 0);
    const SSL_CIPHER *suite = kin__ssl.SSL_CIPHER_find(ssl, suite_bytes);
    SSL_SESSION *session = kin__ssl.SSL_SESSION_new();
    if (session == NULL || suite == NULL ||
        kin__ssl.SSL_SESSION_set1_master_key(session, context->secret, sizeof context->secret) !=
            1 ||
        kin__ssl.SSL_SESSION_set_cipher(session, suite) != 1 ||
        kin__ssl.SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) != 1) {
        kin__ssl.SSL_SESSION_free(session);
        return NULL;
    }
    return session;
}

/* On the client. `digest` is set when the server has chosen a suite already. */
static int use_session(SSL *ssl, const EVP_MD *digest, const unsigned char **ret_identity,
                       size_t *ret_size, SSL_SESSION **ret_session)
{
    *ret_session = NULL;
    if (digest != NULL && !kin__crypto.EVP_MD_is_a(digest, "SHA256")) {
        return 1;
    }
    *ret_identity = (const unsigned char *)IDENTITY;
    *ret_size = sizeof IDENTITY - 1;
    *ret_session = session_of(ssl);
    return *ret_session != NULL;
}

/* On the server. Without a session it goes on, and fails: it has no certificate. */
static int find_session(SSL *ssl, const unsigned char *identity, size_t size,
                        SSL_SESSION **ret_session)
{
    *ret_session = NULL;
    if (size != sizeof IDENTITY - 1 || memcmp(identity, IDENTITY, size) != 0) {
        return 1;
    }
    *ret_session = session_of(ssl);
    return *ret_session != NULL;
}

int kin__tls_secret_install(struct kin__tls_context *context)
{
    if (kin__ssl.SSL_CTX_set_ciphersuites(context->settings, SUITES) != 1) {
        return -ENOSYS;
    }
    if (context->is_server) {
        kin__ssl.SSL_CTX_set_psk_find_session_callback(context->settings, find_session);
    } else {
        kin__ssl.SSL_CTX_set_psk_use_session_callback(context->settings, use_session);
        kin__ssl.SSL_CTX_set_verify(context->settings, SSL_VERIFY_PEER,
                                    NULL); /* by no authority: by none */
    }
    return 0;
}
