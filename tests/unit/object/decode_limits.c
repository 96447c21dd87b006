/* What decoding may use; what happens without memory. */
#include "decoding.h"

#include <kin/list.h>
#include <stdlib.h>

#include "base/allocate.h"
#include "base/fault.h"

/* Checks how a pickle fails with one limit, a field of kin_pickle_limits. */
#define CHECK_LIMIT(bytes, field, value, offset, opcode, reason)                           \
    check_fails_with(TEST_HERE, (kin_bytes){PICKLE(bytes)},                                \
                     &(kin_pickle_decode_options){                                         \
                         .size = sizeof(kin_pickle_decode_options),                        \
                         .limits = {.size = sizeof(kin_pickle_limits), .field = (value)}}, \
                     &(kin_pickle_fault){(offset), (opcode), (reason), KIN_ELIMIT})

#define CHECK_WITHIN(bytes, field, value)                        \
    kin_object_free(                                             \
        decode_at(TEST_HERE, PICKLE(bytes),                      \
                  &(kin_pickle_decode_options){                  \
                      .size = sizeof(kin_pickle_decode_options), \
                      .limits = {.size = sizeof(kin_pickle_limits), .field = (value)}}))

/* A pickle of `count` times the same opcodes between others. */
static unsigned char *repeat(const char *before, const char *again, size_t count, const char *after,
                             size_t *ret_size)
{
    size_t sizes[3] = {strlen(before), strlen(again), strlen(after)};
    *ret_size = sizes[0] + sizes[1] * count + sizes[2];
    unsigned char *bytes = malloc(*ret_size);
    unsigned char *at = bytes;
    memcpy(at, before, sizes[0]);
    at += sizes[0];
    for (size_t i = 0; i < count; i++, at += sizes[1]) {
        memcpy(at, again, sizes[1]);
    }
    memcpy(at, after, sizes[2]);
    return bytes;
}

TEST(input_is_limited)
{
    CHECK_WITHIN("NN0.", input_bytes_max, 4);
    CHECK_LIMIT("NN00.", input_bytes_max, 4, 0, "NONE", "more bytes than the limit");
}

TEST(objects_are_limited)
{
    CHECK_WITHIN("](NNe.", object_count_max, 3);
    CHECK_LIMIT("](NNNe.", object_count_max, 3, 4, "NONE", "more objects than the limit");
    CHECK_LIMIT("NK\x01\x86.", object_count_max, 2, 3, "TUPLE2", "more objects than the limit");
    CHECK_LIMIT("\x8c\x01xN\x86.", object_count_max, 1, 3, "NONE", "more objects than the limit");
    CHECK_LIMIT("N\x8c\x01x\x86.", object_count_max, 1, 1, "SHORT_BINUNICODE",
                "more objects than the limit");
}

TEST(each_reference_counts_as_an_object)
{
    CHECK_LIMIT("]\x94h\x00h\x00h\x00.", object_count_max, 3, 6, "BINGET",
                "more objects than the limit");
    CHECK_LIMIT("]222.", object_count_max, 3, 3, "DUP", "more objects than the limit");
}

TEST(opcodes_are_limited)
{
    CHECK_WITHIN("NN0.", opcode_count_max, 4);
    CHECK_LIMIT("NN0.", opcode_count_max, 3, 3, "STOP", "more opcodes than the limit");
}

TEST(memory_is_limited_before_it_is_used)
{
    CHECK_WITHIN("\x8c\x04"
                 "abcd.",
                 memory_bytes_max, 100);
    CHECK_LIMIT("\x96\x10\x00\x00\x00\x00\x00\x00\x00"
                "abcdefghijklmnop.",
                memory_bytes_max, 40, 0, "BYTEARRAY8", "more memory than the limit");
    CHECK_LIMIT("](NNNNNNNNNNNNNNNNNNNNe.", memory_bytes_max, 200, 22, "APPENDS",
                "more memory than the limit");
    CHECK_LIMIT("}(K\x01NK\x02NK\x03NK\x04NK\x05Nu.", memory_bytes_max, 200, 17, "SETITEMS",
                "more memory than the limit");
    CHECK_LIMIT("L123456789012345678901234567890\n.", memory_bytes_max, 20, 0, "LONG",
                "more memory than the limit");
    CHECK_LIMIT("cverylongmodulename\nverylongname\n.", memory_bytes_max, 60, 0, "GLOBAL",
                "more memory than the limit");
    CHECK_LIMIT("ca\nb\n)R.", memory_bytes_max, 120, 6, "REDUCE", "more memory than the limit");
}

