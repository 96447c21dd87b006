/*
 * The pool: a worker is killed at each instruction of its life between two sleeps, in which it
 * runs three tasks: with small and large inputs and results, and one that fails. Its successor
 * runs them again, and the map must be as if nothing had been. The same for a task that is given an
 * fd and a shared object, which its successor is given anew.
 *
 * And the nursery, while it buries a worker that died at its task, and starts another: then the
 * map is done or says that the pool is broken.
 */
#define _GNU_SOURCE
#include "step/record.h"

#include "pool/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <kin/error.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TASKS = 3, LARGE_BYTES = 2000, FLAG_MAPPED = 0 };

static kin_pool *pool;
static pthread_t mapper;

/* Returns its input, twice. An empty one fails. */
static int repeat(kin_call *call)
{
    unsigned char output[2 * LARGE_BYTES];
    kin_bytes input = kin_call_bytes(call);
    if (input.size == 0) {
        return kin_call_fail(call, -EDOM, "nothing to repeat");
    }
    memcpy(output, input.data, input.size);
    memcpy(output + input.size, input.data, input.size);
    return kin_call_return_bytes(call, output, 2 * input.size);
}
KIN_FUNCTION(repeat)

static void check_result(const kin_result *result, kin_bytes input)
{
    const unsigned char *bytes = result->bytes.data;
    if (input.size == 0) {
        CRASH_CHECK(result->code == -EDOM);
    } else if (result->code != 0 || result->bytes.size != 2 * input.size) {
        crash_fail("a task failed with %d, %lu bytes", result->code,
                   (unsigned long)result->bytes.size);
    } else {
        CRASH_CHECK(memcmp(bytes, input.data, input.size) == 0);
        CRASH_CHECK(memcmp(bytes + input.size, input.data, input.size) == 0);
    }
}

static void *map(void *user)
{
    unsigned char bytes[LARGE_BYTES];
    kin_bytes inputs[TASKS] = {{.data = bytes, .size = 10},
                               {.data = bytes, .size = sizeof bytes},
                               {.data = NULL, .size = 0}};
    kin_pool_results *results = NULL;
    (void)user;
    crash_fill(bytes, sizeof bytes, 7);
    int r = kin_pool_map_bytes(pool, repeat, inputs, TASKS, KIN_FOREVER, &results);
    CRASH_CHECK(r == 0 && kin_pool_results_count(results) == TASKS);
    for (size_t i = 0; r == 0 && i < TASKS; i++) {
        check_result(kin_pool_results_at(results, i), inputs[i]);
    }
    kin_pool_results_free(results);
    crash_set_flag(FLAG_MAPPED, 1);
    return NULL;
}

/* Sets the event that it is given, if its fds are those that it is to have. */
static int set_given_event(kin_call *call)
{
    kin_event *event = NULL;
    CRASH_CHECK(kin_call_fd_count(call) == 2 && fcntl(kin_call_fd(call, 1), F_GETFD) >= 0);
    int r = kin_event_attach(kin_call_handle(call, 0), &event);
    if (r == 0) {
        r = kin_event_set(event);
        kin_event_free(event);
    }
    return r;
}
KIN_FUNCTION(set_given_event)

static void *map_given(void *user)
{
    kin_event *event = NULL;
    kin_pool_results *results = NULL;
    int fds[2] = {STDERR_FILENO, STDERR_FILENO};
    (void)user;
    CRASH_CHECK(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_event_handle(event);
    kin_pool_input input = {.handles = &handle, .handle_count = 1, .fds = fds, .fd_count = 2};
    int r = kin_pool_map_inputs(pool, set_given_event, &input, 1, KIN_FOREVER, &results);
    CRASH_CHECK(r == 0 && kin_pool_results_at(results, 0)->code == 0);
    CRASH_CHECK(kin_event_is_set(event));
    kin_pool_results_free(results);
    kin_event_free(event);
    crash_set_flag(FLAG_MAPPED, 1);
    return NULL;
}

/* Dies at its first attempt. */
static int die_once(kin_call *call)
{
    if (kin_call_attempt(call) == 1) {
        raise(SIGKILL);
    }
    return kin_call_return_bytes(call, "done", 4);
}
KIN_FUNCTION(die_once)

static void *map_deadly(void *user)
{
    kin_bytes input = {0};
    kin_pool_results *results = NULL;
    (void)user;
    int r = kin_pool_map_bytes(pool, die_once, &input, 1, KIN_FOREVER, &results);
    if (r == 0) {
        int code = kin_pool_results_at(results, 0)->code;
        CRASH_CHECK(code == 0 || code == KIN_EBROKEN);
    } else if (r != KIN_EBROKEN) {
        crash_fail("map: %d", r);
    }
    kin_pool_results_free(results);
    crash_set_flag(FLAG_MAPPED, 1);
    return NULL;
}

static void set_up(void)
{
    kin_pool_options options = {.size = sizeof options, .worker_count = 1, .lost_task_retries = 10};
    int r = kin_pool_create(&options, &pool);
    if (r != 0) {
        crash_fail("no pool: %d", r);
    }
}

static pid_t find_worker(void)
{
    kin_pool_worker worker = {0};
    double limit = crash_now() + crash_hang_ms() * 1e-3;
    while (worker.pid == 0 && crash_now() < limit) {
        kin_pool_worker_read(pool, 0, &worker);
    }
    if (worker.pid != 0) {
        crash_await_sleep(worker.pid);
    }
    return worker.pid;
}

static void start_map(void)
{
    if (pthread_create(&mapper, NULL, map, NULL) != 0) {
        crash_fail("no thread");
    }
}

static void start_map_given(void)
{
    if (pthread_create(&mapper, NULL, map_given, NULL) != 0) {
        crash_fail("no thread");
    }
}

static pid_t find_nursery(void)
{
    find_worker();
    crash_await_sleep((pid_t)pool->nursery->pid);
    return (pid_t)pool->nursery->pid;
}

static void start_deadly_map(void)
{
    if (pthread_create(&mapper, NULL, map_deadly, NULL) != 0) {
        crash_fail("no thread");
    }
}

static bool is_mapped(void)
{
    return atomic_load(&scene.board->flags[FLAG_MAPPED]) != 0;
}

static void await_map(void)
{
    crash_await_flag(FLAG_MAPPED, 1);
    pthread_join(mapper, NULL);
}

static void finish(void)
{
    pool = kin_pool_free(pool);
}

const struct scenario pool_scenarios[] = {
    {.name = "pool",
     .context = "a worker at three tasks",
     .setup = set_up,
     .attach = find_worker,
     .attached = start_map,
     .is_over = is_mapped,
     .killed = await_map,
     .finish = finish},
    {.name = "pool",
     .context = "a worker at a task with fds and an object",
     .setup = set_up,
     .attach = find_worker,
     .attached = start_map_given,
     .is_over = is_mapped,
     .killed = await_map,
     .finish = finish},
    {.name = "pool",
     .context = "the nursery at a worker's death",
     .setup = set_up,
     .attach = find_nursery,
     .attached = start_deadly_map,
     .is_over = is_mapped,
     .killed = await_map,
     .finish = finish},
    {0},
};
