#define _GNU_SOURCE
#include "commands.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

static const kin_command_options to_memory = {.size = sizeof to_memory,
                                              .stdout_to = {KIN_STREAM_CAPTURE, 0}};

static kin_pipeline *run_parts(const kin_pipeline_part *parts, uint32_t count, int code)
{
    kin_pipeline *pipeline = NULL;
    CHECK_EQUAL(kin_pipeline_run(parts, count, NULL, KIN_FOREVER, &pipeline), code);
    REQUIRE(pipeline != NULL);
    return pipeline;
}

static int exit_code_of_all(kin_pipeline *pipeline)
{
    int exit_code = 4711;
    CHECK_EQUAL(kin_pipeline_exit_code(pipeline, &exit_code), 0);
    return exit_code;
}

TEST(each_program_reads_what_the_one_before_it_writes)
{
    const kin_command_options from_text = {.size = sizeof from_text, .input = TEXT("b\na\nb\n")};
    const kin_pipeline_part parts[] = {{KIN_ARGV("sort"), &from_text},
                                       {KIN_ARGV("uniq"), NULL},
                                       {KIN_ARGV("cat"), NULL},
                                       {KIN_ARGV("cat"), NULL},
                                       {KIN_ARGV("tr", "ab", "xy"), &to_memory}};
    kin_pipeline *pipeline = run_parts(parts, 5, 0);
    CHECK_STRING(output_of(kin_pipeline_command(pipeline, 4)), "x\ny\n");
    CHECK_EQUAL(exit_code_of_all(pipeline), 0);
    CHECK(kin_pipeline_error(pipeline) == NULL);
    CHECK(kin_pipeline_command(pipeline, 5) == NULL);
    kin_pipeline_free(pipeline);
}

TEST(a_reader_that_ends_early_ends_the_writer)
{
    const kin_pipeline_part parts[] = {{KIN_ARGV("yes"), NULL},
                                       {KIN_ARGV("cat"), NULL},
                                       {KIN_ARGV("head", "-n", "2"), &to_memory}};
    signal(SIGPIPE, SIG_IGN); /* of this process only */
    kin_pipeline *pipeline = run_parts(parts, 3, 0);
    CHECK_STRING(output_of(kin_pipeline_command(pipeline, 2)), "y\ny\n");
    CHECK_EQUAL(exit_code_of(kin_pipeline_command(pipeline, 0)), -SIGPIPE);
    CHECK_EQUAL(exit_code_of_all(pipeline), 0);
    kin_pipeline_free(pipeline);
}

TEST(the_status_is_that_of_the_last_program_that_failed)
{
    const kin_pipeline_part parts[] = {{SCRIPT("exit 3"), NULL},
                                       {SCRIPT("cat >/dev/null; exit 4"), NULL},
                                       {SCRIPT("cat; echo x"), &to_memory}};
    kin_pipeline *pipeline = NULL;
    CHECK_EQUAL(kin_pipeline_run(parts, 3, KIN_OPTIONS(kin_pipeline_options, .checks = true),
                                 KIN_FOREVER, &pipeline),
                KIN_ESTATUS);
    CHECK_EQUAL(exit_code_of_all(pipeline), 4);
    kin_error *error = kin_pipeline_error(pipeline);
    CHECK_EQUAL(kin_error_code(error), KIN_ESTATUS);
    CHECK_STRING(kin_error_message(error),
                 "'/bin/sh -c \"cat >/dev/null; exit 4\"' ended with status 4");
    kin_error_free(error);
    kin_pipeline_free(pipeline);
    CHECK_EQUAL(kin_pipeline_run(parts, 3, KIN_OPTIONS(kin_pipeline_options, .checks = true),
                                 KIN_FOREVER, NULL),
                KIN_ESTATUS);
}

