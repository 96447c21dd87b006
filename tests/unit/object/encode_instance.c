/* Instances and opaque objects: what made them, then what was done to them. */
#include "unit/object/encode.h"

#include <kin/class.h>
#include <kin/dict.h>
#include <kin/list.h>
#include <kin/standard.h>

#include <errno.h>

#include "base/fault.h"
#include "object/instance.h"

#define CHECK_PICKLE_AS(protocol, object, expected) \
    CHECK(is_pickled_as(protocol, object, expected, sizeof(expected) - 1))
#define CHECK_PICKLE(object, expected) CHECK_PICKLE_AS(4, object, expected)

static int state_code; /* what getstate returns; 1: no state goes */

static int getstate(const kin_object *account, kin_object **ret_state)
{
    (void)account;
    if (state_code < 0) {
        return state_code;
    }
    *ret_state = state_code == 0 ? KIN_LIST(kin_object_from_int(7)) : kin_object_none();
    return 0;
}

static kin_class plain = {.module = "m", .name = "P"};
static kin_class with_hook = {.module = "m", .name = "H", .getstate = getstate};
static kin_class row = {.module = "m", .name = "R", .shape = KIN_SHAPE_LIST};
static kin_class table = {.module = "m", .name = "T", .shape = KIN_SHAPE_DICT};
KIN_CLASS(plain)
KIN_CLASS(with_hook)
KIN_CLASS(row)
KIN_CLASS(table)

static kin_object *create(const kin_class *class_)
{
    kin_object *instance = NULL;
    REQUIRE(kin_instance_create(class_, kin_tuple_from(NULL, 0), &instance) == 0);
    return instance;
}

TEST(an_instance_is_made_of_its_class)
{
    CHECK_PICKLE(create(&plain), "\x80\x04\x8c\x01m\x8c\x01P\x93\x94)\x81.");
    CHECK_PICKLE_AS(2, create(&plain),
                    "\x80\x02"
                    "cm\nP\nq\0)\x81.");
}

TEST(the_name_of_a_class_is_written_once)
{
    CHECK_PICKLE(KIN_TUPLE(create(&plain), create(&plain)),
                 "\x80\x04\x8c\x01m\x8c\x01P\x93\x94)\x81h\0)\x81\x86.");
}

TEST(state_and_items_follow)
{
    kin_object *instance = create(&plain);
    kin_instance_set_state(instance, kin_object_from_int(3));
    CHECK_PICKLE(instance, "\x80\x04\x8c\x01m\x8c\x01P\x93\x94)\x81K\x03"
                           "b.");
    instance = create(&row);
    kin_list_append(kin_instance_items(instance), kin_object_from_int(1));
    CHECK_PICKLE(instance, "\x80\x04\x8c\x01m\x8c\x01R\x93\x94)\x81K\x01"
                           "a.");
    instance = create(&table);
    kin_dict_set(kin_instance_items(instance), kin_object_from_int(1), kin_object_none());
    kin_instance_set_state(instance, kin_object_from_int(3));
    CHECK_PICKLE(instance, "\x80\x04\x8c\x01m\x8c\x01T\x93\x94)\x81K\x01NsK\x03"
                           "b.");
}

TEST(a_hook_says_what_the_state_is)
{
    CHECK_PICKLE(create(&with_hook), "\x80\x04\x8c\x01m\x8c\x01H\x93\x94)\x81]K\x07"
                                     "ab.");
    state_code = 1;
    CHECK_PICKLE(create(&with_hook), "\x80\x04\x8c\x01m\x8c\x01H\x93\x94)\x81.");
    state_code = -EBUSY;
    kin_object *bytes = NULL;
    kin_object *instance = create(&with_hook);
    CHECK_EQUAL(kin_pickle_encode(instance, NULL, &bytes), -EBUSY);
    CHECK(bytes == NULL);
    kin_object_free(instance);
}

TEST(an_instance_in_its_own_state_is_fetched)
{
    kin_object *instance = create(&plain);
    kin_instance_set_state(instance, KIN_TUPLE(kin_object_ref(instance)));
    CHECK_PICKLE(instance, "\x80\x04\x8c\x01m\x8c\x01P\x93\x94)\x81\x94h\x01\x85"
                           "b.");
}

TEST(an_instance_in_its_own_arguments_is_done_inside_and_thrown_away_outside)
{
    kin_object *list = kin_list_create();
    kin_object *instance = NULL;
    REQUIRE(kin_instance_create(&plain, KIN_TUPLE(kin_object_ref(list)), &instance) == 0);
    kin_instance_set_state(instance, kin_object_from_int(3));
    kin_list_append(list, kin_object_ref(instance));
    kin_object_free(list);
    CHECK_PICKLE(instance, "\x80\x04\x8c\x01m\x8c\x01P\x93\x94]\x94h\0h\x01\x85\x94R\x94K\x03"
                           "ba0h\x02"
                           "00h\x03.");
}

