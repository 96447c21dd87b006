/*
 * Reads bytes that somebody else wrote: in order, never beyond the end. The first read that
 * fails makes all later ones fail, so a decoder reads a whole record and asks once whether
 * it was there. What a failed read returns is 0 or NULL.
 */
#ifndef KIN_BASE_READER_H
#define KIN_BASE_READER_H

#include <stddef.h>
#include <stdint.h>

struct kin__reader {
    const unsigned char *data; /* the next byte; borrowed */
    size_t size;               /* bytes left */
    int error;                 /* 0, or -EBADMSG: something was missing */
};

/** Starts at the first of `size` bytes, which stay the caller's and must not change meanwhile. */
void kin__reader_init(struct kin__reader *reader, const void *data, size_t size);

/** Reads one byte. */
uint8_t kin__reader_take_u8(struct kin__reader *reader);

/** Reads four bytes, the lowest first. */
uint32_t kin__reader_take_u32(struct kin__reader *reader);

/** Steps over `bytes` bytes. Returns where they begin, or NULL: there are fewer. */
const unsigned char *kin__reader_take_bytes(struct kin__reader *reader, size_t bytes);

/** Ends reading: 0, or -EBADMSG: a read failed, or bytes are left over. */
int kin__reader_finish(const struct kin__reader *reader);

#endif
