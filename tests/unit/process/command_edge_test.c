/* Programs that do what is not expected of them, and calls that come at a bad moment. */
#define _GNU_SOURCE
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
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
                                         .stdout_to = {KIN_STREAM_PIPE}, .stops_group = true));
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
    kin_command *command = start(
        SCRIPT("echo out; exec yes >&2"),
        COMMAND(.stdout_to = {KIN_STREAM_PIPE}, .stderr_to = CAPTURE, .output_bytes_max = 10));
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), KIN_ELIMIT);
    CHECK_EQUAL(kin_command_stop(command, NULL, KIN_FOREVER), 0);
    REQUIRE(kin_command_stdout_fd(command) >= 0);
    CHECK_EQUAL(read(kin_command_stdout_fd(command), text, sizeof text), 4);
    kin_command_free(command);
}
