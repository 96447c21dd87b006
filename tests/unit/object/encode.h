/* Comparing pickles, byte by byte. */
#ifndef TESTS_UNIT_OBJECT_ENCODE_H
#define TESTS_UNIT_OBJECT_ENCODE_H

#include "harness/test.h"

#include <kin/handle.h>
#include <kin/pickle.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object/pickle.h"

/* Whether a bytes object holds these bytes; else both are shown. */
static inline bool holds(const kin_object *bytes, const void *expected, size_t size)
{
    kin_bytes actual = kin_object_bytes(bytes);
    if (actual.size == size && memcmp(actual.data, expected, size) == 0) {
        return true;
    }
    for (int i = 0; i < 2; i++) {
        const unsigned char *data = i == 0 ? actual.data : expected;
        fprintf(stderr, i == 0 ? "actual  " : "expected");
        for (size_t at = 0; at < (i == 0 ? actual.size : size) && at < 200; at++) {
            fprintf(stderr, " %02x", data[at]);
        }
        fprintf(stderr, "\n");
    }
    return false;
}

/* Whether an object, which is freed, becomes these bytes. */
static inline bool is_pickled_as(uint32_t protocol, kin_object *object, const void *expected,
                                 size_t size)
{
    kin_object *bytes = NULL;
    int r = kin_pickle_encode(object, KIN_OPTIONS(kin_pickle_encode_options, .protocol = protocol),
                              &bytes);
    bool is_equal = r == 0 && holds(bytes, expected, size);
    CHECK_EQUAL(r, 0);
    kin_object_free(bytes);
    kin_object_free(object);
    return is_equal;
}

#endif
