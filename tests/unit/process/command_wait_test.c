/* Waiting for programs: time limits, stop sequences, many at once, forks, what is left behind. */
#define _GNU_SOURCE
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A program that has written `text`, and waits for its standard input, a pipe of this process. */
static kin_command *start_writer(const char *script, const char *text,
                                 const kin_command_options *options)
{
    kin_command *command = start(SCRIPT(script), options);
    while (strcmp(output_of(command), text) != 0) {
        int r = kin_command_wait(command, kin_within_ms(1));
        REQUIRE(r == -ETIMEDOUT);
    }
    return command;
}

TEST(a_program_that_is_not_done_in_time_is_killed_and_its_output_kept)
{
    kin_command *command = NULL;
    CHECK_EQUAL(kin_command_run(SCRIPT("echo early; echo why >&2; exec sleep 100"),
                                COMMAND(.stdout_to = CAPTURE, .stderr_to = CAPTURE),
                                kin_within_ms(300), &command),
                -ETIMEDOUT);
    CHECK_EQUAL(exit_code_of(command), -SIGKILL);
    kin_error *error = kin_command_error(command);
    CHECK_EQUAL(kin_error_code(error), -ETIMEDOUT);
    kin_error_free(error);
    kin_command_free(command);
    CHECK_EQUAL(kin_command_run(KIN_ARGV("sleep", "100"), NULL, KIN_NOW, &command), -EAGAIN);
    CHECK_EQUAL(exit_code_of(command), -SIGKILL);
    error = kin_command_error(command);
    CHECK_EQUAL(kin_error_code(error), -EAGAIN);
    kin_error_free(error);
    kin_command_free(command);
}

TEST(partial_output_is_kept_when_a_program_is_stopped)
{
    kin_command *command = start_writer(
        "echo first; read line", "first\n",
        COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE}, .stdout_to = CAPTURE));
    CHECK_EQUAL(kin_command_stop(command, NULL, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(command), -SIGKILL);
    CHECK_STRING(output_of(command), "first\n");
    CHECK_EQUAL(kin_command_stop(command, NULL, KIN_FOREVER), 0); /* it has ended */
    CHECK_EQUAL(kin_command_kill(command), 0);
    kin_command_free(command);
}

