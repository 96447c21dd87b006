/* What a program has said once holds in the processes of a pool as well: hooks and the log. */
#include "support.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

/* Shared with all processes of the test. */
static _Atomic uint64_t *calls;

static void count_call(void *user)
{
    (void)user;
    atomic_fetch_add(calls, 1);
}

TEST(fork_hooks_run_in_each_process_of_a_pool)
{
    kin_fork_hook *hook = NULL;
    kin_fork_callbacks callbacks = {.size = sizeof callbacks, .after_child = count_call};
    calls = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(calls != MAP_FAILED);
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_fork_hook_add(&callbacks, NULL, &hook) == 0);
    kin_pool *pool = pool_with(NULL); /* of two workers, which a third process forks */
    check_squares(pool, 10);
    kin_pool_free(pool);
    CHECK_EQUAL(atomic_load(calls), 3);
    kin_fork_hook_remove(hook);
    munmap((void *)calls, sizeof *calls);
}

static int log_input(kin_call *call)
{
    kin_log(KIN_LOG_WARNING, "%s", (const char *)kin_call_bytes(call).data);
    return 0;
}
KIN_FUNCTION(log_input)

/* Where the log of the test goes, in all its processes. */
static void write_line(const kin_log_record *record, void *user)
{
    char line[256];
    int size = snprintf(line, sizeof line, "%s: %s\n", record->process_name, record->message);
    CHECK_EQUAL(write(*(int *)user, line, (size_t)size), size);
}

TEST(workers_log_under_their_own_names)
{
    int ends[2];
    char line[256] = "";
    kin_bytes input = {.data = "at work", .size = sizeof "at work"};
    kin_pool_results *results = NULL;
    REQUIRE(pipe(ends) == 0);
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_log_set_sink(write_line, &ends[1], KIN_LOG_WARNING) == 0);
    kin_pool *pool = pool_with(KIN_OPTIONS(kin_pool_options, .worker_count = 1));
    REQUIRE(kin_pool_map_bytes(pool, log_input, &input, 1, KIN_FOREVER, &results) == 0);
    kin_pool_results_free(results);
    CHECK(read(ends[0], line, sizeof line - 1) > 0);
    CHECK_STRING(line, "Pool-1:1: at work\n");
    kin_pool_free(pool);
    close(ends[0]);
    close(ends[1]);
}
