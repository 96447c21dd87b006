/*
 * The bytes on the wire: kin_connection against multiprocessing.connection.Connection, over pipes
 * and a socket.
 */
#define _GNU_SOURCE
#include "interop/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WAIT_MS = 15000 };

static const size_t sizes[] = {0, 1, 16384, 16385, 1 << 20, 5 << 20};

enum { SIZE_COUNT = sizeof sizes / sizeof *sizes };

/* The end that receives, and the one that sends: the same one over a socket. */
struct ends {
    kin_connection *receiver;
    kin_connection *sender;
};

static void begin(void)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
}

static kin_connection *adopt(int *fd)
{
    kin_connection *connection = NULL;
    REQUIRE(kin_connection_adopt_fd(*fd, NULL, &connection) == 0);
    *fd = -1;
    return connection;
}

static struct ends take_ends(struct peer *peer, bool over_socket)
{
    struct ends ends;
    if (over_socket) {
        ends.receiver = ends.sender = adopt(&peer->socket);
    } else {
        ends.receiver = adopt(&peer->from);
        ends.sender = adopt(&peer->to);
    }
    return ends;
}

static void free_ends(struct ends *ends)
{
    if (ends->sender != ends->receiver) {
        kin_connection_free(ends->sender);
    }
    kin_connection_free(ends->receiver);
}

static unsigned char *pattern(size_t size)
{
    unsigned char *data = malloc(size + 1);
    REQUIRE(data != NULL);
    for (size_t i = 0; i < size; i++) {
        data[i] = (unsigned char)(7 * (i % 251) % 251);
    }
    return data;
}

/* --- there and back --- */

static void echo_one(const struct ends *ends, size_t size)
{
    unsigned char *data = pattern(size), *back = malloc(size + 1);
    size_t back_size = 0;
    REQUIRE(back != NULL);
    CHECK_EQUAL(kin_connection_send_bytes(ends->sender, data, size, kin_within_ms(WAIT_MS)), 0);
    CHECK_EQUAL(
        kin_connection_receive_into(ends->receiver, back, size, kin_within_ms(WAIT_MS), &back_size),
        0);
    CHECK_EQUAL(back_size, size);
    CHECK(back_size != size || memcmp(data, back, size) == 0);
    free(data);
    free(back);
}

static void echo(const char *function, bool over_socket)
{
    begin();
    struct peer peer = peer_start("peer_frames.py", function);
    struct ends ends = take_ends(&peer, over_socket);
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        echo_one(&ends, sizes[i]);
    }
    free_ends(&ends);
    peer_join(&peer);
    kin_fini();
}

TEST(messages_of_all_sizes_come_back_over_pipes)
{
    echo("echo_over_pipes", false);
}

TEST(messages_of_all_sizes_come_back_over_a_socket)
{
    echo("echo_over_socket", true);
}

/* --- the bytes themselves --- */

struct sending {
    kin_connection *sender;
    int code;
};

static void *send_sizes(void *user)
{
    struct sending *sending = user;
    for (size_t i = 0; i < SIZE_COUNT && sending->code == 0; i++) {
        unsigned char *data = pattern(sizes[i]);
        sending->code = kin_connection_send_bytes(sending->sender, data, sizes[i], KIN_FOREVER);
        free(data);
    }
    return NULL;
}

static void read_and_compare(int python, int kin, size_t size)
{
    unsigned char *expected = malloc(size + 1), *actual = malloc(size + 1);
    REQUIRE(expected != NULL && actual != NULL);
    CHECK_EQUAL(wire_read(python, expected, size), size);
    CHECK_EQUAL(wire_read(kin, actual, size), size);
    CHECK(memcmp(actual, expected, size) == 0);
    free(expected);
    free(actual);
}

TEST(messages_are_the_bytes_that_python_sends)
{
    begin();
    int fds[2];
    pthread_t thread;
    struct peer peer = peer_start("peer_frames.py", "send_sizes");
    REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
    struct sending sending = {.sender = adopt(&fds[1])};
    REQUIRE(pthread_create(&thread, NULL, send_sizes, &sending) == 0);
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        read_and_compare(peer.from, fds[0], 4 + sizes[i]);
    }
    REQUIRE(pthread_join(thread, NULL) == 0);
    CHECK_EQUAL(sending.code, 0);
    kin_connection_free(sending.sender);
    unsigned char end;
    CHECK_EQUAL(wire_read(fds[0], &end, 1), 0);
    CHECK_EQUAL(wire_read(peer.from, &end, 1), 0);
    close(fds[0]);
    peer_join(&peer);
    kin_fini();
}

/* --- odd ones --- */

TEST(python_reads_the_long_form_and_sees_half_a_message)
{
    struct peer peer = peer_start("peer_frames.py", "receive_odd");
    static const char bytes[] = "\xff\xff\xff\xff\0\0\0\0\0\0\0\5hello"
                                "\xff\xff\xff\xff\0\0\0\0\0\0\0\0"
                                "\0\0\0\7half";
    wire_write(peer.to, bytes, sizeof bytes - 1);
    peer_join(&peer);
}

/* What kin makes of what a function of the script sends: messages that are texts, then a code. */
static void receive(const char *function, const char *const *messages, int code)
{
    begin();
    char text[64];
    size_t size = 0;
    struct peer peer = peer_start("peer_frames.py", function);
    kin_connection *receiver = adopt(&peer.from);
    for (; *messages != NULL; messages++) {
        CHECK_EQUAL(kin_connection_receive_into(receiver, text, sizeof text - 1,
                                                kin_within_ms(WAIT_MS), &size),
                    0);
        text[size] = 0;
        CHECK_STRING(text, *messages);
    }
    CHECK_EQUAL(
        kin_connection_receive_into(receiver, text, sizeof text, kin_within_ms(WAIT_MS), &size),
        code);
    kin_connection_free(receiver);
    peer_join(&peer);
    kin_fini();
}

TEST(kin_reads_the_long_form_of_python)
{
    receive("send_long_form", (const char *const[]){"hello", "", NULL}, -EPIPE);
}

TEST(kin_reads_what_comes_byte_by_byte)
{
    receive("send_slowly", (const char *const[]){"hello", "hi", NULL}, -EPIPE);
}

TEST(kin_tells_half_a_message_from_the_end)
{
    receive("send_half_a_message", (const char *const[]){NULL}, -ECONNRESET);
}

TEST(kin_tells_half_a_header_from_the_end)
{
    receive("send_half_a_header", (const char *const[]){NULL}, -ECONNRESET);
}
