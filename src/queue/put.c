/**
 * Producers. A put is: write the block, if the message is large; reserve a slot under the tail
 * lock; write the message, or hand the block to the queue; commit with one exchange; wake a
 * consumer if one sleeps.
 */
#include "queue/layout.h"

#include "family/sleep.h"

#include <errno.h>
#include <kin/error.h>
#include <string.h>

/* A message on its way in. */
struct putting {
    struct queue_shared *queue;
    struct kin__thread *self;
    uint32_t index;
    const void *data;
    uint64_t size;
    uint64_t block;   /* of a large message; 0: small */
    uint64_t segment; /* a spare one, allocated outside the lock; 0: none */
    struct slot *slot;
    uint64_t ticket;
};

enum { NEEDS_SEGMENT = 1 };

/* Whether the message fits; looks at the consumers' counts only when the known ones say no. */
static bool has_space(struct queue_shared *queue, uint64_t size)
{
    uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    uint64_t items_max = queue->item_count_max;
    uint64_t bytes_max = queue->message_bytes_max;
    if ((items_max == 0 || tail - queue->taken_seen < items_max) &&
        (bytes_max == 0 || queue->bytes_put - queue->bytes_taken_seen + size <= bytes_max)) {
        return true;
    }
    queue->taken_seen = atomic_load(&queue->taken);
    queue->bytes_taken_seen = atomic_load(&queue->bytes_taken);
    return (items_max == 0 || tail - queue->taken_seen < items_max) &&
           (bytes_max == 0 || queue->bytes_put - queue->bytes_taken_seen + size <= bytes_max);
}

/* Makes room for one more slot, with the spare segment if it takes one. Under the tail lock.
 * Linked first and given to the queue second: a reaper finds it by the link (recover.c). */
static int extend(struct putting *put)
{
    struct queue_shared *queue = put->queue;
    uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    struct segment *segment = kin__segment_at(
        atomic_load_explicit(&queue->tail_segment, memory_order_relaxed));
    if (!kin__segment_is_past(segment, tail)) {
        return 0;
    }
    if (put->segment == 0) {
        return NEEDS_SEGMENT;
    }
    struct segment *next = kin__segment_at(put->segment);
    next->base = tail;
    next->bytes_base = queue->bytes_put;
    atomic_store(&segment->next, put->segment);
    kin__block_give(put->segment, kin__block_of_member(kin__family.owner),
                    kin__queue_owner(put->index));
    atomic_store(&queue->tail_segment, put->segment);
    put->segment = 0;
    return 0;
}

/* Reserves a slot. 0; NEEDS_SEGMENT; -EAGAIN: full; -EPIPE. */
static int reserve(struct putting *put)
{
    struct queue_shared *queue = put->queue;
    kin__queue_lock_tail(queue, put->index, put->self);
    int r = atomic_load_explicit(&queue->is_closed, memory_order_relaxed) ? -EPIPE
            : !has_space(queue, put->size)                                ? -EAGAIN
                                                                          : extend(put);
    if (r == 0) {
        uint64_t ticket = atomic_load_explicit(&queue->tail, memory_order_relaxed);
        struct slot *slot = kin__segment_slot(
            kin__segment_at(atomic_load_explicit(&queue->tail_segment, memory_order_relaxed)),
            ticket);
        uint64_t bytes_put = queue->bytes_put + put->size;
        slot->size = put->size;
        slot->bytes_end = bytes_put;
        if (put->block != 0) {
            slot->block = put->block;
        }
        atomic_store_explicit(&slot->state, kin__slot_word(ticket, SLOT_RESERVED, put->self->owner),
                              memory_order_release);
        queue->bytes_put = bytes_put;
        atomic_store_explicit(&queue->tail, ticket + 1, memory_order_release);
        put->slot = slot;
        put->ticket = ticket;
    }
    kin__lock_release(&queue->tail_lock, put->self);
    return r;
}

/* Reserves a slot, allocating a segment if it takes one. 0, -EAGAIN, -EPIPE, -ENOMEM. */
static int try_reserve(struct putting *put)
{
    int r = reserve(put);
    while (r == NEEDS_SEGMENT) {
        r = kin__segment_create(SEGMENT_BYTES, &put->segment);
        if (r == 0) {
            r = reserve(put);
        }
    }
    return r;
}

/* The same, waiting while the queue is full. */
static int wait_and_reserve(struct putting *put, kin_timeout timeout)
{
    _Atomic uint32_t *space = &put->queue->space;
    struct kin__spin spin = kin__spin_begin();
    int r = kin__timeout_is_over(timeout);
    if (r < 0) {
        return r;
    }
    do {
        r = try_reserve(put);
    } while (r == -EAGAIN && kin__spin_again(&spin));
    if (r != -EAGAIN) {
        return r;
    }
    for (;;) {
        uint32_t key = kin__count_prepare(space);
        r = try_reserve(put);
        if (r != -EAGAIN) {
            break;
        }
        r = kin__sleep(space, key, timeout);
        if (r < 0) {
            break;
        }
    }
    kin__count_pass(space); /* others may sleep, and there may be space for them */
    kin__count_raise(space, kin__queue_space_wakes(put->queue));
    return r;
}

/* The message is in the queue when this returns. */
static void commit(struct putting *put)
{
    if (put->block == 0) {
        if (put->size != 0) {
            memcpy(put->slot->small, put->data, put->size);
        }
    } else {
        kin__block_give(put->block, kin__block_of_member(kin__family.owner),
                        kin__queue_owner(put->index));
    }
    atomic_exchange(&put->slot->state, kin__slot_word(put->ticket, SLOT_READY, 0));
    kin__count_raise(&put->queue->items, 1);
}

static int put_message(struct putting *put, kin_timeout timeout)
{
    int r = 0;
    uint64_t owner = kin__block_of_member(kin__family.owner);
    if (put->size > SLOT_SMALL_BYTES) {
        r = kin__block_create(put->size, 0, KIN__BLOCK_BYTES, &put->block);
        if (r < 0) {
            return r;
        }
        memcpy(kin__at(put->block), put->data, put->size);
    }
    r = try_reserve(put);
    if (r == -EAGAIN) {
        r = wait_and_reserve(put, timeout);
    }
    if (r == 0) {
        commit(put);
    } else if (put->block != 0) {
        kin__block_free(put->block, owner);
    }
    if (put->segment != 0) { /* another producer was faster */
        kin__block_free(put->segment, owner);
    }
    return r;
}

int kin_queue_put_bytes(kin_queue *queue, const void *data, size_t size, kin_timeout timeout)
{
    struct putting put = {.data = data, .size = size};
    int r = kin__timeout_check(timeout);
    if (r == 0 && data == NULL && size != 0) {
        r = -EINVAL;
    }
    if (r == 0) {
        r = kin__queue_enter(queue, &put.queue, &put.self);
    }
    if (r < 0) {
        return r;
    }
    put.index = kin__object_index(&queue->object);
    if (put.queue->message_bytes_max != 0 && size > put.queue->message_bytes_max) {
        r = -EMSGSIZE;
    } else {
        r = put_message(&put, timeout);
    }
    kin__queue_leave(put.self);
    return r;
}
