/* The checks: they write to stderr, which the runner keeps and shows when the test failed. */
#define _GNU_SOURCE
#include "harness/test.h"

#include "harness/warden.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One write a line, so that lines of several processes do not mix. */
static void report(const char *place, const char *format, va_list arguments)
{
    char text[1024];
    int used = snprintf(text, sizeof text, "%s: ", place);
    int more = vsnprintf(text + used, sizeof text - (size_t)used - 1, format, arguments);
    if (more > 0) {
        used += more;
    }
    if (used > (int)sizeof text - 2) {
        used = (int)sizeof text - 2;
    }
    text[used] = '\n';
    ssize_t written = write(STDERR_FILENO, text, (size_t)used + 1);
    (void)written;
    warden_count_failure();
}

void test_fail(const char *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(place, format, arguments);
    va_end(arguments);
}

void test_fail_and_end(const char *place, const char *condition)
{
    test_fail(place, "not true, and the test needs it: %s", condition);
    fflush(NULL);
    _exit(1);
}

void test_skip(const char *reason)
{
    fprintf(stderr, "%s\n", reason);
    fflush(NULL);
    _exit(WARDEN_SKIPPED);
}

void test_check_equal(const char *place, const char *expression, long long actual,
                      long long expected)
{
    if (actual != expected) {
        test_fail(place, "%s is %lld, not %lld", expression, actual, expected);
    }
}

void test_check_string(const char *place, const char *expression, const char *actual,
                       const char *expected)
{
    if (actual == NULL || expected == NULL) {
        if (actual != expected) {
            test_fail(place, "%s is %s, not %s", expression, actual ? actual : "NULL",
                      expected ? expected : "NULL");
        }
    } else if (strcmp(actual, expected) != 0) {
        test_fail(place, "%s is \"%s\", not \"%s\"", expression, actual, expected);
    }
}

void test_check_bytes(const char *place, const char *expression, const void *actual,
                      const void *expected, size_t size)
{
    const uint8_t *left = actual;
    const uint8_t *right = expected;
    for (size_t index = 0; index < size; index++) {
        if (left[index] != right[index]) {
            test_fail(place, "%s differs at byte %zu of %zu: 0x%02x, not 0x%02x", expression, index,
                      size, left[index], right[index]);
            return;
        }
    }
}
