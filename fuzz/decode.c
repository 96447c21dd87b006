/*
 * Any bytes as a pickle. Decoding ends with an object or a fault; an object can be printed, hashed,
 * compared and ended, and what is written of it is read as the same again.
 */
#include "fuzz.h"
#include "small.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/pickle.h>
#include <string.h>

static const kin_pickle_limits limits = {.size = sizeof limits,
                                         .memory_bytes_max = 16 << 20,
                                         .object_count_max = 200000,
                                         .opcode_count_max = 1000000,
                                         .time_ms_max = 5000};

/* An object as bytes; NULL: it cannot be, which is no fault of the bytes. */
static kin_object *encode(const kin_object *object, uint32_t protocol)
{
    const kin_pickle_encode_options options = {.size = sizeof options, .protocol = protocol};
    kin_object *bytes = NULL;
    int r = kin_pickle_encode(object, &options, &bytes);
    FUZZ_REQUIRE(r == 0 || r == -EOPNOTSUPP || r == KIN_ELIMIT);
    return bytes;
}

/* The object in bytes that were written here. */
static kin_object *read_back(const kin_object *bytes)
{
    const kin_pickle_decode_options options = {
        .size = sizeof options, .limits = {.depth_max = 1000000, .time_ms_max = UINT32_MAX}};
    kin_bytes written = kin_object_bytes(bytes);
    kin_object *object = NULL;
    kin_pickle_fault fault = {.reason = ""};
    int r = kin_pickle_decode(written.data, written.size, &options, &object, NULL, &fault);
    if (r < 0) {
        fprintf(stderr, "%d at %d: %s: %s\n", r, (int)fault.offset, fault.opcode, fault.reason);
    }
    FUZZ_REQUIRE(r == 0);
    return object;
}

static void check_same(const kin_object *first, const kin_object *second)
{
    kin_bytes a = kin_object_bytes(first);
    kin_bytes b = kin_object_bytes(second);
    FUZZ_REQUIRE(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
}

/* What is written is read, and then written in the same way. Protocol 2 writes names with dots as
 * calls, so there the second time is as the third. */
static void check_round(const kin_object *object, uint32_t protocol)
{
    kin_object *bytes = encode(object, protocol);
    if (bytes == NULL) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        kin_object *again = read_back(bytes);
        FUZZ_REQUIRE(protocol < 4 || kin_object_kind(again) == kin_object_kind(object));
        kin_object *bytes_again = encode(again, protocol);
        FUZZ_REQUIRE(bytes_again != NULL);
        if (protocol >= 4 || i == 1) {
            check_same(bytes, bytes_again);
        }
        kin_object_free(again);
        kin_object_free(bytes);
        bytes = bytes_again;
    }
    kin_object_free(bytes);
}

static void check_fault(const kin_pickle_fault *fault, int code, size_t size)
{
    FUZZ_REQUIRE(fault->code == code);
    FUZZ_REQUIRE(fault->offset <= size);
    FUZZ_REQUIRE(fault->opcode != NULL);
    FUZZ_REQUIRE(fault->reason != NULL && fault->reason[0] != '\0');
}

static void check_object(kin_object *object)
{
    char text[300];
    uint64_t hash;
    int r = 0;
    if (fuzz_is_small(object)) {
        r = kin_object_format(object, text, sizeof text);
        FUZZ_REQUIRE(r >= 0);
        size_t written = strlen(text);
        FUZZ_REQUIRE((size_t)r < sizeof text ? written == (size_t)r : written < sizeof text);
    }
    r = kin_object_hash(object, &hash);
    FUZZ_REQUIRE(r == 0 || r == -EINVAL || r == KIN_ELIMIT);
    r = kin_object_equal(object, object);
    FUZZ_REQUIRE(r == 1 || r == 0 || r == KIN_ELIMIT);
    check_round(object, 4);
    check_round(object, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const kin_pickle_decode_options options = {
        .size = sizeof options, .limits = limits, .is_prefix = true};
    kin_object *object = NULL;
    kin_pickle_fault fault = {.opcode = NULL};
    size_t used = 0;
    int r = kin_pickle_decode(data, size, &options, &object, &used, &fault);
    if (r < 0) {
        FUZZ_REQUIRE(object == NULL);
        check_fault(&fault, r, size);
        return 0;
    }
    FUZZ_REQUIRE(r == 0 && used > 0 && used <= size && data[used - 1] == '.');
    check_object(object);
    kin_object_free(object);
    return 0;
}
