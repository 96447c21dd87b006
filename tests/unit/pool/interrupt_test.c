/* What Ctrl-C does to pools. */
#define _GNU_SOURCE
#include "support.h"
#include "unit/terminal.h"

#include <pthread.h>

/* To the whole program, as from a terminal. */
static void press(kin_pool *pool)
{
    for (uint32_t i = 0; i < kin_pool_worker_count(pool); i++) {
        kill(worker_pid(pool, i), SIGINT);
    }
    kill(getpid(), SIGINT);
}

TEST(the_first_interrupt_closes_pools_and_lets_tasks_end)
{
    kin_cancel *cancel = NULL;
    kin_pool_results *results = NULL;
    uint64_t number = 3;
    kin_bytes input = {.data = &number, .size = sizeof number};
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_interrupt_handle(&cancel) == 0);
    kin_pool *pool = pool_with(NULL);
    check_squares(pool, 10);
    press(pool);
    while (!kin_cancel_is_requested(cancel)) {
        usleep(200);
    }
    int r = 0;
    while (r == 0) { /* pools are told after the token has fired */
        r = kin_pool_map_bytes(pool, square, &input, 1, KIN_FOREVER, &results);
        results = r == 0 ? kin_pool_results_free(results) : NULL;
    }
    CHECK_EQUAL(r, -EPIPE);
    CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), 0);
    kin_pool_free(pool);
}

/* Presses twice, once the task runs. */
static void *press_twice(void *user)
{
    int32_t pid = 0;
    CHECK_EQUAL(read(*(int *)user, &pid, sizeof pid), sizeof pid);
    for (uint32_t i = 0; i < 2; i++) {
        kill(getpid(), SIGINT);
        while (kin_interrupt_count() == i) {
            usleep(200);
        }
    }
    return NULL;
}

TEST(the_second_interrupt_terminates_pools)
{
    kin_pool_results *results = NULL;
    pthread_t thread;
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    uint64_t number = (uint64_t)ends[1];
    kin_bytes input = {.data = &number, .size = sizeof number};
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_interrupt_handle(NULL) == 0);
    kin_pool *pool = pool_with(NULL);
    REQUIRE(pthread_create(&thread, NULL, press_twice, &ends[0]) == 0);
    CHECK_EQUAL(kin_pool_map_bytes(pool, write_pid, &input, 1, KIN_FOREVER, &results), KIN_EBROKEN);
    pthread_join(thread, NULL);
    kin_pool_free(pool);
    close(ends[0]);
    close(ends[1]);
}

/* --- in a terminal --- */

enum { RIGHT, NOT_BEGUN, WRONG_RESULT, NOT_CLOSED, NOT_BROKEN };

/* Says to an fd that it runs, and ends when it reads a byte from another; the input has both. */
static int run_until_released(kin_call *call)
{
    const int *fds = kin_call_bytes(call).data;
    char byte = 0;
    bool is_right = write(fds[0], "x", 1) == 1 && read(fds[1], &byte, 1) == 1;
    return is_right ? 0 : kin_call_fail(call, -EIO, "not released");
}
KIN_FUNCTION(run_until_released)

static int map_one(kin_pool *pool, const int fds[2])
{
    kin_bytes input = {.data = fds, .size = 2 * sizeof *fds};
    kin_pool_results *results = NULL;
    int r = kin_pool_map_bytes(pool, run_until_released, &input, 1, KIN_FOREVER, &results);
    r = r == 0 ? kin_pool_results_at(results, 0)->code : r;
    kin_pool_results_free(results);
    return r;
}

/* A byte that is written when the token fires. */
struct release {
    kin_cancel *cancel;
    int fd;
};

static void *write_at_token(void *user)
{
    const struct release *release = user;
    while (!kin_cancel_is_requested(release->cancel)) {
        usleep(200);
    }
    REQUIRE(write(release->fd, "x", 1) == 1);
    return NULL;
}

/* Pressed once, in a task: that is finished, and no other is taken. */
static int finish_task(int words)
{
    int ends[2];
    pthread_t thread;
    struct release release = {0};
    kin_pool *pool = NULL;
    if (kin_init(NULL, NULL) != 0 || kin_interrupt_handle(&release.cancel) != 0 ||
        pipe2(ends, O_CLOEXEC) != 0 || kin_pool_create(NULL, &pool) != 0) {
        return NOT_BEGUN;
    }
    release.fd = ends[1];
    REQUIRE(pthread_create(&thread, NULL, write_at_token, &release) == 0);
    int r = map_one(pool, (const int[]){words, ends[0]}) == 0 ? RIGHT : WRONG_RESULT;
    pthread_join(thread, NULL);
    int later = 0;
    while (later == 0) { /* pools are told after the token has fired */
        REQUIRE(write(ends[1], "x", 1) == 1);
        later = map_one(pool, (const int[]){ends[1], ends[0]});
    }
    r = r != RIGHT ? r : later == -EPIPE ? RIGHT : NOT_CLOSED;
    r = r != RIGHT ? r : kin_pool_join(pool, KIN_FOREVER) == 0 ? RIGHT : NOT_CLOSED;
    kin_pool_free(pool);
    kin_fini();
    return r;
}

/* Pressed again: the task that still runs is ended. */
static int give_up_task(int words)
{
    int ends[2];
    pthread_t thread;
    struct release second = {.fd = words};
    kin_pool *pool = NULL;
    if (kin_init(NULL, NULL) != 0 || kin_interrupt_handle(&second.cancel) != 0 ||
        pipe2(ends, O_CLOEXEC) != 0 || kin_pool_create(NULL, &pool) != 0) {
        return NOT_BEGUN;
    }
    REQUIRE(pthread_create(&thread, NULL, write_at_token, &second) == 0);
    int r = map_one(pool, (const int[]){words, ends[0]}) == KIN_EBROKEN ? RIGHT : NOT_BROKEN;
    pthread_join(thread, NULL);
    kin_pool_free(pool);
    kin_fini();
    return r;
}

#ifndef __SANITIZE_THREAD__

TEST(ctrl_c_in_a_terminal_ends_a_pool_in_order)
{
    CHECK_EQUAL(terminal_press_at_words(finish_task), RIGHT);
    CHECK_EQUAL(terminal_press_at_words(give_up_task), RIGHT);
}

#endif
