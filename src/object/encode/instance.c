/**
 * Instances, opaque objects, and what belongs to the family: what made them is written, then what
 * was done to them.
 */
#include "object/instance.h"
#include "object/encode/leaf.h"

/* `stage` of an instance's frame: what is to be written next. */
enum stage {
    STAGE_CALLABLE,
    STAGE_ARGUMENTS,
    STAGE_KEYWORDS,
    STAGE_MAKE,
    STAGE_PARTS,      /* `next` says which one */
    STAGE_AFTER_PART, /* the opcode that follows part `next` */
    STAGE_STATE,      /* what getstate says */
    STAGE_AFTER_STATE,
    STAGE_END
};

static bool has_keywords(const struct object_instance *instance)
{
    return instance->made_by == MADE_BY_NEW_WITH_KEYWORDS;
}

/* The call, when all that it needs is on the stack. 1: the instance was written inside itself, as a
 * whole. */
static int make(struct encoder *encoder, const struct encode_frame *frame)
{
    static const uint8_t opcodes[] = {[MADE_BY_CALL] = OPCODE_REDUCE,
                                      [MADE_BY_NEW] = OPCODE_NEWOBJ,
                                      [MADE_BY_NEW_WITH_KEYWORDS] = OPCODE_NEWOBJ_EX};
    const struct object_instance *instance = (const struct object_instance *)frame->object;
    uint32_t values = has_keywords(instance) ? 3 : 2;
    enum opcode opcode = opcodes[instance->made_by];
    if (has_keywords(instance) && encoder->protocol < 4) {
        int r = kin__encode_opcode(encoder, OPCODE_TUPLE3);
        if (r < 0) {
            return r;
        }
        values = 2;
        opcode = OPCODE_REDUCE;
    }
    return kin__encode_close(encoder, frame, OPCODE_POP, values, opcode);
}

static bool is_made(const kin_object *object)
{
    kin_kind kind = kin__kind(object);
    return kind == KIN_KIND_OPAQUE || kind == KIN_KIND_INSTANCE;
}

static int encode_callable(struct encoder *encoder, const struct object_instance *instance)
{
    const kin_object *callable = instance->callable;
    if (callable == NULL) {
        return kin__encode_class(encoder, instance->class_);
    }
    if (!is_made(callable) || kin__is_shared(callable) || encoder->called_count == CALLED_MAX) {
        return kin__encode_value(encoder, callable);
    }
    uint32_t place = encoder->depth;
    int r = kin__encode_instance(encoder, callable);
    if (r == 0) {
        encoder->frames[place].is_called = true;
        encoder->called_count++;
    }
    return r;
}

static int encode_keywords(struct encoder *encoder, const struct object_instance *instance)
{
    if (!has_keywords(instance)) {
        return 0;
    }
    return instance->keywords == NULL ? kin__encode_opcode(encoder, OPCODE_EMPTY_DICT)
                                      : kin__encode_value(encoder, instance->keywords);
}

static int encode_part(struct encoder *encoder, const struct instance_part *part)
{
    switch ((enum part_kind)part->kind) {
    case PART_ITEMS:
        return kin__encode_items(encoder, part->object, OPCODE_APPENDS, OPCODE_APPEND);
    case PART_PAIRS:
        return part->object->kind == KIN_KIND_LIST
                   ? kin__encode_items(encoder, part->object, OPCODE_SETITEMS, OPCODE_SETITEM)
                   : kin__encode_pairs(encoder, part->object);
    case PART_MEMBERS:
        return kin__encode_items(encoder, part->object, OPCODE_ADDITEMS, 0);
    case PART_STATE:
    case PART_EFFECT:
        return kin__encode_value(encoder, part->object);
    }
    return -EINVAL;
}

static int end_part(struct encoder *encoder, const struct instance_part *part)
{
    if (part->kind == PART_STATE) {
        return kin__encode_opcode(encoder, OPCODE_BUILD);
    }
    return part->kind == PART_EFFECT ? kin__encode_opcode(encoder, OPCODE_POP) : 0;
}

/* The next part that is written as it is; of an instance with a class, its state is not. */
static const struct instance_part *next_part(const struct object_instance *instance,
                                             struct encode_frame *frame)
{
    while (frame->next < instance->part_count && instance->class_ != NULL &&
           instance->parts[frame->next].kind == PART_STATE) {
        frame->next++;
    }
    return frame->next < instance->part_count ? &instance->parts[frame->next] : NULL;
}

/* The state, borrowed; NULL: none is written. What a hook has made lives as long as the encoding,
 * which may refer to it, as the memo does. */
static int get_state(struct encoder *encoder, const struct object_instance *instance,
                     const kin_object **ret_state)
{
    struct kin__encoding *encoding = encoder->encoding;
    const kin_object *object = &instance->container.object;
    if (instance->class_->getstate == NULL) {
        *ret_state = kin_instance_state(object);
        return 0;
    }
    int r = kin__encoding_make_room(&encoding->states, sizeof *encoding->states,
                                    encoding->state_count, &encoding->state_capacity);
    kin_object *state = NULL;
    if (r == 0) {
        r = kin__instance_get_state(object, &state);
    }
    if (r >= 0 && state != NULL) {
        encoding->states[encoding->state_count++] = state;
    }
    *ret_state = state;
    return r < 0 ? r : 0;
}

