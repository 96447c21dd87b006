/**
 * A message that was taken from a queue.
 */
#ifndef KIN_MESSAGE_H
#define KIN_MESSAGE_H

#include <kin/export.h>
#include <kin/family.h>

KIN_BEGIN

/** A message. Read it with kin_message_bytes; its fields are kin's. */
typedef struct kin_message {
    uint64_t size;
    uint64_t place; /* where in the family's memory the bytes are; 0: in `small` */
    uint32_t handle_count;
    uint32_t reserved;
    unsigned char small[104];
} kin_message;

/** The bytes of a message: valid until kin_message_free, or until the message is moved. */
KIN_API kin_bytes kin_message_bytes(const kin_message *message);

/**
 * The handles that the message came with; NULL: none. Valid until kin_message_free; what they name
 * lives until then, so open it before. `ret_count` may be NULL.
 */
KIN_API const kin_handle *kin_message_handles(const kin_message *message, uint32_t *ret_count);

/** Gives the bytes of a message back; the message is empty then, and may be freed again. */
KIN_API void kin_message_free(kin_message *message);

KIN_END

#endif
