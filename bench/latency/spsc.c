/* The bound of all that run: a ring in shared memory for each direction, with one producer and one
 * consumer, as in bench/queue/spsc.c. Both sides spin.
 *
 * The producer writes `tail` with release once a slot is full; this pairs with the consumer's
 * acquire. It need not look whether there is space: there is never more than one word. */

#include "latency/round_trip.h"

#include <stdatomic.h>

#define LINE_BYTES 128
#define SLOT_COUNT 64u

struct ring {
    _Alignas(LINE_BYTES) _Atomic uint64_t tail; /* written by the producer */
    _Alignas(LINE_BYTES) uint64_t slots[SLOT_COUNT];
};

static struct ring *to;        /* side 0, side 1 */
static uint64_t put_count;     /* of this process */
static uint64_t receive_count; /* of this process */

static void open_rings(void)
{
    to = harness_share(2 * sizeof *to);
}

static void send_word(unsigned side, uint64_t word)
{
    struct ring *ring = &to[1 - side];
    ring->slots[put_count % SLOT_COUNT] = word;
    put_count++;
    atomic_store_explicit(&ring->tail, put_count, memory_order_release);
}

static uint64_t receive_word(unsigned side)
{
    struct ring *ring = &to[side];
    while (atomic_load_explicit(&ring->tail, memory_order_acquire) == receive_count) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }
    return ring->slots[receive_count++ % SLOT_COUNT];
}

const round_trip_subject round_trip_measured = {open_rings, send_word, receive_word,
                                                &harness_forks};
