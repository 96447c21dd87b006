#include "object/equality/pairs.h"

#include <string.h>

#include "base/allocate.h"

enum { CAPACITY_MIN = 256, CAPACITY_MAX = 1 << 30 };

void kin__pairs_deinit(struct kin__pairs *pairs)
{
    kin__release(pairs->nodes);
    kin__release(pairs->index);
    kin__release(pairs->joined);
    *pairs = (struct kin__pairs){0};
}

/* The slot of an object, or the empty one where it belongs. */
static uint32_t *slot_of(const struct kin__pairs *pairs, const kin_object *object)
{
    uint32_t mask = pairs->capacity * 2 - 1;
    uint64_t spread = ((uintptr_t)object >> 3) * UINT64_C(11400714785074694791);
    uint32_t at = (uint32_t)(spread >> 32) & mask;
    while (pairs->index[at] != 0 && pairs->nodes[pairs->index[at] - 1].object != object) {
        at = (at + 1) & mask;
    }
    return &pairs->index[at];
}

static int grow(struct kin__pairs *pairs)
{
    if (pairs->capacity == CAPACITY_MAX) {
        return -ENOMEM;
    }
    uint32_t capacity = pairs->capacity == 0 ? CAPACITY_MIN : pairs->capacity * 2;
    uint32_t *index = kin__allocate_array(capacity * (size_t)2, sizeof *index);
    struct pair_node *nodes = kin__reallocate(pairs->nodes, capacity * sizeof *nodes);
    if (nodes != NULL) {
        pairs->nodes = nodes;
    }
    if (index == NULL || nodes == NULL) {
        kin__release(index);
        return -ENOMEM;
    }
    kin__release(pairs->index);
    memset(index, 0, capacity * (size_t)2 * sizeof *index);
    pairs->index = index;
    pairs->capacity = capacity;
    for (uint32_t i = 0; i < pairs->count; i++) {
        *slot_of(pairs, pairs->nodes[i].object) = i + 1;
    }
    return 0;
}

/* The node that stands for the set of an object, which is alone at first. */
static int find(struct kin__pairs *pairs, const kin_object *object, uint32_t *ret_node)
{
    if (pairs->count == pairs->capacity) {
        int r = grow(pairs);
        if (r < 0) {
            return r;
        }
    }
    uint32_t *slot = slot_of(pairs, object);
    if (*slot == 0) {
        pairs->nodes[pairs->count] = (struct pair_node){object, pairs->count, 0};
        *slot = ++pairs->count;
    }
    uint32_t node = *slot - 1;
    while (pairs->nodes[node].parent != node) {
        node = pairs->nodes[node].parent; /* no short cuts: joins can be taken back */
    }
    *ret_node = node;
    return 0;
}

static int note_join(struct kin__pairs *pairs, uint32_t node)
{
    if (pairs->joined_count == pairs->joined_capacity) {
        uint32_t capacity = pairs->joined_capacity == 0 ? CAPACITY_MIN : pairs->joined_capacity * 2;
        uint32_t *joined = kin__reallocate(pairs->joined, capacity * sizeof *joined);
        if (joined == NULL) {
            return -ENOMEM;
        }
        pairs->joined = joined;
        pairs->joined_capacity = capacity;
    }
    pairs->joined[pairs->joined_count++] = node;
    return 0;
}

int kin__pairs_join(struct kin__pairs *pairs, const kin_object *first, const kin_object *second)
{
    uint32_t a;
    uint32_t b;
    int r = find(pairs, first, &a);
    r = r < 0 ? r : find(pairs, second, &b);
    if (r < 0 || a == b) {
        return r < 0 ? r : 1;
    }
    uint32_t low = pairs->nodes[a].rank <= pairs->nodes[b].rank ? a : b;
    uint32_t high = low == a ? b : a;
    r = note_join(pairs, low);
    if (r < 0) {
        return r;
    }
    pairs->nodes[low].parent = high;
    if (pairs->nodes[low].rank == pairs->nodes[high].rank) {
        pairs->nodes[high].rank++; /* stays if the join is undone: a bound is all it is */
    }
    return 0;
}

void kin__pairs_undo(struct kin__pairs *pairs, uint32_t count)
{
    while (pairs->joined_count > count) {
        uint32_t node = pairs->joined[--pairs->joined_count];
        pairs->nodes[node].parent = node;
    }
}
