/**
 * Pairs of objects that one comparison takes to be equal: those it has looked at, and those it
 * is looking at, for two graphs are equal unless a path tells them apart. Kept as sets of equal
 * objects (union-find), so that n pairs of n objects are all of them: that ends walks in circles,
 * and makes a graph in which each node is reached twice no dearer than a tree.
 *
 * What was assumed for the sake of a comparison that failed is taken back, in reverse order.
 */
#ifndef KIN_OBJECT_EQUALITY_PAIRS_H
#define KIN_OBJECT_EQUALITY_PAIRS_H

#include "object/object.h"

enum { PAIRS_NOTED_FROM = 256 };

struct pair_node {
    const kin_object *object;
    uint32_t parent; /* itself: it stands for the set */
    uint32_t rank;
};

struct kin__pairs {
    uint32_t visited; /* pairs that were compared before any were noted: few are never noted */
    uint32_t count;   /* of nodes */
    uint32_t capacity;
    uint32_t joined_count;
    uint32_t joined_capacity;
    struct pair_node *nodes;
    uint32_t *index;  /* by address, node + 1: twice as many slots as nodes */
    uint32_t *joined; /* nodes that ceased to stand for a set, in order */
};

/* Releases what was allocated. */
void kin__pairs_deinit(struct kin__pairs *pairs);

/* Takes two objects to be equal from now on. 1: that was so before; 0, -ENOMEM. */
int kin__pairs_join(struct kin__pairs *pairs, const kin_object *first, const kin_object *second);

/* The same once many pairs have been looked at; before, nothing is remembered. */
static inline int kin__pairs_note(struct kin__pairs *pairs, const kin_object *first,
                                  const kin_object *second)
{
    if (pairs->visited < PAIRS_NOTED_FROM) {
        pairs->visited++;
        return 0;
    }
    return kin__pairs_join(pairs, first, second);
}

/* Takes back all but the first `count` of the joins. */
void kin__pairs_undo(struct kin__pairs *pairs, uint32_t count);

#endif
