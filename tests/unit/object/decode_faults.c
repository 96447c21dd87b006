/* What is refused: where, and why. */
#include "decoding.h"

#include <stdlib.h>

TEST(bytes_that_end_too_early)
{
    CHECK_FAILS("", -EBADMSG, 0, "", "the bytes end before STOP");
    CHECK_FAILS("N", -EBADMSG, 1, "", "the bytes end before STOP");
    CHECK_FAILS("K", -EBADMSG, 0, "BININT1", "the bytes end too early");
    CHECK_FAILS("NM\x01", -EBADMSG, 1, "BININT2", "the bytes end too early");
    CHECK_FAILS("J\x01\x01\x01", -EBADMSG, 0, "BININT", "the bytes end too early");
    CHECK_FAILS("G1234567", -EBADMSG, 0, "BINFLOAT", "the bytes end too early");
    CHECK_FAILS("\x8c\x03"
                "ab",
                -EBADMSG, 0, "SHORT_BINUNICODE", "the bytes end too early");
    CHECK_FAILS("X\x01\x00\x00", -EBADMSG, 0, "BINUNICODE", "the bytes end too early");
    CHECK_FAILS("X\xff\xff\xff\xff.", -EBADMSG, 0, "BINUNICODE", "the bytes end too early");
    CHECK_FAILS("\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", -EBADMSG, 0, "BINUNICODE8",
                "the bytes end too early");
    CHECK_FAILS("C\x02.", -EBADMSG, 0, "SHORT_BINBYTES", "the bytes end too early");
    CHECK_FAILS("B\xff\xff\xff\x7f.", -EBADMSG, 0, "BINBYTES", "the bytes end too early");
    CHECK_FAILS("\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", -EBADMSG, 0, "BINBYTES8",
                "the bytes end too early");
    CHECK_FAILS("\x96\xff\xff\xff\xff\xff\x00\x00\x00.", -EBADMSG, 0, "BYTEARRAY8",
                "the bytes end too early");
    CHECK_FAILS("T\x05\x00\x00\x00xy", -EBADMSG, 0, "BINSTRING", "the bytes end too early");
    CHECK_FAILS("U\x05xy", -EBADMSG, 0, "SHORT_BINSTRING", "the bytes end too early");
    CHECK_FAILS("\x8a\x05xy", -EBADMSG, 0, "LONG1", "the bytes end too early");
    CHECK_FAILS("\x8b\x05\x00\x00\x00xy", -EBADMSG, 0, "LONG4", "the bytes end too early");
    CHECK_FAILS("I12", -EBADMSG, 0, "INT", "the bytes end too early");
    CHECK_FAILS("S'x'", -EBADMSG, 0, "STRING", "the bytes end too early");
    CHECK_FAILS("cbuiltins\nint", -EBADMSG, 0, "GLOBAL", "the bytes end too early");
    CHECK_FAILS("Nq", -EBADMSG, 1, "BINPUT", "the bytes end too early");
    CHECK_FAILS("h", -EBADMSG, 0, "BINGET", "the bytes end too early");
    CHECK_FAILS("j\x01", -EBADMSG, 0, "LONG_BINGET", "the bytes end too early");
    CHECK_FAILS("\x80", -EBADMSG, 0, "PROTO", "the bytes end too early");
    CHECK_FAILS("\x95\x01", -EBADMSG, 0, "FRAME", "the bytes end too early");
}

TEST(what_is_no_pickle)
{
    CHECK_FAILS("\x01.", -EBADMSG, 0, "", "no opcode");
    CHECK_FAILS("N\xff", -EBADMSG, 1, "", "no opcode");
    CHECK_FAILS("\x80\x06N.", -EBADMSG, 0, "PROTO", "a protocol that is not known");
}

TEST(stop_wants_one_value_and_the_end)
{
    CHECK_FAILS(".", -EBADMSG, 0, "STOP", "a value is missing on the stack");
    CHECK_FAILS("NN.", -EBADMSG, 2, "STOP", "values are left on the stack");
    CHECK_FAILS("(.", -EBADMSG, 1, "STOP", "a value is missing on the stack");
    CHECK_FAILS("(N.", -EBADMSG, 2, "STOP", "values are left on the stack");
    CHECK_FAILS("N.N", -EBADMSG, 1, "STOP", "bytes behind STOP");
}

