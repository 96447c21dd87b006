/**
 * Writing: numbers, opcodes, and leaves, which are what most objects are; all of it inline.
 */
#ifndef KIN_OBJECT_ENCODE_LEAF_H
#define KIN_OBJECT_ENCODE_LEAF_H

#include "object/encode/encode.h"

#include <string.h>

/* Room for so many bytes. 0, -ENOMEM. */
static inline int kin__encode_reserve(struct encoder *encoder, size_t bytes)
{
    return (size_t)(encoder->end - encoder->next) >= bytes ? 0 : kin__encode_grow(encoder, bytes);
}

/* Bytes for which there is room. */
static inline void kin__write_u8(struct encoder *encoder, unsigned value)
{
    *encoder->next++ = (unsigned char)value;
}

static inline void kin__write_little_endian(unsigned char *at, uint64_t value, size_t bytes)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    memcpy(at, &value, bytes);
}

static inline void kin__write_number(struct encoder *encoder, uint64_t value, size_t bytes)
{
    kin__write_little_endian(encoder->next, value, bytes);
    encoder->next += bytes;
}

/* One opcode without argument. 0, -ENOMEM. */
static inline int kin__encode_opcode(struct encoder *encoder, enum opcode opcode)
{
    int r = kin__encode_reserve(encoder, 1);
    if (r == 0) {
        kin__write_u8(encoder, opcode);
    }
    return r;
}

static inline bool kin__is_shared(const kin_object *object)
{
    return atomic_load_explicit(&object->count, memory_order_relaxed) > 1;
}

/* Whether the object can come a second time. */
static inline bool kin__may_come_again(const struct encoder *encoder, const kin_object *object)
{
    return kin__is_shared(object) ||
           (encoder->open_count != 0 && kin__kind_is_container((kin_kind)object->kind));
}

/* Notes an object that was just written, if it can come again. */
static inline int kin__encode_note(struct encoder *encoder, const kin_object *object)
{
    return kin__may_come_again(encoder, object) ? kin__encode_put(encoder, object) : 0;
}

/* Notes that what a frame writes cannot be noted before it is complete. */
static inline void kin__encode_open(struct encoder *encoder, struct encode_frame *frame)
{
    frame->is_open = kin__is_shared(frame->object);
    encoder->open_count += frame->is_open;
}

/* Completes it. If it was written once more inside itself, what stands on the stack for it is
 * thrown away, by `drop_count` times `drop`; else it is made by `opcode`, and noted. 0: made; 1:
 * thrown away. */
static inline int kin__encode_close(struct encoder *encoder, const struct encode_frame *frame,
                                    enum opcode drop, uint32_t drop_count, enum opcode opcode)
{
    const kin_object *object = frame->object;
    bool may_come_again = frame->is_called ? kin__is_shared(object)
                                           : kin__may_come_again(encoder, object);
    int r = kin__encode_reserve(encoder, 8);
    encoder->open_count -= frame->is_open;
    if (r == 0 && may_come_again) {
        memset(encoder->next, drop, drop_count);
        encoder->next += drop_count;
        r = kin__encode_get(encoder, object);
        encoder->next -= r == 0 ? drop_count : 0;
    }
    if (r == 0) {
        kin__write_u8(encoder, opcode);
        r = may_come_again ? kin__encode_put(encoder, object) : 0;
    }
    return r;
}

/* An int of 62 bits: at most 10 bytes, 10 are written to. */
static inline unsigned char *kin__write_small_int(unsigned char *at, int64_t value)
{
    if (value == (int32_t)value) {
        bool is_byte = (uint64_t)value <= 0xff;
        bool is_short = (uint64_t)value <= 0xffff;
        unsigned opcode = is_byte ? OPCODE_BININT1 : is_short ? OPCODE_BININT2 : OPCODE_BININT;
        kin__write_little_endian(at, opcode | (uint64_t)value << 8, 8);
        return at + (is_byte ? 2 : is_short ? 3 : 5);
    }
    size_t bytes = (size_t)(64 - __builtin_clrsbll(value) + 7) / 8;
    at[0] = OPCODE_LONG1;
    at[1] = (unsigned char)bytes;
    kin__write_little_endian(at + 2, (uint64_t)value, 8);
    return at + 2 + bytes;
}

static inline unsigned char *kin__write_float(unsigned char *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = __builtin_bswap64(bits);
    at[0] = OPCODE_BINFLOAT;
    kin__write_little_endian(at + 1, bits, 8);
    return at + 9;
}

/* Up to 255 bytes. */
static inline void kin__copy_short(unsigned char *to, const void *from, size_t size)
{
    const unsigned char *start = from;
    if (size > 16) {
        memcpy(to, start, size);
    } else if (size >= 8) {
        memcpy(to, start, 8);
        memcpy(to + size - 8, start + size - 8, 8);
    } else if (size >= 4) {
        memcpy(to, start, 4);
        memcpy(to + size - 4, start + size - 4, 4);
    } else {
        for (size_t i = 0; i < size; i++) {
            to[i] = start[i];
        }
    }
}

/* Writes what is small and comes once; false: it is something else. There is room for
 * LEAF_BYTES. */
static inline __attribute__((always_inline)) bool kin__encode_leaf(struct encoder *encoder,
                                                                   const kin_object *object)
{
    unsigned char *at = encoder->next;
    if (kin__is_small_int(object)) {
        encoder->next = kin__write_small_int(at, kin__small_int_value(object));
        return true;
    }
    if (!kin__is_in_memory(object)) {
        *at = object == KIN__NONE    ? OPCODE_NONE
              : object == KIN__TRUE  ? OPCODE_NEWTRUE
              : object == KIN__FALSE ? OPCODE_NEWFALSE
                                     : 0;
        encoder->next += object != NULL;
        return object != NULL;
    }
    if (object->kind == KIN_KIND_STR) {
        const struct object_text *text = (const struct object_text *)object;
        if (text->size > 255 || encoder->protocol < 4 || kin__may_come_again(encoder, object)) {
            return false;
        }
        at[0] = OPCODE_SHORT_BINUNICODE;
        at[1] = (unsigned char)text->size;
        kin__copy_short(at + 2, text->bytes, text->size);
        encoder->next = at + 2 + text->size;
        return true;
    }
    if (object->kind == KIN_KIND_FLOAT) {
        encoder->next = kin__write_float(at, ((const struct object_float *)object)->value);
        return true;
    }
    return false;
}

#endif
