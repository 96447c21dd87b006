#include "record.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES_MAX = 10 };

static bool reserve(struct record_writer *writer, size_t size)
{
    if (writer->capacity - writer->size >= size) {
        return true;
    }
    size_t capacity = (writer->size + size) * 2;
    unsigned char *bytes = writer->failed ? NULL : realloc(writer->bytes, capacity);
    if (bytes == NULL) {
        writer->failed = true;
        return false;
    }
    writer->bytes = bytes;
    writer->capacity = capacity;
    return true;
}

void record_put_number(struct record_writer *writer, uint64_t number)
{
    if (!reserve(writer, NUMBER_BYTES_MAX)) {
        return;
    }
    while (number >= 0x80) {
        writer->bytes[writer->size++] = (unsigned char)(number | 0x80);
        number >>= 7;
    }
    writer->bytes[writer->size++] = (unsigned char)number;
}

void record_put_bytes(struct record_writer *writer, const void *bytes, size_t size)
{
    record_put_number(writer, size);
    if (reserve(writer, size)) {
        memcpy(writer->bytes + writer->size, bytes, size);
        writer->size += size;
    }
}

void record_writer_clear(struct record_writer *writer)
{
    writer->size = 0;
}

void record_writer_deinit(struct record_writer *writer)
{
    free(writer->bytes);
    *writer = (struct record_writer){0};
}

struct record_reader record_reader_of(kin_bytes record)
{
    const unsigned char *bytes = record.data;
    return (struct record_reader){.next = bytes, .end = bytes + record.size};
}

uint64_t record_get_number(struct record_reader *reader)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && reader->next < reader->end; shift += 7) {
        unsigned char byte = *reader->next++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return number;
        }
    }
    reader->failed = true;
    reader->next = reader->end;
    return 0;
}

kin_bytes record_get_bytes(struct record_reader *reader)
{
    uint64_t size = record_get_number(reader);
    if (size > (size_t)(reader->end - reader->next)) {
        reader->failed = true;
        reader->next = reader->end;
        return (kin_bytes){.data = reader->end};
    }
    kin_bytes bytes = {.data = reader->next, .size = (size_t)size};
    reader->next += size;
    return bytes;
}