TEST(frames_neither_nest_nor_overlap)
{
    CHECK_FAILS("\x95\x03\x00\x00\x00\x00\x00\x00\x00N.", -EBADMSG, 0, "FRAME",
                "a frame longer than what is left");
    CHECK_FAILS("\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", -EBADMSG, 0, "FRAME",
                "a frame longer than what is left");
    CHECK_FAILS("\x95\x0b\x00\x00\x00\x00\x00\x00\x00"
                "\x95\x02\x00\x00\x00\x00\x00\x00\x00N.",
                -EBADMSG, 9, "FRAME", "a frame in a frame");
    CHECK_FAILS("\x95\x01\x00\x00\x00\x00\x00\x00\x00K\x05.", -EBADMSG, 9, "BININT1",
                "it goes beyond its frame");
    CHECK_FAILS("\x95\x03\x00\x00\x00\x00\x00\x00\x00\x8c\x04"
                "abcd.",
                -EBADMSG, 9, "SHORT_BINUNICODE", "it goes beyond its frame");
}

TEST(the_stack_does_not_underflow)
{
    CHECK_FAILS("0", -EBADMSG, 0, "POP", "a value is missing on the stack");
    CHECK_FAILS("2", -EBADMSG, 0, "DUP", "a value is missing on the stack");
    CHECK_FAILS("1", -EBADMSG, 0, "POP_MARK", "there is no MARK");
    CHECK_FAILS("Nt.", -EBADMSG, 1, "TUPLE", "there is no MARK");
    CHECK_FAILS("l.", -EBADMSG, 0, "LIST", "there is no MARK");
    CHECK_FAILS("d.", -EBADMSG, 0, "DICT", "there is no MARK");
    CHECK_FAILS("\x91.", -EBADMSG, 0, "FROZENSET", "there is no MARK");
    CHECK_FAILS("Na.", -EBADMSG, 1, "APPEND", "a value is missing on the stack");
    CHECK_FAILS("(e.", -EBADMSG, 1, "APPENDS", "a value is missing below the MARK");
    CHECK_FAILS("e.", -EBADMSG, 0, "APPENDS", "there is no MARK");
    CHECK_FAILS("(u.", -EBADMSG, 1, "SETITEMS", "a value is missing below the MARK");
    CHECK_FAILS("(\x90.", -EBADMSG, 1, "ADDITEMS", "a value is missing below the MARK");
    CHECK_FAILS("}Ns.", -EBADMSG, 2, "SETITEM", "a value is missing on the stack");
    CHECK_FAILS("\x85.", -EBADMSG, 0, "TUPLE1", "a value is missing on the stack");
    CHECK_FAILS("N\x86.", -EBADMSG, 1, "TUPLE2", "a value is missing on the stack");
    CHECK_FAILS("NN\x87.", -EBADMSG, 2, "TUPLE3", "a value is missing on the stack");
    CHECK_FAILS("q\x00.", -EBADMSG, 0, "BINPUT", "a value is missing on the stack");
    CHECK_FAILS("\x94.", -EBADMSG, 0, "MEMOIZE", "a value is missing on the stack");
    CHECK_FAILS("NR.", -EBADMSG, 1, "REDUCE", "a value is missing on the stack");
    CHECK_FAILS("Nb.", -EBADMSG, 1, "BUILD", "a value is missing on the stack");
    CHECK_FAILS("N\x81.", -EBADMSG, 1, "NEWOBJ", "a value is missing on the stack");
    CHECK_FAILS("NN\x92.", -EBADMSG, 2, "NEWOBJ_EX", "a value is missing on the stack");
    CHECK_FAILS("N\x93.", -EBADMSG, 1, "STACK_GLOBAL", "a value is missing on the stack");
    CHECK_FAILS("o.", -EBADMSG, 0, "OBJ", "there is no MARK");
    CHECK_FAILS("(o.", -EBADMSG, 1, "OBJ", "a value is missing above the MARK");
    CHECK_FAILS("ia\nb\n.", -EBADMSG, 0, "INST", "there is no MARK");
    CHECK_FAILS("\x98.", -EBADMSG, 0, "READONLY_BUFFER", "a value is missing on the stack");
}

