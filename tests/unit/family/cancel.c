/* kin_cancel: codes, firing, deaths, forks. */
#include "family/cancel.h"
#include "base/fault.h"
#include "fake.h"
#include "family/keeper.h"
#include "family/sleep.h"
#include "os/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <poll.h>

static kin_cancel *new_cancel(void)
{
    kin_cancel *cancel = NULL;
    begin();
    REQUIRE(kin_cancel_create(&cancel) == 0);
    return cancel;
}

TEST(cancel_functions_refuse_null)
{
    kin_cancel *cancel = new_cancel();
    CHECK_EQUAL(kin_cancel_create(NULL), -EINVAL);
    CHECK_EQUAL(kin_cancel_attach(kin_cancel_handle(cancel), NULL), -EINVAL);
    CHECK_EQUAL(kin_cancel_request(NULL), -EINVAL);
    CHECK(!kin_cancel_is_requested(NULL));
    CHECK_EQUAL(kin_cancel_handle(NULL).counter, 0);
    CHECK(kin_cancel_free(NULL) == NULL);
    CHECK(kin_cancel_free(cancel) == NULL);
}

TEST(a_token_fires_once_and_stays_fired)
{
    kin_cancel *cancel = new_cancel();
    CHECK(!kin_cancel_is_requested(cancel));
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    CHECK(kin_cancel_is_requested(cancel));
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    CHECK(kin_cancel_is_requested(cancel));
    kin_cancel_free(cancel);
}

TEST(a_token_of_a_family_that_was_left_has_not_fired)
{
    kin_cancel *cancel = new_cancel();
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    kin_fini();
    CHECK(!kin_cancel_is_requested(cancel));
    CHECK_EQUAL(kin_cancel_request(cancel), KIN_EFAMILY);
    kin_cancel_free(cancel);
}

TEST(an_attached_token_is_the_same_token)
{
    kin_cancel *cancel = new_cancel();
    kin_cancel *same = NULL;
    REQUIRE(kin_cancel_attach(kin_cancel_handle(cancel), &same) == 0);
    CHECK_EQUAL(kin_cancel_handle(same).counter, (long long)kin_cancel_handle(cancel).counter);
    kin_cancel_request(cancel);
    kin_cancel_free(cancel);
    CHECK(kin_cancel_is_requested(same));
    kin_cancel_free(same);
}

TEST(cancel_attach_refuses_what_is_gone_and_what_is_something_else)
{
    kin_cancel *cancel = new_cancel();
    kin_cancel *other = NULL;
    struct fake *fake = fake_create();
    kin_handle handle = kin_cancel_handle(cancel);
    kin_cancel_free(cancel);
    CHECK_EQUAL(kin_cancel_attach(handle, &other), -ESTALE);
    CHECK_EQUAL(kin_cancel_attach((kin_handle){0}, &other), -ESTALE);
    CHECK_EQUAL(kin_cancel_attach(fake->object.handle, &other), -EINVAL);
    CHECK(other == NULL);
    kin__object_free(&fake->object);
}

static void fire(void *user)
{
    CHECK_EQUAL(kin_cancel_request(user), 0);
}

TEST_OF_PROCESSES(a_token_fired_by_another_process_has_fired)
{
    kin_cancel *cancel = new_cancel();
    child_join(child_start(fire, cancel));
    CHECK(kin_cancel_is_requested(cancel));
    kin_cancel_free(cancel);
}

/* Sleeps on a count that nobody raises. */
static void sleep_until_canceled(void *user)
{
    _Atomic uint32_t *count = &kin__family.member->child_count;
    int r = 0;
    while (r == 0) {
        uint32_t key = kin__count_prepare(count);
        r = kin__sleep(count, key, kin_by(INT64_MAX, user));
    }
    CHECK_EQUAL(r, -ECANCELED);
}

TEST_OF_PROCESSES(a_token_ends_every_wait_that_was_given_it_in_all_processes)
{
    kin_cancel *cancel = new_cancel();
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = child_start(sleep_until_canceled, cancel);
    }
    for (int i = 0; i < 3; i++) {
        await_sleepers(pids[i], 1);
    }
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    for (int i = 0; i < 3; i++) {
        child_join(pids[i]);
    }
    kin_cancel_free(cancel);
}

static void *sleep_until_canceled_in_thread(void *user)
{
    sleep_until_canceled(user);
    return NULL;
}

TEST(a_token_ends_the_waits_of_threads)
{
    kin_cancel *cancel = new_cancel();
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        threads[i] = thread_start(sleep_until_canceled_in_thread, cancel);
    }
    await_sleepers(getpid(), 2);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    thread_join(threads[0]);
    thread_join(threads[1]);
    kin_cancel_free(cancel);
}

