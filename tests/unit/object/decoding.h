/* Pickles in tests: what they decode to, or how they fail. */
#ifndef DECODING_H
#define DECODING_H

#include "harness/test.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/pickle.h>

/* A pickle, with its size: a literal. */
#define PICKLE(bytes) (bytes), sizeof(bytes) - 1

/* Decodes; the test ends if that fails. */
#define DECODE(bytes) decode_at(TEST_HERE, PICKLE(bytes), NULL)

/* Checks what Python's repr() of a pickle's value would be. */
#define CHECK_DECODES(bytes, text) check_decodes(TEST_HERE, PICKLE(bytes), (text))

/* Checks how a pickle fails. */
#define CHECK_FAILS(bytes, code, offset, opcode, reason) \
    check_fails(TEST_HERE, PICKLE(bytes), &(kin_pickle_fault){(offset), (opcode), (reason), (code)})

static inline kin_object *decode_at(const char *place, const void *data, size_t size,
                                    const kin_pickle_decode_options *options)
{
    kin_object *object = NULL;
    kin_pickle_fault fault = {.reason = "no fault"};
    int r = kin_pickle_decode(data, size, options, &object, NULL, &fault);
    if (r != 0) {
        test_fail(place, "%d at %d, %s: %s", r, (int)fault.offset, fault.opcode, fault.reason);
        test_fail_and_end(place, "it is decoded");
    }
    return object;
}

static inline void check_repr(const char *place, const kin_object *object, const char *text)
{
    char actual[4096];
    if (kin_object_format(object, actual, sizeof actual) < 0) {
        test_fail(place, "cannot be formatted");
        return;
    }
    test_check_string(place, "repr", actual, text);
}

static inline void check_decodes(const char *place, const void *data, size_t size, const char *text)
{
    kin_object *object = decode_at(place, data, size, NULL);
    check_repr(place, object, text);
    kin_object_free(object);
}

/* The same limits for all, but one, are wished for by `options`; NULL: the defaults. */
static inline void check_fails_with(const char *place, kin_bytes bytes,
                                    const kin_pickle_decode_options *options,
                                    const kin_pickle_fault *expected)
{
    kin_object *object = NULL;
    kin_pickle_fault fault = {.opcode = "none", .reason = "none"};
    int r = kin_pickle_decode(bytes.data, bytes.size, options, &object, NULL, &fault);
    test_check_equal(place, "code", r, expected->code);
    test_check_equal(place, "fault.code", fault.code, expected->code);
    test_check_equal(place, "offset", (long long)fault.offset, (long long)expected->offset);
    test_check_string(place, "opcode", fault.opcode, expected->opcode);
    test_check_string(place, "reason", fault.reason, expected->reason);
    if (r == 0) {
        kin_object_free(object);
    }
}

static inline void check_fails(const char *place, const void *data, size_t size,
                               const kin_pickle_fault *expected)
{
    check_fails_with(place, (kin_bytes){data, size}, NULL, expected);
}

#endif
