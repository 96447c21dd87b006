/* What each opcode means. */
#include "decoding.h"

#include <kin/dict.h>
#include <kin/list.h>
#include <locale.h>
#include <stdlib.h>

TEST(none_and_bools)
{
    CHECK_DECODES("N.", "None");
    CHECK_DECODES("\x88.", "True");
    CHECK_DECODES("\x89.", "False");
    CHECK_DECODES("I01\n.", "True");
    CHECK_DECODES("I00\n.", "False");
    CHECK_DECODES("I-0\n.", "False");
    CHECK_DECODES("I-1\n.", "-1");
}

TEST(ints_of_all_sizes)
{
    CHECK_DECODES("K\xff.", "255");
    CHECK_DECODES("M\x01\xff.", "65281");
    CHECK_DECODES("J\xff\xff\xff\xff.", "-1");
    CHECK_DECODES("J\x00\x00\x00\x80.", "-2147483648");
    CHECK_DECODES("I-42\n.", "-42");
    CHECK_DECODES("I0\n.", "0");
    CHECK_DECODES("I1\n.", "1");
    CHECK_DECODES("L123456789012345678901234567890L\n.", "123456789012345678901234567890");
    CHECK_DECODES("L-7\n.", "-7");
    CHECK_DECODES("\x8a\x00.", "0");
    CHECK_DECODES("\x8a\x02\xff\x00.", "255");
    CHECK_DECODES("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00.", "9223372036854775808");
    CHECK_DECODES("\x8b\x05\x00\x00\x00\x00\x00\x00\x00\x80.", "-549755813888");
    CHECK_DECODES("\x8b\x00\x00\x00\x00.", "0");
}

TEST(floats)
{
    CHECK_DECODES("G\x3f\xf8\x00\x00\x00\x00\x00\x00.", "1.5");
    CHECK_DECODES("F-2.5e3\n.", "-2500.0");
    CHECK_DECODES("Finf\n.", "inf");
    CHECK_DECODES("F-inf\n.", "-inf");
    CHECK_DECODES("Fnan\n.", "nan");
    CHECK_DECODES("F7\n.", "7.0");
}

TEST(floats_do_not_depend_on_the_locale)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8"};
    for (size_t i = 0; i < 3; i++) { /* where there is one */
        setlocale(LC_NUMERIC, names[i]);
        CHECK_DECODES("F0.5\n.", "0.5");
    }
}

TEST(text)
{
    CHECK_DECODES("\x8c\x02hi.", "'hi'");
    CHECK_DECODES("X\x03\x00\x00\x00\xe2\x82\xac.", "'\xe2\x82\xac'");
    CHECK_DECODES("\x8d\x01\x00\x00\x00\x00\x00\x00\x00x.", "'x'");
    CHECK_DECODES("\x8c\x00.", "''");
    CHECK_DECODES("\x8c\x08"
                  "12345678N0.",
                  "'12345678'");
    CHECK_DECODES("Va\\u20ac\\\\u\xe9\\U0001f600\n.",
                  "'a\xe2\x82\xac\\\\\\\\u\xc3\xa9\xf0\x9f\x98\x80'");
}

TEST(lone_surrogates_are_text)
{
    kin_object *text = DECODE("\x8c\x03\xed\xa0\x80.");
    CHECK_EQUAL(kin_object_bytes(text).size, 3);
    CHECK_BYTES(kin_object_bytes(text).data, "\xed\xa0\x80", 3);
    kin_object_free(text);
    text = DECODE("V\\ud800\n.");
    CHECK_BYTES(kin_object_bytes(text).data, "\xed\xa0\x80", 3);
    kin_object_free(text);
}

TEST(text_of_python_2)
{
    CHECK_DECODES("S'it\\'s'\n.", "\"it's\"");
    CHECK_DECODES("S\"a\\x41\\101\\n\\q\"\n.", "'aAA\\n\\\\q'");
    CHECK_DECODES("U\x03"
                  "abc.",
                  "'abc'");
    CHECK_DECODES("T\x03\x00\x00\x00"
                  "abc.",
                  "'abc'");
}

