/**
 * Bytes of a connection on their way in: what was received, up to where it was taken, and what of
 * it nobody wants. Knows messages only as far as it must to be killed at any instruction.
 */
#ifndef KIN_CONNECTION_RECEIVE_H
#define KIN_CONNECTION_RECEIVE_H

#include "connection/layout.h"

/* Bytes to be received: `direct_bytes` at most go to the holder's memory, then up to `ahead_bytes`
 * into the buffer, which has room for them. Direct ones only while the buffer is empty. */
struct intake_plan {
    void *direct;
    uint64_t direct_bytes;
    uint64_t ahead_bytes;
};

/* Whether nobody else receives from the end. A pipe of kin's is open twice, if nobody has more of
 * it than is needed; if fewer have it, nothing is sent any more. */
bool kin__receiver_is_alone(const struct calling *calling);

/* Receives at least one byte, waiting if need be. 0; -ENODATA: end of file; or a code. */
int kin__receive_some(const struct calling *calling, const struct intake_plan *plan);

/* Makes sure that the buffer has the next `bytes` bytes, at most half of what it has room for, in a
 * row. 0; -ENODATA: end of file before that; or a code: what came is kept. */
int kin__receive_ahead(const struct calling *calling, uint64_t bytes);

/* Throws away what belongs to nobody. As kin__receive_ahead. */
int kin__receive_skip(const struct calling *calling);

/* The bytes that were received and not taken. */
const unsigned char *kin__receiver_bytes(const struct receiver *receiver);

static inline uint64_t kin__receiver_count(const struct receiver *receiver)
{
    return atomic_load_explicit(&receiver->tail, memory_order_relaxed) -
           atomic_load_explicit(&receiver->head, memory_order_relaxed);
}

/* Takes bytes: one store, before which the caller has all of them. */
static inline void kin__receiver_take(struct receiver *receiver, uint64_t bytes)
{
    uint64_t head = atomic_load_explicit(&receiver->head, memory_order_relaxed);
    atomic_store_explicit(&receiver->head, head + bytes, memory_order_release);
}

/* Whether a message is begun, see layout.h. */
static inline bool kin__receiver_has_begun(const struct receiver *receiver)
{
    uint64_t head = atomic_load_explicit(&receiver->head, memory_order_relaxed);
    return head >= atomic_load_explicit(&receiver->body_start, memory_order_relaxed) &&
           head < atomic_load_explicit(&receiver->body_end, memory_order_relaxed);
}

#endif
