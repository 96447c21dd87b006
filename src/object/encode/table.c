/**
 * Dicts and sets. Before protocol 4 a set is a call of its class with a list.
 */
#include "object/encode/leaf.h"

#define INLINE static inline __attribute__((always_inline))

/* Writes a key or value. 1: done; 0: a frame was begun, which does the rest. */
INLINE int write_one(struct encoder *encoder, const kin_object *object)
{
    int r = kin__encode_reserve(encoder, LEAF_BYTES);
    if (r < 0) {
        return r;
    }
    if (kin__encode_leaf(encoder, object)) {
        return 1;
    }
    uint32_t depth = encoder->depth;
    r = kin__encode_branch(encoder, object);
    return r < 0 ? r : encoder->depth == depth;
}

/* Writes what is left of the entry that is next. 1: all; 0: a frame was begun. */
static int write_entry(struct encoder *encoder, struct encode_frame *frame,
                       const struct table_entry *entry)
{
    bool has_value = frame->unit == 2;
    int r = 1;
    if (!frame->is_at_value) {
        frame->is_at_value = has_value;
        frame->next += has_value ? 0 : 1;
        r = write_one(encoder, entry->key);
    }
    if (r > 0 && has_value) {
        frame->is_at_value = false;
        frame->next++;
        r = write_one(encoder, entry->value);
    }
    return r;
}

/* Writes entries up to the end of the batch; there `batch_end` counts keys that are left of it. */
static int write_entries(struct encoder *encoder, struct encode_frame *frame,
                         const struct object_table *table)
{
    int r = 1;
    while (r > 0 && (frame->batch_end > 0 || frame->is_at_value)) {
        if (frame->next >= table->used) { /* a hook has taken some out */
            return -EINVAL;
        }
        const struct table_entry *entry = &table->entries[frame->next];
        if (entry->key == NULL) {
            frame->next++;
            continue;
        }
        frame->batch_end -= frame->is_at_value ? 0 : 1;
        r = write_entry(encoder, frame, entry);
    }
    return r;
}

static int begin_batch(struct encoder *encoder, struct encode_frame *frame, uint64_t count)
{
    uint64_t left = count - frame->begun;
    frame->is_single = frame->begun == 0 && left == 1 && frame->single_opcode != 0;
    frame->batch_end = left < BATCH_ITEMS || frame->closing == CLOSE_FROZENSET ? left : BATCH_ITEMS;
    frame->begun += frame->batch_end;
    frame->has_batch = true;
    return frame->is_single ? 0 : kin__encode_opcode(encoder, OPCODE_MARK);
}

static int end_batch(struct encoder *encoder, struct encode_frame *frame)
{
    frame->has_batch = false;
    if (frame->closing == CLOSE_FROZENSET) {
        return 0;
    }
    return kin__encode_opcode(encoder, frame->is_single ? frame->single_opcode : frame->opcode);
}

/* Writes what comes after the items. */
static int close_table(struct encoder *encoder, const struct encode_frame *frame)
{
    int r = 0;
    encoder->depth--;
    if (frame->closing == CLOSE_FROZENSET) {
        r = kin__encode_close(encoder, frame, OPCODE_POP_MARK, 1, OPCODE_FROZENSET);
    } else if (frame->closing == CLOSE_CALL) {
        r = kin__encode_opcode(encoder, OPCODE_TUPLE1);
        if (r == 0) {
            r = kin__encode_close(encoder, frame, OPCODE_POP, 2, OPCODE_REDUCE);
        }
    }
    return r < 0 ? r : 0;
}

static int step_table(struct encoder *encoder, struct encode_frame *frame)
{
    const struct object_table *table = (const struct object_table *)frame->object;
    int r = 1;
    while (r > 0) {
        if (frame->has_batch) {
            r = write_entries(encoder, frame, table);
            if (r > 0 && end_batch(encoder, frame) < 0) {
                r = -ENOMEM;
            }
        } else if (frame->begun >= table->count) {
            return close_table(encoder, frame);
        } else if (begin_batch(encoder, frame, table->count) < 0) {
            r = -ENOMEM;
        }
    }
    return r;
}

static struct encode_frame *push(struct encoder *encoder, const kin_object *object)
{
    struct encode_frame *frame = kin__encode_push(encoder, step_table, object);
    if (frame != NULL) {
        frame->unit = 1;
    }
    return frame;
}

int kin__encode_pairs(struct encoder *encoder, const kin_object *dict)
{
    if (((const struct object_table *)dict)->count == 0) {
        return 0;
    }
    struct encode_frame *frame = push(encoder, dict);
    if (frame == NULL) {
        return -ENOMEM;
    }
    frame->unit = 2;
    frame->opcode = OPCODE_SETITEMS;
    frame->single_opcode = OPCODE_SETITEM;
    return 0;
}

int kin__encode_dict(struct encoder *encoder, const kin_object *dict)
{
    int r = kin__encode_opcode(encoder, OPCODE_EMPTY_DICT);
    if (r == 0) {
        r = kin__encode_note(encoder, dict);
    }
    return r < 0 ? r : kin__encode_pairs(encoder, dict);
}

static int encode_set_by_call(struct encoder *encoder, const kin_object *set)
{
    static const struct known_global class_ = {"builtins", "set"};
    static const struct known_global frozen_class = {"builtins", "frozenset"};
    int r = kin__encode_known(encoder, set->kind == KIN_KIND_SET ? &class_ : &frozen_class);
    if (r == 0) {
        r = kin__encode_opcode(encoder, OPCODE_EMPTY_LIST);
    }
    struct encode_frame *frame = r < 0 ? NULL : push(encoder, set);
    if (frame == NULL) {
        return r < 0 ? r : -ENOMEM;
    }
    frame->opcode = OPCODE_APPENDS;
    frame->single_opcode = OPCODE_APPEND;
    frame->closing = CLOSE_CALL;
    kin__encode_open(encoder, frame);
    return 0;
}

int kin__encode_set(struct encoder *encoder, const kin_object *set)
{
    bool is_frozen = set->kind == KIN_KIND_FROZENSET;
    if (encoder->protocol < 4) {
        return encode_set_by_call(encoder, set);
    }
    int r = is_frozen ? 0 : kin__encode_opcode(encoder, OPCODE_EMPTY_SET);
    if (r == 0 && !is_frozen) {
        r = kin__encode_note(encoder, set);
    }
    struct encode_frame *frame = r < 0 ? NULL : push(encoder, set);
    if (frame == NULL) {
        return r < 0 ? r : -ENOMEM;
    }
    frame->opcode = OPCODE_ADDITEMS;
    if (is_frozen) {
        frame->closing = CLOSE_FROZENSET;
        kin__encode_open(encoder, frame);
        if (((const struct object_table *)set)->count == 0) {
            r = kin__encode_opcode(encoder, OPCODE_MARK);
        }
    }
    return r;
}
