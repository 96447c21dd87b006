/*
 * A worker: claims one task after another and runs it.
 *
 * It holds at most one task, whose slot names it from the claiming swap until DONE; so its death
 * costs that task and no other. A creator that sleeps is woken when a result is there that it
 * has marked as awaited, and otherwise when the worker finds nothing more to do: so a creator
 * that maps over many small inputs is woken once in a while and not for each.
 */
#include "base/error_codec.h"
#include "family/call.h"
#include "family/heap.h"
#include "family/sleep.h"
#include "os/clock.h"
#include "os/process.h"
#include "pool/pool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_BYTES_KEPT 65536u /* a buffer for results that has grown beyond is given back */

struct worker {
    kin_pool *pool;
    struct kin__pool_shared *shared;
    struct kin__worker *entry;
    uint32_t index;
    bool has_news; /* results that the creator has perhaps not been woken for */
    int64_t now_ns;
    kin_call call;          /* its buffer is used again */
    struct kin__os_fds fds; /* of the task */
};

/* Claims the first task that is QUEUED; NULL: there is none. */
static struct kin__slot *claim(struct worker *worker)
{
    struct kin__pool_shared *shared = worker->shared;
    for (;;) {
        uint64_t head = atomic_load(&shared->head);
        uint64_t position = head & KIN__POSITION_MASK;
        uint64_t tail = atomic_load_explicit(&shared->tail, memory_order_acquire);
        if (position >= tail) {
            return NULL;
        }
        if (tail - position > shared->capacity) { /* the ring has gone round: skip what is gone */
            atomic_compare_exchange_strong(&shared->head, &head,
                                           head + (tail - position - shared->capacity));
            continue;
        }
        struct kin__slot *slot = kin__pool_slot_at(shared, position);
        uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
        uint64_t running = kin__slot_word(KIN__SLOT_RUNNING, word, worker->index,
                                          kin__slot_attempt(word));
        bool is_claimed = kin__slot_state(word) == KIN__SLOT_QUEUED &&
                          atomic_compare_exchange_strong(&slot->word, &word, running);
        atomic_compare_exchange_strong(&shared->head, &head, head + 1);
        if (is_claimed) {
            return slot;
        }
    }
}

/* Wakes the creator for results that it was not woken for. */
static void report(struct worker *worker)
{
    if (worker->has_news) {
        worker->has_news = false;
        atomic_thread_fence(memory_order_seq_cst);
        kin__count_raise(&worker->shared->results, UINT32_MAX);
    }
}

static bool is_open(const struct worker *worker)
{
    return atomic_load(&worker->shared->state) == KIN__POOL_OPEN;
}

/* Sleeps until there may be tasks. False: it never was asleep, or cannot sleep. */
static bool sleep_for_task(struct worker *worker)
{
    _Atomic uint32_t *tasks = &worker->shared->tasks;
    fflush(NULL); /* what the functions have printed is seen at the latest now */
    uint32_t key = kin__count_prepare(tasks);
    uint64_t head = atomic_load(&worker->shared->head) & KIN__POSITION_MASK;
    if (head < atomic_load(&worker->shared->tail) || !is_open(worker)) {
        return true;
    }
    int r = kin__sleep(tasks, key, KIN_FOREVER);
    kin__count_pass(tasks);
    return r == 0;
}

/* Wakes one more worker if there is one more task: whoever slept may have taken a wake-up that
 * was meant for two. */
static void share_wake(struct worker *worker)
{
    uint64_t head = atomic_load(&worker->shared->head) & KIN__POSITION_MASK;
    if (head < atomic_load(&worker->shared->tail)) {
        kin__count_raise(&worker->shared->tasks, 1);
    }
}

