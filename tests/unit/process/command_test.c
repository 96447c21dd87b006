#define _GNU_SOURCE
#include "commands.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void check_message(kin_command *command, int code, const char *message)
{
    kin_error *error = kin_command_error(command);
    CHECK_EQUAL(kin_error_code(error), code);
    CHECK_STRING(kin_error_message(error), message);
    kin_error_free(error);
}

TEST(run_gives_status_and_output)
{
    kin_command *command = run(SCRIPT("echo out; echo err >&2; exit 3"),
                               COMMAND(.stdout_to = CAPTURE, .stderr_to = CAPTURE), 0);
    CHECK_EQUAL(exit_code_of(command), 3);
    CHECK_STRING(output_of(command), "out\n");
    CHECK_STRING(errors_of(command), "err\n");
    CHECK_EQUAL(kin_command_check(command), KIN_ESTATUS);
    check_message(command, KIN_ESTATUS,
                  "'/bin/sh -c \"echo out; echo err >&2; exit 3\"' ended with status 3: err");
    CHECK(kin_command_pid(command) > 0);
    CHECK_EQUAL(kin_command_free(command) == NULL, 1);
}

TEST(a_status_other_than_0_is_a_failure_where_it_is_asked_for)
{
    kin_command *command = run(SCRIPT("echo partly; exit 9"),
                               COMMAND(.stdout_to = CAPTURE, .checks = true), KIN_ESTATUS);
    CHECK_STRING(output_of(command), "partly\n");
    check_message(command, KIN_ESTATUS,
                  "'/bin/sh -c \"echo partly; exit 9\"' ended with status 9: "
                  "partly");
    kin_command_free(command);
    command = run(SCRIPT("kill -TERM $$"), COMMAND(.checks = true), KIN_ESTATUS);
    CHECK_EQUAL(exit_code_of(command), -SIGTERM);
    check_message(command, KIN_ESTATUS, "'/bin/sh -c \"kill -TERM $$\"' was ended by signal 15");
    kin_command_free(command);
    command = run(SCRIPT("exit 0"), COMMAND(.checks = true), 0);
    CHECK(kin_command_error(command) == NULL);
    kin_command_free(command);
    CHECK_EQUAL(kin_command_run(SCRIPT("exit 2"), COMMAND(.checks = true), KIN_FOREVER, NULL),
                KIN_ESTATUS);
}

TEST(input_is_what_the_program_reads)
{
    check_output("cat", COMMAND(.input = TEXT("one\ntwo\n"), .stdout_to = CAPTURE), "one\ntwo\n");
    check_output("cat", COMMAND(.input = {"", 0}, .stdout_to = CAPTURE), "");
    check_output("exec <&-; echo done", COMMAND(.input = TEXT("never read"), .stdout_to = CAPTURE),
                 "done\n");
}

TEST(input_that_nobody_reads_to_the_end_is_no_failure_and_no_signal)
{
    size_t bytes = 3 << 20;
    char *text = calloc(1, bytes);
    REQUIRE(text != NULL);
    signal(SIGPIPE, SIG_DFL);
    kin_command *command = run(SCRIPT("head -c 5 | wc -c"),
                               COMMAND(.input = {text, bytes}, .stdout_to = CAPTURE), 0);
    CHECK_STRING(output_of(command), "5\n");
    kin_command_free(command);
    free(text);
}

TEST(much_goes_both_ways_at_once)
{
    size_t bytes = 8 << 20;
    unsigned char *text = malloc(bytes);
    REQUIRE(text != NULL);
    for (size_t i = 0; i < bytes; i++) {
        text[i] = (unsigned char)(i * 31 + i / 4096);
    }
    kin_command *command = run(
        SCRIPT("tee /dev/stderr"),
        COMMAND(.input = {text, bytes}, .stdout_to = CAPTURE, .stderr_to = CAPTURE), 0);
    CHECK_EQUAL(kin_command_output(command).size, bytes);
    CHECK_EQUAL(kin_command_errors(command).size, bytes);
    CHECK_BYTES(kin_command_output(command).data, text, bytes);
    CHECK_BYTES(kin_command_errors(command).data, text, bytes);
    kin_command_free(command);
    free(text);
}

