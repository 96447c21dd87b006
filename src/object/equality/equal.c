#include "object/equality/equal.h"

#include "object/equality/number.h"
#include "object/equality/pairs.h"
#include "object/equality/stack.h"
#include "object/instance.h"
#include "object/runtime.h"
#include "object/table.h"

enum {
    FRAMES = 8,
    CONTAINER_STEPS = 16, /* of effort, for one that is looked into */
    DESCEND = 2           /* not decided yet: what two containers hold is compared next */
};

/* What an instance is compared by, one after the other. */
enum { PLACE_CALLABLE, PLACE_ARGUMENTS, PLACE_KEYWORDS, PLACE_PARTS };

struct equal_frame {
    const kin_object *first;
    const kin_object *second;
    uint64_t position;
};

static int same_bytes(const void *first, uint64_t first_size, const void *second,
                      uint64_t second_size, struct kin__effort *effort)
{
    if (first_size != second_size) {
        return 0;
    }
    if (!kin__effort_charge_bytes(effort, first_size)) {
        return KIN_ELIMIT;
    }
    return first_size == 0 || memcmp(first, second, first_size) == 0;
}

static int same_global(const struct object_global *first, const struct object_global *second,
                       struct kin__effort *effort)
{
    return first->module_size != second->module_size
               ? 0
               : same_bytes(first->bytes, (uint64_t)first->module_size + first->name_size + 2,
                            second->bytes, (uint64_t)second->module_size + second->name_size + 2,
                            effort);
}

static bool same_handle(kin_handle first, kin_handle second)
{
    return first.index == second.index && first.family == second.family &&
           first.counter == second.counter;
}

static bool is_bytes(kin_kind kind)
{
    return kind == KIN_KIND_BYTES || kind == KIN_KIND_BYTEARRAY;
}

/* Two objects of which none leads to others. */
static int equal_leaves(const kin_object *first, const kin_object *second,
                        struct kin__effort *effort)
{
    kin_kind kind = kin__kind(first);
    kin_kind other = kin__kind(second);
    if (kind == KIN_KIND_NOTHING || other == KIN_KIND_NOTHING) {
        return -ENOMEM;
    }
    if (kin__is_number(first) && kin__is_number(second)) {
        return kin__number_equal(first, second);
    }
    if (is_bytes(kind) && is_bytes(other)) {
        const struct object_bytes *bytes = (const struct object_bytes *)first;
        const struct object_bytes *others = (const struct object_bytes *)second;
        return same_bytes(bytes->data, bytes->size, others->data, others->size, effort);
    }
    if (kind != other) {
        return 0;
    }
    switch (kind) {
    case KIN_KIND_STR: {
        const struct object_text *text = (const struct object_text *)first;
        const struct object_text *others = (const struct object_text *)second;
        return same_bytes(text->bytes, text->size, others->bytes, others->size, effort);
    }
    case KIN_KIND_GLOBAL:
        return same_global((const struct object_global *)first,
                           (const struct object_global *)second, effort);
    case KIN_KIND_HANDLE:
        return same_handle(((const struct object_handle *)first)->handle,
                           ((const struct object_handle *)second)->handle);
    case KIN_KIND_FD:
        return ((const struct object_fd *)first)->fd == ((const struct object_fd *)second)->fd;
    default:
        return first == second;
    }
}

static bool is_set(kin_kind kind)
{
    return kind == KIN_KIND_SET || kind == KIN_KIND_FROZENSET;
}

/* Hashes that are known and differ: the quick no. */
static bool hashes_differ(const uint64_t *first, const uint64_t *second)
{
    uint64_t a = __atomic_load_n(first, __ATOMIC_RELAXED);
    uint64_t b = __atomic_load_n(second, __ATOMIC_RELAXED);
    return a != 0 && b != 0 && a != b;
}

/* Whether each member of one is in the other, which has as many: each costs a look-up. */
static int equal_sets(const struct object_table *first, const struct object_table *second,
                      struct kin__effort *effort)
{
    struct table_entry *found;
    uint64_t position = 0;
    for (struct table_entry *entry; (entry = kin__table_next(first, &position)) != NULL;) {
        int r = kin__effort_charge(effort, 1) ? kin__table_find(second, entry->key, effort, &found)
                                              : KIN_ELIMIT;
        if (r != 1) {
            return r;
        }
    }
    return 1;
}

/* Asks the class. What its hook compares, by kin_object_equal, is a part of this comparison. */
static int ask_class(const struct object_instance *first, const kin_object *second,
                     struct kin__effort *effort)
{
    if (!kin__effort_charge(effort, CONTAINER_STEPS)) {
        return KIN_ELIMIT;
    }
    struct kin__effort *outer = kin__effort_current;
    kin__effort_current = effort;
    int r = first->class_->equal(&first->container.object, second);
    kin__effort_current = outer;
    return r > 0 ? 1 : r;
}

