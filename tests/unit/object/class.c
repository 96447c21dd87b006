/* Classes, their hooks, and what is made of them. */
#include "harness/test.h"

#include <kin/class.h>
#include <kin/dict.h>
#include <kin/error.h>
#include <kin/list.h>
#include <kin/pickle.h>

#include <errno.h>
#include <string.h>

#include "base/allocate.h"
#include "base/fault.h"
#include "object/instance.h"

/* An account: made of a number; the state is its balance, beside which it has data. */
static int made_count;
static int freed_count;

static int construct(kin_object *account)
{
    int64_t number;
    kin_object *arguments = kin_instance_arguments(account);
    if (kin_object_count(arguments) != 1 ||
        kin_object_to_int(kin_object_at(arguments, 0), &number) < 0) {
        return -EINVAL;
    }
    int *data = kin__allocate(sizeof *data);
    if (data == NULL) {
        return -ENOMEM;
    }
    made_count++;
    *data = (int)number;
    return kin_instance_set_data(account, data);
}

static int getstate(const kin_object *account, kin_object **ret_state)
{
    kin_object *state = kin_instance_state(account);
    *ret_state = state == NULL ? kin_object_none() : KIN_LIST(kin_object_ref(state));
    return *ret_state == NULL ? -ENOMEM : 0;
}

static int setstate(kin_object *account, kin_object *state)
{
    if (kin_object_kind(state) != KIN_KIND_LIST || kin_object_count(state) != 1) {
        return -EBADMSG;
    }
    return kin_instance_set_state(account, kin_object_ref(kin_object_at(state, 0)));
}

static int equal(const kin_object *first, const kin_object *second)
{
    return *(int *)kin_instance_data(first) == *(int *)kin_instance_data(second);
}

static int hash(const kin_object *account, uint64_t *ret_hash)
{
    *ret_hash = (uint64_t) * (int *)kin_instance_data(account);
    return 0;
}

static void end(void *data)
{
    freed_count++;
    kin__release(data);
}

static kin_class account = {.module = "bank",
                            .name = "Account",
                            .construct = construct,
                            .getstate = getstate,
                            .setstate = setstate,
                            .equal = equal,
                            .hash = hash,
                            .free = end};
KIN_CLASS(account)

static kin_class point = {.module = "plane", .name = "Shape.Point"};
KIN_CLASS(point)

static kin_class row = {.module = "plane", .name = "Row", .shape = KIN_SHAPE_LIST};
KIN_CLASS(row)

static kin_class table = {.module = "plane", .name = "Table", .shape = KIN_SHAPE_DICT};
KIN_CLASS(table)

static kin_object *instance_of(const kin_class *class_, kin_object *arguments)
{
    kin_object *instance = NULL;
    CHECK_EQUAL(kin_instance_create(class_, arguments, &instance), 0);
    return instance;
}

static kin_object *no_arguments(void)
{
    return kin_tuple_from(NULL, 0);
}

/* What a decoder makes of a name and arguments. */
static int make(const char *module, const char *name, kin_object *arguments,
                kin_object **ret_object)
{
    struct kin__origin origin = {.callable = kin_object_from_global(module, name),
                                 .arguments = arguments,
                                 .made_by = MADE_BY_CALL};
    return kin__instance_make(NULL, &origin, ret_object);
}

TEST(classes_are_found_by_their_names)
{
    CHECK(kin_class_find("bank", "Account") == &account);
    CHECK(kin_class_find("plane", "Shape.Point") == &point);
    CHECK(kin_class_find("plane", "Shape") == NULL);
    CHECK(kin_class_find("bankA", "ccount") == NULL);
    CHECK(kin_class_find("", "") == NULL);
    CHECK(kin_class_find(NULL, "Account") == NULL);
    CHECK(kin_class_find("datetime", "datetime") != NULL);
    CHECK(kin_class_find("builtins", "ZeroDivisionError") != NULL);
    CHECK(kin_class_find("queue", "Full") != NULL);
    CHECK(kin_class_find("builtins", "eval") == NULL);
}

