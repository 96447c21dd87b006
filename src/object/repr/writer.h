/**
 * Where text goes: to memory, of which there may be too little, or to a stream. It never takes
 * more than INT_MAX bytes: the text of a small graph can be longer than any disk.
 */
#ifndef KIN_OBJECT_REPR_WRITER_H
#define KIN_OBJECT_REPR_WRITER_H

#include <limits.h>
#include <stddef.h>
#include <stdio.h>

struct kin__writer {
    char *text;  /* NULL: to `stream` */
    size_t room; /* at `text`, without the final NUL */
    FILE *stream;
    size_t size; /* of all that was written, also of what did not fit */
    int error;   /* 0, -EIO, -EOVERFLOW: too much; stays */
    size_t held; /* bytes that wait in `block` for the stream */
    char block[1024];
};

/* Starts writing to `size` bytes at `text` (NULL: what is written is only measured), or to `stream`
 * if that is not NULL. */
void kin__writer_init(struct kin__writer *writer, char *text, size_t size, FILE *stream);

/* Writes bytes. */
void kin__write(struct kin__writer *writer, const void *data, size_t size);

/* Writes a text that ends with NUL. */
void kin__write_text(struct kin__writer *writer, const char *text);

/* Ends memory with a NUL, behind the last character that is there as a whole, or passes what waits
 * on to the stream. Returns `error`. */
int kin__writer_finish(struct kin__writer *writer);

#endif
