/* kin_queue_put_bytes with one statement moved, see mutant.h. */
#include "step/mutant.h"

#include "queue/tail.h"

#include <string.h>

#define kin_queue_put_bytes mutant_put_early_commit
#define kin_queue_put_with_handles mutant_put_with_handles
#define kin_queue_put_many_bytes mutant_put_many_bytes
#define memcpy(to, from, size)                                                                \
    ((message->slot != NULL                                                                   \
          ? atomic_store(&message->slot->state, kin__slot_next(message->slot, SLOT_READY, 0)) \
          : (void)0),                                                                         \
     atomic_signal_fence(memory_order_seq_cst), (memcpy)(to, from, size))

int mutant_put_with_handles(kin_queue *queue, kin_bytes bytes, const kin_handle *handles,
                            uint32_t handle_count, kin_timeout timeout);
int mutant_put_many_bytes(kin_queue *queue, const kin_bytes *messages, uint32_t count,
                          kin_timeout timeout);

#include "queue/put.c"