TEST(the_memo_is_limited)
{
    CHECK_WITHIN("N\x94\x94\x94.", memo_count_max, 3);
    CHECK_LIMIT("N\x94\x94\x94\x94.", memo_count_max, 3, 4, "MEMOIZE",
                "more memo entries than the limit");
    CHECK_LIMIT("Nq\x03.", memo_count_max, 3, 1, "BINPUT", "more memo entries than the limit");
}

TEST(depth_is_limited)
{
    CHECK_WITHIN("]]]aa.", depth_max, 3);
    CHECK_LIMIT("]]]]aaa.", depth_max, 3, 6, "APPEND", "deeper than the limit");
    CHECK_LIMIT(")\x85\x85\x85.", depth_max, 3, 3, "TUPLE1", "deeper than the limit");
    CHECK_LIMIT("}N}N}sN}ss.", depth_max, 2, 9, "SETITEM", "deeper than the limit");
    CHECK_LIMIT("((((\x91\x91\x91\x91.", depth_max, 3, 7, "FROZENSET", "deeper than the limit");
    CHECK_LIMIT("((((llll.", depth_max, 3, 7, "LIST", "deeper than the limit");
    CHECK_LIMIT("((((tttt.", depth_max, 3, 7, "TUPLE", "deeper than the limit");
    CHECK_LIMIT("ca\nb\n)))\x86\x86R.", depth_max, 3, 10, "REDUCE", "deeper than the limit");
    CHECK_LIMIT("ca\nb\n)R]]]aab.", depth_max, 3, 12, "BUILD", "deeper than the limit");
}

TEST(depth_is_limited_also_if_the_outer_ones_are_filled_first)
{
    CHECK_WITHIN("]q\x00]q\x01"
                 "ah\x01]q\x02"
                 "a0h\x02Na0.",
                 depth_max, 3);
    CHECK_LIMIT("]q\x00]q\x01"
                "ah\x01]q\x02"
                "a0h\x02]a0.",
                depth_max, 3, 19, "STOP", "deeper than the limit");
    CHECK_LIMIT("}q\x00N}q\x01sh\x01N(h\x01lsh\x01"
                "00.",
                depth_max, 2, 20, "STOP", "deeper than the limit");
}

TEST(circles_are_as_deep_as_they_are_long)
{
    CHECK_WITHIN("]q\x00]h\x00"
                 "aa.",
                 depth_max, 2);
    CHECK_WITHIN("ca\nb\n)\x81q\x00}Nh\x00sb.", depth_max, 2);
    CHECK_LIMIT("ca\nb\n)\x81q\x00}N(h\x00lsb.", depth_max, 2, 17, "STOP", "deeper than the limit");
}

/* A parent of many children, each of which leads back to it. */
TEST(many_short_circles_are_not_deep)
{
    size_t size;
    unsigned char *bytes = repeat("]q\x01(",
                                  "]h\x01"
                                  "a",
                                  5000, "e.", &size);
    kin_object_free(decode_at(TEST_HERE, bytes, size, NULL));
    free(bytes);
    bytes = repeat("]q\x01",
                   "]h\x01"
                   "aa",
                   5000, ".", &size);
    kin_object_free(decode_at(TEST_HERE, bytes, size, NULL));
    free(bytes);
}

TEST(bits_of_an_int_are_limited)
{
    CHECK_WITHIN("\x8a\x08\x01\x01\x01\x01\x01\x01\x01\x01.", integer_bits_max, 64);
    CHECK_LIMIT("\x8a\x0a\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01.", integer_bits_max, 64, 0,
                "LONG1", "an int of more bits than the limit");
    CHECK_LIMIT("\x8b\xff\xff\xff\x7f.", integer_bits_max, 64, 0, "LONG4",
                "an int of more bits than the limit");
    CHECK_LIMIT("I123456789012345678901234567890\n.", integer_bits_max, 64, 0, "INT",
                "an int of more bits than the limit");
}

TEST(names_are_limited)
{
    static char bytes[5000];
    memset(bytes, 'x', sizeof bytes);
    bytes[0] = 'c';
    bytes[4500] = '\n';
    check_fails(TEST_HERE, bytes, sizeof bytes,
                &(kin_pickle_fault){0, "GLOBAL", "a name longer than the limit", KIN_ELIMIT});
    bytes[2] = '\n';
    bytes[4990] = '\n';
    bytes[4500] = 'x';
    check_fails(TEST_HERE, bytes, sizeof bytes,
                &(kin_pickle_fault){0, "GLOBAL", "a name longer than the limit", KIN_ELIMIT});
}