TEST(streams_go_where_they_are_sent)
{
    char path[512];
    char text[64] = "";
    snprintf(path, sizeof path, "%s/file", test_folder());
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    REQUIRE(fd >= 0);
    check_output("echo a; echo b >&2; echo c",
                 COMMAND(.stdout_to = CAPTURE, .stderr_to = {.kind = KIN_STREAM_STDOUT}),
                 "a\nb\nc\n");
    check_output("cat; echo x >&2",
                 COMMAND(.stdin_from = {.kind = KIN_STREAM_NULL}, .stdout_to = CAPTURE,
                         .stderr_to = {.kind = KIN_STREAM_NULL}),
                 "");
    kin_command_free(run(
        SCRIPT("echo to a file; echo and errors >&2"),
        COMMAND(.stdout_to = {KIN_STREAM_FD, fd}, .stderr_to = {.kind = KIN_STREAM_STDOUT}), 0));
    CHECK_EQUAL(pread(fd, text, sizeof text - 1, 0), 21);
    CHECK_STRING(text, "to a file\nand errors\n");
    lseek(fd, 0, SEEK_SET);
    check_output("read line; echo $line",
                 COMMAND(.stdin_from = {KIN_STREAM_FD, fd}, .stdout_to = CAPTURE), "to a file\n");
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

TEST(a_pipe_is_the_caller_s_to_read_and_write)
{
    char text[16] = "";
    kin_command *command = start(SCRIPT("cat; echo e >&2"),
                                 COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE},
                                         .stdout_to = {.kind = KIN_STREAM_PIPE},
                                         .stderr_to = CAPTURE));
    int to = kin_command_stdin_fd(command);
    int from = kin_command_stdout_fd(command);
    CHECK_EQUAL(kin_command_stderr_fd(command), -EBADF);
    CHECK(fcntl(to, F_GETFD) & FD_CLOEXEC);
    CHECK_EQUAL(fcntl(from, F_GETFL) & O_NONBLOCK, 0);
    CHECK_EQUAL(write(to, "hello", 5), 5);
    CHECK_EQUAL(read(from, text, sizeof text), 5);
    CHECK_STRING(text, "hello");
    CHECK_EQUAL(kin_command_wait(command, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_command_close_stdin(command), 0);
    CHECK_EQUAL(kin_command_close_stdin(command), -EBADF);
    CHECK_EQUAL(kin_command_stdin_fd(command), -EBADF);
    CHECK_EQUAL(read(from, text, sizeof text), 0);
    CHECK_EQUAL(kin_command_communicate(command, KIN_FOREVER), 0);
    CHECK_STRING(errors_of(command), "e\n");
    kin_command_free(command);
}

TEST(communicate_closes_a_standard_input_that_is_a_pipe)
{
    kin_command *command = start(
        SCRIPT("wc -c"), COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE}, .stdout_to = CAPTURE));
    CHECK_EQUAL(write(kin_command_stdin_fd(command), "1234567", 7), 7);
    CHECK_EQUAL(kin_command_communicate(command, KIN_FOREVER), 0);
    CHECK_STRING(output_of(command), "7\n");
    kin_command_free(command);
}

TEST(folder_umask_limits_session_and_group_are_the_program_s)
{
    static const kin_command_limit limits[] = {{RLIMIT_NOFILE, 40, 50}};
    check_output("pwd; umask; ulimit -Sn; ulimit -Hn",
                 COMMAND(.cwd = "/proc", .has_umask = true, .umask = 07, .limits = limits,
                         .limit_count = 1, .stdout_to = CAPTURE),
                 "/proc\n0007\n40\n50\n");
    kin_command *command = start(
        SCRIPT("read line"), COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE}, .has_session = true));
    CHECK_EQUAL(getsid(kin_command_pid(command)), kin_command_pid(command));
    kin_command *second = start(
        SCRIPT("read line"),
        COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE}, .has_process_group = true));
    CHECK_EQUAL(getsid(kin_command_pid(second)), getsid(0));
    CHECK_EQUAL(getpgid(kin_command_pid(second)), kin_command_pid(second));
    kin_command *third = start(SCRIPT("read line"),
                               COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE},
                                       .has_process_group = true,
                                       .process_group = kin_command_pid(second)));
    CHECK_EQUAL(getpgid(kin_command_pid(third)), kin_command_pid(second));
    kin_command_free(third);
    kin_command_free(second);
    kin_command_free(command);
}

