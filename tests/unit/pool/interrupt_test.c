/* What Ctrl-C does to pools. */
#include "support.h"

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
