#include "object/text.h"

#include "base/allocate.h"

#include <string.h>

/* The character that begins at `bytes`, of which `left` are there: its size, or 0: none. */
static size_t character_size(const unsigned char *bytes, size_t left)
{
    unsigned char first = bytes[0];
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size == 0 || first > 0xf4 || left < size) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_overlong = (first == 0xe0 && bytes[1] < 0xa0) || (first == 0xf0 && bytes[1] < 0x90);
    bool is_too_high = first == 0xf4 && bytes[1] > 0x8f;
    return is_overlong || is_too_high ? 0 : size;
}

static size_t ascii_size(const unsigned char *bytes, size_t size)
{
    size_t at = 0;
    for (uint64_t eight; size - at >= 8; at += 8) {
        memcpy(&eight, bytes + at, 8);
        if ((eight & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
    }
    while (at < size && bytes[at] < 0x80) {
        at++;
    }
    return at;
}

int kin__utf8_check(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    size_t at = ascii_size(bytes, size);
    if (at == size) {
        return UTF8_ASCII;
    }
    while (at < size) {
        size_t step = character_size(bytes + at, size - at);
        if (step == 0) {
            return 0;
        }
        at += step;
        if (step == 1) {
            at += ascii_size(bytes + at, size - at);
        }
    }
    return UTF8_OTHER;
}

/* A str of which only the size is set. */
static struct object_text *allocate_text(struct kin__arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    struct object_text *text = kin__object_allocate(arena, KIN_KIND_STR, sizeof *text + size + 1);
    if (text != NULL) {
        text->size = size;
        text->bytes[size] = '\0';
    }
    return text;
}

int kin__text_create(struct kin__arena *arena, const void *data, size_t size, kin_object **ret_text)
{
    struct object_text *text = allocate_text(arena, size);
    if (text == NULL) {
        return -ENOMEM;
    }
    if (size != 0) {
        memcpy(text->bytes, data, size);
    }
    int form = kin__utf8_check(text->bytes, size);
    if (form == 0) {
        kin_object_free(&text->object);
        return -EILSEQ;
    }
    text->object.flags = form == UTF8_ASCII ? KIN__ASCII : 0;
    *ret_text = &text->object;
    return 0;
}

int kin_object_from_str(const void *data, size_t size, kin_object **ret_object)
{
    if (ret_object == NULL || (data == NULL && size != 0)) {
        return -EINVAL;
    }
    return kin__text_create(NULL, data, size, ret_object);
}

/* Bytes that are not UTF-8 become the surrogates U+DC80 to U+DCFF, as Python's file names do. */
static size_t escape(const unsigned char *bytes, size_t size, char *ret_text)
{
    size_t written = 0;
    for (size_t at = 0; at < size;) {
        size_t step = character_size(bytes + at, size - at);
        bool is_surrogate = step == 3 && bytes[at] == 0xed && bytes[at + 1] >= 0xa0;
        if (step != 0 && !is_surrogate) {
            memcpy(ret_text + written, bytes + at, step);
            written += step;
            at += step;
        } else {
            ret_text[written++] = (char)0xed;
            ret_text[written++] = (char)(0xb0 | (bytes[at] >> 6));
            ret_text[written++] = (char)(0x80 | (bytes[at] & 0x3f));
            at++;
        }
    }
    return written;
}

kin_object *kin_object_from_text(const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    size_t size = strlen(text);
    kin_object *object = NULL;
    int r = kin__text_create(NULL, text, size, &object);
    if (r != -EILSEQ) {
        return object;
    }
    char *escaped = kin__allocate_array(size, 3);
    if (escaped == NULL) {
        return NULL;
    }
    size = escape((const unsigned char *)text, size, escaped);
    r = kin__text_create(NULL, escaped, size, &object);
    kin__release(escaped);
    return r < 0 ? NULL : object;
}

kin_object *kin__bytes_create(struct kin__arena *arena, kin_kind kind, const void *data,
                              size_t size)
{
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    bool is_inside = kind == KIN_KIND_BYTES;
    struct object_bytes *bytes = kin__object_allocate(arena, kind,
                                                      sizeof *bytes + (is_inside ? size + 1 : 1));
    if (bytes == NULL) {
        return NULL;
    }
    bytes->size = size;
    bytes->backing = NULL;
    bytes->data = bytes->bytes;
    if (!is_inside && size != 0) {
        bytes->data = kin__allocate(size + 1);
        if (bytes->data == NULL) {
            bytes->data = bytes->bytes;
            kin_object_free(&bytes->object);
            return NULL;
        }
    }
    if (data != NULL && size != 0) {
        memcpy(bytes->data, data, size);
    }
    bytes->data[size] = '\0';
    return &bytes->object;
}

kin_object *kin__bytes_resize(kin_object *object, size_t size)
{
    struct object_bytes *bytes = size > SIZE_MAX / 2
                                     ? NULL
                                     : kin__reallocate(object, sizeof *bytes + size + 1);
    if (bytes == NULL) {
        return NULL;
    }
    bytes->size = size;
    bytes->data = bytes->bytes;
    bytes->data[size] = '\0';
    return &bytes->object;
}

kin_object *kin__bytes_create_view(kin_kind kind, void *data, size_t size,
                                   struct kin__backing *backing)
{
    struct object_bytes *bytes = kin__object_allocate(NULL, kind, sizeof *bytes);
    if (bytes == NULL) {
        backing->release(backing);
        return NULL;
    }
    bytes->size = size;
    bytes->backing = backing;
    bytes->data = data;
    return &bytes->object;
}

kin_object *kin_object_from_bytes(const void *data, size_t size)
{
    return data == NULL && size != 0 ? NULL : kin__bytes_create(NULL, KIN_KIND_BYTES, data, size);
}

kin_object *kin_object_from_bytearray(const void *data, size_t size)
{
    return data == NULL && size != 0 ? NULL
                                     : kin__bytes_create(NULL, KIN_KIND_BYTEARRAY, data, size);
}

const char *kin_object_text(const kin_object *object)
{
    return kin__kind(object) == KIN_KIND_STR ? ((const struct object_text *)object)->bytes : NULL;
}

kin_bytes kin_object_bytes(const kin_object *object)
{
    kin_kind kind = kin__kind(object);
    if (kind == KIN_KIND_STR) {
        const struct object_text *text = (const struct object_text *)object;
        return (kin_bytes){.data = text->bytes, .size = text->size};
    }
    if (kind == KIN_KIND_BYTES || kind == KIN_KIND_BYTEARRAY) {
        const struct object_bytes *bytes = (const struct object_bytes *)object;
        return (kin_bytes){.data = bytes->data, .size = bytes->size};
    }
    return (kin_bytes){0};
}

void *kin_bytearray_data(kin_object *bytearray)
{
    return kin__kind(bytearray) == KIN_KIND_BYTEARRAY ? ((struct object_bytes *)bytearray)->data
                                                      : NULL;
}

int kin_bytearray_resize(kin_object *bytearray, size_t size)
{
    if (bytearray == NULL) {
        return -ENOMEM;
    }
    struct object_bytes *bytes = (struct object_bytes *)bytearray;
    if (kin__kind(bytearray) != KIN_KIND_BYTEARRAY || bytes->backing != NULL) {
        return -EINVAL;
    }
    bool is_allocated = bytes->data != bytes->bytes;
    unsigned char *data = size > SIZE_MAX / 2
                              ? NULL
                              : kin__reallocate(is_allocated ? bytes->data : NULL, size + 1);
    if (data == NULL) {
        return -ENOMEM;
    }
    if (size > bytes->size) {
        memset(data + bytes->size, 0, size - bytes->size);
    }
    data[size] = '\0';
    bytes->data = data;
    bytes->size = size;
    return 0;
}
