/* What the tests of local queues share: numbers as items, and a count of those given back. */
#ifndef UNIT_LOCAL_QUEUES_H
#define UNIT_LOCAL_QUEUES_H

#include "family/sleep.h"
#include "local/layout.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/local_queue.h>

enum { FREED_COUNT = NUMBER_COUNT - 1, FREED_SUM = NUMBER_COUNT - 2 }; /* indexes of `numbers` */

static inline kin_local_queue *new_local_queue(const kin_local_queue_options *options)
{
    kin_local_queue *queue = NULL;
    begin();
    REQUIRE(kin_local_queue_create(options, &queue) == 0);
    return queue;
}

static inline void *item_of(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

static inline int put_item(kin_local_queue *queue, uint64_t number, kin_timeout timeout)
{
    return kin_local_queue_put(queue, item_of(number), timeout);
}

/* The number, or a code. */
static inline int64_t get_item(kin_local_queue *queue, kin_timeout timeout)
{
    void *item = item_of(1234567);
    int r = kin_local_queue_get(queue, timeout, &item);
    CHECK(r == 0 || item == item_of(1234567)); /* untouched */
    return r < 0 ? r : (int64_t)(uintptr_t)item;
}

/* A free_item: numbers[FREED_COUNT] of them, numbers[FREED_SUM] together. */
static inline void count_freed(void *item)
{
    atomic_fetch_add(&numbers[FREED_COUNT], 1);
    atomic_fetch_add(&numbers[FREED_SUM], (uint64_t)(uintptr_t)item);
}

#endif
