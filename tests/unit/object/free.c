#include "harness/test.h"

#include <kin/class.h>
#include <kin/dict.h>
#include <kin/list.h>
#include <kin/standard.h>

#include "object/list.h"
#include "object/text.h"

/* An object whose end is counted. */
struct marker {
    struct kin__backing backing;
    int count;
};

static void count_end(struct kin__backing *backing)
{
    ((struct marker *)backing)->count++;
}

static kin_object *mark(struct marker *marker)
{
    marker->backing.release = count_end;
    return kin__bytes_create_view(KIN_KIND_BYTES, marker, 0, &marker->backing);
}

TEST(the_last_reference_ends_an_object)
{
    struct marker marker = {.count = 0};
    kin_object *list = KIN_LIST(KIN_TUPLE(mark(&marker)));
    kin_object *again = kin_object_ref(list);
    kin_object_free(list);
    CHECK_EQUAL(marker.count, 0);
    kin_object_free(again);
    CHECK_EQUAL(marker.count, 1);
}

TEST(a_list_in_itself_ends)
{
    struct marker marker = {.count = 0};
    kin_object *list = KIN_LIST(mark(&marker));
    kin_list_append(list, kin_object_ref(list));
    kin_object_free(list);
    CHECK_EQUAL(marker.count, 1);
}

TEST(a_circle_that_was_closed_by_borrowed_references_ends)
{
    struct marker marker = {.count = 0};
    kin_object *child = kin_dict_create();
    kin_dict_set_text(child, "mark", mark(&marker));
    kin_object *root = KIN_TUPLE(KIN_LIST(child)); /* who made the child has no reference now */
    kin_dict_set_text(child, "up", kin_object_ref(root));
    CHECK_EQUAL(marker.count, 0);
    kin_object_free(root);
    CHECK_EQUAL(marker.count, 1);

    kin_object *list = KIN_LIST(mark(&marker));
    root = KIN_LIST(list);
    kin_list_append(list, KIN_TUPLE(KIN_TUPLE(kin_object_ref(root))));
    kin_object_free(root);
    CHECK_EQUAL(marker.count, 2);
}

TEST(an_instance_among_its_own_items_ends)
{
    struct marker marker = {.count = 0};
    kin_object *deque = kin_deque_create(-1);
    kin_list_append(kin_instance_items(deque), mark(&marker));
    kin_list_append(kin_instance_items(deque), KIN_TUPLE(kin_object_ref(deque)));
    kin_object_free(deque);
    CHECK_EQUAL(marker.count, 1);

    kin_object *ordered = kin_ordered_dict_create();
    kin_dict_set_text(kin_instance_items(ordered), "mark", mark(&marker));
    kin_dict_set_text(kin_instance_items(ordered), "itself", kin_object_ref(ordered));
    kin_object_free(ordered);
    CHECK_EQUAL(marker.count, 2);
}

TEST(what_is_no_circle_is_not_taken_for_one)
{
    kin_object *rows = kin_list_create();
    kin_object *table = kin_dict_create();
    kin_dict_set_text(table, "rows", rows);
    for (int i = 0; i < 1000; i++) {
        kin_list_append(rows, KIN_LIST(KIN_TUPLE(kin_object_from_int(i)), kin_dict_create()));
    }
    CHECK((rows->flags & KIN__MAY_CIRCLE) == 0);
    CHECK((table->flags & KIN__MAY_CIRCLE) == 0);
    kin_object_free(table);
}

TEST(a_circle_ends_with_the_last_reference_from_outside)
{
    struct marker marker = {.count = 0};
    kin_object *first = KIN_LIST(mark(&marker));
    kin_object *second = KIN_LIST(kin_object_ref(first));
    kin_list_append(first, kin_object_ref(second));
    kin_object *inner = kin_object_ref(kin_object_at(second, 0));
    kin_object_free(second);
    CHECK_EQUAL(marker.count, 0);
    kin_object_free(first);
    CHECK_EQUAL(marker.count, 0);
    CHECK_EQUAL(kin_object_count(inner), 2);
    kin_object_free(inner);
    CHECK_EQUAL(marker.count, 1);
}

TEST(a_circle_ends_also_if_it_was_held_by_what_never_changes)
{
    struct marker marker = {.count = 0};
    kin_object *list = KIN_LIST(mark(&marker));
    kin_object *tuple = KIN_TUPLE(kin_object_ref(list));
    kin_list_append(list, kin_object_ref(tuple));
    kin_object_free(list);
    CHECK_EQUAL(marker.count, 0);
    kin_object_free(tuple);
    CHECK_EQUAL(marker.count, 1);
}

TEST(what_a_circle_shares_with_others_stays)
{
    struct marker shared_marker = {.count = 0};
    struct marker own_marker = {.count = 0};
    kin_object *shared = KIN_LIST(mark(&shared_marker));
    kin_object *circle = KIN_LIST(kin_object_ref(shared), mark(&own_marker));
    kin_list_append(circle, kin_object_ref(circle));
    kin_object_free(circle);
    CHECK_EQUAL(own_marker.count, 1);
    CHECK_EQUAL(shared_marker.count, 0);
    CHECK_EQUAL(kin_object_count(shared), 1);
    kin_object_free(shared);
    CHECK_EQUAL(shared_marker.count, 1);
}

TEST(a_circle_that_hangs_on_another_ends_with_it)
{
    struct marker first_marker = {.count = 0};
    struct marker second_marker = {.count = 0};
    kin_object *first = KIN_LIST(mark(&first_marker));
    kin_list_append(first, kin_object_ref(first));
    kin_object *second = KIN_LIST(mark(&second_marker), kin_object_ref(first));
    kin_list_append(second, kin_object_ref(second));
    kin_object_free(first);
    CHECK_EQUAL(first_marker.count, 0);
    kin_object_free(second);
    CHECK_EQUAL(first_marker.count, 1);
    CHECK_EQUAL(second_marker.count, 1);
}

