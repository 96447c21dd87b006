/* Each thread runs two laps: a short one that nobody measures, and the measured one. All meet
 * before each. Time runs from the first put of the second lap until the last consumer has its last
 * item.
 *
 * Every consumer takes the same number of items. The sum over all consumers must be that of what
 * the producers put. */

#include "local_queue/traffic.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define THREAD_COUNT_MAX 16

static traffic_plan plan;
static _Atomic uint64_t number_sum; /* of all items taken in the measured lap */
static pthread_t threads[THREAD_COUNT_MAX];

/* A multiple of what is shared out, in whole batches. */
static uint64_t warm_up_count(void)
{
    uint64_t share = (uint64_t)plan.producer_count * plan.consumer_count * plan.batch;
    uint64_t count = 2 * plan.capacity + plan.item_count / 16;
    return (count + share - 1) / share * share;
}

static void produce(unsigned index)
{
    uint64_t count = warm_up_count() / plan.producer_count;
    harness_meet();
    traffic_measured.produce(1 + index * count, count);

    count = plan.item_count / plan.producer_count;
    harness_meet();
    harness_begin();
    traffic_measured.produce(1 + index * count, count);
}

static void consume(void)
{
    harness_meet();
    traffic_measured.consume(warm_up_count() / plan.consumer_count);

    harness_meet();
    uint64_t sum = traffic_measured.consume(plan.item_count / plan.consumer_count);
    harness_end();
    atomic_fetch_add(&number_sum, sum);
}

static void take_part(unsigned index)
{
    if (index < plan.producer_count) {
        produce(index);
    } else {
        consume();
    }
}

static void *run(void *user)
{
    harness_body_run((unsigned)(uintptr_t)user);
    return NULL;
}

static void start(unsigned index)
{
    if (pthread_create(&threads[index], NULL, run, (void *)(uintptr_t)index) != 0) {
        harness_die("cannot start thread %u", index);
    }
}

static void join(unsigned index)
{
    pthread_join(threads[index], NULL);
}

static void plan_read(void)
{
    plan.producer_count = (unsigned)harness_number("producers");
    plan.consumer_count = (unsigned)harness_number("consumers");
    plan.item_count = harness_number("items");
    plan.batch = harness_number("batch");
    plan.capacity = strcmp(harness_word("capacity"), "none") == 0 ? 0 : harness_number("capacity");
    if (plan.batch > TRAFFIC_BATCH_MAX ||
        plan.item_count % ((uint64_t)plan.producer_count * plan.consumer_count * plan.batch) != 0) {
        harness_die("the items cannot be shared out evenly");
    }
}

int main(int argc, char **argv)
{
    static const harness_starter starter = {.start = start, .join = join};
    harness_open(argc, argv);
    plan_read();
    traffic_measured.open(&plan);
    harness_run(&starter, plan.producer_count + plan.consumer_count, take_part);

    uint64_t count = plan.item_count;
    if (atomic_load(&number_sum) != count * (count + 1) / 2) {
        harness_die("items were lost, or taken twice");
    }
    harness_report((double)count / harness_seconds());
    return 0;
}
