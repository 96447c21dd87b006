#define _GNU_SOURCE
#include "os/spawn.h"

#include "os/fault.h"
#include "os/memory.h"
#include "os/process.h"

#include "harness/test.h"
#include "unit/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static const int streams[] = {0, 1, 2};

static struct kin__os_spawn shell(char *const *argv)
{
    return (struct kin__os_spawn){.path = "/bin/sh", .argv = argv, .fds = streams, .fd_count = 3};
}

/* argv of a shell with a script. */
#define SCRIPT(text) ((char *[]){"sh", "-c", (text), NULL})

static int start(const struct kin__os_spawn *spawn, struct kin__os_child *ret_child)
{
    enum kin__os_spawn_stage stage = KIN__OS_SPAWN_START;
    int r = kin__os_spawn(spawn, ret_child, &stage);
    CHECK_EQUAL(stage, KIN__OS_SPAWN_START);
    return r;
}

static int join(const struct kin__os_child *child)
{
    int code = 99;
    CHECK_EQUAL(kin__os_process_wait(child->fd, INT64_MAX), 0);
    CHECK_EQUAL(kin__os_process_reap(child->pid, &code), 0);
    kin__os_close(child->fd);
    return code;
}

/* The exit code of the program, or what the start said. */
static int run(const struct kin__os_spawn *spawn)
{
    struct kin__os_child child;
    int r = start(spawn, &child);
    return r < 0 ? r : join(&child);
}

/* What the program writes to its standard output. */
static const char *output_of(struct kin__os_spawn spawn, char *text, size_t bytes)
{
    int ends[2];
    int fds[3] = {0, -1, 2};
    struct kin__os_child child;
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    fds[1] = ends[1];
    spawn.fds = fds;
    spawn.fd_count = 3;
    int r = start(&spawn, &child);
    close(ends[1]);
    size_t used = 0;
    if (r == 0) {
        ssize_t got = 0;
        while ((got = read(ends[0], text + used, bytes - 1 - used)) > 0) {
            used += (size_t)got;
        }
        CHECK_EQUAL(join(&child), 0);
    }
    CHECK_EQUAL(r, 0);
    close(ends[0]);
    text[used] = '\0';
    return text;
}

/* A start must fail, in a stage, and leave nothing. */
static void check_failure(const struct kin__os_spawn *spawn, enum kin__os_spawn_stage stage,
                          int code)
{
    struct kin__os_child child = {.pid = 4711, .fd = 4711};
    enum kin__os_spawn_stage failed = KIN__OS_SPAWN_STAGE_COUNT;
    CHECK_EQUAL(kin__os_spawn(spawn, &child, &failed), code);
    CHECK_EQUAL(failed, stage);
    CHECK_EQUAL(child.pid, 4711);
    CHECK_EQUAL(child.fd, 4711);
    CHECK_EQUAL(waitpid(-1, NULL, WNOHANG), -1); /* no child */
}

TEST(a_program_runs_and_its_exit_status_is_read)
{
    struct kin__os_spawn spawn = shell(SCRIPT("exit 7"));
    CHECK_EQUAL(run(&spawn), 7);
    spawn = shell(SCRIPT("kill -9 $$"));
    CHECK_EQUAL(run(&spawn), -9);
}

TEST(the_fd_of_a_child_is_its_and_close_on_exec)
{
    struct kin__os_child child;
    struct kin__os_spawn spawn = shell(SCRIPT("read line"));
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const int fds[] = {ends[0], 1, 2};
    spawn.fds = fds;
    REQUIRE(start(&spawn, &child) == 0);
    CHECK(fcntl(child.fd, F_GETFD) & FD_CLOEXEC);
    CHECK_EQUAL(kin__os_process_wait(child.fd, 1), -ETIMEDOUT);
    CHECK_EQUAL(kin__os_process_signal(child.fd, SIGKILL), 0);
    CHECK_EQUAL(join(&child), -SIGKILL);
    close(ends[0]);
    close(ends[1]);
}

