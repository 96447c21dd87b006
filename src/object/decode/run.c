/*
 * The loop over the opcodes. It executes by itself what plain values are made of, on a copy of the
 * cursor that the compiler keeps in registers, for which everything here is inlined; the others
 * are functions (kin__decode_functions), before and after which the copy is stored and loaded.
 */
#include <string.h>

#include "object/decode/decode.h"
#include "object/list.h"
#include "object/table.h"
#include "object/text.h"

#define INLINE static inline __attribute__((always_inline))
#define UNLIKELY(condition) __builtin_expect((condition), 0)

enum { SHORT_BYTES_MAX = 256 }; /* of text that is copied here */

/* Executes by the function of an opcode. */
INLINE int call(struct decoder *decoder, struct decode_cursor *cursor, decode_function *function)
{
    decoder->cursor = *cursor;
    int r = function(decoder);
    *cursor = decoder->cursor;
    return r;
}

INLINE bool has_left(const struct decode_cursor *cursor, size_t size)
{
    return (size_t)(cursor->end - cursor->at) >= size;
}

INLINE int fail_at_end(struct decoder *decoder, const struct decode_cursor *cursor)
{
    decoder->cursor = *cursor;
    kin__decode_fail_at_end(decoder);
    return -EBADMSG;
}

/* Pushes a value that takes no memory. */
INLINE int push_plain(struct decoder *decoder, struct decode_cursor *cursor, kin_object *value)
{
    if (UNLIKELY(decoder->object_left == 0)) {
        return kin__decode_charge_object(decoder, 0);
    }
    decoder->object_left--;
    *cursor->top++ = value;
    return 0;
}

INLINE int push_number(struct decoder *decoder, struct decode_cursor *cursor, size_t width)
{
    if (UNLIKELY(!has_left(cursor, width))) {
        return fail_at_end(decoder, cursor);
    }
    int64_t number = width == 1   ? kin__decode_u8(cursor->at)
                     : width == 2 ? kin__decode_u16(cursor->at)
                                  : (int32_t)kin__decode_u32(cursor->at);
    cursor->at += width;
    return push_plain(decoder, cursor, kin__small_int(number));
}

/* An object of `bytes` bytes, a multiple of 8, from the region that is being filled, if there is
 * room and no limit in the way. It is counted when it is whole. */
INLINE kin_object *take_object(struct decoder *decoder, kin_kind kind, size_t bytes)
{
    struct kin__arena *arena = &decoder->arena;
    if (UNLIKELY((size_t)(arena->end - arena->next) < bytes || decoder->memory_left < bytes ||
                 decoder->object_left == 0)) {
        return NULL;
    }
    kin_object *object = (kin_object *)(void *)arena->next;
    atomic_init(&object->count, 1);
    object->kind = (uint8_t)kind;
    object->flags = 0;
    object->region = (uint16_t)((size_t)(arena->next - (unsigned char *)arena->region) / 8);
    return object;
}

INLINE int push_object(struct decoder *decoder, struct decode_cursor *cursor, kin_object *object,
                       size_t bytes)
{
    decoder->arena.next += bytes;
    decoder->arena.fresh_count++;
    decoder->memory_left -= bytes;
    decoder->object_left--;
    *cursor->top++ = object;
    return 0;
}

INLINE int push_float(struct decoder *decoder, struct decode_cursor *cursor)
{
    struct object_float *object = NULL;
    if (has_left(cursor, 8)) {
        object = (struct object_float *)take_object(decoder, KIN_KIND_FLOAT, sizeof *object);
    }
    if (UNLIKELY(object == NULL)) {
        return call(decoder, cursor, kin__decode_functions[OPCODE_BINFLOAT]);
    }
    uint64_t bits = __builtin_bswap64(kin__decode_u64(cursor->at)); /* the highest byte first */
    memcpy(&object->value, &bits, sizeof bits);
    cursor->at += 8;
    return push_object(decoder, cursor, &object->object, sizeof *object);
}

/* Copies `size` bytes and a NUL, in words: up to 7 bytes more are read, 8 more written. Returns
 * whether all are ASCII. */
INLINE bool copy_text(char *to, const unsigned char *from, size_t size)
{
    uint64_t all = 0;
    uint64_t word;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        word = ((const volatile struct decode_u64 *)(const void *)(from + at))->value;
        memcpy(to + at, &word, 8);
        all |= word;
    }
    word = kin__decode_u64(from + at) & ((UINT64_C(1) << (8 * (size & 7))) - 1);
    all |= word;
    word = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
    memcpy(to + at, &word, 8);
    return (all & UINT64_C(0x8080808080808080)) == 0;
}

