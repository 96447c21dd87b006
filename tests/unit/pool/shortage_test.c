/* What may be short without a limit on it: memory of this process, of the family, of the system.
 * Each way to start a process works or says so, leaves nothing, and works again afterwards. */
#define _GNU_SOURCE
#include "base/fault.h"
#include "os/fault.h"
#include "unit/refuse.h"
#include "ways.h"

#include <kin/queue.h>
#include <sys/resource.h>

enum { FAMILY_BYTES = 64 << 20, LARGEST = 4 << 20, SMALLEST = 1, FREED_STEPS = 24 };
enum { CALLS = 50 }; /* more than a start takes, of most ways */

static const kin_family_options small = {.size = sizeof small, .memory_bytes_max = FAMILY_BYTES};

static void nothing(void)
{
}

/* --- address space --- */

/* The sanitizers need more address space than there is. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

static struct rlimit before;
static struct rlimit little;

static void set_little(void)
{
    REQUIRE(setrlimit(RLIMIT_AS, &little) == 0);
}

static void set_before(void)
{
    REQUIRE(setrlimit(RLIMIT_AS, &before) == 0);
}

static rlim_t address_space(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    REQUIRE(file != NULL && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

TEST_WITH(without_address_space_each_start_works_or_says_so, .limit_seconds = 120)
{
    static const int codes[] = {-ENOMEM, -EAGAIN,
                                0}; /* a thread is not to be had, the system says */
    ways_begin(&small);
    REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
    for (rlim_t more = 0; more <= 64 << 20; more = more == 0 ? 1 << 12 : more * 2) {
        little = (struct rlimit){.rlim_cur = address_space() + more, .rlim_max = before.rlim_max};
        ways_try(codes, set_little, set_before);
    }
    for (int i = 0; i < WAYS; i++) {
        ways[i].worked_count++; /* what is enough for all, differs */
    }
    ways_end();
}

#endif

/* --- memory of the family --- */

/* Puts messages until there is no room for one of this size. How many. */
static uint32_t fill_up(kin_queue *queue, size_t bytes)
{
    static char data[LARGEST];
    uint32_t count = 0;
    int r = 0;
    while ((r = kin_queue_put_bytes(queue, data, bytes, KIN_NOW)) == 0) {
        count++;
    }
    CHECK_EQUAL(r, -ENOMEM);
    return count;
}

static bool take(kin_queue *queue)
{
    kin_message message;
    bool is = kin_queue_get_bytes(queue, KIN_NOW, &message) == 0;
    if (is) {
        kin_message_free(&message);
    }
    return is;
}

/* Starts while nothing is left in the memory, and as room is made little by little. */
static void try_in_full_memory(kin_queue *full)
{
    static const int codes[] = {-ENOMEM, KIN_EWORKER, 0}; /* the forkserver says why, and ends */
    for (size_t bytes = LARGEST; bytes >= SMALLEST; bytes /= 4) {
        fill_up(full, bytes);
    }
    ways_stock_again();
    ways_try(codes, nothing, nothing);
    for (int i = 0; i < FREED_STEPS; i++) {
        take(full);
        ways_stock_again();
        ways_try(codes, nothing, nothing);
    }
}

TEST_WITH(in_a_family_whose_memory_is_full_each_start_works_or_says_so, .limit_seconds = 120)
{
    kin_queue *full = NULL;
    ways_begin(&small);
    REQUIRE(kin_queue_create(NULL, &full) == 0);
    try_in_full_memory(full);
    while (take(full)) {
    }
    kin_queue_free(full);
    ways_stock_again();
    ways_try((const int[]){0}, nothing, nothing);
    ways_end();
}

TEST_WITH(where_the_system_has_no_memory_for_the_family_starts_work_or_say_so, .limit_seconds = 120)
{
    kin_queue *full = NULL;
    ways_begin(NULL);
    REQUIRE(kin_queue_create(NULL, &full) == 0);
    refuse(SYS_fallocate, ENOSPC); /* as of a disk that is full, until the end of this test */
    try_in_full_memory(full);
    while (take(full)) {
    }
    kin_queue_free(full);
    CHECK_EQUAL(ways[0].run(&ways[0]), 0); /* what there is already, is there for this process */
}

TEST(without_memory_for_a_family_there_is_none)
{
    refuse(SYS_fallocate, ENOSPC);
    CHECK_EQUAL(kin_init(NULL, NULL), -ENOMEM);
    CHECK_EQUAL(kin_init(NULL, NULL), -ENOMEM);
}

#ifdef KIN_FAULTS

/* --- what fails once, in this thread or wherever it comes to it --- */

static uint64_t number;

static void fail_allocation(void)
{
    kin__allocation_fail_at(number);
}

static void fail_no_allocation(void)
{
    kin__allocation_fail_at(0);
}

TEST_WITH(an_allocation_that_fails_fails_its_start_or_not, .limit_seconds = 120)
{
    static const int codes[] = {-ENOMEM, KIN_EBROKEN, 0};
    uint32_t worked_count = 0;
    ways_begin(NULL);
    for (number = 1; number < CALLS; number++) {
        worked_count = ways_try(codes, fail_allocation, fail_no_allocation);
    }
    CHECK_EQUAL(worked_count, WAYS); /* none takes so many */
    ways_end();
}

static void fail_call(void)
{
    kin__os_fail_here(number);
}

static void fail_no_call(void)
{
    kin__os_fail_here(0);
}

TEST_WITH(a_system_call_that_fails_fails_its_start_or_not, .limit_seconds = 120)
{
    static const int codes[] = {-ENOMEM, -EAGAIN, -EMFILE,     -ENOSYS,     -ENOBUFS,
                                -EIO,    -EBADF,  KIN_EBROKEN, KIN_EWORKER, 0};
    ways_begin(NULL);
    for (number = 1; number < CALLS; number++) {
        ways_try(codes, fail_call, fail_no_call);
    }
    ways_end();
}

#endif