TEST(text_of_every_size_comes_whole)
{
    static unsigned char bytes[800];
    for (size_t size = 0; size < 600; size++) {
        unsigned char *at = bytes;
        *at++ = 'X';
        *at++ = (unsigned char)(size & 0xff);
        *at++ = (unsigned char)(size >> 8);
        *at++ = 0;
        *at++ = 0;
        for (size_t i = 0; i < size; i++) {
            *at++ = (unsigned char)('a' + i % 26);
        }
        *at++ = '.';
        kin_object *text = decode_at(TEST_HERE, bytes, (size_t)(at - bytes), NULL);
        CHECK_EQUAL(kin_object_bytes(text).size, size);
        CHECK_BYTES(kin_object_bytes(text).data, bytes + 5, size);
        CHECK_EQUAL(kin_object_text(text)[size], '\0');
        kin_object_free(text);
    }
}

TEST(bytes_and_bytearrays)
{
    CHECK_DECODES("C\x02\x00\xff.", "b'\\x00\\xff'");
    CHECK_DECODES("B\x01\x00\x00\x00x.", "b'x'");
    CHECK_DECODES("\x8e\x01\x00\x00\x00\x00\x00\x00\x00x.", "b'x'");
    CHECK_DECODES("\x96\x02\x00\x00\x00\x00\x00\x00\x00xy.", "bytearray(b'xy')");
    CHECK_DECODES("\x96\x00\x00\x00\x00\x00\x00\x00\x00.", "bytearray(b'')");
}

TEST(lists)
{
    CHECK_DECODES("].", "[]");
    CHECK_DECODES("]Na.", "[None]");
    CHECK_DECODES("](NK\x01"
                  "e.",
                  "[None, 1]");
    CHECK_DECODES("](e.", "[]");
    CHECK_DECODES("(l.", "[]");
    CHECK_DECODES("(NI7\nl.", "[None, 7]");
    CHECK_DECODES("(lNa(NNe.", "[None, None, None]");
}

TEST(tuples)
{
    CHECK_DECODES(").", "()");
    CHECK_DECODES("(t.", "()");
    CHECK_DECODES("N\x85.", "(None,)");
    CHECK_DECODES("NN\x86.", "(None, None)");
    CHECK_DECODES("NN\x88\x87.", "(None, None, True)");
    CHECK_DECODES("(NNNNt.", "(None, None, None, None)");
}

TEST(dicts_keep_the_order_and_the_last_value)
{
    CHECK_DECODES("}.", "{}");
    CHECK_DECODES("}NK\x01s.", "{None: 1}");
    CHECK_DECODES("}(K\x02NK\x01NK\x02\x88u.", "{2: True, 1: None}");
    CHECK_DECODES("(K\x01Nd.", "{1: None}");
    CHECK_DECODES("(d.", "{}");
    CHECK_DECODES("}(u.", "{}");
    CHECK_DECODES("}(K\x01N\x88\x89u.", "{1: False}");
}

#define TWO_PAIRS "}(Va\n\x94K\x01Vb\n\x94K\x02u"

TEST(dicts_with_the_keys_of_an_earlier_one)
{
    CHECK_DECODES("\x80\x04(" TWO_PAIRS "}(h\0K\x03h\x01K\x04ut.",
                  "({'a': 1, 'b': 2}, {'a': 3, 'b': 4})");
    CHECK_DECODES("\x80\x04(" TWO_PAIRS "}(h\x01K\x03h\0K\x04ut.",
                  "({'a': 1, 'b': 2}, {'b': 3, 'a': 4})");
    CHECK_DECODES("\x80\x04(" TWO_PAIRS "}(h\0K\x03h\0K\x04ut.", "({'a': 1, 'b': 2}, {'a': 4})");
    CHECK_DECODES("\x80\x04(" TWO_PAIRS "}(h\0K\x03h\0K\x04u}(h\0K\x05h\0K\x06ut.",
                  "({'a': 1, 'b': 2}, {'a': 4}, {'a': 6})");
    CHECK_DECODES("\x80\x04(" TWO_PAIRS "}K\x07Ns(h\0K\x03h\x01K\x04ut.",
                  "({'a': 1, 'b': 2}, {7: None, 'a': 3, 'b': 4})");
    CHECK_DECODES("\x80\x04(" TWO_PAIRS "(h\0K\x03h\x01K\x04u}(h\0K\x05h\x01K\x06ut.",
                  "({'a': 3, 'b': 4}, {'a': 5, 'b': 6})");
    CHECK_DECODES("\x80\x04(" TWO_PAIRS "}\x94(h\0h\x02h\x01K\x04ut.",
                  "({'a': 1, 'b': 2}, {'a': {...}, 'b': 4})");
}

