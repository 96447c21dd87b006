#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

TEST(a_pool_has_a_worker_for_each_core_by_default)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    kin_pool *pool = NULL;
    REQUIRE(kin_pool_create(NULL, &pool) == 0);
    CHECK_EQUAL(kin_pool_worker_count(pool), kin_cpu_count());
    check_squares(pool, 10);
    kin_pool_free(pool);
}

TEST(workers_report_what_they_have_done)
{
    kin_pool *pool = pool_with(KIN_OPTIONS(kin_pool_options, .worker_count = 1));
    kin_pool_worker worker;
    check_squares(pool, 100);
    CHECK(worker_pid(pool, 0) > 0);
    CHECK_EQUAL(kin_pool_worker_read(pool, 0, &worker), 0);
    CHECK_EQUAL(worker.task_count, 100);
    CHECK_EQUAL(worker.restart_count, 0);
    CHECK_EQUAL(worker.task_index, UINT64_MAX);
    CHECK(worker.busy_ns > 0);
    CHECK_EQUAL(kin_pool_worker_read(pool, 1, &worker), -EINVAL);
    kin_pool_free(pool);
}

TEST(a_worker_at_work_says_at_what)
{
    kin_pool *pool = pool_with(KIN_OPTIONS(kin_pool_options, .worker_count = 1));
    struct counter counter = {.next = 0, .end = 1};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    kin_pool_worker worker;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, wait_for_ever, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_NOW, &result), -EAGAIN);
    wait_until_busy(pool, 0);
    CHECK_EQUAL(kin_pool_worker_read(pool, 0, &worker), 0);
    CHECK_EQUAL(worker.task_index, 0);
    CHECK_EQUAL(worker.task_attempt, 1);
    kin_pool_terminate(pool);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), KIN_EBROKEN);
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
}

TEST(a_task_at_work_in_a_terminated_pool_has_no_result)
{
    kin_pool *pool = pool_with(KIN_OPTIONS(kin_pool_options, .worker_count = 1));
    struct counter counter = {.next = 0, .end = 1};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, wait_for_ever, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_NOW, &result), -EAGAIN);
    wait_until_busy(pool, 0);
    kin_pool_terminate(pool);
    CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), 0); /* the worker is dead and buried */
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), KIN_EBROKEN);
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
}

TEST(a_closed_pool_takes_no_more_work)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(1);
    kin_pool_results *results = NULL;
    kin_pool_imap *imap = NULL;
    struct counter counter = {.end = 1};
    CHECK_EQUAL(kin_pool_close(pool), 0);
    CHECK_EQUAL(kin_pool_close(pool), 0);
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, numbers.inputs, 1, KIN_FOREVER, &results), -EPIPE);
    CHECK_EQUAL(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap), -EPIPE);
    CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_pool_join(pool, KIN_NOW), 0);
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, numbers.inputs, 1, KIN_FOREVER, &results), -EPIPE);
    CHECK(results == NULL && imap == NULL);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST(what_was_begun_before_close_is_finished)
{
    kin_pool *pool = pool_with(NULL);
    struct counter counter = {.end = 100};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
    CHECK_EQUAL(kin_pool_close(pool), 0);
    for (int i = 1; i < 100; i++) {
        CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
        CHECK_EQUAL(result_number(result), result->index * result->index);
    }
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 0);
    CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), 0);
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
}

TEST(results_that_were_not_taken_before_join_are_still_there)
{
    kin_pool *pool = pool_with(NULL);
    struct counter counter = {.end = 10};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
    CHECK_EQUAL(kin_pool_close(pool), 0);
    CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), 0);
    for (int i = 1; i < 10; i++) {
        CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
    }
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 0);
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
}

TEST_WITH(all_workers_end_however_few_were_awake_at_the_close, .limit_seconds = 60)
{
    for (int i = 0; i < 30; i++) {
        kin_pool *pool = pool_with(KIN_OPTIONS(kin_pool_options, .worker_count = 4));
        check_squares(pool, 1 + (size_t)i % 4);
        CHECK_EQUAL(kin_pool_close(pool), 0);
        CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), 0);
        kin_pool_free(pool);
    }
}

