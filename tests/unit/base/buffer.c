#include "harness/test.h"

#include <errno.h>
#include <stdint.h>

#include "base/allocate.h"
#include "base/buffer.h"
#include "base/fault.h"

TEST(a_new_buffer_is_empty_and_costs_nothing)
{
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    CHECK_EQUAL(buffer.size, 0);
    CHECK(buffer.data == NULL);
    kin__buffer_deinit(&buffer);
}

TEST(appended_bytes_stand_one_behind_the_other)
{
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    CHECK_EQUAL(kin__buffer_append(&buffer, "abc", 3), 0);
    CHECK_EQUAL(kin__buffer_append(&buffer, NULL, 0), 0);
    CHECK_EQUAL(kin__buffer_append_u8(&buffer, 'd'), 0);
    CHECK_EQUAL(kin__buffer_append(&buffer, "ef", 2), 0);
    CHECK_EQUAL(buffer.size, 6);
    CHECK_BYTES(buffer.data, "abcdef", 6);
    kin__buffer_deinit(&buffer);
    CHECK_EQUAL(buffer.size, 0);
    CHECK_EQUAL(buffer.capacity, 0);
}

TEST(numbers_are_appended_lowest_byte_first)
{
    static const unsigned char expected[] = {4, 3, 2, 1};
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    CHECK_EQUAL(kin__buffer_append_u32(&buffer, UINT32_C(0x01020304)), 0);
    CHECK_EQUAL(buffer.size, sizeof(expected));
    CHECK_BYTES(buffer.data, expected, sizeof(expected));
    kin__buffer_deinit(&buffer);
}

TEST(a_buffer_grows_without_losing_bytes)
{
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    for (uint32_t i = 0; i < 10000; i++) {
        REQUIRE(kin__buffer_append_u32(&buffer, i) == 0);
    }
    CHECK_EQUAL(buffer.size, 40000);
    for (uint32_t i = 0; i < 10000; i++) {
        REQUIRE(buffer.data[4 * i] == (i & 0xff) && buffer.data[4 * i + 1] == i >> 8);
    }
    kin__buffer_deinit(&buffer);
}

TEST(after_reserving_appending_moves_nothing)
{
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    REQUIRE(kin__buffer_reserve(&buffer, 1000) == 0);
    unsigned char *data = buffer.data;
    for (int i = 0; i < 1000; i++) {
        CHECK_EQUAL(kin__buffer_append_u8(&buffer, 1), 0);
    }
    CHECK(buffer.data == data);
    kin__buffer_deinit(&buffer);
}

TEST(reserving_more_than_memory_is_enomem)
{
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    REQUIRE(kin__buffer_append_u8(&buffer, 1) == 0);
    CHECK_EQUAL(kin__buffer_reserve(&buffer, SIZE_MAX), -ENOMEM);
    CHECK_EQUAL(buffer.size, 1);
    kin__buffer_deinit(&buffer);
}

#if defined(KIN_FAULTS) && KIN_FAULTS

static int append_all_kinds(struct kin__buffer *buffer)
{
    int result = kin__buffer_append(buffer, "abc", 3);
    for (int i = 0; result == 0 && i < 300; i++) {
        result = kin__buffer_append_u32(buffer, 1);
    }
    return result;
}

TEST(without_memory_appending_is_enomem_and_keeps_what_was_there)
{
    uint64_t n = 0;
    int result;
    do {
        struct kin__buffer buffer;
        kin__buffer_init(&buffer);
        kin__allocation_fail_at(++n);
        result = append_all_kinds(&buffer);
        kin__allocation_fail_at(0);
        CHECK(result == 0 || result == -ENOMEM);
        CHECK(buffer.size == 0 || memcmp(buffer.data, "abc", 3) == 0);
        kin__buffer_deinit(&buffer);
    } while (result != 0);
    CHECK(n > 3);
}

#endif
