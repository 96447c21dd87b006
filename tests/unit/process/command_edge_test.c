/* Programs that do what is not expected of them, and calls that come at a bad moment. */
#define _GNU_SOURCE
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waits for the end of a program without a look at it. */
static void await_end(const kin_command *command)
{
    struct pollfd one = {.fd = kin_command_sentinel(command), .events = POLLIN};
    REQUIRE(poll(&one, 1, -1) == 1);
}

/* This program, where it is run as one that leaves its process group. */
__attribute__((constructor)) static void leave_group(void)
{
    if (getenv("TEST_LEAVES_ITS_GROUP") != NULL) {
        char done = setpgid(0, getpgid(getppid())) == 0 ? 'y' : 'n';
        done = write(STDOUT_FILENO, &done, 1) == 1 ? done : 'n';
        while (done == 'y') {
            pause();
        }
        _exit(1);
    }
}

TEST(a_program_that_has_left_its_group_is_ended_with_it)
{
    char done = 'n';
    kin_command *command = start(KIN_ARGV("/proc/self/exe"),
                                 COMMAND(.environment_changes = KIN_ARGV("TEST_LEAVES_ITS_GROUP=1"),
                                         .stdout_to = {.kind = KIN_STREAM_PIPE},
                                         .stops_group = true));
    REQUIRE(read(kin_command_stdout_fd(command), &done, 1) == 1 && done == 'y');
    CHECK_EQUAL(
        kin_command_stop(command, &(kin_stop){.terminate_ms = KIN_STOP_FOREVER}, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(command), -SIGTERM);
    kin_command_free(command);
}

TEST(what_a_program_wrote_is_there_also_if_its_end_was_seen_before_the_wait)
{
    kin_command *command = start(SCRIPT("echo out; echo err >&2; exit 3"),
                                 COMMAND(.stdout_to = CAPTURE, .stderr_to = CAPTURE));
    await_end(command);
    CHECK_EQUAL(exit_code_of(command), 3);
    CHECK_EQUAL(kin_command_output(command).size, 0);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), 0);
    CHECK_STRING(output_of(command), "out\n");
    CHECK_STRING(errors_of(command), "err\n");
    kin_command_free(command);
}

TEST(more_than_the_limit_is_refused_also_if_the_program_has_ended)
{
    kin_command *command = start(SCRIPT("printf 123456"),
                                 COMMAND(.stdout_to = CAPTURE, .output_bytes_max = 5));
    await_end(command);
    CHECK_EQUAL(exit_code_of(command), 0);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), KIN_ELIMIT);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), KIN_ELIMIT);
    CHECK_STRING(kin_command_output(command).data, "12345");
    CHECK_EQUAL(kin_command_output(command).size, 5);
    kin_command_free(command);
}

TEST(a_stop_leaves_the_caller_s_pipes_open)
{
    char text[8] = "";
    kin_command *command = start(SCRIPT("echo out; exec yes >&2"),
                                 COMMAND(.stdout_to = {.kind = KIN_STREAM_PIPE},
                                         .stderr_to = CAPTURE, .output_bytes_max = 10));
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), KIN_ELIMIT);
    CHECK_EQUAL(kin_command_stop(command, NULL, KIN_FOREVER), 0);
    REQUIRE(kin_command_stdout_fd(command) >= 0);
    CHECK_EQUAL(read(kin_command_stdout_fd(command), text, sizeof text), 4);
    kin_command_free(command);
}

TEST(errors_go_where_output_goes_also_if_that_is_closed)
{
    int before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    REQUIRE(before >= 10);
    close(STDOUT_FILENO);
    kin_command *command = NULL;
    int r = kin_command_run(
        SCRIPT("for n in 1 2; do test -e /proc/self/fd/$n && exit 1; done; exit 7"),
        COMMAND(.stderr_to = {.kind = KIN_STREAM_STDOUT}), KIN_FOREVER, &command);
    REQUIRE(dup2(before, STDOUT_FILENO) == STDOUT_FILENO);
    close(before);
    CHECK_EQUAL(r, 0);
    CHECK_EQUAL(exit_code_of(command), 7);
    kin_command_free(command);
}

