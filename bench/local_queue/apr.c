/* apr_queue of the Apache Portable Runtime utilities: one lock, a ring, always bounded. APR_EINTR
 * says that another was faster after a wake-up: to be called again. */

#include "local_queue/traffic.h"

#include <apr_general.h>
#include <apr_queue.h>

static apr_queue_t *queue;

static void open_queue(const traffic_plan *plan)
{
    apr_pool_t *pool;
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS ||
        apr_queue_create(&queue, (unsigned)plan->capacity, pool) != APR_SUCCESS) {
        harness_die("no queue");
    }
}

static void check(apr_status_t status)
{
    if (status != APR_SUCCESS) {
        harness_die("apr_queue: status %d", status);
    }
}

static void produce(uint64_t first, uint64_t count)
{
    for (uint64_t number = first; number < first + count; number++) {
        apr_status_t status = APR_EINTR;
        while (status == APR_EINTR) {
            status = apr_queue_push(queue, traffic_item(number));
        }
        check(status);
    }
}

static uint64_t consume(uint64_t count)
{
    uint64_t number_sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        void *item = NULL;
        apr_status_t status = APR_EINTR;
        while (status == APR_EINTR) {
            status = apr_queue_pop(queue, &item);
        }
        check(status);
        number_sum += traffic_number(item);
    }
    return number_sum;
}

const traffic_subject traffic_measured = {open_queue, produce, consume};
