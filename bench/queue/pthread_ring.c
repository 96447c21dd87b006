/* What one writes by hand: a bounded ring of slots in shared memory, a process-shared mutex and two
 * condition variables, one copy in and one out under the mutex. A side that finds others waiting
 * signals after it has released the mutex. A batch goes in or out under one acquisition, as far as
 * there is space and as far as messages are there. */

#include "queue/traffic.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 128

struct ring {
    pthread_mutex_t mutex; /* guards all of this */
    pthread_cond_t has_messages;
    pthread_cond_t has_space;
    uint64_t head;
    uint64_t tail;
    uint32_t consumers_waiting;
    uint32_t producers_waiting;
    _Alignas(LINE_BYTES) unsigned char slots[];
};

static struct ring *ring;
static unsigned char *messages; /* a batch of them */
static traffic_plan plan;

static void open_ring(const traffic_plan *given)
{
    pthread_mutexattr_t for_mutex;
    pthread_condattr_t for_conditions;
    plan = *given;
    ring = harness_share(sizeof *ring + plan.capacity * plan.bytes);
    pthread_mutexattr_init(&for_mutex);
    pthread_condattr_init(&for_conditions);
    pthread_mutexattr_setpshared(&for_mutex, PTHREAD_PROCESS_SHARED);
    pthread_condattr_setpshared(&for_conditions, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&ring->mutex, &for_mutex);
    pthread_cond_init(&ring->has_messages, &for_conditions);
    pthread_cond_init(&ring->has_space, &for_conditions);
    messages = aligned_alloc(64, (plan.batch * plan.bytes + 63) / 64 * 64);
    if (messages == NULL) {
        harness_die("no memory");
    }
}

static unsigned char *slot_at(uint64_t position)
{
    return ring->slots + position % plan.capacity * plan.bytes;
}

/* Puts up to `count` messages, at least one; how many. */
static uint64_t put(const unsigned char *source, uint64_t count)
{
    pthread_mutex_lock(&ring->mutex);
    while (ring->tail - ring->head == plan.capacity) {
        ring->producers_waiting++;
        pthread_cond_wait(&ring->has_space, &ring->mutex);
        ring->producers_waiting--;
    }
    uint64_t space = plan.capacity - (ring->tail - ring->head);
    uint64_t put_count = count < space ? count : space;
    for (uint64_t i = 0; i < put_count; i++) {
        memcpy(slot_at(ring->tail++), source + i * plan.bytes, plan.bytes);
    }
    bool is_awaited = ring->consumers_waiting > 0;
    pthread_mutex_unlock(&ring->mutex);
    if (is_awaited) {
        pthread_cond_signal(&ring->has_messages);
    }
    return put_count;
}

/* Takes up to `count` messages, at least one; how many. */
static uint64_t get(unsigned char *target, uint64_t count)
{
    pthread_mutex_lock(&ring->mutex);
    while (ring->tail == ring->head) {
        ring->consumers_waiting++;
        pthread_cond_wait(&ring->has_messages, &ring->mutex);
        ring->consumers_waiting--;
    }
    uint64_t there = ring->tail - ring->head;
    uint64_t get_count = count < there ? count : there;
    for (uint64_t i = 0; i < get_count; i++) {
        memcpy(target + i * plan.bytes, slot_at(ring->head++), plan.bytes);
    }
    bool is_awaited = ring->producers_waiting > 0;
    pthread_mutex_unlock(&ring->mutex);
    if (is_awaited) {
        pthread_cond_signal(&ring->has_space);
    }
    return get_count;
}

static uint64_t batch_of(uint64_t left)
{
    return left < plan.batch ? left : plan.batch;
}

static void produce(uint64_t first, uint64_t count)
{
    for (uint64_t done = 0; done < count;) {
        uint64_t batch = batch_of(count - done);
        for (uint64_t i = 0; i < batch; i++) {
            payload_write(messages + i * plan.bytes, plan.bytes, first + done + i);
        }
        for (uint64_t put_count = 0; put_count < batch;) {
            put_count += put(messages + put_count * plan.bytes, batch - put_count);
        }
        done += batch;
    }
}

static uint64_t consume(uint64_t count)
{
    uint64_t number_sum = 0;
    for (uint64_t done = 0; done < count;) {
        uint64_t batch = get(messages, batch_of(count - done));
        for (uint64_t i = 0; i < batch; i++) {
            number_sum += payload_read(messages + i * plan.bytes, plan.bytes);
        }
        done += batch;
    }
    return number_sum;
}

const traffic_subject traffic_measured = {open_ring, produce, consume, &harness_forks};
