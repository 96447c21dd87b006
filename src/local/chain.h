/**
 * First in, first out: a chain of segments from `head` to `tail`.
 *
 * Who puts writes slots and then put_count (release); who gets reads put_count (acquire) and then
 * the slots, and the link to the next segment, which was written before. The two ends so need no
 * common lock, and look at each other's line only when what they last saw there no longer does.
 * A segment that was emptied goes back to those who put, or is freed, so that memory follows the
 * content. The last one stays.
 */
#ifndef KIN_LOCAL_CHAIN_H
#define KIN_LOCAL_CHAIN_H

#include "local/layout.h"

#include <string.h>

/* Makes the first segment; frees all of them. 0, or -ENOMEM. */
int kin__local_chain_init(kin_local_queue *queue);
void kin__local_chain_deinit(kin_local_queue *queue);

/* Allocates a segment. 0, or -ENOMEM. */
int kin__local_chain_expand(struct local_room *room);

/* A segment that was kept, or the one in `room`; NULL: neither. Under put_lock. */
struct local_segment *kin__local_chain_find_segment(kin_local_queue *queue,
                                                    struct local_room *room);

/* Keeps an emptied segment for the next put that needs one, or frees it. */
void kin__local_chain_keep(kin_local_queue *queue, struct local_segment *segment);

/* Without a call for the usual one. */
static inline void kin__local_chain_copy(void **to, void *const *from, size_t count)
{
    if (__builtin_expect(count == 1, 1)) {
        *to = *from;
    } else {
        memcpy(to, from, count * sizeof *to);
    }
}

/* Puts up to `count` items of a move and returns how many; 0: a segment is needed. Under
 * put_lock. */
static inline size_t kin__local_chain_append(struct local_move *move, size_t count,
                                             struct local_room *room)
{
    kin_local_queue *queue = move->queue;
    struct local_place *tail = &queue->tail;
    if (tail->index == LOCAL_SEGMENT_ITEMS) {
        struct local_segment *segment = kin__local_chain_find_segment(queue, room);
        if (segment == NULL) {
            return 0;
        }
        tail->segment->next = segment;
        *tail = (struct local_place){.segment = segment};
    }
    uint32_t left = LOCAL_SEGMENT_ITEMS - tail->index;
    count = count < left ? count : left;
    kin__local_chain_copy(&tail->segment->items[tail->index], move->items, count);
    tail->index += (uint32_t)count;
    uint64_t put = atomic_load_explicit(&queue->put_count, memory_order_relaxed);
    /* Pairs with the acquire in kin__local_chain_count. */
    atomic_store_explicit(&queue->put_count, put + count, memory_order_release);
    return count;
}

/* How many items there are, up to `count`; looks at the other end only if it has to. */
static inline size_t kin__local_chain_count(kin_local_queue *queue, size_t count)
{
    uint64_t taken = atomic_load_explicit(&queue->taken_count, memory_order_relaxed);
    if (queue->put_seen - taken < count) {
        queue->put_seen = atomic_load_explicit(&queue->put_count, memory_order_acquire);
    }
    uint64_t present = queue->put_seen - taken;
    return present < count ? (size_t)present : count;
}

/* Takes up to `count` items and returns how many; `room` is a segment that was emptied. Under
 * get_lock. */
static inline size_t kin__local_chain_take(kin_local_queue *queue, void **items, size_t count,
                                           struct local_room *room)
{
    struct local_place *head = &queue->head;
    count = kin__local_chain_count(queue, count);
    if (count == 0) {
        return 0;
    }
    if (head->index == LOCAL_SEGMENT_ITEMS) {
        room->memory = head->segment;
        *head = (struct local_place){.segment = head->segment->next};
    }
    uint32_t left = LOCAL_SEGMENT_ITEMS - head->index;
    count = count < left ? count : left;
    kin__local_chain_copy(items, &head->segment->items[head->index], count);
    head->index += (uint32_t)count;
    uint64_t taken = atomic_load_explicit(&queue->taken_count, memory_order_relaxed);
    /* Pairs with the acquire in count_space. */
    atomic_store_explicit(&queue->taken_count, taken + count, memory_order_release);
    return count;
}

#endif
