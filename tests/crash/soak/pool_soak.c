#define _GNU_SOURCE
#include "soak/soak.h"

#include <kin/pool.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORKERS = 4,
    TASKS = 400,
    TASK_BYTES_MAX = 3000,
    RESULT_BYTES_MAX = 600,
    RESULT_BYTES_LARGE = 60000,
    ROUND_MS = 60000, /* a round that takes longer hangs */
    END_MS = 20000,
    PAUSE_US_MAX = 10000, /* between two kills */
};

/* What a task returns, with some bytes behind: in its slot, in a block, or in an extent. */
struct digest_result {
    uint64_t digest;
    uint64_t index;
};

static size_t result_bytes_of(uint64_t index)
{
    size_t most = index % 32 == 0 ? RESULT_BYTES_LARGE : RESULT_BYTES_MAX;
    return sizeof(struct digest_result) + (size_t)(index * 2654435761u % most);
}

/* A task: some bytes, and what becomes of them. */
struct task {
    uint32_t index;
    uint32_t rounds;
    unsigned char bytes[TASK_BYTES_MAX];
};

struct pool_run {
    kin_pool *pool;
    struct task *tasks;
    kin_bytes inputs[TASKS];
    uint64_t expected[TASKS];
    uint64_t random;
    uint64_t task_count;
    uint64_t retry_count;
    uint64_t wrong_count;
    _Atomic uint32_t kill_count;
    _Atomic uint32_t is_ending;
};

static uint64_t digest(const struct task *task, size_t size)
{
    uint64_t sum = task->index;
    const unsigned char *bytes = (const unsigned char *)task;
    for (uint32_t round = 0; round <= task->rounds; round++) {
        for (size_t i = 0; i < size; i++) {
            sum = (sum ^ bytes[i]) * 0x100000001b3u;
        }
    }
    return sum;
}

static int digest_task(kin_call *call)
{
    static struct task task;
    kin_bytes bytes = kin_call_bytes(call);
    memcpy(&task, bytes.data, bytes.size);
    size_t size = result_bytes_of(task.index);
    struct digest_result result = {.digest = digest(&task, bytes.size), .index = task.index};
    static unsigned char output[sizeof result + RESULT_BYTES_LARGE];
    memset(output, (int)(result.digest & 0xff), size);
    memcpy(output, &result, sizeof result);
    return kin_call_return_bytes(call, output, size);
}
KIN_FUNCTION(digest_task)

static void make_tasks(struct pool_run *run)
{
    for (uint32_t i = 0; i < TASKS; i++) {
        struct task *task = &run->tasks[i];
        uint64_t random = soak_random(&run->random);
        size_t size = offsetof(struct task, bytes) + (random >> 8) % TASK_BYTES_MAX;
        task->index = i;
        task->rounds = (uint32_t)(random % 200);
        memset(task->bytes, (int)(random >> 24), sizeof task->bytes);
        run->inputs[i] = (kin_bytes){.data = task, .size = size};
        run->expected[i] = digest(task, size);
    }
}

/* --- the killer, a thread --- */

static void *kill_workers(void *user)
{
    struct pool_run *run = user;
    uint64_t random = run->random ^ 0x5555555555u;
    while (atomic_load(&run->is_ending) == 0) {
        kin_pool_worker worker;
        usleep((useconds_t)(soak_random(&random) % PAUSE_US_MAX));
        uint32_t index = (uint32_t)(soak_random(&random) % WORKERS);
        if (kin_pool_worker_read(run->pool, index, &worker) == 0 && worker.pid > 0 &&
            kill(worker.pid, SIGKILL) == 0) {
            atomic_fetch_add(&run->kill_count, 1);
        }
    }
    return NULL;
}

/* --- the work --- */

static bool is_right(const struct pool_run *run, const kin_result *result)
{
    struct digest_result values;
    const unsigned char *bytes = result->bytes.data;
    size_t size = result->bytes.size;
    if (result->code != 0 || result->index >= TASKS || size != result_bytes_of(result->index)) {
        return false;
    }
    memcpy(&values, bytes, sizeof values);
    for (size_t i = sizeof values; i < size; i++) {
        if (bytes[i] != (values.digest & 0xff)) {
            return false;
        }
    }
    return values.index == result->index && values.digest == run->expected[result->index];
}

