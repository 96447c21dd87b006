/* What a child prints when an error leaves its function. */
#include "processes.h"

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
