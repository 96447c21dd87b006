/* A pipe for the tests of connections, and messages that can be told apart. */
#ifndef UNIT_CONNECTIONS_H
#define UNIT_CONNECTIONS_H

#include "unit/children.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/pipe.h>
#include <stdlib.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* Each test frees them with end_pipe. Of a one-way pipe, what `right` sends, `left` receives. */
__attribute__((weak)) kin_connection *left;
__attribute__((weak)) kin_connection *right;

static inline void end_pipe(void)
{
    left = kin_connection_free(left);
    right = kin_connection_free(right);
}

/* Can be called again in the same test. */
static inline void begin_pipe(bool is_duplex)
{
    if (!kin__family_is_open()) {
        begin();
    }
    end_pipe();
    REQUIRE(kin_pipe_create(is_duplex, &left, &right) == 0);
}

static inline void send_text(kin_connection *connection, const char *text)
{
    CHECK_EQUAL(kin_connection_send_bytes(connection, text, strlen(text), KIN_FOREVER), 0);
}

static inline void check_text(kin_connection *connection, const char *expected)
{
    char text[256] = "";
    size_t size = 0;
    CHECK_EQUAL(kin_connection_receive_into(connection, text, sizeof text, KIN_FOREVER, &size), 0);
    CHECK_EQUAL(size, strlen(expected));
    CHECK_STRING(text, expected);
}

/* A message of `size` bytes that says which it is. */
static inline unsigned char *pattern_create(size_t size, size_t number)
{
    unsigned char *bytes = malloc(size + 1);
    REQUIRE(bytes != NULL);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(i * 31 + number * 7 + i / 251);
    }
    return bytes;
}

struct pattern {
    const size_t *sizes;
    size_t count;
};

/* A thread: sends through `right`. */
static inline void *send_patterns(void *user)
{
    const struct pattern *pattern = user;
    for (size_t i = 0; i < pattern->count; i++) {
        unsigned char *bytes = pattern_create(pattern->sizes[i], i);
        CHECK_EQUAL(kin_connection_send_bytes(right, bytes, pattern->sizes[i], KIN_FOREVER), 0);
        free(bytes);
    }
    return NULL;
}

static inline void check_pattern(kin_connection *connection, size_t size, size_t number)
{
    unsigned char *expected = pattern_create(size, number);
    unsigned char *bytes = malloc(size + 1);
    size_t got = 0;
    REQUIRE(bytes != NULL);
    bytes[size] = 0xa5;
    CHECK_EQUAL(kin_connection_receive_into(connection, bytes, size, KIN_FOREVER, &got), 0);
    CHECK_EQUAL(got, size);
    CHECK(memcmp(bytes, expected, size) == 0);
    CHECK_EQUAL(bytes[size], 0xa5);
    free(bytes);
    free(expected);
}

static inline void receive_patterns(kin_connection *connection, const size_t *sizes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_pattern(connection, sizes[i], i);
    }
}

#endif
