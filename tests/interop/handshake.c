/*
 * Handshakes: kin as listener and as client with CPython's Client and Listener, over unix sockets
 * and TCP. CPython up to 3.11 knows MD5 only, from 3.12 on sha256 too.
 */
#define _GNU_SOURCE
#include "interop/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WAIT_MS = 15000,
    MOMENT_MS = 20,
    HANDSHAKE_MS = 5000,
    SILENCE_MS = 300,
    FIRST_WITH_SHA256 = 312
};

static const char hello_of_c[] = "hello from c";
static const char hello_of_python[] = "hello from python";

static const char left[] = "the other side has left";

static const char key[] = "secret", other_key[] = "another";

static kin_bytes bytes_of(const char *text)
{
    return (kin_bytes){.data = text, .size = text == NULL ? 0 : strlen(text)};
}

static void order(const struct peer *peer, const char *act, const char *address,
                  const char *python_key)
{
    char text[512];
    const char *quote = python_key == NULL ? "" : "\"";
    int size = snprintf(text, sizeof text, "{\"do\": \"%s\", \"address\": \"%s\", \"key\": %s%s%s}",
                        act, address, quote, python_key == NULL ? "null" : python_key, quote);
    wire_send(peer->to, text, (size_t)size);
}

/* What the peer says: to be freed. */
static char *answer(const struct peer *peer)
{
    size_t size;
    char *text = (char *)wire_receive(peer->from, &size);
    REQUIRE(text != NULL);
    return text;
}

static void check_answer(const struct peer *peer, const char *expected)
{
    char *text = answer(peer);
    CHECK_STRING(text, expected);
    free(text);
}

static void greet(kin_connection *connection)
{
    char text[64];
    size_t size = 0;
    CHECK_EQUAL(kin_connection_send_bytes(connection, hello_of_c, sizeof hello_of_c - 1,
                                          kin_within_ms(WAIT_MS)),
                0);
    CHECK_EQUAL(kin_connection_receive_into(connection, text, sizeof text - 1,
                                            kin_within_ms(WAIT_MS), &size),
                0);
    text[size] = 0;
    CHECK_STRING(text, hello_of_python);
}

static struct peer begin(void)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    return peer_start("peer_handshake.py", "main");
}

static void end(struct peer *peer)
{
    peer_join(peer);
    kin_fini();
}

/* --- kin listens --- */

/* Who comes to a listener with these options, and what becomes of him. */
struct visit {
    const char *key;
    const char *python_key;
    bool require_sha256;
    bool in_silence; /* Python listens and says nothing */
};

static kin_listener *listen_as(const char *address, const struct visit *visit)
{
    kin_listener *listener = NULL;
    REQUIRE(kin_listener_create(address,
                                KIN_OPTIONS(kin_listener_options, .key = bytes_of(visit->key),
                                            .require_sha256 = visit->require_sha256,
                                            .handshake_timeout_ms = HANDSHAKE_MS),
                                &listener) == 0);
    return listener;
}

static void expect_welcome(const struct peer *peer, const char *address, const struct visit *visit)
{
    kin_connection *connection = NULL;
    kin_listener *listener = listen_as(address, visit);
    order(peer, "connect", kin_listener_address(listener), visit->python_key);
    CHECK_EQUAL(kin_listener_accept(listener, kin_within_ms(WAIT_MS), &connection), 0);
    if (connection != NULL) {
        greet(connection);
    }
    check_answer(peer, "connected");
    kin_connection_free(connection);
    kin_listener_free(listener);
}

/* The listener turns him away and says why, by a code; he sees `python_says`. */
static void expect_refusal(const struct peer *peer, const char *address, const struct visit *visit,
                           int code, const char *python_says)
{
    kin_connection *connection = NULL;
    kin_listener_counts counts = {0};
    kin_listener *listener = listen_as(address, visit);
    order(peer, "connect", kin_listener_address(listener), visit->python_key);
    while (counts.rejected + counts.malformed + counts.timed_out + counts.left == 0) {
        REQUIRE(kin_listener_accept(listener, kin_within_ms(MOMENT_MS), &connection) == -ETIMEDOUT);
        REQUIRE(kin_listener_count(listener, &counts) == 0);
    }
    CHECK_EQUAL(counts.accepted, 0);
    check_answer(peer, python_says);
    kin_error *error = kin_listener_last_error(listener);
    CHECK_EQUAL(kin_error_code(error), code);
    kin_error_free(error);
    kin_listener_free(listener);
}

