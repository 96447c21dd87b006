#include "harness/test.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/error_codec.h"
#include "base/fault.h"

static kin_error *make_tree(void)
{
    kin_error_options with_cause = {.size = sizeof(with_cause), .backtrace = "one\ntwo"};
    with_cause.cause = KIN_ERROR(INT_MIN, "deepest");
    kin_error *children[] = {KIN_ERROR_WITH(&with_cause, -ETIMEDOUT, "first"), NULL,
                             KIN_ERROR(KIN_EWORKER, "third")};
    kin_error_options all = {.size = sizeof(all), .children = children, .child_count = 3};
    all.cause = KIN_ERROR(-EPERM, "cause");
    return KIN_ERROR_WITH(&all, -EIO, "all");
}

static void check_same_text(const kin_error *actual, const kin_error *expected)
{
    char actual_text[2000];
    char expected_text[2000];
    kin_error_format(actual, actual_text, sizeof(actual_text));
    kin_error_format(expected, expected_text, sizeof(expected_text));
    CHECK_STRING(actual_text, expected_text);
}

TEST(a_tree_comes_back_as_it_was)
{
    kin_error *error = make_tree();
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    REQUIRE(kin__error_encode(error, &buffer) == 0);
    kin_error *decoded = NULL;
    REQUIRE(kin__error_decode(buffer.data, buffer.size, &decoded) == 0);
    check_same_text(decoded, error);
    CHECK_STRING(kin_error_file(decoded), __FILE__);
    CHECK_EQUAL(kin_error_child_count(decoded), 3);
    CHECK_STRING(kin_error_backtrace(kin_error_child(decoded, 0)), "one\ntwo");
    CHECK_EQUAL(kin_error_code(kin_error_cause(kin_error_child(decoded, 0))), INT_MIN);
    kin_error_free(decoded);
    kin_error_free(error);
    kin__buffer_deinit(&buffer);
}

TEST(a_missing_error_comes_back_as_out_of_memory)
{
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    REQUIRE(kin__error_encode(NULL, &buffer) == 0);
    kin_error *decoded = NULL;
    REQUIRE(kin__error_decode(buffer.data, buffer.size, &decoded) == 0);
    CHECK(decoded != NULL);
    check_same_text(decoded, NULL);
    kin_error_free(decoded);
    kin__buffer_deinit(&buffer);
}

TEST(a_deep_chain_comes_back_without_a_deep_stack)
{
    enum { DEPTH = 20000 };
    kin_error *error = NULL;
    for (int i = 0; i < DEPTH; i++) {
        kin_error_options options = {.size = sizeof(options), .cause = error};
        error = kin_error_create_at("f", i, "g", &options, -EIO, "x");
    }
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    REQUIRE(kin__error_encode(error, &buffer) == 0);
    kin_error *decoded = NULL;
    REQUIRE(kin__error_decode(buffer.data, buffer.size, &decoded) == 0);
    int depth = 0;
    for (const kin_error *cause = decoded; cause != NULL; cause = kin_error_cause(cause)) {
        depth++;
    }
    CHECK_EQUAL(depth, DEPTH);
    kin_error_free(decoded);
    kin_error_free(error);
    kin__buffer_deinit(&buffer);
}

/* Each level has the one below as both children: 2^40 errors, were they all written. */
static kin_error *make_lattice(void)
{
    kin_error *error = KIN_ERROR(-EIO, "bottom");
    for (int i = 0; i < 40; i++) {
        kin_error *children[] = {error, kin_error_ref(error)};
        kin_error_options options = {
            .size = sizeof(options), .children = children, .child_count = 2};
        error = KIN_ERROR_WITH(&options, -EIO, "level");
    }
    return error;
}

TEST(a_tree_that_is_too_large_is_emsgsize_and_leaves_the_buffer_alone)
{
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    REQUIRE(kin__buffer_append(&buffer, "before", 6) == 0);
    kin_error *lattice = make_lattice();
    kin_error *wordy = KIN_ERROR(-EIO, "%0*d", (int)KIN_ERROR_BYTES_MAX, 1);
    CHECK_EQUAL(kin__error_encode(lattice, &buffer), -EMSGSIZE);
    CHECK_EQUAL(kin__error_encode(wordy, &buffer), -EMSGSIZE);
    CHECK_EQUAL(buffer.size, 6);
    kin_error_free(wordy);
    kin_error_free(lattice);
    kin__buffer_deinit(&buffer);
}

/* Decodes a copy that ends where its memory ends, so that a sanitizer sees a step too far. */
static int decode_copy(const void *bytes, size_t size)
{
    unsigned char *copy = malloc(size + (size == 0));
    REQUIRE(copy != NULL);
    memcpy(copy, bytes, size);
    kin_error *error = NULL;
    int result = kin__error_decode(copy, size, &error);
    CHECK((result == 0) == (error != NULL));
    kin_error_free(error);
    free(copy);
    return result;
}

