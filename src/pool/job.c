/*
 * The creator's side of the ring: putting tasks in, taking results out.
 *
 * Only the creator makes a slot QUEUED for the first time and FREE again, so it knows which
 * are in use without looking (its places). Results are taken by whichever of its threads looks,
 * for the jobs of all; it wakes the others if it has taken something of theirs.
 *
 * Blocks: an input in a block belongs to the creator until its offset stands in the slot, then
 * it is given to the pool, then the slot becomes QUEUED. If the creator dies before the gift,
 * the reaper frees the block; afterwards the pool's last user does (type.c). In the other
 * direction the block is freed first and its offset forgotten second.
 */
#include "pool/job.h"

#include "base/error_codec.h"
#include "family/heap.h"
#include "family/sleep.h"
#include "object/pickle.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static uint64_t object_owner(const kin_pool *pool)
{
    return kin__block_of_object(pool->object.handle.index, pool->object.handle.counter);
}

static uint64_t self_owner(void)
{
    return kin__block_of_member(kin__family.owner);
}

/* --- beginning and ending --- */

static int find_function(const kin_pool *pool, kin_function *function, uint32_t *ret_index)
{
    for (uint32_t i = 0; i < pool->function_count; i++) {
        if (pool->functions[i]->function == function) {
            *ret_index = i;
            return 0;
        }
    }
    return KIN_EFUNCTION;
}

int kin__job_begin(struct kin__job *job, kin_pool *pool, kin_function *function)
{
    int r = kin__pool_check(pool);
    if (r == 0) {
        r = find_function(pool, function, &job->function);
    }
    if (r < 0) {
        return r;
    }
    mtx_lock(&pool->lock);
    if (pool->is_closed || pool->is_terminated) {
        r = -EPIPE;
    } else if (kin__pool_has_ended(pool)) {
        r = KIN_EBROKEN;
    } else {
        job->pool = pool;
        job->is_feeding = true;
        pool->feeding_count++;
        kin__list_append(&pool->jobs, &job->node);
    }
    mtx_unlock(&pool->lock);
    return r;
}

bool kin__job_wants_refill(const struct kin__job *job, uint64_t short_at)
{
    uint32_t room = kin__job_room(job);
    if (short_at != 0) {
        return job->outstanding < short_at;
    }
    return room >= kin__pool_shared(job->pool)->capacity / REFILLS_A_RING ||
           (room > 0 && job->outstanding == 0);
}

void kin__job_end_feeding(struct kin__job *job)
{
    if (job->is_feeding) {
        job->is_feeding = false;
        job->pool->feeding_count--;
        kin__pool_drain(job->pool);
    }
}

/* --- places --- */

static uint32_t slot_of(const kin_pool *pool, uint64_t position)
{
    return (uint32_t)(position & (kin__pool_shared(pool)->capacity - 1));
}

static void use_place(kin_pool *pool, uint32_t slot, const struct kin__place *values)
{
    uint32_t end = kin__pool_shared(pool)->capacity;
    struct kin__place *places = pool->places;
    places[slot] = *values;
    places[slot].is_used = true;
    places[slot].next = end;
    places[slot].previous = places[end].previous;
    places[places[end].previous].next = slot;
    places[end].previous = slot;
    pool->place_count++;
}

/* Makes a slot FREE, with what it has. Its state no longer changes without us. */
static void release_slot(kin_pool *pool, uint32_t index)
{
    struct kin__slot *slot = kin__pool_slot_at(kin__pool_shared(pool), index);
    struct kin__place *place = &pool->places[index];
    uint64_t input = atomic_load(&slot->input_block);
    uint64_t output = atomic_load(&slot->output_block);
    if (input != 0) {
        kin__block_free(input, object_owner(pool));
        atomic_store(&slot->input_block, 0);
    }
    if (output != 0) {
        kin__block_free(output, object_owner(pool));
        atomic_store(&slot->output_block, 0);
    }
    atomic_store_explicit(&slot->word, KIN__SLOT_FREE, memory_order_release);
    pool->places[place->previous].next = place->next;
    pool->places[place->next].previous = place->previous;
    kin__exchange_drop(place->fds);
    place->fds = NULL;
    place->is_used = false;
    pool->place_count--;
}