TEST(time_is_limited)
{
    enum { COUNT = 30000000 };
    const kin_pickle_decode_options options = {.size = sizeof options,
                                               .limits = {.opcode_count_max = UINT64_MAX,
                                                          .object_count_max = UINT64_MAX,
                                                          .time_ms_max = 1}};
    size_t size;
    unsigned char *bytes = repeat("N", "N0", COUNT, ".", &size);
    kin_object *object;
    kin_pickle_fault fault;
    CHECK_EQUAL(kin_pickle_decode(bytes, size, &options, &object, NULL, &fault), KIN_ELIMIT);
    CHECK_STRING(fault.reason, "more time than the limit");
    free(bytes);
}

/* What goes down a level, the innermost value, what closes a level. */
struct shape {
    const char *down;
    const char *inner;
    char up;
};

static void check_levels(const char *place, struct shape shape)
{
    enum { DEPTH = 1000000 };
    const kin_pickle_decode_options options = {
        .size = sizeof options, .limits = {.depth_max = UINT32_MAX, .time_ms_max = UINT32_MAX}};
    size_t size;
    unsigned char *down = repeat("", shape.down, DEPTH, shape.inner, &size);
    unsigned char *bytes = realloc(down, size + DEPTH + 1);
    memset(bytes + size, shape.up, DEPTH);
    bytes[size + DEPTH] = '.';
    kin_object_free(decode_at(place, bytes, size + DEPTH + 1, &options));
    free(bytes);
}

TEST_WITH(a_million_lists_in_each_other_are_built_and_freed, .limit_seconds = 120)
{
    check_levels(TEST_HERE, (struct shape){"]", "N", 'a'});
    check_levels(TEST_HERE, (struct shape){"(", "N", 'l'});
}

TEST_WITH(a_million_tuples_in_each_other_are_built_and_freed, .limit_seconds = 120)
{
    check_levels(TEST_HERE, (struct shape){"", ")", '\x85'});
    check_levels(TEST_HERE, (struct shape){"(", "N", 't'});
}

TEST_WITH(a_million_dicts_and_sets_in_each_other_are_built_and_freed, .limit_seconds = 120)
{
    check_levels(TEST_HERE, (struct shape){"}N", "N", 's'});
    check_levels(TEST_HERE, (struct shape){"(", "N", '\x91'});
}

TEST_WITH(a_million_states_in_each_other_are_built_and_freed, .limit_seconds = 120)
{
    check_levels(TEST_HERE, (struct shape){"ca\nb\n)R", "N", 'b'});
}

#ifdef KIN_FAULTS
/* Without memory at any one place, decoding fails, and leaves nothing behind. */
static void fail_everywhere(const char *place, const char *pickle, size_t size)
{
    for (uint64_t n = 1;; n++) {
        kin_object *object = NULL;
        kin_pickle_fault fault = {.reason = "none"};
        kin__allocation_fail_at(n);
        int r = kin_pickle_decode(pickle, size, NULL, &object, NULL, &fault);
        kin__allocation_fail_at(0);
        if (r == 0) {
            kin_object_free(object);
            break;
        }
        test_check_equal(place, "code", r, -ENOMEM);
        test_check_string(place, "reason", fault.reason, "no memory");
        if (r != -ENOMEM) {
            break;
        }
    }
}

TEST(every_allocation_may_fail)
{
    static char long_text[6000] = "B\x60\x17\x00\x00";
    long_text[5989] = '.';
    fail_everywhere(TEST_HERE, long_text, 5990);
    fail_everywhere(TEST_HERE, PICKLE("](\x8c\x01x\x96\x03\x00\x00\x00\x00\x00\x00\x00"
                                      "abcNNNNNNNNNNNNNNe."));
    fail_everywhere(TEST_HERE,
                    PICKLE("}(K\x01NK\x02NK\x03NK\x04NK\x05NK\x06NK\x07NK\x08NK\x09NK\x0a"
                           "Nu."));
    fail_everywhere(TEST_HERE, PICKLE("(K\x01K\x02K\x03K\x04K\x05K\x06K\x07K\x08K\x09K\x0a\x91."));
    fail_everywhere(TEST_HERE, PICKLE("]q\x00"
                                      "0]q\x01"
                                      "0h\x00h\x01\x86."));
    fail_everywhere(TEST_HERE, PICKLE("I123456789012345678901234567890\n."));
    fail_everywhere(TEST_HERE, PICKLE("Vabc\\u20ac\n."));
    fail_everywhere(TEST_HERE, PICKLE("ca\nb\n)R(Ne(NNu(N\x90Nb."));
    fail_everywhere(TEST_HERE, PICKLE("ccollections\nOrderedDict\n)R(NNu."));
    fail_everywhere(TEST_HERE, PICKLE("cbuiltins\nset\n(lNa\x85R."));
    fail_everywhere(TEST_HERE, PICKLE("c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xa9X\x06\x00\x00\x00"
                                      "latin1\x86R."));
    fail_everywhere(TEST_HERE, PICKLE("ccopyreg\n__newobj__\n(ca\nb\nNtR."));
    fail_everywhere(TEST_HERE, PICKLE("ccollections\ndeque\nq\x00)R(Ne."));
}

