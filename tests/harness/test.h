/*
 * The test runner's face.
 *
 *     #include "harness/test.h"
 *
 *     TEST(get_returns_epipe_after_close)
 *     {
 *         ...
 *         CHECK_EQUAL(kin_queue_get_bytes(queue, KIN_NOW, &message), -EPIPE);
 *     }
 *
 * A test registers itself and runs in a process of its own. It fails when a check failed in
 * any of its processes, when it ends otherwise than by returning, when it runs longer than its
 * limit, or when it leaves something behind: a fd, a child (alive or not waited for), a
 * thread, a shared mapping, a file in /dev/shm, TMPDIR or /tmp. See warden.c, leaks.c and
 * files.c.
 *
 * Where a program defines `test_teardown`, it is called after each test, before the search
 * for what was left behind. Limits are there to end hangs; no test measures time.
 */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct test_case {
    const char *name;
    const char *place; /* where it stands, "file:line" */
    void (*run)(void);
    int limit_seconds; /* on a machine of its own; 0: TEST_LIMIT_SECONDS */
    struct test_case *next;
};

enum { TEST_LIMIT_SECONDS = 20 };

/* The second form takes fields of struct test_case: TEST_WITH(name, .limit_seconds = 60). */
#define TEST(name) TEST_WITH(name, .limit_seconds = 0)
#define TEST_WITH(test_name, ...)                                                               \
    static void test_body_##test_name(void);                                                    \
    __attribute__((constructor)) static void test_register_##test_name(void)                    \
    {                                                                                           \
        static struct test_case test = {                                                        \
            .name = #test_name, .place = TEST_HERE, .run = test_body_##test_name, __VA_ARGS__}; \
        test_register(&test);                                                                   \
    }                                                                                           \
    static void test_body_##test_name(void)

/* A check that fails is reported and counted, and the test goes on. Usable in every thread and
   in every process that the test forks. Arguments are evaluated once. */
#define CHECK(condition) ((condition) ? (void)0 : test_fail(TEST_HERE, "not true: %s", #condition))
#define CHECK_EQUAL(actual, expected) \
    test_check_equal(TEST_HERE, #actual, (long long)(actual), (long long)(expected))
#define CHECK_STRING(actual, expected) test_check_string(TEST_HERE, #actual, (actual), (expected))
#define CHECK_BYTES(actual, expected, size) \
    test_check_bytes(TEST_HERE, #actual, (actual), (expected), (size))

/* As CHECK, but ends the process that it fails in: for what the rest of the test builds on. */
#define REQUIRE(condition) ((condition) ? (void)0 : test_fail_and_end(TEST_HERE, #condition))

/* Ends the test, in its first process: it cannot be run here, and why. Counted apart. */
__attribute__((noreturn)) void test_skip(const char *reason);

/* An empty folder of this test alone, for its files; removed with all in it when the test ended. */
const char *test_folder(void);

/* The program's own hook, run after each test; define it or do not. */
__attribute__((weak)) void test_teardown(void);

/* What the macros call. TEST_HERE is "file:line". */
#define TEST_HERE __FILE__ ":" TEST_QUOTE(__LINE__)
#define TEST_QUOTE(line) TEST_QUOTE_EXPANDED(line)
#define TEST_QUOTE_EXPANDED(line) #line

void test_register(struct test_case *test);
__attribute__((format(printf, 2, 3))) void test_fail(const char *place, const char *format, ...);
__attribute__((noreturn)) void test_fail_and_end(const char *place, const char *condition);
void test_check_equal(const char *place, const char *expression, long long actual,
                      long long expected);
void test_check_string(const char *place, const char *expression, const char *actual,
                       const char *expected);
void test_check_bytes(const char *place, const char *expression, const void *actual,
                      const void *expected, size_t size);

#endif
