/*
 * Lists through nodes that the elements contain: adding and removing never allocate, and
 * removing needs no search. A list is a ring that its head closes; private to one process
 * and to whoever holds the lock of its owner.
 */
#ifndef KIN_BASE_LIST_H
#define KIN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

/** A place in a list; all zero while in none. */
struct kin__list_node {
    struct kin__list_node *previous;
    struct kin__list_node *next;
};

/** A list; `head` stands before the first and behind the last node. */
struct kin__list {
    struct kin__list_node head;
};

/** The structure of which `pointer` is the member `member`. */
#define KIN_CONTAINER_OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/** Visits all nodes in order; the body may remove `node`, but no other. */
#define KIN_LIST_EACH(list, node)                                                    \
    for (struct kin__list_node *node = (list)->head.next, *node##_next = node->next; \
         node != &(list)->head; node = node##_next, node##_next = node->next)

/** Makes an empty list; it stays at its address, for its nodes point to it. */
static inline void kin__list_init(struct kin__list *list)
{
    list->head.previous = &list->head;
    list->head.next = &list->head;
}

/** True if there is no node in the list. */
static inline bool kin__list_is_empty(const struct kin__list *list)
{
    return list->head.next == &list->head;
}

/** The first node, or NULL: empty. */
static inline struct kin__list_node *kin__list_first(const struct kin__list *list)
{
    return kin__list_is_empty(list) ? NULL : list->head.next;
}

/** True while the node is in a list. */
static inline bool kin__list_node_is_linked(const struct kin__list_node *node)
{
    return node->next != NULL;
}

/** Puts a node, which is in no list, behind `place`, a node or a head. */
static inline void kin__list_insert_after(struct kin__list_node *place, struct kin__list_node *node)
{
    KIN_ASSERT(!kin__list_node_is_linked(node));
    node->previous = place;
    node->next = place->next;
    place->next->previous = node;
    place->next = node;
}

/** Puts a node, which is in no list, at the end. */
static inline void kin__list_append(struct kin__list *list, struct kin__list_node *node)
{
    kin__list_insert_after(list->head.previous, node);
}

/** Takes a node out of the list it is in. */
static inline void kin__list_remove(struct kin__list_node *node)
{
    KIN_ASSERT(kin__list_node_is_linked(node));
    node->previous->next = node->next;
    node->next->previous = node->previous;
    node->previous = NULL;
    node->next = NULL;
}

#endif