/* Pushes a str of the next `size` bytes. */
INLINE int push_text(struct decoder *decoder, struct decode_cursor *cursor, size_t size)
{
    struct object_text *text = NULL;
    size_t bytes = (sizeof *text + size + 8) & ~(size_t)7;
    if (size <= SHORT_BYTES_MAX && has_left(cursor, size) &&
        (size_t)(decoder->input_end - cursor->at) >= size + 8) {
        text = (struct object_text *)take_object(decoder, KIN_KIND_STR, bytes);
    }
    bool is_ascii = text != NULL && copy_text(text->bytes, cursor->at, size);
    if (UNLIKELY(!is_ascii && (text == NULL || kin__utf8_check(text->bytes, size) != UTF8_OTHER))) {
        decoder->cursor = *cursor;
        int r = kin__decode_text(decoder, size);
        *cursor = decoder->cursor;
        return r;
    }
    text->size = size;
    text->object.flags = is_ascii ? KIN__ASCII : 0;
    cursor->at += size;
    return push_object(decoder, cursor, &text->object, bytes);
}

/* Pushes text or bytes with their size, of `width` bytes, before them. */
INLINE int push_sized(struct decoder *decoder, struct decode_cursor *cursor, size_t width,
                      bool is_text)
{
    if (UNLIKELY(!has_left(cursor, width))) {
        return fail_at_end(decoder, cursor);
    }
    size_t size = width == 1 ? kin__decode_u8(cursor->at) : kin__decode_u32(cursor->at);
    cursor->at += width;
    if (is_text) {
        return push_text(decoder, cursor, size);
    }
    decoder->cursor = *cursor;
    int r = kin__decode_bytes(decoder, size);
    *cursor = decoder->cursor;
    return r;
}

INLINE int memoize(struct decoder *decoder, struct decode_cursor *cursor)
{
    size_t count = decoder->memo_count;
    if (UNLIKELY(count >= decoder->memo_simple_count || cursor->top == cursor->floor)) {
        return call(decoder, cursor, kin__decode_functions[OPCODE_MEMOIZE]);
    }
    decoder->memo[count] = cursor->top[-1];
    decoder->memo_count = count + 1;
    return 0;
}

/* BINPUT, as a rule of the next number. */
INLINE int put(struct decoder *decoder, struct decode_cursor *cursor)
{
    if (UNLIKELY(!has_left(cursor, 1) || kin__decode_u8(cursor->at) != decoder->memo_count)) {
        return call(decoder, cursor, kin__decode_functions[OPCODE_BINPUT]);
    }
    cursor->at++;
    return memoize(decoder, cursor);
}

INLINE int get(struct decoder *decoder, struct decode_cursor *cursor, size_t width)
{
    if (UNLIKELY(!has_left(cursor, width))) {
        return fail_at_end(decoder, cursor);
    }
    size_t index = width == 1 ? kin__decode_u8(cursor->at) : kin__decode_u32(cursor->at);
    cursor->at += width;
    if (UNLIKELY(index >= decoder->memo_count || decoder->memo_simple_count == 0 ||
                 decoder->object_left == 0)) {
        decoder->cursor = *cursor;
        int r = kin__decode_get_at(decoder, index);
        *cursor = decoder->cursor;
        return r;
    }
    kin_object *value = decoder->memo[index];
    kin__retain_private(value);
    decoder->is_depth_doubtful |= kin__is_container(value);
    decoder->object_left--;
    *cursor->top++ = value;
    return 0;
}

INLINE int mark(struct decoder *decoder, struct decode_cursor *cursor)
{
    uintptr_t below = (uintptr_t)(cursor->floor - decoder->stack);
    *cursor->top++ = (kin_object *)((below << 2) | 3);
    cursor->floor = cursor->top;
    return 0;
}

INLINE int push_list(struct decoder *decoder, struct decode_cursor *cursor)
{
    struct object_list *list;
    list = (struct object_list *)take_object(decoder, KIN_KIND_LIST, sizeof *list);
    if (UNLIKELY(list == NULL)) {
        return call(decoder, cursor, kin__decode_functions[OPCODE_EMPTY_LIST]);
    }
    kin__list_begin(list);
    return push_object(decoder, cursor, &list->container.object, sizeof *list);
}

