#include "support.h"

#include "family/member.h"
#include "pool/pool.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

TEST(a_worker_that_is_killed_costs_its_task_which_says_so)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(1);
    kin_pool_results *results = NULL;
    int32_t pids[] = {worker_pid(pool, 0), worker_pid(pool, 1)};
    CHECK_EQUAL(kin_pool_map_bytes(pool, kill_itself, numbers.inputs, 1, KIN_FOREVER, &results), 0);
    const kin_result *result = kin_pool_results_at(results, 0);
    char expected[100];
    REQUIRE(result->worker_index < 2);
    snprintf(expected, sizeof expected,
             "worker %u (pid %d) was killed by signal 9 (task 0, attempt 1)", result->worker_index,
             pids[result->worker_index]);
    CHECK_EQUAL(result->code, KIN_EWORKER);
    CHECK_EQUAL(result->attempt, 1);
    CHECK_EQUAL(kin_error_code(result->error), KIN_EWORKER);
    CHECK_STRING(kin_error_message(result->error), expected);
    CHECK(worker_pid(pool, result->worker_index) != pids[result->worker_index]);
    kin_pool_worker worker;
    CHECK_EQUAL(kin_pool_worker_read(pool, result->worker_index, &worker), 0);
    CHECK_EQUAL(worker.restart_count, 1);
    CHECK_EQUAL(worker.task_count, 1);
    CHECK_EQUAL(worker.task_index, UINT64_MAX);
    kin_pool_results_free(results);
    check_squares(pool, 1000);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST(a_worker_that_calls_exit_costs_its_task_too)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(2);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, exit_itself, numbers.inputs, 2, KIN_FOREVER, &results), 0);
    for (size_t i = 0; i < 2; i++) {
        const kin_result *result = kin_pool_results_at(results, i);
        CHECK_EQUAL(result->code, KIN_EWORKER);
        CHECK(strstr(kin_error_message(result->error), "exited with status 3") != NULL);
    }
    kin_pool_results_free(results);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST_WITH(each_death_costs_exactly_one_task, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(40);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, kill_itself_on_odd, numbers.inputs, numbers.count,
                                   KIN_FOREVER, &results),
                0);
    for (size_t i = 0; i < numbers.count; i++) {
        const kin_result *result = kin_pool_results_at(results, i);
        CHECK_EQUAL(result->code, i % 2 == 1 ? KIN_EWORKER : 0);
        CHECK(i % 2 == 1 || result_number(result) == i * i);
    }
    kin_pool_results_free(results);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST_WITH(with_retries_a_lost_task_runs_again, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(
        KIN_OPTIONS(kin_pool_options, .worker_count = 2, .lost_task_retries = 1));
    struct numbers numbers = numbers_create(20);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, kill_itself_once, numbers.inputs, numbers.count,
                                   KIN_FOREVER, &results),
                0);
    for (size_t i = 0; i < numbers.count; i++) {
        const kin_result *result = kin_pool_results_at(results, i);
        CHECK_EQUAL(result->code, 0);
        CHECK_EQUAL(result->attempt, 2);
        CHECK_EQUAL(result_number(result), 2);
    }
    uint64_t restarts = 0;
    uint64_t tasks = 0;
    for (uint32_t i = 0; i < 2; i++) {
        kin_pool_worker worker;
        worker_pid(pool, i);
        CHECK_EQUAL(kin_pool_worker_read(pool, i, &worker), 0);
        restarts += worker.restart_count;
        tasks += worker.task_count;
    }
    CHECK_EQUAL(restarts, 20);
    CHECK_EQUAL(tasks, 40);
    kin_pool_results_free(results);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST_WITH(tasks_that_lose_many_workers_at_once_are_all_found_again, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(
        KIN_OPTIONS(kin_pool_options, .worker_count = 8, .lost_task_retries = 100));
    struct numbers numbers = numbers_create(30);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, kill_itself_often, numbers.inputs, numbers.count,
                                   KIN_FOREVER, &results),
                0);
    for (size_t i = 0; i < numbers.count; i++) {
        CHECK_EQUAL(kin_pool_results_at(results, i)->code, 0);
        CHECK_EQUAL(kin_pool_results_at(results, i)->attempt, 12);
    }
    kin_pool_results_free(results);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST(a_task_that_kills_each_worker_is_given_up_after_its_retries)
{
    kin_pool *pool = pool_with(
        KIN_OPTIONS(kin_pool_options, .worker_count = 2, .lost_task_retries = 3));
    struct numbers numbers = numbers_create(1);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, kill_itself, numbers.inputs, 1, KIN_FOREVER, &results), 0);
    const kin_result *result = kin_pool_results_at(results, 0);
    CHECK_EQUAL(result->code, KIN_EWORKER);
    CHECK_EQUAL(result->attempt, 4);
    CHECK(strstr(kin_error_message(result->error), "(task 0, attempt 4)") != NULL);
    kin_pool_results_free(results);
    check_squares(pool, 100);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST(a_worker_that_is_killed_without_a_task_is_replaced)
{
    kin_pool *pool = pool_with(NULL);
    check_squares(pool, 100);
    for (uint32_t i = 0; i < 2; i++) {
        int32_t pid = worker_pid(pool, i);
        kill(pid, SIGKILL);
        CHECK(is_gone(pid));
    }
    check_squares(pool, 1000);
    kin_pool_free(pool);
}

