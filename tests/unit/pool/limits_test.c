/* What may be short by a limit: fds and processes. Each way to start a process works or says so,
 * leaves nothing, and works again when there is enough. */
#define _GNU_SOURCE
#include "pool/pool.h"
#include "unit/stderr.h"
#include "ways.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static struct rlimit before;
static struct rlimit few;
static int resource;

static void set_few(void)
{
    REQUIRE(setrlimit((__rlimit_resource_t)resource, &few) == 0);
}

static void set_before(void)
{
    REQUIRE(setrlimit((__rlimit_resource_t)resource, &before) == 0);
}

static void begin_limits_of(int of)
{
    resource = of;
    REQUIRE(getrlimit((__rlimit_resource_t)of, &before) == 0);
    few = before;
}

TEST_WITH(with_8_to_64_fds_each_start_works_or_says_that_there_are_none, .limit_seconds = 300)
{
    static const int codes[] = {-EMFILE, -ENFILE, 0};
    uint32_t worked_count = 0;
    ways_begin(NULL);
    begin_limits_of(RLIMIT_NOFILE);
    for (few.rlim_cur = 8; few.rlim_cur <= 64; few.rlim_cur++) {
        worked_count = ways_try(codes, set_few, set_before);
    }
    CHECK_EQUAL(worked_count, WAYS); /* 64 are enough */
    ways_end();
}

/* Limits on processes are not for root, so this becomes somebody whom there is not. */
static void become_nobody(void)
{
    if (geteuid() == 0) {
        uid_t user = 500000 + (uid_t)getpid() % 100000;
        REQUIRE(setresuid(user, user, user) == 0);
        REQUIRE(prctl(PR_SET_DUMPABLE, 1) == 0); /* as /proc is read */
    }
}

TEST_WITH(without_processes_each_start_works_or_says_that_there_are_none, .limit_seconds = 120)
{
    /* A pool of which no worker can begin, is broken after a while. */
    static const int codes[] = {-EAGAIN, KIN_EBROKEN, KIN_EWORKER, 0};
    become_nobody();
    ways_begin(NULL);
    begin_limits_of(RLIMIT_NPROC);
    for (few.rlim_cur = 0; few.rlim_cur < 10; few.rlim_cur++) {
        ways_try(codes, set_few, set_before);
    }
    ways_end();
}

/* With so many processes and threads: this one has two, and so have the nursery and a worker. */
static int create_with(rlim_t processes, uint32_t workers, kin_pool **ret_pool)
{
    become_nobody();
    REQUIRE(kin_init(NULL, NULL) == 0);
    begin_limits_of(RLIMIT_NPROC);
    few.rlim_cur = processes;
    set_few();
    return kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = workers), ret_pool);
}

TEST(a_pool_whose_nursery_cannot_begin_says_what_it_lacks)
{
    kin_pool *pool = NULL;
    CHECK_EQUAL(create_with(3, 1, &pool), -EAGAIN);
    CHECK(pool == NULL);
}

static int map_one(kin_pool *pool)
{
    uint64_t number = 3;
    kin_bytes input = {&number, sizeof number};
    kin_pool_results *results = NULL;
    int r = kin_pool_map_bytes(pool, square, &input, 1, KIN_FOREVER, &results);
    kin_pool_results_free(results);
    return r;
}

TEST(a_pool_of_which_no_worker_can_begin_is_broken_after_a_while)
{
    kin_pool *pool = NULL;
    struct caught *caught = catch_stderr();
    int r = create_with(5, 1, &pool);
    int mapped = r == 0 ? map_one(pool) : 0;
    bool is_broken = r == 0 && map_one(pool) == KIN_EBROKEN;
    kin_pool_free(pool);
    caught = give_stderr_back(caught);
    CHECK_EQUAL(r, 0);
    CHECK_EQUAL(mapped, KIN_EBROKEN);
    CHECK(is_broken);
    CHECK(strncmp(caught->text, "Pool-1: EAGAIN: no worker can begin: ", 37) == 0);
    free(caught);
}

/* The worker that has begun is enough. */
TEST(a_pool_of_which_some_workers_cannot_begin_works_with_the_others)
{
    enum { TASKS = 100 };
    kin_pool *pool = NULL;
    REQUIRE(create_with(7, 2, &pool) == 0);     /* the second may be forked, but has no keeper */
    int64_t end_ns = kin_now_ns() + 4000000000; /* longer than it takes to give up */
    while (kin_now_ns() < end_ns) {
        check_squares(pool, TASKS);
        usleep(100000);
    }
    REQUIRE(prlimit((pid_t)pool->nursery->pid, RLIMIT_NPROC, &before, NULL) == 0);
    while (worker_pid(pool, 0) == 0 || worker_pid(pool, 1) == 0) {
        usleep(1000);
    }
    kin_pool_free(pool);
}

/* --- workers that are killed before they begin --- */

static int forks; /* between the first process and this one */

static void die_in_worker(void *user)
{
    (void)user;
    if (++forks == 2) {
        raise(SIGKILL);
    }
}

TEST(a_pool_whose_workers_are_all_killed_before_they_begin_is_broken)
{
    static const kin_fork_callbacks callbacks = {.size = sizeof callbacks,
                                                 .after_child = die_in_worker};
    kin_pool *pool = NULL;
    kin_fork_hook *hook = NULL;
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin_fork_hook_add(&callbacks, NULL, &hook) == 0);
    struct caught *caught = catch_stderr();
    int r = kin_pool_create(KIN_OPTIONS(kin_pool_options, .worker_count = 3), &pool);
    int mapped = r == 0 ? map_one(pool) : 0;
    kin_pool_free(pool);
    caught = give_stderr_back(caught);
    CHECK_EQUAL(r, 0);
    CHECK_EQUAL(mapped, KIN_EBROKEN);
    CHECK(strstr(caught->text, "killed before it began") != NULL);
    free(caught);
    kin_fork_hook_remove(hook);
}
