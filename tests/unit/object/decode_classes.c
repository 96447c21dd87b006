/* Classes, functions and calls in pickles: made, or kept as data; never called. */
#include "decoding.h"

#include <kin/class.h>
#include <kin/dict.h>
#include <kin/handle.h>
#include <kin/list.h>
#include <unistd.h>

#include "object/instance.h"
#include "object/pickle.h"

/* A class that counts what its hooks are asked, and lets go of states. */
static int constructed;
static int ended;

static int construct(kin_object *instance)
{
    constructed++;
    return kin_object_count(kin_instance_arguments(instance)) > 2
               ? -ERANGE
               : kin_instance_set_data(instance, &ended);
}

static int set_state(kin_object *instance, kin_object *state)
{
    return state == kin_object_none() ? -EDOM
                                      : kin_instance_set_state(instance, kin_object_ref(state));
}

static void end(void *data)
{
    ++*(int *)data;
}

static kin_class sample = {.module = "sample",
                           .name = "Sample",
                           .shape = KIN_SHAPE_LIST,
                           .construct = construct,
                           .setstate = set_state,
                           .free = end};
KIN_CLASS(sample)

TEST(globals_are_names)
{
    kin_object *object = DECODE("cos.path\njoin\n.");
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_GLOBAL);
    CHECK_STRING(kin_global_module(object), "os.path");
    CHECK_STRING(kin_global_name(object), "join");
    kin_object_free(object);
    object = DECODE("\x8c\x01m\x8c\x05"
                    "A.b.c\x93.");
    CHECK_STRING(kin_global_name(object), "A.b.c");
    kin_object_free(object);
}

TEST(python_2_names_are_those_of_python_3_below_protocol_3)
{
    static const struct {
        const char *pickle;
        const char *module;
        const char *name;
    } names[] = {{"c__builtin__\nxrange\n.", "builtins", "range"},
                 {"c__builtin__\nint\n.", "builtins", "int"},
                 {"ccopy_reg\nx\n.", "copyreg", "x"},
                 {"cexceptions\nValueError\n.", "builtins", "ValueError"},
                 {"cexceptions\nStandardError\n.", "builtins", "Exception"},
                 {"curllib2\nURLError\n.", "urllib.error", "URLError"},
                 {"\x80\x03"
                  "c__builtin__\nxrange\n.",
                  "__builtin__", "xrange"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        kin_object *object = decode_at(TEST_HERE, names[i].pickle, strlen(names[i].pickle), NULL);
        CHECK_STRING(kin_global_module(object), names[i].module);
        CHECK_STRING(kin_global_name(object), names[i].name);
        kin_object_free(object);
    }
}

TEST(calls_of_what_nobody_knows_are_kept)
{
    kin_object *object = DECODE("cos\nsystem\n(S'rm -rf /'\ntR.");
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_OPAQUE);
    CHECK_STRING(kin_global_name(kin_opaque_callable(object)), "system");
    check_repr(TEST_HERE, kin_instance_arguments(object), "('rm -rf /',)");
    kin_object_free(object);
}

static uint32_t made_by(const char *pickle, size_t size)
{
    kin_object *object = decode_at(TEST_HERE, pickle, size, NULL);
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_OPAQUE);
    uint32_t how = ((struct object_instance *)object)->made_by;
    kin_object_free(object);
    return how;
}

TEST(it_is_known_how_an_opaque_object_was_made)
{
    CHECK_EQUAL(made_by(PICKLE("ca\nB\n)R.")), MADE_BY_CALL);
    CHECK_EQUAL(made_by(PICKLE("ca\nB\n)\x81.")), MADE_BY_NEW);
    CHECK_EQUAL(made_by(PICKLE("ca\nB\n)}\x92.")), MADE_BY_NEW_WITH_KEYWORDS);
    CHECK_EQUAL(made_by(PICKLE("(ia\nB\n.")), MADE_BY_NEW);
    CHECK_EQUAL(made_by(PICKLE("(Nia\nB\n.")), MADE_BY_CALL);
    CHECK_EQUAL(made_by(PICKLE("(ca\nB\no.")), MADE_BY_NEW);
    CHECK_EQUAL(made_by(PICKLE("(ca\nB\nNo.")), MADE_BY_CALL);
    CHECK_EQUAL(made_by(PICKLE("ccopyreg\n__newobj__\n(ca\nB\nNtR.")), MADE_BY_NEW);
    CHECK_EQUAL(made_by(PICKLE("ccopy_reg\n__newobj_ex__\n(ca\nB\n)}tR.")),
                MADE_BY_NEW_WITH_KEYWORDS);
    CHECK_EQUAL(made_by(PICKLE("ccopy_reg\n_reconstructor\n(ca\nB\nc__builtin__\nobject\nNtR.")),
                MADE_BY_CALL);
}