TEST(every_cut_and_every_changed_byte_is_refused_or_harmless)
{
    kin_error *error = make_tree();
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    REQUIRE(kin__error_encode(error, &buffer) == 0);
    kin_error_free(error);
    for (size_t size = 0; size < buffer.size; size++) {
        CHECK_EQUAL(decode_copy(buffer.data, size), -EBADMSG);
    }
    static const unsigned char changes[] = {0x01, 0x02, 0x80, 0xff};
    for (size_t i = 0; i < 4 * buffer.size; i++) {
        unsigned char change = changes[i % 4];
        buffer.data[i / 4] ^= change;
        int result = decode_copy(buffer.data, buffer.size);
        CHECK(result == 0 || result == -EBADMSG);
        buffer.data[i / 4] ^= change;
    }
    REQUIRE(kin__buffer_append_u8(&buffer, 0) == 0);
    CHECK_EQUAL(decode_copy(buffer.data, buffer.size), -EBADMSG);
    kin__buffer_deinit(&buffer);
}

/* One record with an empty place, as its fields come. */
struct sample {
    uint32_t magic, code, line, child_count;
    uint8_t flags;
    const char *message;
    uint32_t message_bytes;
};

static int decode_sample(const struct sample *sample, unsigned record_count)
{
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    int result = kin__buffer_append_u32(&buffer, sample->magic);
    for (unsigned i = 0; i < record_count; i++) {
        unsigned root = i + 1 == record_count ? 4 : 0;
        result |= kin__buffer_append_u32(&buffer, sample->code);
        result |= kin__buffer_append_u32(&buffer, sample->line);
        result |= kin__buffer_append_u32(&buffer, sample->child_count);
        result |= kin__buffer_append_u8(&buffer, (uint8_t)(sample->flags | root));
        result |= kin__buffer_append_u32(&buffer, sample->message_bytes);
        result |= kin__buffer_append(&buffer, sample->message, sample->message_bytes);
        for (int text = 0; text < 2; text++) {
            result |= kin__buffer_append_u32(&buffer, 1);
            result |= kin__buffer_append_u8(&buffer, 0);
        }
    }
    REQUIRE(result == 0);
    result = decode_copy(buffer.data, buffer.size);
    kin__buffer_deinit(&buffer);
    return result;
}

static const struct sample good = {
    .magic = UINT32_C(0x3165696b),
    .code = UINT32_C(0xfffffffb),
    .message = "no",
    .message_bytes = 3,
};

TEST(each_field_that_makes_no_sense_is_ebadmsg)
{
    CHECK_EQUAL(decode_sample(&good, 1), 0);
    struct sample bad[10];
    for (size_t i = 0; i < 10; i++) {
        bad[i] = good;
    }
    bad[0].magic++;
    bad[1].code = 0;
    bad[2].code = INT32_MAX;
    bad[3].line = UINT32_C(0x80000000);
    bad[4].child_count = 1;
    bad[5].child_count = UINT32_MAX;
    bad[6].flags = 1;
    bad[7].flags = 8;
    bad[8].message_bytes = 0;
    bad[9].message_bytes = 2;
    for (size_t i = 0; i < 10; i++) {
        CHECK_EQUAL(decode_sample(&bad[i], 1), -EBADMSG);
    }
    struct sample inner_nul = good;
    inner_nul.message = "n\0o";
    inner_nul.message_bytes = 4;
    CHECK_EQUAL(decode_sample(&inner_nul, 1), -EBADMSG);
}

TEST(bytes_hold_exactly_one_tree)
{
    CHECK_EQUAL(decode_sample(&good, 0), -EBADMSG);
    CHECK_EQUAL(decode_sample(&good, 2), -EBADMSG);
    CHECK_EQUAL(decode_copy("", 0), -EBADMSG);
}

TEST(more_bytes_than_the_limit_are_ebadmsg)
{
    void *bytes = calloc(1, KIN_ERROR_BYTES_MAX + 1);
    REQUIRE(bytes != NULL);
    kin_error *error = NULL;
    CHECK_EQUAL(kin__error_decode(bytes, KIN_ERROR_BYTES_MAX + 1, &error), -EBADMSG);
    CHECK(error == NULL);
    free(bytes);
}

#if defined(KIN_FAULTS) && KIN_FAULTS

TEST(encoding_without_memory_is_enomem_and_leaves_the_buffer_alone)
{
    kin_error *error = make_tree();
    uint64_t n = 0;
    int result;
    do {
        struct kin__buffer buffer;
        kin__buffer_init(&buffer);
        REQUIRE(kin__buffer_append(&buffer, "before", 6) == 0);
        kin__allocation_fail_at(++n);
        result = kin__error_encode(error, &buffer);
        kin__allocation_fail_at(0);
        CHECK(result == 0 || (result == -ENOMEM && buffer.size == 6));
        kin__buffer_deinit(&buffer);
    } while (result != 0);
    CHECK(n > 2);
    kin_error_free(error);
}

TEST(decoding_without_memory_is_enomem_and_leaves_nothing_behind)
{
    kin_error *error = make_tree();
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    REQUIRE(kin__error_encode(error, &buffer) == 0);
    kin_error *decoded = NULL;
    uint64_t n = 0;
    int result;
    do {
        kin__allocation_fail_at(++n);
        result = kin__error_decode(buffer.data, buffer.size, &decoded);
        kin__allocation_fail_at(0);
        CHECK(result == 0 || (result == -ENOMEM && decoded == NULL));
    } while (result != 0);
    CHECK(n > 6);
    check_same_text(decoded, error);
    kin_error_free(decoded);
    kin_error_free(error);
    kin__buffer_deinit(&buffer);
}

#endif
