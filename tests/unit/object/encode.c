/* What is written, byte by byte, for each kind of object and each protocol. */
#include "harness/test.h"

#include <kin/dict.h>
#include <kin/list.h>
#include <kin/pickle.h>
#include <kin/set.h>

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "unit/object/encode.h"

/* Whether an object, which is freed, becomes these bytes in protocol 4. */
#define CHECK_PICKLE(object, expected) CHECK_PICKLE_AS(4, object, expected)
#define CHECK_PICKLE_AS(protocol, object, expected) \
    CHECK(is_pickled_as(protocol, object, expected, sizeof(expected) - 1))

TEST(what_is_in_a_pointer_is_written_as_in_cpython)
{
    CHECK_PICKLE(kin_object_none(), "\x80\x04N.");
    CHECK_PICKLE(kin_object_from_bool(true), "\x80\x04\x88.");
    CHECK_PICKLE(kin_object_from_bool(false), "\x80\x04\x89.");
    CHECK_PICKLE(kin_object_from_int(0), "\x80\x04K\0.");
    CHECK_PICKLE(kin_object_from_int(255), "\x80\x04K\xff.");
    CHECK_PICKLE(kin_object_from_int(256), "\x80\x04M\0\x01.");
    CHECK_PICKLE(kin_object_from_int(65535), "\x80\x04M\xff\xff.");
    CHECK_PICKLE(kin_object_from_int(65536), "\x80\x04J\0\0\x01\0.");
    CHECK_PICKLE(kin_object_from_int(-1), "\x80\x04J\xff\xff\xff\xff.");
    CHECK_PICKLE(kin_object_from_int(INT32_MIN), "\x80\x04J\0\0\0\x80.");
    CHECK_PICKLE(kin_object_from_int(INT64_C(1) << 31), "\x80\x04\x8a\x05\0\0\0\x80\0.");
    CHECK_PICKLE(kin_object_from_int(-(INT64_C(1) << 31) - 1),
                 "\x80\x04\x8a\x05\xff\xff\xff\x7f\xff.");
    CHECK_PICKLE(kin_object_from_int(INT64_C(1) << 60), "\x80\x04\x8a\x08\0\0\0\0\0\0\0\x10.");
}

TEST(large_ints_are_written_with_their_bytes)
{
    unsigned char bytes[256] = {0};
    CHECK_PICKLE(kin_object_from_int(INT64_MAX),
                 "\x80\x04\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.");
    CHECK_PICKLE(kin_object_from_uint(UINT64_MAX),
                 "\x80\x04\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0.");
    bytes[255] = 1;
    unsigned char expected[300] = "\x80\x04\x8b\0\x01\0\0";
    memcpy(expected + 7, bytes, 256);
    expected[263] = '.';
    CHECK(is_pickled_as(4, kin_object_from_int_bytes(bytes, 256), expected, 264));
}

TEST(floats_and_complex_numbers_are_written)
{
    CHECK_PICKLE(kin_object_from_float(1.5), "\x80\x04G\x3f\xf8\0\0\0\0\0\0.");
    CHECK_PICKLE(kin_object_from_complex(1, -2),
                 "\x80\x04\x8c\x08"
                 "builtins\x8c\x07"
                 "complex\x93\x94G\x3f\xf0\0\0\0\0\0\0G\xc0\0\0\0\0\0\0\0\x86R.");
}

TEST(text_is_written_with_the_size_that_fits)
{
    char text[300];
    memset(text, 'x', sizeof text);
    text[299] = '\0';
    unsigned char expected[320] = "\x80\x04X\x2b\x01\0\0";
    memcpy(expected + 7, text, 299);
    expected[306] = '.';
    CHECK_PICKLE(kin_object_from_text(""), "\x80\x04\x8c\0.");
    CHECK_PICKLE(kin_object_from_text("abc"), "\x80\x04\x8c\x03"
                                              "abc.");
    CHECK_PICKLE_AS(2, kin_object_from_text("abc"), "\x80\x02X\x03\0\0\0abc.");
    CHECK(is_pickled_as(4, kin_object_from_text(text), expected, 307));
}

TEST(text_of_every_short_size_is_copied_as_a_whole)
{
    char text[64];
    unsigned char expected[80] = "\x80\x04\x8c";
    for (size_t size = 0; size < sizeof text; size++) {
        memset(text, 0, sizeof text);
        for (size_t i = 0; i < size; i++) {
            text[i] = (char)('A' + i % 57);
        }
        expected[3] = (unsigned char)size;
        memcpy(expected + 4, text, size);
        expected[4 + size] = '.';
        CHECK(is_pickled_as(4, kin_object_from_text(text), expected, size + 5));
    }
}