TEST(a_program_without_a_slash_is_looked_for_in_the_path_of_its_environment)
{
    char *const nowhere[] = {"PATH=/nonexistent::/etc/passwd", NULL};
    char *const somewhere[] = {"A=b", "PATH=/nonexistent:/etc/passwd:/usr/bin:/bin", NULL};
    char *const nothing[] = {NULL};
    struct kin__os_spawn spawn = shell(SCRIPT("exit 3"));
    spawn.path = "sh";
    check_failure(&spawn, KIN__OS_SPAWN_EXEC, -ENOENT);
    spawn.searches = true;
    CHECK_EQUAL(run(&spawn), 3);
    spawn.envp = somewhere;
    CHECK_EQUAL(run(&spawn), 3);
    spawn.envp = nothing; /* a default */
    CHECK_EQUAL(run(&spawn), 3);
    spawn.envp = nowhere;
    check_failure(&spawn, KIN__OS_SPAWN_EXEC, -ENOENT);
    spawn.cwd = "/bin"; /* the empty entry */
    CHECK_EQUAL(run(&spawn), 3);
}

TEST(folders_of_the_path_that_cannot_be_looked_into_are_passed_over)
{
    char folder[512];
    char path[6000];
    char *const environment[] = {path, NULL};
    struct kin__os_spawn spawn = shell(SCRIPT("exit 3"));
    snprintf(folder, sizeof folder, "%s/loop", test_folder());
    REQUIRE(symlink(folder, folder) == 0);
    snprintf(path, sizeof path, "PATH=%s:/%05000d:/usr/bin:/bin", folder, 0);
    spawn.path = "sh";
    spawn.searches = true;
    spawn.envp = environment;
    CHECK_EQUAL(run(&spawn), 3);
}

TEST(the_fd_of_a_child_takes_no_place_of_a_standard_stream)
{
    struct kin__os_child child;
    enum kin__os_spawn_stage stage;
    const int keep[] = {KIN__OS_SPAWN_KEEP, KIN__OS_SPAWN_KEEP, KIN__OS_SPAWN_KEEP};
    struct kin__os_spawn spawn = shell(SCRIPT("exit 3"));
    spawn.fds = keep;
    spawn.fd_count = 3;
    int before = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    close(STDIN_FILENO);
    REQUIRE(kin__os_spawn(&spawn, &child, &stage) == 0);
    CHECK(child.fd > STDERR_FILENO);
    CHECK(fcntl(child.fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(STDIN_FILENO, F_GETFD) < 0);
    dup2(before, STDIN_FILENO);
    close(before);
    CHECK_EQUAL(join(&child), 3);
}

TEST(the_environment_is_the_given_one_or_this_process_s)
{
    char text[4096];
    char *const environment[] = {"A=1", "B=2 3", NULL};
    char *argv[] = {"env", NULL};
    struct kin__os_spawn spawn = {.path = "/usr/bin/env", .argv = argv, .envp = environment};
    CHECK_STRING(output_of(spawn, text, sizeof text), "A=1\nB=2 3\n");
    setenv("KIN_TEST_OF_SPAWN", "x", 1);
    CHECK_STRING(output_of(shell(SCRIPT("echo $KIN_TEST_OF_SPAWN")), text, sizeof text), "x\n");
}

TEST(a_program_that_cannot_run_says_why)
{
    char path[512];
    struct kin__os_spawn spawn = shell(SCRIPT("exit 0"));
    spawn.path = "/nonexistent";
    check_failure(&spawn, KIN__OS_SPAWN_EXEC, -ENOENT);
    spawn.path = "";
    check_failure(&spawn, KIN__OS_SPAWN_EXEC, -ENOENT);
    spawn.searches = true;
    check_failure(&spawn, KIN__OS_SPAWN_EXEC, -ENOENT);
    spawn.path = "/etc";
    check_failure(&spawn, KIN__OS_SPAWN_EXEC, -EACCES);
    spawn.path = "/dev/null/sh"; /* not looked for, as it has a '/' */
    check_failure(&spawn, KIN__OS_SPAWN_EXEC, -ENOTDIR);
    snprintf(path, sizeof path, "%s/script", test_folder());
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    REQUIRE(write(fd, "exit 0\n", 7) == 7);
    close(fd);
    spawn.path = path;
    check_failure(&spawn, KIN__OS_SPAWN_EXEC, -ENOEXEC); /* no shell, unless asked for */
    chmod(path, 0644);
    check_failure(&spawn, KIN__OS_SPAWN_EXEC, -EACCES);
}

TEST(a_file_of_the_path_that_may_not_be_executed_is_told_from_one_that_is_not_there)
{
    char environment[600];
    char path[512];
    snprintf(path, sizeof path, "%s/script", test_folder());
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    snprintf(environment, sizeof environment, "PATH=%s:/nonexistent", test_folder());
    char *const envp[] = {environment, NULL};
    char *argv[] = {"script", NULL};
    struct kin__os_spawn spawn = {.path = "script", .argv = argv, .searches = true, .envp = envp};
    check_failure(&spawn, KIN__OS_SPAWN_EXEC, -EACCES);
}

/* A file whose whole content is a digit, so that one can tell who has it. */
static int file_of(int digit)
{
    char path[512];
    char text = (char)('0' + digit);
    snprintf(path, sizeof path, "%s/%d", test_folder(), digit);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0 && pwrite(fd, &text, 1, 0) == 1);
    return fd;
}

