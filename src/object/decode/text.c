/* Text and bytes that are not as short as those the loop knows. */
#include "object/text.h"

#include <string.h>

#include "object/decode/decode.h"
#include "object/decode/escape.h"

/* A str of bytes, which are copied before they are looked at. */
static int put_text(struct decoder *decoder, const void *data, size_t size)
{
    kin_object *text = NULL;
    int r = kin__decode_charge_object(decoder, sizeof(struct object_text) + size + 8);
    if (r < 0) {
        return r;
    }
    r = kin__text_create(&decoder->arena, data, size, &text);
    return r < 0 ? kin__decode_fail_with(decoder, r == -EILSEQ ? -EBADMSG : r, "text is not UTF-8")
                 : kin__decode_push(decoder, text);
}

int kin__decode_text(struct decoder *decoder, size_t size)
{
    const unsigned char *at = kin__decode_take(decoder, size);
    return at == NULL ? -EBADMSG : put_text(decoder, at, size);
}

/* Python 2's str, which Python 3 takes for ASCII. */
static int put_old_text(struct decoder *decoder, const void *data, size_t size)
{
    int r = put_text(decoder, data, size);
    if (r == 0 && (decoder->cursor.top[-1]->flags & KIN__ASCII) == 0) {
        r = -EBADMSG;
    }
    return r == -EBADMSG ? kin__decode_fail(decoder, r, "a str of Python 2 that is not ASCII") : r;
}

static int put_bytes(struct decoder *decoder, kin_kind kind, size_t size)
{
    const unsigned char *at = kin__decode_take(decoder, size);
    if (at == NULL) {
        return -EBADMSG;
    }
    int r = kin__decode_charge_object(decoder, sizeof(struct object_bytes) + size + 16);
    if (r < 0) {
        return r;
    }
    kin_object *bytes = kin__bytes_create(&decoder->arena, kind, at, size);
    return bytes == NULL ? kin__decode_fail_with(decoder, -ENOMEM, NULL)
                         : kin__decode_push(decoder, bytes);
}

int kin__decode_bytes(struct decoder *decoder, size_t size)
{
    return put_bytes(decoder, KIN_KIND_BYTES, size);
}

/* Takes the size before text or bytes, of `width` bytes. */
static int take_size(struct decoder *decoder, size_t width, uint64_t *ret_size)
{
    const unsigned char *at = kin__decode_take(decoder, width);
    if (at == NULL) {
        return -EBADMSG;
    }
    *ret_size = width == 1   ? kin__decode_u8(at)
                : width == 4 ? kin__decode_u32(at)
                             : kin__decode_u64(at);
    return *ret_size > SIZE_MAX / 2 ? kin__decode_fail_at_end(decoder) : 0;
}

int kin__decode_binunicode8(struct decoder *decoder)
{
    uint64_t size;
    int r = take_size(decoder, 8, &size);
    return r < 0 ? r : kin__decode_text(decoder, (size_t)size);
}

int kin__decode_binbytes8(struct decoder *decoder)
{
    uint64_t size;
    int r = take_size(decoder, 8, &size);
    return r < 0 ? r : put_bytes(decoder, KIN_KIND_BYTES, (size_t)size);
}

int kin__decode_bytearray8(struct decoder *decoder)
{
    uint64_t size;
    int r = take_size(decoder, 8, &size);
    return r < 0 ? r : put_bytes(decoder, KIN_KIND_BYTEARRAY, (size_t)size);
}

int kin__decode_short_binstring(struct decoder *decoder)
{
    uint64_t size;
    int r = take_size(decoder, 1, &size);
    const unsigned char *at = r < 0 ? NULL : kin__decode_take(decoder, size);
    return at == NULL ? -EBADMSG : put_old_text(decoder, at, (size_t)size);
}

