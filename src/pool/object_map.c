/*
 * Map over objects. Encoding and decoding run hooks of the user's classes, so they are done outside
 * the lock: an input is encoded before it is submitted, and waits if there is no room; a result
 * is taken over as it is, block and all, and decoded by the caller's thread between its looks at
 * the ring, while the workers go on.
 */
#include <kin/pool_map.h>

#include "base/allocate.h"
#include "family/heap.h"
#include "family/sleep.h"
#include "object/pickle.h"
#include "pool/exchange.h"
#include "pool/job.h"
#include "pool/result.h"

#include <errno.h>
#include <kin/class.h>
#include <kin/list.h>

#define ANNOUNCED_AT_ONCE 16u /* tasks shown to the workers together */
#define NONE SIZE_MAX

/* What is known of a task. */
struct object_task {
    kin_object *object; /* its result; NULL: not decoded yet, or it failed */
    uint64_t block;     /* where that lies; 0: in `results` */
    size_t next;        /* in the list of those to be decoded */
};

struct object_map {
    struct kin__job job; /* first: `take` gets this */
    const kin_object *inputs;
    kin_pool_results *results;
    struct object_task *tasks;
    size_t count;
    size_t submitted;
    size_t taken;
    size_t ready;                   /* first of those to be decoded; NONE: there is none */
    struct kin__encoding *encoding; /* of the next input */
    bool has_encoding;
    uint64_t short_at; /* tasks on their way when there was not enough for one more; 0: there was */
};

/* --- results --- */

static void take(struct kin__job *job, void *item, const struct kin__outcome *outcome)
{
    struct object_map *map = (struct object_map *)(void *)job;
    size_t index = outcome->index;
    kin_result *result = &map->results->items[index];
    (void)item;
    map->taken++;
    kin__result_set(result, outcome);
    if (outcome->code < 0) {
        return;
    }
    if (outcome->block != 0) {
        kin__job_keep_block(job, outcome);
        map->tasks[index].block = outcome->block;
        result->bytes = outcome->bytes;
    } else {
        kin__results_keep(map->results, result, outcome->bytes);
    }
    map->tasks[index].next = map->ready;
    map->ready = index;
}

static void free_block(struct object_task *task)
{
    if (task->block != 0) {
        kin__block_free(task->block, kin__block_of_member(kin__family.owner));
        task->block = 0;
    }
}

static void decode(kin_result *result, struct object_task *task)
{
    struct kin__decode_input input = {.takes_handles = true};
    kin_pickle_fault fault = {0};
    int r = 0;
    if (result->bytes.size == 0) { /* the function has set no result */
        task->object = kin_object_none();
    } else {
        r = kin__pickle_decode(result->bytes, &input, &task->object, NULL, &fault);
    }
    result->bytes = (kin_bytes){0};
    if (r < 0) {
        result->code = r;
        result->error = KIN_ERROR(r, "the result is no object: %s %s at byte %llu", fault.opcode,
                                  fault.reason, (unsigned long long)fault.offset);
    }
    free_block(task);
}

/* Decodes what has come. Only this thread takes tasks out of the list; under the lock all threads
 * may put some in. */
static void decode_ready(struct object_map *map, size_t ready)
{
    while (ready != NONE) {
        struct object_task *task = &map->tasks[ready];
        kin_result *result = &map->results->items[ready];
        ready = task->next;
        if (result->code == 0) {
            decode(result, task);
        }
    }
}

/* --- inputs --- */

/* Encodes the next input, unless that was done. */
static int encode_next(struct object_map *map)
{
    static const struct kin__encode_options options = {.takes_handles = true, .takes_fds = true};
    if (map->has_encoding) {
        return 0;
    }
    const kin_object *input = kin_object_at(map->inputs, map->submitted);
    int r = kin__pickle_encode(input, &options, map->encoding);
    map->has_encoding = r == 0;
    if (r == 0 && map->encoding->fd_count != 0) {
        kin__exchange_serve(map->job.pool);
    }
    return r;
}

static void drop_encoding(struct object_map *map)
{
    if (map->has_encoding) {
        kin__encoding_deinit(map->encoding);
        map->has_encoding = false;
    }
}

/* Submits the input that is encoded. 0, or a code of kin__job_submit: it stays. */
static int submit(struct object_map *map)
{
    struct kin__job *job = &map->job;
    const struct kin__encoding *encoding = map->encoding;
    struct kin__job_input input = {
        .given = {.bytes = {.data = encoding->bytes, .size = encoding->size},
                  .handles = encoding->handles,
                  .handle_count = encoding->handle_count,
                  .fds = encoding->fds,
                  .fd_count = encoding->fd_count},
        .encoding = encoding};
    uint32_t capacity = kin__pool_shared(job->pool)->capacity;
    bool is_awaited = map->submitted % (capacity / REFILLS_A_RING) == 0;
    if (!kin__job_is_input(&input.given)) {
        return KIN_ELIMIT;
    }
    mtx_lock(&job->pool->lock);
    int r = kin__job_submit(job, NULL, map->submitted, &input, is_awaited);
    if (r == 0 && ++map->submitted == map->count) {
        kin__job_end_feeding(job);
    }
    map->short_at = kin__job_is_shortage(r) ? job->outstanding : 0;
    mtx_unlock(&job->pool->lock);
    if (r == 0) {
        drop_encoding(map);
    }
    return r;
}

/* Submits what fits into the ring. 0, or why there is not enough for even one, or what is wrong
 * with an input. */