/* What the child has at 0 to 4: the digit of a file, or "-" for closed. What its loader opens there
 * for a moment does not count. */
static void check_fds(const int *fds, const char *expected)
{
    char text[6] = "-----";
    char *argv[] = {"sleep", "100", NULL};
    struct kin__os_child child;
    struct kin__os_spawn spawn = {.path = "/bin/sleep", .argv = argv, .fds = fds, .fd_count = 5};
    REQUIRE(start(&spawn, &child) == 0);
    for (int i = 0; i < 5; i++) {
        char path[64];
        char target[512];
        snprintf(path, sizeof path, "/proc/%u/fd/%d", child.pid, i);
        ssize_t bytes = readlink(path, target, sizeof target);
        if (bytes > 0 && strncmp(target, test_folder(), strlen(test_folder())) == 0) {
            text[i] = target[bytes - 1];
        }
    }
    kill((pid_t)child.pid, SIGKILL);
    CHECK_EQUAL(join(&child), -SIGKILL);
    CHECK_STRING(text, expected);
}

/* Makes fds 0 to 4 of this process the files of their digits, in a child: the test's own are as
 * they were. */
static void with_digits(void (*body)(void))
{
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < 5; i++) {
            int fd = file_of(i);
            int far = fcntl(fd, F_DUPFD_CLOEXEC, 30 + i);
            close(fd);
            REQUIRE(far == 30 + i);
        }
        for (int i = 0; i < 5; i++) {
            if (i != 2) {
                REQUIRE(dup3(30 + i, i, O_CLOEXEC) == i);
            }
        }
        body();
        _exit(0);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    CHECK_EQUAL(status, 0);
}

static void every_order_of_fds(void)
{
    /* 32 is the file 2; fd 2 itself stays, for what a failure says. All mappings of the others. */
    static const int choices[] = {0, 1, 3, 4, 32, -1};
    for (int i = 0; i < 6 * 6 * 6; i++) {
        int a = choices[i % 6];
        int b = choices[i / 6 % 6];
        int c = choices[i / 36 % 6];
        int fds[5] = {a, b, 32, c, 0};
        char expected[6] = "01234";
        for (int k = 0; k < 5; k++) {
            expected[k] = (char)(fds[k] < 0 ? '-' : '0' + fds[k] % 30);
        }
        check_fds(fds, expected);
    }
    check_fds((int[]){1, 3, 32, 4, 0}, "13240");
    check_fds((int[]){4, 0, 32, 1, 3}, "40213");
    check_fds((int[]){-2, -2, 32, 0, 1}, "01201");
    check_fds((int[]){34, 34, 34, 34, 34}, "44444");
}

