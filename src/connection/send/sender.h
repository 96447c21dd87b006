/**
 * Who sends, and how far that is: what is to be true of it, whoever dies, see sender.c.
 */
#ifndef KIN_CONNECTION_SEND_SENDER_H
#define KIN_CONNECTION_SEND_SENDER_H

#include "connection/layout.h"

/* What goes in one step is sent as a whole or not at all: up to so many bytes. */
static inline uint64_t kin__sender_step_bytes(const struct end *end)
{
    return end->kind == KIN__OS_FD_PIPE          ? KIN__OS_PIPE_STEP
           : end->kind == KIN__OS_FD_UNIX_SOCKET ? KIN__OS_SOCKET_STEP
                                                 : 0;
}

static inline void kin__sender_note(struct sender *sender, enum sending state)
{
    atomic_store_explicit(&sender->state, state, memory_order_release);
}

/* The sender's mutex, if anything can be sent. As kin__mutex_acquire; settled; or KIN_EBROKEN. */
int kin__sender_acquire(const struct calling *calling);

/* Ends a message that was not sent as a whole, for the reason `code`. If the other side is gone,
 * that is all there is to say. What the call returns. */
int kin__sender_give_up(const struct calling *calling, int code);

#endif