static void check_result(struct pool_run *run, const kin_result *result)
{
    run->task_count++;
    run->retry_count += result->attempt - 1;
    if (!is_right(run, result)) {
        run->wrong_count++;
        if (run->wrong_count < 10) {
            printf("  task %lu: code %d, attempt %u, %lu bytes\n", (unsigned long)result->index,
                   result->code, result->attempt, (unsigned long)result->bytes.size);
        }
    }
}

static void map(struct pool_run *run)
{
    kin_pool_results *results = NULL;
    int r = kin_pool_map_bytes(run->pool, digest_task, run->inputs, TASKS, kin_within_ms(ROUND_MS),
                               &results);
    if (r != 0 || kin_pool_results_count(results) != TASKS) {
        printf("  map: %d\n", r);
        run->wrong_count++;
    }
    for (size_t i = 0; r == 0 && i < kin_pool_results_count(results); i++) {
        const kin_result *result = kin_pool_results_at(results, i);
        run->wrong_count += result->index != i;
        check_result(run, result);
    }
    kin_pool_results_free(results);
}

struct source {
    const struct pool_run *run;
    uint32_t next;
};

static int give_next(void *user, kin_bytes *ret_input)
{
    struct source *source = user;
    if (source->next == TASKS) {
        return 0;
    }
    *ret_input = source->run->inputs[source->next++];
    return 1;
}

static void imap(struct pool_run *run)
{
    struct source source = {.run = run};
    unsigned char seen[TASKS] = {0};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    uint32_t count = 0;
    int r = kin_pool_imap_unordered_bytes(run->pool, digest_task, give_next, &source, &imap);
    while (r >= 0) {
        r = kin_pool_imap_next(imap, kin_within_ms(ROUND_MS), &result);
        if (r <= 0) {
            break;
        }
        check_result(run, result);
        count += result->index < TASKS && seen[result->index] == 0;
        seen[result->index % TASKS] = 1;
    }
    if (r < 0 || count != TASKS) {
        printf("  imap: %d, %u different results\n", r, count);
        run->wrong_count++;
    }
    kin_pool_imap_free(imap);
}

static void play(struct pool_run *run, const struct soak_options *options)
{
    double start = soak_now();
    pthread_t killer;
    if (pthread_create(&killer, NULL, kill_workers, run) != 0) {
        run->wrong_count++;
        return;
    }
    do {
        map(run);
        imap(run);
    } while (run->wrong_count == 0 && (soak_now() - start < options->seconds ||
                                       atomic_load(&run->kill_count) < options->kills));
    atomic_store(&run->is_ending, 1);
    pthread_join(killer, NULL);
}

/* Nobody is left who could still write. */
static bool is_alone(void)
{
    double limit = soak_now() + END_MS / 1000.0;
    while (soak_now() < limit) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0) {
            return true;
        }
        usleep(1000);
    }
    return false;
}

bool soak_pool(const struct soak_options *options)
{
    static struct pool_run run;
    double start = soak_now();
    kin_pool_options limits = {
        .size = sizeof limits, .worker_count = WORKERS, .lost_task_retries = 1000000};
    run.random = options->seed * 2 + 1;
    run.tasks = calloc(TASKS, sizeof *run.tasks);
    if (run.tasks == NULL || kin_init(NULL, NULL) != 0 ||
        kin_pool_create(&limits, &run.pool) != 0) {
        printf("  the soak of the pool could not be set up\n");
        return false;
    }
    make_tasks(&run);
    play(&run, options);
    kin_pool_free(run.pool);
    uint32_t kills = atomic_load(&run.kill_count);
    printf("soak of the pool: %u kills in %.0f s, %lu tasks, %lu retries, %lu wrong\n", kills,
           soak_now() - start, (unsigned long)run.task_count, (unsigned long)run.retry_count,
           (unsigned long)run.wrong_count);
    bool is_good = run.wrong_count == 0 && run.task_count > 0;
    if (!is_alone()) {
        printf("  processes of the pool are left\n");
        is_good = false;
    }
    is_good = soak_check_family(2) == 0 && is_good;
    kin_fini();
    free(run.tasks);
    return is_good;
}
