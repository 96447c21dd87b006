/* Waiting on fds for as long as a kin_timeout says. */
#include "connection/poll.h"
#include "family/sleep.h"
#include "os/fault.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <unistd.h>

static void new_pipe(int ret_pair[2])
{
    begin();
    REQUIRE(pipe(ret_pair) == 0);
}

static void close_pipe(const int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

TEST(what_is_ready_counts_although_the_time_is_over_or_the_token_has_fired)
{
    int pair[2];
    kin_cancel *cancel = NULL;
    new_pipe(pair);
    REQUIRE(kin_cancel_create(&cancel) == 0);
    REQUIRE(kin_cancel_request(cancel) == 0);
    kin_timeout timeouts[] = {KIN_NOW, kin_by(2, NULL), kin_by(INT64_MAX, cancel)};
    int codes[] = {-EAGAIN, -ETIMEDOUT, -ECANCELED};
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(kin__poll_one(pair[0], KIN__OS_POLL_READ, timeouts[i]), codes[i]);
        CHECK_EQUAL(kin__poll_one(pair[1], KIN__OS_POLL_WRITE, timeouts[i]), KIN__OS_POLL_WRITE);
    }
    kin_cancel_free(cancel);
    close_pipe(pair);
}

TEST(nothing_ready_is_a_timeout)
{
    int pair[2];
    kin_cancel *cancel = NULL;
    new_pipe(pair);
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin_timeout timeout = kin_within_ms(2);
    CHECK_EQUAL(kin__poll_one(pair[0], KIN__OS_POLL_READ, timeout), -ETIMEDOUT);
    timeout = kin_within_ms(2);
    timeout.cancel = cancel;
    CHECK_EQUAL(kin__poll_one(pair[0], KIN__OS_POLL_READ, timeout), -ETIMEDOUT);
    CHECK_EQUAL(kin__poll_one(pair[1], KIN__OS_POLL_WRITE, timeout), KIN__OS_POLL_WRITE);
    CHECK_EQUAL(kin__poll_one(pair[1], KIN__OS_POLL_WRITE, (kin_timeout){0}), -EINVAL);
    kin_cancel_free(cancel);
    close_pipe(pair);
}

static void *wait_until_canceled(void *user)
{
    int pair[2];
    REQUIRE(pipe(pair) == 0);
    atomic_fetch_add(&numbers[0], 1);
    CHECK_EQUAL(kin__poll_one(pair[0], KIN__OS_POLL_READ, kin_by(INT64_MAX, user)), -ECANCELED);
    close_pipe(pair);
    return NULL;
}

TEST(a_token_ends_the_waits_of_all_threads_on_fds)
{
    pthread_t threads[3];
    kin_cancel *cancel = NULL;
    begin();
    REQUIRE(kin_cancel_create(&cancel) == 0);
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(wait_until_canceled, cancel);
    }
    await_number(0, 3);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    kin_cancel_free(cancel);
}

TEST(a_token_that_was_left_with_its_family_is_refused)
{
    int pair[2];
    kin_cancel *cancel = NULL;
    new_pipe(pair);
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin_fini();
    CHECK_EQUAL(kin__poll_one(pair[0], KIN__OS_POLL_READ, kin_by(INT64_MAX, cancel)), KIN_EFAMILY);
    kin_cancel_free(cancel);
    close_pipe(pair);
}

#ifdef KIN_FAULTS
TEST(each_call_that_fails_is_told)
{
    int pair[2];
    kin_cancel *cancel = NULL;
    new_pipe(pair);
    REQUIRE(kin_cancel_create(&cancel) == 0);
    static const int codes[] = {-EMFILE, -ENOMEM, KIN__OS_POLL_WRITE};
    for (uint64_t i = 0; i < 3; i++) { /* the token's fd is made at the second try */
        kin__os_fail_here(i + 1);
        int r = kin__poll_one(pair[1], KIN__OS_POLL_WRITE, kin_by(INT64_MAX, cancel));
        CHECK_EQUAL(r, codes[i]);
    }
    kin__os_fail_here(0);
    kin_cancel_free(cancel);
    close_pipe(pair);
}
#endif
