#define _GNU_SOURCE
#include "os/process.h"

#include "os/clock.h"
#include "os/fault.h"
#include "os/memory.h"

#include "harness/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND_NS 1000000000

static pid_t start_sleeper(void)
{
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* When a process whose name holds no space was started, as the kernel tells it. */
static uint64_t start_ns_of(pid_t pid)
{
    uint64_t tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    unsigned long long ticks = 0;
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "re");
    REQUIRE(stat != NULL);
    REQUIRE(
        fscanf(stat,
               "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
               "%*d %llu",
               &ticks) == 1);
    fclose(stat);
    return ticks * tick_ns;
}

TEST(a_living_process_is_not_gone)
{
    pid_t pid = start_sleeper();
    uint64_t start = start_ns_of(pid);
    CHECK(start != 0);
    CHECK(!kin__os_process_is_gone((uint32_t)pid, start, 1));
    CHECK(!kin__os_process_is_gone((uint32_t)pid, 0, 1));
    CHECK(!kin__os_process_is_gone(kin__os_process_id(), 0, 1));
    end(pid);
}

TEST(a_stopped_process_is_not_gone)
{
    pid_t pid = start_sleeper();
    kill(pid, SIGSTOP);
    waitpid(pid, NULL, WUNTRACED);
    CHECK(!kin__os_process_is_gone((uint32_t)pid, 0, kin__os_now_ns() + SECOND_NS / 100));
    end(pid);
}

TEST(a_killed_process_is_gone_before_and_after_it_is_waited_for)
{
    pid_t pid = start_sleeper();
    uint64_t start = start_ns_of(pid);
    kill(pid, SIGKILL);
    CHECK(kin__os_process_is_gone((uint32_t)pid, start, INT64_MAX));
    waitpid(pid, NULL, 0);
    CHECK(kin__os_process_is_gone((uint32_t)pid, start, 1));
}

TEST(a_process_id_that_was_used_again_is_told_by_the_start_time)
{
    pid_t pid = start_sleeper();
    uint64_t start = start_ns_of(pid);
    CHECK(kin__os_process_is_gone((uint32_t)pid, start - 1, 1));
    end(pid);
}

TEST(a_process_is_the_one_that_ran_at_a_time_after_its_start)
{
    pid_t pid = start_sleeper();
    uint64_t start = start_ns_of(pid);
    uint64_t now = kin__os_process_clock();
    CHECK(now >= start);
    CHECK(now < start + 60000000000);
    CHECK(!kin__os_process_is_gone((uint32_t)pid, start, 1));
    CHECK(!kin__os_process_is_gone((uint32_t)pid, now, 1));
    end(pid);
}

static void *stay(void *user)
{
    for (;;) {
        pause();
    }
    return user;
}

/* A process of which the first thread has ended and another one runs. */
static pid_t start_headless(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, stay, NULL);
        syscall(SYS_exit, 0);
    }
    char state = '?';
    while (state != 'Z') {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        FILE *stat = fopen(path, "re");
        REQUIRE(stat != NULL && fscanf(stat, "%*d (%*[^)]) %c", &state) == 1);
        fclose(stat);
        usleep(200);
    }
    return pid;
}

TEST(a_process_whose_first_thread_has_ended_is_not_gone)
{
    pid_t pid = start_headless();
    CHECK(!kin__os_process_is_gone((uint32_t)pid, 0, 1));
    end(pid);
}

#ifdef KIN_FAULTS

TEST(without_an_fd_to_be_had_the_proof_is_the_same)
{
    pid_t living = start_sleeper();
    pid_t headless = start_headless();
    pid_t dead = start_sleeper();
    kill(dead, SIGKILL);
    REQUIRE(kin__os_process_is_gone((uint32_t)dead, 0, INT64_MAX)); /* a zombie by now */
    kin__os_fail_at(1);
    CHECK(!kin__os_process_is_gone((uint32_t)living, 0, 1));
    kin__os_fail_at(1);
    CHECK(!kin__os_process_is_gone((uint32_t)headless, 0, 1));
    kin__os_fail_at(1);
    CHECK(kin__os_process_is_gone((uint32_t)dead, 0, 1));
    kin__os_fail_at(0);
    end(living);
    end(headless);
    waitpid(dead, NULL, 0);
}

#endif