TEST(a_later_class_takes_the_place_of_the_first)
{
    static kin_class other = {.module = "bank", .name = "Account"};
    static kin_class date = {.module = "datetime", .name = "date"};
    kin_class_register(&other);
    kin_class_register(&other);
    CHECK(kin_class_find("bank", "Account") == &other);
    kin_class_register(&date);
    CHECK(kin_class_find("datetime", "date") == &date);
    kin_class_register(NULL);
    kin_class_register(&(kin_class){.module = "no name"});
}

TEST(globals_know_their_names_and_class)
{
    kin_object *global = kin_object_from_global("plane", "Shape.Point");
    CHECK_EQUAL(kin_object_kind(global), KIN_KIND_GLOBAL);
    CHECK_STRING(kin_global_module(global), "plane");
    CHECK_STRING(kin_global_name(global), "Shape.Point");
    CHECK(((struct object_global *)global)->class_ == &point);
    CHECK_STRING(kin__global_full_name((struct object_global *)global), "plane.Shape.Point");
    kin_object_free(global);
    global = kin_object_from_global("builtins", "print");
    CHECK_STRING(kin__global_full_name((struct object_global *)global), "print");
    CHECK(((struct object_global *)global)->class_ == NULL);
    kin_object_free(global);
    CHECK(kin_object_from_global(NULL, "x") == NULL);
    CHECK(kin_object_from_global("x", "") == NULL);
    CHECK(kin_global_name(kin_object_none()) == NULL);
    CHECK_EQUAL(kin__global_make(NULL, (kin_bytes){"a\0b", 3}, (kin_bytes){"c", 1}, &global),
                -EBADMSG);
}

TEST(an_instance_has_arguments_state_and_data)
{
    kin_object *object = instance_of(&account, KIN_TUPLE(kin_object_from_int(7)));
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_INSTANCE);
    CHECK_STRING(kin_object_type_name(object), "bank.Account");
    CHECK(kin_instance_class(object) == &account);
    CHECK_EQUAL(kin_object_count(kin_instance_arguments(object)), 1);
    CHECK_EQUAL(*(int *)kin_instance_data(object), 7);
    CHECK(kin_instance_state(object) == NULL);
    CHECK(kin_instance_items(object) == NULL);
    CHECK_EQUAL(kin_instance_set_state(object, kin_object_from_int(100)), 0);
    CHECK_EQUAL(kin_instance_set_state(object, kin_object_from_int(200)), 0);
    CHECK_EQUAL(kin_instance_set_state(object, NULL), -ENOMEM);
    CHECK(kin_instance_state(object) == kin_object_from_int(200));
    CHECK_EQUAL(kin_instance_set_state(object, kin_object_none()), 0);
    CHECK(kin_instance_state(object) == NULL);
    kin_object_free(object);
    CHECK_EQUAL(freed_count, made_count);
}

TEST(what_is_no_instance_has_none_of_it)
{
    kin_object *list = kin_list_create();
    CHECK(kin_instance_class(list) == NULL);
    CHECK(kin_instance_arguments(list) == NULL);
    CHECK(kin_instance_state(list) == NULL);
    CHECK(kin_instance_items(list) == NULL);
    CHECK(kin_instance_data(list) == NULL);
    CHECK(kin_opaque_callable(list) == NULL);
    CHECK_EQUAL(kin_instance_set_state(list, kin_list_create()), -EINVAL);
    CHECK_EQUAL(kin_instance_set_data(list, NULL), -EINVAL);
    CHECK_EQUAL(kin_instance_set_state(NULL, kin_list_create()), -ENOMEM);
    CHECK_EQUAL(kin_instance_set_data(NULL, NULL), -ENOMEM);
    CHECK(kin_instance_class(NULL) == NULL);
    kin_object_free(list);
}

TEST(a_class_refuses_arguments_that_it_does_not_like)
{
    kin_object *object = NULL;
    CHECK_EQUAL(kin_instance_create(&account, no_arguments(), &object), -EINVAL);
    CHECK_EQUAL(kin_instance_create(&account, kin_list_create(), &object), -EINVAL);
    CHECK_EQUAL(kin_instance_create(&account, NULL, &object), -ENOMEM);
    CHECK_EQUAL(kin_instance_create(NULL, no_arguments(), &object), -EINVAL);
    CHECK_EQUAL(make("bank", "Account", KIN_TUPLE(kin_list_create()), &object), -EINVAL);
    CHECK_EQUAL(make("bank", "Account", kin_list_create(), &object), -EBADMSG);
    CHECK(object == NULL);
    CHECK_EQUAL(made_count, 0);
}

