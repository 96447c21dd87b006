/**
 * Handles on their way through a pipe.
 *
 * The handles in a message must not lead to nothing when its sender has let go of what they name.
 * So the two ends of a pipe that kin made have places for handles in front of their object,
 * counted references (family/heap.h). The sender puts the handles there and writes into the
 * message which places they have; the receiver clears them when it holds the objects itself.
 *
 *     message    0 'k' 'i' 'n', the number of places, the places, a pickle
 *     place      free -> claimed (by a compare-and-swap) -> has a handle -> cleared -> free
 *
 * No pickle begins with 0: who does not know what it means cannot take it for one. A message that
 * nobody decodes, since its receiver died, leaves its places taken until the pipe is gone.
 */
#ifndef KIN_CONNECTION_LUGGAGE_H
#define KIN_CONNECTION_LUGGAGE_H

#include "connection/layout.h"

#define LUGGAGE_HEAD_BYTES (5u + LUGGAGE_COUNT)

/* Where handles travel: places in the object, and the head of the message that names them. */
struct kin__luggage {
    uint32_t count;
    uint32_t head_bytes; /* 0 if there are no handles */
    unsigned char head[LUGGAGE_HEAD_BYTES];
};

/* Puts handles on their way. 0, or -EOPNOTSUPP: the other end is not known to be of the family;
 * -ETOOMANYREFS: too many are on their way; -ESTALE: one leads to nothing. */
int kin__luggage_pack(kin_connection *connection, const kin_handle *handles, uint32_t count,
                      struct kin__luggage *ret_luggage);

/* Reads the head of a message: `head_bytes` is 0 if it has none. 0, or -EBADMSG. */
int kin__luggage_find(const kin_connection *connection, const void *data, size_t size,
                      struct kin__luggage *ret_luggage);

/* Clears the places: the message was decoded, or not sent. */
void kin__luggage_drop(kin_connection *connection, const struct kin__luggage *luggage);

#endif
