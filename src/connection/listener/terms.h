/**
 * On what terms a listener or client connects: its options, validated and resolved once.
 */
#ifndef KIN_CONNECTION_LISTENER_TERMS_H
#define KIN_CONNECTION_LISTENER_TERMS_H

#include "connection/handshake/handshake.h"
#include "connection/listener/address.h"
#include "connection/tls/context.h"
#include "os/address.h"

/* What the options of both sides have in common, by the names that they have in both. */
struct kin__terms_wish {
    enum kin__handshake_role role;
    kin_bytes key;
    const kin_tls_options *tls;
    int64_t handshake_timeout_ms;
    bool require_sha256;
    bool allow_plaintext_beyond_loopback;
    bool allow_any_user;
    bool has_peer_user;
    uint32_t peer_user;
    uint64_t message_bytes_max;
};

/* Those of a kin_listener_options or kin_client_options. */
#define KIN__TERMS_WISH(of_role, options)                                              \
    ((struct kin__terms_wish){                                                         \
        .role = (of_role),                                                             \
        .key = (options)->key,                                                         \
        .tls = (options)->tls,                                                         \
        .handshake_timeout_ms = (options)->handshake_timeout_ms,                       \
        .require_sha256 = (options)->require_sha256,                                   \
        .allow_plaintext_beyond_loopback = (options)->allow_plaintext_beyond_loopback, \
        .allow_any_user = (options)->allow_any_user,                                   \
        .has_peer_user = (options)->has_peer_user,                                     \
        .peer_user = (options)->peer_user,                                             \
        .message_bytes_max = (options)->message_bytes_max})

struct kin__terms {
    enum kin__handshake_role role;
    struct kin__key *key;         /* NULL: none */
    struct kin__tls_context *tls; /* NULL: none */
    bool has_challenge;           /* the key is proved by the challenge of CPython */
    bool requires_sha256;
    bool allows_plaintext;
    bool allows_any_user;
    bool allows_root;
    uint32_t user; /* who may be at the other end of a unix socket */
    int64_t handshake_ns;
    uint64_t message_bytes_max;
};

/* Validates what is wished for an address. 0, or -EINVAL, -ENOMEM, KIN_EAUTHENTICATION: of a
 * certificate. */
int kin__terms_init(const struct kin__terms_wish *wish, const struct kin__address *address,
                    struct kin__terms *ret_terms);

/* Gives back what they hold. */
void kin__terms_deinit(struct kin__terms *terms);

/* The internet addresses of `address`. How many, or KIN_EPLAINTEXT: the terms do not allow to go
 * there; or a code of kin__os_address_find. */
int kin__terms_resolve(const struct kin__terms *terms, const struct kin__address *address,
                       struct kin__os_address ret_addresses[KIN__OS_ADDRESSES_MAX]);

/* Whether the terms allow who is at the other end of a unix socket. 0, or KIN_EAUTHENTICATION. */
int kin__terms_check_user(const struct kin__terms *terms, int fd);

#endif