TEST(hooks_make_and_read_the_state)
{
    kin_object *object = instance_of(&account, KIN_TUPLE(kin_object_from_int(7)));
    kin_object *state = NULL;
    CHECK_EQUAL(kin__instance_get_state(object, &state), 0);
    CHECK(state == NULL);
    CHECK_EQUAL(kin__instance_build(object, 1, KIN_LIST(kin_object_from_int(5))), 0);
    CHECK(kin_instance_state(object) == kin_object_from_int(5));
    CHECK_EQUAL(kin__instance_build(object, 1, kin_object_from_int(5)), -EBADMSG);
    CHECK_EQUAL(kin__instance_get_state(object, &state), 0);
    CHECK_EQUAL(kin_object_count(state), 1);
    kin_object_free(state);
    kin_object_free(object);
}

TEST(a_class_says_what_is_equal)
{
    kin_object *one = instance_of(&account, KIN_TUPLE(kin_object_from_int(7)));
    kin_object *same = instance_of(&account, KIN_TUPLE(kin_object_from_int(7)));
    kin_object *other = instance_of(&account, KIN_TUPLE(kin_object_from_int(8)));
    CHECK_EQUAL(kin_instance_set_state(same, kin_object_from_int(1)), 0);
    CHECK_EQUAL(kin_object_equal(one, same), 1);
    CHECK_EQUAL(kin_object_equal(one, other), 0);
    uint64_t hash_of_one;
    uint64_t hash_of_same;
    uint64_t hash_of_other;
    CHECK_EQUAL(kin_object_hash(one, &hash_of_one), 0);
    CHECK_EQUAL(kin_object_hash(same, &hash_of_same), 0);
    CHECK_EQUAL(kin_object_hash(other, &hash_of_other), 0);
    CHECK_EQUAL(hash_of_one, hash_of_same);
    CHECK(hash_of_one != hash_of_other);
    kin_object_free(one);
    kin_object_free(same);
    kin_object_free(other);
}

TEST(shapes_hold_items)
{
    kin_object *list = instance_of(&row, no_arguments());
    kin_object *dict = instance_of(&table, no_arguments());
    kin_object *plain = instance_of(&point, no_arguments());
    CHECK_EQUAL(kin_object_kind(kin_instance_items(list)), KIN_KIND_LIST);
    CHECK_EQUAL(kin_object_kind(kin_instance_items(dict)), KIN_KIND_DICT);
    kin_object *pair[] = {kin_object_from_text("key"), kin_object_from_text("value")};
    CHECK_EQUAL(kin__instance_set_pairs(dict, 1, pair, 2), 0);
    CHECK_STRING(kin_object_text(kin_dict_get_text(kin_instance_items(dict), "key")), "value");
    CHECK_EQUAL(kin__instance_append(list, 1, (kin_object *[]){kin_list_create()}, 1), 0);
    CHECK_EQUAL(kin_object_count(kin_instance_items(list)), 1);
    CHECK_EQUAL(kin__instance_append(plain, 1, (kin_object *[]){kin_list_create()}, 1), -EBADMSG);
    CHECK_EQUAL(kin__instance_append(dict, 1, (kin_object *[]){kin_list_create()}, 1), -EBADMSG);
    CHECK_EQUAL(kin__instance_add_members(list, 1, (kin_object *[]){kin_list_create()}, 1),
                -EBADMSG);
    kin_object *bad[] = {kin_list_create(), kin_list_create()};
    CHECK_EQUAL(kin__instance_set_pairs(dict, 1, bad, 2), -EINVAL);
    CHECK_EQUAL(kin__instance_set_pairs(list, 1, (kin_object *[]){kin_list_create(), NULL}, 2),
                -EBADMSG);
    CHECK_EQUAL(kin__instance_add_effect(list, 1, kin_list_create()), -EBADMSG);
    kin_object_free(list);
    kin_object_free(dict);
    kin_object_free(plain);
}