TEST(a_mark_is_a_wall)
{
    CHECK_FAILS("](Na.", -EBADMSG, 3, "APPEND", "a value is missing on the stack");
    CHECK_FAILS("](2.", -EBADMSG, 2, "DUP", "a value is missing on the stack");
    CHECK_FAILS("N(\x85.", -EBADMSG, 2, "TUPLE1", "a value is missing on the stack");
    CHECK_FAILS("N(q\x00.", -EBADMSG, 2, "BINPUT", "a value is missing on the stack");
    CHECK_FAILS("N(\x94.", -EBADMSG, 2, "MEMOIZE", "a value is missing on the stack");
    CHECK_FAILS("]((e.", -EBADMSG, 3, "APPENDS", "a value is missing below the MARK");
    CHECK_FAILS("}(K\x01s.", -EBADMSG, 4, "SETITEM", "a value is missing on the stack");
}

TEST(containers_take_what_is_theirs)
{
    CHECK_FAILS("}Na.", -EBADMSG, 2, "APPEND", "what is appended to is no list");
    CHECK_FAILS("N(Ne.", -EBADMSG, 3, "APPENDS", "what is appended to is no list");
    CHECK_FAILS(")(Ne.", -EBADMSG, 3, "APPENDS", "what is appended to is no list");
    CHECK_FAILS("]NNs.", -EBADMSG, 3, "SETITEM", "what gets items is no dict");
    CHECK_FAILS("K\x01(NNu.", -EBADMSG, 5, "SETITEMS", "what gets items is no dict");
    CHECK_FAILS("](N\x90.", -EBADMSG, 3, "ADDITEMS", "what gets members is no set");
    CHECK_FAILS("(\x91(N\x90.", -EBADMSG, 4, "ADDITEMS", "what gets members is no set");
    CHECK_FAILS("}(Nu.", -EBADMSG, 3, "SETITEMS", "a key without a value");
    CHECK_FAILS("(Nd.", -EBADMSG, 2, "DICT", "a key without a value");
    CHECK_FAILS("]Nb.", -EBADMSG, 2, "BUILD", "a state for what has none");
    CHECK_FAILS("N\x98.", -EBADMSG, 1, "READONLY_BUFFER", "it is no buffer");
    CHECK_FAILS("\x97.", -EBADMSG, 0, "NEXT_BUFFER", "there is no buffer for it");
}

TEST(keys_cannot_change)
{
    CHECK_FAILS("}]Ns.", -EBADMSG, 3, "SETITEM", "it can be no key");
    CHECK_FAILS("}(}Nu.", -EBADMSG, 4, "SETITEMS", "it can be no key");
    CHECK_FAILS("}]\x85Ns.", -EBADMSG, 4, "SETITEM", "it can be no key");
    CHECK_FAILS("\x8f(\x8f\x90.", -EBADMSG, 3, "ADDITEMS", "it can be no key");
    CHECK_FAILS("(]\x91.", -EBADMSG, 2, "FROZENSET", "it can be no key");
    CHECK_FAILS("(]Nd.", -EBADMSG, 3, "DICT", "it can be no key");
    CHECK_FAILS("}\x96\x00\x00\x00\x00\x00\x00\x00\x00Ns.", -EBADMSG, 11, "SETITEM",
                "it can be no key");
}

TEST(the_memo_knows_what_was_put)
{
    CHECK_FAILS("h\x00.", -EBADMSG, 0, "BINGET", "nothing has this memo number");
    CHECK_FAILS("Nq\x02h\x01.", -EBADMSG, 3, "BINGET", "nothing has this memo number");
    CHECK_FAILS("Nq\x00j\xff\xff\xff\xff.", -EBADMSG, 3, "LONG_BINGET",
                "nothing has this memo number");
    CHECK_FAILS("g7\n.", -EBADMSG, 0, "GET", "nothing has this memo number");
    CHECK_FAILS("g99999999999999999999999999\n.", -EBADMSG, 0, "GET",
                "nothing has this memo number");
    CHECK_FAILS("g-1\n.", -EBADMSG, 0, "GET", "the memo number is none");
    CHECK_FAILS("Np\n.", -EBADMSG, 1, "PUT", "the memo number is none");
    CHECK_FAILS("Nr\x01\x04\x00\x00.", -EBADMSG, 1, "LONG_BINPUT",
                "a memo number far beyond the others");
    CHECK_FAILS("Np4294967296\n.", -EBADMSG, 1, "PUT", "a memo number far beyond the others");
}