TEST_WITH(fds_land_where_they_are_wanted_in_any_order, .limit_seconds = 60)
{
    with_digits(every_order_of_fds);
}

TEST(all_other_fds_are_closed)
{
    char text[256];
    int other = open("/dev/null", O_RDONLY); /* not close-on-exec: somebody else's mistake */
    REQUIRE(dup2(other, 900) == 900);
    CHECK_STRING(output_of(shell(SCRIPT("cd /proc/self/fd && echo *")), text, sizeof text),
                 "0 1 2 3\n"); /* 3 is the shell's, of the folder */
    close(other);
    close(900);
}

TEST(what_is_kept_may_be_closed_and_what_is_given_may_not)
{
    pid_t pid = fork();
    if (pid == 0) {
        close(0);
        const int kept[] = {KIN__OS_SPAWN_KEEP, 1, 2};
        const int wrong[] = {0, 1, 2};
        const int far[] = {1, 1, 2, 800};
        struct kin__os_spawn spawn = shell(SCRIPT("[ ! -e /proc/$$/fd/0 ] && exit 4"));
        spawn.fds = kept;
        CHECK_EQUAL(run(&spawn), 4);
        spawn.fds = wrong;
        check_failure(&spawn, KIN__OS_SPAWN_FDS, -EBADF);
        spawn.fds = far;
        spawn.fd_count = 4;
        check_failure(&spawn, KIN__OS_SPAWN_FDS, -EBADF);
        _exit(0);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    CHECK_EQUAL(status, 0);
}

TEST(fds_that_cannot_be_moved_aside_are_too_many)
{
    struct rlimit before;
    struct kin__os_spawn spawn = shell(SCRIPT("exit 0"));
    const int swapped[] = {1, 0, 2, 3};
    REQUIRE(dup2(0, 3) == 3);
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit few = {.rlim_cur = 4, .rlim_max = before.rlim_max};
    spawn.fds = swapped;
    spawn.fd_count = 4;
    refuse(SYS_clone3, ENOSYS);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    check_failure(&spawn, KIN__OS_SPAWN_START, -EMFILE); /* the fd of the child */
    setrlimit(RLIMIT_NOFILE, &before);
    few.rlim_cur = 5;
    setrlimit(RLIMIT_NOFILE, &few);
    close(4);
    spawn.fd_count = 5;
    const int cycle[] = {1, 2, 3, 0, 0};
    spawn.fds = cycle;
    check_failure(&spawn, KIN__OS_SPAWN_FDS, -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    close(3);
}

TEST(session_group_umask_folder_and_limits_are_the_child_s)
{
    char text[256];
    static const struct kin__os_limit limits[] = {{RLIMIT_NOFILE, 33, 44}, {RLIMIT_CORE, 0, 0}};
    struct kin__os_spawn spawn = shell(SCRIPT("umask; pwd; ulimit -Sn; ulimit -Hn; ulimit -c"));
    spawn.has_umask = true;
    spawn.umask = 027;
    spawn.cwd = "/proc";
    spawn.limits = limits;
    spawn.limit_count = 2;
    mode_t mask = umask(022);
    CHECK_STRING(output_of(spawn, text, sizeof text), "0027\n/proc\n33\n44\n0\n");
    CHECK_EQUAL(umask(mask), 022);

    struct kin__os_child child;
    spawn = shell(SCRIPT("sleep 100"));
    spawn.has_session = true;
    REQUIRE(start(&spawn, &child) == 0);
    CHECK_EQUAL(getsid((pid_t)child.pid), child.pid);
    CHECK_EQUAL(getpgid((pid_t)child.pid), child.pid);
    kill(-(pid_t)child.pid, SIGKILL);
    CHECK_EQUAL(join(&child), -SIGKILL);
    spawn.has_session = false;
    spawn.has_group = true;
    REQUIRE(start(&spawn, &child) == 0);
    CHECK_EQUAL(getsid((pid_t)child.pid), getsid(0));
    CHECK_EQUAL(getpgid((pid_t)child.pid), child.pid);
    kill(-(pid_t)child.pid, SIGKILL);
    CHECK_EQUAL(join(&child), -SIGKILL);
}

TEST(each_stage_that_fails_says_so)
{
    static const struct kin__os_limit limit = {.resource = 99};
    struct kin__os_spawn spawn = shell(SCRIPT("exit 0"));
    spawn.cwd = "/nonexistent";
    check_failure(&spawn, KIN__OS_SPAWN_CWD, -ENOENT);
    spawn.cwd = "/etc/passwd";
    check_failure(&spawn, KIN__OS_SPAWN_CWD, -ENOTDIR);
    spawn.limits = &limit;
    spawn.limit_count = 1;
    check_failure(&spawn, KIN__OS_SPAWN_LIMITS, -EINVAL);
    spawn.has_group = true;
    spawn.group = 1;
    check_failure(&spawn, KIN__OS_SPAWN_PROCESS_GROUP, -EPERM);
}

TEST(a_session_that_cannot_be_made_is_a_failure)
{
    struct kin__os_spawn spawn = shell(SCRIPT("exit 0"));
    spawn.has_session = true;
    refuse(SYS_setsid, EPERM);
    check_failure(&spawn, KIN__OS_SPAWN_SESSION, -EPERM);
}

TEST(a_user_that_may_not_be_become_is_a_failure)
{
    static const uint32_t groups[] = {1, 2};
    if (geteuid() == 0) {
        REQUIRE(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
    }
    struct kin__os_spawn spawn = shell(SCRIPT("exit 0"));
    spawn.has_uid = true;
    check_failure(&spawn, KIN__OS_SPAWN_UID, -EPERM);
    spawn.has_gid = true;
    check_failure(&spawn, KIN__OS_SPAWN_GID, -EPERM);
    spawn.has_groups = true;
    spawn.groups = groups;
    spawn.group_count = 2;
    check_failure(&spawn, KIN__OS_SPAWN_GROUPS, -EPERM);
}

TEST(a_child_becomes_another_user)
{
    static const uint32_t groups[] = {5, 7};
    char text[256];
    if (geteuid() != 0) {
        return; /* only root may */
    }
    struct kin__os_spawn spawn = shell(SCRIPT("id -u; id -g; id -G; umask"));
    spawn.has_uid = spawn.has_gid = spawn.has_groups = spawn.has_umask = true;
    spawn.uid = NOBODY;
    spawn.gid = 12;
    spawn.groups = groups;
    spawn.group_count = 2;
    spawn.umask = 07;
    CHECK_STRING(output_of(spawn, text, sizeof text), "65534\n12\n12 5 7\n0007\n");
    spawn.group_count = 0;
    CHECK_STRING(output_of(spawn, text, sizeof text), "65534\n12\n12\n0007\n");
    CHECK_EQUAL(geteuid(), 0);
    CHECK_EQUAL(prctl(PR_GET_DUMPABLE), 1); /* as it was: the memory was never another user's */
    spawn.cwd = "/nonexistent";             /* reported from a child that shares no memory */
    check_failure(&spawn, KIN__OS_SPAWN_CWD, -ENOENT);
}

static _Atomic int handled;

static void handle(int number)
{
    (void)number;
    handled++;
}

/* "SigBlk", "SigIgn" or "SigCgt" of the child. */
static unsigned long long signals_of(const char *line)
{
    char text[2048];
    char *argv[] = {"cat", "/proc/self/status", NULL};
    struct kin__os_spawn spawn = {.path = "/bin/cat", .argv = argv};
    output_of(spawn, text, sizeof text);
    const char *at = strstr(text, line);
    REQUIRE(at != NULL);
    return strtoull(at + strlen(line) + 1, NULL, 16);
}

static void check_signals(void)
{
    sigset_t some;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, handle);
    signal(SIGRTMIN + 3, handle);
    sigemptyset(&some);
    sigaddset(&some, SIGUSR2);
    sigaddset(&some, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &some, NULL);
    CHECK_EQUAL(signals_of("SigBlk:"), 0);
    CHECK_EQUAL(signals_of("SigIgn:") & 1u << (SIGHUP - 1), 1u << (SIGHUP - 1));
    CHECK_EQUAL(signals_of("SigIgn:") & (1u << (SIGPIPE - 1) | 1ull << (SIGXFSZ - 1)), 0);
    CHECK_EQUAL(signals_of("SigCgt:"), 0);
    sigset_t now;
    pthread_sigmask(SIG_BLOCK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR2) && sigismember(&now, SIGTERM) && !sigismember(&now, SIGUSR1));
    raise(SIGUSR1);
    CHECK_EQUAL(handled, 1);
    CHECK(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
}

TEST(no_signal_is_blocked_or_caught_in_the_child_and_this_process_stays_as_it_is)
{
    check_signals();
}

TEST(kernels_without_clone3_do_the_same)
{
    refuse(SYS_clone3, ENOSYS);
    check_signals();
}

TEST(kernels_without_close_range_do_the_same)
{
    char text[256];
    for (int i = 100; i < 400; i++) { /* more than one read of the folder */
        REQUIRE(dup2(0, i) == i);
    }
    refuse(SYS_close_range, ENOSYS);
    CHECK_STRING(output_of(shell(SCRIPT("cd /proc/self/fd && echo *")), text, sizeof text),
                 "0 1 2 3\n");
    for (int i = 100; i < 400; i++) {
        close(i);
    }
    pid_t pid = fork();
    if (pid == 0) {
        struct kin__os_spawn spawn = shell(SCRIPT("exit 0"));
        refuse(SYS_getdents64, EIO);
        check_failure(&spawn, KIN__OS_SPAWN_CLOSE, -EIO);
        _exit(0);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    CHECK_EQUAL(status, 0);
}

TEST(a_lack_of_processes_is_an_error_after_some_tries)
{
    struct kin__os_spawn spawn = shell(SCRIPT("exit 0"));
    refuse(SYS_clone3, EAGAIN);
    check_failure(&spawn, KIN__OS_SPAWN_START, -EAGAIN);
}

TEST(without_an_fd_left_no_child_is_made)
{
    struct rlimit before;
    struct kin__os_spawn spawn = shell(SCRIPT("exit 0"));
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit few = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    check_failure(&spawn, KIN__OS_SPAWN_START, -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
}

TEST(where_children_are_not_waited_for_a_failure_is_still_told)
{
    struct kin__os_spawn spawn = shell(SCRIPT("exit 0"));
    signal(SIGCHLD, SIG_IGN);
    spawn.cwd = "/nonexistent";
    check_failure(&spawn, KIN__OS_SPAWN_CWD, -ENOENT);
    struct kin__os_child child;
    int code = 99;
    spawn.cwd = NULL;
    REQUIRE(start(&spawn, &child) == 0);
    CHECK_EQUAL(kin__os_process_wait(child.fd, INT64_MAX), 0);
    CHECK_EQUAL(kin__os_process_reap(child.pid, &code), -ECHILD);
    kin__os_close(child.fd);
}

static void *start_many(void *user)
{
    for (int i = 0; i < 50; i++) {
        struct kin__os_spawn spawn = shell(SCRIPT("exit 5"));
        spawn.cwd = i % 5 == 0 ? "/nonexistent" : NULL;
        struct kin__os_child child;
        enum kin__os_spawn_stage stage = KIN__OS_SPAWN_START;
        int r = kin__os_spawn(&spawn, &child, &stage);
        CHECK_EQUAL(r, i % 5 == 0 ? -ENOENT : 0);
        if (r == 0) {
            CHECK_EQUAL(join(&child), 5);
        }
    }
    return user;
}

TEST_WITH(many_threads_start_programs_at_once, .limit_seconds = 60)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, start_many, NULL) == 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

#ifdef KIN_FAULTS

TEST(a_refused_start_leaves_nothing)
{
    struct kin__os_spawn spawn = shell(SCRIPT("exit 0"));
    kin__os_fail_at(1);
    check_failure(&spawn, KIN__OS_SPAWN_START, -EMFILE);
    kin__os_fail_at(0);
}

#endif
