/*
 * A pool's life, seen from its creator.
 *
 *     open -> closed        kin_pool_close: no new jobs; those that run may still submit
 *          -> drained       no job can submit any more: workers end when nothing is QUEUED
 *          -> terminated    the nursery kills the workers
 *     broken                the nursery was killed; its workers die with it
 *
 * All ways end with the end of the nursery, which is the last process of the pool. Lock order:
 * kin__pools, pool->lock, kin__children.
 */
#include "pool/pool.h"

#include "base/allocate.h"
#include "base/arithmetic.h"
#include "family/death.h"
#include "family/sleep.h"
#include "os/clock.h"
#include "os/process.h"
#include "pool/job.h"
#include "pool/runtime.h"

#include <errno.h>
#include <stdio.h>

#define READ_AHEAD_MIN 16u
#define SLOTS_MIN 1024u
#define SLOTS_A_WORKER 8u
#define GRACE_MS_DEFAULT 5000u
#define KILL_GRACE_MS 2000 /* from telling the nursery to killing it */

int kin__pool_check(const kin_pool *pool)
{
    if (pool == NULL) {
        return -EINVAL;
    }
    if (pool->is_foreign) {
        return -EPERM;
    }
    return pool->object.generation == kin__family.generation ? 0 : KIN_EFAMILY;
}

void kin__pool_tell_nursery(kin_pool *pool)
{
    struct kin__member *member = kin__member_of(pool->nursery->owner);
    if (member != NULL) { /* if it has become somebody else's, that one looks once more */
        kin__count_raise(&member->child_ends, UINT32_MAX);
    }
}

/* A closed pool is drained when the last job has submitted its last task. */
void kin__pool_drain(kin_pool *pool)
{
    struct kin__pool_shared *shared = kin__pool_shared(pool);
    uint32_t open = KIN__POOL_OPEN;
    if (pool->is_closed && pool->feeding_count == 0 &&
        atomic_compare_exchange_strong(&shared->state, &open, KIN__POOL_DRAINED)) {
        kin__count_raise(&shared->tasks, UINT32_MAX);
        kin__pool_tell_nursery(pool);
    }
}

bool kin__pool_has_ended(kin_pool *pool)
{
    return atomic_load(&kin__pool_shared(pool)->has_ended) != 0 ||
           kin__death_has_come(pool->nursery->owner);
}

/* --- making one --- */

static int resolve(const kin_pool_options *given, kin_pool_options *ret_options)
{
    kin_pool_options options = {.size = sizeof options};
    if (given != NULL) {
        if (given->size != sizeof options || given->worker_count > KIN__POOL_WORKERS_MAX ||
            given->read_ahead_max > KIN__POOL_SLOTS_MAX) {
            return -EINVAL;
        }
        options = *given;
    }
    if (options.worker_count == 0) {
        uint32_t cores = kin_cpu_count();
        options.worker_count = cores < KIN__POOL_WORKERS_MAX ? cores : KIN__POOL_WORKERS_MAX;
    }
    if (options.read_ahead_max == 0) {
        uint32_t wanted = 4 * options.worker_count;
        options.read_ahead_max = wanted > READ_AHEAD_MIN ? wanted : READ_AHEAD_MIN;
    }
    options.grace_ms = options.grace_ms == 0 ? GRACE_MS_DEFAULT : options.grace_ms;
    *ret_options = options;
    return 0;
}

static uint32_t capacity_of(const kin_pool_options *options)
{
    uint32_t wanted = options->worker_count * SLOTS_A_WORKER;
    wanted = wanted > options->read_ahead_max ? wanted : options->read_ahead_max;
    wanted = wanted > SLOTS_MIN ? wanted : SLOTS_MIN;
    return (uint32_t)kin__u64_ceil_power_of_two(wanted);
}