TEST(keys_of_a_new_dict_are_compared)
{
    CHECK_DECODES("}(X\x02\0\0\0abNX\x02\0\0\0acK\x01u.", "{'ab': None, 'ac': 1}");
    CHECK_DECODES("}(X\x02\0\0\0abNX\x02\0\0\0abK\x01u.", "{'ab': 1}");
    CHECK_DECODES("}(X\0\0\0\0NX\0\0\0\0K\x01K\0K\x02u.", "{'': 1, 0: 2}");
    CHECK_DECODES("}(K\x01NK\x02NK\x01K\x03u.", "{1: 3, 2: None}");
    CHECK_DECODES("}(K\x01N\x88K\x02u.", "{1: 2}");
    CHECK_DECODES("}(X\x01\0\0\0aNK\x01NG?\xf0\0\0\0\0\0\0K\x02u.", "{'a': None, 1: 2}");
}

TEST(what_is_new_may_lead_to_itself)
{
    CHECK_DECODES("]q\0(h\0Ne.", "[[...], None]");
    CHECK_DECODES("]q\0h\0a.", "[[...]]");
    CHECK_DECODES("}q\0(K\x01h\0u.", "{1: {...}}");
    CHECK_DECODES("}q\0K\x01](h\0h\0es.", "{1: [{...}, {...}]}");
    CHECK_DECODES("]q\0}q\1(K\x01h\0K\x02h\1ua.", "[{1: [...], 2: {...}}]");
}

TEST(sets)
{
    CHECK_DECODES("\x8f.", "set()");
    CHECK_DECODES("\x8f(K\x01K\x01K\x02\x90.", "{1, 2}");
    CHECK_DECODES("(K\x01\x91.", "frozenset({1})");
    CHECK_DECODES("(\x91.", "frozenset()");
    CHECK_DECODES("\x8f((K\x01\x91\x90.", "{frozenset({1})}");
}

TEST(the_stack)
{
    CHECK_DECODES("NK\x01"
                  "0.",
                  "None");
    CHECK_DECODES("N(0.", "None");
    CHECK_DECODES("N(NNN1.", "None");
    CHECK_DECODES("K\x05"
                  "2\x86.",
                  "(5, 5)");
    CHECK_DECODES("((((NtttNt.", "((((None,),),), None)");
}

TEST(the_memo)
{
    CHECK_DECODES("K\x05q\x00"
                  "0h\x00.",
                  "5");
    CHECK_DECODES("K\x05r\x02\x00\x00\x00"
                  "0j\x02\x00\x00\x00.",
                  "5");
    CHECK_DECODES("I5\np3\n0g3\n.", "5");
    CHECK_DECODES("\x8c\x01x\x94h\x00\x86.", "('x', 'x')");
    CHECK_DECODES("Nq\x05\x88\x94h\x01\x87.", "(None, True, True)"); /* counts, not places */
    CHECK_DECODES("Nq\x00\x88q\x00h\x00\x87.", "(None, True, True)");
}