enum { DEPTH = 1000000 };

TEST(a_million_lists_in_each_other_end)
{
    kin_object *list = kin_list_create();
    for (int i = 0; i < DEPTH && list != NULL; i++) {
        list = KIN_LIST(list);
    }
    CHECK(list != NULL);
    kin_object_free(list);
}

TEST(a_circle_of_a_million_lists_ends)
{
    struct marker marker = {.count = 0};
    kin_object *first = KIN_LIST(mark(&marker));
    kin_object *last = kin_object_ref(first);
    for (int i = 0; i < DEPTH && last != NULL; i++) {
        last = KIN_LIST(last);
    }
    kin_list_append(first, last);
    kin_object_free(first);
    CHECK_EQUAL(marker.count, 1);
}

TEST(a_region_goes_with_its_last_object_in_any_order)
{
    struct kin__arena arena = {0};
    kin_object *objects[3000];
    for (int i = 0; i < 3000; i++) {
        REQUIRE(kin__text_create(&arena, "some text", (size_t)(i % 10), &objects[i]) == 0);
    }
    kin_object *list = kin__list_create(&arena, 10);
    CHECK_EQUAL(kin__list_extend(list, objects, 1000, 1), 0);
    for (int i = 1000; i < 2000; i++) {
        kin_object_free(objects[2999 - i]);
    }
    kin__arena_finish(&arena);
    CHECK_STRING(kin_object_text(objects[2999]), "some text");
    kin_object_free(list);
    for (int i = 2000; i < 3000; i++) {
        kin_object_free(objects[i]);
    }
}

TEST(references_of_the_user_make_no_circle)
{
    kin_object *list = kin_list_create();
    kin_object *again = kin_object_ref(list);
    kin_object *dict = kin_dict_create();
    kin_object *dict_again = kin_object_ref(dict);
    kin_list_append(list, KIN_LIST(kin_object_from_int(1)));
    kin_dict_set_text(dict, "list", kin_object_ref(list));
    kin_list_append(list, KIN_LIST(kin_object_from_int(2)));
    CHECK_EQUAL(list->flags & KIN__MAY_CIRCLE, 0);
    CHECK_EQUAL(dict->flags & KIN__MAY_CIRCLE, 0);
    kin_object_free(again);
    kin_object_free(dict_again);
    kin_object_free(dict);
    kin_object_free(list);
}

static void let_go(void *data)
{
    kin_object_free(data);
}

static const kin_class box_class = {.module = "test", .name = "Box", .free = let_go};

/* Frees two objects together: one part of a circle, and an instance whose data is another part. */
static void free_with_box(bool is_box_first)
{
    struct marker marker = {.count = 0};
    kin_object *first = KIN_LIST(mark(&marker));
    kin_object *second = KIN_LIST(kin_object_ref(first));
    kin_list_append(first, kin_object_ref(second));
    kin_object *box = NULL;
    REQUIRE(kin_instance_create(&box_class, kin_tuple_from(NULL, 0), &box) == 0);
    kin_instance_set_data(box, second);
    kin_object_free(is_box_first ? KIN_LIST(box, first) : KIN_LIST(first, box));
    CHECK_EQUAL(marker.count, 1);
}

TEST(a_hook_lets_go_of_the_circle_that_is_being_let_go)
{
    free_with_box(false);
    free_with_box(true);
}

TEST(a_hook_lets_go_of_a_circle_while_another_ends)
{
    struct marker marker = {.count = 0};
    kin_object *inner = KIN_LIST(mark(&marker));
    kin_list_append(inner, kin_object_ref(inner));
    kin_object *held = KIN_LIST(kin_object_ref(inner));
    kin_object_free(inner);
    kin_object *box = NULL;
    REQUIRE(kin_instance_create(&box_class, kin_tuple_from(NULL, 0), &box) == 0);
    kin_instance_set_data(box, held);
    kin_object *outer = KIN_LIST(box);
    kin_list_append(outer, kin_object_ref(outer));
    kin_object_free(outer);
    CHECK_EQUAL(marker.count, 1);
}

/* Which would let only one thread at a time have it. */
TEST(what_leads_to_much_is_no_circle)
{
    kin_object *whole = kin_list_create();
    kin_object *again = kin_object_ref(whole);
    kin_object *root = KIN_LIST(whole);
    for (int i = 0; i < 10; i++) {
        kin_object *part = kin_list_create();
        for (int k = 0; k < 1000; k++) {
            kin_list_append(part, KIN_LIST(kin_list_create()));
        }
        kin_list_append(whole, part);
    }
    CHECK_EQUAL(whole->flags & KIN__MAY_CIRCLE, 0);
    CHECK_EQUAL(root->flags & KIN__MAY_CIRCLE, 0);
    kin_object_free(again);
    kin_object_free(root);
}

TEST(a_circle_through_much_ends)
{
    struct marker marker = {.count = 0};
    kin_object *whole = KIN_LIST(mark(&marker));
    kin_object *root = KIN_LIST(whole);
    kin_object *part = kin_list_create();
    for (int k = 0; k < 5000; k++) {
        kin_list_append(part, KIN_LIST(kin_list_create()));
    }
    kin_list_append(kin_object_at(part, 4711), kin_object_ref(root));
    kin_list_append(whole, part);
    kin_object_free(root);
    CHECK_EQUAL(marker.count, 1);
}
