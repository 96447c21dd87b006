#include "os/fault.h"

#include "os/futex.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/thread.h"

#include "harness/test.h"

#include <errno.h>

#ifdef KIN_FAULTS

static int find_robust(void)
{
    struct kin__os_robust robust;
    return kin__os_robust_find(&robust);
}

TEST(the_nth_call_fails_once)
{
    kin__os_fail_at(2);
    CHECK_EQUAL(find_robust(), 0);
    CHECK_EQUAL(find_robust(), -ENOSYS);
    CHECK_EQUAL(find_robust(), 0);
    CHECK_EQUAL((int)kin__os_call_count(), 3);
}

TEST(no_call_fails_at_0)
{
    kin__os_fail_at(0);
    for (int i = 0; i < 10; i++) {
        CHECK_EQUAL(find_robust(), 0);
    }
}

static void *return_user(void *user)
{
    return user;
}

static void do_nothing(void)
{
}

static void end_nothing(void *user)
{
    (void)user;
}

/* Lets the next call fail, and checks that it does, and with which code. */
#define CHECK_FAILS(call, code)       \
    do {                              \
        kin__os_fail_at(1);           \
        CHECK_EQUAL((call), -(code)); \
        kin__os_fail_at(0);           \
    } while (0)

TEST(each_call_that_can_fail_can_be_made_to)
{
    int fd = -7;
    void *base = &fd;
    struct kin__os_thread thread;
    struct kin__os_thread_end end;
    struct kin__os_life life;
    _Atomic uint32_t words[32] = {0};
    CHECK_FAILS(kin__os_memory_create("test", 65536, &fd), EMFILE);
    CHECK_FAILS(kin__os_memory_map(0, 65536, &base), ENOMEM);
    CHECK_FAILS(kin__os_memory_commit(0, 0, 65536), ENOMEM);
    CHECK_FAILS(kin__os_memory_decommit(0, 0, 65536), ENOMEM);
    CHECK_FAILS(kin__os_fork(), EAGAIN);
    CHECK_FAILS(kin__os_process_open(kin__os_process_id(), &fd), EMFILE);
    CHECK_FAILS(kin__os_thread_start(return_user, NULL, &thread), EAGAIN);
    CHECK_FAILS(kin__os_thread_end_create(&end, end_nothing), EAGAIN);
    CHECK_FAILS(kin__os_thread_end_set((struct kin__os_thread_end){0}, NULL), ENOMEM);
    CHECK_FAILS(kin__os_fork_hooks(do_nothing, do_nothing, do_nothing), ENOMEM);
    CHECK_FAILS(find_robust(), ENOSYS);
    CHECK_FAILS(kin__os_life_begin(&life, words), ENOSYS);
    struct kin__os_futex_wait wait = {.word = words, .expected = 0};
    CHECK_FAILS(kin__os_futex_wait_many(&wait, 1, 1), ENOSYS);
    CHECK_EQUAL(fd, -7); /* outputs are untouched on failure */
    CHECK(base == &fd);
}

#endif
