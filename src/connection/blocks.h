/**
 * The blocks of a receiver: the buffer for what was read ahead, and the part of a large message
 * that had come when a receive ended before the rest.
 *
 * A field of the receiver names a block before that belongs to the object, and for a moment after
 * it did: killed in between, a field may name a block that is anybody's by now, also another
 * field's of the same object. The next one to have the mutex sets that right, before it looks at
 * the blocks.
 */
#ifndef KIN_CONNECTION_BLOCKS_H
#define KIN_CONNECTION_BLOCKS_H

#include "connection/layout.h"

/* Makes sure that there is a buffer. 0 or -ENOMEM. */
int kin__buffer_ensure(const struct calling *calling);

/* Keeps what was taken of the message that is begun, which stands at `place`, for the next receive.
 * 0 or -ENOMEM: the message is lost. */
int kin__pending_keep(const struct calling *calling, const unsigned char *place);

/* Copies what was kept to `place`; and frees it, when the message is taken. */
void kin__pending_copy(const struct calling *calling, unsigned char *place);
void kin__pending_drop(const struct calling *calling);

/* After a death: `pending` is what the message that is begun needs, or 0. */
void kin__blocks_settle(const struct calling *calling);

/* When the object is freed. */
void kin__blocks_free(uint32_t index, struct connection_shared *shared);

#endif
