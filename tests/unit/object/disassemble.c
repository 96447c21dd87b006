/* Opcodes, as they are shown; and bytes that are none. */
#include "harness/test.h"

#include <kin/pickle.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

#define SAMPLE                                              \
    "\x80\x04\x95\x10\0\0\0\0\0\0\0(K\x01\x8a\x02\0\x80"    \
    "G\x3f\xe0\0\0\0\0\0\0\x8c\x02\xc3\xa9\x94\x43\x01\xff" \
    "I01\nI7\nL12L\nF0.5\nS'it'\nVa\\u00e9\\\n"             \
    "U\x01\xe9"                                             \
    "cos\nsystem\nl\x96\x02\0\0\0\0\0\0\0ab0."

static const char shown[] = "    0: \\x80 PROTO      4\n"
                            "    2: \\x95 FRAME      16\n"
                            "   11: (    MARK\n"
                            "   12: K        BININT1    1\n"
                            "   14: \\x8a     LONG1      -32768\n"
                            "   18: G        BINFLOAT   0.5\n"
                            "   27: \\x8c     SHORT_BINUNICODE 'é'\n"
                            "   31: \\x94     MEMOIZE    (as 0)\n"
                            "   32: C        SHORT_BINBYTES b'\\xff'\n"
                            "   35: I        INT        True\n"
                            "   39: I        INT        7\n"
                            "   42: L        LONG       12\n"
                            "   47: F        FLOAT      0.5\n"
                            "   52: S        STRING     'it'\n"
                            "   58: V        UNICODE    'aé\\\\'\n"
                            "   68: U        SHORT_BINSTRING 'é'\n"
                            "   71: c        GLOBAL     'os system'\n"
                            "   82: l        LIST       (MARK at 11)\n"
                            "   83: \\x96 BYTEARRAY8 bytearray(b'ab')\n"
                            "   94: 0    POP\n"
                            "   95: .    STOP\n"
                            "highest protocol among opcodes = 5\n";

/* What is written of bytes; to be freed. */
static char *disassemble(const void *data, size_t size, int expected, kin_pickle_fault *fault)
{
    char *text = NULL;
    size_t text_size = 0;
    size_t used = 0;
    FILE *stream = open_memstream(&text, &text_size);
    REQUIRE(stream != NULL);
    CHECK_EQUAL(kin_pickle_disassemble(data, size, stream, &used, fault), expected);
    CHECK(expected < 0 || used == size);
    fclose(stream);
    return text;
}

TEST(opcodes_are_shown_with_their_arguments)
{
    char *text = disassemble(SAMPLE, sizeof SAMPLE - 1, 0, NULL);
    CHECK_STRING(text, shown);
    free(text);
}

/* The first line that is shown of one opcode with its argument. */
static void is_shown_as(const char *opcode, const char *line)
{
    char *text = disassemble(opcode, strlen(opcode), 0, NULL);
    char *end = strchr(text, '\n');
    REQUIRE(end != NULL);
    *end = '\0';
    CHECK_STRING(text, line);
    free(text);
}

TEST(a_number_in_digits_ends_with_its_line)
{
    is_shown_as("F5e-324\n.", "    0: F    FLOAT      5e-324");
    char *text = disassemble("V12345678\n0F0.5\n0I12\n.", 22, 0, NULL);
    CHECK(strstr(text, "FLOAT      0.5\n") != NULL);
    CHECK(strstr(text, "INT        12\n") != NULL);
    free(text);
}

TEST(escapes_of_protocol_0_are_undone_as_in_decoding)
{
    is_shown_as("S'a\\n\\x41\\101\\\\'\n.", "    0: S    STRING     'a\\nAA\\\\'");
    is_shown_as("S\"it's\"\n.", "    0: S    STRING     \"it's\"");
    is_shown_as("V\\u0041\n.", "    0: V    UNICODE    'A'");
    is_shown_as("V\\\\u0041\n.", "    0: V    UNICODE    '\\\\\\\\u0041'");
    is_shown_as("V\\ud800\n.", "    0: V    UNICODE    '\\ud800'");
}

