/* TLS between two ends in one process, step by step. */
#include "connection/tls/stream.h"
#include "os/memory.h"
#include "os/poll.h"
#include "unit/connection/certificates.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/family.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_KEY ((kin_bytes){"0123456789abcdef0123456789abcdef", 32})
#define OTHER_KEY ((kin_bytes){"0123456789abcdef0123456789abcdeF", 32})
#define BY_KEY KIN_OPTIONS(kin_tls_options, .mode = KIN_TLS_KEY)

enum { SERVER, CLIENT };

struct pair {
    struct kin__tls_stream *ends[2];
    int codes[2]; /* 1: the handshake is over; or why it failed */
};

static struct kin__tls_context *context_of(const kin_tls_options *options, kin_bytes bytes,
                                           enum kin__tls_side side)
{
    struct kin__key *key = NULL;
    struct kin__tls_context *context = NULL;
    REQUIRE(kin__key_create(bytes, &key) == 0);
    REQUIRE(kin__tls_context_create(options, key, side, &context) == 0);
    kin__key_free(key);
    return context;
}

/* Both in turn, until both have come to an end. */
static void shake_hands(struct pair *pair)
{
    while (pair->codes[SERVER] == 0 || pair->codes[CLIENT] == 0) {
        for (int i = 0; i < 2; i++) {
            int16_t wanted = 0;
            if (pair->codes[i] == 0) {
                pair->codes[i] = kin__tls_stream_handshake(pair->ends[i], &wanted);
                CHECK(pair->codes[i] != 0 || wanted != 0);
            }
        }
    }
}

static struct pair connected(const kin_tls_options *server_options, kin_bytes server_key,
                             const kin_tls_options *client_options, kin_bytes client_key)
{
    struct pair pair = {0};
    int fds[2];
    struct kin__tls_context *server = context_of(server_options, server_key, KIN__TLS_SERVER);
    struct kin__tls_context *client = context_of(client_options, client_key, KIN__TLS_CLIENT);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    REQUIRE(kin__tls_stream_create(server, fds[0], NULL, &pair.ends[SERVER]) == 0);
    REQUIRE(kin__tls_stream_create(client, fds[1], "some.host", &pair.ends[CLIENT]) == 0);
    kin__tls_context_free(server);
    kin__tls_context_free(client);
    shake_hands(&pair);
    return pair;
}

static void end(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        if (pair->ends[i] != NULL) {
            pair->ends[i]->transport.operations->free(&pair->ends[i]->transport);
        }
    }
}

static int64_t send_bytes(struct kin__tls_stream *stream, const void *data, size_t size)
{
    kin_bytes pieces[3] = {
        {data, size / 3}, {"", 0}, {(const char *)data + size / 3, size - size / 3}};
    return stream->transport.operations->send(
        &stream->transport, &(struct kin__os_output){.pieces = pieces, .count = 3});
}

static int64_t receive_bytes(struct kin__tls_stream *stream, void *data, size_t size)
{
    struct kin__os_room rooms[2] = {{data, size / 2}, {(char *)data + size / 2, size - size / 2}};
    return stream->transport.operations->receive(
        &stream->transport, &(struct kin__os_intake){.rooms = rooms, .count = 2});
}

static void check_talk(struct pair *pair)
{
    char text[16] = "";
    CHECK_EQUAL(send_bytes(pair->ends[CLIENT], "question", 8), 8);
    CHECK_EQUAL(receive_bytes(pair->ends[SERVER], text, sizeof text), 8);
    CHECK_BYTES(text, "question", 8);
    CHECK_EQUAL(send_bytes(pair->ends[SERVER], "answer", 6), 6);
    CHECK_EQUAL(receive_bytes(pair->ends[CLIENT], text, sizeof text), 6);
    CHECK_BYTES(text, "answer", 6);
    CHECK_EQUAL(receive_bytes(pair->ends[CLIENT], text, sizeof text), -EAGAIN);
}

TEST(the_same_key_opens_a_connection)
{
    struct pair pair = connected(BY_KEY, LONG_KEY, BY_KEY, LONG_KEY);
    CHECK_EQUAL(pair.codes[SERVER], 1);
    CHECK_EQUAL(pair.codes[CLIENT], 1);
    CHECK_STRING(SSL_get_version(pair.ends[SERVER]->ssl), "TLSv1.3");
    CHECK_EQUAL(SSL_get_early_data_status(pair.ends[SERVER]->ssl), SSL_EARLY_DATA_NOT_SENT);
    check_talk(&pair);
    end(&pair);
}