TEST(with_no_fds_left_a_living_process_is_not_gone)
{
    pid_t pid = start_sleeper();
    uint64_t start = start_ns_of(pid);
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    int next = dup(0);
    close(next);
    struct rlimit few = {.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    int fd = -1;
    CHECK_EQUAL(kin__os_process_open((uint32_t)pid, &fd), -EMFILE);
    CHECK(!kin__os_process_is_gone((uint32_t)pid, start, 1));
    setrlimit(RLIMIT_NOFILE, &before);
    end(pid);
}

TEST(with_no_fds_left_a_child_and_its_threads_that_have_ended_are_gone)
{
    pid_t dead = start_sleeper();
    pid_t headless = start_headless();
    struct rlimit before;
    kill(dead, SIGKILL);
    REQUIRE(kin__os_process_is_gone((uint32_t)dead, 0, INT64_MAX)); /* a zombie by now */
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK(kin__os_process_is_gone((uint32_t)dead, 0, 1));
    CHECK(!kin__os_process_is_gone((uint32_t)headless, 0, 1));
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK_EQUAL(waitpid(dead, NULL, 0), dead); /* it still can be waited for */
    end(headless);
}

TEST(the_fd_of_a_process_becomes_readable_when_it_ends)
{
    pid_t pid = start_sleeper();
    int fd = -1;
    REQUIRE(kin__os_process_open((uint32_t)pid, &fd) == 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_EQUAL(kin__os_process_wait(fd, 1), -ETIMEDOUT);
    CHECK_EQUAL(kin__os_process_wait(fd, kin__os_now_ns() + 1000000), -ETIMEDOUT);
    CHECK_EQUAL(kin__os_process_signal(fd, SIGKILL), 0);
    CHECK_EQUAL(kin__os_process_wait(fd, INT64_MAX), 0);
    waitpid(pid, NULL, 0);
    CHECK_EQUAL(kin__os_process_signal(fd, SIGKILL), -ESRCH);
    kin__os_close(fd);
    CHECK_EQUAL(kin__os_process_open((uint32_t)pid, &fd), -ESRCH);
    CHECK_EQUAL(kin__os_signal((uint32_t)pid, 0), -ESRCH);
}

TEST(a_child_is_reaped_once_with_its_status_or_signal)
{
    int code = 99;
    pid_t pid = start_sleeper();
    CHECK_EQUAL(kin__os_process_reap((uint32_t)pid, &code), -EAGAIN);
    CHECK_EQUAL(code, 99);
    CHECK_EQUAL(kin__os_signal((uint32_t)pid, SIGKILL), 0);
    CHECK(kin__os_process_is_gone((uint32_t)pid, 0, INT64_MAX));
    CHECK_EQUAL(kin__os_process_reap((uint32_t)pid, &code), 0);
    CHECK_EQUAL(code, -SIGKILL);
    CHECK_EQUAL(kin__os_process_reap((uint32_t)pid, &code), -ECHILD);
    int child = kin__os_fork();
    if (child == 0) {
        kin__os_exit_now(3);
    }
    REQUIRE(child > 0);
    CHECK(kin__os_process_is_gone((uint32_t)child, 0, INT64_MAX));
    CHECK_EQUAL(kin__os_process_reap((uint32_t)child, &code), 0);
    CHECK_EQUAL(code, 3);
}

TEST(to_die_is_to_be_killed)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        kin__os_die();
    }
    waitpid(pid, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(the_name_of_a_program_does_not_confuse_the_start_time)
{
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, "a) Z 1 (b");
        REQUIRE(write(ready[1], "x", 1) == 1);
        for (;;) {
            pause();
        }
    }
    char byte;
    uint64_t before = start_ns_of(getpid());
    REQUIRE(read(ready[0], &byte, 1) == 1);
    CHECK(!kin__os_process_is_gone((uint32_t)pid, kin__os_process_clock(), 1));
    CHECK(kin__os_process_is_gone((uint32_t)pid, before - 1, 1));
    close(ready[0]);
    close(ready[1]);
    end(pid);
}

TEST(a_child_that_dies_with_its_parent_does)
{
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        uint32_t parent = kin__os_process_id();
        if (fork() == 0) {
            kin__os_die_with_parent(parent);
            REQUIRE(write(ends[1], "x", 1) == 1);
            for (;;) {
                pause();
            }
        }
        for (;;) {
            pause();
        }
    }
    char byte;
    close(ends[1]);
    REQUIRE(read(ends[0], &byte, 1) == 1); /* the grandchild is ready */
    kill(pid, SIGKILL);
    CHECK_EQUAL(read(ends[0], &byte, 1), 0); /* and has ended */
    close(ends[0]);
    waitpid(pid, NULL, 0);
}
