#include "connection/tls/context.h"

#include "base/allocate.h"
#include "connection/tls/secret.h"
#include "connection/tls/stream.h"
#include "os/memory.h"

#include <errno.h>
#include <kin/error.h>
#include <string.h>

struct kin__tls_context *kin__tls_context_free(struct kin__tls_context *context)
{
    if (context != NULL && atomic_fetch_sub(&context->references, 1) == 1) {
        kin__ssl.SSL_CTX_free(context->settings);
        kin__crypto.BIO_meth_free(context->method);
        kin__release(context->peer_name);
        kin__os_secret_free(context, sizeof *context);
    }
    return NULL;
}

static int check(const kin_tls_options *options, const struct kin__key *key, bool is_server)
{
    if (options->mode == KIN_TLS_KEY) {
        return key != NULL && key->size >= KIN__TLS_KEY_BYTES_MIN ? 0 : -EINVAL;
    }
    if (options->mode != KIN_TLS_CERTIFICATES) {
        return -EINVAL;
    }
    bool has_certificate = options->certificate_file != NULL && options->private_key_file != NULL;
    bool has_half = (options->certificate_file == NULL) != (options->private_key_file == NULL);
    bool knows_peer = options->authority_file != NULL || (is_server && key != NULL);
    bool has_name_only = options->authority_file == NULL && options->peer_name != NULL;
    bool is_complete = knows_peer && (has_certificate || !is_server);
    return is_complete && !has_half && !has_name_only ? 0 : -EINVAL;
}

/* A private key that is encrypted is refused, instead of asking at the terminal. */
static int give_no_password(char *text, int size, int for_writing, void *user)
{
    (void)for_writing;
    (void)user;
    if (size > 0) {
        text[0] = '\0';
    }
    return -1;
}

static int load_files(SSL_CTX *settings, const kin_tls_options *options, bool is_server)
{
    kin__ssl.SSL_CTX_set_default_passwd_cb(settings, give_no_password);
    if (options->certificate_file != NULL &&
        (kin__ssl.SSL_CTX_use_certificate_chain_file(settings, options->certificate_file) != 1 ||
         kin__ssl.SSL_CTX_use_PrivateKey_file(settings, options->private_key_file,
                                              SSL_FILETYPE_PEM) != 1 ||
         kin__ssl.SSL_CTX_check_private_key(settings) != 1)) {
        return KIN_EAUTHENTICATION;
    }
    if (options->authority_file == NULL) {
        return 0;
    }
    if (kin__ssl.SSL_CTX_load_verify_locations(settings, options->authority_file, NULL) != 1) {
        return KIN_EAUTHENTICATION;
    }
    kin__ssl.SSL_CTX_set_verify(
        settings, SSL_VERIFY_PEER | (is_server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
    return 0;
}

static int set_up(struct kin__tls_context *context)
{
    SSL_CTX *settings = context->settings;
    kin__ssl.SSL_CTX_set_ex_data(settings, 0, context);
    kin__ssl.SSL_CTX_set_options(settings, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                               SSL_OP_NO_RENEGOTIATION);
    kin__ssl.SSL_CTX_ctrl(settings, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, NULL);
    kin__ssl.SSL_CTX_ctrl(settings, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, NULL);
    return kin__ssl.SSL_CTX_ctrl(settings, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_3_VERSION, NULL) ==
                       1 &&
                   kin__ssl.SSL_CTX_set_num_tickets(settings, 0) == 1 &&
                   kin__ssl.SSL_CTX_set_max_early_data(settings, 0) == 1
               ? 0
               : -ENOSYS;
}

static int fill(struct kin__tls_context *context, const kin_tls_options *options,
                const struct kin__key *key)
{
    context->method = kin__tls_stream_method();
    context->settings = kin__ssl.SSL_CTX_new(context->is_server ? kin__ssl.TLS_server_method()
                                                                : kin__ssl.TLS_client_method());
    if (context->method == NULL || context->settings == NULL) {
        return -ENOMEM;
    }
    int r = set_up(context);
    if (r == 0 && options->mode == KIN_TLS_KEY) {
        r = kin__tls_secret_derive(key, context->secret);
        return r == 0 ? kin__tls_secret_install(context) : r;
    }
    if (r == 0 && options->peer_name != NULL) {
        size_t bytes = strlen(options->peer_name) + 1;
        context->peer_name = kin__allocate(bytes);
        if (context->peer_name == NULL) {
            return -ENOMEM;
        }
        memcpy(context->peer_name, options->peer_name, bytes);
    }
    return r == 0 ? load_files(context->settings, options, context->is_server) : r;
}

int kin__tls_context_create(const kin_tls_options *options, const struct kin__key *key,
                            enum kin__tls_side side, struct kin__tls_context **ret_context)
{
    bool is_server = side == KIN__TLS_SERVER;
    int r = options->size != sizeof *options ? -EINVAL : check(options, key, is_server);
    if (r < 0) {
        return r;
    }
    void *memory = NULL;
    r = kin__openssl_load(KIN__OPENSSL_SSL);
    r = r == 0 ? kin__os_secret_create(sizeof **ret_context, &memory) : r;
    if (r < 0) {
        return r;
    }
    struct kin__tls_context *context = memory;
    atomic_store(&context->references, 1);
    context->mode = options->mode;
    context->is_server = is_server;
    r = fill(context, options, key);
    kin__crypto.ERR_clear_error();
    if (r < 0) {
        kin__tls_context_free(context);
        return r;
    }
    *ret_context = context;
    return 0;
}