static void listen_at(const char *address)
{
    struct peer peer = begin();
    bool has_sha256 = peer_version() >= FIRST_WITH_SHA256;
    expect_welcome(&peer, address, &(struct visit){.key = key, .python_key = key});
    expect_welcome(&peer, address, &(struct visit){0});
    expect_refusal(&peer, address, &(struct visit){.key = key, .python_key = other_key},
                   KIN_EAUTHENTICATION, "AuthenticationError");
    expect_refusal(&peer, address, &(struct visit){.key = key, .python_key = ""},
                   KIN_EAUTHENTICATION, "AuthenticationError");
    /* Python without a key takes the challenge for a message, kin the greeting for an answer. */
    expect_refusal(&peer, address, &(struct visit){.key = key}, -EBADMSG, "b'#CHALLENGE#'");
    struct visit strict = {.key = key, .python_key = key, .require_sha256 = true};
    if (has_sha256) {
        expect_welcome(&peer, address, &strict);
    } else {
        expect_refusal(&peer, address, &strict, KIN_EDIGEST, "AuthenticationError");
    }
    end(&peer);
}

TEST(python_connects_to_kin_over_a_unix_socket)
{
    listen_at("unix:");
}

TEST(python_connects_to_kin_over_tcp)
{
    listen_at("tcp:127.0.0.1:0");
}

TEST(a_python_with_a_key_waits_for_a_kin_without_until_it_leaves)
{
    struct peer peer = begin();
    kin_connection *connection = NULL;
    kin_listener *listener = listen_as("unix:", &(struct visit){0});
    order(&peer, "connect", kin_listener_address(listener), key);
    CHECK_EQUAL(kin_listener_accept(listener, kin_within_ms(WAIT_MS), &connection), 0);
    kin_connection_free(connection);
    check_answer(&peer, left);
    kin_listener_free(listener);
    end(&peer);
}

TEST(an_empty_key_is_refused)
{
    kin_listener *listener = NULL;
    kin_connection *connection = NULL;
    REQUIRE(kin_init(NULL, NULL) == 0);
    CHECK_EQUAL(kin_listener_create("unix:", KIN_OPTIONS(kin_listener_options, .key = {.data = ""}),
                                    &listener),
                -EINVAL);
    CHECK_EQUAL(kin_client_connect("unix:/nowhere",
                                   KIN_OPTIONS(kin_client_options, .key = {.data = ""}), KIN_NOW,
                                   &connection),
                -EINVAL);
    kin_fini();
}

/* --- Python listens --- */

static int visit_python(const struct peer *peer, const char *address, const struct visit *visit,
                        kin_connection **ret_connection)
{
    order(peer, visit->in_silence ? "listen in silence" : "listen", address, visit->python_key);
    char *where = answer(peer);
    int code = kin_client_connect(where,
                                  KIN_OPTIONS(kin_client_options, .key = bytes_of(visit->key),
                                              .require_sha256 = visit->require_sha256,
                                              .handshake_timeout_ms = HANDSHAKE_MS),
                                  kin_within_ms(WAIT_MS), ret_connection);
    free(where);
    return code;
}

static void expect_entry(const struct peer *peer, const char *address, const struct visit *visit)
{
    kin_connection *connection = NULL;
    CHECK_EQUAL(visit_python(peer, address, visit, &connection), 0);
    if (connection != NULL) {
        greet(connection);
    }
    check_answer(peer, "connected");
    kin_connection_free(connection);
}

static void expect_failure(const struct peer *peer, const char *address, const struct visit *visit,
                           int code, const char *python_says)
{
    kin_connection *connection = NULL;
    CHECK_EQUAL(visit_python(peer, address, visit, &connection), code);
    kin_connection_free(connection);
    check_answer(peer, python_says);
}

static void connect_at(const char *address)
{
    struct peer peer = begin();
    bool has_sha256 = peer_version() >= FIRST_WITH_SHA256;
    expect_entry(&peer, address, &(struct visit){.key = key, .python_key = key});
    expect_entry(&peer, address, &(struct visit){0});
    expect_failure(&peer, address, &(struct visit){.key = other_key, .python_key = key},
                   KIN_EAUTHENTICATION, "AuthenticationError");
    struct visit strict = {.key = key, .python_key = key, .require_sha256 = true};
    if (has_sha256) {
        expect_entry(&peer, address, &strict);
    } else {
        expect_failure(&peer, address, &strict, KIN_EDIGEST, left);
    }
    end(&peer);
}

static const char *socket_path(void)
{
    static char path[256];
    static int count;
    snprintf(path, sizeof path, "unix:%s/socket%d", test_folder(), count++);
    return path;
}

TEST(kin_connects_to_python_over_a_unix_socket)
{
    connect_at(socket_path());
}

TEST(kin_connects_to_python_over_tcp)
{
    connect_at("tcp:127.0.0.1:0");
}

TEST(a_kin_with_a_key_does_not_wait_for_ever_for_a_python_without)
{
    struct peer peer = begin();
    struct visit visit = {.key = key, .in_silence = true};
    expect_failure(&peer, socket_path(), &visit, -ETIMEDOUT, left);
    visit.in_silence = false; /* it takes the greeting for a challenge, and Python sees the end */
    expect_failure(&peer, socket_path(), &visit, -EBADMSG, left);
    end(&peer);
}