static void lay_out(kin_pool *pool, const kin_pool_options *options)
{
    struct kin__pool_shared *shared = kin__pool_shared(pool);
    shared->worker_count = options->worker_count;
    shared->capacity = capacity_of(options);
    shared->retries = options->lost_task_retries;
    shared->function_count = pool->function_count;
    atomic_store(&shared->tail, shared->capacity);
    atomic_store(&shared->head, shared->capacity);
    for (uint32_t i = 0; i < shared->worker_count; i++) {
        atomic_store(&kin__pool_worker_at(shared, i)->task_index, UINT64_MAX);
    }
    atomic_signal_fence(memory_order_seq_cst);
    shared->magic = KIN__POOL_MAGIC; /* from here on a reaper may look */
    pool->places[shared->capacity].next = shared->capacity;
    pool->places[shared->capacity].previous = shared->capacity;
}

/* Notes the functions that are registered now: the nursery's and the workers' copies of this
 * process know these, at the same addresses. */
static int note_functions(kin_pool *pool)
{
    for (const kin_function_entry *entry = kin__functions; entry != NULL; entry = entry->next) {
        pool->function_count++;
    }
    pool->functions = kin__allocate_array(pool->function_count, sizeof(void *));
    if (pool->functions == NULL) {
        return -ENOMEM;
    }
    uint32_t index = 0;
    for (const kin_function_entry *entry = kin__functions; entry != NULL; entry = entry->next) {
        pool->functions[index++] = entry;
    }
    return 0;
}

/* Gives back what is private, and this process's reference to the rest. */
static void release(kin_pool *pool)
{
    pool->nursery = kin_process_free(pool->nursery);
    for (uint32_t i = 0; i < pool->place_total; i++) {
        kin__exchange_drop(pool->places[i].fds);
    }
    kin__exchange_close(pool);
    kin__release(pool->places);
    kin__release(pool->functions);
    mtx_destroy(&pool->lock);
    kin__object_free(&pool->object);
}

/* Waits until all workers were started. 0, or why they were not. */
static int wait_for_start(kin_pool *pool)
{
    struct kin__pool_shared *shared = kin__pool_shared(pool);
    int r = 0;
    for (;;) {
        uint32_t key = kin__count_prepare(&shared->results);
        bool has_ended = kin__pool_has_ended(pool);
        int started = atomic_load(&shared->started);
        if (started != 0) {
            r = started < 0 ? started : 0;
            break;
        }
        if (has_ended) {
            r = KIN_EBROKEN;
            break;
        }
        kin__sleep(&shared->results, key, KIN_FOREVER);
    }
    if (r < 0) {
        kin_process_join(pool->nursery, KIN_FOREVER);
    }
    int refusal = r == KIN_EBROKEN ? kin__record_refusal(pool->nursery->record) : 0;
    return refusal < 0 ? refusal : r;
}

/* Makes the object and its private parts, without a process. */
static int prepare(const kin_pool_options *options, kin_pool **ret_pool)
{
    kin_pool *pool = NULL;
    uint32_t capacity = capacity_of(options);
    struct kin__object_plan plan = {.type = KIN__TYPE_POOL,
                                    .size = sizeof *pool,
                                    .bytes = kin__pool_bytes(options->worker_count, capacity)};
    int r = kin__object_create(&plan, &pool);
    if (r < 0) {
        return r;
    }
    mtx_init(&pool->lock, mtx_plain);
    kin__list_init(&pool->jobs);
    pool->exchange.ends[KIN__EXCHANGE_CREATOR] = -1;
    pool->exchange.ends[KIN__EXCHANGE_WORKERS] = -1;
    pool->read_ahead_max = options->read_ahead_max;
    pool->grace_ms = options->grace_ms;
    pool->places = kin__allocate_zeroed((capacity + 1) * sizeof *pool->places);
    pool->place_total = pool->places == NULL ? 0 : capacity + 1;
    r = pool->places == NULL ? -ENOMEM : note_functions(pool);
    if (r == 0) {
        r = kin__exchange_open(&pool->exchange);
    }
    if (r < 0) {
        release(pool);
        return r;
    }
    lay_out(pool, options);
    *ret_pool = pool;
    return 0;
}

