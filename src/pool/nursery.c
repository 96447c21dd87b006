/*
 * The nursery: the process that the workers are children of.
 *
 * It is forked when the pool is made and runs nothing but this file, so the workers that it
 * forks later are not copies of what the program has become, and it knows how each of them
 * ended. It alone decides what becomes of the task of a dead worker.
 *
 * It sleeps on the event count that its keeper raises when a child may have ended; the creator
 * raises it too when it terminates the pool. A worker that has left the family but has not
 * ended, or has not entered it, gives no sign: then it looks again after a while.
 *
 * A worker may lack what it needs: no process is to be had, or no thread for its keeper. It is
 * started again, later each time. When each place has had START_TRIES starts in a row of which no
 * worker has begun, nobody is left who could take a task, and the pool is broken.
 */
#include "base/allocate.h"
#include "family/death.h"
#include "family/sleep.h"
#include "os/clock.h"
#include "os/process.h"
#include "pool/pool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOOK_AGAIN_NS 5000000   /* for what nobody tells */
#define START_AGAIN_NS 20000000 /* after a worker that did nothing, or the first failed start */
#define START_TRIES 8u          /* 20 ms, 40 ms ...: 2.5 s from the first to the last */

/* A worker as the nursery sees it. */
struct charge {
    kin_process *process;  /* NULL: does not run */
    int64_t start_at_ns;   /* not before; INT64_MAX: not again */
    uint64_t task_count;   /* at its start */
    uint32_t failed_count; /* starts in a row after which it did not begin */
    bool was_started;
};

struct nursery {
    kin_pool *pool;
    struct kin__pool_shared *shared;
    struct charge *charges;
    int64_t look_at_ns; /* when to look again; INT64_MAX: when woken */
    uint32_t pid;
    int code; /* why the last worker that did not begin has not; 0: nobody knows */
};

static void look_by(struct nursery *nursery, int64_t at_ns)
{
    nursery->look_at_ns = at_ns < nursery->look_at_ns ? at_ns : nursery->look_at_ns;
}

/* --- what becomes of a dead worker's task --- */

/* Makes sure that a slot is looked at again. If its next position in the ring lies below `tail`,
 * it will be, and the new tag sees to it that nobody passes it by who has looked before; else
 * `head` goes back to the position before. So it never goes back more than a ring. */
static void lower_head(struct kin__pool_shared *shared, uint32_t slot)
{
    uint64_t head = atomic_load(&shared->head);
    uint64_t lowered = 0;
    do {
        uint64_t position = head & KIN__POSITION_MASK;
        uint64_t next = position + ((slot - position) & (shared->capacity - 1));
        if (atomic_load(&shared->high) < position + 1) {
            atomic_store(&shared->high, position + 1); /* only the nursery writes it */
        }
        lowered = (head & ~KIN__POSITION_MASK) + KIN__POSITION_MASK + 1; /* the next tag */
        lowered |= next < atomic_load(&shared->tail) ? position : next - shared->capacity;
    } while (!atomic_compare_exchange_strong(&shared->head, &head, lowered));
}

static void write_loss(struct kin__slot *slot, const kin_process *process)
{
    struct kin__loss loss = {.pid = (int32_t)process->pid,
                             .has_status = process->has_code,
                             .status = process->exit_code};
    memcpy(slot->output, &loss, sizeof loss);
    slot->output_bytes = sizeof loss;
    slot->code = KIN_EWORKER;
}

/* The worker is dead, and its member reaped: the slot is ours. */
static void settle_slot(struct nursery *nursery, uint32_t index, uint64_t word,
                        const kin_process *process)
{
    struct kin__pool_shared *shared = nursery->shared;
    struct kin__slot *slot = kin__pool_slot_at(shared, index);
    uint32_t attempt = kin__slot_attempt(word);
    bool is_retried = attempt <= shared->retries;
    if (is_retried) {
        attempt += attempt < UINT32_MAX;
        word = kin__slot_word(KIN__SLOT_QUEUED, word, 0, attempt);
    } else {
        write_loss(slot, process);
        word = kin__slot_word(KIN__SLOT_LOST, 0, kin__slot_worker(word), attempt);
    }
    atomic_store(&slot->word, word);
    lower_head(shared, index);
    kin__count_raise(is_retried ? &shared->tasks : &shared->results, UINT32_MAX);
}