TEST(join_of_an_open_pool_is_refused)
{
    kin_pool *pool = pool_with(NULL);
    CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), -EINVAL);
    kin_pool_free(pool);
}

static _Atomic int *may_end; /* in a page that workers inherit */

static int wait_until_it_may_end(kin_call *call)
{
    (void)call;
    while (atomic_load(may_end) == 0) {
        usleep(200);
    }
    return 0;
}
KIN_FUNCTION(wait_until_it_may_end)

TEST(join_waits_as_long_as_it_may)
{
    may_end = mmap(NULL, sizeof *may_end, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                   0);
    REQUIRE(may_end != MAP_FAILED);
    kin_pool *pool = pool_with(NULL);
    struct counter counter = {.end = 1};
    kin_pool_imap *imap = NULL;
    kin_cancel *cancel = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    REQUIRE(kin_pool_imap_unordered_bytes(pool, wait_until_it_may_end, counter_next, &counter,
                                          &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_NOW, &result), -EAGAIN);
    CHECK_EQUAL(kin_pool_close(pool), 0);
    CHECK_EQUAL(kin_pool_join(pool, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_pool_join(pool, kin_within_ms(5)), -ETIMEDOUT);
    kin_cancel_request(cancel);
    CHECK_EQUAL(kin_pool_join(pool, kin_by(INT64_MAX, cancel)), -ECANCELED);
    atomic_store(may_end, 1);
    CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
    kin_pool_imap_free(imap);
    kin_cancel_free(cancel);
    kin_pool_free(pool);
    munmap((void *)may_end, sizeof *may_end);
}

struct mapper {
    kin_pool *pool;
    int code;
};

static void *map_for_ever(void *user)
{
    struct mapper *mapper = user;
    struct numbers numbers = numbers_create(5);
    kin_pool_results *results = NULL;
    mapper->code = kin_pool_map_bytes(mapper->pool, wait_for_ever, numbers.inputs, 5, KIN_FOREVER,
                                      &results);
    numbers_free(&numbers);
    return NULL;
}

TEST(terminate_ends_tasks_and_those_who_wait_for_them)
{
    kin_pool *pool = pool_with(NULL);
    struct mapper mapper = {.pool = pool};
    struct numbers numbers = numbers_create(1);
    kin_pool_results *results = NULL;
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, map_for_ever, &mapper) == 0);
    wait_until_busy(pool, 0);
    wait_until_busy(pool, 1);
    int32_t pid = worker_pid(pool, 0);
    CHECK_EQUAL(kin_pool_terminate(pool), 0);
    CHECK_EQUAL(kin_pool_terminate(pool), 0);
    pthread_join(thread, NULL);
    CHECK_EQUAL(mapper.code, KIN_EBROKEN);
    CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), 0);
    CHECK(is_gone(pid));
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, numbers.inputs, 1, KIN_FOREVER, &results), -EPIPE);
    kin_pool_worker worker;
    CHECK_EQUAL(kin_pool_worker_read(pool, 0, &worker), 0);
    CHECK_EQUAL(worker.pid, 0);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST(free_kills_what_is_not_done_within_its_grace)
{
    kin_pool *pool = pool_with(KIN_OPTIONS(kin_pool_options, .worker_count = 2, .grace_ms = 10));
    struct counter counter = {.end = 5};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, wait_for_ever, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_NOW, &result), -EAGAIN);
    wait_until_busy(pool, 0);
    kin_pool_imap_free(imap);
    CHECK(kin_pool_free(pool) == NULL);
}

TEST(an_imap_may_be_freed_after_its_pool)
{
    kin_pool *pool = pool_with(NULL);
    struct counter counter = {.end = 50};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
    kin_pool_free(pool);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), KIN_EBROKEN);
    kin_pool_imap_free(imap);
}

