/* The mutual challenge, message by message, against bytes that CPython sends. */
#include "connection/handshake/handshake.h"
#include "harness/test.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/key.h>
#include <stdio.h>
#include <stdlib.h>

#define SECRET ((kin_bytes){"secret", 6})
#define TEXT(text) ((kin_bytes){text, sizeof(text) - 1})

struct bytes {
    size_t size;
    unsigned char data[300];
};

static struct bytes from_hex(const char *hex)
{
    struct bytes bytes = {0};
    for (; *hex != '\0'; hex += 2) {
        char pair[3] = {hex[0], hex[1], '\0'};
        bytes.data[bytes.size++] = (unsigned char)strtoul(pair, NULL, 16);
    }
    return bytes;
}

static kin_bytes view(const struct bytes *bytes)
{
    return (kin_bytes){bytes->data, bytes->size};
}

static struct kin__key *key_of(kin_bytes bytes)
{
    struct kin__key *key = NULL;
    REQUIRE(kin__key_create(bytes, &key) == 0);
    return key;
}

/* 0x10, 0x11 and so on, as in the recorded dumps. */
static const unsigned char *counting_bytes(unsigned char first)
{
    static unsigned char bytes[KIN__HANDSHAKE_RANDOM_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(first + i);
    }
    return bytes;
}

static void begin_as(struct kin__handshake *handshake, enum kin__handshake_role role,
                     const struct kin__key *key)
{
    kin__handshake_begin(handshake, role, key, false, counting_bytes(0x10));
}

static void check_outgoing(const struct kin__handshake *handshake, const char *hex)
{
    struct bytes expected = from_hex(hex);
    CHECK_EQUAL(handshake->outgoing_size, expected.size);
    CHECK_BYTES(handshake->outgoing, expected.data, expected.size);
}

/* What is sent, without the four bytes of its size. */
static kin_bytes message_of(const struct kin__handshake *handshake)
{
    REQUIRE(handshake->outgoing_size >= 4);
    return (kin_bytes){handshake->outgoing + 4, handshake->outgoing_size - 4};
}

static int receive_hex(struct kin__handshake *handshake, const char *hex)
{
    struct bytes message = from_hex(hex);
    return kin__handshake_receive(handshake, view(&message));
}

#define CHALLENGE_HEX "234348414c4c454e474523"
#define WELCOME_HEX "2357454c434f4d4523"
#define FAILURE_HEX "234641494c55524523"
#define PREFIX_HEX "7b7368613235367d"
#define RANDOM_HEX \
    "101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637"
#define OLD_RANDOM_HEX "101112131415161718191a1b1c1d1e1f20212223"
#define ANSWER_HEX PREFIX_HEX "ae3529de5bc0f0cad5816aaa1eb26180530fc48c16ed6eefd64b02eb24734458"
#define OLD_ANSWER_HEX "6611e6d629d5f279577c3671fbd86eb6"
#define OLD_ANSWER_TO_NEW_HEX "bce1b60318c6672267f6663de1f6a52c"

TEST(a_server_speaks_the_bytes_of_new_cpython)
{
    struct kin__key *key = key_of(SECRET);
    struct kin__handshake server;
    begin_as(&server, KIN__HANDSHAKE_SERVER, key);
    check_outgoing(&server, "0000003b" CHALLENGE_HEX PREFIX_HEX RANDOM_HEX);
    CHECK_EQUAL(receive_hex(&server, ANSWER_HEX), 0);
    check_outgoing(&server, "00000009" WELCOME_HEX);
    CHECK_EQUAL(receive_hex(&server, CHALLENGE_HEX PREFIX_HEX RANDOM_HEX), 0);
    check_outgoing(&server, "00000028" ANSWER_HEX);
    CHECK_EQUAL(receive_hex(&server, WELCOME_HEX), 0);
    CHECK_EQUAL(server.outgoing_size, 0);
    CHECK_EQUAL(server.state, KIN__HANDSHAKE_DONE);
    kin__key_free(key);
}

