#include "support.h"

#include "base/fault.h"
#include "family/runtime.h"
#include "os/fault.h"
#include "unit/alone.h"

#ifdef KIN_FAULTS

static bool is_expected(int code)
{
    return code == -ENOMEM || code == -EAGAIN || code == -EMFILE || code == KIN_EBROKEN ||
           code == -ENOSYS;
}

/* The nursery and the workers inherit the fault that is set, and fail at theirs. */
TEST_WITH(a_pool_that_cannot_be_made_for_lack_of_memory_leaves_nothing, .limit_seconds = 60)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    int r = -1;
    for (uint64_t n = 1; n < 50 && r != 0; n++) {
        kin_pool *pool = NULL;
        kin__allocation_fail_at(n);
        r = kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = 1), &pool);
        kin__allocation_fail_at(0);
        CHECK(r == 0 || (is_expected(r) && pool == NULL));
        kin_pool_free(pool);
    }
    CHECK_EQUAL(r, 0);
    CHECK_MEMORY_ALONE();
}

TEST_WITH(a_pool_that_the_system_refuses_leaves_nothing, .limit_seconds = 60)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    int r = -1;
    for (uint64_t n = 1; n < 50; n++) {
        kin_pool *pool = NULL;
        kin__os_fail_at(n);
        r = kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = 1), &pool);
        kin__os_fail_at(0);
        CHECK(r == 0 || (is_expected(r) && pool == NULL));
        kin_pool_free(pool);
    }
    CHECK_MEMORY_ALONE();
}

TEST_WITH(a_map_without_memory_fails_as_a_whole_or_not_at_all, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(NULL);
    struct numbers numbers = numbers_create(50);
    int r = -1;
    for (uint64_t n = 1; n < 50 && r != 0; n++) {
        kin_pool_results *results = NULL;
        kin__allocation_fail_at(n);
        r = kin_pool_map_bytes(pool, square, numbers.inputs, numbers.count, KIN_FOREVER, &results);
        bool was_hit = n < 3;
        kin__allocation_fail_at(0);
        CHECK(r == 0 || (r == -ENOMEM && results == NULL && was_hit));
        kin_pool_results_free(results);
    }
    CHECK_EQUAL(r, 0);
    check_squares(pool, 100);
    numbers_free(&numbers);
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

TEST_WITH(an_imap_without_memory_says_so_and_goes_on, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(NULL);
    for (uint64_t n = 1; n < 20; n++) {
        struct counter counter = {.end = 30};
        kin_pool_imap *imap = NULL;
        const kin_result *result = NULL;
        kin__allocation_fail_at(n);
        if (kin_pool_imap_unordered_bytes(pool, square, counter_next, &counter, &imap) != 0) {
            continue;
        }
        int seen = 0;
        int r = 1;
        for (int refused = 0; r == 1 || (r == -ENOMEM && refused++ < 3);) {
            r = kin_pool_imap_next(imap, KIN_FOREVER, &result);
            seen += r == 1;
            CHECK(r != 1 || result->code == 0 || result->code == -ENOMEM);
        }
        CHECK_EQUAL(r, 0);
        CHECK_EQUAL(seen, 30);
        kin__allocation_fail_at(0);
        kin_pool_imap_free(imap);
    }
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
}

TEST_WITH(the_memory_is_sound_after_many_deaths, .limit_seconds = 60)
{
    kin_pool *pool = pool_with(
        KIN_OPTIONS(kin_pool_options, .worker_count = 2, .lost_task_retries = 1));
    struct numbers numbers = numbers_create(40);
    kin_pool_results *results = NULL;
    CHECK_EQUAL(kin_pool_map_bytes(pool, kill_itself_once, numbers.inputs, numbers.count,
                                   KIN_FOREVER, &results),
                0);
    kin_pool_results_free(results);
    kin_pool_close(pool);
    CHECK_EQUAL(kin_pool_join(pool, KIN_FOREVER), 0);
    CHECK_MEMORY_ALONE();
    kin_pool_free(pool);
    CHECK_MEMORY_ALONE();
    numbers_free(&numbers);
}

#endif
