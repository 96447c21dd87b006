/* Clients of a listener with TLS that speak something else, an older one, or half of it. */
#include "connection/tls/stream.h"
#include "unit/connection/certificates.h"
#include "unit/connection/listeners.h"

#include <openssl/err.h>

#define LISTENER(...) KIN_OPTIONS(kin_listener_options, __VA_ARGS__)
#define CLIENT(...) KIN_OPTIONS(kin_client_options, __VA_ARGS__)
#define BY_KEY KIN_OPTIONS(kin_tls_options, .mode = KIN_TLS_KEY)

enum { HALF_OPEN_COUNT = 40 };

/* What connecting in plaintext, or in another way, comes to. */
static int connect_to(kin_listener *listener, const kin_client_options *options)
{
    kin_connection *connection = NULL;
    int r = kin_client_connect(kin_listener_address(listener), options, KIN_FOREVER, &connection);
    kin_connection_free(connection);
    return r;
}

TEST(plaintext_does_not_get_through_to_a_listener_with_tls)
{
    begin();
    kin_listener *listener = new_listener(
        LOOPBACK, LISTENER(.key = SECRET, .tls = BY_KEY, .handshake_timeout_ms = 200));
    struct service service;
    start_service(&service, listener);
    /* It waits to be challenged, and the listener for the first bytes of TLS. */
    CHECK(connect_to(listener, CLIENT(.key = SECRET, .handshake_timeout_ms = 100)) < 0);
    /* Without a key there is nothing to wait for: what is sent is read as TLS. */
    kin_connection *connection = NULL;
    char bytes[64];
    size_t size = 0;
    REQUIRE(kin_client_connect(kin_listener_address(listener), NULL, KIN_FOREVER, &connection) ==
            0);
    CHECK_EQUAL(kin_connection_send_bytes(connection, "a plain question", 16, KIN_FOREVER), 0);
    CHECK(kin_connection_receive_into(connection, bytes, sizeof bytes, KIN_FOREVER, &size) < 0);
    kin_connection_free(connection);
    CHECK_EQUAL(end_service(&service), -ECANCELED);
    CHECK_EQUAL(counts_of(listener).accepted, 0);
    CHECK(counts_of(listener).malformed > 0);
    check_agreement(listener, CLIENT(.key = SECRET, .tls = BY_KEY));
    kin_listener_free(listener);
}

TEST(a_client_with_tls_does_not_fall_back_to_plaintext)
{
    begin();
    kin_listener *listener = new_listener(LOOPBACK,
                                          LISTENER(.key = SECRET, .handshake_timeout_ms = 200));
    struct service service;
    start_service(&service, listener);
    /* The listener, too, is faced with garbage: it may be gone before its challenge is read. */
    int r = connect_to(listener, CLIENT(.key = SECRET, .tls = BY_KEY));
    CHECK(r == -EPROTO || r == -ECONNRESET);
    CHECK_EQUAL(end_service(&service), -ECANCELED);
    CHECK_EQUAL(counts_of(listener).accepted, 0);
    kin_listener_free(listener);
}

TEST(older_versions_of_tls_are_refused)
{
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION};
    begin();
    struct identity host = make_identity("host", "IP:127.0.0.1", NULL);
    kin_tls_options tls = {.size = sizeof tls,
                           .mode = KIN_TLS_CERTIFICATES,
                           .certificate_file = host.certificate_file,
                           .private_key_file = host.key_file};
    kin_listener *listener = new_listener(LOOPBACK, LISTENER(.key = SECRET, .tls = &tls));
    struct service service;
    start_service(&service, listener);
    for (size_t i = 0; i < 3; i++) {
        SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_security_level(settings, 0);
        REQUIRE(SSL_CTX_set_min_proto_version(settings, TLS1_VERSION) == 1);
        REQUIRE(SSL_CTX_set_max_proto_version(settings, versions[i]) == 1);
        int fd = silent_client(listener);
        SSL *ssl = SSL_new(settings);
        REQUIRE(SSL_set_fd(ssl, fd) == 1);
        CHECK(SSL_connect(ssl) != 1);
        ERR_clear_error();
        CHECK(is_closed_by_peer(fd));
        SSL_free(ssl);
        SSL_CTX_free(settings);
        close(fd);
    }
    CHECK_EQUAL(end_service(&service), -ECANCELED);
    CHECK_EQUAL(counts_of(listener).malformed + counts_of(listener).rejected, 3);
    CHECK_EQUAL(counts_of(listener).accepted, 0);
    kin_listener_free(listener);
    free_identity(&host);
}

/* Says the first part of a handshake, with the right key, and no more. */
static struct kin__tls_stream *half_open(kin_listener *listener)
{
    struct kin__key *key = NULL;
    struct kin__tls_context *context = NULL;
    struct kin__tls_stream *stream = NULL;
    int16_t wanted = 0;
    REQUIRE(kin__key_create(SECRET, &key) == 0);
    REQUIRE(kin__tls_context_create(BY_KEY, key, KIN__TLS_CLIENT, &context) == 0);
    REQUIRE(kin__tls_stream_create(context, silent_client(listener), NULL, &stream) == 0);
    CHECK_EQUAL(kin__tls_stream_handshake(stream, &wanted), 0);
    kin__tls_context_free(context);
    kin__key_free(key);
    return stream;
}

TEST(many_half_handshakes_hold_up_nobody_and_end_in_time)
{
    begin();
    struct kin__tls_stream *half[HALF_OPEN_COUNT];
    kin_listener *listener = new_listener(
        LOOPBACK, LISTENER(.key = SECRET, .tls = BY_KEY, .handshake_timeout_ms = 1000));
    for (int i = 0; i < HALF_OPEN_COUNT; i++) {
        half[i] = half_open(listener);
    }
    check_agreement(listener, CLIENT(.key = SECRET, .tls = BY_KEY));
    struct service service;
    start_service(&service, listener);
    for (int i = 0; i < HALF_OPEN_COUNT; i++) {
        CHECK(is_closed_by_peer(half[i]->transport.fd));
        half[i]->transport.operations->free(&half[i]->transport);
    }
    CHECK_EQUAL(end_service(&service), -ECANCELED);
    CHECK_EQUAL(counts_of(listener).timed_out, HALF_OPEN_COUNT);
    CHECK_EQUAL(counts_of(listener).half_open, 0);
    kin_listener_free(listener);
}