TEST(a_client_speaks_the_bytes_of_new_cpython)
{
    struct kin__key *key = key_of(SECRET);
    struct kin__handshake client;
    begin_as(&client, KIN__HANDSHAKE_CLIENT, key);
    CHECK_EQUAL(client.outgoing_size, 0);
    CHECK_EQUAL(receive_hex(&client, CHALLENGE_HEX PREFIX_HEX RANDOM_HEX), 0);
    check_outgoing(&client, "00000028" ANSWER_HEX);
    CHECK_EQUAL(receive_hex(&client, WELCOME_HEX), 0);
    check_outgoing(&client, "0000003b" CHALLENGE_HEX PREFIX_HEX RANDOM_HEX);
    CHECK_EQUAL(receive_hex(&client, ANSWER_HEX), 0);
    check_outgoing(&client, "00000009" WELCOME_HEX);
    CHECK_EQUAL(client.state, KIN__HANDSHAKE_DONE);
    kin__key_free(key);
}

TEST(old_cpython_is_answered_with_md5)
{
    struct kin__key *key = key_of(SECRET);
    struct kin__handshake client;
    begin_as(&client, KIN__HANDSHAKE_CLIENT, key);
    CHECK_EQUAL(receive_hex(&client, CHALLENGE_HEX OLD_RANDOM_HEX), 0);
    check_outgoing(&client, "00000010" OLD_ANSWER_HEX);
    CHECK_EQUAL(receive_hex(&client, WELCOME_HEX), 0);
    CHECK_EQUAL(receive_hex(&client, OLD_ANSWER_TO_NEW_HEX), 0);
    CHECK_EQUAL(client.state, KIN__HANDSHAKE_DONE);
    kin__key_free(key);
}

TEST(an_answer_of_old_cpython_to_our_challenge_is_right)
{
    struct kin__key *key = key_of(SECRET);
    struct kin__handshake server;
    begin_as(&server, KIN__HANDSHAKE_SERVER, key);
    CHECK_EQUAL(receive_hex(&server, OLD_ANSWER_TO_NEW_HEX), 0);
    check_outgoing(&server, "00000009" WELCOME_HEX);
    CHECK_EQUAL(receive_hex(&server, CHALLENGE_HEX "202122232425262728292a2b2c2d2e2f30313233"), 0);
    check_outgoing(&server, "00000010"
                            "e20bc8c65c4b86e82ed6fafac49cd565");
    CHECK_EQUAL(receive_hex(&server, WELCOME_HEX), 0);
    CHECK_EQUAL(server.state, KIN__HANDSHAKE_DONE);
    kin__key_free(key);
}

/* Hands messages to and fro until nobody has anything to say. */
static void talk(struct kin__handshake *first, struct kin__handshake *second)
{
    struct kin__handshake *speaker = first;
    struct kin__handshake *listener = second;
    while (speaker->outgoing_size != 0) {
        struct bytes message = {.size = speaker->outgoing_size - 4};
        memcpy(message.data, speaker->outgoing + 4, message.size);
        speaker->outgoing_size = 0;
        kin__handshake_receive(listener, view(&message));
        struct kin__handshake *next = speaker;
        speaker = listener;
        listener = next;
    }
}

TEST(two_that_have_the_same_key_agree)
{
    static const unsigned char zero[1] = {0};
    static unsigned char large[65536];
    kin_bytes keys[] = {SECRET, {zero, 1}, {large, sizeof large}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        for (int needs = 0; needs < 4; needs++) {
            struct kin__key *key = key_of(keys[i]);
            struct kin__handshake server;
            struct kin__handshake client;
            kin__handshake_begin(&server, KIN__HANDSHAKE_SERVER, key, needs & 1,
                                 counting_bytes(0x40));
            kin__handshake_begin(&client, KIN__HANDSHAKE_CLIENT, key, needs & 2,
                                 counting_bytes(0x90));
            talk(&server, &client);
            if (client.outgoing_size == 0 && client.state == KIN__HANDSHAKE_AWAITS_ANSWER) {
                talk(&client, &server);
            }
            CHECK_EQUAL(server.state, KIN__HANDSHAKE_DONE);
            CHECK_EQUAL(client.state, KIN__HANDSHAKE_DONE);
            kin__key_free(key);
        }
    }
}

