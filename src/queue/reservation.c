/**
 * Reservations: a slot that stays RESERVED while the program writes the message where consumers
 * will read it. The thread notes the queue in its holdings, so that a reaper finds the slot.
 */
#include "queue/head.h"
#include "queue/tail.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/reservation.h>

/* The slot of a reservation that is open, and the thread's own. 0, or -EINVAL, -EPERM. */
static int find_slot(const struct putting *put, const kin_reservation *reservation,
                     struct slot **ret_slot)
{
    if (reservation == NULL || reservation->place == 0 ||
        !kin__memory_has(&kin__family.memory, reservation->place, sizeof **ret_slot)) {
        return -EINVAL;
    }
    struct slot *slot = kin__at(reservation->place);
    uint64_t word = kin__slot_word(reservation->ticket, SLOT_RESERVED, put->self->owner);
    *ret_slot = slot;
    return reservation->queue == put->index && atomic_load(&slot->state) == word ? 0 : -EPERM;
}

/* Reserves a slot, and a block if the message is large. */
static int reserve(struct putting *put, struct incoming *message, kin_timeout timeout)
{
    uint64_t most = put->queue->message_bytes_max;
    int r = message->size > MESSAGE_BYTES_MAX || (most != 0 && message->size > most) ? -EMSGSIZE
                                                                                     : 0;
    if (r == 0 && message->size > SLOT_SMALL_BYTES) {
        r = kin__block_create(message->size, 0, KIN__BLOCK_BYTES, &message->block);
    }
    if (r < 0) {
        return r;
    }
    kin__holding_add(put->self, put->index);
    r = kin__tail_reserve(put, message, 1, timeout);
    if (r < 0) {
        kin__holding_remove(put->self, put->index);
        if (message->block != 0) {
            kin__block_free(message->block, kin__block_of_member(kin__family.owner));
        }
    }
    return r < 0 ? r : 0;
}

int kin_queue_reserve(kin_queue *queue, size_t size, kin_timeout timeout,
                      kin_reservation *ret_reservation)
{
    struct putting put;
    struct incoming message = {.size = size};
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = ret_reservation == NULL ? -EINVAL : kin__put_begin(queue, &put);
    }
    if (r < 0) {
        return r;
    }
    r = reserve(&put, &message, timeout);
    if (r == 0) {
        void *data = message.block != 0 ? kin__at(message.block) : message.slot->small;
        *ret_reservation = (kin_reservation){.data = data,
                                             .size = size,
                                             .place = kin__offset_of(message.slot),
                                             .ticket = message.ticket,
                                             .block = message.block,
                                             .queue = put.index};
    }
    kin__put_end(&put);
    return r;
}

/* Gives a reserved slot up, at once: it must not stay in the way of a full queue's producers. The
 * block is freed last, so that no slot leads to one that is somebody else's by then. */
static void give_up(struct putting *put, struct slot *slot, uint64_t block)
{
    struct queue_shared *queue = put->queue;
    kin__queue_lock_head(queue, put->index, put->self);
    kin__head_give_up(queue, slot);
    kin__lock_release(&queue->head_lock, put->self);
    if (block != 0) {
        kin__block_free(block, kin__block_of_member(kin__family.owner));
    }
    kin__count_raise(&queue->space, kin__queue_space_wakes(queue, 1));
    kin__queue_tell_finished(queue);
    if (atomic_load(&queue->closing)) { /* it may have been the last thing to wait for */
        kin__queue_tell_items(queue, UINT32_MAX);
    }
}

/* Ends a reservation, one way or the other. */
static int end(kin_queue *queue, kin_reservation *reservation, bool is_commit)
{
    struct putting put;
    struct slot *slot = NULL;
    int r = kin__put_begin(queue, &put);
    if (r < 0) {
        return r;
    }
    r = find_slot(&put, reservation, &slot);
    if (r == 0) {
        bool is_shut = atomic_load(&put.queue->closing) == QUEUE_SHUT;
        if (is_commit && !is_shut) {
            struct incoming message = {.slot = slot, .ticket = reservation->ticket};
            if (reservation->block != 0) {
                kin__block_give(reservation->block, kin__block_of_member(kin__family.owner),
                                kin__queue_owner(put.index));
            }
            kin__tail_commit(&put, &message, 1);
        } else {
            give_up(&put, slot, reservation->block);
        }
        kin__holding_remove(put.self, put.index);
        *reservation = (kin_reservation){0};
        r = is_commit && is_shut ? -EPIPE : 0;
    }
    kin__put_end(&put);
    return r;
}

int kin_queue_commit(kin_queue *queue, kin_reservation *reservation)
{
    return end(queue, reservation, true);
}

int kin_queue_abandon(kin_queue *queue, kin_reservation *reservation)
{
    return end(queue, reservation, false);
}
