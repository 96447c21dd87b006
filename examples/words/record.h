/*
 * Records: how a task's input and its result are written as bytes. A record is a row of
 * numbers and byte strings; whoever reads it knows the order. Numbers take 7 bits a byte,
 * the lowest first, with the top bit set in all but the last byte: small ones take one byte.
 *
 * Both structs start as all zero. An error is remembered and makes later calls do nothing, so
 * that `failed` needs to be looked at only once, at the end.
 */
#ifndef WORDS_RECORD_H
#define WORDS_RECORD_H

#include <kin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record_writer {
    unsigned char *bytes;
    size_t size;
    size_t capacity;
    bool failed; /* no memory */
};

void record_put_number(struct record_writer *writer, uint64_t number);
void record_put_bytes(struct record_writer *writer, const void *bytes, size_t size);

/* Makes the record empty, but keeps its memory. */
void record_writer_clear(struct record_writer *writer);
void record_writer_deinit(struct record_writer *writer);

struct record_reader {
    const unsigned char *next;
    const unsigned char *end;
    bool failed; /* the record is shorter than what was asked for, or no record at all */
};

struct record_reader record_reader_of(kin_bytes record);
uint64_t record_get_number(struct record_reader *reader);

/* The bytes are those in the record: not copied. */
kin_bytes record_get_bytes(struct record_reader *reader);

#endif
