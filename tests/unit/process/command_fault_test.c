/* Programs where there is no memory, no fd, or a system call that fails. */
#define _GNU_SOURCE
#include "commands.h"

#include "base/fault.h"
#include "os/fault.h"
#include "unit/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(with_few_fds_a_start_fails_clearly_and_leaves_nothing)
{
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    bool was_run = false;
    for (rlim_t most = 3; most < 24; most++) {
        kin_command *command = NULL;
        struct rlimit few = {.rlim_cur = most, .rlim_max = before.rlim_max};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
        int r = kin_command_run(
            SCRIPT("cat; echo x >&2"),
            COMMAND(.input = TEXT("y"), .stdout_to = CAPTURE, .stderr_to = CAPTURE), KIN_FOREVER,
            &command);
        setrlimit(RLIMIT_NOFILE, &before);
        CHECK(r == 0 || r == -EMFILE);
        if (r < 0) {
            kin_command_stage stage = kin_command_failed_stage(command);
            CHECK(stage == KIN_STAGE_STREAMS || stage == KIN_STAGE_START);
        } else {
            CHECK_STRING(output_of(command), "y");
            was_run = true;
        }
        kin_command_free(command);
    }
    CHECK(was_run);
}

TEST(more_fds_than_a_process_may_have_are_told_from_one_that_is_not_open)
{
    struct rlimit before;
    struct rlimit few;
    int fds[40];
    kin_command *command = NULL;
    getrlimit(RLIMIT_NOFILE, &before);
    few = (struct rlimit){.rlim_cur = 32, .rlim_max = before.rlim_max};
    for (int i = 0; i < 40; i++) {
        fds[i] = STDERR_FILENO;
    }
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    int r = kin_command_run(KIN_ARGV("true"), COMMAND(.fds = fds, .fd_count = 40), KIN_FOREVER,
                            &command);
    setrlimit(RLIMIT_NOFILE, &before);
    CHECK_EQUAL(r, -EMFILE);
    CHECK_EQUAL(kin_command_failed_stage(command), KIN_STAGE_FDS);
    kin_command_free(command);
    fds[39] = 888;
    CHECK_EQUAL(
        kin_command_run(KIN_ARGV("true"), COMMAND(.fds = fds, .fd_count = 40), KIN_FOREVER, NULL),
        -EBADF);
}

TEST(a_long_pipeline_takes_no_more_fds_than_it_has_open)
{
    struct rlimit before;
    static const char *const cat[] = {"cat", NULL};
    kin_pipeline_part parts[16];
    kin_pipeline *pipeline = NULL;
    const kin_command_options from_text = {.size = sizeof from_text, .input = TEXT("x")};
    const kin_command_options to_memory = {.size = sizeof to_memory, .stdout_to = CAPTURE};
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit few = {.rlim_cur = 40, .rlim_max = before.rlim_max};
    for (int i = 0; i < 16; i++) {
        parts[i] = (kin_pipeline_part){.argv = cat,
                                       .options = i == 0    ? &from_text
                                                  : i == 15 ? &to_memory
                                                            : NULL};
    }
    REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
    int r = kin_pipeline_run(parts, 16, NULL, KIN_FOREVER, &pipeline);
    setrlimit(RLIMIT_NOFILE, &before);
    CHECK_EQUAL(r, 0);
    CHECK_STRING(output_of(kin_pipeline_command(pipeline, 15)), "x");
    kin_pipeline_free(pipeline);
}

/* A program that ends only when its standard input does, and that may not be signalled. */
static kin_command *start_beyond_reach(const kin_command_options *options)
{
    refuse(SYS_pidfd_send_signal, EPERM);
    return start(KIN_ARGV("cat"), options);
}

/* The next start reaps what could not be ended before. */
static void check_reaped(pid_t pid)
{
    siginfo_t end;
    REQUIRE(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) == 0);
    kin_command_free(run(KIN_ARGV("true"), NULL, 0));
    CHECK(waitpid(pid, NULL, WNOHANG) < 0 && errno == ECHILD);
}