TEST(numbers_that_are_none)
{
    CHECK_FAILS("Ix\n.", -EBADMSG, 0, "INT", "not an int");
    CHECK_FAILS("I\n.", -EBADMSG, 0, "INT", "not an int");
    CHECK_FAILS("I012\n.", -EBADMSG, 0, "INT", "not an int");
    CHECK_FAILS("L-00L\n.", -EBADMSG, 0, "LONG", "not an int");
    CHECK_FAILS("I1 \n.", -EBADMSG, 0, "INT", "not an int");
    CHECK_FAILS("L0x10L\n.", -EBADMSG, 0, "LONG", "not an int");
    CHECK_FAILS("LL\n.", -EBADMSG, 0, "LONG", "not an int");
    CHECK_FAILS("Fx\n.", -EBADMSG, 0, "FLOAT", "not a float");
    CHECK_FAILS("F\n.", -EBADMSG, 0, "FLOAT", "not a float");
    CHECK_FAILS("F0x1p3\n.", -EBADMSG, 0, "FLOAT", "not a float");
    CHECK_FAILS("F1.5.\n.", -EBADMSG, 0, "FLOAT", "not a float");
    CHECK_FAILS("F1e999\n.", -EBADMSG, 0, "FLOAT", "a float larger than any");
    CHECK_FAILS("\x8b\xff\xff\xff\xff.", -EBADMSG, 0, "LONG4", "the size of an int is negative");
}

TEST(text_that_is_none)
{
    CHECK_FAILS("\x8c\x01\x80.", -EBADMSG, 0, "SHORT_BINUNICODE", "text is not UTF-8");
    CHECK_FAILS("\x8c\x01\x80"
                "12345678901234567890.",
                -EBADMSG, 0, "SHORT_BINUNICODE", "text is not UTF-8");
    CHECK_FAILS("\x8c\x02\xc0\x80.", -EBADMSG, 0, "SHORT_BINUNICODE", "text is not UTF-8");
    CHECK_FAILS("X\x04\x00\x00\x00\xf4\x90\x80\x80.", -EBADMSG, 0, "BINUNICODE",
                "text is not UTF-8");
    CHECK_FAILS("U\x01\xe9.", -EBADMSG, 0, "SHORT_BINSTRING",
                "a str of Python 2 that is not ASCII");
    CHECK_FAILS("U\x02\xc3\xa9.", -EBADMSG, 0, "SHORT_BINSTRING",
                "a str of Python 2 that is not ASCII");
    CHECK_FAILS("T\xff\xff\xff\xff.", -EBADMSG, 0, "BINSTRING", "the size of a str is negative");
    CHECK_FAILS("Sabc\n.", -EBADMSG, 0, "STRING", "a str without quotes");
    CHECK_FAILS("S'\n.", -EBADMSG, 0, "STRING", "a str without quotes");
    CHECK_FAILS("S'\"\n.", -EBADMSG, 0, "STRING", "a str without quotes");
    CHECK_FAILS("S'\\xg0'\n.", -EBADMSG, 0, "STRING", "a wrong escape in a str");
    CHECK_FAILS("S'\\'\n.", -EBADMSG, 0, "STRING", "a wrong escape in a str");
    CHECK_FAILS("S'\\xff'\n.", -EBADMSG, 0, "STRING", "a str of Python 2 that is not ASCII");
    CHECK_FAILS("V\\u12\n.", -EBADMSG, 0, "UNICODE", "a wrong escape in a str");
    CHECK_FAILS("V\\U00110000\n.", -EBADMSG, 0, "UNICODE", "a wrong escape in a str");
}

