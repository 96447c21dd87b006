/* What comes twice is written once; what leads back to itself ends. */
#include "unit/object/encode.h"

#include <errno.h>

#include <kin/dict.h>
#include <kin/list.h>
#include <kin/set.h>

#include "object/runtime.h"

#define CHECK_PICKLE_AS(protocol, object, expected) \
    CHECK(is_pickled_as(protocol, object, expected, sizeof(expected) - 1))
#define CHECK_PICKLE(object, expected) CHECK_PICKLE_AS(4, object, expected)

TEST(an_object_that_comes_twice_is_written_once)
{
    kin_object *text = kin_object_from_text("ab");
    kin_object *list = KIN_LIST(kin_object_ref(text), kin_object_none(), text);
    CHECK_PICKLE_AS(2, kin_object_ref(list),
                    "\x80\x02]q\0(X\x02\0\0\0abq\x01Nh\x01"
                    "e.");
    CHECK_PICKLE(KIN_TUPLE(kin_object_ref(list), list), "\x80\x04]\x94(\x8c\x02"
                                                        "ab\x94Nh\x01"
                                                        "eh\0\x86.");
}

static kin_object *twice(kin_object *object)
{
    return KIN_TUPLE(kin_object_ref(object), object);
}

TEST(every_kind_that_can_be_shared_is_noted)
{
    CHECK_PICKLE_AS(5, twice(kin_object_from_bytes("a", 1)),
                    "\x80\x05"
                    "C\x01"
                    "a\x94h\0\x86.");
    CHECK_PICKLE_AS(5, twice(kin_object_from_bytearray("b", 1)),
                    "\x80\x05\x96\x01\0\0\0\0\0\0\0b\x94h\0\x86.");
    CHECK_PICKLE_AS(5, twice(KIN_TUPLE(kin_object_none())), "\x80\x05N\x85\x94h\0\x86.");
    CHECK_PICKLE_AS(5, twice(kin_list_create()), "\x80\x05]\x94h\0\x86.");
    CHECK_PICKLE_AS(5, twice(kin_dict_create()), "\x80\x05}\x94h\0\x86.");
    CHECK_PICKLE_AS(5, twice(kin_set_create()), "\x80\x05\x8f\x94h\0\x86.");
    CHECK_PICKLE_AS(5, twice(kin_object_from_global("a", "b")),
                    "\x80\x05\x8c\x01"
                    "a\x8c\x01"
                    "b\x93\x94h\0\x86.");
    CHECK_PICKLE_AS(5, twice(kin_object_from_complex(0, 0)),
                    "\x80\x05\x8c\x08"
                    "builtins\x8c\x07"
                    "complex\x93\x94G\0\0\0\0\0\0\0\0G\0\0\0\0\0\0\0\0\x86R\x94h\x01\x86.");
}

TEST(more_than_255_shared_objects_have_long_indexes)
{
    kin_object *list = kin_list_create();
    kin_object *last = NULL;
    for (int i = 0; i < 300; i++) {
        last = kin_list_create();
        kin_list_append(list, kin_object_ref(last));
        kin_list_append(list, last);
    }
    kin_object *bytes = NULL;
    REQUIRE(kin_pickle_encode(list, KIN_OPTIONS(kin_pickle_encode_options, .protocol = 3),
                              &bytes) == 0);
    kin_bytes actual = kin_object_bytes(bytes);
    /* The list is not noted, so the last is number 299. */
    CHECK(memcmp((const char *)actual.data + actual.size - 13, "]r\x2b\x01\0\0j\x2b\x01\0\0e.",
                 13) == 0);
    kin_object_free(bytes);
    kin_object_free(list);
}

TEST(a_list_in_itself_is_fetched)
{
    kin_object *list = kin_list_create();
    kin_list_append(list, kin_object_ref(list));
    CHECK_PICKLE(list, "\x80\x04]\x94h\0"
                       "a.");
}

TEST(a_tuple_in_itself_is_written_inside_itself_and_thrown_away_outside)
{
    kin_object *list = kin_list_create();
    kin_object *tuple = KIN_TUPLE(kin_object_ref(list));
    kin_list_append(list, kin_object_ref(tuple));
    kin_object_free(list);
    CHECK_PICKLE(tuple, "\x80\x04]\x94h\0\x85\x94"
                        "a0h\x01.");
}

TEST(a_long_tuple_in_itself_is_thrown_away_to_its_mark)
{
    kin_object *list = kin_list_create();
    kin_object *tuple = KIN_TUPLE(kin_object_ref(list), kin_object_none(), kin_object_none(),
                                  kin_object_none());
    kin_list_append(list, kin_object_ref(tuple));
    kin_object_free(list);
    CHECK_PICKLE(tuple, "\x80\x04(]\x94(h\0NNNt\x94"
                        "aNNN1h\x01.");
}

TEST(a_dict_in_itself_is_fetched)
{
    kin_object *dict = kin_dict_create();
    kin_dict_set_text(dict, "me", kin_object_ref(dict));
    CHECK_PICKLE(dict, "\x80\x04}\x94\x8c\x02meh\0s.");
}

static int hold(kin_handle handle, void **ret_held)
{
    (void)handle;
    *ret_held = NULL;
    return 0;
}

TEST(handles_and_fds_go_beside_the_bytes_where_there_is_room)
{
    struct kin__encoding encoding;
    kin_object *handle = NULL;
    kin_object *fd = NULL;
    kin__handle_hooks.hold = hold;
    REQUIRE(kin_object_from_handle(
                (kin_handle){.index = 0x01020304, .family = 5, .counter = 0x0a0b0c0d0e0f},
                &handle) == 0);
    REQUIRE(kin_object_from_fd(0, &fd) == 0);
    kin_object *tuple = KIN_TUPLE(handle, fd, kin_object_ref(fd));
    CHECK_EQUAL(kin__pickle_encode(tuple, NULL, &encoding), -EOPNOTSUPP);
    struct kin__encode_options options = {.takes_handles = true};
    CHECK_EQUAL(kin__pickle_encode(tuple, &options, &encoding), -EOPNOTSUPP);
    options.takes_fds = true;
    REQUIRE(kin__pickle_encode(tuple, &options, &encoding) == 0);
    static const char expected[] =
        "\x80\x04\x8c\x03kin\x8c\x06Handle\x93\x94"
        "C\x10\x04\x03\x02\x01\x05\0\0\0\x0f\x0e\x0d\x0c\x0b\x0a\0\0\x85R"
        "\x8c\x03kin\x8c\x02"
        "Fd\x93\x94K\0\x85R\x94h\x02\x87.";
    CHECK_EQUAL(encoding.size, sizeof expected - 1);
    CHECK(memcmp(encoding.bytes, expected, sizeof expected - 1) == 0);
    CHECK_EQUAL(encoding.handle_count, 1);
    CHECK_EQUAL(encoding.handles[0].index, 0x01020304);
    CHECK_EQUAL(encoding.fd_count, 1);
    CHECK_EQUAL(encoding.fds[0], kin_object_fd(fd));
    kin__encoding_deinit(&encoding);
    kin_object_free(tuple);
}