/* --- submitting --- */

bool kin__job_is_input(const kin_pool_input *input)
{
    return (input->bytes.data != NULL || input->bytes.size == 0) &&
           (input->handles != NULL || input->handle_count == 0) &&
           (input->fds != NULL || input->fd_count == 0) &&
           input->handle_count <= KIN__POOL_HANDLES_MAX && input->fd_count <= KIN__OS_FDS_MAX;
}

/* A block with the references and the bytes. 0, or -ENOMEM, -ESTALE. */
static int write_block(const struct kin__job_input *whole, uint64_t *ret_block)
{
    const kin_pool_input *input = &whole->given;
    uint64_t block = 0;
    uint64_t place = input->handle_count * sizeof(kin_handle);
    int r = kin__block_create(place + input->bytes.size, input->handle_count, KIN__BLOCK_BYTES,
                              &block);
    if (r < 0) {
        return r;
    }
    kin_handle *references = kin__at(block);
    for (uint32_t i = 0; r == 0 && i < input->handle_count; i++) {
        r = kin__reference_add(&references[i], input->handles[i]);
    }
    if (r < 0) {
        kin__block_free(block, self_owner());
        return r;
    }
    if (whole->encoding != NULL) {
        kin__encoding_copy(whole->encoding, kin__at(block + place));
    } else if (input->bytes.size > 0) {
        memcpy(kin__at(block + place), input->bytes.data, input->bytes.size);
    }
    *ret_block = block;
    return 0;
}

static int write_input(kin_pool *pool, struct kin__slot *slot, const struct kin__job_input *input)
{
    kin_bytes bytes = input->given.bytes;
    slot->input_bytes = bytes.size;
    slot->handle_count = input->given.handle_count;
    slot->fd_count = input->given.fd_count;
    if (bytes.size <= KIN__POOL_INPUT_BYTES && input->given.handle_count == 0) {
        if (bytes.size > 0) {
            memcpy(slot->input, bytes.data, bytes.size);
        }
        return 0;
    }
    uint64_t block = 0;
    int r = write_block(input, &block);
    if (r == 0) {
        atomic_store(&slot->input_block, block);
        kin__block_give(block, self_owner(), object_owner(pool));
    }
    return r;
}

int kin__job_submit(struct kin__job *job, void *item, uint64_t index,
                    const struct kin__job_input *input, bool is_awaited)
{
    kin_pool *pool = job->pool;
    struct kin__pool_shared *shared = kin__pool_shared(pool);
    uint64_t position = atomic_load_explicit(&shared->tail, memory_order_relaxed);
    if (pool->place_count == shared->capacity) {
        return -EAGAIN;
    }
    while (pool->places[slot_of(pool, position)].is_used) {
        position++;
    }
    struct kin__slot *slot = kin__pool_slot_at(shared, position);
    struct kin__os_fds *fds = NULL;
    int r = kin__exchange_copy(&input->given, &fds);
    if (r == 0) {
        r = write_input(pool, slot, input);
    }
    if (r < 0) {
        kin__exchange_drop(fds);
        return r;
    }
    slot->index = index;
    slot->function = job->function;
    struct kin__place place = {
        .job = job, .item = item, .fds = fds, .index = index, .position = position};
    use_place(pool, slot_of(pool, position), &place);
    job->outstanding++;
    uint64_t wake = is_awaited ? KIN__SLOT_WAKE : 0;
    /* Pairs with the acquire in the worker's claim: the task is seen with its word. */
    atomic_store_explicit(&slot->word, kin__slot_word(KIN__SLOT_QUEUED, wake, 0, 1),
                          memory_order_release);
    atomic_store_explicit(&shared->tail, position + 1, memory_order_release);
    return 0;
}

