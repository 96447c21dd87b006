/* The segments of chain.h. */
#include "local/chain.h"

#include "base/allocate.h"

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
            return; /* pairs with the exchange below */
        }
    }
    kin__release(segment);
}

struct local_segment *kin__local_chain_find_segment(kin_local_queue *queue, struct local_room *room)
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