TEST(different_keys_are_found_out_by_both)
{
    struct pair pair = connected(BY_KEY, LONG_KEY, BY_KEY, OTHER_KEY);
    CHECK_EQUAL(pair.codes[SERVER], KIN_EAUTHENTICATION);
    CHECK_EQUAL(pair.codes[CLIENT], KIN_EAUTHENTICATION);
    end(&pair);
}

TEST(the_key_is_not_used_as_it_is)
{
    struct kin__tls_context *context = context_of(BY_KEY, LONG_KEY, KIN__TLS_CLIENT);
    struct kin__tls_context *other = context_of(BY_KEY, OTHER_KEY, KIN__TLS_CLIENT);
    CHECK(memcmp(context->secret, LONG_KEY.data, 32) != 0);
    CHECK(memcmp(context->secret, other->secret, 32) != 0);
    kin__tls_context_free(context);
    kin__tls_context_free(other);
}

static int make_context(const kin_tls_options *options, kin_bytes bytes, enum kin__tls_side side)
{
    struct kin__key *key = NULL;
    struct kin__tls_context *context = NULL;
    REQUIRE(kin__key_create(bytes, &key) == 0);
    int r = kin__tls_context_create(options, key, side, &context);
    kin__key_free(key);
    kin__tls_context_free(context);
    return r;
}

TEST(options_that_do_not_fit_are_refused)
{
    kin_bytes none = {NULL, 0};
    struct identity authority = make_identity("authority", NULL, NULL);
    const char *file = authority.certificate_file;
    const char *key_file = authority.key_file;
    kin_tls_options options = *BY_KEY;
    CHECK_EQUAL(make_context(&options, none, KIN__TLS_SERVER), -EINVAL);
    CHECK_EQUAL(make_context(&options, (kin_bytes){"0123456789abcde", 15}, KIN__TLS_SERVER),
                -EINVAL);
    CHECK_EQUAL(make_context(&options, (kin_bytes){"0123456789abcdef", 16}, KIN__TLS_SERVER), 0);
    options.size = 1;
    CHECK_EQUAL(make_context(&options, LONG_KEY, KIN__TLS_SERVER), -EINVAL);
    options = (kin_tls_options){.size = sizeof options, .mode = KIN_TLS_CERTIFICATES};
    CHECK_EQUAL(make_context(&options, LONG_KEY, KIN__TLS_SERVER), -EINVAL);
    CHECK_EQUAL(make_context(&options, LONG_KEY, KIN__TLS_CLIENT), -EINVAL);
    options.certificate_file = file;
    CHECK_EQUAL(make_context(&options, LONG_KEY, KIN__TLS_SERVER), -EINVAL);
    options.private_key_file = key_file;
    CHECK_EQUAL(make_context(&options, LONG_KEY, KIN__TLS_SERVER), 0);
    CHECK_EQUAL(make_context(&options, none, KIN__TLS_SERVER), -EINVAL);
    options.peer_name = "name";
    CHECK_EQUAL(make_context(&options, LONG_KEY, KIN__TLS_SERVER), -EINVAL);
    options.authority_file = file;
    CHECK_EQUAL(make_context(&options, none, KIN__TLS_SERVER), 0);
    options.authority_file = "/does/not/exist";
    CHECK_EQUAL(make_context(&options, none, KIN__TLS_SERVER), KIN_EAUTHENTICATION);
    options.authority_file = key_file;
    CHECK_EQUAL(make_context(&options, none, KIN__TLS_CLIENT), KIN_EAUTHENTICATION);
    options.authority_file = file;
    options.private_key_file = file;
    CHECK_EQUAL(make_context(&options, none, KIN__TLS_SERVER), KIN_EAUTHENTICATION);
    free_identity(&authority);
}

/* --- certificates --- */

static kin_tls_options with_certificate(const struct identity *identity,
                                        const struct identity *authority)
{
    kin_tls_options options = {.size = sizeof options, .mode = KIN_TLS_CERTIFICATES};
    if (identity != NULL) {
        options.certificate_file = identity->certificate_file;
        options.private_key_file = identity->key_file;
    }
    options.authority_file = authority == NULL ? NULL : authority->certificate_file;
    return options;
}

