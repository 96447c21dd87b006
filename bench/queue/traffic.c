/* Each process runs two laps: a short one that nobody measures, so that memory has been
 * touched and the queue has been full once, and the measured one. All meet before each. Time
 * runs from the first put of the second lap until the last consumer has its last message.
 *
 * Every consumer takes the same number of messages. Their numbers are added up, and the sum
 * over all consumers must be that of what the producers sent. */

#include "queue/traffic.h"

#include <stdatomic.h>

static traffic_plan plan;
static _Atomic uint64_t *number_sum; /* shared: of all messages taken in the measured lap */

static uint64_t warm_up_count(void)
{
    uint64_t share = (uint64_t)plan.producer_count * plan.consumer_count;
    uint64_t count = 2 * plan.capacity + plan.message_count / 16;
    return (count + share - 1) / share * share;
}

static void produce(unsigned index)
{
    uint64_t count = warm_up_count() / plan.producer_count;
    harness_meet();
    traffic_measured.produce(index * count, count);

    count = plan.message_count / plan.producer_count;
    harness_meet();
    harness_begin();
    traffic_measured.produce(index * count, count);
}

static void consume(void)
{
    harness_meet();
    traffic_measured.consume(warm_up_count() / plan.consumer_count);

    harness_meet();
    uint64_t sum = traffic_measured.consume(plan.message_count / plan.consumer_count);
    harness_end();
    atomic_fetch_add(number_sum, sum);
}

static void take_part(unsigned index)
{
    if (index < plan.producer_count) {
        produce(index);
    } else {
        consume();
    }
}

static void plan_read(void)
{
    plan.bytes = harness_number("bytes");
    plan.producer_count = (unsigned)harness_number("producers");
    plan.consumer_count = (unsigned)harness_number("consumers");
    plan.message_count = harness_number("messages");
    plan.capacity = harness_number("capacity");
    plan.batch = (unsigned)harness_number_or("batch", 1);
    plan.is_zero_copy = harness_number_or("zero_copy", 0) != 0;
    if (plan.bytes % sizeof(payload_word) != 0) {
        harness_die("messages of %zu bytes: must be a multiple of 8", plan.bytes);
    }
    if (plan.message_count % ((uint64_t)plan.producer_count * plan.consumer_count) != 0) {
        harness_die("the messages cannot be shared out evenly");
    }
}

int main(int argc, char **argv)
{
    harness_open(argc, argv);
    plan_read();
    number_sum = harness_share(sizeof *number_sum);
    traffic_measured.open(&plan);
    harness_run(traffic_measured.starter, plan.producer_count + plan.consumer_count, take_part);

    uint64_t count = plan.message_count;
    if (atomic_load(number_sum) != count * (count - 1) / 2) {
        harness_die("messages were lost, or taken twice");
    }
    harness_report((double)count / harness_seconds());
    return 0;
}