int kin_pool_create(const kin_pool_options *options, kin_pool **ret_pool)
{
    kin_pool_options resolved;
    kin_pool *pool = NULL;
    int r = ret_pool == NULL ? -EINVAL : resolve(options, &resolved);
    if (r == 0) {
        r = prepare(&resolved, &pool);
    }
    if (r < 0) {
        return r;
    }
    mtx_lock(&kin__pools.lock);
    snprintf(pool->name, sizeof pool->name, "Pool-%u", ++kin__pools.count);
    mtx_unlock(&kin__pools.lock);
    r = kin__process_fork(pool->name, true, &pool->nursery);
    kin__exchange_keep(&pool->exchange, r == 0 ? KIN__EXCHANGE_WORKERS : KIN__EXCHANGE_CREATOR);
    if (r == 0) {
        kin__pool_nurse(pool);
    }
    if (r > 0) {
        r = wait_for_start(pool);
    }
    if (r < 0) {
        release(pool);
        return r;
    }
    mtx_lock(&kin__pools.lock);
    kin__list_append(&kin__pools.list, &pool->node);
    mtx_unlock(&kin__pools.lock);
    *ret_pool = pool;
    return 0;
}

/* --- ending one --- */

int kin_pool_close(kin_pool *pool)
{
    int r = kin__pool_check(pool);
    if (r == 0) {
        mtx_lock(&pool->lock);
        pool->is_closed = true;
        kin__pool_drain(pool);
        mtx_unlock(&pool->lock);
    }
    return r;
}

int kin_pool_terminate(kin_pool *pool)
{
    int r = kin__pool_check(pool);
    if (r == 0) {
        struct kin__pool_shared *shared = kin__pool_shared(pool);
        mtx_lock(&pool->lock);
        pool->is_terminated = true;
        mtx_unlock(&pool->lock);
        atomic_store(&shared->state, KIN__POOL_TERMINATED);
        kin__count_raise(&shared->tasks, UINT32_MAX);
        kin__count_raise(&shared->results, UINT32_MAX);
        kin__pool_tell_nursery(pool);
    }
    return r;
}

/* The nursery was killed: its workers are dying, each killed by the kernel. What they had is
 * taken back before the pool is gone. */
static void wait_for_orphans(kin_pool *pool)
{
    struct kin__pool_shared *shared = kin__pool_shared(pool);
    int64_t deadline_ns = kin_within_ms(KILL_GRACE_MS).deadline_ns;
    for (uint32_t i = 0; i < shared->worker_count; i++) {
        uint32_t owner = atomic_load(&kin__pool_worker_at(shared, i)->owner);
        if (owner != 0 && kin__member_state_of(owner) != KIN__MEMBER_FREE &&
            kin__death_is_certain(owner, deadline_ns)) {
            kin__death_reap(owner);
        }
    }
}

int kin_pool_join(kin_pool *pool, kin_timeout timeout)
{
    int r = kin__pool_check(pool);
    if (r < 0) {
        return r;
    }
    mtx_lock(&pool->lock);
    bool is_ending = pool->is_closed || pool->is_terminated;
    mtx_unlock(&pool->lock);
    r = is_ending ? kin_process_join(pool->nursery, timeout) : -EINVAL;
    if (r == 0) {
        wait_for_orphans(pool);
    }
    return r;
}

/* Ends the pool's processes; workers have until the deadline to finish their tasks. */
static void end_pool(kin_pool *pool, kin_timeout grace)
{
    mtx_lock(&pool->lock);
    KIN_LIST_EACH (&pool->jobs, node) {
        kin__job_end(KIN_CONTAINER_OF(node, struct kin__job, node));
    }
    mtx_unlock(&pool->lock);
    kin_pool_close(pool);
    if (kin_pool_join(pool, grace) < 0) {
        kin_pool_terminate(pool);
        if (kin_pool_join(pool, kin_within_ms(KILL_GRACE_MS)) < 0) {
            kin_process_kill(pool->nursery);
            kin_pool_join(pool, KIN_FOREVER);
        }
    }
}