TEST(bytes_and_bytearrays_are_written_as_each_protocol_can)
{
    CHECK_PICKLE(kin_object_from_bytes("ab\xff", 3), "\x80\x04"
                                                     "C\x03"
                                                     "ab\xff.");
    CHECK_PICKLE_AS(2, kin_object_from_bytes("a\xff", 2),
                    "\x80\x02"
                    "c_codecs\nencode\nq\0X\x03\0\0\0a\xc3\xbfX\x06\0\0\0latin1\x86R.");
    CHECK_PICKLE_AS(2, kin_object_from_bytes("", 0),
                    "\x80\x02"
                    "c__builtin__\nbytes\nq\0)R.");
    CHECK_PICKLE_AS(5, kin_object_from_bytearray("ab", 2), "\x80\x05\x96\x02\0\0\0\0\0\0\0ab.");
    CHECK_PICKLE_AS(3, kin_object_from_bytearray("ab", 2),
                    "\x80\x03"
                    "cbuiltins\nbytearray\nq\0C\x02"
                    "ab\x85R.");
    CHECK_PICKLE_AS(3, kin_object_from_bytearray("", 0),
                    "\x80\x03"
                    "cbuiltins\nbytearray\nq\0)R.");
}

TEST(lists_and_tuples_are_written)
{
    CHECK_PICKLE(kin_list_create(), "\x80\x04].");
    CHECK_PICKLE(KIN_LIST(kin_object_from_int(1)), "\x80\x04]K\x01"
                                                   "a.");
    CHECK_PICKLE(KIN_LIST(kin_object_from_int(1), kin_object_none()), "\x80\x04](K\x01Ne.");
    CHECK_PICKLE(KIN_LIST(kin_list_create(), kin_object_from_text("x")), "\x80\x04](]\x8c\x01xe.");
    CHECK_PICKLE(kin_tuple_from(NULL, 0), "\x80\x04).");
    CHECK_PICKLE(KIN_TUPLE(kin_object_from_int(1)), "\x80\x04K\x01\x85.");
    CHECK_PICKLE(KIN_TUPLE(kin_list_create(), kin_object_from_int(1)), "\x80\x04]K\x01\x86.");
    CHECK_PICKLE(KIN_TUPLE(kin_object_from_int(1), kin_object_from_int(2), kin_object_from_int(3)),
                 "\x80\x04K\x01K\x02K\x03\x87.");
    CHECK_PICKLE(
        KIN_TUPLE(kin_object_none(), kin_object_none(), kin_object_none(), kin_object_none()),
        "\x80\x04(NNNNt.");
}

TEST(a_long_list_goes_in_batches)
{
    kin_object *list = kin_list_create();
    unsigned char expected[2048] = "\x80\x04](";
    size_t size = 4;
    for (int i = 0; i < 1001; i++) {
        kin_list_append(list, kin_object_none());
        expected[size++] = 'N';
        if (i == 999) {
            expected[size++] = 'e';
            expected[size++] = '(';
        }
    }
    expected[size++] = 'e';
    expected[size++] = '.';
    CHECK(is_pickled_as(4, list, expected, size));
}

TEST(dicts_are_written_in_order)
{
    kin_object *dict = kin_dict_create();
    CHECK_PICKLE(kin_dict_create(), "\x80\x04}.");
    kin_dict_set_text(dict, "b", kin_object_from_int(1));
    CHECK_PICKLE(kin_object_ref(dict), "\x80\x04}\x94\x8c\x01"
                                       "bK\x01s.");
    kin_dict_set_text(dict, "a", KIN_LIST(kin_object_none()));
    kin_dict_set_text(dict, "c", kin_object_none());
    CHECK_PICKLE(dict, "\x80\x04}(\x8c\x01"
                       "bK\x01\x8c\x01"
                       "a]Na\x8c\x01"
                       "cNu.");
}

TEST(what_was_removed_from_a_dict_is_not_written)
{
    kin_object *dict = kin_dict_create();
    kin_object *first = kin_object_from_int(1);
    for (int i = 1; i <= 3; i++) {
        kin_dict_set(dict, kin_object_from_int(i), kin_object_none());
    }
    kin_dict_remove(dict, first);
    CHECK_PICKLE(dict, "\x80\x04}(K\x02NK\x03Nu.");
}