TEST(a_program_that_may_not_be_killed_is_not_waited_for)
{
    const kin_stop ask = {.terminate_ms = KIN_STOP_FOREVER};
    kin_command *command = start_beyond_reach(COMMAND(.stdin_from = {.kind = KIN_STREAM_PIPE}));
    CHECK_EQUAL(kin_command_stop(command, NULL, KIN_FOREVER), -EPERM);
    CHECK_EQUAL(kin_command_stop(command, &ask, KIN_FOREVER), -EPERM);
    CHECK_EQUAL(kin_command_terminate(command), -EPERM);
    CHECK_EQUAL(kin_command_poll(command, NULL), -EAGAIN);
    kin_error *error = kin_command_error(command);
    CHECK_STRING(kin_error_message(error), "'cat' was not done: not permitted");
    kin_error_free(error);
    pid_t pid = kin_command_pid(command);
    kin_command_free(command);
    check_reaped(pid);
}

TEST(a_program_that_may_not_be_killed_outlasts_its_time_and_that_is_told)
{
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    refuse(SYS_pidfd_send_signal, EPERM);
    kin_command *command = NULL;
    CHECK_EQUAL(kin_command_run(KIN_ARGV("cat"), COMMAND(.stdin_from = {KIN_STREAM_FD, ends[0]}),
                                kin_within_ms(1), &command),
                -EPERM);
    pid_t pid = kin_command_pid(command);
    kin_command_free(command);
    close(ends[0]);
    close(ends[1]);
    check_reaped(pid);
}

TEST(of_a_pipeline_all_but_what_may_not_be_killed_is_waited_for)
{
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const kin_command_options from_pipe = {.size = sizeof from_pipe,
                                           .stdin_from = {KIN_STREAM_FD, ends[0]}};
    const kin_command_options patient = {.size = sizeof patient,
                                         .stop = {.wait_ms = KIN_STOP_FOREVER}};
    const kin_pipeline_part parts[] = {{KIN_ARGV("cat"), &from_pipe}, {SCRIPT("exit 3"), &patient}};
    kin_pipeline *pipeline = NULL;
    refuse(SYS_pidfd_send_signal, EPERM);
    CHECK_EQUAL(kin_pipeline_run(parts, 2, NULL, kin_within_ms(1), &pipeline), -EPERM);
    CHECK_EQUAL(exit_code_of(kin_pipeline_command(pipeline, 1)), 3);
    kin_error *error = kin_pipeline_error(pipeline);
    CHECK_STRING(kin_error_message(error), "'cat' was not done: not permitted");
    kin_error_free(error);
    pid_t pid = kin_command_pid(kin_pipeline_command(pipeline, 0));
    kin_pipeline_free(pipeline);
    close(ends[0]);
    close(ends[1]);
    check_reaped(pid);
}

TEST(kernels_that_cannot_write_without_sigpipe_do_the_same)
{
    size_t bytes = 1 << 20;
    char *data = calloc(1, bytes);
    REQUIRE(data != NULL);
    refuse(SYS_pwritev2, EOPNOTSUPP);
    signal(SIGPIPE, SIG_DFL);
    kin_command *command = run(SCRIPT("cat"), COMMAND(.input = {data, bytes}, .stdout_to = CAPTURE),
                               0);
    CHECK_EQUAL(kin_command_output(command).size, bytes);
    kin_command_free(command);
    command = run(SCRIPT("head -c 1"), COMMAND(.input = {data, bytes}, .stdout_to = CAPTURE), 0);
    CHECK_EQUAL(kin_command_output(command).size, 1);
    kin_command_free(command);
    free(data);
}

TEST(what_was_read_is_kept_where_there_is_no_memory_for_more)
{
    kin_command *command = NULL;
    refuse(SYS_mremap, ENOMEM);
    CHECK_EQUAL(kin_command_start(SCRIPT("printf start; exec yes"), COMMAND(.stdout_to = CAPTURE),
                                  &command),
                0);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), -ENOMEM);
    CHECK_EQUAL(kin_command_wait(command, KIN_FOREVER), -ENOMEM);
    kin_bytes output = kin_command_output(command);
    CHECK(output.size > 1 << 20);
    CHECK(memcmp(output.data, "starty\ny\n", 9) == 0);
    CHECK_EQUAL(((const char *)output.data)[output.size], 0);
    CHECK_EQUAL(kin_command_stop(command, NULL, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(command), -SIGKILL);
    kin_command_free(command);
}

TEST(kernels_without_clone3_and_close_range_start_programs_all_the_same)
{
    refuse(SYS_clone3, ENOSYS);
    refuse(SYS_close_range, ENOSYS);
    check_output("echo x", COMMAND(.stdout_to = CAPTURE), "x\n");
    kin_command *command = run(KIN_ARGV("/nonexistent"), NULL, -ENOENT);
    CHECK_EQUAL(kin_command_failed_stage(command), KIN_STAGE_EXEC);
    kin_command_free(command);
}