kin_pool *kin_pool_free(kin_pool *pool)
{
    if (pool == NULL) {
        return NULL;
    }
    if (kin__pool_check(pool) == 0) {
        end_pool(pool, kin_within_ms(pool->grace_ms));
        kin__exchange_stop(pool);
    }
    mtx_lock(&kin__pools.lock);
    if (kin__list_node_is_linked(&pool->node)) {
        kin__list_remove(&pool->node);
    }
    mtx_unlock(&kin__pools.lock);
    release(pool);
    return NULL;
}

/* kin_fini: pools that were left open are terminated. */
static void end_pools(void)
{
    KIN_LIST_EACH (&kin__pools.list, node) {
        kin_pool *pool = KIN_CONTAINER_OF(node, struct kin_pool, node);
        if (!pool->is_foreign) {
            kin_pool_terminate(pool);
            end_pool(pool, kin_within_ms(KILL_GRACE_MS));
            kin__exchange_stop(pool);
        }
        kin__list_remove(node);
    }
}

/* --- reading --- */

uint32_t kin_pool_worker_count(const kin_pool *pool)
{
    return kin__pool_check(pool) < 0 ? 0 : kin__pool_shared(pool)->worker_count;
}

int kin_pool_worker_read(const kin_pool *pool, uint32_t index, kin_pool_worker *ret_worker)
{
    int r = ret_worker == NULL ? -EINVAL : kin__pool_check(pool);
    if (r == 0 && index >= kin__pool_shared(pool)->worker_count) {
        r = -EINVAL;
    }
    if (r < 0) {
        return r;
    }
    struct kin__worker *worker = kin__pool_worker_at(kin__pool_shared(pool), index);
    *ret_worker = (kin_pool_worker){
        .pid = atomic_load(&worker->pid),
        .restart_count = atomic_load(&worker->restart_count),
        .task_count = atomic_load_explicit(&worker->task_count, memory_order_relaxed),
        .busy_ns = atomic_load_explicit(&worker->busy_ns, memory_order_relaxed),
        .task_index = atomic_load(&worker->task_index),
        .task_attempt = atomic_load_explicit(&worker->task_attempt, memory_order_relaxed),
    };
    return 0;
}

/* --- fork --- */

static void lock_pools(void)
{
    mtx_lock(&kin__pools.lock);
}

static void unlock_pools(void)
{
    mtx_unlock(&kin__pools.lock);
}

static void forget_pools(void)
{
    KIN_LIST_EACH (&kin__pools.list, node) {
        KIN_CONTAINER_OF(node, struct kin_pool, node)->is_foreign = true;
    }
    mtx_unlock(&kin__pools.lock);
}

static void stop_on_interrupt(uint32_t step)
{
    mtx_lock(&kin__pools.lock);
    KIN_LIST_EACH (&kin__pools.list, node) {
        kin_pool *pool = KIN_CONTAINER_OF(node, struct kin_pool, node);
        if (step == 1) {
            kin_pool_close(pool);
        } else {
            kin_pool_terminate(pool);
        }
    }
    mtx_unlock(&kin__pools.lock);
}

static const struct kin__layer_hooks pool_hooks = {
    .fini = end_pools,
    .fork_before = lock_pools,
    .fork_parent = unlock_pools,
    .fork_child = forget_pools,
    .interrupted = stop_on_interrupt,
};

__attribute__((constructor)) static void register_layer(void)
{
    mtx_init(&kin__pools.lock, mtx_plain);
    kin__list_init(&kin__pools.list);
    kin__layers[KIN__LAYER_POOL] = &pool_hooks;
    kin__type_register(&kin__pool_type);
}