TEST(the_environment_is_replaced_or_changed)
{
    static const char *const whole[] = {"A=1", "PATH=/usr/bin:/bin", "B=2", NULL};
    static const char *const changes[] = {"A=5", "B", "C=6", "C=7", "GONE", NULL};
    setenv("B", "b", 1);
    setenv("KEPT", "k", 1);
    check_output("env | grep -v -e PWD -e _= -e SHLVL | sort",
                 COMMAND(.environment = whole, .stdout_to = CAPTURE),
                 "A=1\nB=2\nPATH=/usr/bin:/bin\n");
    check_output(
        "env | grep -v -e PWD -e _= -e SHLVL | sort",
        COMMAND(.environment = whole, .environment_changes = changes, .stdout_to = CAPTURE),
        "A=5\nC=7\nPATH=/usr/bin:/bin\n");
    check_output("echo $A/$B/$C/$KEPT",
                 COMMAND(.environment_changes = changes, .stdout_to = CAPTURE), "5//7/k\n");
    check_output("echo $B/$KEPT", COMMAND(.stdout_to = CAPTURE), "b/k\n");
}

TEST(a_program_is_looked_for_in_the_path_that_it_will_have)
{
    static const char *const nowhere[] = {"PATH=/nonexistent", NULL};
    kin_command *command = run(KIN_ARGV("true"), NULL, 0);
    kin_command_free(command);
    command = run(KIN_ARGV("true"), COMMAND(.environment = nowhere), -ENOENT);
    kin_command_free(command);
    command = run(KIN_ARGV("a name", "-c", "echo $0"),
                  COMMAND(.program = "sh", .stdout_to = CAPTURE), 0);
    CHECK_STRING(output_of(command), "a name\n");
    kin_command_free(command);
}

TEST(given_fds_are_those_from_3_on_and_no_others_are_open)
{
    int ends[2];
    REQUIRE(pipe(ends) == 0); /* not close-on-exec: somebody's mistake */
    REQUIRE(dup2(ends[0], 77) == 77);
    const int fds[] = {77, ends[1]};
    check_output("echo through the pipe >&4; read x <&3; echo $x; cd /proc/$$/fd; echo *",
                 COMMAND(.fds = fds, .fd_count = 2, .stdout_to = CAPTURE),
                 "through the pipe\n0 1 2 3 4 5\n"); /* 5 is that of the folder */
    close(77);
    close(ends[0]);
    close(ends[1]);
}

TEST(a_program_becomes_another_user_without_the_groups_of_this_one)
{
    static const uint32_t groups[] = {7};
    if (geteuid() != 0) {
        return; /* only root may */
    }
    check_output("id -u; id -g; id -G",
                 COMMAND(.has_user = true, .user = 65534, .has_group = true, .group = 12,
                         .stdout_to = CAPTURE),
                 "65534\n12\n12\n");
    check_output("id -u; id -g; id -G",
                 COMMAND(.has_user = true, .user = 65534, .has_group = true, .group = 12,
                         .has_groups = true, .groups = groups, .group_count = 1,
                         .stdout_to = CAPTURE),
                 "65534\n12\n12 7\n");
}

static void check_start(const char *const *argv, const kin_command_options *options, int code,
                        kin_command_stage stage)
{
    kin_command *command = NULL;
    int exit_code = 4711;
    CHECK_EQUAL(kin_command_start(argv, options, &command), code);
    REQUIRE(command != NULL);
    CHECK_EQUAL(kin_command_failed_stage(command), stage);
    CHECK_EQUAL(kin_command_pid(command), 0);
    CHECK_EQUAL(kin_command_poll(command, &exit_code), -ESRCH);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), -ESRCH);
    CHECK_EQUAL(kin_command_communicate(command, KIN_FOREVER), -ESRCH);
    CHECK_EQUAL(kin_command_stop(command, NULL, KIN_FOREVER), -ESRCH);
    CHECK_EQUAL(kin_command_kill(command), -ESRCH);
    CHECK_EQUAL(kin_command_sentinel(command), -ESRCH);
    CHECK_EQUAL(kin_command_stdin_fd(command), -ESRCH);
    CHECK_EQUAL(exit_code, 4711);
    kin_error *error = kin_command_error(command);
    CHECK_EQUAL(kin_error_code(error), code);
    kin_error_free(error);
    kin_command_free(command);
}