static int look_at_instances(const struct object_instance *first,
                             const struct object_instance *second)
{
    if (first->class_ != second->class_) {
        return 0;
    }
    if (first->class_ != NULL) {
        return DESCEND;
    }
    if (first->made_by != second->made_by || first->part_count != second->part_count) {
        return 0;
    }
    for (uint32_t i = 0; i < first->part_count; i++) {
        if (first->parts[i].kind != second->parts[i].kind) {
            return 0;
        }
    }
    return DESCEND;
}

/* What can be said of two containers without looking into them: 0, 1 or DESCEND. */
static int look_at(const kin_object *first, const kin_object *second)
{
    kin_kind kind = (kin_kind)first->kind;
    if (is_set(kind) && is_set((kin_kind)second->kind)) {
        const struct object_table *set = (const struct object_table *)first;
        const struct object_table *other = (const struct object_table *)second;
        return set->count == other->count && !hashes_differ(&set->hash, &other->hash) ? DESCEND : 0;
    }
    if (first->kind != second->kind) {
        return 0;
    }
    if (kind == KIN_KIND_LIST) {
        return ((const struct object_list *)first)->count ==
                       ((const struct object_list *)second)->count
                   ? DESCEND
                   : 0;
    }
    if (kind == KIN_KIND_TUPLE) {
        const struct object_tuple *tuple = (const struct object_tuple *)first;
        const struct object_tuple *other = (const struct object_tuple *)second;
        return tuple->count == other->count && !hashes_differ(&tuple->hash, &other->hash) ? DESCEND
                                                                                          : 0;
    }
    if (kind == KIN_KIND_DICT) {
        return ((const struct object_table *)first)->count ==
                       ((const struct object_table *)second)->count
                   ? DESCEND
                   : 0;
    }
    return look_at_instances((const struct object_instance *)first,
                             (const struct object_instance *)second);
}

/* Compares two objects, or puts them on the stack if both lead to others. 1 (so far), 0, a code. */
static int begin(struct kin__stack *stack, const kin_object *first, const kin_object *second,
                 struct kin__effort *effort)
{
    if (first == second) {
        return 1;
    }
    if (!kin__is_container(first) || !kin__is_container(second)) {
        return equal_leaves(first, second, effort);
    }
    int r = look_at(first, second);
    if (r != DESCEND) {
        return r;
    }
    r = kin__pairs_note(effort->pairs, first, second);
    if (r != 0) {
        return r;
    }
    if (is_set((kin_kind)first->kind)) {
        return equal_sets((const struct object_table *)first, (const struct object_table *)second,
                          effort);
    }
    const struct object_instance *instance = (const struct object_instance *)first;
    if (first->kind == KIN_KIND_INSTANCE && instance->class_->equal != NULL) {
        return ask_class(instance, second, effort);
    }
    struct equal_frame *frame = kin__stack_push(stack);
    if (frame == NULL) {
        return -ENOMEM;
    }
    *frame = (struct equal_frame){first, second, 0};
    return 1;
}

/* Compares rows of objects, until the end or until something has come on the stack. */
static int advance_items(struct kin__stack *stack, kin_object *const *first,
                         kin_object *const *second, uint64_t count, struct kin__effort *effort)
{
    size_t height = stack->count;
    struct equal_frame *frame = kin__stack_top(stack);
    for (uint64_t i = frame->position; i < count; i++) {
        if (first[i] == second[i]) {
            continue;
        }
        if (kin__is_small_int(first[i]) && kin__is_small_int(second[i])) {
            return 0;
        }
        frame->position = i + 1; /* for when this frame is on top again */
        int r = kin__effort_charge(effort, 1) ? begin(stack, first[i], second[i], effort)
                                              : KIN_ELIMIT;
        if (r != 1 || stack->count != height) {
            return r;
        }
    }
    kin__stack_pop(stack);
    return 1;
}

static int advance_dict(struct kin__stack *stack, struct kin__effort *effort)
{
    size_t height = stack->count;
    struct equal_frame *frame = kin__stack_top(stack);
    const struct object_table *first = (const struct object_table *)frame->first;
    const struct object_table *second = (const struct object_table *)frame->second;
    for (struct table_entry *entry; (entry = kin__table_next(first, &frame->position)) != NULL;) {
        struct table_entry *found = NULL;
        int r = kin__effort_charge(effort, 1) ? kin__table_find(second, entry->key, effort, &found)
                                              : KIN_ELIMIT;
        if (r == 1) {
            r = begin(stack, entry->value, found->value, effort);
        }
        if (r != 1 || stack->count != height) {
            return r;
        }
    }
    kin__stack_pop(stack);
    return 1;
}