TEST(two_with_different_keys_both_learn_it)
{
    struct kin__key *key = key_of(SECRET);
    struct kin__key *other = key_of(TEXT("Secret"));
    struct kin__handshake server;
    struct kin__handshake client;
    begin_as(&server, KIN__HANDSHAKE_SERVER, key);
    begin_as(&client, KIN__HANDSHAKE_CLIENT, other);
    CHECK_EQUAL(kin__handshake_receive(&client, message_of(&server)), 0);
    CHECK_EQUAL(kin__handshake_receive(&server, message_of(&client)), KIN_EAUTHENTICATION);
    check_outgoing(&server, "00000009" FAILURE_HEX);
    CHECK_EQUAL(kin__handshake_receive(&client, message_of(&server)), KIN_EAUTHENTICATION);
    CHECK_EQUAL(server.state, KIN__HANDSHAKE_FAILED);
    CHECK_EQUAL(client.state, KIN__HANDSHAKE_FAILED);
    kin__key_free(key);
    kin__key_free(other);
}

TEST(a_server_without_the_key_is_found_out_by_its_client)
{
    struct kin__key *key = key_of(SECRET);
    struct kin__handshake client;
    begin_as(&client, KIN__HANDSHAKE_CLIENT, key);
    CHECK_EQUAL(receive_hex(&client, CHALLENGE_HEX PREFIX_HEX RANDOM_HEX), 0);
    CHECK_EQUAL(receive_hex(&client, WELCOME_HEX), 0);
    CHECK_EQUAL(receive_hex(&client, "00112233445566778899aabbccddeeff"), KIN_EAUTHENTICATION);
    check_outgoing(&client, "00000009" FAILURE_HEX);
    CHECK_EQUAL(receive_hex(&client, ANSWER_HEX), -EBADMSG); /* it stays refused */
    kin__key_free(key);
}

/* A client at which the listener has said welcome; `challenge` is what it asks then. */
static void begin_asking(struct kin__handshake *client, const struct kin__key *key,
                         struct bytes *ret_challenge)
{
    unsigned char random[KIN__HANDSHAKE_RANDOM_BYTES];
    memcpy(random, counting_bytes(0x40), sizeof random);
    kin__handshake_mark(key, random);
    kin__handshake_begin(client, KIN__HANDSHAKE_CLIENT, key, false, random);
    CHECK_EQUAL(receive_hex(client, CHALLENGE_HEX PREFIX_HEX RANDOM_HEX), 0);
    CHECK_EQUAL(receive_hex(client, WELCOME_HEX), 0);
    kin_bytes message = message_of(client);
    ret_challenge->size = message.size;
    memcpy(ret_challenge->data, message.data, message.size);
}

TEST(a_client_does_not_answer_what_a_client_has_asked)
{
    struct kin__key *key = key_of(SECRET);
    struct kin__key *other_key = key_of(TEXT("another"));
    struct kin__handshake asking;
    struct kin__handshake client;
    struct kin__handshake server;
    struct bytes challenge;
    begin_asking(&asking, key, &challenge);
    begin_as(&client, KIN__HANDSHAKE_CLIENT, key);
    CHECK_EQUAL(kin__handshake_receive(&client, view(&challenge)), KIN_EAUTHENTICATION);
    CHECK_EQUAL(client.outgoing_size, 0);
    begin_as(&client, KIN__HANDSHAKE_CLIENT, other_key); /* whose answer is good for nothing */
    CHECK_EQUAL(kin__handshake_receive(&client, view(&challenge)), 0);
    begin_as(&server, KIN__HANDSHAKE_SERVER, key);
    CHECK_EQUAL(receive_hex(&server, ANSWER_HEX), 0);
    CHECK_EQUAL(kin__handshake_receive(&server, view(&challenge)), 0);
    CHECK_EQUAL(kin__handshake_receive(&asking, message_of(&server)), 0);
    CHECK_EQUAL(asking.state, KIN__HANDSHAKE_DONE);
    kin__key_free(other_key);
    kin__key_free(key);
}

TEST(every_digest_of_cpython_is_understood)
{
    static const char *const names[] = {"md5", "sha256", "sha384", "sha3_256", "sha3_384"};
    struct kin__key *key = key_of(SECRET);
    for (int i = 0; i < KIN__DIGEST_COUNT; i++) {
        struct kin__handshake server;
        begin_as(&server, KIN__HANDSHAKE_SERVER, key);
        unsigned char mac[KIN__DIGEST_BYTES_MAX];
        kin_bytes challenge = {server.challenge, sizeof server.challenge};
        int size = kin__digest_sign((enum kin__digest)i, key, challenge, mac);
        REQUIRE(size > 0);
        struct bytes answer = {0};
        answer.size = (size_t)snprintf((char *)answer.data, sizeof answer.data, "{%s}", names[i]);
        memcpy(answer.data + answer.size, mac, (size_t)size);
        answer.size += (size_t)size;
        CHECK_EQUAL(kin__handshake_receive(&server, view(&answer)), 0);
        CHECK(server.has_verified);

        /* The same as a challenge: it is answered in that digest. */
        struct bytes question = {0};
        question.size = (size_t)snprintf((char *)question.data, sizeof question.data,
                                         "#CHALLENGE#{%s}0123456789012345678901234567", names[i]);
        CHECK_EQUAL(kin__handshake_receive(&server, view(&question)), 0);
        CHECK_EQUAL(server.outgoing_size, 4 + strlen(names[i]) + 2 + (size_t)size);
        CHECK_BYTES(server.outgoing + 5, names[i], strlen(names[i]));
    }
    kin__key_free(key);
}

