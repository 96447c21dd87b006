/* concurrent_bounded_queue of oneTBB, with a capacity or without. */

#include "local_queue/traffic.h"

#include <tbb/concurrent_queue.h>

static tbb::concurrent_bounded_queue<void *> *queue;

static void open_queue(const traffic_plan *plan)
{
    queue = new tbb::concurrent_bounded_queue<void *>;
    if (plan->capacity != 0) {
        queue->set_capacity(static_cast<std::ptrdiff_t>(plan->capacity));
    }
}

static void produce(uint64_t first, uint64_t count)
{
    for (uint64_t number = first; number < first + count; number++) {
        queue->push(traffic_item(number));
    }
}

static uint64_t consume(uint64_t count)
{
    uint64_t number_sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        void *item = nullptr;
        queue->pop(item);
        number_sum += traffic_number(item);
    }
    return number_sum;
}

extern "C" const traffic_subject traffic_measured = {open_queue, produce, consume};