/* In a terminated pool a task at work stays what it is: it has no result, and nobody waits. */
static void settle_tasks(struct nursery *nursery, uint32_t worker, const kin_process *process)
{
    if (atomic_load(&nursery->shared->state) == KIN__POOL_TERMINATED) {
        return;
    }
    for (uint32_t i = 0; i < nursery->shared->capacity; i++) {
        uint64_t word = atomic_load(&kin__pool_slot_at(nursery->shared, i)->word);
        if (kin__slot_state(word) == KIN__SLOT_RUNNING && kin__slot_worker(word) == worker) {
            settle_slot(nursery, i, word, process);
        }
    }
}

/* --- workers --- */

static bool has_queued_task(struct nursery *nursery)
{
    for (uint32_t i = 0; i < nursery->shared->capacity; i++) {
        uint64_t word = atomic_load(&kin__pool_slot_at(nursery->shared, i)->word);
        if (kin__slot_state(word) == KIN__SLOT_QUEUED) {
            return true;
        }
    }
    return false;
}

/* When to start a worker in the place of one that has ended. */
static int64_t next_start(struct nursery *nursery, const struct charge *charge, uint32_t index)
{
    uint32_t state = atomic_load(&nursery->shared->state);
    if (state == KIN__POOL_TERMINATED ||
        (state == KIN__POOL_DRAINED && !has_queued_task(nursery))) {
        return INT64_MAX;
    }
    uint64_t task_count = atomic_load(&kin__pool_worker_at(nursery->shared, index)->task_count);
    if (task_count != charge->task_count) {
        return 0;
    }
    uint32_t doublings = charge->failed_count == 0 ? 0 : charge->failed_count - 1;
    doublings = doublings < START_TRIES - 1 ? doublings : START_TRIES - 1;
    return kin__os_now_ns() + ((int64_t)START_AGAIN_NS << doublings);
}

static void note_failed_start(struct nursery *nursery, struct charge *charge, int code)
{
    charge->failed_count += charge->failed_count < UINT32_MAX;
    nursery->code = code;
}

/* Whether nobody is left to take tasks, nor is anybody to be had. */
static bool is_hopeless(const struct nursery *nursery)
{
    bool has_failed = false;
    for (uint32_t i = 0; i < nursery->shared->worker_count; i++) {
        const struct charge *charge = &nursery->charges[i];
        bool is_over = charge->process == NULL && charge->start_at_ns == INT64_MAX;
        bool is_failed = charge->process == NULL && charge->failed_count >= START_TRIES;
        if (!is_over && !is_failed) {
            return false;
        }
        has_failed |= is_failed;
    }
    return has_failed && atomic_load(&nursery->shared->state) != KIN__POOL_TERMINATED;
}

/* As a child does that fails: the pool's user learns that it is broken, but not why. */
static void tell_hopelessness(const struct nursery *nursery)
{
    kin_error *error = nursery->code < 0
                           ? KIN_ERROR(nursery->code, "no worker can begin: %s",
                                       kin_code_text(nursery->code))
                           : KIN_ERROR(KIN_EBROKEN, "each worker was killed before it began");
    kin__process_print_failure(error);
    kin_error_free(error);
}

/* Forks a worker. 0, or a code. */
static int start_worker(struct nursery *nursery, uint32_t index)
{
    char name[KIN__NAME_BYTES];
    struct charge *charge = &nursery->charges[index];
    struct kin__worker *entry = kin__pool_worker_at(nursery->shared, index);
    snprintf(name, sizeof name, "%.20s:%u", nursery->pool->name, index + 1);
    charge->task_count = atomic_load(&entry->task_count);
    uint32_t restart_count = atomic_load(&entry->restart_count);
    atomic_store(&entry->restart_count, restart_count + charge->was_started);
    int r = kin__process_fork(name, true, &charge->process);
    if (r == 0) {
        kin__pool_work(nursery->pool, index, nursery->pid);
    }
    if (r < 0) {
        atomic_store(&entry->restart_count, restart_count);
        note_failed_start(nursery, charge, r);
        charge->start_at_ns = next_start(nursery, charge, index);
        return r;
    }
    charge->was_started = true;
    return 0;
}

/* A worker has ended. Its task is settled when its member has been reaped, and with it what it
 * had begun to write. False: another process is still at that. */
