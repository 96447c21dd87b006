/**
 * What has bytes: text, bytes, large ints. Large blobs are referred to, not copied.
 */
#include "base/allocate.h"
#include "object/encode/leaf.h"

#include <kin/list.h>

/* Opcodes by the size of what follows: in one byte, four, eight; 0: there is none. */
struct size_opcodes {
    uint8_t in_1;
    uint8_t in_4;
    uint8_t in_8;
};

static int write_size(struct encoder *encoder, const struct size_opcodes *opcodes, size_t size)
{
    int r = kin__encode_reserve(encoder, 9);
    if (r < 0) {
        return r;
    }
    if (size <= UINT8_MAX && opcodes->in_1 != 0) {
        kin__write_u8(encoder, opcodes->in_1);
        kin__write_number(encoder, size, 1);
    } else if (size <= UINT32_MAX && opcodes->in_4 != 0) {
        kin__write_u8(encoder, opcodes->in_4);
        kin__write_number(encoder, size, 4);
    } else if (opcodes->in_8 != 0) {
        kin__write_u8(encoder, opcodes->in_8);
        kin__write_number(encoder, size, 8);
    } else {
        return -EOPNOTSUPP;
    }
    return 0;
}

static int refer_to(struct encoder *encoder, const void *data, size_t size)
{
    struct kin__encoding *encoding = encoder->encoding;
    int r = kin__encoding_make_room((void **)&encoding->blobs, sizeof *encoding->blobs,
                                    encoding->blob_count, &encoding->blob_capacity);
    if (r == 0) {
        encoding->blobs[encoding->blob_count++] = (struct kin__encoding_blob){
            .at = (size_t)(encoder->next - encoding->bytes), .data = data, .size = size};
        encoding->size += size;
    }
    return r;
}

static int write_blob(struct encoder *encoder, const void *data, size_t size)
{
    if (size >= KIN__BLOB_BYTES_MIN) {
        return refer_to(encoder, data, size);
    }
    int r = kin__encode_reserve(encoder, size);
    if (r == 0 && size != 0) {
        memcpy(encoder->next, data, size);
        encoder->next += size;
    }
    return r;
}

int kin__encode_integer(struct encoder *encoder, const struct object_integer *integer)
{
    static const struct size_opcodes opcodes = {.in_1 = OPCODE_LONG1, .in_4 = OPCODE_LONG4};
    int r = integer->size > INT32_MAX ? -EOPNOTSUPP : write_size(encoder, &opcodes, integer->size);
    return r < 0 ? r : write_blob(encoder, integer->bytes, integer->size);
}

int kin__encode_text(struct encoder *encoder, const char *text, size_t size)
{
    static const struct size_opcodes old = {.in_4 = OPCODE_BINUNICODE};
    static const struct size_opcodes opcodes = {
        .in_1 = OPCODE_SHORT_BINUNICODE, .in_4 = OPCODE_BINUNICODE, .in_8 = OPCODE_BINUNICODE8};
    int r = write_size(encoder, encoder->protocol < 4 ? &old : &opcodes, size);
    return r < 0 ? r : write_blob(encoder, text, size);
}

/* Bytes as a text of characters up to 255, each of which is a byte. */
static int write_latin1(struct encoder *encoder, const unsigned char *data, size_t size)
{
    static const struct size_opcodes opcodes = {.in_4 = OPCODE_BINUNICODE};
    size_t text_size = size;
    for (size_t i = 0; i < size; i++) {
        text_size += data[i] >> 7;
    }
    int r = write_size(encoder, &opcodes, text_size);
    if (r == 0) {
        r = kin__encode_reserve(encoder, text_size);
    }
    for (size_t i = 0; i < size && r == 0; i++) {
        if (data[i] >> 7 != 0) {
            kin__write_u8(encoder, 0xc0u | data[i] >> 6);
            kin__write_u8(encoder, 0x80u | (data[i] & 0x3f));
        } else {
            kin__write_u8(encoder, data[i]);
        }
    }
    return r;
}