TEST(sets_are_written_as_each_protocol_can)
{
    kin_object *set = kin_set_create();
    CHECK_PICKLE(kin_object_ref(set), "\x80\x04\x8f\x94.");
    kin_set_add(set, kin_object_from_int(1));
    CHECK_PICKLE_AS(3, kin_object_ref(set),
                    "\x80\x03"
                    "cbuiltins\nset\nq\0]K\x01"
                    "a\x85Rq\x01.");
    kin_set_add(set, kin_object_from_int(2));
    CHECK_PICKLE(set, "\x80\x04\x8f(K\x01K\x02\x90.");
    kin_object *frozen = NULL;
    kin_frozenset_from((kin_object *[]){kin_object_from_int(1)}, 1, &frozen);
    CHECK_PICKLE_AS(2, kin_object_ref(frozen),
                    "\x80\x02"
                    "c__builtin__\nfrozenset\nq\0]K\x01"
                    "a\x85Rq\x01.");
    CHECK_PICKLE(frozen, "\x80\x04(K\x01\x91.");
    kin_frozenset_from(NULL, 0, &frozen);
    CHECK_PICKLE(frozen, "\x80\x04(\x91.");
}

TEST(globals_have_the_names_of_their_python)
{
    CHECK_PICKLE(kin_object_from_global("shop", "Account.Kind"), "\x80\x04\x8c\x04"
                                                                 "shop\x8c\x0c"
                                                                 "Account.Kind\x93.");
    CHECK_PICKLE_AS(3, kin_object_from_global("urllib.parse", "quote"),
                    "\x80\x03"
                    "curllib.parse\nquote\n.");
    CHECK_PICKLE_AS(2, kin_object_from_global("urllib.parse", "quote"),
                    "\x80\x02"
                    "curllib\nquote\n.");
    CHECK_PICKLE_AS(2, kin_object_from_global("functools", "reduce"),
                    "\x80\x02"
                    "c__builtin__\nreduce\n.");
    CHECK_PICKLE_AS(3, kin_object_from_global("bank", "Account.Kind.Code"),
                    "\x80\x03"
                    "cbuiltins\ngetattr\nq\0h\0cbank\nAccount\nX\x04\0\0\0Kind\x86R"
                    "X\x04\0\0\0Code\x86R.");
}

TEST(a_name_that_a_line_cannot_hold_needs_protocol_4)
{
    kin_object *bytes = NULL;
    kin_object *global = kin_object_from_global("a\nb", "c");
    CHECK_EQUAL(
        kin_pickle_encode(global, KIN_OPTIONS(kin_pickle_encode_options, .protocol = 3), &bytes),
        -EOPNOTSUPP);
    CHECK_PICKLE(global, "\x80\x04\x8c\x03"
                         "a\nb\x8c\x01"
                         "c\x93.");
}