/* The next task; NULL: there will be none any more. */
static struct kin__slot *next_task(struct worker *worker)
{
    if (atomic_load(&worker->shared->state) == KIN__POOL_TERMINATED) {
        return NULL;
    }
    struct kin__slot *slot = claim(worker);
    if (slot != NULL) {
        return slot;
    }
    report(worker);
    struct kin__spin spin = kin__spin_begin();
    while (slot == NULL && kin__spin_again(&spin)) {
        slot = claim(worker);
    }
    while (slot == NULL) {
        bool was_open = is_open(worker); /* before the look: no task comes after it */
        slot = claim(worker);
        if (slot == NULL && !was_open) {
            /* The wake-up at the end may have found only some of those who slept. */
            kin__count_raise(&worker->shared->tasks, UINT32_MAX);
            return NULL;
        }
        if (slot == NULL && !sleep_for_task(worker)) {
            return NULL;
        }
        if (slot != NULL) {
            share_wake(worker);
        }
    }
    worker->now_ns = kin__os_now_ns();
    return slot;
}

/* The input where it lies. -EBADMSG: the slot does not make sense. */
static int find_input(const struct kin__slot *slot, kin_call *call)
{
    uint64_t block = atomic_load(&slot->input_block);
    uint64_t place = slot->handle_count * sizeof(kin_handle);
    uint64_t capacity = block == 0 ? KIN__POOL_INPUT_BYTES : kin__block_capacity(block);
    if (slot->handle_count > KIN__POOL_HANDLES_MAX || place > capacity ||
        slot->input_bytes > capacity - place || (block == 0 && slot->handle_count != 0)) {
        return -EBADMSG;
    }
    call->input.data = block == 0 ? slot->input : kin__at(block + place);
    call->input.size = slot->input_bytes;
    call->handles = block == 0 ? NULL : kin__at(block);
    call->handle_count = slot->handle_count;
    return 0;
}

/* Fetches the task's fds. 0, or why not. */
static int fetch_fds(struct worker *worker, const struct kin__slot *slot)
{
    kin_call *call = &worker->call;
    call->fd_count = 0;
    if (slot->fd_count == 0) {
        return 0;
    }
    struct kin__exchange_request request = {.slot = kin__pool_slot_index(worker->shared, slot),
                                            .attempt = call->attempt};
    int r = kin__exchange_fetch(worker->pool, &request, slot->fd_count, &worker->fds);
    call->fds = worker->fds.fds;
    call->fd_count = worker->fds.count;
    return r < 0 ? kin_call_fail(call, r, "the fds of the task did not come: %s", kin_code_text(r))
                 : 0;
}

/* A block with the references and the bytes. 0, or -ENOMEM, -ESTALE. */
static int write_block(const kin_call *call, uint64_t *ret_block)
{
    uint64_t block = 0;
    uint64_t place = call->output_handle_count * sizeof(kin_handle);
    int r = kin__block_create(place + call->output.size, call->output_handle_count,
                              KIN__BLOCK_BYTES, &block);
    if (r < 0) {
        return r;
    }
    kin_handle *references = kin__at(block);
    for (uint32_t i = 0; r == 0 && i < call->output_handle_count; i++) {
        r = kin__reference_add(&references[i], call->output_handles[i]);
    }
    if (r < 0) {
        kin__block_free(block, kin__block_of_member(kin__family.owner));
        return r;
    }
    memcpy(kin__at(block + place), call->output.data, call->output.size);
    *ret_block = block;
    return 0;
}

/* Writes the result's bytes. The offset stands in the slot before the block is the pool's, so
 * that a repair finds it in either hand. */
static int write_output(struct worker *worker, struct kin__slot *slot)
{
    const kin_call *call = &worker->call;
    size_t size = call->output.size;
    slot->output_handle_count = call->output_handle_count;
    if (size <= KIN__POOL_OUTPUT_BYTES && call->output_handle_count == 0) {
        if (size > 0) {
            memcpy(slot->output, call->output.data, size);
        }
        slot->output_bytes = size;
        return 0;
    }
    uint64_t block = 0;
    int r = write_block(call, &block);
    if (r < 0) {
        return r;
    }
    slot->output_bytes = size;
    atomic_store(&slot->output_block, block);
    const kin_handle *handle = &worker->pool->object.handle;
    kin__block_give(block, kin__block_of_member(kin__family.owner),
                    kin__block_of_object(handle->index, handle->counter));
    return 0;
}

