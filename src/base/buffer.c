#include "base/buffer.h"

#include <errno.h>
#include <string.h>

#include "base/allocate.h"
#include "base/arithmetic.h"

enum { CAPACITY_MIN = 64 };

void kin__buffer_init(struct kin__buffer *buffer)
{
    *buffer = (struct kin__buffer){0};
}

void kin__buffer_deinit(struct kin__buffer *buffer)
{
    kin__release(buffer->data);
    kin__buffer_init(buffer);
}

int kin__buffer_reserve(struct kin__buffer *buffer, size_t bytes)
{
    size_t needed;
    if (!kin__size_add(buffer->size, bytes, &needed)) {
        return -ENOMEM;
    }
    if (needed <= buffer->capacity) {
        return 0;
    }
    /* Doubling keeps the cost of appending constant; where it does not fit, `needed` may. */
    size_t capacity;
    if (!kin__size_multiply(buffer->capacity, 2, &capacity) || capacity < needed) {
        capacity = needed;
    }
    if (capacity < CAPACITY_MIN) {
        capacity = CAPACITY_MIN;
    }
    unsigned char *data = kin__reallocate(buffer->data, capacity);
    if (data == NULL) {
        return -ENOMEM;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

int kin__buffer_append(struct kin__buffer *buffer, const void *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    int result = kin__buffer_reserve(buffer, bytes);
    if (result == 0) {
        memcpy(buffer->data + buffer->size, data, bytes);
        buffer->size += bytes;
    }
    return result;
}

int kin__buffer_append_u8(struct kin__buffer *buffer, uint8_t value)
{
    return kin__buffer_append(buffer, &value, 1);
}

int kin__buffer_append_u32(struct kin__buffer *buffer, uint32_t value)
{
    unsigned char bytes[4];
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    return kin__buffer_append(buffer, bytes, sizeof(bytes));
}