void kin__job_announce(struct kin__job *job, uint32_t count)
{
    if (count > 0) {
        atomic_thread_fence(memory_order_seq_cst);
        kin__count_raise(&kin__pool_shared(job->pool)->tasks, count);
    }
}

/* --- taking results --- */

static kin_error *loss_error(const struct kin__outcome *outcome, const struct kin__loss *loss)
{
    char how[64] = "died";
    if (loss->has_status && loss->status < 0) {
        snprintf(how, sizeof how, "was killed by signal %d", -loss->status);
    } else if (loss->has_status) {
        snprintf(how, sizeof how, "exited with status %d", loss->status);
    }
    return KIN_ERROR(KIN_EWORKER, "worker %u (pid %d) %s (task %llu, attempt %u)",
                     outcome->worker_index, loss->pid, how, (unsigned long long)outcome->index,
                     outcome->attempt);
}

/* The bytes that a worker has left in a slot; -EBADMSG: what it says about them is not true. */
static int find_output(const struct kin__slot *slot, struct kin__outcome *outcome)
{
    uint64_t block = atomic_load(&slot->output_block);
    uint64_t size = slot->output_bytes;
    if (block == 0) {
        outcome->bytes = (kin_bytes){.data = slot->output, .size = size};
        return size <= KIN__POOL_OUTPUT_BYTES ? 0 : -EBADMSG;
    }
    uint64_t place = slot->output_handle_count * sizeof(kin_handle);
    uint64_t capacity = kin__block_capacity(block);
    if (place > capacity || size > capacity - place) {
        return -EBADMSG;
    }
    outcome->bytes = (kin_bytes){.data = kin__at(block + place), .size = size};
    outcome->block = block;
    return 0;
}

void kin__job_keep_block(const struct kin__job *job, const struct kin__outcome *outcome)
{
    kin__block_give(outcome->block, object_owner(job->pool), self_owner());
}

static void read_failure(struct kin__outcome *outcome)
{
    kin_bytes encoded = outcome->bytes;
    outcome->bytes = (kin_bytes){0};
    if (encoded.size == 0 || kin__error_decode(encoded.data, encoded.size, &outcome->error) < 0) {
        outcome->error = KIN_ERROR(outcome->code, "%s", kin_code_text(outcome->code));
    }
}

static void deliver(kin_pool *pool, uint32_t index, uint64_t word)
{
    struct kin__slot *slot = kin__pool_slot_at(kin__pool_shared(pool), index);
    const struct kin__place *place = &pool->places[index];
    struct kin__job *job = place->job;
    struct kin__outcome outcome = {.index = place->index,
                                   .attempt = kin__slot_attempt(word),
                                   .worker_index = kin__slot_worker(word),
                                   .code = slot->code < 0 ? slot->code : 0};
    if (job != NULL) {
        int r = find_output(slot, &outcome);
        if (kin__slot_state(word) == KIN__SLOT_LOST) {
            struct kin__loss loss;
            memcpy(&loss, slot->output, sizeof loss);
            outcome.bytes = (kin_bytes){0};
            outcome.code = KIN_EWORKER;
            outcome.error = loss_error(&outcome, &loss);
        } else if (r < 0 || outcome.code < 0) {
            outcome.code = r < 0 ? r : outcome.code;
            outcome.bytes = r < 0 ? (kin_bytes){0} : outcome.bytes;
            read_failure(&outcome);
        }
        job->outstanding--;
        job->take(job, place->item, &outcome);
    }
    release_slot(pool, index);
}

/* Wakes the other jobs' threads: results of theirs were taken, or there is room in the ring. */
static void tell_others(const struct kin__job *job)
{
    const struct kin__list *jobs = &job->pool->jobs;
    if (jobs->head.next != jobs->head.previous) {
        atomic_thread_fence(memory_order_seq_cst);
        kin__count_raise(&kin__pool_shared(job->pool)->results, UINT32_MAX);
    }
}

