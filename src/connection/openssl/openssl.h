/**
 * OpenSSL, which is loaded when a key or TLS is first used: most processes use neither, and each
 * one that has it mapped is slower to start, to copy and to tear down.
 *
 * Its headers are needed to build kin, and give the tables below the types of their functions; its
 * libraries are not. The functions are called by the tables. A call that goes past them, as in a
 * macro of OpenSSL that calls a function, does not link.
 *
 * Whoever makes a key or a context of TLS loads what that needs, so who has one just calls.
 */
#ifndef KIN_CONNECTION_OPENSSL_H
#define KIN_CONNECTION_OPENSSL_H

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdint.h>
#include <threads.h>

/* Of libcrypto. */
#define KIN__CRYPTO_FUNCTIONS(X)   \
    X(BIO_clear_flags)             \
    X(BIO_free)                    \
    X(BIO_get_data)                \
    X(BIO_get_new_index)           \
    X(BIO_meth_free)               \
    X(BIO_meth_new)                \
    X(BIO_meth_set_ctrl)           \
    X(BIO_meth_set_read)           \
    X(BIO_meth_set_write)          \
    X(BIO_new)                     \
    X(BIO_set_data)                \
    X(BIO_set_flags)               \
    X(BIO_set_init)                \
    X(CRYPTO_memcmp)               \
    X(ERR_clear_error)             \
    X(ERR_peek_error)              \
    X(EVP_MD_is_a)                 \
    X(EVP_PKEY_CTX_add1_hkdf_info) \
    X(EVP_PKEY_CTX_free)           \
    X(EVP_PKEY_CTX_new_id)         \
    X(EVP_PKEY_CTX_set1_hkdf_key)  \
    X(EVP_PKEY_CTX_set_hkdf_md)    \
    X(EVP_PKEY_derive)             \
    X(EVP_PKEY_derive_init)        \
    X(EVP_Q_mac)                   \
    X(EVP_sha256)                  \
    X(OPENSSL_init_crypto)         \
    X(X509_VERIFY_PARAM_set1_ip_asc)

/* Of libssl. */
#define KIN__SSL_FUNCTIONS(X)                \
    X(OPENSSL_init_ssl)                      \
    X(SSL_CIPHER_find)                       \
    X(SSL_CTX_check_private_key)             \
    X(SSL_CTX_ctrl)                          \
    X(SSL_CTX_free)                          \
    X(SSL_CTX_get_ex_data)                   \
    X(SSL_CTX_load_verify_locations)         \
    X(SSL_CTX_new)                           \
    X(SSL_CTX_set_ciphersuites)              \
    X(SSL_CTX_set_default_passwd_cb)         \
    X(SSL_CTX_set_ex_data)                   \
    X(SSL_CTX_set_max_early_data)            \
    X(SSL_CTX_set_num_tickets)               \
    X(SSL_CTX_set_options)                   \
    X(SSL_CTX_set_psk_find_session_callback) \
    X(SSL_CTX_set_psk_use_session_callback)  \
    X(SSL_CTX_set_verify)                    \
    X(SSL_CTX_use_PrivateKey_file)           \
    X(SSL_CTX_use_certificate_chain_file)    \
    X(SSL_SESSION_free)                      \
    X(SSL_SESSION_new)                       \
    X(SSL_SESSION_set1_master_key)           \
    X(SSL_SESSION_set_cipher)                \
    X(SSL_SESSION_set_protocol_version)      \
    X(SSL_ctrl)                              \
    X(SSL_do_handshake)                      \
    X(SSL_free)                              \
    X(SSL_get0_param)                        \
    X(SSL_get_SSL_CTX)                       \
    X(SSL_get_error)                         \
    X(SSL_is_init_finished)                  \
    X(SSL_new)                               \
    X(SSL_pending)                           \
    X(SSL_read_ex)                           \
    X(SSL_session_reused)                    \
    X(SSL_set1_host)                         \
    X(SSL_set_accept_state)                  \
    X(SSL_set_bio)                           \
    X(SSL_set_connect_state)                 \
    X(SSL_set_hostflags)                     \
    X(SSL_shutdown)                          \
    X(SSL_write_ex)                          \
    X(TLS_client_method)                     \
    X(TLS_server_method)

#define KIN__OPENSSL_POINTER(name) __typeof__(name) *name;

/* Written once, before the part counts as loaded. */
struct kin__crypto {
    KIN__CRYPTO_FUNCTIONS(KIN__OPENSSL_POINTER)
};

struct kin__ssl {
    KIN__SSL_FUNCTIONS(KIN__OPENSSL_POINTER)
};

#undef KIN__OPENSSL_POINTER

extern struct kin__crypto kin__crypto;
extern struct kin__ssl kin__ssl;

/* Each one with those before it. */
enum kin__openssl_part { KIN__OPENSSL_NONE, KIN__OPENSSL_CRYPTO, KIN__OPENSSL_SSL };

struct kin__openssl {
    mtx_t lock; /* of who loads; taken around fork, before all others of the layer: a child has a
                 * library whole or not at all */
    _Atomic uint32_t loaded; /* of enum kin__openssl_part */
};

extern struct kin__openssl kin__openssl;

/* Makes sure that a part can be called. 0, or KIN_EOPENSSL; why is logged. The next call tries
 * again. */
int kin__openssl_load(enum kin__openssl_part part);

#endif