TEST(a_call_that_is_refused_gives_a_command_to_free_all_the_same)
{
    static char untouched;
    int status = 0;
    kin_command *command = (kin_command *)(void *)&untouched;
    CHECK_EQUAL(kin_command_getoutput(NULL, KIN_FOREVER, &command), -EINVAL);
    REQUIRE(command != (kin_command *)(void *)&untouched);
    kin_command_free(command);
    command = (kin_command *)(void *)&untouched;
    CHECK_EQUAL(kin_command_getstatusoutput("exit 0", KIN_FOREVER, NULL, &command), -EINVAL);
    REQUIRE(command != (kin_command *)(void *)&untouched);
    kin_command_free(command);
    command = (kin_command *)(void *)&untouched;
    CHECK_EQUAL(kin_command_getstatusoutput(NULL, KIN_FOREVER, &status, &command), -EINVAL);
    REQUIRE(command != (kin_command *)(void *)&untouched);
    kin_command_free(command);
}

TEST(a_pipeline_that_is_refused_is_null)
{
    static char untouched;
    const kin_pipeline_part part = {.argv = KIN_ARGV("true")};
    kin_pipeline *pipeline = (kin_pipeline *)(void *)&untouched;
    CHECK_EQUAL(kin_pipeline_start(&part, 0, &pipeline), -EINVAL);
    CHECK(pipeline == NULL);
    pipeline = (kin_pipeline *)(void *)&untouched;
    CHECK_EQUAL(kin_pipeline_start(NULL, 1, &pipeline), -EINVAL);
    CHECK(pipeline == NULL);
    pipeline = (kin_pipeline *)(void *)&untouched;
    CHECK_EQUAL(
        kin_pipeline_run(&part, 1, &(kin_pipeline_options){.size = 1}, KIN_FOREVER, &pipeline),
        -EINVAL);
    CHECK(pipeline == NULL);
}

#ifndef __SANITIZE_THREAD__ /* which cannot fork beside threads */

enum { FORKS = 60 };

static _Atomic int forks_done;

static void *run_cats(void *user)
{
    while (forks_done < FORKS) {
        kin_command *command = run(KIN_ARGV("cat"),
                                   COMMAND(.input = TEXT("x"), .stdout_to = CAPTURE), 0);
        CHECK_STRING(output_of(command), "x");
        kin_command_free(command);
    }
    return user;
}

static void *run_pipelines(void *user)
{
    const kin_command_options from_text = {.size = sizeof from_text, .input = TEXT("x")};
    const kin_command_options to_memory = {.size = sizeof to_memory, .stdout_to = CAPTURE};
    const kin_pipeline_part parts[] = {
        {KIN_ARGV("cat"), &from_text}, {KIN_ARGV("cat"), NULL}, {KIN_ARGV("cat"), &to_memory}};
    while (forks_done < FORKS) {
        kin_pipeline *pipeline = NULL;
        CHECK_EQUAL(kin_pipeline_run(parts, 3, NULL, KIN_FOREVER, &pipeline), 0);
        CHECK_STRING(output_of(kin_pipeline_command(pipeline, 2)), "x");
        kin_pipeline_free(pipeline);
    }
    return user;
}

/* Forks beside a thread that starts programs, and waits for that thread while they live. */
static void fork_beside(void *(*run_programs)(void *))
{
    pid_t forked[FORKS];
    pthread_t thread;
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(pthread_create(&thread, NULL, run_programs, NULL) == 0);
    for (int i = 0; i < FORKS; i++) {
        forked[i] = fork();
        REQUIRE(forked[i] >= 0);
        while (forked[i] == 0) {
            pause();
        }
        sched_yield();
        forks_done++;
    }
    pthread_join(thread, NULL);
    for (int i = 0; i < FORKS; i++) {
        kill(forked[i], SIGKILL);
        waitpid(forked[i], NULL, 0);
    }
    kin_fini();
}

TEST_WITH(a_process_that_is_forked_during_a_start_keeps_no_pipe_of_it_open, .limit_seconds = 60)
{
    fork_beside(run_cats);
}

TEST_WITH(nor_does_it_of_a_pipeline, .limit_seconds = 60)
{
    fork_beside(run_pipelines);
}

#endif