/* Says where and why it fails. */
static void fails_at(const char *data, size_t size, uint64_t offset, const char *opcode)
{
    kin_pickle_fault fault = {.offset = 0};
    char *text = disassemble(data, size, -EBADMSG, &fault);
    CHECK_EQUAL(fault.offset, offset);
    CHECK_STRING(fault.opcode, opcode);
    CHECK(fault.reason[0] != '\0');
    CHECK_EQUAL(fault.code, -EBADMSG);
    free(text);
}

TEST(what_is_no_pickle_is_refused_where_it_is_none)
{
    fails_at("", 0, 0, "");
    fails_at("N", 1, 1, "");
    fails_at("N\xff.", 3, 1, "");
    fails_at("K", 1, 0, "BININT1");
    fails_at("N\x8d\xff\xff\xff\xff\xff\xff\xff\xff", 10, 1, "BINUNICODE8");
    fails_at("Vno end", 7, 0, "UNICODE");
    fails_at("V\\u00g\n.", 8, 0, "UNICODE");
    fails_at("S'\\x4'\n.", 8, 0, "STRING");
    fails_at("cos\nno end", 10, 0, "GLOBAL");
    fails_at("Nt.", 3, 1, "TUPLE");
    fails_at("R.", 2, 0, "REDUCE");
    fails_at("(0t.", 4, 2, "TUPLE");
    fails_at("\x8c\x01\xff.", 4, 0, "SHORT_BINUNICODE");
    CHECK_EQUAL(kin_pickle_disassemble("N.", 2, NULL, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_pickle_disassemble(NULL, 2, stderr, NULL, NULL), -EINVAL);
}

TEST(of_long_arguments_the_beginning_is_shown)
{
    static char data[100006];
    memcpy(data, "X\xa0\x86\x01\0", 5);
    for (size_t i = 5; i < 100005; i += 2) { /* two bytes a character */
        memcpy(data + i, "\xc3\xa9", 2);
    }
    data[100005] = '.';
    char *text = disassemble(data, sizeof data, 0, NULL);
    CHECK(strlen(text) < 10000);
    CHECK(strstr(text, " ... of 100000 bytes\n") != NULL);
    free(text);
}

TEST(a_stream_that_takes_nothing_is_an_error)
{
    FILE *full = fopen("/dev/full", "w");
    REQUIRE(full != NULL);
    setvbuf(full, NULL, _IONBF, 0);
    CHECK_EQUAL(kin_pickle_disassemble("N.", 2, full, NULL, NULL), -EIO);
    fclose(full);
}

/* Bytes of a simple generator, most of them opcodes. */
TEST(no_bytes_do_harm)
{
    static const char opcodes[] = "(.012FGIJKLMNRSTUVXabcdeghijloqrstu)]}\n'\\\0\1\2";
    uint64_t state = 1;
    unsigned char data[200];
    FILE *nothing = fopen("/dev/null", "w");
    REQUIRE(nothing != NULL);
    for (int round = 0; round < 5000; round++) {
        for (size_t i = 0; i < sizeof data; i++) {
            state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
            data[i] = (unsigned char)opcodes[(state >> 50) % sizeof opcodes];
            data[i] = state >> 40 & 7 ? data[i] : (unsigned char)(0x80 + (state >> 33 & 31));
        }
        kin_pickle_fault fault;
        (void)kin_pickle_disassemble(data, sizeof data, nothing, NULL, &fault);
    }
    fclose(nothing);
}

#ifdef KIN_FAULTS
TEST(without_memory_disassembling_says_so)
{
    FILE *nothing = fopen("/dev/null", "w");
    REQUIRE(nothing != NULL);
    uint64_t n = 1;
    for (int r = -ENOMEM; r < 0 && n < 200; n++) {
        kin__allocation_fail_at(n);
        r = kin_pickle_disassemble(SAMPLE, sizeof SAMPLE - 1, nothing, NULL, NULL);
        kin__allocation_fail_at(0);
        CHECK_EQUAL(r < 0 ? r : -ENOMEM, -ENOMEM);
    }
    CHECK(n > 3 && n < 200);
    fclose(nothing);
}
#endif
