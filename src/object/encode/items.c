/**
 * Lists and tuples, and lists of what instances are made of. The loop over items is the encoder's
 * fastest: no call for an int or a short text.
 */
#include "object/encode/leaf.h"

#define INT_BYTES 10u

static kin_object *const *items_of(const kin_object *object, uint64_t *ret_count)
{
    if (object->kind == KIN_KIND_LIST) {
        const struct object_list *list = (const struct object_list *)object;
        *ret_count = list->count;
        return list->items;
    }
    const struct object_tuple *tuple = (const struct object_tuple *)object;
    *ret_count = tuple->count;
    return tuple->items;
}

/* Writes ints, as many as follow each other. Where it ended; with no memory at `from`. */
static uint64_t write_ints(struct encoder *encoder, kin_object *const *items, uint64_t from,
                           uint64_t end)
{
    uint64_t most = end - from < BATCH_ITEMS ? end - from : BATCH_ITEMS;
    if (kin__encode_reserve(encoder, most * INT_BYTES) < 0) {
        return from;
    }
    uint64_t i = from;
    unsigned char *at = encoder->next;
    while (i < from + most && kin__is_small_int(items[i])) {
        at = kin__write_small_int(at, kin__small_int_value(items[i]));
        i++;
    }
    encoder->next = at;
    return i;
}

/* Writes items up to the end of the batch. 1: all; 0: a frame was begun for one of them. */
static int write_items(struct encoder *encoder, struct encode_frame *frame,
                       kin_object *const *items)
{
    uint64_t i = frame->next;
    uint64_t end = frame->batch_end;
    uint32_t depth = encoder->depth;
    while (i < end) {
        if (kin__is_small_int(items[i])) {
            uint64_t next = write_ints(encoder, items, i, end);
            if (next == i) {
                return -ENOMEM;
            }
            i = next;
            continue;
        }
        int r = kin__encode_reserve(encoder, LEAF_BYTES);
        if (r == 0 && !kin__encode_leaf(encoder, items[i])) {
            frame->next = i + 1;
            r = kin__encode_branch(encoder, items[i]);
            if (r == 0 && encoder->depth != depth) {
                return 0;
            }
        }
        if (r < 0) {
            return r;
        }
        i++;
    }
    frame->next = end;
    return 1;
}

static int begin_batch(struct encoder *encoder, struct encode_frame *frame, uint64_t count)
{
    uint64_t most = (uint64_t)BATCH_ITEMS * frame->unit;
    uint64_t left = count - frame->next;
    frame->is_single = frame->next == 0 && left == frame->unit && frame->single_opcode != 0;
    frame->batch_end = frame->next + (left < most ? left : most);
    frame->has_batch = true;
    return frame->is_single ? 0 : kin__encode_opcode(encoder, OPCODE_MARK);
}

static int end_batch(struct encoder *encoder, struct encode_frame *frame)
{
    frame->has_batch = false;
    return kin__encode_opcode(encoder, frame->is_single ? frame->single_opcode : frame->opcode);
}

static int step_list(struct encoder *encoder, struct encode_frame *frame)
{
    uint64_t count = 0;
    kin_object *const *items = items_of(frame->object, &count);
    int r = 1;
    if (frame->batch_end > count) { /* a hook has made it shorter */
        return -EINVAL;
    }
    while (r > 0) {
        if (frame->has_batch) {
            r = write_items(encoder, frame, items);
            if (r > 0 && end_batch(encoder, frame) < 0) {
                r = -ENOMEM;
            }
        } else if (frame->next == count) {
            encoder->depth--;
            r = 0;
        } else if (begin_batch(encoder, frame, count) < 0) {
            r = -ENOMEM;
        }
    }
    return r;
}

int kin__encode_items(struct encoder *encoder, const kin_object *list, enum opcode opcode,
                      unsigned single_opcode)
{
    uint64_t count = 0;
    uint8_t unit = opcode == OPCODE_SETITEMS ? 2 : 1;
    items_of(list, &count);
    if (count == 0) {
        return 0;
    }
    struct encode_frame *frame = kin__encode_push(encoder, step_list, list);
    if (frame == NULL) {
        return -ENOMEM;
    }
    frame->opcode = (uint8_t)opcode;
    frame->single_opcode = (uint8_t)single_opcode;
    frame->unit = unit;
    return count % unit == 0 ? 0 : -EINVAL;
}

int kin__encode_list(struct encoder *encoder, const kin_object *list)
{
    int r = kin__encode_opcode(encoder, OPCODE_EMPTY_LIST);
    if (r == 0) {
        r = kin__encode_note(encoder, list);
    }
    return r < 0 ? r : kin__encode_items(encoder, list, OPCODE_APPENDS, OPCODE_APPEND);
}

static int close_tuple(struct encoder *encoder, const struct encode_frame *frame)
{
    const struct object_tuple *tuple = (const struct object_tuple *)frame->object;
    static const uint8_t opcodes[] = {OPCODE_EMPTY_TUPLE, OPCODE_TUPLE1, OPCODE_TUPLE2,
                                      OPCODE_TUPLE3};
    bool is_short = tuple->count <= 3;
    int r = kin__encode_close(encoder, frame, is_short ? OPCODE_POP : OPCODE_POP_MARK,
                              is_short ? (uint32_t)tuple->count : 1,
                              is_short ? opcodes[tuple->count] : OPCODE_TUPLE);
    return r < 0 ? r : 0;
}

static int step_tuple(struct encoder *encoder, struct encode_frame *frame)
{
    const struct object_tuple *tuple = (const struct object_tuple *)frame->object;
    int r = write_items(encoder, frame, tuple->items);
    if (r > 0) {
        encoder->depth--;
        r = close_tuple(encoder, frame);
    }
    return r;
}

int kin__encode_tuple(struct encoder *encoder, const kin_object *object)
{
    const struct object_tuple *tuple = (const struct object_tuple *)object;
    if (tuple->count == 0) {
        return kin__encode_opcode(encoder, OPCODE_EMPTY_TUPLE);
    }
    struct encode_frame *frame = kin__encode_push(encoder, step_tuple, object);
    if (frame == NULL) {
        return -ENOMEM;
    }
    frame->batch_end = tuple->count;
    kin__encode_open(encoder, frame);
    return tuple->count > 3 ? kin__encode_opcode(encoder, OPCODE_MARK) : 0;
}