static int step_parts(struct encoder *encoder, struct encode_frame *frame,
                      const struct object_instance *instance)
{
    const struct instance_part *part = next_part(instance, frame);
    if (frame->stage == STAGE_AFTER_PART && part != NULL) {
        frame->stage = STAGE_PARTS;
        frame->next++;
        return end_part(encoder, part);
    }
    if (part != NULL) {
        frame->stage = STAGE_AFTER_PART;
        return encode_part(encoder, part);
    }
    frame->stage = instance->class_ != NULL ? STAGE_STATE : STAGE_END;
    return 0;
}

static int step_state(struct encoder *encoder, struct encode_frame *frame,
                      const struct object_instance *instance)
{
    const kin_object *state = NULL;
    int r = get_state(encoder, instance, &state);
    frame->stage = state != NULL ? STAGE_AFTER_STATE : STAGE_END;
    return r < 0 || state == NULL ? r : kin__encode_value(encoder, state);
}

static int step_instance(struct encoder *encoder, struct encode_frame *frame)
{
    const struct object_instance *instance = (const struct object_instance *)frame->object;
    int r = 0;
    switch ((enum stage)frame->stage) {
    case STAGE_CALLABLE:
        frame->stage = STAGE_ARGUMENTS;
        return encode_callable(encoder, instance);
    case STAGE_ARGUMENTS:
        frame->stage = STAGE_KEYWORDS;
        return kin__encode_value(encoder, instance->arguments);
    case STAGE_KEYWORDS:
        frame->stage = STAGE_MAKE;
        return encode_keywords(encoder, instance);
    case STAGE_MAKE:
        r = make(encoder, frame);
        frame->stage = r == 1 ? STAGE_END : STAGE_PARTS;
        return r < 0 ? r : 0;
    case STAGE_PARTS:
    case STAGE_AFTER_PART:
        return step_parts(encoder, frame, instance);
    case STAGE_STATE:
        return step_state(encoder, frame, instance);
    case STAGE_AFTER_STATE:
        frame->stage = STAGE_END;
        return kin__encode_opcode(encoder, OPCODE_BUILD);
    case STAGE_END:
        encoder->called_count -= frame->is_called;
        encoder->depth--;
    }
    return r;
}

int kin__encode_instance(struct encoder *encoder, const kin_object *object)
{
    static const struct known_global new_with_keywords = {"copyreg", "__newobj_ex__"};
    const struct object_instance *instance = (const struct object_instance *)object;
    int r = has_keywords(instance) && encoder->protocol < 4
                ? kin__encode_known(encoder, &new_with_keywords)
                : 0;
    struct encode_frame *frame = r < 0 ? NULL : kin__encode_push(encoder, step_instance, object);
    if (frame == NULL) {
        return r < 0 ? r : -ENOMEM;
    }
    kin__encode_open(encoder, frame);
    return 0;
}

/* --- what belongs to the family --- */

/* An object of `class_` that a handle names. */
static int encode_named(struct encoder *encoder, const struct known_global *class_,
                        kin_handle handle)
{
    struct kin__encoding *encoding = encoder->encoding;
    unsigned char bytes[KIN__WIRE_HANDLE_BYTES];
    if (!encoder->options->takes_handles) {
        return -EOPNOTSUPP;
    }
    int r = kin__encoding_make_room(&encoding->handles, sizeof *encoding->handles,
                                    encoding->handle_count, &encoding->handle_capacity);
    if (r == 0) {
        encoding->handles[encoding->handle_count++] = handle;
        kin__write_little_endian(bytes, handle.index, 4);
        kin__write_little_endian(bytes + 4, handle.family, 4);
        kin__write_little_endian(bytes + 8, handle.counter, 8);
        r = kin__encode_known(encoder, class_);
    }
    if (r == 0) {
        r = kin__encode_bytes(encoder, bytes, sizeof bytes);
    }
    if (r == 0) {
        r = kin__encode_reserve(encoder, 2);
    }
    if (r == 0) {
        kin__write_u8(encoder, OPCODE_TUPLE1);
        kin__write_u8(encoder, OPCODE_REDUCE);
    }
    return r;
}

int kin__encode_handle(struct encoder *encoder, const struct object_handle *handle)
{
    static const struct known_global class_ = {KIN__WIRE_MODULE, KIN__WIRE_HANDLE};
    int r = encode_named(encoder, &class_, handle->handle);
    return r < 0 ? r : kin__encode_note(encoder, &handle->object);
}

int kin__encode_shared_memory(struct encoder *encoder, kin_handle handle)
{
    static const struct known_global class_ = {KIN__WIRE_MODULE, KIN__WIRE_SHARED_MEMORY};
    return encode_named(encoder, &class_, handle);
}

int kin__encode_fd(struct encoder *encoder, const struct object_fd *fd)
{
    static const struct known_global class_ = {KIN__WIRE_MODULE, KIN__WIRE_FD};
    struct kin__encoding *encoding = encoder->encoding;
    if (!encoder->options->takes_fds) {
        return -EOPNOTSUPP;
    }
    int r = kin__encoding_make_room(&encoding->fds, sizeof *encoding->fds, encoding->fd_count,
                                    &encoding->fd_capacity);
    if (r == 0) {
        encoding->fds[encoding->fd_count++] = fd->fd;
        r = kin__encode_known(encoder, &class_);
    }
    if (r == 0) {
        r = kin__encode_reserve(encoder, LEAF_BYTES);
    }
    if (r == 0) {
        encoder->next = kin__write_small_int(encoder->next, encoding->fd_count - 1);
        kin__write_u8(encoder, OPCODE_TUPLE1);
        kin__write_u8(encoder, OPCODE_REDUCE);
        r = kin__encode_note(encoder, &fd->object);
    }
    return r;
}