TEST(an_unknown_class_stays_opaque_and_keeps_what_was_done_in_order)
{
    kin_object *object = NULL;
    CHECK_EQUAL(make("os", "system", KIN_TUPLE(kin_object_from_text("rm")), &object), 0);
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_OPAQUE);
    CHECK_STRING(kin_object_type_name(object), "os.system");
    CHECK_STRING(kin_global_name(kin_opaque_callable(object)), "system");
    CHECK(kin_instance_class(object) == NULL);
    CHECK(kin_instance_data(object) == NULL);
    CHECK_EQUAL(kin__instance_append(object, 1, (kin_object *[]){kin_object_from_int(1)}, 1), 0);
    CHECK_EQUAL(kin__instance_append(object, 1, (kin_object *[]){kin_object_from_int(2)}, 1), 0);
    CHECK_EQUAL(kin__instance_build(object, 1, kin_dict_create()), 0);
    CHECK_EQUAL(kin__instance_build(object, 1, kin_list_create()), 0);
    CHECK_EQUAL(kin__instance_add_members(object, 1, (kin_object *[]){kin_list_create()}, 1), 0);
    kin_object *pair[] = {kin_list_create(), kin_object_from_int(3)};
    CHECK_EQUAL(kin__instance_set_pairs(object, 1, pair, 2), 0);
    CHECK_EQUAL(kin__instance_add_effect(object, 1, kin_list_create()), 0);
    const struct object_instance *instance = (struct object_instance *)object;
    static const uint32_t kinds[] = {PART_ITEMS,   PART_STATE, PART_STATE,
                                     PART_MEMBERS, PART_PAIRS, PART_EFFECT};
    REQUIRE(instance->part_count == 6);
    for (size_t i = 0; i < 6; i++) {
        CHECK_EQUAL(instance->parts[i].kind, kinds[i]);
    }
    CHECK_EQUAL(kin_object_count(instance->parts[0].object), 2);
    CHECK_EQUAL(kin_object_count(instance->parts[4].object), 2);
    CHECK_EQUAL(kin_object_kind(kin_instance_state(object)), KIN_KIND_LIST);
    kin_object_free(object);
}

TEST(what_old_protocols_reconstruct_is_an_instance)
{
    kin_object *object = NULL;
    CHECK_EQUAL(make("copyreg", "_reconstructor",
                     KIN_TUPLE(kin_object_from_global("plane", "Shape.Point"),
                               kin_object_from_global("builtins", "object"), kin_object_none()),
                     &object),
                0);
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_INSTANCE);
    CHECK(kin_instance_class(object) == &point);
    CHECK_EQUAL(kin_object_count(kin_instance_arguments(object)), 0);
    CHECK_EQUAL(((struct object_instance *)object)->made_by, MADE_BY_NEW);
    kin_object_free(object);
    CHECK_EQUAL(make("copyreg", "_reconstructor",
                     KIN_TUPLE(kin_object_from_global("some", "List"),
                               kin_object_from_global("builtins", "list"), kin_list_create()),
                     &object),
                0);
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_OPAQUE);
    kin_object_free(object);
}

/* What is made of a name by keywords only: its kind. */
static kin_kind kind_by_keywords(const char *module, const char *name)
{
    kin_object *object = NULL;
    kin_object *keywords = kin_dict_create();
    CHECK_EQUAL(kin_dict_set_text(keywords, "days", kin_object_from_int(1)), 0);
    struct kin__origin origin = {.callable = kin_object_from_global(module, name),
                                 .arguments = no_arguments(),
                                 .keywords = keywords,
                                 .made_by = MADE_BY_NEW_WITH_KEYWORDS};
    CHECK_EQUAL(kin__instance_make(NULL, &origin, &object), 0);
    CHECK_EQUAL(kin_object_count(kin_instance_keywords(object)), 1);
    kin_kind kind = kin_object_kind(object);
    kin_object_free(object);
    return kind;
}

TEST(keywords_are_kept)
{
    CHECK_EQUAL(kind_by_keywords("plane", "Shape.Point"), KIN_KIND_INSTANCE);
    CHECK_EQUAL(kind_by_keywords("un", "known"), KIN_KIND_OPAQUE);
    CHECK_EQUAL(kind_by_keywords("datetime", "timedelta"), KIN_KIND_OPAQUE);
    kin_object *object = instance_of(&point, no_arguments());
    CHECK(kin_instance_keywords(object) == NULL);
    kin_object_free(object);
    CHECK(kin_instance_keywords(NULL) == NULL);
}