TEST(a_start_that_fails_names_its_stage)
{
    static const kin_command_limit limit = {.resource = 99};
    char path[512];
    check_start(KIN_ARGV("/nonexistent"), NULL, -ENOENT, KIN_STAGE_EXEC);
    check_start(KIN_ARGV("nonexistent-program"), NULL, -ENOENT, KIN_STAGE_EXEC);
    check_start(KIN_ARGV(""), NULL, -ENOENT, KIN_STAGE_EXEC);
    check_start(KIN_ARGV("/etc/passwd"), NULL, -EACCES, KIN_STAGE_EXEC);
    check_start(KIN_ARGV("true"), COMMAND(.cwd = "/nonexistent"), -ENOENT, KIN_STAGE_CWD);
    check_start(KIN_ARGV("true"), COMMAND(.cwd = "/etc/passwd"), -ENOTDIR, KIN_STAGE_CWD);
    check_start(KIN_ARGV("true"), COMMAND(.limits = &limit, .limit_count = 1), -EINVAL,
                KIN_STAGE_LIMITS);
    check_start(KIN_ARGV("true"), COMMAND(.stdout_to = {KIN_STREAM_FD, 888}), -EBADF,
                KIN_STAGE_FDS);
    check_start(KIN_ARGV("true"), COMMAND(.has_process_group = true, .process_group = 1), -EPERM,
                KIN_STAGE_PROCESS_GROUP);
    snprintf(path, sizeof path, "%s/script", test_folder());
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    REQUIRE(write(fd, "exit 0\n", 7) == 7);
    close(fd);
    check_start(KIN_ARGV(path), NULL, -ENOEXEC, KIN_STAGE_EXEC);
    kin_command *command = run(KIN_ARGV("/nonexistent", "-x"), NULL, -ENOENT);
    check_message(command, -ENOENT,
                  "'/nonexistent -x' cannot be started: exec failed: no such file or directory");
    kin_command_free(command);
}

static void check_bad(const kin_command_options *options, kin_command_stage stage)
{
    check_start(KIN_ARGV("true"), options, -EINVAL, stage);
}

