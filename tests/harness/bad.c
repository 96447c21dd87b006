/* Tests that must fail, one for each thing that the runner promises to see; harness_test.sh runs
   them and looks at the verdicts. Those named good_ must pass. */
#define _GNU_SOURCE
#include "harness/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(good_nothing)
{
    CHECK(true);
    CHECK_EQUAL(1 + 1, 2);
    CHECK_STRING("a", "a");
    CHECK_BYTES("ab", "ac", 1);
    REQUIRE(true);
}

TEST(good_file_in_own_folder)
{
    char path[128];
    snprintf(path, sizeof path, "%s/file", test_folder());
    FILE *file = fopen(path, "we");
    REQUIRE(file != NULL);
    fclose(file);
}

TEST(good_thread_joined_and_child_waited_for)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(3);
    }
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(WEXITSTATUS(status), 3);
}

/* The runner is also called by shells that ignore, or block, some for it. */
TEST(good_signals_are_as_in_a_new_process)
{
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < SIGSYS; number++) {
        struct sigaction action;
        CHECK(sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_IGN);
        CHECK(!sigismember(&blocked, number));
    }
}

/* The script makes a file in /dev/shm when it is asked to, as another program would. */
TEST(good_beside_a_file_in_shm_of_another_program)
{
    const char *asked = getenv("KIN_ASKED");
    const char *made = getenv("KIN_MADE");
    if (asked != NULL && made != NULL) {
        int fd = open(asked, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        CHECK(fd >= 0);
        close(fd);
        while (access(made, F_OK) != 0) {
            usleep(1000);
        }
    }
}

TEST(skipped_with_a_reason)
{
    test_skip("there is no moon");
}

TEST(bad_skip_after_check)
{
    CHECK(1 > 3);
    test_skip("there is no moon");
}

TEST(bad_check)
{
    CHECK(1 > 2);
}

TEST(bad_equal)
{
    CHECK_EQUAL(-1, 1);
}

TEST(bad_string)
{
    CHECK_STRING("a", "b");
}

TEST(bad_bytes)
{
    CHECK_BYTES("ab", "ac", 2);
}

TEST(bad_require)
{
    REQUIRE(false);
}

TEST(bad_in_child)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(false);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

TEST(bad_crash)
{
    raise(SIGSEGV);
}

TEST(bad_exit_status)
{
    exit(3);
}

TEST_WITH(bad_hang, .limit_seconds = 1)
{
    if (fork() == 0) { /* also this one must go */
        setsid();
        pause();
    }
    for (;;) {
        pause();
    }
}

TEST(bad_fd)
{
    CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

TEST(bad_closed_fd)
{
    close(0);
}

TEST(bad_zombie)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    siginfo_t child;
    waitid(P_PID, (id_t)pid, &child, WEXITED | WNOWAIT);
}

TEST(bad_child)
{
    if (fork() == 0) {
        pause();
    }
}

TEST(bad_orphan)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            setsid();
            pause();
        }
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void *sleep_forever(void *user)
{
    pause();
    return user;
}

TEST(bad_thread)
{
    pthread_t thread;
    CHECK_EQUAL(pthread_create(&thread, NULL, sleep_forever, NULL), 0);
    pthread_detach(thread);
}

TEST(bad_mapping)
{
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

TEST(bad_private_mapping_of_memfd)
{
    int fd = memfd_create("left", MFD_CLOEXEC);
    CHECK_EQUAL(ftruncate(fd, 4096), 0);
    CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
    close(fd);
}

static void leave_file(const char *folder)
{
    char path[64];
    snprintf(path, sizeof path, "%s/kin-left-XXXXXX", folder);
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
}

TEST(bad_file_in_shm)
{
    leave_file("/dev/shm");
}

TEST(bad_other_file_in_shm)
{
    char path[] = "/dev/shm/left-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
}

TEST(bad_file_in_tmp)
{
    leave_file("/tmp");
}

TEST(bad_temporary_file)
{
    leave_file(getenv("TMPDIR"));
}
