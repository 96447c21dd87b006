/* kin_queue_get_bytes with one statement moved, see mutant.h. */
#include "step/mutant.h"

#include "queue/head.h"

#define kin_queue_get_bytes mutant_get_early_done
#define kin_queue_get_many_bytes mutant_get_many_bytes
#define kin__small_copy(to, from, size)                              \
    (atomic_store(&slot->state, kin__slot_next(slot, SLOT_DONE, 0)), \
     atomic_signal_fence(memory_order_seq_cst), (kin__small_copy)(to, from, size))

int mutant_get_many_bytes(kin_queue *queue, uint32_t count_max, kin_timeout timeout,
                          kin_message *ret_messages);

#include "queue/get.c"
