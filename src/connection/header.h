/**
 * What stands in front of each message on the wire: its size. The format is that of Python's
 * multiprocessing.Connection, the highest byte first:
 *
 *     size <= 0x7fffffff    int32 size
 *     size >  0x7fffffff    int32 -1, uint64 size; also understood if the size is smaller
 */
#ifndef KIN_CONNECTION_HEADER_H
#define KIN_CONNECTION_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#define HEADER_BYTES 4u
#define LONG_HEADER_BYTES 12u

/* Writes the header of a message of `size` bytes; its own size. */
uint32_t kin__header_write(unsigned char header[LONG_HEADER_BYTES], uint64_t size);

struct kin__header {
    uint32_t bytes; /* of the header itself */
    uint64_t size;  /* of the message */
};

/* Reads a header of which `count` bytes are there. 0; -EBADMSG: it cannot be one; or > 0: so many
 * bytes are needed to know. */
int kin__header_read(const unsigned char *data, uint64_t count, struct kin__header *ret_header);

#endif