TEST(what_the_memo_names_lives_on)
{
    /* popped, replaced in a dict, left over as a key that was there: all named again */
    CHECK_DECODES("]q\x00"
                  "0h\x00.",
                  "[]");
    CHECK_DECODES("}K\x01]q\x00sK\x01Nsh\x00\x86.", "({1: None}, [])");
    CHECK_DECODES("}\x8c\x01xNs\x8c\x01xq\x00Nsh\x00\x86.", "({'x': None}, 'x')");
    CHECK_DECODES("\x8f(\x8c\x01x\x8c\x01xq\x00\x90h\x00\x86.", "({'x'}, 'x')");
}

TEST(shared_references_stay_shared)
{
    kin_object *tuple = DECODE("]\x94h\x00\x86.");
    CHECK(kin_object_at(tuple, 0) == kin_object_at(tuple, 1));
    REQUIRE(kin_list_append(kin_object_at(tuple, 0), kin_object_none()) == 0);
    check_repr(TEST_HERE, tuple, "([None], [None])");
    kin_object_free(tuple);
}

TEST(frames)
{
    CHECK_DECODES("\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", "None");
    CHECK_DECODES("\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00N.", "None");
    CHECK_DECODES("\x95\x01\x00\x00\x00\x00\x00\x00\x00N\x95\x02\x00\x00\x00\x00\x00\x00\x00\x85.",
                  "(None,)");
    CHECK_DECODES("\x95\x00\x00\x00\x00\x00\x00\x00\x00N.", "None");
}

TEST(a_prefix_says_where_it_ends)
{
    const kin_pickle_decode_options options = {.size = sizeof options, .is_prefix = true};
    kin_object *object = NULL;
    size_t size = 0;
    REQUIRE(kin_pickle_decode("N.K", 3, &options, &object, &size, NULL) == 0);
    CHECK_EQUAL(size, 2);
    REQUIRE(kin_pickle_decode("N.", 2, NULL, &object, &size, NULL) == 0);
    CHECK_EQUAL(size, 2);
}

TEST(what_has_no_bytes_is_no_buffer)
{
    kin_object *buffers = KIN_LIST(kin_list_create());
    const kin_pickle_decode_options options = {.size = sizeof options, .buffers = buffers};
    kin_object *object = NULL;
    CHECK_EQUAL(kin_pickle_decode("\x97K\x01"
                                  "a.",
                                  5, &options, &object, NULL, NULL),
                -EBADMSG);
    CHECK_EQUAL(kin_object_count(kin_object_at(buffers, 0)), 0);
    kin_object_free(buffers);
}

TEST(buffers_come_from_beside)
{
    kin_object *buffers = KIN_LIST(kin_object_from_bytes("ab", 2),
                                   kin_object_from_bytearray("c", 1),
                                   kin_object_from_bytearray("d", 1));
    const kin_pickle_decode_options options = {.size = sizeof options, .buffers = buffers};
    kin_object *object = decode_at(TEST_HERE, PICKLE("\x80\x05\x97\x98\x97\x97\x98\x87."),
                                   &options);
    check_repr(TEST_HERE, object, "(b'ab', bytearray(b'c'), b'd')");
    CHECK(kin_object_at(object, 0) == kin_object_at(buffers, 0));
    kin_object_free(object);

    object = decode_at(TEST_HERE, PICKLE("\x80\x05\x97q\x00h\x00h\x00\x87."), &options);
    check_repr(TEST_HERE, object, "(b'ab', b'ab', b'ab')");
    kin_object_free(buffers);
    kin_object_free(object);
}

TEST(options_are_checked)
{
    kin_object *object;
    kin_object *wrong = kin_object_from_text("x");
    const kin_pickle_decode_options no_size = {.size = 0};
    const kin_pickle_decode_options no_list = {.size = sizeof no_list, .buffers = wrong};
    const kin_pickle_decode_options old = {.size = sizeof old, .limits.size = 1};
    CHECK_EQUAL(kin_pickle_decode("N.", 2, &no_size, &object, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_pickle_decode("N.", 2, &no_list, &object, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_pickle_decode("N.", 2, &old, &object, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_pickle_decode("N.", 2, NULL, NULL, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_pickle_decode(NULL, 2, NULL, &object, NULL, NULL), -EINVAL);
    kin_object_free(wrong);
}