TEST(certificates_of_the_authority_and_the_right_name_open_a_connection)
{
    struct identity authority = make_identity("authority", NULL, NULL);
    struct identity host = make_identity("host", "DNS:some.host,IP:127.0.0.1", &authority);
    struct identity user = make_identity("user", "DNS:some.user", &authority);
    kin_bytes none = {NULL, 0};
    static const char *const names[] = {NULL, "some.host", "127.0.0.1", "other.host", "127.0.0.2"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        kin_tls_options server = with_certificate(&host, &authority);
        kin_tls_options client = with_certificate(&user, &authority);
        client.peer_name = names[i];
        struct pair pair = connected(&server, none, &client, none);
        CHECK_EQUAL(pair.codes[CLIENT], i < 3 ? 1 : KIN_EAUTHENTICATION);
        CHECK_EQUAL(pair.codes[SERVER], i < 3 ? 1 : KIN_EAUTHENTICATION);
        if (i < 3) {
            check_talk(&pair);
        }
        end(&pair);
    }
    kin_tls_options server = with_certificate(&host, &authority);
    kin_tls_options client = with_certificate(&user, &authority);
    static const char *const users[] = {"some.user", "other.user"};
    for (size_t i = 0; i < 2; i++) {
        server.peer_name = users[i];
        struct pair pair = connected(&server, none, &client, none);
        CHECK_EQUAL(pair.codes[SERVER], i == 0 ? 1 : KIN_EAUTHENTICATION);
        end(&pair);
    }
    free_identity(&authority);
    free_identity(&host);
    free_identity(&user);
}

TEST(who_has_no_certificate_of_the_authority_is_refused)
{
    struct identity authority = make_identity("authority", NULL, NULL);
    struct identity other = make_identity("other", NULL, NULL);
    struct identity host = make_identity("host", "DNS:some.host", &authority);
    struct identity rogue = make_identity("rogue", "DNS:some.host", &other);
    kin_bytes none = {NULL, 0};
    kin_tls_options right = with_certificate(&host, &authority);
    kin_tls_options wrong = with_certificate(&rogue, &authority);
    kin_tls_options nothing = with_certificate(NULL, &authority);
    char byte = 0;
    struct pair pair = connected(&wrong, none, &right, none);
    CHECK_EQUAL(pair.codes[CLIENT], KIN_EAUTHENTICATION);
    CHECK_EQUAL(pair.codes[SERVER], KIN_EAUTHENTICATION);
    end(&pair);
    /* A client learns it with the first thing that it receives. */
    const kin_tls_options *clients[] = {&wrong, &nothing};
    for (size_t i = 0; i < 2; i++) {
        pair = connected(&right, none, clients[i], none);
        CHECK_EQUAL(pair.codes[SERVER], KIN_EAUTHENTICATION);
        CHECK_EQUAL(receive_bytes(pair.ends[CLIENT], &byte, 1), KIN_EAUTHENTICATION);
        end(&pair);
    }
    right.authority_file = NULL; /* asks for none: the key will tell */
    pair = connected(&right, LONG_KEY, &nothing, LONG_KEY);
    CHECK_EQUAL(pair.codes[SERVER], 1);
    CHECK_EQUAL(pair.codes[CLIENT], 1);
    end(&pair);
    /* One who speaks by the key does not take a certificate for it, nor the other way round. */
    pair = connected(&right, LONG_KEY, BY_KEY, LONG_KEY);
    CHECK(pair.codes[CLIENT] == KIN_EAUTHENTICATION);
    CHECK(pair.codes[SERVER] < 0);
    end(&pair);
    pair = connected(BY_KEY, LONG_KEY, &nothing, LONG_KEY);
    CHECK(pair.codes[CLIENT] == KIN_EAUTHENTICATION);
    CHECK(pair.codes[SERVER] == KIN_EAUTHENTICATION);
    end(&pair);
    free_identity(&authority);
    free_identity(&other);
    free_identity(&host);
    free_identity(&rogue);
}

/* --- bytes --- */

/* Sends all, while the other end receives as little at a time as `step`. */
static void push_through(struct pair *pair, const unsigned char *bytes, size_t size, size_t step)
{
    unsigned char *got = malloc(size + 1);
    size_t sent = 0;
    size_t received = 0;
    REQUIRE(got != NULL);
    while (received < size) {
        int64_t r = sent < size ? send_bytes(pair->ends[SERVER], bytes + sent, size - sent) : 0;
        REQUIRE(r >= 0 || r == -EAGAIN);
        sent += r > 0 ? (size_t)r : 0;
        size_t most = size - received + 1 < step ? size - received + 1 : step;
        r = receive_bytes(pair->ends[CLIENT], got + received, most);
        REQUIRE(r > 0 || r == -EAGAIN);
        received += r > 0 ? (size_t)r : 0;
    }
    CHECK_EQUAL(sent, size);
    CHECK_EQUAL(received, size);
    CHECK(memcmp(bytes, got, size) == 0);
    free(got);
}

