#include "base/reader.h"

#include <errno.h>

void kin__reader_init(struct kin__reader *reader, const void *data, size_t size)
{
    *reader = (struct kin__reader){.data = data, .size = size};
}

const unsigned char *kin__reader_take_bytes(struct kin__reader *reader, size_t bytes)
{
    /* Without data there is nothing to point to, not even for no bytes at all. */
    if (reader->error != 0 || bytes > reader->size || reader->data == NULL) {
        reader->error = -EBADMSG;
        return NULL;
    }
    const unsigned char *taken = reader->data;
    reader->data += bytes;
    reader->size -= bytes;
    return taken;
}

static uint64_t take_number(struct kin__reader *reader, unsigned bytes)
{
    const unsigned char *taken = kin__reader_take_bytes(reader, bytes);
    uint64_t value = 0;
    for (unsigned i = 0; taken != NULL && i < bytes; i++) {
        value |= (uint64_t)taken[i] << (8 * i);
    }
    return value;
}

uint8_t kin__reader_take_u8(struct kin__reader *reader)
{
    return (uint8_t)take_number(reader, 1);
}

uint32_t kin__reader_take_u32(struct kin__reader *reader)
{
    return (uint32_t)take_number(reader, 4);
}

int kin__reader_finish(const struct kin__reader *reader)
{
    return reader->error != 0 || reader->size != 0 ? -EBADMSG : 0;
}