TEST(what_is_done_to_an_opaque_object_is_kept_in_order)
{
    kin_object *object = DECODE("ca\nB\n)\x81(NNeNa(NNNNu(K\x01\x90}b.");
    struct object_instance *opaque = (struct object_instance *)object;
    REQUIRE(opaque->part_count == 4);
    CHECK_EQUAL(opaque->parts[0].kind, PART_ITEMS);
    check_repr(TEST_HERE, opaque->parts[0].object, "[None, None, None]");
    CHECK_EQUAL(opaque->parts[1].kind, PART_PAIRS);
    CHECK_EQUAL(opaque->parts[2].kind, PART_MEMBERS);
    CHECK_EQUAL(opaque->parts[3].kind, PART_STATE);
    check_repr(TEST_HERE, kin_instance_state(object), "{}");
    kin_object_free(object);
}

TEST(calls_whose_result_is_dropped_are_kept_with_what_they_changed)
{
    kin_object *object = DECODE("ca\nB\n)\x81q\x00"
                                "ca\nset_state\nh\x00}\x86R0.");
    struct object_instance *opaque = (struct object_instance *)object;
    REQUIRE(opaque->part_count == 1);
    CHECK_EQUAL(opaque->parts[0].kind, PART_EFFECT);
    kin_object_free(object); /* a circle */
}

TEST(registered_classes_are_made)
{
    kin_object *object = DECODE("csample\nSample\nq\x00(K\x01tRq\x01(K\x02K\x03"
                                "e}b.");
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_INSTANCE);
    CHECK(kin_instance_class(object) == &sample);
    CHECK_EQUAL(constructed, 1);
    check_repr(TEST_HERE, kin_instance_items(object), "[2, 3]");
    check_repr(TEST_HERE, kin_instance_state(object), "{}");
    kin_object_free(object);
    CHECK_EQUAL(ended, 1);
}

TEST(older_ways_to_make_an_instance_make_the_same)
{
    static const char *const pickles[] = {
        "csample\nSample\n)\x81.", "(isample\nSample\n.", "(csample\nSample\no.",
        "ccopy_reg\n_reconstructor\n(csample\nSample\nc__builtin__\nobject\nNtR.",
        "ccopyreg\n__newobj__\n(csample\nSample\ntR."};
    for (size_t i = 0; i < sizeof pickles / sizeof pickles[0]; i++) {
        kin_object *object = decode_at(TEST_HERE, pickles[i], strlen(pickles[i]), NULL);
        CHECK(kin_instance_class(object) == &sample);
        CHECK_EQUAL(kin_object_count(kin_instance_arguments(object)), 0);
        kin_object_free(object);
    }
}

TEST(what_a_hook_returns_is_passed_on)
{
    CHECK_FAILS("csample\nSample\n(NNNtR.", -ERANGE, 20, "REDUCE",
                "its class refuses these arguments");
    CHECK_FAILS("csample\nSample\n)RNb.", -EDOM, 18, "BUILD", "its class refuses this state");
    CHECK_FAILS("csample\nSample\n)R(NNu.", -EBADMSG, 20, "SETITEMS",
                "its class takes no such parts");
    CHECK_EQUAL(ended, 2); /* none of what the hooks began is left */
}

TEST(the_memo_survives_hooks_that_let_go)
{
    /* the first state is let go for the second, then named again */
    kin_object *object = DECODE("csample\nSample\n)R]q\x00"
                                "b}bh\x00\x86.");
    check_repr(TEST_HERE, kin_object_at(object, 1), "[]");
    kin_object_free(object);
    object = DECODE("]q\x00"
                    "0csample\nSample\n)R\x8c\x01xq\x01"
                    "b}bh\x00h\x01\x87.");
    check_repr(TEST_HERE, kin_object_at(object, 1), "[]");
    check_repr(TEST_HERE, kin_object_at(object, 2), "'x'");
    kin_object_free(object);
}

