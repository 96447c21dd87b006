/**
 * First in, first out: a chain of segments from `head` to `tail`.
 *
 * Who puts writes slots and then put_count (release); who gets reads put_count (acquire) and then
 * the slots, and the link to the next segment, which was written before. The two ends so need no
 * common lock, and look at each other's line only when what they last saw there no longer does.
 * A segment that was emptied goes back to those who put, or is freed, so that memory follows the
 * content. The last one stays.
 */
#include "queue/local_layout.h"

#include "base/allocate.h"

#include <string.h>

/* --- segments --- */

int kin__local_chain_expand(struct local_room *room)
{
    room->memory = kin__allocate(sizeof(struct local_segment));
    return room->memory == NULL ? -ENOMEM : 0;
}

int kin__local_chain_init(kin_local_queue *queue)
{
    struct local_room room = {0};
    int r = kin__local_chain_expand(&room);
    queue->tail.segment = queue->head.segment = room.memory;
    return r;
}

void kin__local_chain_deinit(kin_local_queue *queue)
{
    struct local_segment *segment = queue->head.segment;
    while (segment != NULL) {
        struct local_segment *next = segment == queue->tail.segment ? NULL : segment->next;
        kin__release(segment);
        segment = next;
    }
    for (uint32_t i = 0; i < LOCAL_SPARE_COUNT; i++) {
        kin__release(atomic_load(&queue->spares[i]));
    }
}

void kin__local_chain_keep(kin_local_queue *queue, struct local_segment *segment)
{
    for (uint32_t i = 0; i < LOCAL_SPARE_COUNT; i++) {
        struct local_segment *none = NULL;
        if (atomic_compare_exchange_strong(&queue->spares[i], &none, segment)) {
            return; /* pairs with the exchange in find_segment */
        }
    }
    kin__release(segment);
}

/* One that was kept, or the one in `room`; NULL: neither. */
static struct local_segment *find_segment(kin_local_queue *queue, struct local_room *room)
{
    struct local_segment *segment = room->memory;
    room->memory = NULL;
    for (uint32_t i = 0; segment == NULL && i < LOCAL_SPARE_COUNT; i++) {
        if (atomic_load_explicit(&queue->spares[i], memory_order_relaxed) != NULL) {
            segment = atomic_exchange(&queue->spares[i], NULL);
        }
    }
    return segment;
}

/* --- both ends --- */

size_t kin__local_chain_append(struct local_move *move, size_t count, struct local_room *room)
{
    kin_local_queue *queue = move->queue;
    struct local_place *tail = &queue->tail;
    if (tail->index == LOCAL_SEGMENT_ITEMS) {
        struct local_segment *segment = find_segment(queue, room);
        if (segment == NULL) {
            return 0;
        }
        tail->segment->next = segment;
        *tail = (struct local_place){.segment = segment};
    }
    uint32_t left = LOCAL_SEGMENT_ITEMS - tail->index;
    count = count < left ? count : left;
    memcpy(&tail->segment->items[tail->index], move->items, count * sizeof *move->items);
    tail->index += (uint32_t)count;
    uint64_t put = atomic_load_explicit(&queue->put_count, memory_order_relaxed);
    /* Pairs with the acquire in count_items. */
    atomic_store_explicit(&queue->put_count, put + count, memory_order_release);
    return count;
}

/* How many items there are, up to `count`; looks at the other end only if it has to. */
static size_t count_items(kin_local_queue *queue, size_t count)
{
    uint64_t taken = atomic_load_explicit(&queue->taken_count, memory_order_relaxed);
    if (queue->put_seen - taken < count) {
        queue->put_seen = atomic_load_explicit(&queue->put_count, memory_order_acquire);
    }
    uint64_t present = queue->put_seen - taken;
    return present < count ? (size_t)present : count;
}

size_t kin__local_chain_take(kin_local_queue *queue, void **items, size_t count,
                             struct local_room *room)
{
    struct local_place *head = &queue->head;
    count = count_items(queue, count);
    if (count == 0) {
        return 0;
    }
    if (head->index == LOCAL_SEGMENT_ITEMS) {
        room->memory = head->segment;
        *head = (struct local_place){.segment = head->segment->next};
    }
    uint32_t left = LOCAL_SEGMENT_ITEMS - head->index;
    count = count < left ? count : left;
    memcpy(items, &head->segment->items[head->index], count * sizeof *items);
    head->index += (uint32_t)count;
    uint64_t taken = atomic_load_explicit(&queue->taken_count, memory_order_relaxed);
    /* Pairs with the acquire in count_space. */
    atomic_store_explicit(&queue->taken_count, taken + count, memory_order_release);
    return count;
}
