#include "harness/test.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

struct sample {
    uint32_t first;
    uint32_t second;
};
KIN_STATIC_ASSERT_OFFSET(struct sample, second, 4);
KIN_STATIC_ASSERT_SIZE(struct sample, 8);

static int status_of_asserting(int condition)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        KIN_ASSERT(condition != 0);
        _exit(0);
    }
    int status = -1;
    REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
    return status;
}

TEST(an_assertion_that_holds_does_nothing)
{
    CHECK_EQUAL(status_of_asserting(1), 0);
}

#if defined(KIN_DEBUG) && KIN_DEBUG

TEST(an_assertion_that_fails_aborts_a_debug_build)
{
    int status = status_of_asserting(0);
    CHECK(WIFSIGNALED(status));
    CHECK_EQUAL(WTERMSIG(status), SIGABRT);
}

#else

TEST(an_assertion_is_not_evaluated_in_a_release_build)
{
    int evaluated = 0;
    KIN_ASSERT(++evaluated == 0);
    CHECK_EQUAL(evaluated, 0);
    CHECK_EQUAL(status_of_asserting(0), 0);
}

#endif