INLINE int push_dict(struct decoder *decoder, struct decode_cursor *cursor)
{
    struct object_table *table;
    table = (struct object_table *)take_object(decoder, KIN_KIND_DICT, sizeof *table);
    if (UNLIKELY(table == NULL)) {
        return call(decoder, cursor, kin__decode_functions[OPCODE_EMPTY_DICT]);
    }
    kin__table_begin(table);
    return push_object(decoder, cursor, &table->container.object, sizeof *table);
}

/* Puts what is above the MARK into what is below it. */
INLINE int put_marked(struct decoder *decoder, struct decode_cursor *cursor, decode_fill *fill,
                      enum opcode opcode)
{
    kin_object **items = cursor->floor;
    if (items != decoder->stack) {
        kin_object **below = decoder->stack + ((uintptr_t)items[-1] >> 2);
        if (items - 1 > below && fill(decoder, items[-2], items, (size_t)(cursor->top - items))) {
            cursor->top = items - 1;
            cursor->floor = below;
            return 0;
        }
    }
    return call(decoder, cursor, kin__decode_functions[opcode]);
}

/* Puts `count` values into the one below them. */
INLINE int put_top(struct decoder *decoder, struct decode_cursor *cursor, size_t count,
                   decode_fill *fill, enum opcode opcode)
{
    kin_object **items = cursor->top - count;
    if (cursor->top - cursor->floor > (ptrdiff_t)count && fill(decoder, items[-1], items, count)) {
        cursor->top = items;
        return 0;
    }
    return call(decoder, cursor, kin__decode_functions[opcode]);
}

INLINE int execute(struct decoder *decoder, struct decode_cursor *cursor)
{
    unsigned char opcode = kin__decode_u8(cursor->at++);
    switch (opcode) {
    case OPCODE_SHORT_BINUNICODE:
        return push_sized(decoder, cursor, 1, true);
    case OPCODE_BINUNICODE:
        return push_sized(decoder, cursor, 4, true);
    case OPCODE_SHORT_BINBYTES:
        return push_sized(decoder, cursor, 1, false);
    case OPCODE_BINBYTES:
        return push_sized(decoder, cursor, 4, false);
    case OPCODE_BININT1:
        return push_number(decoder, cursor, 1);
    case OPCODE_BININT2:
        return push_number(decoder, cursor, 2);
    case OPCODE_BININT:
        return push_number(decoder, cursor, 4);
    case OPCODE_BINFLOAT:
        return push_float(decoder, cursor);
    case OPCODE_NONE:
        return push_plain(decoder, cursor, KIN__NONE);
    case OPCODE_NEWTRUE:
        return push_plain(decoder, cursor, KIN__TRUE);
    case OPCODE_NEWFALSE:
        return push_plain(decoder, cursor, KIN__FALSE);
    case OPCODE_MEMOIZE:
        return memoize(decoder, cursor);
    case OPCODE_BINPUT:
        return put(decoder, cursor);
    case OPCODE_BINGET:
        return get(decoder, cursor, 1);
    case OPCODE_LONG_BINGET:
        return get(decoder, cursor, 4);
    case OPCODE_MARK:
        return mark(decoder, cursor);
    case OPCODE_EMPTY_LIST:
        return push_list(decoder, cursor);
    case OPCODE_EMPTY_DICT:
        return push_dict(decoder, cursor);
    case OPCODE_APPEND:
        return put_top(decoder, cursor, 1, kin__decode_fill_list, OPCODE_APPEND);
    case OPCODE_APPENDS:
        return put_marked(decoder, cursor, kin__decode_fill_list, OPCODE_APPENDS);
    case OPCODE_SETITEM:
        return put_top(decoder, cursor, 2, kin__decode_fill_dict, OPCODE_SETITEM);
    case OPCODE_SETITEMS:
        return put_marked(decoder, cursor, kin__decode_fill_dict, OPCODE_SETITEMS);
    default:
        if (UNLIKELY(kin__decode_functions[opcode] == NULL)) {
            return kin__decode_fail(decoder, -EBADMSG, "no opcode");
        }
        return call(decoder, cursor, kin__decode_functions[opcode]);
    }
}

int kin__decode_run(struct decoder *decoder)
{
    struct decode_cursor cursor = decoder->cursor;
    int r = 0;
    while (r == 0) {
        if (UNLIKELY(cursor.at == cursor.end) || UNLIKELY(cursor.fuel == 0)) {
            r = call(decoder, &cursor, kin__decode_refill);
            continue;
        }
        cursor.fuel--;
        decoder->opcode_at = cursor.at;
        r = execute(decoder, &cursor);
    }
    decoder->cursor = cursor;
    return r;
}
