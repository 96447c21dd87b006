/* What may be short by a limit: fds and processes. Each way to start a process works or says so,
 * leaves nothing, and works again when there is enough. */
#define _GNU_SOURCE
#include "ways.h"

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
    /* A pool has its workers when there are processes again: meanwhile its tasks wait. */
    static const int codes[] = {-EAGAIN, KIN_EBROKEN, KIN_EWORKER, -ETIMEDOUT, 0};
    become_nobody();
    ways_begin(NULL);
    begin_limits_of(RLIMIT_NPROC);
    for (few.rlim_cur = 0; few.rlim_cur < 10; few.rlim_cur++) {
        ways[POOL].map_ms = 500;
        ways_try(codes, set_few, set_before);
        ways[POOL].map_ms = 0;
    }
    ways_end();
}
