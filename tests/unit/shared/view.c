#include "harness/test.h"

#include "unit/children.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/list.h>
#include <kin/pickle.h>
#include <kin/shared_memory.h>

#include "base/fault.h"
#include "object/pickle.h"

static const struct kin__encode_options encode_options = {.takes_handles = true};
static const struct kin__decode_input decode_input = {.takes_handles = true};

static kin_shared_memory *create_memory(const char *text)
{
    kin_shared_memory *memory = NULL;
    REQUIRE(kin_shared_memory_create(NULL, strlen(text) + 1, NULL, &memory) == 0);
    strcpy(kin_shared_memory_data(memory), text);
    return memory;
}

static kin_object *create_view(const char *text)
{
    kin_shared_memory *memory = create_memory(text);
    kin_object *view = NULL;
    REQUIRE(kin_object_from_shared_memory(memory, &view) == 0);
    kin_shared_memory_free(memory);
    return view;
}

TEST(a_view_keeps_its_memory)
{
    begin();
    kin_object *view = create_view("shared");
    CHECK_EQUAL(kin_object_kind(view), KIN_KIND_BYTEARRAY);
    CHECK_STRING(kin_object_bytes(view).data, "shared");
    CHECK_EQUAL(kin_object_bytes(view).size, 7);
    CHECK_EQUAL(kin_bytearray_resize(view, 20), -EINVAL);
    kin_object_free(view);
    CHECK_EQUAL(kin_object_from_shared_memory(NULL, &view), -EINVAL);
}

TEST(within_the_family_its_handle_travels)
{
    begin();
    kin_object *message = KIN_LIST(create_view("the same bytes"));
    struct kin__encoding encoding;
    unsigned char bytes[256];
    REQUIRE(kin__pickle_encode(message, &encode_options, &encoding) == 0);
    CHECK_EQUAL(encoding.handle_count, 1);
    REQUIRE(encoding.size <= sizeof bytes);
    kin__encoding_copy(&encoding, bytes);

    kin_object *received = NULL;
    kin_bytes pickle = {bytes, encoding.size};
    REQUIRE(kin__pickle_decode(pickle, &decode_input, &received, NULL, NULL) == 0);
    kin_object *first = kin_object_at(message, 0);
    kin_object *second = kin_object_at(received, 0);
    CHECK(kin_bytearray_data(first) == kin_bytearray_data(second));
    memcpy(kin_bytearray_data(first), "THE", 3);
    CHECK_STRING(kin_object_bytes(second).data, "THE same bytes");

    kin_object_free(message);
    CHECK_STRING(kin_object_bytes(second).data, "THE same bytes");
    kin_object_free(received);
    CHECK_EQUAL(kin__pickle_decode(pickle, &decode_input, &received, NULL, NULL), -ESTALE);
    kin__encoding_deinit(&encoding);
}

TEST(elsewhere_it_is_a_copy)
{
    begin();
    kin_object *view = create_view("a copy");
    kin_object *pickle = NULL;
    kin_object *received = NULL;
    REQUIRE(kin_pickle_encode(view, NULL, &pickle) == 0);
    kin_bytes bytes = kin_object_bytes(pickle);
    REQUIRE(kin_pickle_decode(bytes.data, bytes.size, NULL, &received, NULL, NULL) == 0);
    CHECK_EQUAL(kin_object_equal(view, received), 1);
    CHECK(kin_bytearray_data(view) != kin_bytearray_data(received));
    kin_object_free(received);
    kin_object_free(pickle);
    kin_object_free(view);
}

TEST(it_can_go_beside_the_bytes_of_protocol_5)
{
    begin();
    kin_object *view = create_view("beside");
    kin_object *buffers = kin_list_create();
    kin_object *pickle = NULL;
    kin_object *received = NULL;
    kin_pickle_encode_options options = {
        .size = sizeof options, .protocol = 5, .buffer_bytes_min = 1, .buffers = buffers};
    REQUIRE(kin_pickle_encode(view, &options, &pickle) == 0);
    CHECK(kin_object_at(buffers, 0) == view);
    kin_bytes bytes = kin_object_bytes(pickle);
    kin_pickle_decode_options given = {.size = sizeof given, .buffers = buffers};
    REQUIRE(kin_pickle_decode(bytes.data, bytes.size, &given, &received, NULL, NULL) == 0);
    CHECK(kin_bytearray_data(received) == kin_bytearray_data(view));
    kin_object_free(received);
    kin_object_free(pickle);
    kin_object_free(buffers);
    kin_object_free(view);
}

#ifdef KIN_FAULTS

TEST(any_allocation_may_fail)
{
    begin();
    kin_shared_memory *memory = create_memory("x");
    kin_object *view = NULL;
    int r = -ENOMEM;
    for (uint64_t n = 1; r == -ENOMEM && n < 100; n++) {
        kin__allocation_fail_at(n);
        r = kin_object_from_shared_memory(memory, &view);
        kin__allocation_fail_at(0);
    }
    CHECK_EQUAL(r, 0);
    kin_object_free(view);
    kin_shared_memory_free(memory);
}

#endif
