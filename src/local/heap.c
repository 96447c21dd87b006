/* See heap.h. */
#include "local/heap.h"

#include "base/allocate.h"

#include <string.h>

#define CAPACITY_FIRST 32u
#define CAPACITY_KEPT 1024u /* by a heap that is empty: 24 KiB */

void kin__local_heap_deinit(kin_local_queue *queue)
{
    kin__release(queue->heap.entries);
}

static bool comes_before(const struct local_entry *one, const struct local_entry *other)
{
    return one->priority < other->priority ||
           (one->priority == other->priority && one->ticket < other->ticket);
}

/* --- putting --- */

static void push(struct local_heap *heap, struct local_entry entry, bool is_sorted)
{
    size_t at = heap->count++;
    while (is_sorted && at > 0 && comes_before(&entry, &heap->entries[(at - 1) / 2])) {
        heap->entries[at] = heap->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->entries[at] = entry;
}

/* Moves to the larger array; leaves the full one in its place. */
static void move_to(struct local_heap *heap, struct local_room *room)
{
    struct local_entry *full = heap->entries;
    if (heap->count != 0) {
        memcpy(room->memory, full, heap->count * sizeof *full);
    }
    heap->entries = room->memory;
    heap->capacity = room->item_count;
    room->memory = full;
}

int kin__local_heap_expand(struct local_room *room)
{
    size_t item_count = room->item_count == 0 ? CAPACITY_FIRST : room->item_count * 2;
    kin__release(room->memory);
    room->memory = kin__allocate_array(item_count, sizeof(struct local_entry));
    room->item_count = item_count;
    return room->memory == NULL ? -ENOMEM : 0;
}

size_t kin__local_heap_append(struct local_move *move, size_t count, struct local_room *room)
{
    kin_local_queue *queue = move->queue;
    struct local_heap *heap = &queue->heap;
    if (heap->count == heap->capacity) {
        if (room->memory == NULL || room->item_count <= heap->capacity) {
            room->item_count = heap->capacity;
            return 0;
        }
        move_to(heap, room);
    }
    size_t left = heap->capacity - heap->count;
    count = count < left ? count : left;
    uint64_t put = atomic_load_explicit(&queue->put_count, memory_order_relaxed);
    for (size_t i = 0; i < count; i++) {
        struct local_entry entry = {
            .priority = move->priority, .ticket = put + i, .item = move->items[i]};
        push(heap, entry, queue->order == KIN_LOCAL_PRIORITY);
    }
    atomic_store_explicit(&queue->put_count, put + count, memory_order_release);
    return count;
}

/* --- getting --- */

/* Takes the first entry out of a heap: the last one sinks from its place. */
static void *pop_first(struct local_heap *heap)
{
    void *item = heap->entries[0].item;
    struct local_entry last = heap->entries[--heap->count];
    size_t at = 0;
    for (size_t child = 1; child < heap->count; child = 2 * at + 1) {
        if (child + 1 < heap->count &&
            comes_before(&heap->entries[child + 1], &heap->entries[child])) {
            child++;
        }
        if (!comes_before(&heap->entries[child], &last)) {
            break;
        }
        heap->entries[at] = heap->entries[child];
        at = child;
    }
    heap->entries[at] = last;
    return item;
}

size_t kin__local_heap_take(kin_local_queue *queue, void **items, size_t count,
                            struct local_room *room)
{
    struct local_heap *heap = &queue->heap;
    bool is_sorted = queue->order == KIN_LOCAL_PRIORITY;
    count = count < heap->count ? count : heap->count;
    for (size_t i = 0; i < count; i++) {
        items[i] = is_sorted ? pop_first(heap) : heap->entries[--heap->count].item;
    }
    uint64_t taken = atomic_load_explicit(&queue->taken_count, memory_order_relaxed);
    atomic_store_explicit(&queue->taken_count, taken + count, memory_order_release);
    if (heap->count == 0 && heap->capacity > CAPACITY_KEPT) {
        room->memory = heap->entries;
        *heap = (struct local_heap){0};
    }
    return count;
}