TEST(options_that_contradict_each_other_are_refused)
{
    const int fd = -1;
    check_start(NULL, NULL, -EINVAL, KIN_STAGE_NONE);
    check_start((const char *const[]){NULL}, NULL, -EINVAL, KIN_STAGE_NONE);
    check_bad(&(kin_command_options){.size = 8}, KIN_STAGE_NONE);
    check_bad(COMMAND(.input = TEXT("x"), .stdin_from = {.kind = KIN_STREAM_PIPE}),
              KIN_STAGE_STREAMS);
    check_bad(COMMAND(.input = {NULL, 5}), KIN_STAGE_STREAMS);
    check_bad(COMMAND(.stdin_from = CAPTURE), KIN_STAGE_STREAMS);
    check_bad(COMMAND(.stdin_from = {.kind = KIN_STREAM_STDOUT}), KIN_STAGE_STREAMS);
    check_bad(COMMAND(.stdout_to = {.kind = KIN_STREAM_STDOUT}), KIN_STAGE_STREAMS);
    check_bad(COMMAND(.stdout_to = {KIN_STREAM_FD, -1}), KIN_STAGE_STREAMS);
    check_bad(COMMAND(.stderr_to = {.kind = (kin_stream_kind)77}), KIN_STAGE_STREAMS);
    check_bad(COMMAND(.fd_count = 1), KIN_STAGE_FDS);
    check_bad(COMMAND(.fds = &fd, .fd_count = 1), KIN_STAGE_FDS);
    check_bad(COMMAND(.has_user = true, .user = 1), KIN_STAGE_GROUP);
    check_bad(COMMAND(.has_groups = true, .group_count = 1), KIN_STAGE_GROUPS);
    check_bad(COMMAND(.has_session = true, .has_process_group = true), KIN_STAGE_PROCESS_GROUP);
    check_bad(COMMAND(.has_process_group = true, .process_group = 77, .stops_group = true),
              KIN_STAGE_PROCESS_GROUP);
    check_bad(COMMAND(.has_process_group = true, .process_group = -1), KIN_STAGE_PROCESS_GROUP);
    check_bad(COMMAND(.limit_count = 1), KIN_STAGE_LIMITS);
    check_bad(COMMAND(.stop = {.wait_ms = -2}), KIN_STAGE_NONE);
    kin_command *command = NULL;
    CHECK_EQUAL(kin_command_start(KIN_ARGV("true"), COMMAND(.has_user = true), &command), -EINVAL);
    check_message(command, -EINVAL, "'true' cannot be started: its group failed: invalid argument");
    kin_command_free(command);
    CHECK_EQUAL(kin_command_start(KIN_ARGV("true"), NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_command_run(KIN_ARGV("true"), NULL, (kin_timeout){0}, NULL), -EINVAL);
    CHECK_EQUAL(kin_command_wait(NULL, KIN_FOREVER), -EINVAL);
    CHECK_EQUAL(kin_command_poll(NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_command_kill(NULL), -EINVAL);
    CHECK(kin_command_error(NULL) == NULL);
    CHECK(kin_command_free(NULL) == NULL);
    CHECK_EQUAL(kin_command_output(NULL).size, 0);
    CHECK_EQUAL(kin_command_pid(NULL), 0);
    CHECK_STRING(kin_command_stage_name((kin_command_stage)99), "unknown");
    CHECK_STRING(kin_command_stage_name(KIN_STAGE_EXEC), "exec");
}

static void check_refusal(const kin_command_options *options, const char *message)
{
    kin_command *command = NULL;
    CHECK_EQUAL(kin_command_start(KIN_ARGV("true"), options, &command), -EINVAL);
    CHECK_EQUAL(kin_command_failed_stage(command), KIN_STAGE_NONE);
    check_message(command, -EINVAL, message);
    kin_command_free(command);
}

TEST(what_is_no_variable_of_an_environment_is_refused)
{
    check_refusal(COMMAND(.environment = KIN_ARGV("A=1", "B")),
                  "'true' cannot be started: 'B' in its environment has no '='");
    check_refusal(COMMAND(.environment = KIN_ARGV("=1")),
                  "'true' cannot be started: '=1' in its environment has no name");
    check_refusal(COMMAND(.environment_changes = KIN_ARGV("A", "=")),
                  "'true' cannot be started: '=' in its environment has no name");
    check_refusal(COMMAND(.environment_changes = KIN_ARGV("")),
                  "'true' cannot be started: '' in its environment has no name");
    check_output("echo \"$A$B\"",
                 COMMAND(.environment = KIN_ARGV("A=", "B=b=b"), .stdout_to = CAPTURE), "b=b\n");
}

TEST(sigpipe_ends_a_program_also_where_this_process_ignores_it)
{
    signal(SIGPIPE, SIG_IGN);
    kin_command *command = run(SCRIPT("kill -PIPE $$; exit 5"), NULL, 0);
    CHECK_EQUAL(exit_code_of(command), -SIGPIPE);
    kin_command_free(command);
}

TEST(the_short_forms_do_what_python_s_do)
{
    int status = 99;
    kin_command *command = NULL;
    CHECK_EQUAL(kin_command_call(SCRIPT("exit 4"), KIN_FOREVER, &status), 0);
    CHECK_EQUAL(status, 4);
    CHECK_EQUAL(kin_command_call(KIN_ARGV("/nonexistent"), KIN_FOREVER, &status), -ENOENT);
    CHECK_EQUAL(status, 4);
    CHECK_EQUAL(kin_command_check_call(SCRIPT("exit 0"), KIN_FOREVER), 0);
    CHECK_EQUAL(kin_command_check_call(SCRIPT("exit 1"), KIN_FOREVER), KIN_ESTATUS);
    CHECK_EQUAL(kin_command_check_output(SCRIPT("echo x"), KIN_FOREVER, &command), 0);
    CHECK_STRING(output_of(command), "x\n");
    kin_command_free(command);
    CHECK_EQUAL(kin_command_check_output(SCRIPT("echo y; exit 2"), KIN_FOREVER, &command),
                KIN_ESTATUS);
    CHECK_STRING(output_of(command), "y\n");
    kin_command_free(command);
    CHECK_EQUAL(kin_command_getoutput("echo a; echo b >&2; echo; echo", KIN_FOREVER, &command), 0);
    CHECK_STRING(output_of(command), "a\nb\n\n");
    kin_command_free(command);
    CHECK_EQUAL(kin_command_getstatusoutput("printf z; exit 7", KIN_FOREVER, &status, &command), 0);
    CHECK_STRING(output_of(command), "z");
    CHECK_EQUAL(status, 7);
    kin_command_free(command);
    CHECK_EQUAL(kin_command_getoutput(NULL, KIN_FOREVER, &command), -EINVAL);
    kin_command_free(command);
    CHECK_EQUAL(kin_command_getoutput("true", KIN_FOREVER, NULL), -EINVAL);
    CHECK_EQUAL(kin_command_check_output(KIN_ARGV("true"), KIN_FOREVER, NULL), -EINVAL);
    CHECK_EQUAL(kin_command_call(KIN_ARGV("true"), KIN_FOREVER, NULL), -EINVAL);
}
