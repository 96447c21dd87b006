/*
 * Pickles that were made to do harm: those of known attacks on other decoders, and what else one
 * can do with few bytes.
 */
#include "decoding.h"

#include <kin/dict.h>
#include <kin/list.h>
#include <pthread.h>
#include <stdlib.h>

/* A pickle in memory that grows. */
struct bytes {
    unsigned char *data;
    size_t size;
    size_t capacity;
};

static void add(struct bytes *bytes, const char *data, size_t size)
{
    if (bytes->capacity - bytes->size < size) {
        bytes->capacity = 2 * (bytes->capacity + size);
        bytes->data = realloc(bytes->data, bytes->capacity);
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static int decode_all(struct bytes *bytes, const kin_pickle_limits *limits, const char **ret_reason)
{
    kin_pickle_decode_options options = {.size = sizeof options, .limits = *limits};
    kin_pickle_fault fault = {.reason = ""};
    kin_object *object = NULL;
    int r = kin_pickle_decode(bytes->data, bytes->size, &options, &object, NULL, &fault);
    kin_object_free(object);
    free(bytes->data);
    *bytes = (struct bytes){0};
    *ret_reason = fault.reason;
    return r;
}

TEST(nothing_is_called)
{
    static const char *const pickles[] = {
        "cos\nsystem\n(S'touch /tmp/kin-executed'\ntR.",
        "c__builtin__\neval\n(S'1/0'\ntR.",
        "(S'touch /tmp/kin-executed'\nios\nsystem\n.",
        "(cos\nsystem\nS'touch /tmp/kin-executed'\no.",
        "cbuiltins\ngetattr\n(cos\nsystem\nS'__call__'\ntR(S'x'\ntR.",
        "cos\nsystem\n(S'touch /tmp/kin-executed'\nt\x81.",
        "csubprocess\nPopen\n((S'touch'\nS'/tmp/kin-executed'\nltR."};
    for (size_t i = 0; i < sizeof pickles / sizeof pickles[0]; i++) {
        kin_object *object = decode_at(TEST_HERE, pickles[i], strlen(pickles[i]), NULL);
        CHECK_EQUAL(kin_object_kind(object), KIN_KIND_OPAQUE);
        kin_object_free(object);
    }
}

TEST(states_do_not_reach_classes)
{
    CHECK_FAILS("cos\nsystem\n}b.", -EBADMSG, 12, "BUILD", "a state for what has none");
}

TEST(a_few_bytes_do_not_ask_for_gigabytes)
{
    CHECK_FAILS("\x80\x04\x8e\x00\x00\x00\x40\x00\x00\x00\x00.", -EBADMSG, 2, "BINBYTES8",
                "the bytes end too early");
    CHECK_FAILS("B\x00\x00\x00\x40.", -EBADMSG, 0, "BINBYTES", "the bytes end too early");
    CHECK_FAILS("\x95\x00\x00\x00\x40\x00\x00\x00\x00N.", -EBADMSG, 0, "FRAME",
                "a frame longer than what is left");
    CHECK_FAILS("Nr\xff\xff\xff\x7f.", -EBADMSG, 1, "LONG_BINPUT",
                "a memo number far beyond the others");
    CHECK_FAILS("Nr\xff\xff\xff\xff.", -EBADMSG, 1, "LONG_BINPUT",
                "a memo number far beyond the others");
    CHECK_FAILS("Np1000000000\n.", -EBADMSG, 1, "PUT", "a memo number far beyond the others");
    CHECK_FAILS("\x8b\xff\xff\xff\x7f.", KIN_ELIMIT, 0, "LONG4",
                "an int of more bits than the limit");
}

TEST(gaps_in_the_memo_do_not_add_up)
{
    struct bytes bytes = {0};
    add(&bytes, "N", 1);
    for (uint32_t i = 1; i < 100; i++) { /* each as far as it may */
        uint32_t index = 1000 * i;
        char put[5] = {'r', (char)index, (char)(index >> 8), (char)(index >> 16), 0};
        add(&bytes, put, sizeof put);
    }
    add(&bytes, ".", 1);
    const char *reason;
    CHECK_EQUAL(decode_all(&bytes, &(kin_pickle_limits){.size = 0}, &reason), -EBADMSG);
    CHECK_STRING(reason, "a memo number far beyond the others");
}

TEST(what_is_repeated_by_the_memo_is_charged)
{
    struct bytes bytes = {0};
    add(&bytes, "]\x94(", 3);
    for (int i = 0; i < 100000; i++) {
        add(&bytes, "h\x00", 2);
    }
    add(&bytes, "e.", 2);
    const char *reason;
    const kin_pickle_limits limits = {.size = sizeof limits, .object_count_max = 50000};
    CHECK_EQUAL(decode_all(&bytes, &limits, &reason), KIN_ELIMIT);
    CHECK_STRING(reason, "more objects than the limit");
}

/* Doubled again and again: what would be 2^60 in each other is 60 objects here. */
TEST(a_billion_laughs_take_sixty_objects)
{
    struct bytes bytes = {0};
    add(&bytes, "]", 1);
    for (int i = 0; i < 60; i++) {
        add(&bytes, "2\x86", 2);
    }
    add(&bytes, ".", 1);
    kin_object *object = decode_at(TEST_HERE, bytes.data, bytes.size, NULL);
    kin_object *again = decode_at(TEST_HERE, bytes.data, bytes.size, NULL);
    int r = kin_object_equal(object, again);
    CHECK(r == 1 || r == KIN_ELIMIT);
    kin_object_free(object);
    kin_object_free(again);
    free(bytes.data);
}

TEST(keys_that_are_dear_to_compare_end_with_the_limit)
{
    struct bytes bytes = {0};
    add(&bytes, "}", 1);
    for (int k = 0; k < 2; k++) {
        add(&bytes, ")", 1);
        for (int i = 0; i < 60; i++) {
            add(&bytes, "2\x86", 2);
        }
        add(&bytes, "Ns", 2);
    }
    add(&bytes, ".", 1);
    const char *reason;
    const kin_pickle_limits limits = {.size = sizeof limits, .time_ms_max = 100};
    int r = decode_all(&bytes, &limits, &reason);
    CHECK(r == 0 || r == KIN_ELIMIT);
}

TEST(many_keys_that_hash_alike_end_with_the_limit)
{
    struct bytes bytes = {0};
    add(&bytes, "}(", 2);
    for (int i = 0; i < 20000; i++) { /* instances of one class with one argument */
        add(&bytes,
            "ca\nB\n(](K\x01K\x02"
            "etRN",
            16);
    }
    add(&bytes, "u.", 2);
    const char *reason;
    const kin_pickle_limits limits = {.size = sizeof limits, .time_ms_max = 200};
    int r = decode_all(&bytes, &limits, &reason);
    CHECK(r == 0 || r == KIN_ELIMIT);
}

TEST(dropping_the_same_circle_again_and_again_costs_no_square)
{
    struct bytes bytes = {0};
    add(&bytes, "]\x94(", 3);
    for (int i = 0; i < 2000; i++) {
        add(&bytes, "]", 1);
    }
    add(&bytes,
        "h\x00"
        "e",
        3);
    for (int i = 0; i < 200000; i++) {
        add(&bytes,
            "h\x00"
            "0",
            3);
    }
    add(&bytes, ".", 1);
    const char *reason;
    CHECK_EQUAL(decode_all(&bytes, &(kin_pickle_limits){.size = 0}, &reason), 0);
}

TEST(a_long_number_of_digits_is_bounded)
{
    struct bytes bytes = {0};
    add(&bytes, "L", 1);
    for (int i = 0; i < 1000000; i++) {
        add(&bytes, "9", 1);
    }
    add(&bytes, "L\n.", 3);
    const char *reason;
    CHECK_EQUAL(decode_all(&bytes, &(kin_pickle_limits){.size = 0}, &reason), KIN_ELIMIT);
    CHECK_STRING(reason, "an int of more bits than the limit");
}

TEST(sizes_that_are_negative_to_others_are_refused)
{
    CHECK_FAILS("T\xff\xff\xff\xff"
                "abcd.",
                -EBADMSG, 0, "BINSTRING", "the size of a str is negative");
    CHECK_FAILS("T\x00\x00\x00\x80.", -EBADMSG, 0, "BINSTRING", "the size of a str is negative");
    CHECK_FAILS("\x8b\x00\x00\x00\x80.", -EBADMSG, 0, "LONG4", "the size of an int is negative");
}

/* --- bytes that change while they are read --- */

#ifndef __SANITIZE_THREAD__ /* that they change is the point */
static unsigned char moving[64];
static volatile int is_over;

static void *change(void *user)
{
    unsigned state = 1;
    while (!is_over) {
        state = state * 1103515245 + 12345;
        ((volatile unsigned char *)moving)[(state >> 16) % sizeof moving] = (unsigned char)(state >>
                                                                                            8);
        if ((state & 0xff00) == 0) {
            memcpy(moving, user, sizeof moving);
        }
    }
    return NULL;
}

TEST(bytes_that_change_while_they_are_read_do_no_harm)
{
    static unsigned char pickle[sizeof moving] =
        "](\x8c\x05hello\x8c\x03\xe2\x82\xac\x8a\x05\x01\x02\x03\x04\x05"
        "C\x03xyzS'abc'\nI12\nca\nb\n)RX\x02\x00\x00\x00okV\\u20ac\ne.";
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, change, pickle) == 0);
    const kin_pickle_decode_options options = {.size = sizeof options, .is_prefix = true};
    for (int i = 0; i < 20000; i++) {
        kin_object *object = NULL;
        int r = kin_pickle_decode(moving, sizeof moving, &options, &object, NULL, NULL);
        CHECK(r <= 0);
        kin_object_free(object);
    }
    is_over = 1;
    pthread_join(thread, NULL);
}
#endif
