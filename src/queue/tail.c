#include "queue/tail.h"

#include <errno.h>
#include <kin/error.h>
#include <limits.h>

#define NEEDS_SEGMENT INT_MIN /* of reserve: among the codes that callers see there is none */

/* Whether the message fits behind the others; looks at the consumers' counts only when the known
 * ones say no. */
static inline bool has_space(struct queue_shared *queue, uint64_t tail, uint64_t bytes_put,
                             uint64_t size)
{
    uint64_t items_max = queue->item_count_max;
    uint64_t bytes_max = queue->message_bytes_max;
    if ((items_max == 0 || tail - queue->taken_seen < items_max) &&
        (bytes_max == 0 || bytes_put - queue->bytes_taken_seen + size <= bytes_max)) {
        return true;
    }
    queue->taken_seen = atomic_load(&queue->taken);
    queue->bytes_taken_seen = atomic_load(&queue->bytes_taken);
    return (items_max == 0 || tail - queue->taken_seen < items_max) &&
           (bytes_max == 0 || bytes_put - queue->bytes_taken_seen + size <= bytes_max);
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

/* Takes the next slots of the last segment for the first of several messages, as far as they fit.
 * How many. Under the tail lock. What is counted changes at the end: it is rebuilt if this thread
 * dies before. */
static uint32_t take_slots(struct putting *put, struct incoming *messages, uint32_t count)
{
    struct queue_shared *queue = put->queue;
    struct segment *segment = kin__segment_at(
        atomic_load_explicit(&queue->tail_segment, memory_order_relaxed));
    uint64_t first = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    uint64_t ticket = first;
    uint64_t bytes_put = queue->bytes_put;
    for (uint32_t i = 0; i < count && !kin__segment_is_past(segment, ticket); i++, ticket++) {
        struct incoming *message = &messages[i];
        struct slot *slot = kin__segment_slot(segment, ticket);
        if (!has_space(queue, ticket, bytes_put, message->size)) {
            break;
        }
        __builtin_prefetch(slot + 8, 1);
        bytes_put += message->size;
        slot->about = kin__slot_about(message->size, message->handle_count, 0);
        slot->bytes_end = bytes_put;
        if (message->block != 0) {
            slot->block = message->block;
        }
        atomic_store_explicit(&slot->state, kin__slot_word(ticket, SLOT_RESERVED, put->self->owner),
                              memory_order_release);
        message->slot = slot;
        message->ticket = ticket;
    }
    queue->bytes_put = bytes_put;
    atomic_store_explicit(&queue->tail, ticket, memory_order_release);
    return (uint32_t)(ticket - first);
}

/* Reserves as many as there are segments for. How many; NEEDS_SEGMENT; -EAGAIN: full; -EPIPE. */
static int reserve(struct putting *put, struct incoming *messages, uint32_t count)
{
    struct queue_shared *queue = put->queue;
    uint32_t reserved = 0;
    kin__queue_lock_tail(queue, put->index, put->self);
    int r = atomic_load_explicit(&queue->closing, memory_order_relaxed) ? -EPIPE : extend(put);
    if (r == 0) {
        reserved = take_slots(put, messages, count);
        r = -EAGAIN;
    }
    kin__lock_release(&queue->tail_lock, put->self);
    return reserved != 0 ? (int)reserved : r;
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
    kin__small_copy(bytes, data, size);
    kin__queue_lock_tail(queue, put->index, put->self);
    uint64_t ticket = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    struct segment *segment = kin__segment_at(
        atomic_load_explicit(&queue->tail_segment, memory_order_relaxed));
    bool is_possible = !kin__segment_is_past(segment, ticket) &&
                       has_space(queue, ticket, queue->bytes_put, size) &&
                       atomic_load_explicit(&queue->closing, memory_order_relaxed) == QUEUE_OPEN;
    if (is_possible) {
        struct slot *slot = kin__segment_slot(segment, ticket);
        uint64_t bytes_put = queue->bytes_put + size;
        slot->about = kin__slot_about(size, 0, 0);
        slot->bytes_end = bytes_put;
        kin__small_copy(slot->small, bytes, size);
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