TEST(who_requires_sha256_neither_takes_nor_gives_md5)
{
    struct kin__key *key = key_of(SECRET);
    struct kin__handshake strict;
    const unsigned char *random = counting_bytes(0x10);
    kin__handshake_begin(&strict, KIN__HANDSHAKE_SERVER, key, true, random);
    CHECK_EQUAL(receive_hex(&strict, OLD_ANSWER_TO_NEW_HEX), KIN_EDIGEST);
    check_outgoing(&strict, "00000009" FAILURE_HEX);
    kin__handshake_begin(&strict, KIN__HANDSHAKE_SERVER, key, true, random);
    CHECK_EQUAL(receive_hex(&strict, "7b6d64357d" OLD_ANSWER_TO_NEW_HEX), KIN_EDIGEST);
    kin__handshake_begin(&strict, KIN__HANDSHAKE_CLIENT, key, true, random);
    CHECK_EQUAL(receive_hex(&strict, CHALLENGE_HEX OLD_RANDOM_HEX), KIN_EDIGEST);
    CHECK_EQUAL(strict.outgoing_size, 0);
    kin__handshake_begin(&strict, KIN__HANDSHAKE_CLIENT, key, true, random);
    CHECK_EQUAL(receive_hex(&strict, CHALLENGE_HEX "7b6d64357d" RANDOM_HEX), KIN_EDIGEST);
    CHECK_EQUAL(strict.outgoing_size, 0);
    kin__handshake_begin(&strict, KIN__HANDSHAKE_CLIENT, key, true, random);
    CHECK_EQUAL(receive_hex(&strict, CHALLENGE_HEX PREFIX_HEX RANDOM_HEX), 0);
    kin__key_free(key);
}

TEST(challenges_of_strange_lengths_are_refused)
{
    struct kin__key *key = key_of(SECRET);
    for (size_t size = 0; size <= 60; size++) {
        struct kin__handshake client;
        struct bytes message = {.size = 11 + size};
        begin_as(&client, KIN__HANDSHAKE_CLIENT, key);
        memcpy(message.data, "#CHALLENGE#", 11);
        memset(message.data + 11, 'x', size);
        CHECK_EQUAL(kin__handshake_receive(&client, view(&message)), size == 20 ? 0 : -EBADMSG);
    }
    kin__key_free(key);
}

TEST(answers_of_strange_lengths_are_refused)
{
    struct kin__key *key = key_of(SECRET);
    struct bytes right = from_hex(ANSWER_HEX);
    for (size_t size = 0; size <= 80; size++) {
        struct kin__handshake server;
        begin_as(&server, KIN__HANDSHAKE_SERVER, key);
        int expected = size == right.size ? 0
                       : size == 16       ? KIN_EAUTHENTICATION
                       : size >= 8        ? KIN_EAUTHENTICATION
                                          : -EBADMSG;
        CHECK_EQUAL(kin__handshake_receive(&server, (kin_bytes){right.data, size}), expected);
    }
    kin__key_free(key);
}

