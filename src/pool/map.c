/*
 * Map: all inputs through the ring, all results in the order of the inputs.
 *
 * The ring is kept full. The caller sleeps until a good part of it is done, not for each
 * result: few of its tasks are marked as awaited, and workers that run out of tasks wake it.
 * The bytes of the results lie one behind the other in pages that live as long as the results.
 */
#include "base/allocate.h"
#include "family/sleep.h"
#include "pool/job.h"
#include "pool/result.h"

#include <errno.h>
#include <string.h>

#define ANNOUNCED_AT_ONCE 16u /* tasks shown to the workers together */

struct map {
    struct kin__job job; /* first: `take` gets this */
    kin_pool_results *results;
    const kin_bytes *bytes; /* the inputs; NULL: they are more than bytes, */
    const kin_pool_input *inputs;
    size_t count;
    size_t submitted;
    size_t taken;
    uint64_t short_at; /* tasks on their way when there was not enough for one more; 0: there was */
};

static void take(struct kin__job *job, void *item, const struct kin__outcome *outcome)
{
    struct map *map = (struct map *)(void *)job;
    kin_result *result = &map->results->items[outcome->index];
    (void)item;
    map->taken++;
    kin__result_set(result, outcome);
    kin__results_keep(map->results, result, outcome->bytes);
}

static kin_pool_input input_at(const struct map *map, size_t index)
{
    return map->inputs != NULL ? map->inputs[index] : (kin_pool_input){.bytes = map->bytes[index]};
}

/* Submits what fits into the ring. 0; -ENOMEM, -EMFILE: there is not enough for even one; or what
 * is wrong with an input. */
static int fill(struct map *map)
{
    struct kin__job *job = &map->job;
    uint32_t capacity = kin__pool_shared(job->pool)->capacity;
    uint32_t unannounced = 0;
    int r = 0;
    while (map->submitted < map->count && r == 0) {
        bool is_awaited = map->submitted % (capacity / REFILLS_A_RING) == 0;
        struct kin__job_input input = {.given = input_at(map, map->submitted)};
        r = kin__job_submit(job, NULL, map->submitted, &input, is_awaited);
        map->submitted += r == 0;
        unannounced += r == 0;
        if (unannounced == ANNOUNCED_AT_ONCE) {
            kin__job_announce(job, unannounced);
            unannounced = 0;
        }
    }
    kin__job_announce(job, unannounced);
    if (map->submitted == map->count) {
        kin__job_end_feeding(job);
    }
    bool is_short = kin__job_is_shortage(r);
    map->short_at = is_short ? job->outstanding : 0;
    return r == -EAGAIN || (is_short && job->outstanding != 0) ? 0 : r;
}

/* Whether it is time to submit again, or all is done. */
static bool has_progress(const struct kin__job *job)
{
    const struct map *map = (const struct map *)(const void *)job;
    return map->submitted == map->count ? map->taken == map->count
                                        : kin__job_wants_refill(job, map->short_at);
}

static int run(struct map *map, kin_timeout timeout)
{
    kin_pool *pool = map->job.pool;
    int r = 0;
    while (r == 0) {
        mtx_lock(&pool->lock);
        kin__job_collect(&map->job, false);
        r = fill(map);
        bool is_done = map->taken == map->count;
        mtx_unlock(&pool->lock);
        if (is_done) {
            return 0;
        }
        if (r == 0) {
            r = kin__timeout_is_over(timeout);
            r = r == -EAGAIN ? 0 : r; /* KIN_NOW: the wait below looks once more */
        }
        if (r == 0) {
            r = kin__job_wait(&map->job, timeout);
        }
    }
    return r;
}

static int check_map(const struct map *map, kin_function *function, kin_timeout timeout)
{
    if (function == NULL || (map->bytes == NULL && map->inputs == NULL && map->count != 0)) {
        return -EINVAL;
    }
    for (size_t i = 0; i < map->count; i++) {
        kin_pool_input input = input_at(map, i);
        if (!kin__job_is_input(&input)) {
            return -EINVAL;
        }
    }
    return kin__timeout_check(timeout);
}

static int begin(struct map *map, kin_pool *pool, kin_function *function)
{
    int r = kin__job_begin(&map->job, pool, function);
    if (r == 0 && map->inputs != NULL) {
        kin__exchange_serve(pool);
    }
    return r;
}

static int map_all(struct map *map, kin_pool *pool, kin_function *function, kin_timeout timeout,
                   kin_pool_results **ret_results)
{
    map->job.take = take;
    map->job.has_progress = has_progress;
    int r = ret_results == NULL ? -EINVAL : check_map(map, function, timeout);
    if (r == 0) {
        r = begin(map, pool, function);
    }
    if (r < 0) {
        return r;
    }
    map->results = kin__results_create(map->count);
    r = map->results == NULL ? -ENOMEM : run(map, timeout);
    mtx_lock(&pool->lock);
    kin__job_end(&map->job);
    mtx_unlock(&pool->lock);
    if (r < 0) {
        kin_pool_results_free(map->results);
        return r;
    }
    *ret_results = map->results;
    return 0;
}

int kin_pool_map_bytes(kin_pool *pool, kin_function *function, const kin_bytes *inputs,
                       size_t count, kin_timeout timeout, kin_pool_results **ret_results)
{
    struct map map = {.bytes = inputs, .count = count};
    return map_all(&map, pool, function, timeout, ret_results);
}

int kin_pool_map_inputs(kin_pool *pool, kin_function *function, const kin_pool_input *inputs,
                        size_t count, kin_timeout timeout, kin_pool_results **ret_results)
{
    struct map map = {.inputs = inputs, .count = count};
    return map_all(&map, pool, function, timeout, ret_results);
}
