/* What a process can do that may have few fds: less, never half of it. */
#include "support.h"

#include <sys/resource.h>

enum { MOST = 40, STEPS = 4 };

static int exit_well(kin_call *call)
{
    (void)call;
    return 0;
}
KIN_FUNCTION(exit_well)

/* Whether the step succeeded; it may say only that there are no fds. */
static int passed(int code)
{
    CHECK(code == 0 || code == -EMFILE);
    return code == 0;
}

static int poll_queue(void)
{
    kin_queue *queue = NULL;
    int fd = -1;
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    int r = kin_queue_event_fd(queue, &fd);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "x", 1, KIN_NOW), 0); /* with a bell or without */
    kin_queue_free(queue);
    return passed(r);
}

static int run_child(void)
{
    kin_process *child = NULL;
    int r = kin_process_start_bytes(exit_well, NULL, 0, NULL, &child);
    if (r == 0) {
        CHECK_EQUAL(kin_process_join(child, KIN_FOREVER), 0);
        kin_process_free(child);
    }
    return passed(r);
}

static int run_pool(void)
{
    kin_pool *pool = NULL;
    kin_pool_results *results = NULL;
    struct numbers numbers = numbers_create(3);
    int r = kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = 1), &pool);
    if (r == 0) {
        r = kin_pool_map_bytes(pool, square, numbers.inputs, 3, KIN_FOREVER, &results);
        CHECK_EQUAL(r, 0);
        kin_pool_results_free(results);
        kin_pool_free(pool);
    }
    numbers_free(&numbers);
    return passed(r);
}

TEST_WITH(who_may_have_few_fds_is_told_so_and_keeps_what_it_has, .limit_seconds = 60)
{
    struct rlimit before;
    int steps = 0;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    for (rlim_t most = 0; most < MOST && steps < STEPS; most++) {
        struct rlimit few = {.rlim_cur = most, .rlim_max = before.rlim_max};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
        steps = passed(kin_init(NULL, NULL));
        if (steps == 1) {
            steps += poll_queue() + run_child() + run_pool();
            kin_fini();
        }
        REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    }
    CHECK_EQUAL(steps, STEPS); /* in the end there were enough */
}
