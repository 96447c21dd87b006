#include "run.h"

#include "killer.h"
#include "progress.h"

#include <errno.h>
#include <stdlib.h>

/* A task may lose its worker for other reasons than our killer, for example no memory. */
enum { OTHER_DEATHS_MAX = 3 };

/* What the pool asks for the next input. */
struct task_source {
    const struct plan *plan;
    size_t next_index;
    struct record_writer input;
};

/* Counts one task: this is what workers run. */
static int count_words(kin_call *call)
{
    struct tally tally;
    struct record_writer result = {0};
    int code = tally_init(&tally);
    if (code == 0) {
        code = tally_count(&tally, kin_call_bytes(call));
    }
    if (code == 0) {
        tally_write(&tally, &result);
        code = result.failed ? -ENOMEM : kin_call_return_bytes(call, result.bytes, result.size);
    }
    record_writer_deinit(&result);
    tally_deinit(&tally);
    return code < 0 ? kin_call_fail(call, code, "cannot count: %s", kin_code_text(code)) : 0;
}
KIN_FUNCTION(count_words)

int run_alone(struct run *run, const struct plan *plan)
{
    int64_t start_ns = kin_now_ns();
    struct progress progress = progress_start("one process", plan->files->byte_count);
    struct record_writer input = {0};
    int code = tally_init(&run->tally);
    for (size_t i = 0; i < plan->task_count && code == 0; i++) {
        record_writer_clear(&input);
        plan_write_task(plan, i, &input);
        kin_bytes bytes = {.data = input.bytes, .size = input.size};
        code = input.failed ? -ENOMEM : tally_count(&run->tally, bytes);
        progress_add(&progress, plan->tasks[i].byte_count);
    }
    record_writer_deinit(&input);
    progress_end(&progress);
    run->duration_ns = kin_now_ns() - start_ns;
    return code;
}

static int next_task(void *user, kin_bytes *ret_input)
{
    struct task_source *source = user;
    if (source->next_index == source->plan->task_count) {
        return 0;
    }
    record_writer_clear(&source->input);
    plan_write_task(source->plan, source->next_index++, &source->input);
    if (source->input.failed) {
        return -ENOMEM;
    }
    *ret_input = (kin_bytes){.data = source->input.bytes, .size = source->input.size};
    return 1;
}

static int take_result(struct run *run, const kin_result *result, uint64_t byte_count)
{
    if (result->code < 0) {
        kin_error_print(result->error, stderr);
        return result->code;
    }
    struct worker_report *worker = &run->workers[result->worker_index];
    worker->task_count++;
    worker->byte_count += byte_count;
    run->retried_count += result->attempt > 1;
    return tally_merge(&run->tally, result->bytes);
}

/* Merges results as they come, while the workers go on counting. */
static int take_results(struct run *run, const struct plan *plan, kin_pool_imap *imap)
{
    struct progress progress = progress_start("pool", plan->files->byte_count);
    const kin_result *result;
    int code;
    while ((code = kin_pool_imap_next(imap, KIN_FOREVER, &result)) > 0) {
        uint64_t byte_count = plan->tasks[result->index].byte_count;
        progress_add(&progress, byte_count);
        code = take_result(run, result, byte_count);
        if (code < 0) {
            break;
        }
    }
    progress_end(&progress);
    return code;
}

static int count_in_pool(struct run *run, const struct plan *plan, kin_pool *pool)
{
    struct task_source source = {.plan = plan};
    kin_pool_imap *imap;
    int code = kin_pool_imap_unordered_bytes(pool, count_words, next_task, &source, &imap);
    if (code == 0) {
        code = take_results(run, plan, imap);
        kin_pool_imap_free(imap);
    }
    record_writer_deinit(&source.input);
    return code;
}

static int prepare_workers(struct run *run, const kin_pool *pool)
{
    run->worker_count = kin_pool_worker_count(pool);
    run->workers = calloc(run->worker_count, sizeof *run->workers);
    return run->workers == NULL ? -ENOMEM : 0;
}

static void read_workers(struct run *run, const kin_pool *pool)
{
    for (uint32_t i = 0; i < run->worker_count; i++) {
        kin_pool_worker worker;
        if (kin_pool_worker_read(pool, i, &worker) == 0) {
            run->workers[i].busy_ns = worker.busy_ns;
            run->workers[i].restart_count = worker.restart_count;
        }
    }
}

/* Counts, with the killer at work. */
static int use_pool(struct run *run, const struct plan *plan, kin_pool *pool, uint64_t kill_count)
{
    struct killer killer;
    int code = killer_start(&killer, pool, plan->task_count, kill_count);
    if (code < 0) {
        return code;
    }
    code = count_in_pool(run, plan, pool);
    killer_stop(&killer);
    run->killed_count = killer.killed_count;
    read_workers(run, pool);
    return code;
}

int run_pool(struct run *run, const struct plan *plan, uint32_t worker_count, uint64_t kill_count)
{
    int64_t start_ns = kin_now_ns();
    const kin_pool_options *options = KIN_OPTIONS(kin_pool_options, .worker_count = worker_count,
                                                  .lost_task_retries = (uint32_t)kill_count +
                                                                       OTHER_DEATHS_MAX);
    kin_pool *pool;
    int code = kin_pool_create(options, &pool);
    if (code < 0) {
        return code;
    }
    code = tally_init(&run->tally);
    if (code == 0) {
        code = prepare_workers(run, pool);
    }
    if (code == 0) {
        code = use_pool(run, plan, pool, kill_count);
    }
    run->duration_ns = kin_now_ns() - start_ns;
    kin_pool_free(pool);
    return code;
}

void run_deinit(struct run *run)
{
    tally_deinit(&run->tally);
    free(run->workers);
    *run = (struct run){0};
}