TEST(fini_ends_pools_that_were_left_open)
{
    kin_pool *pool = pool_with(NULL);
    int32_t pid = worker_pid(pool, 0);
    kin_fini();
    CHECK(is_gone(pid));
    struct numbers numbers = numbers_create(1);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, numbers.inputs, 1, KIN_FOREVER, &results),
                KIN_EFAMILY);
    CHECK_EQUAL(kin_pool_close(pool), KIN_EFAMILY);
    CHECK_EQUAL(kin_pool_worker_count(pool), 0);
    CHECK(kin_pool_free(pool) == NULL);
    numbers_free(&numbers);
}

TEST(several_pools_live_beside_each_other)
{
    kin_pool *first = pool_with(NULL);
    kin_pool *second = pool_with(NULL);
    check_squares(first, 500);
    check_squares(second, 500);
    kin_pool_free(first);
    check_squares(second, 500);
    kin_pool_free(second);
}

/* --- the end of the process --- */

static void *map_beside_exit(void *user)
{
    for (;;) {
        check_squares(user, 500);
    }
    return NULL;
}

TEST(a_process_may_exit_while_its_threads_map)
{
    for (int i = 0; i < 10; i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            pthread_t thread;
            kin_pool *pool = pool_with(NULL);
            REQUIRE(pthread_create(&thread, NULL, map_beside_exit, pool) == 0);
            usleep((useconds_t)(1000 + i * 1000));
            exit(0);
        }
        CHECK_EQUAL(waitpid(pid, &status, 0), pid);
        CHECK_EQUAL(status, 0);
    }
}

/* --- other processes --- */

static int use_the_parents_pool(kin_call *call)
{
    kin_pool *pool = *(kin_pool *const *)kin_call_bytes(call).data;
    struct numbers numbers = numbers_create(1);
    struct counter counter = {.end = 1};
    kin_pool_results *results = NULL;
    kin_pool_imap *imap = NULL;
    kin_pool_worker worker;
    int wrong = kin_pool_map_bytes(pool, square, numbers.inputs, 1, KIN_FOREVER, &results) !=
                -EPERM;
    wrong += kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap) != -EPERM;
    wrong += kin_pool_close(pool) != -EPERM;
    wrong += kin_pool_join(pool, KIN_NOW) != -EPERM;
    wrong += kin_pool_terminate(pool) != -EPERM;
    wrong += kin_pool_worker_read(pool, 0, &worker) != -EPERM;
    wrong += kin_pool_worker_count(pool) != 0;
    wrong += kin_pool_free(pool) != NULL;
    numbers_free(&numbers);
    return wrong;
}

TEST(a_pool_belongs_to_the_process_that_made_it)
{
    kin_pool *pool = pool_with(NULL);
    kin_process *process = NULL;
    int code = -1;
    REQUIRE(kin_process_start_bytes(use_the_parents_pool, &pool, sizeof(kin_pool *), NULL,
                                    &process) == 0);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(process, &code), 0);
    CHECK_EQUAL(code, 0);
    kin_process_free(process);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(use_the_parents_pool(NULL) == 100);
    }
    waitpid(pid, NULL, 0);
    check_squares(pool, 100);
    kin_pool_free(pool);
}

static int use_own_pool(kin_call *call)
{
    (void)call;
    kin_pool *pool = NULL;
    if (kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = 1), &pool) != 0) {
        return -ECHILD;
    }
    check_squares(pool, 100);
    kin_pool_free(pool);
    return 0;
}
KIN_FUNCTION(use_own_pool)

TEST(a_task_may_use_a_pool_of_its_own)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(2);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, use_own_pool, numbers.inputs, 2, KIN_FOREVER, &results),
                0);
    CHECK_EQUAL(kin_pool_results_at(results, 0)->code, 0);
    CHECK_EQUAL(kin_pool_results_at(results, 1)->code, 0);
    kin_pool_results_free(results);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

static kin_event *event;

static int set_event(kin_call *call)
{
    (void)call;
    return kin_event_set(event);
}
KIN_FUNCTION(set_event)

TEST(what_is_open_when_the_pool_is_made_is_open_in_its_workers)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(1);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, set_event, numbers.inputs, 1, KIN_FOREVER, &results), 0);
    CHECK_EQUAL(kin_event_wait(event, KIN_NOW), 0);
    kin_pool_results_free(results);
    numbers_free(&numbers);
    kin_pool_free(pool);
    kin_event_free(event);
}