TEST(builtins_that_older_protocols_call)
{
    CHECK_DECODES("cbuiltins\nset\n(lNaNa\x85R.", "{None}");
    CHECK_DECODES("c__builtin__\nset\n((lNatR.", "{None}");
    CHECK_DECODES("cbuiltins\nfrozenset\n(lK\x01"
                  "aK\x02"
                  "a\x85R.",
                  "frozenset({1, 2})");
    CHECK_DECODES("cbuiltins\nset\n)R.", "set()");
    CHECK_DECODES("cbuiltins\nbytearray\nC\x02xy\x85R.", "bytearray(b'xy')");
    CHECK_DECODES("cbuiltins\nbytearray\nX\x03\x00\x00\x00x\xc3\xa9X\x07\x00\x00\x00latin-1\x86R.",
                  "bytearray(b'x\\xe9')");
    CHECK_DECODES("c_codecs\nencode\nX\x02\x00\x00\x00\xc3\xbfX\x06\x00\x00\x00latin1\x86R.",
                  "b'\\xff'");
    CHECK_DECODES("c__builtin__\nbytes\n)R.", "b''");
    CHECK_DECODES("cbuiltins\ncomplex\nG\x3f\xf0\x00\x00\x00\x00\x00\x00K\x02\x86R.", "(1+2j)");
    CHECK_DECODES("cbuiltins\nlist\n)R.", "[]");
    CHECK_DECODES("cbuiltins\ndict\n)R.", "{}");
    CHECK_DECODES("cbuiltins\ntuple\n)R.", "()");
}

TEST(builtins_with_other_arguments_are_kept)
{
    CHECK_EQUAL(made_by(PICKLE("cbuiltins\nset\nN\x85R.")), MADE_BY_CALL);
    CHECK_EQUAL(made_by(PICKLE("cbuiltins\nset\n)\x81.")), MADE_BY_NEW);
    CHECK_EQUAL(made_by(PICKLE("cbuiltins\ncomplex\nN\x85R.")), MADE_BY_CALL);
    CHECK_EQUAL(made_by(PICKLE("cbuiltins\nbytearray\nK\x05\x85R.")), MADE_BY_CALL);
    CHECK_EQUAL(made_by(PICKLE("c_codecs\nencode\nX\x03\x00\x00\x00\xe2\x82\xacX\x06\x00\x00\x00"
                               "latin1\x86R.")),
                MADE_BY_CALL);
    CHECK_FAILS("cbuiltins\nset\n(l(la\x85R.", -EBADMSG, 20, "REDUCE", "it can be no key");
}

TEST(handles_and_fds_mean_nothing_in_bytes_from_anywhere)
{
    CHECK_EQUAL(made_by(PICKLE("ckin\nFd\nK\x00\x85R.")), MADE_BY_CALL);
    CHECK_EQUAL(made_by(PICKLE("ckin\nHandle\nC\x10"
                               "0123456789abcdef\x85R.")),
                MADE_BY_CALL);
}

TEST(fds_come_where_they_are_expected)
{
    static const char pickle[] = "ckin\nFd\nK\x01\x85R.";
    int fds[2];
    REQUIRE(pipe(fds) == 0);
    struct kin__decode_input input = {.fds = fds, .fd_count = 2};
    kin_object *object = NULL;
    REQUIRE(kin__pickle_decode((kin_bytes){PICKLE(pickle)}, &input, &object, NULL, NULL) == 0);
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_FD);
    CHECK(kin_object_fd(object) != fds[1]);
    kin_object_free(object);
    input.fd_count = 1;
    kin_pickle_fault fault;
    CHECK_EQUAL(kin__pickle_decode((kin_bytes){PICKLE(pickle)}, &input, &object, NULL, &fault),
                -EBADMSG);
    CHECK_STRING(fault.reason, "not an fd that came with the bytes");
    close(fds[0]);
    close(fds[1]);
}