static void fire_half(void *user)
{
    _Atomic uint32_t *count = kin__cancel_count(user);
    atomic_fetch_or(count, KIN__COUNT_FLAG); /* and is killed before it wakes anybody */
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(nobody_sleeps_on_when_the_one_who_fires_is_killed_half_way)
{
    kin_cancel *cancel = new_cancel();
    pid_t sleeper = child_start(sleep_until_canceled, cancel);
    await_sleepers(sleeper, 1);
    pid_t firer = child_start(fire_half, cancel);
    await_number(0, 1);
    child_kill(firer);
    child_join(sleeper);
    kin_cancel_free(cancel);
}

TEST_OF_PROCESSES(a_token_that_was_freed_before_a_plainly_forked_child_joined_is_stale)
{
    kin_cancel *cancel = new_cancel();
    pid_t pid = fork();
    if (pid == 0) {
        await_number(0, 1);
        CHECK_EQUAL(kin_cancel_request(cancel), -ESTALE);
        CHECK(!kin_cancel_is_requested(cancel));
        _Atomic uint32_t *count = &kin__family.member->child_count;
        uint32_t key = kin__count_prepare(count);
        CHECK_EQUAL(kin__sleep(count, key, kin_by(INT64_MAX, cancel)), -ESTALE);
        kin_cancel_free(cancel);
        kin_fini();
        _exit(0);
    }
    kin_cancel_free(cancel);
    atomic_store(&numbers[0], 1);
    child_join(pid);
    CHECK_SOUND();
}

/* Whether an fd is readable, at once or some time. */
static bool is_readable(int fd, int limit_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, limit_ms) == 1;
}

static int fd_of(kin_cancel *cancel)
{
    int fd = -1;
    REQUIRE(kin__cancel_fd(cancel, &fd) == 0);
    return fd;
}

TEST(the_fd_of_a_token_is_readable_once_it_has_fired_and_stays_so)
{
    kin_cancel *cancel = new_cancel();
    int fd = fd_of(cancel);
    CHECK_EQUAL(fd_of(cancel), fd);
    CHECK(!is_readable(fd, 0));
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    CHECK(is_readable(fd, -1));
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    CHECK(is_readable(fd, 0));
    kin_cancel_free(cancel);
}

TEST(the_fd_of_a_token_that_has_fired_is_readable_at_once)
{
    kin_cancel *cancel = new_cancel();
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    CHECK(is_readable(fd_of(cancel), 0));
    kin_cancel_free(cancel);
}

TEST_OF_PROCESSES(another_process_makes_the_fd_of_a_token_readable)
{
    kin_cancel *cancel = new_cancel();
    int fd = fd_of(cancel);
    child_join(child_start(fire, cancel));
    CHECK(is_readable(fd, -1));
    kin_cancel_free(cancel);
}

static void await_the_fd(void *user)
{
    int fd = fd_of(user);
    atomic_store(&numbers[0], 1);
    CHECK(is_readable(fd, -1));
    kin_cancel_free(user);
}

TEST_OF_PROCESSES(a_child_has_an_fd_of_the_token_of_its_own)
{
    kin_cancel *cancel = new_cancel();
    fd_of(cancel);
    pid_t child = child_start(await_the_fd, cancel);
    await_number(0, 1);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    child_join(child);
    kin_cancel_free(cancel);
}

TEST_OF_PROCESSES(the_fd_of_a_token_is_readable_when_the_one_who_fires_is_killed_half_way)
{
    kin_cancel *cancel = new_cancel();
    int fd = fd_of(cancel);
    pid_t firer = child_start(fire_half, cancel);
    await_number(0, 1);
    child_kill(firer);
    CHECK(is_readable(fd, -1));
    kin_cancel_free(cancel);
}

TEST(a_token_of_a_family_that_was_left_has_no_fd)
{
    kin_cancel *cancel = new_cancel();
    int fd = fd_of(cancel);
    int other = -7;
    kin_fini();
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    CHECK_EQUAL(kin__cancel_fd(cancel, &other), KIN_EFAMILY);
    CHECK_EQUAL(other, -7);
    kin_cancel_free(cancel);
    CHECK(fcntl(fd, F_GETFD) == -1);
}

#ifdef KIN_FAULTS
TEST(a_token_without_an_fd_says_so)
{
    kin_cancel *cancel = new_cancel();
    int fd = -7;
    REQUIRE(kin__keeper_need() == 0);
    kin__os_fail_at(1);
    CHECK_EQUAL(kin__cancel_fd(cancel, &fd), -EMFILE);
    kin__os_fail_at(0);
    kin__allocation_fail_at(1);
    CHECK_EQUAL(kin__cancel_fd(cancel, &fd), -ENOMEM);
    kin__allocation_fail_at(0);
    CHECK_EQUAL(fd, -7);
    kin_cancel_free(cancel);
}
#endif
