/* Waiting on fds. */
#include "os/poll.h"
#include "harness/test.h"
#include "os/clock.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

TEST(poll_says_which_fd_is_ready_for_what)
{
    int pair[2];
    REQUIRE(pipe(pair) == 0);
    struct kin__os_poll polls[3] = {{.fd = pair[0], .wanted = KIN__OS_POLL_READ},
                                    {.fd = pair[1], .wanted = KIN__OS_POLL_WRITE},
                                    {.fd = -1, .wanted = KIN__OS_POLL_READ}};
    CHECK_EQUAL(kin__os_poll(polls, 3, INT64_MAX), 1);
    CHECK_EQUAL(polls[0].found, 0);
    CHECK_EQUAL(polls[1].found, KIN__OS_POLL_WRITE);
    CHECK_EQUAL(polls[2].found, 0);
    REQUIRE(write(pair[1], "x", 1) == 1);
    CHECK_EQUAL(kin__os_poll(polls, 3, INT64_MAX), 2);
    CHECK_EQUAL(polls[0].found, KIN__OS_POLL_READ);
    close(pair[1]);
    CHECK_EQUAL(kin__os_poll(polls, 1, INT64_MAX), 1);
    CHECK(polls[0].found & KIN__OS_POLL_END);
    CHECK_EQUAL(kin__os_poll(polls, 2, INT64_MAX), 2);
    CHECK_EQUAL(polls[1].found, KIN__OS_POLL_BAD);
    close(pair[0]);
}

TEST(poll_ends_at_the_deadline_and_not_before)
{
    int64_t deadline_ns = kin__os_now_ns() + 2000000;
    CHECK_EQUAL(kin__os_poll(NULL, 0, 1), 0);
    CHECK(kin__os_now_ns() < deadline_ns + INT64_C(60000000000));
    CHECK_EQUAL(kin__os_poll(NULL, 0, deadline_ns), 0);
    CHECK(kin__os_now_ns() >= deadline_ns);
    CHECK_EQUAL(kin__os_poll(NULL, 0, deadline_ns), 0);
}

static void ignore(int number)
{
    (void)number;
}

TEST(signals_do_not_end_a_poll)
{
    struct sigaction action = {.sa_handler = ignore};
    struct itimerval every = {.it_interval = {.tv_usec = 500}, .it_value = {.tv_usec = 500}};
    REQUIRE(sigaction(SIGALRM, &action, NULL) == 0);
    REQUIRE(setitimer(ITIMER_REAL, &every, NULL) == 0);
    int64_t deadline_ns = kin__os_now_ns() + 5000000;
    CHECK_EQUAL(kin__os_poll(NULL, 0, deadline_ns), 0);
    CHECK(kin__os_now_ns() >= deadline_ns);
    REQUIRE(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL) == 0);
}

TEST(more_fds_than_a_process_may_open_are_refused)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    test_skip("the sanitizer looks at as many as it is told of, before the kernel refuses them");
#endif
    enum { COUNT = 4 };
    struct kin__os_poll polls[COUNT] = {{.fd = -1}, {.fd = -1}, {.fd = -1}, {.fd = -1}};
    CHECK_EQUAL(kin__os_poll(polls, UINT32_MAX, 1), -EINVAL);
    CHECK_EQUAL(kin__os_poll(polls, COUNT, 1), 0);
}