void kin__job_collect(struct kin__job *job, bool from_all)
{
    kin_pool *pool = job->pool;
    struct kin__pool_shared *shared = kin__pool_shared(pool);
    uint64_t head = atomic_load(&shared->head) & KIN__POSITION_MASK;
    uint64_t high = atomic_load(&shared->high);
    uint64_t limit = from_all ? UINT64_MAX : head > high ? head : high;
    bool has_freed = false;
    uint32_t index = pool->places[shared->capacity].next;
    while (index != shared->capacity && pool->places[index].position < limit) {
        uint32_t next = pool->places[index].next;
        /* Pairs with the release in the worker: the result is seen with its word. */
        uint64_t word = atomic_load_explicit(&kin__pool_slot_at(shared, index)->word,
                                             memory_order_acquire);
        if (kin__slot_state(word) == KIN__SLOT_DONE || kin__slot_state(word) == KIN__SLOT_LOST) {
            has_freed = true;
            deliver(pool, index, word);
        }
        index = next;
    }
    if (has_freed) {
        tell_others(job);
    }
}

/* Looks for a moment whether the oldest task is done; pays when few are on their way. */
static void spin_for_result(kin_pool *pool)
{
    struct kin__pool_shared *shared = kin__pool_shared(pool);
    mtx_lock(&pool->lock);
    uint32_t oldest = pool->places[shared->capacity].next;
    bool are_few = pool->place_count <= shared->worker_count;
    mtx_unlock(&pool->lock);
    if (oldest == shared->capacity || !are_few) {
        return;
    }
    struct kin__spin spin = kin__spin_begin();
    const struct kin__slot *slot = kin__pool_slot_at(shared, oldest);
    while (kin__slot_state(atomic_load(&slot->word)) <= KIN__SLOT_RUNNING &&
           kin__spin_again(&spin)) {
    }
}

int kin__job_wait(struct kin__job *job, kin_timeout timeout)
{
    kin_pool *pool = job->pool;
    struct kin__pool_shared *shared = kin__pool_shared(pool);
    spin_for_result(pool);
    uint32_t key = kin__count_prepare(&shared->results);
    bool has_ended = kin__pool_has_ended(pool); /* before the look: what it left is seen */
    mtx_lock(&pool->lock);
    kin__job_collect(job, true);
    bool has_progress = job->has_progress(job);
    has_ended |= pool->is_terminated;
    mtx_unlock(&pool->lock);
    if (has_progress) {
        return 0;
    }
    return has_ended ? KIN_EBROKEN : kin__sleep(&shared->results, key, timeout);
}

/* Gives up what is left of the job: a task that runs is let run. */
void kin__job_end(struct kin__job *job)
{
    kin_pool *pool = job->pool;
    if (pool == NULL) {
        return;
    }
    struct kin__pool_shared *shared = kin__pool_shared(pool);
    uint32_t index = pool->places[shared->capacity].next;
    while (job->outstanding > 0 && index != shared->capacity) {
        uint32_t next = pool->places[index].next;
        struct kin__slot *slot = kin__pool_slot_at(shared, index);
        if (pool->places[index].job == job) {
            pool->places[index].job = NULL;
            job->outstanding--;
            uint64_t word = atomic_load(&slot->word);
            while (kin__slot_state(word) == KIN__SLOT_QUEUED &&
                   !atomic_compare_exchange_weak(&slot->word, &word, KIN__SLOT_FREE)) {
            }
            if (kin__slot_state(word) != KIN__SLOT_RUNNING) {
                release_slot(pool, index);
            }
        }
        index = next;
    }
    tell_others(job);
    kin__list_remove(&job->node);
    kin__job_end_feeding(job);
    job->pool = NULL;
}