/* What an instance of a registered class has of a kind; what it has not is as good as empty. */
static const kin_object *part_of_kind(const struct object_instance *instance, uint32_t kind)
{
    for (uint32_t i = 0; i < instance->part_count; i++) {
        if (instance->parts[i].kind == kind) {
            return instance->parts[i].object;
        }
    }
    return NULL;
}

static const kin_object *thing_at(const struct object_instance *instance, uint64_t place)
{
    if (place == PLACE_CALLABLE) {
        return instance->class_ == NULL ? instance->callable : NULL;
    }
    if (place == PLACE_ARGUMENTS) {
        return instance->arguments;
    }
    if (place == PLACE_KEYWORDS) {
        return instance->keywords;
    }
    return instance->class_ == NULL
               ? instance->parts[place - PLACE_PARTS].object
               : part_of_kind(instance, (uint32_t)(place - PLACE_PARTS) + PART_ITEMS);
}

static int begin_things(struct kin__stack *stack, const kin_object *first, const kin_object *second,
                        struct kin__effort *effort)
{
    if (first != NULL && second != NULL) {
        return begin(stack, first, second, effort);
    }
    const kin_object *present = first != NULL ? first : second;
    kin_kind kind = kin__kind(present);
    return kind == KIN_KIND_NOTHING || kind == KIN_KIND_NONE ||
           (kind >= KIN_KIND_LIST && kind <= KIN_KIND_FROZENSET && kin_object_count(present) == 0);
}

static int advance_instance(struct kin__stack *stack, struct kin__effort *effort)
{
    size_t height = stack->count;
    struct equal_frame *frame = kin__stack_top(stack);
    const struct object_instance *first = (const struct object_instance *)frame->first;
    const struct object_instance *second = (const struct object_instance *)frame->second;
    uint64_t end = PLACE_PARTS + (first->class_ == NULL ? first->part_count : PART_STATE);
    while (frame->position < end) {
        uint64_t place = frame->position++;
        int r = kin__effort_charge(effort, 1)
                    ? begin_things(stack, thing_at(first, place), thing_at(second, place), effort)
                    : KIN_ELIMIT;
        if (r != 1 || stack->count != height) {
            return r;
        }
    }
    kin__stack_pop(stack);
    return 1;
}

/* Goes on with the pair on top. 1 (so far), 0, a code. */
static int advance(struct kin__stack *stack, struct kin__effort *effort)
{
    const struct equal_frame *frame = kin__stack_top(stack);
    switch (frame->first->kind) {
    case KIN_KIND_LIST: {
        const struct object_list *list = (const struct object_list *)frame->first;
        const struct object_list *other = (const struct object_list *)frame->second;
        return advance_items(stack, list->items, other->items, list->count, effort);
    }
    case KIN_KIND_TUPLE: {
        const struct object_tuple *tuple = (const struct object_tuple *)frame->first;
        const struct object_tuple *other = (const struct object_tuple *)frame->second;
        return advance_items(stack, tuple->items, other->items, tuple->count, effort);
    }
    case KIN_KIND_DICT:
        return advance_dict(stack, effort);
    default:
        return advance_instance(stack, effort);
    }
}

/* Compares two containers. What was assumed meanwhile holds only if they are equal. */
static int equal_graphs(const kin_object *first, const kin_object *second,
                        struct kin__effort *effort)
{
    struct equal_frame frames[FRAMES];
    struct kin__stack stack;
    uint32_t joined_before = effort->pairs->joined_count;
    kin__stack_init(&stack, frames, FRAMES, sizeof frames[0]);
    int r = begin(&stack, first, second, effort);
    while (r == 1 && stack.count != 0) {
        r = advance(&stack, effort);
    }
    kin__stack_deinit(&stack);
    if (r != 1) {
        kin__pairs_undo(effort->pairs, joined_before);
    }
    return r;
}

int kin__equal(const kin_object *first, const kin_object *second, struct kin__effort *effort)
{
    if (!kin__is_container(first) || !kin__is_container(second)) {
        return equal_leaves(first, second, effort);
    }
    if (effort->depth >= KIN__EFFORT_DEPTH_MAX) {
        return KIN_ELIMIT;
    }
    struct kin__pairs pairs = {0};
    bool is_outermost = effort->pairs == NULL;
    if (is_outermost) {
        effort->pairs = &pairs;
    }
    effort->depth++;
    int r = equal_graphs(first, second, effort);
    effort->depth--;
    if (is_outermost) {
        effort->pairs = NULL;
        kin__pairs_deinit(&pairs);
    }
    return r;
}

int kin_object_equal(const kin_object *first, const kin_object *second)
{
    struct kin__effort effort;
    return kin__equal(first, second, kin__effort_begin(&effort));
}