/* Protocol 2 has no bytes: Python 2 shall make its own str of them, Python 3 bytes. */
static int write_bytes_by_call(struct encoder *encoder, const void *data, size_t size)
{
    static const struct known_global class_ = {"builtins", "bytes"};
    static const struct known_global encode = {"_codecs", "encode"};
    int r = kin__encode_known(encoder, size == 0 ? &class_ : &encode);
    if (r == 0 && size == 0) {
        r = kin__encode_opcode(encoder, OPCODE_EMPTY_TUPLE);
    } else if (r == 0) {
        r = write_latin1(encoder, data, size);
        if (r == 0) {
            r = kin__encode_text(encoder, "latin1", 6);
        }
        if (r == 0) {
            r = kin__encode_opcode(encoder, OPCODE_TUPLE2);
        }
    }
    return r < 0 ? r : kin__encode_opcode(encoder, OPCODE_REDUCE);
}

int kin__encode_bytes(struct encoder *encoder, const void *data, size_t size)
{
    static const struct size_opcodes old = {.in_1 = OPCODE_SHORT_BINBYTES, .in_4 = OPCODE_BINBYTES};
    static const struct size_opcodes opcodes = {
        .in_1 = OPCODE_SHORT_BINBYTES, .in_4 = OPCODE_BINBYTES, .in_8 = OPCODE_BINBYTES8};
    if (encoder->protocol < 3) {
        return write_bytes_by_call(encoder, data, size);
    }
    int r = write_size(encoder, encoder->protocol < 4 ? &old : &opcodes, size);
    return r < 0 ? r : write_blob(encoder, data, size);
}

static int write_bytearray(struct encoder *encoder, const struct object_bytes *data)
{
    static const struct known_global class_ = {"builtins", "bytearray"};
    static const struct size_opcodes opcodes = {.in_8 = OPCODE_BYTEARRAY8};
    if (encoder->protocol >= 5) {
        int r = write_size(encoder, &opcodes, data->size);
        return r < 0 ? r : write_blob(encoder, data->data, data->size);
    }
    int r = kin__encode_known(encoder, &class_);
    if (r == 0 && data->size == 0) {
        r = kin__encode_opcode(encoder, OPCODE_EMPTY_TUPLE);
    } else if (r == 0) {
        r = kin__encode_bytes(encoder, data->data, data->size);
        if (r == 0) {
            r = kin__encode_opcode(encoder, OPCODE_TUPLE1);
        }
    }
    return r < 0 ? r : kin__encode_opcode(encoder, OPCODE_REDUCE);
}

/* It goes beside the bytes. */
static int leave_out(struct encoder *encoder, const struct object_bytes *data)
{
    int r = kin_list_append(encoder->options->buffers, kin_object_ref(&data->object));
    if (r == 0) {
        r = kin__encode_opcode(encoder, OPCODE_NEXT_BUFFER);
    }
    if (r == 0 && data->object.kind == KIN_KIND_BYTES) {
        r = kin__encode_opcode(encoder, OPCODE_READONLY_BUFFER);
    }
    return r;
}

int kin__encode_data(struct encoder *encoder, const struct object_bytes *data)
{
    bool may_come_again = kin__may_come_again(encoder, &data->object);
    uint64_t least = encoder->options->buffer_bytes_min;
    bool is_shared = data->backing != NULL && data->backing->handle.counter != 0;
    int r;
    if (is_shared && encoder->options->takes_handles) {
        r = kin__encode_shared_memory(encoder, data->backing->handle);
    } else if (least != 0 && data->size >= least) {
        r = leave_out(encoder, data);
    } else if (data->object.kind == KIN_KIND_BYTEARRAY) {
        r = write_bytearray(encoder, data);
    } else {
        r = kin__encode_bytes(encoder, data->data, data->size);
    }
    return r == 0 && may_come_again ? kin__encode_put(encoder, data) : r;
}
