#include "object/repr/writer.h"

#include <errno.h>
#include <string.h>

void kin__writer_init(struct kin__writer *writer, char *text, size_t size, FILE *stream)
{
    writer->text = text;
    writer->room = text == NULL ? 0 : size - 1;
    writer->stream = stream;
    writer->size = 0;
    writer->error = 0;
    writer->held = 0;
}

static void pass_on(struct kin__writer *writer)
{
    if (writer->held != 0 &&
        fwrite(writer->block, 1, writer->held, writer->stream) != writer->held) {
        writer->error = -EIO;
    }
    writer->held = 0;
}

static void write_to_stream(struct kin__writer *writer, const char *data, size_t size)
{
    while (size != 0 && writer->error == 0) {
        if (writer->held == sizeof writer->block) {
            pass_on(writer);
        }
        size_t part = sizeof writer->block - writer->held;
        part = part < size ? part : size;
        memcpy(writer->block + writer->held, data, part);
        writer->held += part;
        data += part;
        size -= part;
    }
}

void kin__write(struct kin__writer *writer, const void *data, size_t size)
{
    if (writer->error != 0) {
        return;
    }
    if (size > INT_MAX - writer->size) {
        writer->error = -EOVERFLOW;
        return;
    }
    if (writer->stream != NULL) {
        write_to_stream(writer, data, size);
    } else if (writer->size < writer->room) {
        size_t left = writer->room - writer->size;
        memcpy(writer->text + writer->size, data, size < left ? size : left);
    }
    writer->size += size;
}

void kin__write_text(struct kin__writer *writer, const char *text)
{
    kin__write(writer, text, strlen(text));
}

/* How much of `size` bytes of UTF-8, behind which others were cut off, are whole characters. */
static size_t whole_characters(const char *text, size_t size)
{
    size_t start = size;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    if (start == 0 || (unsigned char)text[start - 1] < 0xc0) {
        return size;
    }
    unsigned char first = (unsigned char)text[start - 1];
    size_t needed = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    return size - (start - 1) < needed ? start - 1 : size;
}

int kin__writer_finish(struct kin__writer *writer)
{
    if (writer->stream != NULL) {
        pass_on(writer);
    } else if (writer->text != NULL) {
        size_t size = writer->size < writer->room ? writer->size
                                                  : whole_characters(writer->text, writer->room);
        writer->text[size] = '\0';
    }
    return writer->error;
}
