#include "connection/listener/terms.h"

#include "os/listen.h"

#include <errno.h>
#include <kin/error.h>

#define DEFAULT_HANDSHAKE_MS 10000
#define HANDSHAKE_MS_MAX (INT64_MAX / 4000000)

static const kin_tls_options *tls_wished(const struct kin__terms_wish *wish)
{
    return wish->tls == NULL ||
                   (wish->tls->size == sizeof *wish->tls && wish->tls->mode == KIN_TLS_OFF)
               ? NULL
               : wish->tls;
}

static int check(const struct kin__terms_wish *wish, const struct kin__address *address)
{
    bool is_possible = wish->handshake_timeout_ms >= 0 &&
                       wish->handshake_timeout_ms <= HANDSHAKE_MS_MAX &&
                       !(wish->has_peer_user && wish->allow_any_user) &&
                       !(address->is_unix && tls_wished(wish) != NULL);
    return is_possible ? 0 : -EINVAL;
}

int kin__terms_init(const struct kin__terms_wish *wish, const struct kin__address *address,
                    struct kin__terms *ret_terms)
{
    const kin_tls_options *tls = tls_wished(wish);
    bool is_server = wish->role == KIN__HANDSHAKE_SERVER;
    int64_t ms = wish->handshake_timeout_ms == 0 ? DEFAULT_HANDSHAKE_MS
                                                 : wish->handshake_timeout_ms;
    struct kin__terms terms = {.role = wish->role,
                               .requires_sha256 = wish->require_sha256,
                               .allows_plaintext = wish->allow_plaintext_beyond_loopback,
                               .allows_any_user = wish->allow_any_user,
                               .allows_root = !is_server && !wish->has_peer_user,
                               .user = wish->has_peer_user ? wish->peer_user : kin__os_user(),
                               .handshake_ns = ms * 1000000,
                               .message_bytes_max = wish->message_bytes_max};
    int r = check(wish, address);
    r = r == 0 ? kin__key_create(wish->key, &terms.key) : r;
    if (r == 0 && tls != NULL) {
        r = kin__tls_context_create(tls, terms.key, is_server ? KIN__TLS_SERVER : KIN__TLS_CLIENT,
                                    &terms.tls);
    }
    if (r < 0) {
        kin__key_free(terms.key);
        return r;
    }
    /* TLS that is made from the key has proved it already. */
    terms.has_challenge = terms.key != NULL && (tls == NULL || tls->mode != KIN_TLS_KEY);
    *ret_terms = terms;
    return 0;
}

void kin__terms_deinit(struct kin__terms *terms)
{
    terms->key = kin__key_free(terms->key);
    terms->tls = kin__tls_context_free(terms->tls);
}

int kin__terms_resolve(const struct kin__terms *terms, const struct kin__address *address,
                       struct kin__os_address ret_addresses[KIN__OS_ADDRESSES_MAX])
{
    int count = kin__os_address_find(address->host, address->port,
                                     terms->role == KIN__HANDSHAKE_SERVER, ret_addresses);
    bool needs_loopback = terms->tls == NULL && !terms->allows_plaintext;
    for (int i = 0; i < count && needs_loopback; i++) {
        if (!kin__os_address_is_loopback(&ret_addresses[i])) {
            return KIN_EPLAINTEXT;
        }
    }
    return count;
}

int kin__terms_check_user(const struct kin__terms *terms, int fd)
{
    uint32_t user = 0;
    if (terms->allows_any_user) {
        return 0;
    }
    int r = kin__os_peer_user(fd, &user);
    if (r < 0) {
        return r;
    }
    return user == terms->user || (user == 0 && terms->allows_root) ? 0 : KIN_EAUTHENTICATION;
}
