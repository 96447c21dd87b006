#include <kin/list.h>

#include "base/allocate.h"
#include "object/encode/leaf.h"
#include "object/instance.h"

#define FRAMES_MAX (UINT32_C(1) << 24)

int kin__encode_grow(struct encoder *encoder, size_t bytes)
{
    struct kin__encoding *encoding = encoder->encoding;
    size_t used = (size_t)(encoder->next - encoding->bytes);
    size_t capacity = (size_t)(encoder->end - encoding->bytes);
    if (bytes > SIZE_MAX / 4 - capacity) {
        return -ENOMEM;
    }
    capacity = 2 * capacity > used + bytes ? 2 * capacity : 2 * (used + bytes);
    bool is_first = encoding->bytes == encoding->first;
    unsigned char *grown = kin__reallocate(is_first ? NULL : encoding->bytes, capacity);
    if (grown == NULL) {
        return -ENOMEM;
    }
    if (is_first) {
        memcpy(grown, encoding->first, used);
    }
    encoding->bytes = grown;
    encoder->next = grown + used;
    encoder->end = grown + capacity;
    return 0;
}

static int grow_frames(struct encoder *encoder)
{
    uint32_t capacity = 4 * encoder->frame_capacity;
    bool is_first = encoder->frames == encoder->first;
    if (capacity > FRAMES_MAX) {
        return -ENOMEM;
    }
    struct encode_frame *grown = kin__reallocate(is_first ? NULL : encoder->frames,
                                                 capacity * sizeof *grown);
    if (grown == NULL) {
        return -ENOMEM;
    }
    if (is_first) {
        memcpy(grown, encoder->first, sizeof encoder->first);
    }
    encoder->frames = grown;
    encoder->frame_capacity = capacity;
    return 0;
}

struct encode_frame *kin__encode_push(struct encoder *encoder, encode_step *step,
                                      const kin_object *object)
{
    if (encoder->depth == encoder->frame_capacity && grow_frames(encoder) < 0) {
        return NULL;
    }
    struct encode_frame *frame = &encoder->frames[encoder->depth++];
    *frame = (struct encode_frame){.step = step, .object = object};
    return frame;
}

static int encode_complex(struct encoder *encoder, const struct object_complex *complex)
{
    static const struct known_global class_ = {"builtins", "complex"};
    int r = kin__encode_known(encoder, &class_);
    if (r == 0) {
        r = kin__encode_reserve(encoder, 32);
    }
    if (r == 0) {
        encoder->next = kin__write_float(encoder->next, complex->real);
        encoder->next = kin__write_float(encoder->next, complex->imaginary);
        kin__write_u8(encoder, OPCODE_TUPLE2);
        kin__write_u8(encoder, OPCODE_REDUCE);
        r = kin__encode_note(encoder, &complex->object);
    }
    return r;
}

static int encode_text(struct encoder *encoder, const struct object_text *text)
{
    int r = kin__encode_text(encoder, text->bytes, text->size);
    return r < 0 ? r : kin__encode_note(encoder, &text->object);
}

static int encode_in_memory(struct encoder *encoder, const kin_object *object)
{
    const void *whole = object;
    switch ((kin_kind)object->kind) {
    case KIN_KIND_INT:
        return kin__encode_integer(encoder, whole);
    case KIN_KIND_COMPLEX:
        return encode_complex(encoder, whole);
    case KIN_KIND_STR:
        return encode_text(encoder, whole);
    case KIN_KIND_BYTES:
    case KIN_KIND_BYTEARRAY:
        return kin__encode_data(encoder, whole);
    case KIN_KIND_LIST:
        return kin__encode_list(encoder, object);
    case KIN_KIND_TUPLE:
        return kin__encode_tuple(encoder, object);
    case KIN_KIND_DICT:
        return kin__encode_dict(encoder, object);
    case KIN_KIND_SET:
    case KIN_KIND_FROZENSET:
        return kin__encode_set(encoder, object);
    case KIN_KIND_GLOBAL:
        return kin__encode_global(encoder, whole);
    case KIN_KIND_INSTANCE:
    case KIN_KIND_OPAQUE:
        return kin__encode_instance(encoder, object);
    case KIN_KIND_HANDLE:
        return kin__encode_handle(encoder, whole);
    case KIN_KIND_FD:
        return kin__encode_fd(encoder, whole);
    default: /* is a leaf */
        return -EINVAL;
    }
}

int kin__encode_branch(struct encoder *encoder, const kin_object *object)
{
    if (object == NULL) {
        return -ENOMEM;
    }
    int r = kin__may_come_again(encoder, object) ? kin__encode_get(encoder, object) : 0;
    return r == 0 ? encode_in_memory(encoder, object) : r < 0 ? r : 0;
}

int kin__encode_value(struct encoder *encoder, const kin_object *object)
{
    int r = kin__encode_reserve(encoder, LEAF_BYTES);
    return r < 0 || kin__encode_leaf(encoder, object) ? r : kin__encode_branch(encoder, object);
}

static int encode_all(struct encoder *encoder, const kin_object *object)
{
    kin__write_u8(encoder, OPCODE_PROTO);
    kin__write_u8(encoder, encoder->protocol);
    int r = kin__encode_value(encoder, object);
    while (r >= 0 && encoder->depth > 0) {
        struct encode_frame *frame = &encoder->frames[encoder->depth - 1];
        r = frame->step(encoder, frame);
    }
    return r < 0 ? r : kin__encode_opcode(encoder, OPCODE_STOP);
}

static int check_options(const struct kin__encode_options *options)
{
    bool has_buffers = options->buffer_bytes_min != 0;
    if (options->protocol < 2 || options->protocol > 5 ||
        (has_buffers && (options->protocol < 5 || options->buffers == NULL ||
                         kin_object_kind(options->buffers) != KIN_KIND_LIST))) {
        return -EINVAL;
    }
    return 0;
}

int kin__pickle_encode(const kin_object *object, const struct kin__encode_options *options,
                       struct kin__encoding *ret_encoding)
{
    struct kin__encode_options resolved = options == NULL ? (struct kin__encode_options){0}
                                                          : *options;
    resolved.protocol = resolved.protocol == 0 ? 4 : resolved.protocol;
    int r = object == NULL ? -ENOMEM : check_options(&resolved);
    if (r < 0) {
        return r;
    }
    struct encoder encoder;
    memset(&encoder, 0, offsetof(struct encoder, first));
    encoder.options = &resolved;
    encoder.protocol = resolved.protocol;
    encoder.frames = encoder.first;
    encoder.frame_capacity = ENCODE_FRAMES_FIRST;
    encoder.encoding = ret_encoding;
    kin__encoding_init(ret_encoding);
    encoder.next = ret_encoding->first;
    encoder.end = ret_encoding->first + sizeof ret_encoding->first;
    size_t buffer_count = kin_object_count(resolved.buffers);

    r = encode_all(&encoder, object);

    ret_encoding->own_size = (size_t)(encoder.next - ret_encoding->bytes);
    ret_encoding->size += ret_encoding->own_size;
    kin__encode_memo_free(&encoder);
    if (encoder.frames != encoder.first) {
        kin__release(encoder.frames);
    }
    if (r < 0) {
        while (kin_object_count(resolved.buffers) > buffer_count) {
            kin_list_remove(resolved.buffers, kin_object_count(resolved.buffers) - 1);
        }
        kin__encoding_deinit(ret_encoding);
    }
    return r;
}