TEST(communicate_goes_on_after_a_timeout_and_loses_nothing)
{
    size_t bytes = 300000;
    char *text = malloc(bytes);
    REQUIRE(text != NULL);
    for (size_t i = 0; i < bytes; i++) {
        text[i] = (char)('a' + i % 26);
    }
    /* It reads a byte, and the rest only when it is told to. */
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    kin_command *command = start(
        SCRIPT("head -c 1; echo; read line <&3; cat; echo end"),
        COMMAND(.input = {text, bytes}, .stdout_to = CAPTURE, .fds = &ends[0], .fd_count = 1));
    while (kin_command_output(command).size < 2) {
        REQUIRE(kin_command_communicate(command, kin_within_ms(5)) == -ETIMEDOUT);
    }
    CHECK_EQUAL(kin_command_communicate(command, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_command_communicate(command, kin_within_ms(1)), -ETIMEDOUT);
    CHECK_EQUAL(write(ends[1], "\n", 1), 1);
    int r = -ETIMEDOUT;
    while (r == -ETIMEDOUT) { /* as often as it takes */
        r = kin_command_communicate(command, kin_within_ms(1));
    }
    CHECK_EQUAL(r, 0);
    kin_bytes output = kin_command_output(command);
    const char *data = output.data;
    REQUIRE(output.size > 6 && output.size <= bytes + 5);
    CHECK_BYTES(data, "a\n", 2);
    /* head read some more than it wrote; what came then is the end of the input, unbroken. */
    size_t rest = output.size - 6;
    CHECK_BYTES(data + 2, text + bytes - rest, rest);
    CHECK_BYTES(data + 2 + rest, "end\n", 4);
    CHECK(kin_command_error(command) == NULL);
    kin_command_free(command);
    close(ends[0]);
    close(ends[1]);
    free(text);
}

TEST(a_stop_sequence_asks_before_it_kills)
{
    static const kin_stop asking = {.terminate_ms = KIN_STOP_FOREVER};
    static const kin_stop both = {.wait_ms = 1, .terminate_ms = 1, .kill_ms = KIN_STOP_FOREVER};
    static const kin_stop too_soft = {.wait_ms = 1, .terminate_ms = 1};
    const kin_command_options options = {
        .size = sizeof options, .stdin_from = {.kind = KIN_STREAM_PIPE}, .stdout_to = CAPTURE};
    kin_command *command = start_writer("trap 'echo bye; exit 6' TERM; echo on; read line; read x",
                                        "on\n", &options);
    CHECK_EQUAL(kin_command_stop(command, &asking, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(command), 6);
    CHECK_STRING(output_of(command), "on\nbye\n");
    kin_command_free(command);

    command = start_writer("trap '' TERM; echo on; read line", "on\n", &options);
    CHECK_EQUAL(kin_command_stop(command, &too_soft, KIN_FOREVER), -ETIMEDOUT);
    CHECK_EQUAL(kin_command_poll(command, NULL), -EAGAIN);
    CHECK_EQUAL(kin_command_stop(command, &asking, kin_within_ms(1)), -ETIMEDOUT);
    CHECK_EQUAL(kin_command_stop(command, &asking, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_command_stop(command, &asking, (kin_timeout){0}), -EINVAL);
    CHECK_EQUAL(kin_command_stop(command, &both, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(command), -SIGKILL);
    kin_command_free(command);
}

TEST(a_program_that_is_freed_is_ended_as_its_options_say)
{
    int ends[2];
    char text[16] = "";
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    kin_command *command = start(SCRIPT("trap 'echo told; exit' TERM; echo on; read x; read y"),
                                 COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE},
                                         .stdout_to = {KIN_STREAM_FD, ends[1]},
                                         .stop = {.terminate_ms = KIN_STOP_FOREVER}));
    CHECK_EQUAL(read(ends[0], text, 3), 3);
    kin_command_free(command);
    CHECK_EQUAL(read(ends[0], text, sizeof text), 5);
    CHECK_BYTES(text, "told\n", 5);
    command = start(SCRIPT("trap '' TERM; echo on; read x"),
                    COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE},
                            .stdout_to = {KIN_STREAM_FD, ends[1]},
                            .stop = {.terminate_ms = 1})); /* is killed all the same */
    CHECK_EQUAL(read(ends[0], text, 3), 3);
    kin_command_free(command);
    close(ends[0]);
    close(ends[1]);
}

TEST(what_a_program_has_started_is_stopped_with_its_group)
{
    char text[16] = "";
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    /* One that goes on when the first has ended, and holds the pipe. */
    kin_command *command = start(
        SCRIPT("sh -c 'trap \"\" TERM; echo on; sleep 100' & read x; exit 3"),
        COMMAND(.input = TEXT("go\n"), .stdout_to = {KIN_STREAM_FD, ends[1]}, .stops_group = true));
    close(ends[1]);
    CHECK_EQUAL(read(ends[0], text, 3), 3);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(command), 3);
    CHECK_EQUAL(kin_command_stop(command, NULL, KIN_FOREVER), 0);
    CHECK_EQUAL(read(ends[0], text, sizeof text), 0); /* it is gone */
    CHECK_EQUAL(exit_code_of(command), 3);
    kin_command_free(command);
    close(ends[0]);
}

TEST(a_time_limit_ends_the_whole_group)
{
    kin_command *command = NULL;
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* to see that they have ended */
    CHECK_EQUAL(kin_command_run(SCRIPT("sleep 100 & sleep 100 & echo on; exit 0"),
                                COMMAND(.stdout_to = CAPTURE, .stops_group = true),
                                kin_within_ms(200), &command),
                -ETIMEDOUT);
    kin_command_free(command);
    int status = 0;
    while (waitpid(-1, &status, 0) > 0) {
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
}

TEST(wait_returns_when_the_program_has_ended_and_communicate_when_its_output_has)
{
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    kin_command *command = start(SCRIPT("(read x <&3; echo late) & echo early"),
                                 COMMAND(.stdout_to = CAPTURE, .fds = &ends[0], .fd_count = 1));
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), 0);
    CHECK_STRING(output_of(command), "early\n");
    CHECK_EQUAL(kin_command_communicate(command, kin_within_ms(1)), -ETIMEDOUT);
    CHECK_EQUAL(write(ends[1], "\n", 1), 1);
    CHECK_EQUAL(kin_command_communicate(command, KIN_FOREVER), 0);
    CHECK_STRING(output_of(command), "early\nlate\n");
    kin_command_free(command);
    while (waitpid(-1, NULL, 0) > 0) {
    }
    close(ends[0]);
    close(ends[1]);
}