/* --- misuse --- */

TEST(a_pool_outside_of_a_family_is_refused)
{
    kin_pool *pool = NULL;
    CHECK_EQUAL(kin_pool_create(NULL, &pool), KIN_EFAMILY);
    CHECK(pool == NULL);
}

TEST(options_out_of_range_are_refused)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    kin_pool *pool = NULL;
    kin_pool_options options = {.size = sizeof options, .worker_count = 1025};
    CHECK_EQUAL(kin_pool_create(&options, &pool), -EINVAL);
    options = (kin_pool_options){.size = sizeof options, .read_ahead_max = 65537};
    CHECK_EQUAL(kin_pool_create(&options, &pool), -EINVAL);
    options = (kin_pool_options){.size = 3};
    CHECK_EQUAL(kin_pool_create(&options, &pool), -EINVAL);
    CHECK_EQUAL(kin_pool_create(NULL, NULL), -EINVAL);
    CHECK(pool == NULL);
}

static int not_registered(kin_call *call)
{
    (void)call;
    return 0;
}

TEST(wrong_arguments_are_refused)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(1);
    struct counter counter = {.end = 1};
    kin_pool_results *results = NULL;
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    kin_pool_worker worker;
    kin_timeout forgotten = {0};
    kin_bytes bad = {.data = NULL, .size = 1};
    CHECK_EQUAL(kin_pool_map_bytes(NULL, square, numbers.inputs, 1, KIN_NOW, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map_bytes(pool, NULL, numbers.inputs, 1, KIN_NOW, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, NULL, 1, KIN_NOW, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, &bad, 1, KIN_NOW, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, numbers.inputs, 1, forgotten, &results), -EINVAL);
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, numbers.inputs, 1, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(kin_pool_map_bytes(pool, not_registered, numbers.inputs, 1, KIN_FOREVER, &results),
                KIN_EFUNCTION);
    CHECK_EQUAL(kin_pool_imap_unordered_bytes(pool, not_registered, counter_next, &counter, &imap),
                KIN_EFUNCTION);
    CHECK_EQUAL(kin_pool_imap_unordered_bytes(NULL, square, counter_next, &counter, &imap),
                -EINVAL);
    CHECK_EQUAL(kin_pool_imap_unordered_bytes(pool, NULL, counter_next, &counter, &imap), -EINVAL);
    CHECK_EQUAL(kin_pool_imap_unordered_bytes(pool, square, NULL, &counter, &imap), -EINVAL);
    CHECK_EQUAL(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, NULL), -EINVAL);
    CHECK_EQUAL(kin_pool_imap_next(NULL, KIN_NOW, &result), -EINVAL);
    REQUIRE(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_NOW, NULL), -EINVAL);
    CHECK_EQUAL(kin_pool_imap_next(imap, forgotten, &result), -EINVAL);
    CHECK(kin_pool_imap_free(imap) == NULL);
    CHECK(kin_pool_imap_free(NULL) == NULL);
    CHECK_EQUAL(kin_pool_worker_count(NULL), 0);
    CHECK_EQUAL(kin_pool_worker_read(NULL, 0, &worker), -EINVAL);
    CHECK_EQUAL(kin_pool_worker_read(pool, 0, NULL), -EINVAL);
    CHECK_EQUAL(kin_pool_worker_read(pool, 2, &worker), -EINVAL);
    CHECK_EQUAL(kin_pool_close(NULL), -EINVAL);
    CHECK_EQUAL(kin_pool_join(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_pool_terminate(NULL), -EINVAL);
    CHECK(kin_pool_free(NULL) == NULL);
    CHECK_EQUAL(kin_pool_results_count(NULL), 0);
    CHECK(kin_pool_results_at(NULL, 0) == NULL);
    CHECK(kin_pool_results_free(NULL) == NULL);
    CHECK(results == NULL && result == NULL);
    CHECK_EQUAL(kin_pool_close(pool), 0);
    CHECK_EQUAL(kin_pool_join(pool, forgotten), -EINVAL);
    numbers_free(&numbers);
    kin_pool_free(pool);
}
