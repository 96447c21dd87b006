/**
 * kin_queue: making, opening, closing, counting; putting and getting are in put.c and get.c.
 */
#include "queue/layout.h"

#include <errno.h>
#include <kin/error.h>

static const struct kin__type queue_type = {.id = KIN__TYPE_QUEUE,
                                            .name = "queue",
                                            .repair = kin__queue_repair,
                                            .free = kin__queue_drain,
                                            .verify = kin__queue_verify};

__attribute__((constructor)) static void register_type(void)
{
    kin__type_register(&queue_type);
}

int kin__segment_create(uint32_t bytes, uint64_t *ret_block)
{
    uint64_t block = 0;
    int r = kin__block_create(bytes, 0, KIN__BLOCK_BYTES, &block);
    if (r < 0) {
        return r;
    }
    struct segment *segment = kin__segment_at(block);
    uint64_t place = kin__offset_of(segment) - block; /* what alignment takes */
    atomic_store(&segment->next, 0);
    segment->slot_count = (uint32_t)((bytes - place - sizeof *segment) / sizeof(struct slot));
    for (uint32_t i = 0; i < segment->slot_count; i++) {
        atomic_store_explicit(&segment->slots[i].state, 0, memory_order_relaxed);
    }
    *ret_block = block;
    return 0;
}

static int create(const kin_queue_options *options, kin_queue **ret_queue)
{
    kin_queue *queue = NULL;
    struct kin__object_plan plan = {.type = KIN__TYPE_QUEUE,
                                    .scope = options->scope,
                                    .size = sizeof *queue,
                                    .bytes = sizeof(struct queue_shared)};
    int r = kin__object_create(&plan, &queue);
    if (r < 0) {
        return r;
    }
    struct queue_shared *shared = queue->object.shared;
    uint64_t segment = 0;
    r = kin__segment_create(SEGMENT_BYTES_FIRST, &segment);
    if (r < 0) {
        kin_queue_free(queue);
        return r;
    }
    kin__segment_at(segment)->base = 0;
    kin__segment_at(segment)->bytes_base = 0;
    shared->item_count_max = options->item_count_max;
    shared->message_bytes_max = options->message_bytes_max;
    shared->delivery_count_max = options->delivery_count_max;
    shared->is_joinable = options->is_joinable;
    kin__queue_set_limits(shared, options->limits);
    atomic_store(&shared->tail_segment, segment);
    shared->head.segment = segment;
    shared->oldest = segment;
    kin__block_give(segment, kin__block_of_member(kin__family.owner),
                    kin__queue_owner(kin__object_index(&queue->object)));
    *ret_queue = queue;
    return 0;
}

int kin_queue_create(const kin_queue_options *options, kin_queue **ret_queue)
{
    static const kin_queue_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (ret_queue == NULL || options->size != sizeof *options ||
        options->delivery_count_max > UINT16_MAX - 1 ||
        (options->limits != NULL && options->limits->size != sizeof *options->limits)) {
        return -EINVAL;
    }
    return create(options, ret_queue);
}

int kin_queue_attach(kin_handle handle, kin_queue **ret_queue)
{
    return kin__object_attach(KIN__TYPE_QUEUE, sizeof **ret_queue, handle, ret_queue);
}

kin_queue *kin_queue_free(kin_queue *queue)
{
    if (queue != NULL) {
        kin__bell_free(&queue->bell);
    }
    kin__object_free(queue);
    return NULL;
}

kin_handle kin_queue_handle(const kin_queue *queue)
{
    return kin__object_handle(queue);
}

/* Under the lock: no slot is reserved after it, so "closed and empty" stays true. A queue that was
 * shut down stays so. */
static int close_queue(kin_queue *queue, enum closing closing)
{
    struct queue_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__queue_enter(queue, &shared, &self);
    if (r < 0) {
        return r;
    }
    kin__queue_lock_tail(shared, kin__object_index(&queue->object), self);
    if (atomic_load(&shared->closing) < closing) {
        atomic_store(&shared->closing, closing);
    }
    kin__lock_release(&shared->tail_lock, self);
    kin__count_raise(&shared->items, UINT32_MAX);
    kin__count_raise(&shared->space, UINT32_MAX);
    kin__count_raise(&shared->finishes, UINT32_MAX);
    kin__count_raise(&shared->watch, UINT32_MAX);
    kin__queue_leave(self);
    return 0;
}

int kin_queue_close(kin_queue *queue)
{
    return close_queue(queue, QUEUE_CLOSED);
}

int kin_queue_shutdown(kin_queue *queue)
{
    return close_queue(queue, QUEUE_SHUT);
}

/* The shared part for a mere look; NULL: there is none. */
static const struct queue_shared *find_shared(const kin_queue *queue)
{
    return queue == NULL || kin__self() == NULL ? NULL : queue->object.shared;
}

bool kin_queue_is_closed(const kin_queue *queue)
{
    const struct queue_shared *shared = find_shared(queue);
    return shared == NULL || atomic_load(&shared->closing) != QUEUE_OPEN;
}

bool kin_queue_is_full(kin_queue *queue)
{
    struct queue_shared *shared = NULL;
    struct kin__thread *self = NULL;
    if (kin__queue_enter(queue, &shared, &self) < 0) {
        return false;
    }
    kin__queue_lock_tail(shared, kin__object_index(&queue->object), self);
    uint64_t items = atomic_load(&shared->tail) - atomic_load(&shared->taken);
    uint64_t bytes = shared->bytes_put - atomic_load(&shared->bytes_taken);
    kin__lock_release(&shared->tail_lock, self);
    kin__queue_leave(self);
    return (shared->item_count_max != 0 && items >= shared->item_count_max) ||
           (shared->message_bytes_max != 0 && bytes >= shared->message_bytes_max);
}

uint64_t kin_queue_item_count(const kin_queue *queue)
{
    const struct queue_shared *shared = find_shared(queue);
    if (shared == NULL) {
        return 0;
    }
    uint64_t before = 0;
    uint64_t taken = 0;
    uint64_t tail = atomic_load(&shared->tail);
    do { /* until both are of one moment */
        before = tail;
        taken = atomic_load(&shared->taken);
        tail = atomic_load(&shared->tail);
    } while (tail != before);
    return tail > taken ? tail - taken : 0;
}