TEST(instances_in_a_circle_end)
{
    kin_object *object = instance_of(&row, no_arguments());
    CHECK_EQUAL(kin_instance_set_state(object, KIN_LIST(kin_object_ref(object))), 0);
    CHECK_EQUAL(kin_object_free(object), NULL);
    object = instance_of(&row, no_arguments());
    kin_object *part = kin_object_ref(object);
    CHECK_EQUAL(kin__instance_append(object, 1, &part, 1), 0);
    kin_object_free(object);
    object = instance_of(&account, KIN_TUPLE(kin_object_from_int(7)));
    CHECK_EQUAL(kin_instance_set_state(object, kin_object_ref(object)), 0);
    kin_object_free(object);
    CHECK_EQUAL(freed_count, 1);
}

TEST(an_instance_that_its_items_lead_back_to_ends)
{
    kin_object *object = instance_of(&row, no_arguments());
    CHECK_EQUAL(kin_list_append(kin_instance_items(object), kin_object_ref(object)), 0);
    kin_object_free(object);
    object = instance_of(&table, no_arguments());
    CHECK_EQUAL(kin_dict_set_text(kin_instance_items(object), "me", kin_object_ref(object)), 0);
    kin_object_free(object);
    object = instance_of(&row, no_arguments());
    kin_object *between = KIN_LIST(kin_object_ref(object));
    CHECK_EQUAL(kin_list_append(kin_instance_items(object), between), 0);
    kin_object_free(object);
}

static kin_object *decoded(const char *pickle)
{
    kin_object *object = NULL;
    CHECK_EQUAL(kin_pickle_decode(pickle, strlen(pickle), NULL, &object, NULL, NULL), 0);
    return object;
}

TEST(what_was_made_for_nobody_ends)
{
    kin_object *object = decoded("Ncun\nset\n(cun\nknown\n(tR2tR0.");
    kin_object_free(object); /* set(x, x), dropped, when nothing else leads to x */
}

TEST(a_name_with_the_end_of_a_line_is_not_put_together)
{
    kin_object *object = decoded("cbuiltins\ngetattr\n(cun\nknown\nVa\\u000db\ntR.");
    CHECK_EQUAL(kin_object_kind(object), KIN_KIND_OPAQUE);
    kin_object_free(object);
}

#ifdef KIN_FAULTS
static int make_everything(void)
{
    kin_object *object = NULL;
    kin_object *dict = NULL;
    int r = make("bank", "Account", KIN_TUPLE(kin_object_from_int(7)), &object);
    r = r < 0 ? r : kin__instance_build(object, 1, KIN_LIST(kin_object_from_text("state")));
    kin_object_free(object);
    object = NULL;
    r = r < 0 ? r : make("un", "known", KIN_TUPLE(kin_object_from_text("it")), &object);
    r = r < 0 ? r : kin__instance_append(object, 1, (kin_object *[]){kin_list_create()}, 1);
    r = r < 0 ? r : kin__instance_build(object, 1, kin_list_create());
    r = r < 0 ? r : kin__instance_add_members(object, 1, (kin_object *[]){kin_list_create()}, 1);
    r = r < 0 ? r : kin__instance_add_effect(object, 1, kin_list_create());
    r = r < 0 ? r : kin_instance_create(&table, no_arguments(), &dict);
    if (r == 0) {
        kin_object *pair[] = {kin_object_from_text("key"), kin_list_create()};
        r = kin__instance_set_pairs(dict, 1, pair, 2);
    }
    kin_object_free(dict);
    kin_object_free(object);
    return r;
}

TEST(without_memory_nothing_is_left_behind)
{
    uint64_t n = 1;
    for (int r = -ENOMEM; r < 0 && n < 1000; n++) {
        kin__allocation_fail_at(n);
        r = make_everything();
        kin__allocation_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM);
    }
    CHECK(n > 10 && n < 1000);
    CHECK_EQUAL(freed_count, made_count);
}
#endif
