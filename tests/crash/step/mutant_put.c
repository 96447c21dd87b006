/* kin_queue_put_bytes with one statement moved, see mutant.h. */
#include "step/mutant.h"

#include "queue/tail.h"

#define kin_queue_put_bytes mutant_put_bytes
#define kin_queue_put_with_handles mutant_put_with_handles
#define kin_queue_put_many_bytes mutant_put_many_bytes
#define kin__put_one mutant_put_one
#define kin__small_copy(to, from, size)                                                 \
    (atomic_store(&message->slot->state, kin__slot_next(message->slot, SLOT_READY, 0)), \
     atomic_signal_fence(memory_order_seq_cst), (kin__small_copy)(to, from, size))

int mutant_put_bytes(kin_queue *queue, const void *data, size_t size, kin_timeout timeout);
int mutant_put_with_handles(kin_queue *queue, kin_bytes bytes, const kin_handle *handles,
                            uint32_t handle_count, kin_timeout timeout);
int mutant_put_many_bytes(kin_queue *queue, const kin_bytes *messages, uint32_t count,
                          kin_timeout timeout);

#include "queue/put.c"

/* In a batch, where a small message has its place first. */
int mutant_put_early_commit(kin_queue *queue, const void *data, size_t size, kin_timeout timeout)
{
    kin_bytes message = {data, size};
    int r = mutant_put_many_bytes(queue, &message, 1, timeout);
    return r < 0 ? r : 0;
}
