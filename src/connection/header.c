#include "connection/header.h"

#include <errno.h>

#define LENGTH_MAX 0x7fffffffu

uint32_t kin__header_write(unsigned char header[LONG_HEADER_BYTES], uint64_t size)
{
    bool is_long = size > LENGTH_MAX;
    uint32_t length = is_long ? UINT32_MAX : (uint32_t)size;
    for (uint32_t i = 0; i < 4; i++) {
        header[i] = (unsigned char)(length >> (24 - 8 * i));
    }
    for (uint32_t i = 0; is_long && i < 8; i++) {
        header[4 + i] = (unsigned char)(size >> (56 - 8 * i));
    }
    return is_long ? LONG_HEADER_BYTES : HEADER_BYTES;
}

static uint64_t read_number(const unsigned char *data, uint32_t bytes)
{
    uint64_t number = 0;
    for (uint32_t i = 0; i < bytes; i++) {
        number = number << 8 | data[i];
    }
    return number;
}

int kin__header_read(const unsigned char *data, uint64_t count, struct kin__header *ret_header)
{
    if (count < HEADER_BYTES) {
        return HEADER_BYTES;
    }
    uint64_t size = read_number(data, 4);
    bool is_long = size == UINT32_MAX;
    if (is_long && count < LONG_HEADER_BYTES) {
        return LONG_HEADER_BYTES;
    }
    size = is_long ? read_number(data + 4, 8) : size;
    if (size > (is_long ? INT64_MAX : LENGTH_MAX)) {
        return -EBADMSG;
    }
    *ret_header = (struct kin__header){.bytes = is_long ? LONG_HEADER_BYTES : HEADER_BYTES,
                                       .size = size};
    return 0;
}
