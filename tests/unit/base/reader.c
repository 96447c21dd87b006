#include "harness/test.h"

#include <errno.h>

#include "base/buffer.h"
#include "base/reader.h"

TEST(what_a_buffer_wrote_is_read_back)
{
    struct kin__buffer buffer;
    kin__buffer_init(&buffer);
    REQUIRE(kin__buffer_append_u8(&buffer, 200) == 0);
    REQUIRE(kin__buffer_append_u32(&buffer, UINT32_C(0xdeadbeef)) == 0);
    REQUIRE(kin__buffer_append(&buffer, "end", 3) == 0);

    struct kin__reader reader;
    kin__reader_init(&reader, buffer.data, buffer.size);
    CHECK_EQUAL(kin__reader_take_u8(&reader), 200);
    CHECK_EQUAL(kin__reader_take_u32(&reader), UINT32_C(0xdeadbeef));
    CHECK_EQUAL(kin__reader_finish(&reader), -EBADMSG);
    const unsigned char *end = kin__reader_take_bytes(&reader, 3);
    REQUIRE(end != NULL);
    CHECK_BYTES(end, "end", 3);
    CHECK_EQUAL(kin__reader_finish(&reader), 0);
    kin__buffer_deinit(&buffer);
}

TEST(a_number_that_is_cut_off_is_zero_and_ebadmsg)
{
    static const unsigned char bytes[] = {1, 2, 3};
    struct kin__reader reader;
    kin__reader_init(&reader, bytes, sizeof(bytes));
    CHECK_EQUAL(kin__reader_take_u32(&reader), 0);
    CHECK_EQUAL(kin__reader_finish(&reader), -EBADMSG);
}

TEST(after_a_failed_read_all_reads_fail)
{
    static const unsigned char bytes[] = {1, 2, 3};
    struct kin__reader reader;
    kin__reader_init(&reader, bytes, sizeof(bytes));
    CHECK(kin__reader_take_bytes(&reader, SIZE_MAX) == NULL);
    CHECK_EQUAL(kin__reader_take_u8(&reader), 0);
    CHECK_EQUAL(kin__reader_take_u32(&reader), 0);
    CHECK(kin__reader_take_bytes(&reader, 0) == NULL);
    CHECK_EQUAL(kin__reader_finish(&reader), -EBADMSG);
}

TEST(a_reader_of_nothing_is_finished_at_once)
{
    struct kin__reader reader;
    kin__reader_init(&reader, NULL, 0);
    CHECK_EQUAL(kin__reader_finish(&reader), 0);
    CHECK(kin__reader_take_bytes(&reader, 0) == NULL);
}