static bool bury(struct nursery *nursery, uint32_t index)
{
    struct charge *charge = &nursery->charges[index];
    struct kin__worker *entry = kin__pool_worker_at(nursery->shared, index);
    uint32_t owner = charge->process->owner;
    if (kin__member_state_of(owner) != KIN__MEMBER_FREE && !kin__death_reap(owner)) {
        return false;
    }
    if (atomic_exchange(&entry->pid, 0) != 0) {
        charge->failed_count = 0;
    } else {
        note_failed_start(nursery, charge, kin__record_refusal(charge->process->record));
    }
    atomic_store(&entry->owner, 0);
    settle_tasks(nursery, index, charge->process);
    atomic_store(&entry->task_index, UINT64_MAX);
    charge->process = kin_process_free(charge->process);
    charge->start_at_ns = next_start(nursery, charge, index);
    return true;
}

static bool gives_no_sign(const kin_process *process)
{
    const struct kin__member *member = kin__member_of(process->owner);
    return member == NULL || atomic_load(&member->life) == 0 ||
           kin__member_state_of(process->owner) != KIN__MEMBER_LIVE;
}

/* Looks after one worker. Whether there is one, or will be. */
static bool tend(struct nursery *nursery, uint32_t index)
{
    struct charge *charge = &nursery->charges[index];
    bool is_terminated = atomic_load(&nursery->shared->state) == KIN__POOL_TERMINATED;
    if (charge->process != NULL) {
        if (is_terminated) {
            kin_process_kill(charge->process);
        }
        bool has_ended = kin__process_look(charge->process) == 0;
        if (!(has_ended && bury(nursery, index)) && (has_ended || gives_no_sign(charge->process))) {
            look_by(nursery, kin__os_now_ns() + LOOK_AGAIN_NS);
        }
    }
    if (charge->process == NULL && charge->start_at_ns != INT64_MAX) {
        if (is_terminated) {
            charge->start_at_ns = INT64_MAX;
        } else if (kin__os_now_ns() >= charge->start_at_ns) {
            start_worker(nursery, index);
            look_by(nursery, kin__os_now_ns() + LOOK_AGAIN_NS);
        } else {
            look_by(nursery, charge->start_at_ns);
        }
    }
    return charge->process != NULL || charge->start_at_ns != INT64_MAX;
}

/* Starts all workers, or none. */
static int start_workers(struct nursery *nursery)
{
    int r = 0;
    for (uint32_t i = 0; i < nursery->shared->worker_count && r == 0; i++) {
        r = start_worker(nursery, i);
    }
    if (r < 0) {
        atomic_store(&nursery->shared->state, KIN__POOL_TERMINATED);
    }
    return r;
}

static void tend_all(struct nursery *nursery)
{
    _Atomic uint32_t *ends = &kin__family.member->child_ends;
    for (;;) {
        uint32_t key = kin__count_prepare(ends);
        bool has_workers = false;
        nursery->look_at_ns = INT64_MAX;
        for (uint32_t i = 0; i < nursery->shared->worker_count; i++) {
            has_workers |= tend(nursery, i);
        }
        if (!has_workers) {
            return;
        }
        if (is_hopeless(nursery)) {
            tell_hopelessness(nursery);
            return;
        }
        kin__sleep(ends, key, kin_by(nursery->look_at_ns, NULL));
    }
}

_Noreturn void kin__pool_nurse(kin_pool *pool)
{
    struct nursery nursery = {
        .pool = pool, .shared = kin__pool_shared(pool), .pid = kin__family.pid};
    uint32_t count = nursery.shared->worker_count;
    nursery.charges = kin__allocate_zeroed(count * sizeof *nursery.charges);
    int r = nursery.charges == NULL ? -ENOMEM : start_workers(&nursery);
    if (r == 0) {
        atomic_store(&nursery.shared->started, 1);
        kin__count_raise(&nursery.shared->results, UINT32_MAX);
    }
    if (nursery.charges != NULL) {
        tend_all(&nursery);
    }
    if (r < 0) {
        atomic_store(&nursery.shared->started, r);
    }
    atomic_store(&nursery.shared->has_ended, 1);
    kin__count_raise(&nursery.shared->results, UINT32_MAX);
    kin__release(nursery.charges);
    kin__process_exit(0);
}