TEST(names_that_are_none)
{
    CHECK_FAILS("ca\n.\n.", -EBADMSG, 0, "GLOBAL", "not the name of a class or function");
    CHECK_FAILS("ca\nb..c\n.", -EBADMSG, 0, "GLOBAL", "not the name of a class or function");
    CHECK_FAILS("ca.\nb\n.", -EBADMSG, 0, "GLOBAL", "not the name of a class or function");
    CHECK_FAILS("\x8c\x01x\x8c\x03x\nx\x93.", -EBADMSG, 8, "STACK_GLOBAL",
                "not the name of a class or function");
    CHECK_FAILS("c\n\n.", -EBADMSG, 0, "GLOBAL", "not the name of a class or function");
    CHECK_FAILS("ca\n\xff\n.", -EBADMSG, 0, "GLOBAL", "not the name of a class or function");
    CHECK_FAILS("NN\x93.", -EBADMSG, 2, "STACK_GLOBAL",
                "the name of a class or function is no str");
    CHECK_FAILS("\x8c\x01\x00\x8c\x01x\x93.", -EBADMSG, 6, "STACK_GLOBAL",
                "not the name of a class or function");
}

TEST(calls_that_are_none)
{
    CHECK_FAILS("N)R.", -EBADMSG, 2, "REDUCE", "what is called is no class or function");
    CHECK_FAILS("ca\nb\nNR.", -EBADMSG, 6, "REDUCE", "the arguments are no tuple");
    CHECK_FAILS("ca\nb\n]\x81.", -EBADMSG, 6, "NEWOBJ", "the arguments are no tuple");
    CHECK_FAILS("ca\nb\n)N\x92.", -EBADMSG, 7, "NEWOBJ_EX", "the keywords are no dict");
    CHECK_FAILS("(No.", -EBADMSG, 2, "OBJ", "what is called is no class or function");
}

TEST(what_only_the_writer_knows)
{
    CHECK_FAILS("Pid\n.", -EOPNOTSUPP, 0, "PERSID", "a persistent id: only its writer knows it");
    CHECK_FAILS("NQ.", -EOPNOTSUPP, 1, "BINPERSID", "a persistent id: only its writer knows it");
    CHECK_FAILS("\x82\x01.", -EOPNOTSUPP, 0, "EXT1", "an extension code: only its writer knows it");
    CHECK_FAILS("\x83\x01\x01.", -EOPNOTSUPP, 0, "EXT2",
                "an extension code: only its writer knows it");
    CHECK_FAILS("\x84\x01\x01\x01\x01.", -EOPNOTSUPP, 0, "EXT4",
                "an extension code: only its writer knows it");
}

TEST(a_fault_says_nothing_of_what_was_read)
{
    kin_pickle_fault fault;
    kin_object *object = NULL;
    CHECK_EQUAL(kin_pickle_decode("csecret\nname\nNR.", 15, NULL, &object, NULL, &fault), -EBADMSG);
    CHECK(strstr(fault.reason, "secret") == NULL);
    CHECK(object == NULL); /* outputs are as they were */
}

/* Each prefix of a pickle with everything in it, in memory that ends where it ends. */
TEST(every_prefix_fails_cleanly)
{
    static const char pickle[] =
        "\x80\x04\x95\x48\x00\x00\x00\x00\x00\x00\x00(}\x94(\x8c\x01x\x94K\x01\x8c\x01y\x94G?"
        "\xf8\x00"
        "\x00\x00\x00\x00\x00u]\x94(h\x01\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00"
        "C\x02\x00\xff\x94"
        "e\x8f\x94(K\x01\x90(K\x02\x91\x94\x8c\x01m\x94\x8c\x01n\x94\x93\x94)\x81\x94}\x94"
        "bt\x94.";
    size_t size = sizeof pickle - 1;
    for (size_t cut = 0; cut <= size; cut++) {
        char *exact = malloc(cut == 0 ? 1 : cut);
        kin_object *object = NULL;
        memcpy(exact, pickle, cut);
        int r = kin_pickle_decode(exact, cut, NULL, &object, NULL, NULL);
        CHECK_EQUAL(r, cut == size ? 0 : -EBADMSG);
        kin_object_free(object);
        free(exact);
    }
}
