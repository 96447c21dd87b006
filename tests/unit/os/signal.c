#define _GNU_SOURCE
#include "harness/test.h"
#include "os/memory.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_readable(int fd, int limit_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, limit_ms) == 1;
}

TEST(blocked_signals_wait_until_they_are_restored)
{
    struct kin__os_signals before;
    sigset_t pending;
    signal(SIGTERM, SIG_DFL);
    kin__os_signals_block(&before);
    raise(SIGTERM);
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGTERM));
    signal(SIGTERM, SIG_IGN); /* takes what is pending back */
    kin__os_signals_restore(&before);
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    CHECK(!sigismember(&now, SIGTERM) && !sigismember(&now, SIGINT));
}

TEST(a_signal_fd_is_readable_from_the_signal_to_clear_also_where_the_signal_was_ignored)
{
    struct kin__os_signals before;
    int fd = -1;
    signal(SIGCHLD, SIG_IGN);
    kin__os_signals_block(&before);
    REQUIRE(kin__os_signal_fd_create(SIGCHLD, &fd) == 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(!is_readable(fd, 0));
    kin__os_signal_fd_clear(fd); /* does not block */
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        _exit(3);
    }
    CHECK(is_readable(fd, -1));
    kin__os_signal_fd_clear(fd);
    CHECK(!is_readable(fd, 0));
    uint32_t ended = 0;
    int code = 0;
    CHECK_EQUAL(kin__os_process_reap_any(&ended, &code), 0);
    CHECK_EQUAL(ended, pid);
    CHECK_EQUAL(code, 3);
    CHECK_EQUAL(kin__os_process_reap_any(&ended, &code), -ECHILD);
    kin__os_signals_restore(&before);
    kin__os_close(fd);
}

TEST(any_child_is_reaped_and_those_that_run_are_not)
{
    int gate[2];
    char byte = 0;
    REQUIRE(pipe(gate) == 0);
    pid_t pids[2];
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        REQUIRE(pids[i] >= 0);
        if (pids[i] == 0 && i == 1) {
            raise(SIGKILL);
        } else if (pids[i] == 0) {
            close(gate[1]);
            _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1);
        }
    }
    uint32_t ended = 0;
    int code = 0;
    REQUIRE(waitid(P_PID, (id_t)pids[1], &(siginfo_t){0}, WEXITED | WNOWAIT) == 0);
    CHECK_EQUAL(kin__os_process_reap_any(&ended, &code), 0);
    CHECK_EQUAL(ended, pids[1]);
    CHECK_EQUAL(code, -SIGKILL);
    CHECK_EQUAL(kin__os_process_reap_any(&ended, &code), -EAGAIN);
    close(gate[1]);
    REQUIRE(waitid(P_PID, (id_t)pids[0], &(siginfo_t){0}, WEXITED | WNOWAIT) == 0);
    CHECK_EQUAL(kin__os_process_reap_any(&ended, &code), 0);
    CHECK_EQUAL(ended, pids[0]);
    CHECK_EQUAL(code, 0);
    close(gate[0]);
}

TEST(a_subreaper_gets_the_orphans_below_it)
{
    int tell[2];
    uint32_t ids[2] = {0}; /* of the orphan, and of its parent in the end */
    REQUIRE(pipe(tell) == 0);
    kin__os_become_subreaper();
    uint32_t self = kin__os_process_id();
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        pid_t between = getpid();
        if (fork() == 0) {
            while (kin__os_parent_id() == (uint32_t)between) {
                usleep(100);
            }
            ids[0] = kin__os_process_id();
            ids[1] = kin__os_parent_id();
            _exit(write(tell[1], ids, sizeof ids) == sizeof ids ? 9 : 1);
        }
        _exit(0);
    }
    CHECK_EQUAL(read(tell[0], ids, sizeof ids), sizeof ids);
    CHECK_EQUAL(ids[1], self);
    int status = 0;
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(waitpid((pid_t)ids[0], &status, 0), ids[0]);
    CHECK_EQUAL(WEXITSTATUS(status), 9);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(tell[0]);
    close(tell[1]);
}
