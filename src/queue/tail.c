#include "queue/tail.h"

#include <errno.h>
#include <kin/error.h>
#include <limits.h>
#include <string.h>

#define NEEDS_SEGMENT INT_MIN /* of reserve: among the codes that callers see there is none */

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

/* Takes the next slot, which exists, for a message that fits. Under the tail lock. */
static void take_slot(struct putting *put, struct incoming *message)
{
    struct queue_shared *queue = put->queue;
    uint64_t ticket = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    struct slot *slot = kin__segment_slot(
        kin__segment_at(atomic_load_explicit(&queue->tail_segment, memory_order_relaxed)), ticket);
    uint64_t bytes_put = queue->bytes_put + message->size;
    slot->about = kin__slot_about(message->size, message->handle_count, 0);
    slot->bytes_end = bytes_put;
    if (message->block != 0) {
        slot->block = message->block;
    }
    atomic_store_explicit(&slot->state, kin__slot_word(ticket, SLOT_RESERVED, put->self->owner),
                          memory_order_release);
    queue->bytes_put = bytes_put;
    atomic_store_explicit(&queue->tail, ticket + 1, memory_order_release);
    message->slot = slot;
    message->ticket = ticket;
}

/* Reserves as many as there are segments for. How many; NEEDS_SEGMENT; -EAGAIN: full; -EPIPE. */
static int reserve(struct putting *put, struct incoming *messages, uint32_t count)
{
    struct queue_shared *queue = put->queue;
    int reserved = 0;
    kin__queue_lock_tail(queue, put->index, put->self);
    int r = atomic_load_explicit(&queue->closing, memory_order_relaxed) ? -EPIPE : 0;
    while (r == 0 && (uint32_t)reserved < count) {
        r = has_space(queue, messages[reserved].size) ? extend(put) : -EAGAIN;
        if (r == 0) {
            take_slot(put, &messages[reserved++]);
        }
    }
    kin__lock_release(&queue->tail_lock, put->self);
    return reserved != 0 ? reserved : r;
}

/* The same, allocating a segment if it takes one. How many, or -EAGAIN, -EPIPE, -ENOMEM. */
static int try_reserve(struct putting *put, struct incoming *messages, uint32_t count)
{
    int r = reserve(put, messages, count);
    while (r == NEEDS_SEGMENT) {
        r = kin__segment_create(SEGMENT_BYTES, &put->segment);
        if (r == 0) {
            r = reserve(put, messages, count);
        }
    }
    return r;
}

int kin__tail_put_small(struct putting *put, const void *data, size_t size)
{
    struct queue_shared *queue = put->queue;
    unsigned char bytes[SLOT_SMALL_BYTES]; /* the caller's memory is not touched under the lock */
    memcpy(bytes, data, size);
    kin__queue_lock_tail(queue, put->index, put->self);
    uint64_t ticket = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    struct segment *segment = kin__segment_at(
        atomic_load_explicit(&queue->tail_segment, memory_order_relaxed));
    bool is_possible = !kin__segment_is_past(segment, ticket) && has_space(queue, size) &&
                       atomic_load_explicit(&queue->closing, memory_order_relaxed) == QUEUE_OPEN;
    if (is_possible) {
        struct slot *slot = kin__segment_slot(segment, ticket);
        uint64_t bytes_put = queue->bytes_put + size;
        slot->about = kin__slot_about(size, 0, 0);
        slot->bytes_end = bytes_put;
        memcpy(slot->small, bytes, size);
        queue->bytes_put = bytes_put;
        atomic_store_explicit(&queue->tail, ticket + 1, memory_order_release);
        atomic_store_explicit(&slot->state, kin__slot_word(ticket, SLOT_READY, 0),
                              memory_order_release);
    }
    kin__lock_release(&queue->tail_lock, put->self);
    if (is_possible) {
        kin__queue_tell_items(queue, 1);
    }
    return is_possible ? 0 : -EAGAIN;
}

static int wait_and_reserve(struct putting *put, struct incoming *messages, uint32_t count,
                            kin_timeout timeout)
{
    _Atomic uint32_t *space = &put->queue->space;
    struct kin__spin spin = kin__spin_begin();
    int r = kin__timeout_is_over(timeout);
    if (r < 0) {
        return r;
    }
    for (r = -EAGAIN; r == -EAGAIN && kin__spin_again(&spin);) {
        r = try_reserve(put, messages, count);
    }
    if (r != -EAGAIN) {
        return r;
    }
    for (;;) {
        uint32_t key = kin__count_prepare(space);
        r = try_reserve(put, messages, count);
        if (r != -EAGAIN) {
            break;
        }
        r = kin__sleep(space, key, timeout);
        if (r < 0) {
            break;
        }
    }
    kin__count_pass(space); /* others may sleep, and there may be space for them */
    kin__count_raise(space, kin__queue_space_wakes(put->queue, 1));
    return r;
}

int kin__tail_reserve(struct putting *put, struct incoming *messages, uint32_t count,
                      kin_timeout timeout)
{
    int r = reserve(put, messages, count);
    if (r > 0) {
        return r;
    }
    r = r == NEEDS_SEGMENT ? try_reserve(put, messages, count) : r;
    return r == -EAGAIN ? wait_and_reserve(put, messages, count, timeout) : r;
}
