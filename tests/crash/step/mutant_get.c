/* kin_queue_get_bytes with one statement moved, see mutant.h. */
#include "step/mutant.h"

#include "queue/layout.h"

#include <string.h>

#define kin_queue_get_bytes mutant_get_early_done
#define memcpy(to, from, size)                                              \
    (atomic_store(&slot->state, kin__slot_word(get->ticket, SLOT_DONE, 0)), \
     atomic_signal_fence(memory_order_seq_cst), (memcpy)(to, from, size))

#include "queue/get.c"
