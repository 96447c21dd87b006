/* kin_queue_put_bytes with one statement moved, see mutant.h. */
#include "step/mutant.h"

#include "queue/layout.h"

#include <string.h>

#define kin_queue_put_bytes mutant_put_early_commit
#define memcpy(to, from, size)                                                          \
    ((put->slot != NULL                                                                 \
          ? atomic_store(&put->slot->state, kin__slot_word(put->ticket, SLOT_READY, 0)) \
          : (void)0),                                                                   \
     atomic_signal_fence(memory_order_seq_cst), (memcpy)(to, from, size))

#include "queue/put.c"