TEST(garbage_in_any_state_is_refused)
{
    static const char *const names[] = {"",         "#",         "#WELCOME# ", "#welcome#",
                                        "{sha256}", "{sha1}aaa", "{sha512}",   "{",
                                        "{}",       "{sha256"};
    struct kin__key *key = key_of(SECRET);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct kin__handshake end;
        kin_bytes message = {names[i], strlen(names[i])};
        begin_as(&end, KIN__HANDSHAKE_SERVER, key);
        CHECK(kin__handshake_receive(&end, message) < 0);
        begin_as(&end, KIN__HANDSHAKE_CLIENT, key);
        CHECK_EQUAL(kin__handshake_receive(&end, message), -EBADMSG);
        begin_as(&end, KIN__HANDSHAKE_CLIENT, key);
        REQUIRE(receive_hex(&end, CHALLENGE_HEX PREFIX_HEX RANDOM_HEX) == 0);
        CHECK_EQUAL(kin__handshake_receive(&end, message), -EBADMSG);
        CHECK_EQUAL(end.state, KIN__HANDSHAKE_FAILED);
    }
    struct bytes large = {.size = 257};
    memcpy(large.data, "#CHALLENGE#{sha256}", 19);
    struct kin__handshake client;
    begin_as(&client, KIN__HANDSHAKE_CLIENT, key);
    CHECK_EQUAL(kin__handshake_receive(&client, view(&large)), -EBADMSG);
    kin__key_free(key);
}

TEST(a_key_is_copied_and_has_at_least_one_byte)
{
    struct kin__key *key = NULL;
    char bytes[] = "secret";
    CHECK_EQUAL(kin__key_create((kin_bytes){NULL, 0}, &key), 0);
    CHECK(key == NULL);
    CHECK_EQUAL(kin__key_create((kin_bytes){bytes, 0}, &key), -EINVAL);
    CHECK_EQUAL(kin__key_create((kin_bytes){NULL, 1}, &key), -EINVAL);
    CHECK_EQUAL(kin__key_create((kin_bytes){bytes, 65537}, &key), -EINVAL);
    CHECK_EQUAL(kin__key_create((kin_bytes){bytes, 6}, &key), 0);
    kin_key_wipe(bytes, sizeof bytes);
    CHECK_BYTES(bytes, "\0\0\0\0\0\0", 6);
    CHECK_BYTES(key->bytes, "secret", 6);
    kin__key_free(key);
    kin__key_free(NULL);
}

TEST(made_keys_differ)
{
    unsigned char first[KIN_KEY_BYTES] = {0};
    unsigned char second[KIN_KEY_BYTES] = {0};
    CHECK_EQUAL(kin_key_generate(first, sizeof first), 0);
    CHECK_EQUAL(kin_key_generate(second, sizeof second), 0);
    CHECK(memcmp(first, second, sizeof first) != 0);
    CHECK_EQUAL(kin_key_generate(NULL, 32), -EINVAL);
    CHECK_EQUAL(kin_key_generate(first, 0), -EINVAL);
}

/* What nobody foresaw: bytes that are nearly right, in any order. None of them opens a connection,
 * and none makes the machine say more than a frame. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct bytes random_message(uint64_t *state)
{
    static const char *const texts[] = {"#CHALLENGE#", "#WELCOME#",  "#FAILURE#", "{sha256}",
                                        "{md5}",       "{sha3_384}", "{sha384}",  "{",
                                        "}",           "#"};
    struct bytes message = {0};
    for (uint64_t parts = next_random(state) % 4; parts > 0; parts--) {
        const char *text = texts[next_random(state) % (sizeof texts / sizeof texts[0])];
        memcpy(message.data + message.size, text, strlen(text));
        message.size += strlen(text);
    }
    static const size_t sizes[] = {0, 1, 15, 16, 17, 19, 20, 21, 32, 40, 48, 200};
    for (size_t left = sizes[next_random(state) % 12]; left > 0; left--) {
        message.data[message.size++] = (unsigned char)next_random(state);
    }
    return message;
}

TEST(random_messages_open_nothing)
{
    uint64_t state = 4711;
    struct kin__key *key = key_of(SECRET);
    for (int round = 0; round < 50000; round++) {
        struct kin__handshake end;
        begin_as(&end, round % 2 ? KIN__HANDSHAKE_SERVER : KIN__HANDSHAKE_CLIENT, key);
        for (int i = 0; i < 6 && end.state != KIN__HANDSHAKE_FAILED; i++) {
            struct bytes message = random_message(&state);
            int r = kin__handshake_receive(&end, view(&message));
            REQUIRE(end.outgoing_size <= KIN__HANDSHAKE_OUTGOING_MAX);
            REQUIRE(!end.has_verified && end.state != KIN__HANDSHAKE_DONE);
            REQUIRE(r == 0 || end.state == KIN__HANDSHAKE_FAILED);
        }
    }
    kin__key_free(key);
}