TEST(a_token_ends_the_wait_and_the_program_goes_on)
{
    kin_cancel *cancel = NULL;
    CHECK_EQUAL(kin_init(NULL, NULL), 0);
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin_command *command = start(
        SCRIPT("read x; echo $x"),
        COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE}, .stdout_to = CAPTURE));
    CHECK_EQUAL(kin_command_wait(command, kin_by(kin_now_ns() + 1000000, cancel)), -ETIMEDOUT);
    kin_cancel_request(cancel);
    CHECK_EQUAL(kin_command_wait(command, kin_by(INT64_MAX, cancel)), -ECANCELED);
    CHECK_EQUAL(write(kin_command_stdin_fd(command), "on\n", 3), 3);
    CHECK_EQUAL(kin_command_communicate(command, KIN_FOREVER), 0);
    CHECK_STRING(output_of(command), "on\n");
    kin_command_free(command);
    CHECK_EQUAL(kin_command_run(KIN_ARGV("true"), NULL, kin_by(INT64_MAX, cancel), &command),
                -ECANCELED); /* was not started */
    CHECK_EQUAL(kin_command_pid(command), 0);
    kin_command_free(command);
    kin_cancel_free(cancel);
    kin_fini();
}

TEST(the_end_of_a_program_can_be_waited_for_among_others)
{
    CHECK_EQUAL(kin_init(NULL, NULL), 0);
    kin_command *command = start(SCRIPT("read x"),
                                 COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE}));
    kin_wait_item item = kin_wait_for_read(kin_command_sentinel(command));
    CHECK_EQUAL(kin_wait_many(&item, 1, kin_within_ms(1)), -ETIMEDOUT);
    CHECK_EQUAL(kin_command_close_stdin(command), 0);
    CHECK_EQUAL(kin_wait_many(&item, 1, KIN_FOREVER), 1);
    CHECK_EQUAL(exit_code_of(command), 1);
    kin_command_free(command);
    kin_fini();
}

TEST(more_than_the_limit_of_output_is_refused_and_the_rest_kept)
{
    kin_command *command = run(
        SCRIPT("yes"), COMMAND(.stdout_to = CAPTURE, .output_bytes_max = 100001), KIN_ELIMIT);
    CHECK_EQUAL(kin_command_output(command).size, 100001);
    CHECK_EQUAL(exit_code_of(command), -SIGKILL);
    kin_command_free(command);
    command = run(SCRIPT("printf 12345"), COMMAND(.stdout_to = CAPTURE, .output_bytes_max = 5), 0);
    CHECK_EQUAL(kin_command_output(command).size, 5);
    kin_command_free(command);
    command = run(SCRIPT("printf 123456 >&2"), COMMAND(.stderr_to = CAPTURE, .output_bytes_max = 5),
                  KIN_ELIMIT);
    CHECK_EQUAL(kin_command_errors(command).size, 5);
    kin_command_free(command);
}

TEST(a_program_that_writes_for_ever_does_not_outlast_its_time)
{
    kin_command *command = NULL;
    CHECK_EQUAL(kin_command_run(SCRIPT("yes >&2"), COMMAND(.stderr_to = CAPTURE), kin_within_ms(20),
                                &command),
                -ETIMEDOUT);
    kin_command_free(command);
}

