#include "support.h"

#include <pthread.h>

TEST(map_runs_the_function_once_for_each_input_in_order)
{
    kin_pool *pool = pool_with(NULL);
    check_squares(pool, 10);
    CHECK(kin_pool_free(pool) == NULL);
}

TEST(map_over_more_inputs_than_the_ring_holds)
{
    kin_pool *pool = pool_with(NULL);
    check_squares(pool, 100000);
    kin_pool_free(pool);
}

TEST(map_over_nothing_gives_no_results)
{
    kin_pool *pool = pool_with(NULL);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, NULL, 0, KIN_FOREVER, &results), 0);
    CHECK_EQUAL(kin_pool_results_count(results), 0);
    CHECK(kin_pool_results_at(results, 0) == NULL);
    CHECK(kin_pool_results_free(results) == NULL);
    kin_pool_free(pool);
}

TEST(inputs_and_results_of_all_sizes_arrive)
{
    kin_pool *pool = pool_with(NULL);
    static const size_t sizes[] = {0,   1,    79,   80,    81,    103,     104,
                                   105, 4096, 8176, 32768, 65536, 1 << 20, 5000000};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    kin_bytes inputs[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        unsigned char *bytes = malloc(sizes[i] + 1);
        REQUIRE(bytes != NULL);
        for (size_t k = 0; k < sizes[i]; k++) {
            bytes[k] = (unsigned char)(k * 7 + i);
        }
        inputs[i] = (kin_bytes){.data = bytes, .size = sizes[i]};
    }
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, echo, inputs, COUNT, KIN_FOREVER, &results), 0);
    for (size_t i = 0; i < COUNT; i++) {
        const kin_result *result = kin_pool_results_at(results, i);
        CHECK_EQUAL(result->code, 0);
        CHECK_EQUAL(result->bytes.size, sizes[i]);
        if (result->bytes.size == sizes[i]) {
            CHECK_BYTES(result->bytes.data, inputs[i].data, sizes[i]);
        }
        free((void *)(uintptr_t)inputs[i].data);
    }
    kin_pool_results_free(results);
    kin_pool_free(pool);
}

TEST_WITH(large_results_do_not_pile_up, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(300);
    for (size_t i = 0; i < numbers.count; i++) {
        numbers.values[i] = 1 << 20;
    }
    for (int round = 0; round < 3; round++) {
        kin_pool_results *results = NULL;
        CHECK_EQUAL(
            kin_pool_map_bytes(pool, fill, numbers.inputs, numbers.count, KIN_FOREVER, &results),
            0);
        for (size_t i = 0; i < numbers.count; i++) {
            CHECK_EQUAL(kin_pool_results_at(results, i)->bytes.size, 1 << 20);
        }
        kin_pool_results_free(results);
    }
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST(a_task_that_fails_fails_alone_and_says_why)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(3);
    numbers.values[1] = 5000000000;
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, numbers.inputs, 3, KIN_FOREVER, &results), 0);
    CHECK_EQUAL(kin_pool_results_at(results, 0)->code, 0);
    CHECK_EQUAL(result_number(kin_pool_results_at(results, 2)), 4);
    const kin_result *failed = kin_pool_results_at(results, 1);
    CHECK_EQUAL(failed->code, -ERANGE);
    CHECK_EQUAL(failed->bytes.size, 0);
    CHECK_EQUAL(kin_error_code(failed->error), -ERANGE);
    CHECK_STRING(kin_error_message(failed->error), "5000000000 is too large to square");
    CHECK_STRING(kin_error_function(failed->error), "square");
    kin_pool_results_free(results);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST(a_bare_code_is_an_error_too)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(1);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(
        kin_pool_map_bytes(pool, return_bare_code, numbers.inputs, 1, KIN_FOREVER, &results), 0);
    CHECK_EQUAL(kin_pool_results_at(results, 0)->code, -EDOM);
    CHECK_EQUAL(kin_error_code(kin_pool_results_at(results, 0)->error), -EDOM);
    kin_pool_results_free(results);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST(a_function_that_returns_a_count_has_succeeded)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(1);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, return_positive, numbers.inputs, 1, KIN_FOREVER, &results),
                0);
    const kin_result *result = kin_pool_results_at(results, 0);
    CHECK_EQUAL(result->code, 0);
    CHECK(result->error == NULL);
    CHECK_EQUAL(result->bytes.size, 4);
    kin_pool_results_free(results);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST(map_gives_up_at_its_deadline_and_the_pool_goes_on)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(2000);
    for (size_t i = 0; i < numbers.count; i++) {
        numbers.values[i] = 20000;
    }
    kin_pool_results *results = NULL;
    CHECK_EQUAL(
        kin_pool_map_bytes(pool, nap, numbers.inputs, numbers.count, kin_within_ms(30), &results),
        -ETIMEDOUT);
    CHECK(results == NULL);
    check_squares(pool, 3000);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

TEST(map_without_time_says_so)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(1);
    kin_pool_results *results = NULL;
    numbers.values[0] = 1000;
    CHECK_EQUAL(kin_pool_map_bytes(pool, nap, numbers.inputs, 1, KIN_NOW, &results), -EAGAIN);
    CHECK(results == NULL);
    numbers_free(&numbers);
    kin_pool_free(pool);
}

static void *fire_soon(void *user)
{
    usleep(20000);
    kin_cancel_request(user);
    return NULL;
}

TEST(map_gives_up_when_the_token_fires)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(2);
    kin_pool_results *results = NULL;
    kin_cancel *cancel = NULL;
    pthread_t thread;
    kin_timeout timeout;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    REQUIRE(pthread_create(&thread, NULL, fire_soon, cancel) == 0);
    timeout = kin_by(INT64_MAX, cancel);
    CHECK_EQUAL(kin_pool_map_bytes(pool, wait_for_ever, numbers.inputs, 2, timeout, &results),
                -ECANCELED);
    CHECK_EQUAL(kin_pool_map_bytes(pool, wait_for_ever, numbers.inputs, 2, timeout, &results),
                -ECANCELED);
    CHECK(results == NULL);
    pthread_join(thread, NULL);
    kin_cancel_free(cancel);
    numbers_free(&numbers);
    CHECK_EQUAL(kin_pool_terminate(pool), 0);
    kin_pool_free(pool);
}

static void *map_many(void *user)
{
    for (int i = 0; i < 20; i++) {
        check_squares(user, 500 + (size_t)i * 37);
    }
    return NULL;
}

TEST_WITH(several_threads_may_map_at_once, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(NULL);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, map_many, pool) == 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    kin_pool_free(pool);
}

TEST(results_stay_when_the_pool_is_gone)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(3);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, square, numbers.inputs, 3, KIN_FOREVER, &results), 0);
    kin_pool_free(pool);
    CHECK_EQUAL(result_number(kin_pool_results_at(results, 2)), 4);
    kin_pool_results_free(results);
    numbers_free(&numbers);
}