TEST(if_one_cannot_be_started_none_is_left)
{
    const kin_pipeline_part parts[] = {{KIN_ARGV("sleep", "100"), NULL},
                                       {KIN_ARGV("sleep", "100"), NULL},
                                       {KIN_ARGV("/nonexistent"), NULL},
                                       {KIN_ARGV("cat"), NULL}};
    kin_pipeline *pipeline = NULL;
    CHECK_EQUAL(kin_pipeline_start(parts, 4, &pipeline), -ENOENT);
    kin_error *error = kin_pipeline_error(pipeline);
    CHECK_EQUAL(kin_error_code(error), -ENOENT);
    kin_error_free(error);
    CHECK_EQUAL(kin_command_failed_stage(kin_pipeline_command(pipeline, 2)), KIN_STAGE_EXEC);
    CHECK(kin_pipeline_command(pipeline, 3) == NULL);
    CHECK_EQUAL(kin_pipeline_wait(pipeline, KIN_FOREVER), -ESRCH);
    CHECK_EQUAL(kin_pipeline_stop(pipeline, NULL, KIN_FOREVER), -ESRCH);
    kin_pipeline_free(pipeline);
}

TEST(a_pipeline_that_is_not_done_in_time_is_ended)
{
    const kin_pipeline_part parts[] = {{KIN_ARGV("yes"), NULL}, {SCRIPT("cat >/dev/null"), NULL}};
    kin_pipeline *pipeline = NULL;
    int exit_code = 0;
    CHECK_EQUAL(kin_pipeline_run(parts, 2, NULL, kin_within_ms(20), &pipeline), -ETIMEDOUT);
    kin_error *error = kin_pipeline_error(pipeline);
    CHECK_EQUAL(kin_error_code(error), -ETIMEDOUT);
    kin_error_free(error);
    kin_pipeline_free(pipeline);
    REQUIRE(kin_pipeline_start(parts, 2, &pipeline) == 0);
    CHECK_EQUAL(kin_pipeline_communicate(pipeline, kin_within_ms(1)), -ETIMEDOUT);
    CHECK_EQUAL(kin_pipeline_exit_code(pipeline, &exit_code), -EAGAIN);
    CHECK_EQUAL(kin_pipeline_stop(pipeline, NULL, KIN_FOREVER), 0);
    CHECK(exit_code_of_all(pipeline) < 0);
    kin_pipeline_free(pipeline);
    REQUIRE(kin_pipeline_start(parts, 2, &pipeline) == 0);
    kin_pipeline_free(pipeline); /* while it runs */
}

/* The first has all the time of the world, and ends when the second has. */
static void start_two(kin_pipeline **ret_pipeline, kin_timeout timeout)
{
    static const kin_command_options patient = {.size = sizeof patient,
                                                .stop = {.wait_ms = KIN_STOP_FOREVER}};
    const kin_pipeline_part parts[] = {{KIN_ARGV("yes"), &patient},
                                       {SCRIPT("exec cat >/dev/null"), NULL}};
    if (timeout.deadline_ns == KIN_FOREVER.deadline_ns) {
        REQUIRE(kin_pipeline_start(parts, 2, ret_pipeline) == 0);
    } else {
        CHECK_EQUAL(kin_pipeline_run(parts, 2, NULL, timeout, ret_pipeline), -ETIMEDOUT);
    }
}

TEST(programs_of_a_pipeline_are_ended_together)
{
    kin_pipeline *pipeline = NULL;
    start_two(&pipeline, kin_within_ms(1));
    CHECK_EQUAL(exit_code_of(kin_pipeline_command(pipeline, 0)), -SIGPIPE);
    CHECK_EQUAL(exit_code_of(kin_pipeline_command(pipeline, 1)), -SIGKILL);
    kin_pipeline_free(pipeline);
    start_two(&pipeline, KIN_FOREVER);
    kin_pipeline_free(pipeline);
}