int kin__decode_binstring(struct decoder *decoder)
{
    uint64_t size;
    int r = take_size(decoder, 4, &size);
    if (r == 0 && size > INT32_MAX) {
        return kin__decode_fail(decoder, -EBADMSG, "the size of a str is negative");
    }
    const unsigned char *at = r < 0 ? NULL : kin__decode_take(decoder, size);
    return at == NULL ? -EBADMSG : put_old_text(decoder, at, (size_t)size);
}

int kin__decode_string(struct decoder *decoder)
{
    size_t size;
    int r = kin__decode_take_line(decoder, &size);
    if (r < 0) {
        return r;
    }
    const char *line = decoder->line;
    if (size < 2 || (line[0] != '\'' && line[0] != '"') || line[size - 1] != line[0]) {
        return kin__decode_fail(decoder, -EBADMSG, "a str without quotes");
    }
    char *write = decoder->line;
    if (!kin__escape_undo(line + 1, line + size - 1, &write)) {
        return kin__decode_fail(decoder, -EBADMSG, "a wrong escape in a str");
    }
    return put_old_text(decoder, decoder->line, (size_t)(write - decoder->line));
}

int kin__decode_unicode(struct decoder *decoder)
{
    size_t size;
    int r = kin__decode_take_line(decoder, &size);
    if (r == 0) {
        r = kin__decode_charge(decoder, 2 * size);
    }
    if (r < 0) {
        return r;
    }
    struct object_bytes *room = (struct object_bytes *)kin__bytes_create(NULL, KIN_KIND_BYTES, NULL,
                                                                         2 * size);
    if (room == NULL) {
        return kin__decode_fail_with(decoder, -ENOMEM, NULL);
    }
    char *first = (char *)room->data;
    char *write = first;
    r = kin__escape_undo_raw(decoder->line, decoder->line + size, &write)
            ? put_text(decoder, first, (size_t)(write - first))
            : kin__decode_fail(decoder, -EBADMSG, "a wrong escape in a str");
    kin_object_free(&room->object);
    return r;
}

int kin__decode_next_buffer(struct decoder *decoder)
{
    kin_object *buffer = kin_object_at(decoder->buffers, decoder->buffer_next);
    if (buffer == NULL) {
        return kin__decode_fail(decoder, -EBADMSG, "there is no buffer for it");
    }
    if (kin__kind(buffer) != KIN_KIND_BYTES && kin__kind(buffer) != KIN_KIND_BYTEARRAY) {
        return kin__decode_fail(decoder, -EBADMSG, "the buffer for it has no bytes");
    }
    int r = kin__decode_charge_object(decoder, 0);
    if (r == 0) { /* others may refer to it: it is counted atomically from now on */
        r = kin__decode_keep(decoder);
    }
    if (r < 0) {
        return r;
    }
    decoder->buffer_next++;
    return kin__decode_push(decoder, kin_object_ref(buffer));
}

int kin__decode_readonly_buffer(struct decoder *decoder)
{
    int r = kin__decode_need(decoder, 1);
    if (r < 0) {
        return r;
    }
    kin_object **top = &decoder->cursor.top[-1];
    kin_kind kind = kin__kind(*top);
    if (kind == KIN_KIND_BYTES) {
        return 0;
    }
    if (kind != KIN_KIND_BYTEARRAY) {
        return kin__decode_fail(decoder, -EBADMSG, "it is no buffer");
    }
    kin_bytes bytes = kin_object_bytes(*top);
    r = kin__decode_charge(decoder, sizeof(struct object_bytes) + bytes.size + 16);
    kin_object *copy = NULL;
    if (r == 0) {
        copy = kin__bytes_create(NULL, KIN_KIND_BYTES, bytes.data, bytes.size);
        r = copy == NULL ? kin__decode_fail_with(decoder, -ENOMEM, NULL)
                         : kin__decode_drop(decoder, *top);
    }
    if (r < 0) {
        kin_object_free(copy);
        return r;
    }
    *top = copy;
    return 0;
}
