/*
 * Nested names, which Python takes apart before protocol 4.
 */
#include <kin/class.h>
#include <kin/list.h>
#include <kin/pickle.h>

#include "harness/test.h"

static kin_class nested = {.module = "bank", .name = "Counter.Kind"};
KIN_CLASS(nested)

static kin_object *decode(const char *pickle, size_t size)
{
    kin_object *object = NULL;
    REQUIRE(kin_pickle_decode(pickle, size, NULL, &object, NULL, NULL) == 0);
    return object;
}

#define DECODE(pickle) decode(pickle, sizeof(pickle) - 1)

#define KIND "cbank\nCounter\nX\x04\0\0\0Kind\x86R"

TEST(a_name_that_python_took_apart_is_one_global)
{
    kin_object *global = DECODE("\x80\x03"
                                "cbuiltins\ngetattr\n" KIND ".");
    CHECK_STRING(kin_global_module(global), "bank");
    CHECK_STRING(kin_global_name(global), "Counter.Kind");
    kin_object_free(global);
}

TEST(a_name_that_was_taken_apart_twice_is_one_global)
{
    kin_object *global = DECODE("\x80\x02"
                                "c__builtin__\ngetattr\nc__builtin__\ngetattr\n" KIND
                                "X\x04\0\0\0Last\x86R.");
    CHECK_STRING(kin_global_name(global), "Counter.Kind.Last");
    kin_object_free(global);
}

TEST(an_instance_of_a_nested_class_is_known_by_all_protocols)
{
    for (uint32_t protocol = 2; protocol <= 5; protocol++) {
        kin_object *instance = NULL, *pickle = NULL;
        REQUIRE(kin_instance_create(&nested, kin_tuple_from(NULL, 0), &instance) == 0);
        REQUIRE(kin_pickle_encode(instance,
                                  KIN_OPTIONS(kin_pickle_encode_options, .protocol = protocol),
                                  &pickle) == 0);
        kin_bytes bytes = kin_object_bytes(pickle);
        kin_object *back = decode(bytes.data, bytes.size);
        CHECK_EQUAL(kin_object_kind(back), KIN_KIND_INSTANCE);
        CHECK(kin_instance_class(back) == &nested);
        kin_object_free(back);
        kin_object_free(pickle);
        kin_object_free(instance);
    }
}

TEST(an_attribute_of_what_is_no_class_stays_opaque)
{
    kin_object *opaque = DECODE("\x80\x03"
                                "cbuiltins\ngetattr\n]X\x06\0\0\0append\x86R.");
    CHECK_EQUAL(kin_object_kind(opaque), KIN_KIND_OPAQUE);
    kin_object_free(opaque);
    opaque = DECODE("\x80\x03"
                    "cbuiltins\ngetattr\ncbank\nCounter\nX\x03\0\0\0a.b\x86R.");
    CHECK_EQUAL(kin_object_kind(opaque), KIN_KIND_OPAQUE);
    kin_object_free(opaque);
}