static int feed(struct object_map *map)
{
    uint32_t unannounced = 0;
    int r = 0;
    while (map->submitted < map->count && r == 0) {
        r = encode_next(map);
        if (r < 0) {
            break;
        }
        r = submit(map);
        unannounced += r == 0;
        if (unannounced == ANNOUNCED_AT_ONCE) {
            kin__job_announce(&map->job, unannounced);
            unannounced = 0;
        }
    }
    kin__job_announce(&map->job, unannounced);
    bool may_go_on = r == -EAGAIN || (kin__job_is_shortage(r) && map->short_at != 0);
    return may_go_on ? 0 : r;
}

/* --- running --- */

/* Whether it is time to submit or decode, or all is done. */
static bool has_progress(const struct kin__job *job)
{
    const struct object_map *map = (const struct object_map *)(const void *)job;
    return map->submitted == map->count ? map->taken == map->count
                                        : kin__job_wants_refill(job, map->short_at);
}

static int run(struct object_map *map, kin_timeout timeout)
{
    kin_pool *pool = map->job.pool;
    int r = 0;
    bool is_done = false;
    if (map->count == 0) {
        mtx_lock(&pool->lock);
        kin__job_end_feeding(&map->job);
        mtx_unlock(&pool->lock);
    }
    while (r == 0) {
        r = feed(map);
        mtx_lock(&pool->lock);
        kin__job_collect(&map->job, false);
        size_t ready = map->ready;
        map->ready = NONE;
        is_done = map->taken == map->count;
        bool has_room = map->submitted < map->count && kin__job_room(&map->job) > 0;
        mtx_unlock(&pool->lock);
        decode_ready(map, ready);
        if (is_done) {
            break;
        }
        if (r == 0) {
            r = kin__timeout_is_over(timeout);
            r = r == -EAGAIN ? 0 : r; /* KIN_NOW: the wait below looks once more */
        }
        if (r == 0 && (!has_room || map->short_at != 0)) {
            r = kin__job_wait(&map->job, timeout);
        }
    }
    return is_done ? 0 : r;
}

/* The results as a list. 0, the code of the first task that failed, or -ENOMEM. */
static int make_list(struct object_map *map, bool may_fail, kin_object **ret_list)
{
    kin_object *list = kin_list_create();
    int r = list == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < map->count && r == 0; i++) {
        kin_object *object = map->tasks[i].object;
        map->tasks[i].object = NULL;
        if (map->results->items[i].code < 0) {
            r = may_fail ? 0 : map->results->items[i].code;
            object = kin_object_none();
        }
        int appended = kin_list_append(list, object);
        r = r < 0 ? r : appended;
    }
    if (r < 0) {
        kin_object_free(list);
        return r;
    }
    *ret_list = list;
    return 0;
}

static struct object_task *create_tasks(size_t count)
{
    struct object_task *tasks = kin__allocate_array(count, sizeof *tasks);
    for (size_t i = 0; i < count && tasks != NULL; i++) {
        tasks[i] = (struct object_task){0};
    }
    return tasks;
}

static int map_all(struct object_map *map, kin_timeout timeout, bool may_fail,
                   kin_object **ret_list)
{
    kin_pool *pool = map->job.pool;
    map->results = kin__results_create(map->count);
    map->tasks = map->results == NULL ? NULL : create_tasks(map->count);
    int r = map->tasks == NULL ? -ENOMEM : run(map, timeout);
    mtx_lock(&pool->lock);
    kin__job_end(&map->job);
    mtx_unlock(&pool->lock);
    drop_encoding(map);
    if (r == 0) {
        r = make_list(map, may_fail, ret_list);
    }
    for (size_t i = 0; i < map->count && map->tasks != NULL; i++) {
        free_block(&map->tasks[i]);
        kin_object_free(map->tasks[i].object);
    }
    kin__release(map->tasks);
    return r;
}

static bool is_range(const kin_object *object)
{
    const kin_class *class_ = kin_instance_class(object);
    return class_ != NULL && class_ == kin_class_find("builtins", "range");
}

static int check(kin_function *function, const kin_object *inputs,
                 const kin_pool_map_options *options, kin_timeout timeout)
{
    kin_kind kind = kin_object_kind(inputs);
    if (inputs == NULL) {
        return -ENOMEM;
    }
    if (function == NULL || (options != NULL && options->size != sizeof *options) ||
        (kind != KIN_KIND_LIST && kind != KIN_KIND_TUPLE && !is_range(inputs))) {
        return -EINVAL;
    }
    return kin__timeout_check(timeout);
}

int kin_pool_map(kin_pool *pool, kin_function *function, const kin_object *inputs,
                 const kin_pool_map_options *options, kin_timeout timeout, kin_object **ret_results)
{
    struct kin__encoding encoding;
    struct object_map map = {.job = {.take = take, .has_progress = has_progress},
                             .inputs = inputs,
                             .count = kin_object_count(inputs),
                             .ready = NONE,
                             .encoding = &encoding};
    kin_pool_results **ret_outcomes = options == NULL ? NULL : options->ret_outcomes;
    int r = ret_results == NULL ? -EINVAL : check(function, inputs, options, timeout);
    if (r == 0) {
        r = kin__job_begin(&map.job, pool, function);
    }
    if (r < 0) {
        return r;
    }
    r = map_all(&map, timeout, ret_outcomes != NULL, ret_results);
    if (r == 0 && ret_outcomes != NULL) {
        *ret_outcomes = map.results;
    } else {
        kin_pool_results_free(map.results);
    }
    return r;
}