TEST(a_pipeline_that_is_not_done_tells_which_of_its_programs_are_not)
{
    const kin_pipeline_part one[] = {{KIN_ARGV("true"), NULL}, {KIN_ARGV("sleep", "1000"), NULL}};
    const kin_pipeline_part both[] = {{KIN_ARGV("sleep", "1000"), NULL}, {KIN_ARGV("cat"), NULL}};
    kin_pipeline *pipeline = NULL;
    REQUIRE(kin_pipeline_start(one, 2, &pipeline) == 0);
    REQUIRE(kin_command_wait(kin_pipeline_command(pipeline, 0), KIN_FOREVER) == 0);
    CHECK_EQUAL(kin_pipeline_communicate(pipeline, kin_within_ms(1)), -ETIMEDOUT);
    kin_error *error = kin_pipeline_error(pipeline);
    CHECK_STRING(kin_error_message(error), "'sleep 1000' was not done: the deadline passed");
    kin_error_free(error);
    kin_pipeline_free(pipeline);
    CHECK_EQUAL(kin_pipeline_run(both, 2, NULL, kin_within_ms(1), &pipeline), -ETIMEDOUT);
    error = kin_pipeline_error(pipeline);
    CHECK_STRING(kin_error_message(error), "'sleep 1000 | cat' was not done: the deadline passed");
    REQUIRE(kin_error_child_count(error) == 2);
    CHECK_STRING(kin_error_message(kin_error_child(error, 1)),
                 "'cat' was not done: the deadline passed");
    kin_error_free(error);
    kin_pipeline_free(pipeline);
}

TEST(a_pipeline_tells_which_of_its_programs_wrote_too_much)
{
    const kin_command_options little = {
        .size = sizeof little, .stderr_to = CAPTURE, .output_bytes_max = 3};
    const kin_pipeline_part parts[] = {{SCRIPT("echo many >&2"), &little}, {KIN_ARGV("cat"), NULL}};
    kin_pipeline *pipeline = run_parts(parts, 2, KIN_ELIMIT);
    kin_error *error = kin_pipeline_error(pipeline);
    CHECK_EQUAL(kin_error_code(error), KIN_ELIMIT);
    CHECK(strstr(kin_error_message(error), "echo many") != NULL);
    kin_error_free(error);
    kin_pipeline_free(pipeline);
}

TEST(parts_whose_streams_are_taken_are_refused)
{
    const kin_command_options from_text = {.size = sizeof from_text, .input = TEXT("x")};
    const kin_pipeline_part two_inputs[] = {{KIN_ARGV("true"), NULL},
                                            {KIN_ARGV("cat"), &from_text}};
    const kin_pipeline_part two_outputs[] = {{KIN_ARGV("true"), &to_memory},
                                             {KIN_ARGV("cat"), NULL}};
    const kin_pipeline_part none[] = {{NULL, NULL}};
    kin_pipeline *pipeline = NULL;
    CHECK_EQUAL(kin_pipeline_start(two_inputs, 2, &pipeline), -EINVAL);
    kin_pipeline_free(pipeline);
    CHECK_EQUAL(kin_pipeline_start(two_outputs, 2, &pipeline), -EINVAL);
    kin_pipeline_free(pipeline);
    CHECK_EQUAL(kin_pipeline_start(none, 1, &pipeline), -EINVAL);
    kin_pipeline_free(pipeline);
    CHECK_EQUAL(kin_pipeline_start(none, 0, &pipeline), -EINVAL);
    CHECK_EQUAL(kin_pipeline_start(NULL, 1, &pipeline), -EINVAL);
    CHECK_EQUAL(kin_pipeline_start(two_inputs, 2, NULL), -EINVAL);
    CHECK_EQUAL(kin_pipeline_wait(NULL, KIN_FOREVER), -EINVAL);
    CHECK(kin_pipeline_free(NULL) == NULL);
    CHECK(kin_pipeline_error(NULL) == NULL);
    CHECK(kin_pipeline_command(NULL, 0) == NULL);
}
