#include "object/encode/encoding.h"

#include "base/allocate.h"
#include "object/text.h"

#include <errno.h>
#include <string.h>

void kin__encoding_init(struct kin__encoding *encoding)
{
    memset(encoding, 0, offsetof(struct kin__encoding, first));
    encoding->bytes = encoding->first;
}

int kin__encoding_make_room(void *array, size_t element_bytes, uint32_t count, uint32_t *capacity)
{
    if (count < *capacity) {
        return 0;
    }
    void *old = NULL;
    memcpy(&old, array, sizeof old);
    uint32_t wanted = *capacity == 0 ? 4 : *capacity <= UINT32_MAX / 2 ? 2 * *capacity : 0;
    void *grown = wanted == 0 ? NULL : kin__reallocate(old, wanted * element_bytes);
    if (grown == NULL) {
        return -ENOMEM;
    }
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return 0;
}

void kin__encoding_deinit(struct kin__encoding *encoding)
{
    if (encoding->bytes != encoding->first) {
        kin__release(encoding->bytes);
    }
    for (uint32_t i = 0; i < encoding->state_count; i++) {
        kin_object_free(encoding->states[i]);
    }
    kin__release(encoding->states);
    kin__release(encoding->blobs);
    kin__release(encoding->handles);
    kin__release(encoding->fds);
}

kin_bytes kin__encoding_piece(const struct kin__encoding *encoding, size_t index)
{
    size_t blob = index / 2;
    if (index % 2 != 0) {
        return (kin_bytes){.data = encoding->blobs[blob].data, .size = encoding->blobs[blob].size};
    }
    size_t start = blob == 0 ? 0 : encoding->blobs[blob - 1].at;
    size_t end = blob == encoding->blob_count ? encoding->own_size : encoding->blobs[blob].at;
    return (kin_bytes){.data = encoding->bytes + start, .size = end - start};
}

void kin__encoding_copy(const struct kin__encoding *encoding, void *destination)
{
    unsigned char *next = destination;
    for (size_t i = 0; i < kin__encoding_piece_count(encoding); i++) {
        kin_bytes piece = kin__encoding_piece(encoding, i);
        if (piece.size != 0) {
            memcpy(next, piece.data, piece.size);
            next += piece.size;
        }
    }
}

int kin_pickle_encode(const kin_object *object, const kin_pickle_encode_options *options,
                      kin_object **ret_bytes)
{
    struct kin__encode_options inner = {0};
    struct kin__encoding encoding;
    if (ret_bytes == NULL || (options != NULL && options->size != sizeof *options)) {
        return -EINVAL;
    }
    if (options != NULL) {
        inner.protocol = options->protocol;
        inner.buffer_bytes_min = options->buffer_bytes_min;
        inner.buffers = options->buffers;
    }
    int r = kin__pickle_encode(object, &inner, &encoding);
    if (r < 0) {
        return r;
    }
    kin_object *bytes = kin__bytes_create(NULL, KIN_KIND_BYTES, NULL, encoding.size);
    if (bytes != NULL) {
        kin__encoding_copy(&encoding, ((struct object_bytes *)bytes)->data);
        *ret_bytes = bytes;
    }
    kin__encoding_deinit(&encoding);
    return bytes == NULL ? -ENOMEM : 0;
}