TEST(options_out_of_range_are_refused)
{
    kin_object *bytes = NULL;
    kin_object *list = kin_list_create();
    kin_pickle_encode_options options = {.size = sizeof options, .protocol = 6};
    CHECK_EQUAL(kin_pickle_encode(list, &options, &bytes), -EINVAL);
    options.protocol = 1;
    CHECK_EQUAL(kin_pickle_encode(list, &options, &bytes), -EINVAL);
    options.protocol = 4;
    options.buffer_bytes_min = 1;
    options.buffers = list;
    CHECK_EQUAL(kin_pickle_encode(list, &options, &bytes), -EINVAL);
    options.protocol = 5;
    options.buffers = NULL;
    CHECK_EQUAL(kin_pickle_encode(list, &options, &bytes), -EINVAL);
    options.size = 3;
    CHECK_EQUAL(kin_pickle_encode(list, &options, &bytes), -EINVAL);
    CHECK_EQUAL(kin_pickle_encode(list, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_pickle_encode(NULL, NULL, &bytes), -ENOMEM);
    CHECK(bytes == NULL);
    kin_object_free(list);
}

TEST(large_bytes_are_left_out_when_there_is_a_list_for_them)
{
    kin_object *bytes = NULL;
    kin_object *buffers = kin_list_create();
    kin_object *list = KIN_LIST(kin_object_from_bytes("0123", 4), kin_object_from_bytes("01", 2),
                                kin_object_from_bytearray("abcd", 4));
    kin_pickle_encode_options options = {
        .size = sizeof options, .protocol = 5, .buffer_bytes_min = 4, .buffers = buffers};
    REQUIRE(kin_pickle_encode(list, &options, &bytes) == 0);
    CHECK(holds(bytes,
                "\x80\x05](\x97\x98"
                "C\x02"
                "01\x97"
                "e.",
                13));
    CHECK_EQUAL(kin_object_count(buffers), 2);
    CHECK(kin_object_at(buffers, 0) == kin_object_at(list, 0));
    CHECK(kin_object_at(buffers, 1) == kin_object_at(list, 2));
    kin_object_free(bytes);
    kin_object_free(list);
    kin_object_free(buffers);
}

TEST(a_failure_takes_back_what_was_left_out)
{
    kin_object *bytes = NULL;
    kin_object *fd = NULL;
    kin_object *buffers = kin_list_create();
    REQUIRE(kin_object_from_fd(0, &fd) == 0);
    kin_object *list = KIN_LIST(kin_object_from_bytes("0123", 4), fd);
    kin_pickle_encode_options options = {
        .size = sizeof options, .protocol = 5, .buffer_bytes_min = 1, .buffers = buffers};
    CHECK_EQUAL(kin_pickle_encode(list, &options, &bytes), -EOPNOTSUPP);
    CHECK_EQUAL(kin_object_count(buffers), 0);
    kin_object_free(list);
    kin_object_free(buffers);
}

/* --- sizes and pieces --- */

TEST(a_blob_is_referred_to_and_copied_once)
{
    static char data[100000];
    struct kin__encoding encoding;
    memset(data, 'd', sizeof data);
    kin_object *blob = kin_object_from_bytes(data, sizeof data);
    kin_object *list = KIN_LIST(kin_object_from_int(1), blob, kin_object_from_int(2));
    REQUIRE(kin__pickle_encode(list, NULL, &encoding) == 0);
    CHECK_EQUAL(encoding.size, 100000 + 15);
    CHECK_EQUAL(kin__encoding_piece_count(&encoding), 3);
    CHECK(kin__encoding_piece(&encoding, 1).data == kin_object_bytes(blob).data);
    CHECK_EQUAL(kin__encoding_piece(&encoding, 0).size, 11);
    CHECK_EQUAL(kin__encoding_piece(&encoding, 2).size, 4);
    unsigned char *copy = malloc(encoding.size);
    kin__encoding_copy(&encoding, copy);
    CHECK(memcmp(copy,
                 "\x80\x04](K\x01"
                 "B\xa0\x86\x01\0ddd",
                 14) == 0);
    CHECK(memcmp(copy + encoding.size - 7,
                 "dddK\x02"
                 "e.",
                 7) == 0);
    free(copy);
    kin__encoding_deinit(&encoding);
    kin_object_free(list);
}

TEST_WITH(a_million_levels_need_no_recursion, .limit_seconds = 60)
{
    kin_object *bytes = NULL;
    kin_object *list = kin_list_create();
    for (int i = 0; i < 1000000; i++) {
        list = KIN_LIST(list);
    }
    REQUIRE(kin_pickle_encode(list, NULL, &bytes) == 0);
    CHECK_EQUAL(kin_object_bytes(bytes).size, 2 + 1000001 + 1000000 + 1);
    kin_object_free(bytes);
    kin_object_free(list);
}

#ifdef KIN_FAULTS

TEST(without_memory_nothing_is_left_of_an_encoding)
{
    kin_object *list = kin_list_create();
    for (int i = 0; i < 400; i++) {
        kin_object *inner = KIN_TUPLE(kin_object_from_int(i), kin_object_from_text("some text"));
        kin_list_append(list, kin_object_ref(inner));
        kin_list_append(list, inner);
    }
    for (int i = 0; i < 20; i++) {
        list = KIN_LIST(list);
    }
    int r = -ENOMEM;
    for (uint64_t n = 1; r == -ENOMEM; n++) {
        kin_object *bytes = NULL;
        kin__allocation_fail_at(n);
        r = kin_pickle_encode(list, NULL, &bytes);
        kin__allocation_fail_at(0);
        CHECK(r == 0 || (r == -ENOMEM && bytes == NULL));
        kin_object_free(bytes);
    }
    CHECK_EQUAL(r, 0);
    kin_object_free(list);
}

#endif