static void write_result(struct worker *worker, struct kin__slot *slot, int code)
{
    kin_call *call = &worker->call;
    if (code < 0) { /* the reason in place of a result; without one if it cannot be told */
        kin__call_drop_handles(call);
        call->output.size = 0;
        if (kin__error_encode(call->error, &call->output) < 0) {
            call->output.size = 0;
        }
    }
    slot->code = code < 0 ? code : 0;
    int r = write_output(worker, slot);
    if (r < 0) {
        slot->code = code < 0 ? code : r;
        slot->output_bytes = 0;
        slot->output_handle_count = 0;
    }
}

static void reset_call(kin_call *call)
{
    if (call->output.capacity > OUTPUT_BYTES_KEPT) {
        kin__buffer_deinit(&call->output);
    }
    kin__call_reset(call);
}

/* Only this worker writes these. */
static void add(_Atomic uint64_t *counter, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + amount, memory_order_relaxed);
}

static void run(struct worker *worker, struct kin__slot *slot)
{
    struct kin__worker *entry = worker->entry;
    kin_call *call = &worker->call;
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    int64_t start_ns = worker->now_ns;
    atomic_store_explicit(&entry->task_attempt, kin__slot_attempt(word), memory_order_relaxed);
    atomic_store_explicit(&entry->task_index, slot->index, memory_order_release);
    add(&entry->task_count, 1);
    call->attempt = kin__slot_attempt(word);
    bool is_sound = slot->function < worker->pool->function_count && find_input(slot, call) == 0;
    int code = is_sound ? fetch_fds(worker, slot) : -EBADMSG;
    if (code == 0) {
        code = kin__call_run(call, worker->pool->functions[slot->function]->function);
    }
    kin__exchange_end(&worker->fds);
    write_result(worker, slot, code);
    worker->now_ns = kin__os_now_ns();
    add(&entry->busy_ns, (uint64_t)(worker->now_ns - start_ns));
    atomic_store_explicit(&entry->task_index, UINT64_MAX, memory_order_relaxed);
    /* Pairs with the acquire in kin__job_collect: the result is seen with its word. */
    atomic_store_explicit(&slot->word,
                          kin__slot_word(KIN__SLOT_DONE, 0, worker->index, call->attempt),
                          memory_order_release);
    worker->has_news = true;
    if (word & KIN__SLOT_WAKE) {
        report(worker);
    }
    reset_call(call);
}

_Noreturn void kin__pool_work(kin_pool *pool, uint32_t index, uint32_t nursery_pid)
{
    struct worker worker = {.pool = pool,
                            .shared = kin__pool_shared(pool),
                            .entry = kin__pool_worker_at(kin__pool_shared(pool), index),
                            .index = index};
    struct kin__thread *self = NULL;
    kin__os_die_with_parent(nursery_pid);
    int r = kin__self_find(&self);
    if (r < 0) {
        kin__record_refuse(r);
        kin__os_exit_now(1);
    }
    kin__holding_add(self, kin__object_index(&pool->object));
    atomic_store(&worker.entry->thread, self->owner);
    atomic_store(&worker.entry->owner, kin__family.owner);
    atomic_store(&worker.entry->task_index, UINT64_MAX);
    atomic_store(&worker.entry->pid, (int32_t)kin__family.pid);
    worker.now_ns = kin__os_now_ns();
    struct kin__slot *slot = next_task(&worker);
    while (slot != NULL) {
        run(&worker, slot);
        slot = next_task(&worker);
    }
    report(&worker);
    kin__call_end(&worker.call);
    kin__holding_remove(self, kin__object_index(&pool->object));
    kin__process_exit(0);
}