TEST_WITH(a_hundred_programs_run_at_once, .limit_seconds = 60)
{
    kin_command *commands[100];
    char number[16];
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    for (int i = 0; i < 100; i++) {
        snprintf(number, sizeof number, "%d", i);
        commands[i] = start(KIN_ARGV("/bin/sh", "-c", "read x <&3; echo $0; exit $0", number),
                            COMMAND(.stdout_to = CAPTURE, .fds = &ends[0], .fd_count = 1));
    }
    close(ends[1]);
    for (int i = 99; i >= 0; i--) {
        CHECK_EQUAL(kin_command_communicate(commands[i], KIN_FOREVER), 0);
        CHECK_EQUAL(exit_code_of(commands[i]), i);
        snprintf(number, sizeof number, "%d\n", i);
        CHECK_STRING(output_of(commands[i]), number);
    }
    for (int i = 0; i < 100; i++) {
        kin_command_free(commands[i]);
    }
    close(ends[0]);
}

TEST(a_status_that_somebody_else_took_is_unknown)
{
    signal(SIGCHLD, SIG_IGN);
    kin_command *command = run(SCRIPT("exit 3"), NULL, 0);
    CHECK_EQUAL(kin_command_poll(command, NULL), -ECHILD);
    CHECK_EQUAL(kin_command_check(command), -ECHILD);
    kin_command_free(command);
    command = run(SCRIPT("exit 3"), COMMAND(.checks = true, .stops_group = true), -ECHILD);
    kin_command_free(command);
    signal(SIGCHLD, SIG_DFL);
    command = start(SCRIPT("exit 3"), NULL);
    waitpid(kin_command_pid(command), NULL, 0);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_command_poll(command, NULL), -ECHILD);
    CHECK_EQUAL(kin_command_terminate(command), 0);
    kin_command_free(command);
}

static void check_end_by(int (*end)(kin_command *), int number)
{
    kin_command *command = start(SCRIPT("read x"),
                                 COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE}));
    CHECK_EQUAL(kin_command_signal(command, -1), -EINVAL);
    CHECK_EQUAL(kin_command_signal(command, 1000), -EINVAL);
    CHECK_EQUAL(end != NULL ? end(command) : kin_command_signal(command, number), 0);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(command), -number);
    CHECK_EQUAL(kin_command_signal(command, number), 0); /* nobody gets it */
    kin_command_free(command);
}

TEST(signals_reach_the_program)
{
    signal(SIGINT, SIG_DFL);
    check_end_by(kin_command_interrupt, SIGINT);
    check_end_by(kin_command_terminate, SIGTERM);
    check_end_by(kin_command_kill, SIGKILL);
    check_end_by(NULL, SIGUSR1);
}

static void *kill_it(void *user)
{
    CHECK_EQUAL(kin_command_terminate(user), 0);
    return user;
}

TEST(another_thread_may_end_what_this_one_waits_for)
{
    pthread_t thread;
    kin_command *command = start(SCRIPT("read x"),
                                 COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE}));
    REQUIRE(pthread_create(&thread, NULL, kill_it, command) == 0);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(command), -SIGTERM);
    pthread_join(thread, NULL);
    kin_command_free(command);
}

#ifndef __SANITIZE_THREAD__

static kin_command *inherited;

static int use_inherited(kin_call *call)
{
    (void)call;
    CHECK_EQUAL(kin_command_poll(inherited, NULL), -ECHILD);
    CHECK_EQUAL(kin_command_kill(inherited), -ECHILD);
    CHECK_EQUAL(kin_command_wait(inherited, KIN_FOREVER), -ECHILD);
    kin_command *own = run(SCRIPT("exit 2"), NULL, 0);
    CHECK_EQUAL(exit_code_of(own), 2);
    kin_command_free(own);
    kin_command_free(inherited);
    sleep(100); /* holds no pipe of it open */
    return 0;
}
KIN_FUNCTION(use_inherited)

TEST(a_forked_child_neither_has_a_command_nor_keeps_its_pipes_open)
{
    CHECK_EQUAL(kin_init(NULL, NULL), 0);
    kin_process *process = NULL;
    inherited = start(SCRIPT("cat; echo end"),
                      COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE}, .stdout_to = CAPTURE));
    REQUIRE(kin_process_start_bytes(use_inherited, NULL, 0, NULL, &process) == 0);
    CHECK_EQUAL(kin_command_communicate(inherited, KIN_FOREVER), 0);
    CHECK_STRING(output_of(inherited), "end\n");
    kin_command_free(inherited);
    kin_process_kill(process);
    kin_process_join(process, KIN_FOREVER);
    kin_process_free(process);
    kin_fini();
}

#endif
