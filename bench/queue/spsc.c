/* The bound: a ring in shared memory for one producer and one consumer, without locks, without
 * system calls, without copies, safe against nothing. Both sides spin. Each side keeps the
 * last position that it saw of the other, and looks again only when that is used up. The
 * consumer says less often how far it has come, and lets some messages gather once it has
 * found nothing: cache lines that go to and fro are all that costs time here.
 *
 * Messages are filled and read in place. The producer writes `tail` with release once a slot is
 * full; this pairs with the consumer's acquire. The consumer writes `head` with release once it
 * has read a slot; this pairs with the producer's acquire. */

#include "queue/traffic.h"

#include <sched.h>
#include <stdatomic.h>

#define LINE_BYTES 128
#define SPINS_PER_YIELD 4096
#define GATHER_SPINS 64
#define HEADS_PER_ROUND 8

struct ring {
    _Alignas(LINE_BYTES) _Atomic uint64_t tail; /* written by the producer */
    _Alignas(LINE_BYTES) _Atomic uint64_t head; /* written by the consumer */
    _Alignas(LINE_BYTES) unsigned char slots[];
};

static struct ring *ring;
static size_t message_bytes;
static uint64_t capacity;

/* Where this process has come, from lap to lap. */
static uint64_t own_position;

static void open_ring(const traffic_plan *plan)
{
    if (plan->producer_count != 1 || plan->consumer_count != 1) {
        harness_die("this ring has one producer and one consumer");
    }
    if ((plan->capacity & (plan->capacity - 1)) != 0 || plan->capacity < HEADS_PER_ROUND) {
        harness_die("the capacity of this ring is a power of two from %d", HEADS_PER_ROUND);
    }
    message_bytes = plan->bytes;
    capacity = plan->capacity;
    ring = harness_share(sizeof *ring + plan->capacity * plan->bytes);
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Spins until `position` differs from `known`. Where there are more processes than cores, the
 * other side may be waiting for this one's core. */
static uint64_t await_change(const _Atomic uint64_t *position, uint64_t known)
{
    for (unsigned spins = 1;; spins++) {
        uint64_t now = atomic_load_explicit(position, memory_order_acquire);
        if (now != known) {
            return now;
        }
        if (spins % SPINS_PER_YIELD == 0) {
            sched_yield();
        }
        pause_briefly();
    }
}

/* Waits for messages after `known`, and a little more. Returns the new tail. */
static uint64_t await_messages(uint64_t known)
{
    await_change(&ring->tail, known);
    for (int i = 0; i < GATHER_SPINS; i++) {
        pause_briefly();
    }
    return atomic_load_explicit(&ring->tail, memory_order_acquire);
}

static void produce(uint64_t first, uint64_t count)
{
    const size_t bytes = message_bytes;
    const uint64_t mask = capacity - 1;
    uint64_t tail = own_position;
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

    for (uint64_t number = first; number < first + count; number++) {
        if (tail - head > mask) {
            head = await_change(&ring->head, head);
        }
        payload_write(ring->slots + (tail & mask) * bytes, bytes, number);
        tail++;
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
    }
    own_position = tail;
}

static uint64_t consume(uint64_t count)
{
    const size_t bytes = message_bytes;
    const uint64_t mask = capacity - 1;
    uint64_t head = own_position;
    uint64_t tail = head;
    uint64_t number_sum = 0;

    for (uint64_t i = 0; i < count; i++) {
        if (head == tail) {
            atomic_store_explicit(&ring->head, head, memory_order_release);
            tail = await_messages(tail);
        }
        number_sum += payload_read(ring->slots + (head & mask) * bytes, bytes);
        head++;
        if (head % (capacity / HEADS_PER_ROUND) == 0) {
            atomic_store_explicit(&ring->head, head, memory_order_release);
        }
    }
    atomic_store_explicit(&ring->head, head, memory_order_release);
    own_position = head;
    return number_sum;
}

const traffic_subject traffic_measured = {open_ring, produce, consume, &harness_forks};
