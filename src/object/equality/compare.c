/**
 * The order of numbers, texts, bytes, lists and tuples: the first items that are not equal decide.
 *
 * Two rows are gone through side by side, down into rows that they hold, without asking before
 * whether those are equal: what is found first to differ, however deep, is the answer. So what is
 * compared once is never compared again, and a pair that was seen before can be skipped: had it
 * differed, the comparison would be over.
 */
#include "object/equality/equal.h"
#include "object/equality/number.h"
#include "object/equality/pairs.h"
#include "object/equality/stack.h"

enum { FRAMES = 8 };

struct compare_frame {
    const kin_object *first;
    const kin_object *second;
    uint64_t position;
};

static bool is_row(const kin_object *object)
{
    return kin__kind(object) == KIN_KIND_LIST || kin__kind(object) == KIN_KIND_TUPLE;
}

static kin_object *const *items_of(const kin_object *row, uint64_t *ret_count)
{
    if (row->kind == KIN_KIND_LIST) {
        *ret_count = ((const struct object_list *)row)->count;
        return ((const struct object_list *)row)->items;
    }
    *ret_count = ((const struct object_tuple *)row)->count;
    return ((const struct object_tuple *)row)->items;
}

static bool is_bytes(const kin_object *object)
{
    return kin__kind(object) == KIN_KIND_BYTES || kin__kind(object) == KIN_KIND_BYTEARRAY;
}

/* The order of UTF-8 is that of the characters. */
static int compare_bytes(kin_bytes first, kin_bytes second)
{
    size_t size = first.size < second.size ? first.size : second.size;
    int order = size == 0 ? 0 : memcmp(first.data, second.data, size);
    return order != 0 ? order : (first.size > second.size) - (first.size < second.size);
}

/* Two objects that are not both rows. */
static int compare_leaves(const kin_object *first, const kin_object *second,
                          struct kin__effort *effort, int *ret_order)
{
    kin_kind kind = kin__kind(first);
    if (kin__is_number(first) && kin__is_number(second)) {
        int r = kin__number_compare(first, second, ret_order);
        if (r < 0 && kin__number_equal(first, second)) { /* complex ones may be equal */
            *ret_order = 0;
            r = 0;
        }
        return r;
    }
    if ((kind == KIN_KIND_STR && kin__kind(second) == KIN_KIND_STR) ||
        (is_bytes(first) && is_bytes(second))) {
        *ret_order = compare_bytes(kin_object_bytes(first), kin_object_bytes(second));
        return 0;
    }
    *ret_order = 0;
    int r = kin__equal(first, second, effort); /* what has no order may be equal */
    return r > 0 ? 0 : r < 0 ? r : -EINVAL;
}

/* Compares two objects, or puts them on the stack. */
static int begin(struct kin__stack *stack, struct compare_frame pair, struct kin__effort *effort,
                 int *ret_order)
{
    *ret_order = 0;
    if (pair.first == pair.second) {
        return 0;
    }
    if (!is_row(pair.first) || !is_row(pair.second)) {
        return compare_leaves(pair.first, pair.second, effort, ret_order);
    }
    if (pair.first->kind != pair.second->kind) {
        return -EINVAL;
    }
    int r = kin__pairs_note(effort->pairs, pair.first, pair.second);
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    struct compare_frame *frame = kin__stack_push(stack);
    if (frame == NULL) {
        return -ENOMEM;
    }
    *frame = pair;
    return 0;
}

/* Goes on with the rows on top, to their end or until two others come on top. */
static int advance(struct kin__stack *stack, struct kin__effort *effort, int *ret_order)
{
    size_t height = stack->count;
    struct compare_frame *frame = kin__stack_top(stack);
    uint64_t first_count;
    uint64_t second_count;
    kin_object *const *first = items_of(frame->first, &first_count);
    kin_object *const *second = items_of(frame->second, &second_count);
    uint64_t count = first_count < second_count ? first_count : second_count;
    while (frame->position < count) {
        uint64_t i = frame->position++;
        struct compare_frame pair = {first[i], second[i], 0};
        int r = begin(stack, pair, effort, ret_order);
        if (r < 0 || *ret_order != 0 || stack->count != height) {
            return r;
        }
    }
    *ret_order = (first_count > second_count) - (first_count < second_count);
    kin__stack_pop(stack);
    return 0;
}

static int compare(const kin_object *first, const kin_object *second, struct kin__effort *effort,
                   int *ret_order)
{
    struct compare_frame frames[FRAMES];
    struct kin__stack stack;
    kin__stack_init(&stack, frames, FRAMES, sizeof frames[0]);
    int order = 0;
    int r = begin(&stack, (struct compare_frame){first, second, 0}, effort, &order);
    while (r == 0 && order == 0 && stack.count != 0) {
        r = advance(&stack, effort, &order);
    }
    kin__stack_deinit(&stack);
    *ret_order = order;
    return r;
}

/* A call by itself, or by a class's hook: then a part of the comparison that called the hook, whose
 * pairs it may use, and to which it leaves those of its own that are equal for sure. */
static int compare_in_call(const kin_object *first, const kin_object *second, int *ret_order)
{
    struct kin__pairs pairs = {0};
    struct kin__effort own;
    struct kin__effort *effort = kin__effort_begin(&own);
    if (effort->depth >= KIN__EFFORT_DEPTH_MAX) {
        return KIN_ELIMIT;
    }
    bool is_outermost = effort->pairs == NULL;
    if (is_outermost) {
        effort->pairs = &pairs;
    }
    uint32_t joined_before = effort->pairs->joined_count;
    int order = 0;
    effort->depth++;
    int r = compare(first, second, effort, &order);
    effort->depth--;
    if (r < 0 || order != 0) {
        kin__pairs_undo(effort->pairs, joined_before);
    }
    if (is_outermost) {
        effort->pairs = NULL;
        kin__pairs_deinit(&pairs);
    }
    if (r == 0) {
        *ret_order = order;
    }
    return r;
}

/* Whether Python's < knows objects of this kind. */
static bool has_order(const kin_object *object)
{
    kin_kind kind = kin__kind(object);
    return kind >= KIN_KIND_BOOL && kind <= KIN_KIND_TUPLE && kind != KIN_KIND_COMPLEX;
}

int kin_object_compare(const kin_object *first, const kin_object *second, int *ret_order)
{
    if (first == NULL || second == NULL || ret_order == NULL) {
        return ret_order == NULL ? -EINVAL : -ENOMEM;
    }
    if (!has_order(first) || !has_order(second)) {
        return -EINVAL;
    }
    /* A NaN is not even equal to itself, unless it is in a list. */
    return kin__is_number(first) && kin__is_number(second)
               ? kin__number_compare(first, second, ret_order)
               : compare_in_call(first, second, ret_order);
}
