/*
 * Bytes that grow at the end. Numbers are appended little-endian on every machine; reading
 * them back is kin__reader's part (base/reader.h).
 *
 * What appends returns 0 or -ENOMEM, and on failure leaves the buffer as it was.
 */
#ifndef KIN_BASE_BUFFER_H
#define KIN_BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct kin__buffer {
    unsigned char *data; /* NULL while nothing was appended */
    size_t size;         /* bytes in use */
    size_t capacity;     /* bytes allocated */
};

/** Makes an empty buffer; allocates nothing. */
void kin__buffer_init(struct kin__buffer *buffer);

/** Releases the bytes; the buffer is then empty and may be used again. */
void kin__buffer_deinit(struct kin__buffer *buffer);

/** Makes room, so that appending `bytes` bytes more cannot fail. */
int kin__buffer_reserve(struct kin__buffer *buffer, size_t bytes);

/** Appends bytes; `data` may be NULL if there are none, and is not part of the buffer. */
int kin__buffer_append(struct kin__buffer *buffer, const void *data, size_t bytes);

/** Appends one byte. */
int kin__buffer_append_u8(struct kin__buffer *buffer, uint8_t value);

/** Appends four bytes, the lowest first. */
int kin__buffer_append_u32(struct kin__buffer *buffer, uint32_t value);

#endif