TEST(where_there_are_no_more_processes_a_start_fails_clearly)
{
    refuse(SYS_clone3, EAGAIN);
    kin_command *command = run(KIN_ARGV("true"), NULL, -EAGAIN);
    CHECK_EQUAL(kin_command_failed_stage(command), KIN_STAGE_START);
    kin_command_free(command);
    const kin_pipeline_part parts[] = {{KIN_ARGV("true"), NULL}, {KIN_ARGV("true"), NULL}};
    CHECK_EQUAL(kin_pipeline_run(parts, 2, NULL, KIN_FOREVER, NULL), -EAGAIN);
}

#ifdef KIN_FAULTS

static const char text[] = "some input";

/* All of it; or none, where it was the write that failed: then, it seems, nobody wants to read. */
static void check_text(const char *output)
{
    CHECK_STRING(output, output[0] == '\0' ? "" : text);
}

/* Runs a program, of which anything may fail; whether it was done, and in that case as it should
 * be. */
static bool run_somehow(void)
{
    static const char *const changes[] = {"A=1", NULL};
    kin_command *command = NULL;
    int r = kin_command_run(SCRIPT("cat; echo $A >&2"),
                            COMMAND(.input = {text, sizeof text - 1}, .stdout_to = CAPTURE,
                                    .stderr_to = CAPTURE, .environment_changes = changes),
                            KIN_FOREVER, &command);
    kin__allocation_fail_at(0);
    kin__os_fail_at(0);
    CHECK(command != NULL || r == -ENOMEM);
    if (r == 0) {
        check_text(output_of(command));
        CHECK_STRING(errors_of(command), "1\n");
        CHECK_EQUAL(exit_code_of(command), 0);
    } else {
        kin_error *error = kin_command_error(command);
        CHECK_EQUAL(kin_error_code(error), r);
        kin_error_free(error);
    }
    kin_command_free(command);
    return r == 0;
}

TEST(a_run_without_memory_leaves_nothing)
{
    bool was_run = false;
    for (uint64_t n = 1; n < 20 && !was_run; n++) {
        kin__allocation_fail_at(n);
        was_run = run_somehow();
        CHECK(n > 1 || !was_run);
    }
    CHECK(was_run);
}

TEST(a_run_that_the_system_refuses_leaves_nothing)
{
    uint64_t failures = 0;
    uint64_t n = 1;
    for (uint64_t done = 0; done < 3; n++) { /* how many calls it takes differs */
        kin__os_fail_at(n);
        bool was_run = run_somehow();
        failures += !was_run;
        done = was_run ? done + 1 : 0;
    }
    CHECK(failures > 5);
}

static bool run_pipeline_somehow(void)
{
    const kin_command_options from_text = {.size = sizeof from_text,
                                           .input = {text, sizeof text - 1}};
    const kin_command_options to_memory = {.size = sizeof to_memory, .stdout_to = CAPTURE};
    const kin_pipeline_part parts[] = {{KIN_ARGV("cat"), &from_text},
                                       {KIN_ARGV("cat"), NULL},
                                       {KIN_ARGV("cat"), NULL},
                                       {KIN_ARGV("cat"), NULL},
                                       {KIN_ARGV("cat"), &to_memory}};
    kin_pipeline *pipeline = NULL;
    int r = kin_pipeline_run(parts, 5, NULL, KIN_FOREVER, &pipeline);
    kin__allocation_fail_at(0);
    kin__os_fail_at(0);
    CHECK(pipeline != NULL || r == -ENOMEM);
    if (r == 0) {
        check_text(output_of(kin_pipeline_command(pipeline, 4)));
    }
    kin_pipeline_free(pipeline);
    return r == 0;
}

TEST(a_pipeline_without_memory_leaves_nothing)
{
    bool was_run = false;
    for (uint64_t n = 1; n < 40 && !was_run; n++) {
        kin__allocation_fail_at(n);
        was_run = run_pipeline_somehow();
    }
    CHECK(was_run);
}

TEST(a_pipeline_that_the_system_refuses_leaves_nothing)
{
    uint64_t failures = 0;
    for (uint64_t n = 1, done = 0; done < 3; n++) {
        kin__os_fail_at(n);
        bool was_run = run_pipeline_somehow();
        failures += !was_run;
        done = was_run ? done + 1 : 0;
    }
    CHECK(failures > 5);
}

#endif
