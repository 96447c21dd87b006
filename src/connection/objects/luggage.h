/**
 * Handles on their way through a pipe.
 *
 * The handles in a message must not lead to nothing when its sender has let go of what they name.
 * So the two ends of a pipe that kin made have places for handles in front of their object,
 * counted references (family/heap.h). The sender puts the handles there and writes into the
 * message which places they have; the receiver clears them when it holds the objects itself.
 *
 *     message    0 'k' 'i' 'n', the number of places, doubt : 32, the places, a pickle
 *     place      FREE -> IN_HAND of the sender (by a compare-and-swap), and has a handle
 *                     -> SENT, and in nobody's hand
 *                     -> IN_HAND of the receiver, before the message is taken
 *                     -> the handle is cleared, FREE
 *
 * No pickle begins with 0: who does not know what it means cannot take it for one.
 *
 * Who dies with places in hand may have sent the message or not, may have taken it or not. The
 * reaper counts the death in `doubt`, and leaves the places to that count: IN_DOUBT. Messages carry
 * the count that their sender saw. What a dead one has sent, or found in the pipe, is in front of
 * each message that was sent after the death; so who takes a message with this count or a later one
 * clears the places that are in doubt up to there, unless they are in the hand of one who has taken
 * their message. While there are any to clear, all objects that are sent carry the count.
 *
 * What is taken as mere bytes, not as an object, leaves its places taken until the pipe is gone.
 */
#ifndef KIN_CONNECTION_LUGGAGE_H
#define KIN_CONNECTION_LUGGAGE_H

#include "connection/connection.h"
#include "connection/layout.h"

#define LUGGAGE_FIXED_BYTES 9u
#define LUGGAGE_HEAD_BYTES (LUGGAGE_FIXED_BYTES + LUGGAGE_COUNT)

static_assert(LUGGAGE_HEAD_BYTES <= KIN__FRONT_BYTES, "is seen before the message is taken");

/* Places in the hand of the calling thread, and the head of the message that names them. Without
 * any, only count and head_bytes are set. */
struct kin__luggage {
    kin_connection *connection;
    struct kin__thread *self;
    uint64_t in_hand; /* the word of each */
    uint32_t count;
    uint32_t head_bytes; /* 0 if the message has no head; with none in hand it may */
    unsigned char places[LUGGAGE_COUNT];
    unsigned char head[LUGGAGE_HEAD_BYTES];
};

/* Puts handles on their way. 0, or -EOPNOTSUPP: the other end is not known to be of the family;
 * -ETOOMANYREFS: too many are on their way; -ESTALE: one leads to nothing. */
int kin__luggage_pack(const struct calling *calling, const kin_handle *handles, uint32_t count,
                      struct kin__luggage *ret_luggage);

/* Takes what the front of a message names, which may be nothing; and clears what is in doubt and
 * was to come before it. With the receiver's mutex. */
void kin__luggage_take(const struct calling *calling, const void *front, uint64_t bytes,
                       struct kin__luggage *ret_luggage);

/* How long the head of a message is; 0 if it has none. 0, or -EBADMSG. */
int kin__luggage_find(const kin_connection *connection, const void *data, size_t size,
                      uint32_t *ret_head_bytes);

/* Clears the places: the message was decoded, or not sent. Or leaves them to the message, which is
 * sent, or was not taken after all. */
void kin__luggage_drop(struct kin__luggage *luggage);
void kin__luggage_let_go(struct kin__luggage *luggage);

/* What a dead one had in hand is in doubt. */
void kin__luggage_repair(struct connection_shared *shared, uint32_t dead);

#endif
