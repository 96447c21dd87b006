/* Objects that lead back to themselves: built as CPython writes them, and ended without a leak. */
#include "decoding.h"

#include <kin/class.h>
#include <kin/dict.h>
#include <kin/list.h>

TEST(a_list_in_itself)
{
    CHECK_DECODES("]\x94h\x00"
                  "a.",
                  "[[...]]");
    kin_object *list = DECODE("]\x94h\x00"
                              "a.");
    CHECK(kin_object_at(list, 0) == list);
    kin_object_free(list);
}

TEST(a_dict_in_itself)
{
    CHECK_DECODES("}\x94K\x01h\x00s.", "{1: {...}}");
}

TEST(a_tuple_through_a_list)
{
    kin_object *tuple = DECODE("]q\x00h\x00\x85q\x01"
                               "a0h\x01.");
    CHECK(kin_object_at(kin_object_at(tuple, 0), 0) == tuple);
    kin_object_free(tuple);
}

TEST(a_set_through_an_opaque_object)
{
    kin_object *set = DECODE("\x8f\x94(ca\nB\n)\x81}\x94\x8c\x01xh\x00sb\x90.");
    CHECK_EQUAL(kin_object_count(set), 1);
    kin_object_free(set);
}

TEST(an_object_in_its_state)
{
    kin_object *object = DECODE("ca\nB\n)\x81q\x00}q\x01\x8c\x02meh\x00sb.");
    CHECK(kin_dict_get_text(kin_instance_state(object), "me") == object);
    kin_object_free(object);
}

TEST(an_object_in_its_arguments)
{
    kin_object *object = DECODE("]q\x00"
                                "ca\nB\nh\x00\x85Rq\x01"
                                "a0h\x01.");
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_OPAQUE);
    kin_object_free(object);
}

TEST(registered_instances_in_themselves)
{
    kin_object *object = DECODE("ccollections\ndeque\nq\x00)Rq\x01h\x01"
                                "a.");
    CHECK(kin_object_at(kin_instance_items(object), 0) == object);
    kin_object_free(object);
    object = DECODE("ccollections\nOrderedDict\nq\x00)Rq\x01K\x01h\x01s.");
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_INSTANCE);
    kin_object_free(object);
}

TEST(circles_that_are_dropped_end)
{
    CHECK_DECODES("]\x94h\x00"
                  "a0N.",
                  "None");
    CHECK_DECODES("]q\x00]q\x01h\x00"
                  "aa0N.",
                  "None");
    CHECK_DECODES("N(]q\x00h\x00"
                  "a]q\x01h\x01"
                  "a1.",
                  "None");
    CHECK_DECODES("}K\x01]q\x00h\x00"
                  "asK\x01Ns.",
                  "{1: None}");
}

TEST(circles_in_what_fails_end)
{
    CHECK_FAILS("]\x94h\x00"
                "a",
                -EBADMSG, 5, "", "the bytes end before STOP");
    CHECK_FAILS("]q\x00]q\x01h\x00"
                "aah\x05.",
                -EBADMSG, 10, "BINGET", "nothing has this memo number");
}

TEST(a_call_that_is_dropped_with_the_only_reference_to_its_argument)
{
    kin_object_free(DECODE("ca\nf\nca\nB\n)R\x85R0N."));
    kin_object_free(DECODE("ca\nf\nq\x00"
                           "ca\nB\n)R\x85q\x01R0h\x00h\x01R0N."));
}