TEST(every_growth_of_stack_and_memo_may_fail)
{
    size_t size;
    unsigned char *bytes = repeat("(", "N\x94", 700, "t.", &size);
    fail_everywhere(TEST_HERE, (char *)bytes, size);
    free(bytes);
    bytes = repeat("]", "]0", 200, ".", &size);
    fail_everywhere(TEST_HERE, (char *)bytes, size);
    free(bytes);
}
#endif

/* A large circle in the memo, 1, of which each opcode of `again` lets go; it is let go of 5000
 * times. */
static void check_circle_is_looked_at_once(const char *made, const char *again)
{
    char before[100100];
    int size = snprintf(before, sizeof before, "]q\x01(h\x01%0100000de0%s", 0, made);
    REQUIRE(size > 100000);
    memset(strchr(before, '0'), ']', 100000);
    size_t bytes;
    unsigned char *data = repeat(before, again, 5000, ".", &bytes);
    kin_object *object = NULL;
    CHECK_EQUAL(kin_pickle_decode(data, bytes, NULL, &object, NULL, NULL), 0);
    kin_object_free(object);
    free(data);
}

TEST(hooks_that_let_go_of_circles_take_no_time)
{
    check_circle_is_looked_at_once("ccollections\nOrderedDict\n)R", "Nh\x01s");
    check_circle_is_looked_at_once("ccollections\ndefaultdict\n)R", "Nh\x01s");
    check_circle_is_looked_at_once("ccollections\ndeque\n)R", "h\x01"
                                                              "a");
    check_circle_is_looked_at_once("ccollections\ndeque\n)R", "h\x01"
                                                              "b");
}

/* Keys that have one hash, for nothing in them can be hashed. */
static void check_keys_that_meet(const char *made)
{
    enum { KEYS = 100000, KEY_BYTES = 12 };
    size_t size;
    unsigned char *data = repeat(made, "h\x01]Jnnnna\x85RN", KEYS, "u.", &size);
    for (uint32_t i = 0; i < KEYS; i++) {
        memcpy(data + strlen(made) + (size_t)i * (KEY_BYTES) + 4, &i, sizeof i);
    }
    const kin_pickle_decode_options options = {
        .size = sizeof options, .limits = {.size = sizeof options.limits, .time_ms_max = 200}};
    kin_object *object = NULL;
    kin_pickle_fault fault = {.reason = NULL};
    CHECK_EQUAL(kin_pickle_decode(data, size, &options, &object, NULL, &fault), KIN_ELIMIT);
    CHECK(fault.reason != NULL && strstr(fault.reason, "time") != NULL); /* whoever looks first */
    kin_object_free(object);
    free(data);
}

TEST(keys_that_meet_take_no_more_than_the_time)
{
    check_keys_that_meet("ca\nK\nq\x01"
                         "0}(");
    check_keys_that_meet("ca\nK\nq\x01"
                         "0ccollections\nOrderedDict\n)R(");
}

TEST(what_hooks_take_is_charged)
{
    size_t size;
    unsigned char *data = repeat("carray\narray\nq\x01"
                                 "0\x8c\x01"
                                 "b](K\x01"
                                 "K\x01"
                                 "K\x01"
                                 "K\x01"
                                 "e\x86q\x02"
                                 "0](",
                                 "h\x01h\x02R", 10000, "e.", &size);
    const kin_pickle_decode_options options = {
        .size = sizeof options,
        .limits = {.size = sizeof options.limits, .memory_bytes_max = 1700000}};
    kin_object *object = NULL;
    CHECK_EQUAL(kin_pickle_decode(data, size, &options, &object, NULL, NULL), KIN_ELIMIT);
    kin_object_free(object);
    free(data);
}
