/*
 * Children for tests that hold for each start method. What a child needs it is given: an fd to say
 * that it has come to something, as argument 0.
 */
#ifndef PROCESSES_H
#define PROCESSES_H

#include "harness/test.h"
#include "unit/alone.h"

#include <errno.h>
#include <kin.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* How the test that runs starts its children. */
__attribute__((weak)) const kin_context *method;

/* The thread sanitizer starts a thread of its own, beside which a process is not forked. */
static inline void skip_where_nothing_is_forked(void)
{
#ifdef __SANITIZE_THREAD__
    test_skip("the thread sanitizer has a thread of its own, beside which nothing is forked");
#endif
}

/* A test, once for each start method. */
#define TEST_OF_METHODS(name)                     \
    static void name(void);                       \
    TEST(name##_by_fork)                          \
    {                                             \
        skip_where_nothing_is_forked();           \
        REQUIRE(kin_init(NULL, NULL) == 0);       \
        method = kin_context_get(KIN_FORK);       \
        name();                                   \
    }                                             \
    TEST(name##_by_spawn)                         \
    {                                             \
        REQUIRE(kin_init(NULL, NULL) == 0);       \
        method = kin_context_get(KIN_SPAWN);      \
        name();                                   \
    }                                             \
    TEST(name##_by_forkserver)                    \
    {                                             \
        REQUIRE(kin_init(NULL, NULL) == 0);       \
        method = kin_context_get(KIN_FORKSERVER); \
        name();                                   \
    }                                             \
    static void name(void)

/* The process that is started now, with `arguments`, which are taken. */
static inline kin_process *start_given(kin_function *function, kin_object *arguments,
                                       kin_process_options options)
{
    kin_process *process = NULL;
    options.size = sizeof options;
    options.context = method;
    REQUIRE(kin_process_start(function, arguments, &options, &process) == 0);
    kin_object_free(arguments);
    return process;
}

static inline kin_process *start(kin_function *function)
{
    return start_given(function, kin_tuple_from(NULL, 0), (kin_process_options){0});
}

/* One that says, at some point, that it is there: by a byte that it writes to its argument 0. */
static inline kin_process *start_and_await_word(kin_function *function, kin_process_options options)
{
    int ends[2];
    char byte = 0;
    kin_object *fd = NULL;
    REQUIRE(pipe(ends) == 0);
    REQUIRE(kin_object_from_fd(ends[1], &fd) == 0);
    kin_process *process = start_given(function, KIN_TUPLE(fd), options);
    close(ends[1]);
    REQUIRE(read(ends[0], &byte, 1) == 1);
    close(ends[0]);
    return process;
}

/* In the child. */
static inline void say_so(kin_call *call)
{
    REQUIRE(write(kin_object_fd(kin_call_argument(call, 0)), "x", 1) == 1);
}

/* What children often do. The second needs an fd. */
int return_seven(kin_call *call);
int wait_for_ever(kin_call *call);

static inline int exit_code_of(kin_process *process)
{
    int code = 12345;
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(process, &code), 0);
    kin_process_free(process);
    return code;
}

/* When all children have been joined: ends the forkserver, and looks when it is gone. */
static inline void check_memory_at(const char *place)
{
    CHECK_EQUAL(kin_forkserver_stop(), 0);
    check_memory_alone_at(place);
}
#define CHECK_MEMORY() check_memory_at(TEST_HERE)

#endif