struct killer {
    const kin_pool *pool;
    _Atomic bool has_ended;
};

static void *kill_workers(void *user)
{
    struct killer *killer = user;
    for (unsigned i = 0; i < 40; i++) {
        usleep(1000 + (i * 7919) % 4000);
        kill(worker_pid(killer->pool, i % 2), SIGKILL);
    }
    killer->has_ended = true;
    return NULL;
}

TEST_WITH(workers_killed_at_random_instants_lose_no_result, .limit_seconds = 120)
{
    kin_pool *pool = pool_with(
        KIN_OPTIONS(kin_pool_options, .worker_count = 2, .lost_task_retries = 1000));
    struct killer killer = {.pool = pool};
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, kill_workers, &killer) == 0);
    while (!killer.has_ended) {
        check_squares(pool, 20000);
    }
    pthread_join(thread, NULL);
    check_squares(pool, 20000);
    kin_pool_free(pool);
}

static int32_t nursery_of(const kin_pool *pool)
{
    char path[64];
    int32_t parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", worker_pid(pool, 0));
    FILE *file = fopen(path, "r");
    REQUIRE(file != NULL);
    REQUIRE(fscanf(file, "%*d %*s %*c %d", &parent) == 1);
    fclose(file);
    return parent;
}

static void *kill_nursery_soon(void *user)
{
    usleep(20000);
    kill(*(int32_t *)user, SIGKILL);
    return NULL;
}

TEST(a_pool_without_its_nursery_is_broken_and_says_so)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(10);
    kin_pool_results *results = NULL;
    int32_t nursery = nursery_of(pool);
    int32_t workers[] = {worker_pid(pool, 0), worker_pid(pool, 1)};
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, kill_nursery_soon, &nursery) == 0);
    CHECK_EQUAL(kin_pool_map_bytes(pool, wait_for_ever, numbers.inputs, numbers.count, KIN_FOREVER,
                                   &results),
                KIN_EBROKEN);
    pthread_join(thread, NULL);
    CHECK(is_gone(workers[0]));
    CHECK(is_gone(workers[1]));
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, numbers.inputs, 1, KIN_FOREVER, &results),
                KIN_EBROKEN);
    struct counter counter = {.end = 10};
    kin_pool_imap *imap = NULL;
    CHECK_EQUAL(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap),
                KIN_EBROKEN);
    CHECK(results == NULL && imap == NULL);
    kin_pool_close(pool);
    CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), 0);
    numbers_free(&numbers);
    kin_pool_free(pool);
    while (waitpid(-1, NULL, 0) > 0) { /* the workers are ours now */
    }
}

static int make_pool_and_wait(kin_call *call)
{
    int fd = *(const int *)kin_call_bytes(call).data;
    kin_pool *pool = pool_with(NULL);
    int32_t pids[] = {nursery_of(pool), worker_pid(pool, 0), worker_pid(pool, 1)};
    if (write(fd, pids, sizeof pids) != sizeof pids) {
        return 1;
    }
    kin_pool_results *results = NULL;
    kin_bytes inputs[10] = {{0}};
    kin_pool_map_bytes(pool, wait_for_ever, inputs, 10, KIN_FOREVER, &results);
    return 2;
}

TEST(when_the_creator_is_killed_the_whole_pool_is_gone)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int ends[2];
    int32_t pids[3] = {0};
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(pipe(ends) == 0);
    kin_process *creator = NULL;
    REQUIRE(kin_process_start_bytes(make_pool_and_wait, &ends[1], sizeof ends[1], NULL, &creator) ==
            0);
    CHECK_EQUAL(read(ends[0], pids, sizeof pids), sizeof pids);
    usleep(10000);
    CHECK_EQUAL(kin_process_kill(creator), 0);
    CHECK_EQUAL(kin_process_join(creator, KIN_FOREVER), 0);
    kin_process_free(creator);
    for (int i = 0; i < 3; i++) {
        CHECK(is_gone(pids[i]));
    }
    while (waitpid(-1, NULL, 0) > 0) {
    }
    close(ends[0]);
    close(ends[1]);
}

/* A nursery that dies before it has a life word: the reaper wakes the creator, which may look while
 * the reaper is still at it, and is not woken again. */
TEST(a_nursery_that_is_being_reaped_has_ended)
{
    kin_pool *pool = pool_with(NULL);
    uint32_t owner = pool->nursery->owner;
    uint32_t dead = 0;
    REQUIRE(kin__member_claim(KIN__MEMBER_PROCESS, kin__family.owner, &dead) == 0);
    pool->nursery->owner = dead;
    CHECK(!kin__pool_has_ended(pool));
    CHECK(kin__member_move(dead, KIN__MEMBER_CLAIMED, KIN__MEMBER_REAPING, kin__family.owner));
    CHECK(kin__pool_has_ended(pool));
    kin__member_free(dead);
    pool->nursery->owner = owner;
    CHECK(!kin__pool_has_ended(pool));
    kin_pool_free(pool);
}
