/*
 * Random values, there and back: C -> Python -> C and Python -> C -> Python, by all protocols.
 *
 *     KIN_VALUES_COUNT=N   so many each way (default: 10 000)
 *     KIN_VALUES_SEED=N    the first of them
 *     KIN_VALUES_ALL=1     each by every protocol, not by one after the other
 */
#define _GNU_SOURCE
#include "interop/description.h"
#include "interop/generator.h"
#include "interop/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 10000, OBJECT_COUNT = 1000, PROTOCOL_MIN = 2, PROTOCOL_MAX = 5, WAIT_MS = 30000 };

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static uint32_t back_protocol(uint64_t seed, uint32_t protocol)
{
    return (uint32_t)(PROTOCOL_MIN + (seed / 4 + protocol) % 4);
}

/* Sends a value: the protocol of the answer, and a pickle. */
static void send_value(const struct peer *peer, const kin_object *value, uint32_t protocol,
                       uint32_t back)
{
    kin_object *pickle = NULL;
    REQUIRE(kin_pickle_encode(value, KIN_OPTIONS(kin_pickle_encode_options, .protocol = protocol),
                              &pickle) == 0);
    kin_bytes bytes = kin_object_bytes(pickle);
    unsigned char *message = malloc(bytes.size + 1);
    REQUIRE(message != NULL);
    message[0] = (unsigned char)back;
    memcpy(message + 1, bytes.data, bytes.size);
    wire_send(peer->to, message, bytes.size + 1);
    free(message);
    kin_object_free(pickle);
}

static void check_answer(const struct peer *peer, const char *what,
                         const struct description *expected)
{
    size_t size;
    unsigned char *answer = wire_receive(peer->from, &size);
    REQUIRE(answer != NULL && size >= 4);
    size_t described = answer[0] | (size_t)answer[1] << 8 | (size_t)answer[2] << 16;
    REQUIRE(described <= size - 4);
    char place[128];
    snprintf(place, sizeof place, "%s, as Python sees it", what);
    description_check(place, expected, answer + 4, described);
    kin_object *value = NULL;
    kin_pickle_fault fault = {0};
    int code = kin_pickle_decode(answer + 4 + described, size - 4 - described, NULL, &value, NULL,
                                 &fault);
    if (code != 0) {
        test_fail(TEST_HERE, "%s: %s at byte %llu, %s", what, fault.reason,
                  (unsigned long long)fault.offset, fault.opcode);
    } else {
        struct description actual = describe(value);
        description_check(what, &actual, expected->data, expected->size);
        description_free(&actual);
    }
    kin_object_free(value);
    free(answer);
}

static void send_and_check(const struct peer *peer, uint64_t seed, uint32_t protocol,
                           const kin_object *value, const struct description *expected)
{
    char what[96];
    uint32_t back = back_protocol(seed, protocol);
    snprintf(what, sizeof what, "value %llu, there by protocol %u, back by %u",
             (unsigned long long)seed, protocol, back);
    send_value(peer, value, protocol, back);
    check_answer(peer, what, expected);
}

TEST_WITH(values_come_back_from_python, .limit_seconds = 600)
{
    struct peer peer = peer_start("peer_values.py", "answer");
    uint64_t first = setting("KIN_VALUES_SEED", 0),
             end = first + setting("KIN_VALUES_COUNT", COUNT);
    bool all = setting("KIN_VALUES_ALL", 0) != 0;
    for (uint64_t seed = first; seed < end; seed++) {
        kin_object *value = generate(seed);
        struct description expected = describe(value);
        for (uint32_t protocol = PROTOCOL_MIN; protocol <= PROTOCOL_MAX; protocol++) {
            if (all || protocol == PROTOCOL_MIN + seed % 4) {
                send_and_check(&peer, seed, protocol, value, &expected);
            }
        }
        description_free(&expected);
        kin_object_free(value);
    }
    peer_join(&peer);
}

/* Reads a value of Python's and writes it again. */
static void answer_value(const struct peer *peer, const unsigned char *message, size_t size)
{
    kin_object *value = NULL, *pickle = NULL;
    kin_pickle_fault fault = {.reason = "", .opcode = ""};
    int code = kin_pickle_decode(message + 1, size - 1, NULL, &value, NULL, &fault);
    if (code == 0) {
        code = kin_pickle_encode(
            value, KIN_OPTIONS(kin_pickle_encode_options, .protocol = message[0]), &pickle);
    }
    if (code == 0) {
        kin_bytes bytes = kin_object_bytes(pickle);
        wire_send(peer->to, bytes.data, bytes.size);
    } else {
        char text[256];
        int length = snprintf(text, sizeof text, "! %s: %s at byte %llu, %s", kin_code_text(code),
                              fault.reason, (unsigned long long)fault.offset, fault.opcode);
        wire_send(peer->to, text, (size_t)length);
    }
    kin_object_free(pickle);
    kin_object_free(value);
}

static void tell_count(uint64_t count)
{
    char words[96];
    snprintf(words, sizeof words, "%llu %llu %d", (unsigned long long)setting("KIN_VALUES_SEED", 0),
             (unsigned long long)count, setting("KIN_VALUES_ALL", 0) != 0);
    setenv("KIN_VALUES", words, 1);
}

TEST_WITH(values_of_python_come_back_from_c, .limit_seconds = 600)
{
    tell_count(setting("KIN_VALUES_COUNT", COUNT));
    struct peer peer = peer_start("peer_values.py", "ask");
    size_t size;
    unsigned char *message;
    while ((message = wire_receive(peer.from, &size)) != NULL) {
        REQUIRE(size > 0);
        answer_value(&peer, message, size);
        free(message);
    }
    peer_join(&peer);
}

/* --- the same as objects over a connection, of kin and of Python --- */

static kin_connection *take_socket(struct peer *peer)
{
    kin_connection *connection = NULL;
    REQUIRE(kin_connection_adopt_fd(peer->socket, NULL, &connection) == 0);
    peer->socket = -1;
    return connection;
}

TEST_WITH(objects_come_back_from_python_over_a_connection, .limit_seconds = 120)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    struct peer peer = peer_start("peer_values.py", "pass_on");
    kin_connection *connection = take_socket(&peer);
    for (uint64_t seed = 0; seed < OBJECT_COUNT; seed++) {
        kin_object *value = generate(seed), *back = NULL;
        REQUIRE(kin_connection_send(connection, value, kin_within_ms(WAIT_MS)) == 0);
        REQUIRE(kin_connection_receive(connection, kin_within_ms(WAIT_MS), &back) == 0);
        struct description expected = describe(value), actual = describe(back);
        description_check("over a connection", &actual, expected.data, expected.size);
        description_free(&expected);
        description_free(&actual);
        kin_object_free(value);
        kin_object_free(back);
    }
    kin_connection_free(connection);
    peer_join(&peer);
    kin_fini();
}

TEST_WITH(objects_of_python_come_back_over_a_connection, .limit_seconds = 120)
{
    int code;
    kin_object *object;
    tell_count(OBJECT_COUNT);
    REQUIRE(kin_init(NULL, NULL) == 0);
    struct peer peer = peer_start("peer_values.py", "send");
    kin_connection *connection = take_socket(&peer);
    while ((code = kin_connection_receive(connection, kin_within_ms(WAIT_MS), &object)) == 0) {
        CHECK_EQUAL(kin_connection_send(connection, object, kin_within_ms(WAIT_MS)), 0);
        kin_object_free(object);
    }
    CHECK_EQUAL(code, -EPIPE);
    kin_connection_free(connection);
    peer_join(&peer);
    kin_fini();
}