TEST(many_bytes_come_through_a_small_socket_in_order)
{
    enum { SIZE = 700001 };
    unsigned char *bytes = malloc(SIZE);
    struct pair pair = connected(BY_KEY, LONG_KEY, BY_KEY, LONG_KEY);
    int room = 4096;
    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < SIZE; i++) {
        bytes[i] = (unsigned char)(i * 31 + i / 251);
    }
    setsockopt(pair.ends[SERVER]->transport.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    static const size_t steps[] = {1000, 16384, 100000};
    for (size_t i = 0; i < 3; i++) {
        push_through(&pair, bytes + i, SIZE - i, steps[i]);
    }
    for (size_t size = 1; size < 40; size++) {
        push_through(&pair, bytes, size, 7);
    }
    end(&pair);
    free(bytes);
}

/* What was not said to be sent was not, however full the socket is: a message that was given up
 * before its first byte leaves nothing behind. */
TEST(what_a_full_socket_does_not_take_leaves_no_trace)
{
    static unsigned char first[5000];
    static unsigned char taken[8192];
    struct pair pair = connected(BY_KEY, LONG_KEY, BY_KEY, LONG_KEY);
    size_t sent = 0;
    size_t received = 0;
    int room = 4096;
    setsockopt(pair.ends[SERVER]->transport.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    memset(first, 'a', sizeof first);
    for (;;) {
        int64_t r = send_bytes(pair.ends[SERVER], first, sizeof first);
        if (r < 0) {
            CHECK_EQUAL(r, -EAGAIN);
            break;
        }
        sent += (size_t)r;
        if ((size_t)r < sizeof first) { /* begun: it has to be finished */
            continue;
        }
    }
    bool is_begun = pair.ends[SERVER]->is_owed;
    while (received < sent + is_begun) {
        int64_t r = receive_bytes(pair.ends[CLIENT], taken, sizeof taken);
        for (int64_t i = 0; i < r; i++) {
            REQUIRE(taken[i] == 'a');
        }
        received += r > 0 ? (size_t)r : 0;
        if (r == -EAGAIN) { /* the rest of a record goes with the next send */
            unsigned char more = 'a';
            int64_t extra = send_bytes(pair.ends[SERVER], &more, 1);
            sent += extra > 0 ? (size_t)extra : 0;
            is_begun = pair.ends[SERVER]->is_owed;
        }
    }
    CHECK_EQUAL(received, sent + is_begun);
    end(&pair);
}

TEST(an_end_in_good_order_is_the_end_of_the_file)
{
    struct pair pair = connected(BY_KEY, LONG_KEY, BY_KEY, LONG_KEY);
    char text[8];
    CHECK_EQUAL(send_bytes(pair.ends[SERVER], "last", 4), 4);
    struct kin__transport *transport = &pair.ends[SERVER]->transport;
    transport->operations->shut(transport);
    CHECK_EQUAL(receive_bytes(pair.ends[CLIENT], text, sizeof text), 4);
    CHECK_EQUAL(receive_bytes(pair.ends[CLIENT], text, sizeof text), 0);
    CHECK_EQUAL(receive_bytes(pair.ends[CLIENT], text, sizeof text), 0);
    end(&pair);
}

TEST(a_connection_that_is_cut_off_does_not_look_like_one_that_has_ended)
{
    struct pair pair = connected(BY_KEY, LONG_KEY, BY_KEY, LONG_KEY);
    char text[8];
    shutdown(pair.ends[SERVER]->transport.fd, SHUT_RDWR); /* as whoever is in between can */
    CHECK_EQUAL(receive_bytes(pair.ends[CLIENT], text, sizeof text), -ECONNRESET);
    int64_t r = send_bytes(pair.ends[CLIENT], "x", 1);
    CHECK(r == -EPIPE || r == -ECONNRESET || r == -EPROTO);
    end(&pair);
}

TEST(changed_bytes_are_refused)
{
    struct pair pair = connected(BY_KEY, LONG_KEY, BY_KEY, LONG_KEY);
    char text[8];
    static const char record[] = "\x17\x03\x03\x00\x13"
                                 "0123456789abcdefghi";
    CHECK(write(pair.ends[SERVER]->transport.fd, record, sizeof record - 1) > 0);
    CHECK_EQUAL(receive_bytes(pair.ends[CLIENT], text, sizeof text), -EPROTO);
    end(&pair);
}

TEST(garbage_instead_of_a_handshake_is_refused)
{
    struct kin__tls_context *server = context_of(BY_KEY, LONG_KEY, KIN__TLS_SERVER);
    static const char *const texts[] = {"GET / HTTP/1.1\r\n\r\n", "\0\0\0\x1f#CHALLENGE#"};
    static const size_t sizes[] = {18, 15};
    for (size_t i = 0; i < 2; i++) {
        struct kin__tls_stream *stream = NULL;
        int16_t wanted = 0;
        int fds[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
        REQUIRE(kin__tls_stream_create(server, fds[0], NULL, &stream) == 0);
        CHECK_EQUAL(kin__tls_stream_handshake(stream, &wanted), 0);
        CHECK_EQUAL(wanted, KIN__OS_POLL_READ);
        CHECK(write(fds[1], texts[i], sizes[i]) > 0);
        CHECK_EQUAL(kin__tls_stream_handshake(stream, &wanted), -EPROTO);
        stream->transport.operations->free(&stream->transport);
        close(fds[1]);
    }
    kin__tls_context_free(server);
}

TEST(a_forked_child_lets_go_of_the_fd_only)
{
    struct pair pair = connected(BY_KEY, LONG_KEY, BY_KEY, LONG_KEY);
    int pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        end(&pair);
        _exit(0);
    }
    int status = 1;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK_EQUAL(status, 0);
    check_talk(&pair); /* nothing was said to the other end */
    end(&pair);
}

/* --- a peer that has the key, or needs none, and does not mean well --- */

static void ask_for_new_keys(struct pair *pair, int answer, int count)
{
    SSL *ssl = pair->ends[CLIENT]->ssl;
    for (int i = 0; i < count; i++) {
        REQUIRE(SSL_key_update(ssl, answer) == 1);
        REQUIRE(SSL_do_handshake(ssl) == 1);
    }
}

TEST(one_call_looks_at_so_many_bytes_and_no_more)
{
    struct pair pair = connected(BY_KEY, LONG_KEY, BY_KEY, LONG_KEY);
    char text[16] = "";
    int calls = 0;
    int64_t r = 0;
    ask_for_new_keys(&pair, SSL_KEY_UPDATE_NOT_REQUESTED, 4000);
    CHECK_EQUAL(send_bytes(pair.ends[CLIENT], "x", 1), 1);
    while ((r = receive_bytes(pair.ends[SERVER], text, sizeof text)) == -EAGAIN && calls < 100) {
        calls++;
    }
    CHECK_EQUAL(r, 1);
    CHECK(calls > 0 && calls < 100);
    end(&pair);
}

TEST(one_that_asks_again_and_again_for_new_keys_takes_no_memory)
{
    struct pair pair = connected(BY_KEY, LONG_KEY, BY_KEY, LONG_KEY);
    char text[16] = "";
    int64_t r = 1;
    for (int i = 0; i < 1000 && r > 0; i++) {
        ask_for_new_keys(&pair, SSL_KEY_UPDATE_REQUESTED, 50);
        REQUIRE(send_bytes(pair.ends[CLIENT], "x", 1) == 1);
        r = receive_bytes(pair.ends[SERVER], text, sizeof text);
        CHECK(pair.ends[SERVER]->outgoing.size < 300000);
    }
    CHECK_EQUAL(r, -EPROTO);
    end(&pair);
}

/* A server of OpenSSL at one end, and a stream of kin's with the key at the other. */
static int shake_hands_with(SSL_CTX *settings)
{
    int fds[2];
    int16_t wanted = 0;
    int code = 0;
    struct kin__tls_stream *stream = NULL;
    struct kin__tls_context *client = context_of(BY_KEY, LONG_KEY, KIN__TLS_CLIENT);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    REQUIRE(kin__tls_stream_create(client, fds[1], "some.host", &stream) == 0);
    kin__tls_context_free(client);
    SSL *server = SSL_new(settings);
    REQUIRE(SSL_set_fd(server, fds[0]) == 1);
    for (int i = 0; i < 100 && code == 0; i++) {
        code = kin__tls_stream_handshake(stream, &wanted);
        SSL_accept(server);
        ERR_clear_error();
    }
    stream->transport.operations->free(&stream->transport);
    SSL_free(server);
    close(fds[0]);
    return code;
}

TEST(one_in_the_middle_who_has_a_certificate_but_not_the_key_is_found_out)
{
    struct identity other = make_identity("other", "DNS:some.host", NULL);
    SSL_CTX *settings = SSL_CTX_new(TLS_server_method());
    REQUIRE(SSL_CTX_use_certificate(settings, other.certificate) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(settings, other.key) == 1);
    CHECK_EQUAL(shake_hands_with(settings), KIN_EAUTHENTICATION);
    REQUIRE(SSL_CTX_set_max_proto_version(settings, TLS1_2_VERSION) == 1);
    CHECK_EQUAL(shake_hands_with(settings), -EPROTO);
    SSL_CTX_free(settings);
    free_identity(&other);
}
