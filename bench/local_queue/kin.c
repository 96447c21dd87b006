/* kin_local_queue. */

#include "harness_kin.h"
#include "local_queue/traffic.h"

#include <kin.h>

static kin_local_queue *queue;
static size_t batch;

static void open_queue(const traffic_plan *plan)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
    harness_must(
        kin_local_queue_create(
            KIN_OPTIONS(kin_local_queue_options, .item_count_max = plan->capacity), &queue),
        "kin_local_queue_create");
    batch = plan->batch;
}

/* Without a call where all is well. */
static inline void check(int code)
{
    if (code < 0) {
        harness_must(code, "kin_local_queue");
    }
}

static void produce_batches(uint64_t first, uint64_t count)
{
    void *items[TRAFFIC_BATCH_MAX];
    for (uint64_t number = first; number < first + count; number += batch) {
        for (size_t i = 0; i < batch; i++) {
            items[i] = traffic_item(number + i);
        }
        check(kin_local_queue_put_array(queue, items, batch, KIN_FOREVER));
    }
}

static void produce(uint64_t first, uint64_t count)
{
    if (batch > 1) {
        produce_batches(first, count);
        return;
    }
    for (uint64_t number = first; number < first + count; number++) {
        check(kin_local_queue_put(queue, traffic_item(number), KIN_FOREVER));
    }
}

static uint64_t consume_batches(uint64_t count)
{
    void *items[TRAFFIC_BATCH_MAX];
    uint64_t number_sum = 0;
    while (count > 0) {
        size_t wanted = count < batch ? count : batch;
        int taken = kin_local_queue_get_array(queue, wanted, KIN_FOREVER, items);
        check(taken);
        for (int i = 0; i < taken; i++) {
            number_sum += traffic_number(items[i]);
        }
        count -= (uint64_t)taken;
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
        void *item = NULL;
        check(kin_local_queue_get(queue, KIN_FOREVER, &item));
        number_sum += traffic_number(item);
    }
    return number_sum;
}

const traffic_subject traffic_measured = {open_queue, produce, consume};
