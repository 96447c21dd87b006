#include "harness/test.h"

#include "base/list.h"

struct letter {
    char name;
    struct kin__list_node node;
};

static const char *spelled(const struct kin__list *list, char text[static 8])
{
    size_t length = 0;
    KIN_LIST_EACH (list, node) {
        REQUIRE(length < 7);
        CHECK(node->next->previous == node);
        text[length++] = KIN_CONTAINER_OF(node, struct letter, node)->name;
    }
    text[length] = '\0';
    return text;
}

TEST(a_new_list_is_empty)
{
    char text[8];
    struct kin__list list;
    kin__list_init(&list);
    CHECK(kin__list_is_empty(&list));
    CHECK(kin__list_first(&list) == NULL);
    CHECK_STRING(spelled(&list, text), "");
}

TEST(nodes_stand_where_they_were_put)
{
    char text[8];
    struct letter letters[] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    struct kin__list list;
    kin__list_init(&list);
    kin__list_append(&list, &letters[1].node);
    kin__list_append(&list, &letters[3].node);
    kin__list_insert_after(&list.head, &letters[0].node);
    kin__list_insert_after(&letters[1].node, &letters[2].node);
    CHECK_STRING(spelled(&list, text), "abcd");
    CHECK(kin__list_first(&list) == &letters[0].node);
    CHECK(!kin__list_is_empty(&list));
}

TEST(a_node_can_be_removed_and_put_back)
{
    char text[8];
    struct letter letters[] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}};
    struct kin__list list;
    kin__list_init(&list);
    for (size_t i = 0; i < 3; i++) {
        CHECK(!kin__list_node_is_linked(&letters[i].node));
        kin__list_append(&list, &letters[i].node);
        CHECK(kin__list_node_is_linked(&letters[i].node));
    }
    kin__list_remove(&letters[1].node);
    CHECK(!kin__list_node_is_linked(&letters[1].node));
    CHECK_STRING(spelled(&list, text), "ac");
    kin__list_append(&list, &letters[1].node);
    CHECK_STRING(spelled(&list, text), "acb");
}

TEST(a_loop_may_remove_the_node_it_visits)
{
    char text[8];
    struct letter letters[] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}, {.name = 'd'}};
    struct kin__list list;
    kin__list_init(&list);
    for (size_t i = 0; i < 4; i++) {
        kin__list_append(&list, &letters[i].node);
    }
    KIN_LIST_EACH (&list, node) {
        if (KIN_CONTAINER_OF(node, struct letter, node)->name % 2 == 0) {
            kin__list_remove(node);
        }
    }
    CHECK_STRING(spelled(&list, text), "ac");
    KIN_LIST_EACH (&list, node) {
        kin__list_remove(node);
    }
    CHECK(kin__list_is_empty(&list));
}
