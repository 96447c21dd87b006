/* What a child prints when an error leaves its function; and why one was not started. */
#include "processes.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>

/* What a child that is started by `start` writes to stderr. */
static void read_stderr(kin_process *(*start_it)(void), char *text, size_t size)
{
    int ends[2];
    size_t count = 0;
    ssize_t got = 0;
    REQUIRE(pipe(ends) == 0);
    int before = dup(STDERR_FILENO);
    REQUIRE(dup2(ends[1], STDERR_FILENO) >= 0);
    close(ends[1]);
    kin_process *process = start_it();
    kin_forkserver_stop(); /* it has the same stderr */
    dup2(before, STDERR_FILENO);
    close(before);
    while (count < size - 1 && (got = read(ends[0], text + count, size - 1 - count)) > 0) {
        count += (size_t)got;
    }
    text[count] = '\0';
    close(ends[0]);
    CHECK_EQUAL(exit_code_of(process), 1);
}

static int fail(kin_call *call)
{
    return kin_call_fail(call, -ENODATA, "nothing in %s", "it");
}
KIN_FUNCTION(fail)

static kin_process *start_failing(void)
{
    return start(fail);
}

TEST_OF_METHODS(a_failing_child_says_who_it_is_what_failed_and_where)
{
    char text[4096];
    read_stderr(start_failing, text, sizeof text);
    CHECK(strncmp(text, "Process-1: ENODATA: nothing in it (failure_test.c:", 50) == 0);
    CHECK(strstr(text, " in fail)\n") != NULL);
    CHECK(strchr(text, '\n') == text + strlen(text) - 1);
}

__attribute__((noinline)) static int look_deeper(kin_call *call, int depth)
{
    int r = depth == 0 ? kin_call_fail(call, -ENODATA, "too deep") : look_deeper(call, depth - 1);
    return r < 0 ? r : depth; /* no tail call: each has a frame */
}

__attribute__((noinline)) static int fail_deep_inside(kin_call *call)
{
    int r = look_deeper(call, 2);
    return r < 0 ? r : 1;
}
KIN_FUNCTION(fail_deep_inside)

static kin_process *start_failing_deep_inside(void)
{
    return start(fail_deep_inside);
}

TEST_OF_METHODS(an_error_from_deep_inside_has_a_backtrace_that_ends_at_the_function)
{
    char text[4096];
    int lines = 0;
    read_stderr(start_failing_deep_inside, text, sizeof text);
    for (char *line = strstr(text, "\n    at "); line != NULL;
         line = strstr(line + 1, "\n    at ")) {
        lines++;
    }
    CHECK_EQUAL(lines, 4);
    CHECK(strstr(text, "\n    at fail_deep_inside (failure_test.c:") != NULL ||
          strstr(text, "unit_process+0x") != NULL);
    CHECK(strstr(text, "kin__call_run") == NULL);
}

/* Wants an int. */
static int want_int(kin_call *call)
{
    return (int)kin_call_int(call, 0);
}
KIN_FUNCTION(want_int)

static kin_process *start_with_text(void)
{
    return start_given(want_int, kin_object_from_text("9"), (kin_process_options){.name = "w"});
}

TEST_OF_METHODS(an_argument_of_another_type_is_told)
{
    char text[4096];
    read_stderr(start_with_text, text, sizeof text);
    CHECK_STRING(text, "w: EINVAL: argument 0 is str, not int\n");
}

/* --- starts --- */

static kin_process *create(kin_function *function, kin_process_options options)
{
    kin_process *process = NULL;
    options.size = sizeof options;
    REQUIRE(kin_process_create_bytes(function, NULL, 0, &options, &process) == 0);
    CHECK(kin_process_error(process) == NULL);
    return process;
}

static void check_error(kin_process *process, int code, const char *text)
{
    CHECK_EQUAL(kin_process_launch(process), code);
    kin_error *error = kin_process_error(process);
    CHECK_EQUAL(kin_error_code(error), code);
    CHECK_STRING(kin_error_message(error), text);
    kin_error_free(error);
}

TEST(a_program_that_cannot_be_run_is_told_as_a_failure_of_exec)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    kin_process *process = create(return_seven,
                                  (kin_process_options){.context = kin_context_get(KIN_SPAWN)});
    REQUIRE(kin_context_set_executable("/nowhere/program") == 0);
    check_error(process, -ENOENT,
                "Process-1 cannot be started by spawn: exec failed: no such file or directory");
    REQUIRE(kin_context_set_executable(NULL) == 0);
    CHECK_EQUAL(kin_process_launch(process), 0);
    CHECK(kin_process_error(process) == NULL);
    CHECK_EQUAL(exit_code_of(process), 7);
    CHECK(kin_process_error(NULL) == NULL);
}

TEST_OF_METHODS(an_fd_that_is_not_open_is_told)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    kin_process *process = create(
        return_seven, (kin_process_options){.context = method, .fds = &fd, .fd_count = 1});
    close(fd);
    CHECK_EQUAL(kin_process_launch(process), -EBADF); /* nor does kin open another as this */
    kin_error *error = kin_process_error(process);
    CHECK(strstr(kin_error_message(error), ": its fds failed: ") != NULL);
    kin_error_free(error);
    kin_process_free(process);
}

static int without_name(kin_call *call)
{
    (void)call;
    return 0;
}

TEST(a_function_without_a_name_is_told)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    kin_process *process = create(
        without_name, (kin_process_options){.context = kin_context_get(KIN_FORKSERVER)});
    check_error(process, KIN_EFUNCTION,
                "Process-1 cannot be started by forkserver: what it is given failed: the function "
                "is unknown, or registered twice");
    kin_process_free(process);
}

static void *wait_for_byte(void *user)
{
    char byte = 0;
    CHECK_EQUAL(read(*(const int *)user, &byte, 1), 1);
    return NULL;
}

TEST(a_fork_that_is_refused_beside_threads_is_told)
{
    int ends[2];
    pthread_t thread;
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(pipe(ends) == 0);
    REQUIRE(pthread_create(&thread, NULL, wait_for_byte, &ends[0]) == 0);
    kin_process *process = create(return_seven, (kin_process_options){0});
    check_error(process, -EBUSY,
                "Process-1 cannot be started by fork: a fork beside other threads failed: in use");
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    pthread_join(thread, NULL);
    kin_process_free(process);
    close(ends[0]);
    close(ends[1]);
}
