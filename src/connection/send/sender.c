/**
 * Sending: one message at a time, under the sender's mutex.
 *
 *     NOTHING -> FIRST    before the first byte; `left` is all of it
 *     FIRST -> REST       a part was sent, and there is more
 *     FIRST, REST -> NOTHING   all of it was sent; FIRST: or nothing, and never will be
 *     REST -> BROKEN      the rest will never be sent
 *
 * The receipt is that of the last attempt and is cleared before `left` is written, so that receipt
 * and `left` are equal only when all was sent. Without receipts, on a pipe, what the kernel takes
 * in one step is whole in any case; of a larger message nobody knows.
 */
#include "connection/send/sender.h"

#include <errno.h>
#include <kin/error.h>

void kin__sender_settle(struct end *end)
{
    struct sender *sender = &end->sender;
    uint32_t state = atomic_load(&sender->state);
    uint64_t left = atomic_load(&sender->left);
    uint64_t sent = kin__os_receipt_bytes(&sender->receipt);
    if (state != SENDING_FIRST && state != SENDING_REST) {
        return;
    }
    bool is_sound = state == SENDING_FIRST && left <= kin__sender_step_bytes(end);
    if (!is_sound && end->gives_receipts) {
        is_sound = sent == left || (state == SENDING_FIRST && sent == 0);
    }
    kin__sender_note(sender, is_sound ? SENDING_NOTHING : SENDING_BROKEN);
}

/* Nothing more can be sent: the others are not to wait for the rest. */
static int refuse_broken(const struct calling *calling)
{
    struct kin__transport *transport = calling->connection->transport;
    if (transport->operations->shut != NULL) {
        transport->operations->shut(transport);
    }
    return KIN_EBROKEN;
}

int kin__sender_acquire(const struct calling *calling)
{
    struct sender *sender = &calling->end->sender;
    int r = kin__mutex_acquire(&sender->mutex, calling->index, calling->self, calling->timeout,
                               __builtin_return_address(0));
    if (r == KIN_OWNER_DIED) {
        kin__sender_settle(calling->end);
        kin__mutex_mark_consistent(&sender->mutex, calling->self);
        r = 0;
    }
    if (r == 0 && atomic_load(&sender->state) == SENDING_BROKEN) {
        r = refuse_broken(calling);
        kin__mutex_release(&sender->mutex, calling->index, calling->self);
    }
    return r;
}

int kin__sender_give_up(const struct calling *calling, int code)
{
    struct sender *sender = &calling->end->sender;
    bool is_gone = code == -EPIPE || code == -ECONNRESET;
    if (is_gone || atomic_load(&sender->state) == SENDING_FIRST) {
        kin__sender_note(sender, SENDING_NOTHING);
        return is_gone ? -EPIPE : code;
    }
    kin__sender_note(sender, SENDING_BROKEN);
    return refuse_broken(calling);
}