static kin_object *create_opaque(uint32_t made_by, kin_object *keywords)
{
    kin_object *opaque = NULL;
    struct kin__origin origin = {.callable = kin_object_from_global("x", "Y"),
                                 .arguments = KIN_TUPLE(kin_object_none()),
                                 .keywords = keywords,
                                 .made_by = made_by};
    REQUIRE(kin__instance_make(NULL, &origin, &opaque) == 0);
    return opaque;
}

TEST(an_opaque_object_is_made_as_it_was)
{
    CHECK_PICKLE(create_opaque(MADE_BY_CALL, NULL), "\x80\x04\x8c\x01x\x8c\x01Y\x93N\x85R.");
    CHECK_PICKLE(create_opaque(MADE_BY_NEW, NULL), "\x80\x04\x8c\x01x\x8c\x01Y\x93N\x85\x81.");
    CHECK_PICKLE(create_opaque(MADE_BY_NEW_WITH_KEYWORDS, kin_dict_create()),
                 "\x80\x04\x8c\x01x\x8c\x01Y\x93N\x85}\x92.");
    CHECK_PICKLE_AS(3, create_opaque(MADE_BY_NEW_WITH_KEYWORDS, kin_dict_create()),
                    "\x80\x03"
                    "ccopyreg\n__newobj_ex__\nq\0cx\nY\nN\x85}\x87R.");
}

TEST(what_was_done_to_an_opaque_object_is_done_again_in_order)
{
    kin_object *opaque = create_opaque(MADE_BY_CALL, NULL);
    kin_object *effect = create_opaque(MADE_BY_CALL, NULL);
    kin_object *numbers[] = {kin_object_from_int(1), kin_object_from_int(2)};
    REQUIRE(kin__instance_build(opaque, 1, kin_object_from_int(5)) == 0);
    REQUIRE(kin__instance_append(opaque, 1, numbers, 2) == 0);
    REQUIRE(kin__instance_set_pairs(opaque, 1, numbers, 2) == 0);
    REQUIRE(kin__instance_add_members(opaque, 1, numbers, 1) == 0);
    REQUIRE(kin__instance_add_effect(opaque, 1, effect) == 0);
    CHECK_PICKLE(opaque, "\x80\x04\x8c\x01x\x8c\x01Y\x93N\x85RK\x05"
                         "b(K\x01K\x02"
                         "eK\x01K\x02s(K\x01\x90\x8c\x01x\x8c\x01Y\x93N\x85R0.");
}

TEST(what_is_called_is_complete_even_if_its_state_leads_to_what_it_makes)
{
    kin_object *function = create_opaque(MADE_BY_CALL, NULL);
    kin_object *instance = create(&plain);
    kin_object *made = NULL;
    REQUIRE(kin__instance_build(function, 1, kin_object_ref(instance)) == 0);
    struct kin__origin origin = {.callable = function, .arguments = kin_tuple_from(NULL, 0)};
    REQUIRE(kin__instance_make(NULL, &origin, &made) == 0);
    kin_instance_set_state(instance, kin_object_ref(made));
    kin_object_free(instance);
    CHECK_PICKLE(made, "\x80\x04\x8c\x01x\x8c\x01Y\x93N\x85\x94R"
                       "\x8c\x01m\x8c\x01P\x93\x94)\x81\x94"
                       "\x8c\x01x\x8c\x01Y\x93h\0Rh\x02"
                       "b)R\x94"
                       "bb)00h\x03.");
}

TEST(a_circle_of_what_is_called_ends)
{
    kin_object *function = create_opaque(MADE_BY_CALL, NULL);
    kin_object *made = NULL;
    kin_object *bytes = NULL;
    struct kin__origin origin = {.callable = kin_object_ref(function),
                                 .arguments = kin_tuple_from(NULL, 0)};
    REQUIRE(kin__instance_make(NULL, &origin, &made) == 0);
    REQUIRE(kin__instance_build(function, 1, KIN_TUPLE(kin_object_ref(made))) == 0);
    kin_object_free(function);
    CHECK_EQUAL(kin_pickle_encode(made, NULL, &bytes), 0);
    CHECK(kin_object_bytes(bytes).size < 4000);
    kin_object_free(bytes);
    kin_object_free(made);
}

#ifdef KIN_FAULTS

TEST(without_memory_nothing_is_left_of_a_state)
{
    kin_object *list = kin_list_create();
    for (int i = 0; i < 20; i++) {
        kin_list_append(list, create(&with_hook));
    }
    int r = -ENOMEM;
    for (uint64_t n = 1; r == -ENOMEM; n++) {
        kin_object *bytes = NULL;
        kin__allocation_fail_at(n);
        r = kin_pickle_encode(list, NULL, &bytes);
        kin__allocation_fail_at(0);
        kin_object_free(bytes);
    }
    CHECK_EQUAL(r, 0);
    kin_object_free(list);
}

#endif
