#include "base/buffer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
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

int kin__buffer_append_u64(struct kin__buffer *buffer, uint64_t value)
{
    unsigned char bytes[8];
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    return kin__buffer_append(buffer, bytes, sizeof(bytes));
}

int kin__buffer_print(struct kin__buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return -EINVAL;
    }
    size_t bytes = (size_t)length + 1;
    int result = kin__buffer_reserve(buffer, bytes);
    if (result < 0) {
        return result;
    }
    va_start(arguments, format);
    vsnprintf((char *)buffer->data + buffer->size, bytes, format, arguments);
    va_end(arguments);
    buffer->size += (size_t)length;
    return 0;
}

unsigned char *kin__buffer_take(struct kin__buffer *buffer, size_t *ret_size)
{
    unsigned char *data = buffer->data;
    *ret_size = buffer->size;
    kin__buffer_init(buffer);
    return data;
}
