/* GAsyncQueue of GLib: one lock, a linked list, no bound. A batch is put, or taken, under one
 * lock with its functions for that. */

#include "local_queue/traffic.h"

#include <glib.h>

static GAsyncQueue *queue;
static size_t batch;

static void open_queue(const traffic_plan *plan)
{
    queue = g_async_queue_new();
    batch = plan->batch;
}

static void produce(uint64_t first, uint64_t count)
{
    uint64_t end = first + count;
    for (uint64_t number = first; batch == 1 && number < end; number++) {
        g_async_queue_push(queue, traffic_item(number));
    }
    for (uint64_t number = first; batch > 1 && number < end; number += batch) {
        g_async_queue_lock(queue);
        for (size_t i = 0; i < batch; i++) {
            g_async_queue_push_unlocked(queue, traffic_item(number + i));
        }
        g_async_queue_unlock(queue);
    }
}

static uint64_t consume_batches(uint64_t count)
{
    uint64_t number_sum = 0;
    while (count > 0) {
        size_t wanted = count < batch ? count : batch;
        g_async_queue_lock(queue);
        void *item = g_async_queue_pop_unlocked(queue);
        while (item != NULL) {
            number_sum += traffic_number(item);
            count--;
            item = --wanted == 0 ? NULL : g_async_queue_try_pop_unlocked(queue);
        }
        g_async_queue_unlock(queue);
    }
    return number_sum;
}

static uint64_t consume(uint64_t count)
{
    if (batch > 1) {
        return consume_batches(count);
    }
    uint64_t number_sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        number_sum += traffic_number(g_async_queue_pop(queue));
    }
    return number_sum;
}

const traffic_subject traffic_measured = {open_queue, produce, consume};
