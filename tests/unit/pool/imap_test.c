#include "support.h"

static uint64_t drain(kin_pool_imap *imap, uint64_t *ret_sum)
{
    const kin_result *result = NULL;
    uint64_t count = 0;
    int r = 0;
    *ret_sum = 0;
    while ((r = kin_pool_imap_next(imap, KIN_FOREVER, &result)) == 1) {
        CHECK_EQUAL(result->code, 0);
        CHECK_EQUAL(result_number(result), result->index * result->index);
        *ret_sum += result->index;
        count++;
    }
    CHECK_EQUAL(r, 0);
    return count;
}

TEST(imap_hands_out_each_result_once)
{
    kin_pool *pool = pool_with(NULL);
    struct counter counter = {.end = 5000};
    kin_pool_imap *imap = NULL;
    uint64_t sum = 0;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(drain(imap, &sum), 5000);
    CHECK_EQUAL(sum, 4999 * 5000 / 2);
    const kin_result *result = NULL;
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 0);
    CHECK(result == NULL);
    CHECK(kin_pool_imap_free(imap) == NULL);
    kin_pool_free(pool);
}

TEST(imap_over_nothing_ends_at_once)
{
    kin_pool *pool = pool_with(NULL);
    struct counter counter = {0};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 0);
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
}

TEST(imap_never_reads_further_ahead_than_allowed)
{
    kin_pool *pool = pool_with(
        KIN_OPTIONS(kin_pool_options, .worker_count = 2, .read_ahead_max = 5));
    struct counter counter = {.end = 200};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(counter.next, 0);
    for (uint64_t i = 0; kin_pool_imap_next(imap, KIN_FOREVER, &result) == 1; i++) {
        CHECK(counter.next <= i + 5);
    }
    CHECK_EQUAL(counter.next, 200);
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
}

TEST(imap_hands_out_a_quick_result_before_a_slow_one)
{
    kin_pool *pool = pool_with(NULL);
    struct counter counter = {.next = 0, .end = 1};
    kin_pool_imap *slow = NULL;
    kin_pool_imap *quick = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, wait_for_ever, counter_next, &counter, &slow) == 0);
    CHECK_EQUAL(kin_pool_imap_next(slow, KIN_NOW, &result), -EAGAIN);
    struct counter others = {.end = 1000};
    uint64_t sum = 0;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, square, counter_next, &others, &quick) == 0);
    CHECK_EQUAL(drain(quick, &sum), 1000);
    CHECK_EQUAL(kin_pool_imap_next(slow, kin_within_ms(5), &result), -ETIMEDOUT);
    kin_pool_imap_free(quick);
    kin_pool_imap_free(slow);
    CHECK_EQUAL(kin_pool_terminate(pool), 0);
    kin_pool_free(pool);
}

TEST(what_the_source_returned_comes_after_the_results)
{
    kin_pool *pool = pool_with(NULL);
    struct counter counter = {.end = 10, .code = -EIO};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap) == 0);
    for (int i = 0; i < 10; i++) {
        CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
    }
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), -EIO);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), -EIO);
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
}

static int bad_source(void *user, kin_bytes *ret_input)
{
    (void)user;
    *ret_input = (kin_bytes){.data = NULL, .size = 7};
    return 1;
}

TEST(an_input_without_bytes_ends_the_imap)
{
    kin_pool *pool = pool_with(NULL);
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, square, bad_source, NULL, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), -EINVAL);
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
}

TEST(imap_next_gives_up_when_the_token_has_fired)
{
    kin_pool *pool = pool_with(NULL);
    struct counter counter = {.next = 300000, .end = 300001};
    kin_pool_imap *imap = NULL;
    kin_cancel *cancel = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin_cancel_request(cancel);
    REQUIRE(kin_pool_imap_unordered_bytes(pool, nap, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, kin_by(INT64_MAX, cancel), &result), -ECANCELED);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
    kin_pool_imap_free(imap);
    kin_cancel_free(cancel);
    kin_pool_free(pool);
}

TEST(an_imap_that_is_freed_early_drops_what_has_not_begun)
{
    kin_pool *pool = pool_with(
        KIN_OPTIONS(kin_pool_options, .worker_count = 2, .read_ahead_max = 1000));
    struct counter counter = {.next = 20000, .end = 21000};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, nap, counter_next, &counter, &imap) == 0);
    CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
    CHECK_EQUAL(counter.next, 21000);
    kin_pool_imap_free(imap); /* 20 seconds of naps */
    check_squares(pool, 5000);
    kin_pool_free(pool);
}

TEST(many_open_imaps_leave_room_for_a_map)
{
    enum { COUNT = 30 };
    kin_pool *pool = pool_with(
        KIN_OPTIONS(kin_pool_options, .worker_count = 2, .read_ahead_max = 100));
    struct counter counters[COUNT];
    kin_pool_imap *imaps[COUNT];
    const kin_result *result = NULL;
    for (int i = 0; i < COUNT; i++) {
        counters[i] = (struct counter){.end = 150};
        REQUIRE(kin_pool_imap_unordered_bytes(pool, square, counter_next, &counters[i],
                                              &imaps[i]) == 0);
        CHECK_EQUAL(kin_pool_imap_next(imaps[i], KIN_FOREVER, &result), 1);
    }
    check_squares(pool, 5000);
    for (int i = 0; i < COUNT; i++) {
        uint64_t sum = 0;
        CHECK_EQUAL(drain(imaps[i], &sum), 149);
        kin_pool_imap_free(imaps[i]);
    }
    kin_pool_free(pool);
}

TEST(a_lost_task_of_an_imap_says_so)
{
    kin_pool *pool = pool_with(NULL);
    struct counter counter = {.end = 3};
    kin_pool_imap *imap = NULL;
    const kin_result *result = NULL;
    REQUIRE(kin_pool_imap_unordered_bytes(pool, kill_itself_on_odd, counter_next, &counter,
                                          &imap) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(kin_pool_imap_next(imap, KIN_FOREVER, &result), 1);
        CHECK_EQUAL(result->code, result->index == 1 ? KIN_EWORKER : 0);
        CHECK_EQUAL(result->error != NULL, result->index == 1);
    }
    kin_pool_imap_free(imap);
    kin_pool_free(pool);
}
