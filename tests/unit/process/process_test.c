#define _GNU_SOURCE
#include "harness/test.h"

#include "family/runtime.h"
#include "process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <kin.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void test_teardown(void)
{
    kin_fini();
}

static void begin(void)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
}

/* --- functions that the children run --- */

static int return_seven(kin_call *call)
{
    (void)call;
    return 7;
}

static int return_large(kin_call *call)
{
    (void)call;
    return 256 + 3;
}

static int check_input(kin_call *call)
{
    kin_bytes input = kin_call_bytes(call);
    bool is_right = input.size == 5 && memcmp(input.data, "hello", 5) == 0 &&
                    kin_call_attempt(call) == 1;
    return is_right ? 0 : 1;
}

static int check_no_input(kin_call *call)
{
    return kin_call_bytes(call).size == 0 ? 0 : 1;
}

static int fail_quietly(kin_call *call)
{
    freopen("/dev/null", "w", stderr);
    return kin_call_fail(call, -ERANGE, "out of range");
}

static int wait_for_ever(kin_call *call)
{
    (void)call;
    while (pause() < 0) {
    }
    return 0;
}

static int ignore_sigterm(kin_call *call)
{
    signal(SIGTERM, SIG_IGN);
    int fd = *(const int *)kin_call_bytes(call).data;
    if (write(fd, "x", 1) != 1) {
        return 1;
    }
    return wait_for_ever(call);
}

static int kill_itself(kin_call *call)
{
    (void)call;
    kill(getpid(), SIGKILL);
    return 0;
}

static int exit_by_itself(kin_call *call)
{
    (void)call;
    _exit(42);
    return 0;
}

static kin_process *start_with(kin_function *function, const void *data, size_t size,
                               const kin_process_options *options)
{
    kin_process *process = NULL;
    REQUIRE(kin_process_start_bytes(function, data, size, options, &process) == 0);
    return process;
}

static kin_process *start(kin_function *function)
{
    return start_with(function, NULL, 0, NULL);
}

static int exit_code_of(kin_process *process)
{
    int code = 12345;
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(process, &code), 0);
    kin_process_free(process);
    return code;
}

static bool is_gone(pid_t pid)
{
    for (int i = 0; i < 12000; i++) {
        char path[64];
        char state = 'X';
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        FILE *file = fopen(path, "r");
        if (file == NULL) {
            return true;
        }
        int fields = fscanf(file, "%*d %*s %c", &state);
        fclose(file);
        if (fields == 1 && (state == 'Z' || state == 'X')) {
            return true;
        }
        usleep(5000);
    }
    return false;
}

/* --- the end --- */

TEST(the_exit_code_is_what_the_function_returned)
{
    begin();
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
}

TEST(an_exit_code_has_eight_bits)
{
    begin();
    CHECK_EQUAL(exit_code_of(start(return_large)), 3);
}

TEST(a_function_that_fails_ends_the_child_with_one)
{
    begin();
    CHECK_EQUAL(exit_code_of(start(fail_quietly)), 1);
}

TEST(the_exit_code_of_a_killed_child_is_minus_the_signal)
{
    begin();
    CHECK_EQUAL(exit_code_of(start(kill_itself)), -SIGKILL);
}

TEST(the_exit_code_of_a_child_that_calls_exit_is_its_own)
{
    begin();
    CHECK_EQUAL(exit_code_of(start(exit_by_itself)), 42);
}

TEST(the_child_gets_a_copy_of_the_data)
{
    begin();
    CHECK_EQUAL(exit_code_of(start_with(check_input, "hello", 5, NULL)), 0);
}

TEST(the_data_may_be_empty)
{
    begin();
    CHECK_EQUAL(exit_code_of(start_with(check_no_input, NULL, 0, NULL)), 0);
}

TEST(an_error_is_printed_by_the_child)
{
    begin();
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    int before = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    kin_process *process = NULL;
    int r = kin_process_start_bytes(fail_quietly, NULL, 0, NULL, &process);
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    REQUIRE(r == 0);
    kin_process_free(process);
    close(ends[0]);
}

/* --- join --- */

TEST(join_with_now_says_that_the_child_runs)
{
    begin();
    kin_process *process = start(wait_for_ever);
    int code = 5;
    CHECK_EQUAL(kin_process_join(process, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_process_exit_code(process, &code), -EAGAIN);
    CHECK_EQUAL(code, 5);
    CHECK(kin_process_is_alive(process));
    CHECK_EQUAL(kin_process_kill(process), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
}

TEST(join_gives_up_at_its_deadline)
{
    begin();
    kin_process *process = start(wait_for_ever);
    CHECK_EQUAL(kin_process_join(process, kin_within_ms(10)), -ETIMEDOUT);
    CHECK_EQUAL(kin_process_terminate(process), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGTERM);
}

TEST(join_gives_up_when_the_token_fires)
{
    begin();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin_process *process = start(wait_for_ever);
    CHECK_EQUAL(kin_process_join(process, kin_by(kin_now_ns() + 5000000, cancel)), -ETIMEDOUT);
    kin_cancel_request(cancel);
    CHECK_EQUAL(kin_process_join(process, kin_by(INT64_MAX, cancel)), -ECANCELED);
    kin_process_kill(process);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    kin_cancel_free(cancel);
}

static void *fire_soon(void *user)
{
    usleep(20000);
    kin_cancel_request(user);
    return NULL;
}

TEST(a_token_that_fires_while_join_sleeps_ends_it)
{
    begin();
    kin_cancel *cancel = NULL;
    pthread_t thread;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin_process *process = start(wait_for_ever);
    REQUIRE(pthread_create(&thread, NULL, fire_soon, cancel) == 0);
    CHECK_EQUAL(kin_process_join(process, kin_by(INT64_MAX, cancel)), -ECANCELED);
    pthread_join(thread, NULL);
    kin_process_kill(process);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    kin_cancel_free(cancel);
}

TEST(join_with_a_token_returns_when_the_child_ends_either_way)
{
    begin();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin_function *functions[] = {return_seven, kill_itself, exit_by_itself};
    for (int i = 0; i < 3; i++) {
        kin_process *process = start(functions[i]);
        CHECK_EQUAL(kin_process_join(process, kin_by(INT64_MAX, cancel)), 0);
        kin_process_free(process);
    }
    kin_cancel_free(cancel);
}

TEST(join_may_be_repeated)
{
    begin();
    kin_process *process = start(return_seven);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_join(process, KIN_NOW), 0);
    CHECK(!kin_process_is_alive(process));
    CHECK_EQUAL(kin_process_terminate(process), 0);
    CHECK_EQUAL(kin_process_kill(process), 0);
    CHECK_EQUAL(exit_code_of(process), 7);
}

static void *join_it(void *user)
{
    return (void *)(intptr_t)kin_process_join(user, KIN_FOREVER);
}

TEST(several_threads_may_join_one_child)
{
    begin();
    pthread_t threads[4];
    kin_process *process = start(wait_for_ever);
    for (int i = 0; i < 4; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, join_it, process) == 0);
    }
    kin_process_kill(process);
    for (int i = 0; i < 4; i++) {
        void *result = &threads;
        pthread_join(threads[i], &result);
        CHECK(result == NULL);
    }
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
}

TEST(the_sentinel_is_readable_once_the_child_has_ended)
{
    begin();
    kin_process *process = start(wait_for_ever);
    struct pollfd sentinel = {.fd = kin_process_sentinel(process), .events = POLLIN};
    CHECK_EQUAL(poll(&sentinel, 1, 0), 0);
    kin_process_kill(process);
    CHECK_EQUAL(poll(&sentinel, 1, -1), 1);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
}

TEST(a_child_that_somebody_else_waited_for_has_noted_its_code)
{
    begin();
    int code = 5;
    kin_process *process = start(return_seven);
    CHECK_EQUAL(waitpid(kin_process_pid(process), NULL, 0), kin_process_pid(process));
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(process, &code), 0);
    CHECK_EQUAL(code, 7);
    kin_process_free(process);
}

static int call_exit(kin_call *call)
{
    (void)call;
    exit(300 + 9);
}

TEST(where_sigchld_is_ignored_the_code_of_a_child_that_ends_by_itself_is_known)
{
    begin();
    signal(SIGCHLD, SIG_IGN);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    CHECK_EQUAL(exit_code_of(start(call_exit)), (300 + 9) & 255);
    signal(SIGCHLD, SIG_DFL);
}

TEST(a_child_that_was_killed_and_waited_for_by_somebody_else_has_an_unknown_code)
{
    begin();
    int code = 5;
    kin_process *process = start(wait_for_ever);
    kin_process_kill(process);
    CHECK_EQUAL(waitpid(kin_process_pid(process), NULL, 0), kin_process_pid(process));
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(process, &code), -ECHILD);
    CHECK_EQUAL(code, 5);
    kin_process_free(process);
}

/* --- names --- */

static int start_and_check_name(kin_call *call)
{
    kin_bytes expected = kin_call_bytes(call);
    int failures = 0;
    for (int i = 0; i < 2; i++) {
        kin_process *process = start(return_seven);
        char name[40];
        snprintf(name, sizeof name, "%.*s:%d", (int)expected.size, (const char *)expected.data,
                 i + 1);
        failures += strcmp(kin_process_name(process), name) != 0;
        kin_process_join(process, KIN_FOREVER);
        kin_process_free(process);
    }
    return failures;
}

TEST(children_are_named_after_their_parent_and_number)
{
    begin();
    kin_process *first = start(return_seven);
    kin_process *second = start_with(start_and_check_name, "Process-2", 9, NULL);
    CHECK_STRING(kin_process_name(first), "Process-1");
    CHECK_STRING(kin_process_name(second), "Process-2");
    CHECK_EQUAL(exit_code_of(first), 7);
    CHECK_EQUAL(exit_code_of(second), 0);
}

TEST(a_name_can_be_given_and_is_cut)
{
    begin();
    kin_process *process = start_with(
        return_seven, NULL, 0,
        KIN_OPTIONS(kin_process_options, .name = "0123456789012345678901234567890123"));
    CHECK_STRING(kin_process_name(process), "0123456789012345678901234567890");
    CHECK(kin_process_pid(process) > 0);
    CHECK_EQUAL(exit_code_of(process), 7);
}

/* --- threads --- */

static void *wait_for_byte(void *user)
{
    char byte;
    return read(*(int *)user, &byte, 1) == 1 ? NULL : user;
}

TEST(a_program_with_threads_is_refused_unless_it_insists)
{
    begin();
    int ends[2];
    pthread_t thread;
    kin_process *process = NULL;
    REQUIRE(pipe(ends) == 0);
    REQUIRE(pthread_create(&thread, NULL, wait_for_byte, &ends[0]) == 0);
    CHECK_EQUAL(kin_process_start_bytes(return_seven, NULL, 0, NULL, &process), -EBUSY);
    CHECK(process == NULL);
    process = start_with(return_seven, NULL, 0,
                         KIN_OPTIONS(kin_process_options, .allow_threads = true));
    CHECK_EQUAL(exit_code_of(process), 7);
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    pthread_join(thread, NULL);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7); /* at once after the join */
    close(ends[0]);
    close(ends[1]);
}

static void *start_many(void *user)
{
    (void)user;
    for (int i = 0; i < 10; i++) {
        kin_process *process = NULL;
        if (kin_process_start_bytes(return_seven, NULL, 0,
                                    KIN_OPTIONS(kin_process_options, .allow_threads = true),
                                    &process) != 0) {
            return &errno;
        }
        int code = 0;
        kin_process_join(process, KIN_FOREVER);
        kin_process_exit_code(process, &code);
        kin_process_free(process);
        if (code != 7) {
            return &errno;
        }
    }
    return NULL;
}

TEST(several_threads_may_start_children_at_once)
{
    begin();
    pthread_t threads[3];
    kin_cancel *cancel = NULL; /* something to inherit */
    REQUIRE(kin_cancel_create(&cancel) == 0);
    for (int i = 0; i < 3; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, start_many, NULL) == 0);
    }
    for (int i = 0; i < 3; i++) {
        void *result = &threads;
        pthread_join(threads[i], &result);
        CHECK(result == NULL);
    }
    kin_cancel_free(cancel);
}

/* --- output --- */

TEST(output_that_is_buffered_at_the_start_appears_once)
{
    begin();
    char path[300];
    char text[100] = {0};
    snprintf(path, sizeof path, "%s/output", test_folder());
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fputs("once\n", file);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    fclose(file);
    file = fopen(path, "r");
    REQUIRE(file != NULL);
    CHECK_EQUAL(fread(text, 1, sizeof text, file), 5);
    fclose(file);
}

/* --- what belongs to whom --- */

static int use_what_is_the_parents(kin_call *call)
{
    kin_process *sibling = *(kin_process *const *)kin_call_bytes(call).data;
    int code = 0;
    int failures = kin_process_join(sibling, KIN_FOREVER) != -ECHILD;
    failures += kin_process_exit_code(sibling, &code) != -ECHILD;
    failures += kin_process_terminate(sibling) != -ECHILD;
    failures += kin_process_kill(sibling) != -ECHILD;
    failures += kin_process_sentinel(sibling) != -ECHILD;
    failures += kin_process_is_alive(sibling);
    failures += kin_process_free(sibling) != NULL;
    return failures;
}

TEST(a_child_of_the_parent_is_not_a_child_of_the_child)
{
    begin();
    kin_process *sibling = start(wait_for_ever);
    kin_process *process = start_with(use_what_is_the_parents, &sibling, sizeof(kin_process *),
                                      NULL);
    CHECK_EQUAL(exit_code_of(process), 0);
    CHECK_EQUAL(kin_process_kill(sibling), 0);
    CHECK_EQUAL(exit_code_of(sibling), -SIGKILL);
}

TEST(a_plain_fork_has_no_children_either)
{
    begin();
    kin_process *process = start(wait_for_ever);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(kin_process_join(process, KIN_FOREVER) == -ECHILD ? 0 : 1);
    }
    int status = 1;
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(status, 0);
    kin_process_kill(process);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
}

TEST(a_late_join_leaves_alone_who_has_the_slot_of_the_child_by_now)
{
    begin();
    kin_process *process = start(return_seven);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    process->owner = kin__self()->owner; /* after as many members as there are generations */
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin__member_state_of(kin__self()->owner), KIN__MEMBER_LIVE);
    kin_process_free(process);
}

/* Not with the address sanitizer: its allocator's locks are not given back in the child of a fork
 * beside threads. */
#ifndef __SANITIZE_ADDRESS__
static int write_after_a_while(kin_call *call)
{
    usleep(20000);
    return write(*(const int *)kin_call_bytes(call).data, "x", 1) == 1 ? 0 : 1;
}

static void *start_and_free_for_ever(void *user)
{
    kin_process_options options = {.size = sizeof options, .allow_threads = true};
    for (;;) {
        kin_process *process = NULL;
        if (kin_process_start_bytes(return_seven, NULL, 0, &options, &process) == 0) {
            kin_process_join(process, user == NULL ? KIN_FOREVER : KIN_NOW);
            kin_process_free(process);
        }
    }
    return NULL;
}

TEST(exit_beside_a_thread_that_starts_children_waits_for_those_that_run)
{
    int ends[2];
    REQUIRE(pipe2(ends, O_NONBLOCK) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        begin();
        start_with(write_after_a_while, &ends[1], sizeof(int), NULL);
        REQUIRE(pthread_create(&thread, NULL, start_and_free_for_ever, NULL) == 0);
        REQUIRE(pthread_create(&thread, NULL, start_and_free_for_ever, ends) == 0);
        usleep(1000);
        exit(0);
    }
    int status = -1;
    char byte = 0;
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(status, 0);
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
}
#endif

static int set_event(kin_call *call)
{
    kin_event *event = *(kin_event *const *)kin_call_bytes(call).data;
    return kin_event_set(event) == 0 ? 0 : 1;
}

TEST(what_the_parent_has_open_is_open_in_the_child)
{
    begin();
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_process *process = start_with(set_event, &event, sizeof(kin_event *), NULL);
    CHECK_EQUAL(kin_event_wait(event, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(process), 0);
    kin_event_free(event);
}

/* --- the end of the parent --- */

TEST(fini_waits_for_children_and_ends_daemons)
{
    begin();
    kin_process *child = start(return_seven);
    kin_process *daemon = start_with(wait_for_ever, NULL, 0,
                                     KIN_OPTIONS(kin_process_options, .is_daemon = true));
    pid_t pids[] = {kin_process_pid(child), kin_process_pid(daemon)};
    kin_process_free(child);
    kin_process_free(daemon);
    kin_fini();
    CHECK_EQUAL(waitpid(pids[0], NULL, WNOHANG), -1);
    CHECK_EQUAL(waitpid(pids[1], NULL, WNOHANG), -1);
}

TEST(fini_kills_a_daemon_that_ignores_sigterm)
{
    begin();
    int ends[2];
    char byte;
    REQUIRE(pipe(ends) == 0);
    kin_process *daemon = start_with(ignore_sigterm, &ends[1], sizeof ends[1],
                                     KIN_OPTIONS(kin_process_options, .is_daemon = true));
    CHECK_EQUAL(read(ends[0], &byte, 1), 1);
    kin_fini();
    int code = 0;
    CHECK_EQUAL(kin_process_exit_code(daemon, &code), 0); /* objects stay readable */
    CHECK_EQUAL(code, -SIGKILL);
    kin_process_free(daemon);
    close(ends[0]);
    close(ends[1]);
}

static int start_daemon_and_wait(kin_call *call)
{
    int fd = *(const int *)kin_call_bytes(call).data;
    kin_process *daemon = start_with(wait_for_ever, NULL, 0,
                                     KIN_OPTIONS(kin_process_options, .is_daemon = true));
    pid_t pid = kin_process_pid(daemon);
    if (write(fd, &pid, sizeof pid) != sizeof pid) {
        return 1;
    }
    return wait_for_ever(call);
}

TEST(a_daemon_ends_with_a_parent_that_is_killed)
{
    begin();
    int ends[2];
    pid_t pid = 0;
    REQUIRE(pipe(ends) == 0);
    kin_process *parent = start_with(start_daemon_and_wait, &ends[1], sizeof ends[1], NULL);
    CHECK_EQUAL(read(ends[0], &pid, sizeof pid), sizeof pid);
    CHECK_EQUAL(kill(pid, 0), 0);
    kin_process_kill(parent);
    CHECK_EQUAL(exit_code_of(parent), -SIGKILL);
    CHECK(is_gone(pid));
    close(ends[0]);
    close(ends[1]);
}

TEST(a_freed_child_runs_on_and_is_waited_for_later)
{
    begin();
    kin_process *process = start(wait_for_ever);
    pid_t pid = kin_process_pid(process);
    CHECK(kin_process_free(process) == NULL);
    CHECK_EQUAL(kill(pid, SIGKILL), 0);
    CHECK(is_gone(pid));
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    CHECK_EQUAL(waitpid(pid, NULL, WNOHANG), -1); /* no zombie */
}

/* --- misuse --- */

TEST(start_outside_of_a_family_is_refused)
{
    kin_process *process = NULL;
    CHECK_EQUAL(kin_process_start_bytes(return_seven, NULL, 0, NULL, &process), KIN_EFAMILY);
    CHECK(process == NULL);
}

TEST(wrong_arguments_are_refused)
{
    begin();
    int code = 0;
    kin_process *process = NULL;
    kin_process_options short_options = {.size = sizeof short_options - 1};
    CHECK_EQUAL(kin_process_start_bytes(NULL, NULL, 0, NULL, &process), -EINVAL);
    CHECK_EQUAL(kin_process_start_bytes(return_seven, NULL, 1, NULL, &process), -EINVAL);
    CHECK_EQUAL(kin_process_start_bytes(return_seven, NULL, 0, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_process_start_bytes(return_seven, NULL, 0, &short_options, &process), -EINVAL);
    CHECK(process == NULL);
    CHECK_EQUAL(kin_process_join(NULL, KIN_FOREVER), -EINVAL);
    CHECK_EQUAL(kin_process_exit_code(NULL, &code), -EINVAL);
    CHECK(!kin_process_is_alive(NULL));
    CHECK_EQUAL(kin_process_terminate(NULL), -EINVAL);
    CHECK_EQUAL(kin_process_kill(NULL), -EINVAL);
    CHECK_EQUAL(kin_process_pid(NULL), 0);
    CHECK_STRING(kin_process_name(NULL), "");
    CHECK_EQUAL(kin_process_sentinel(NULL), -EINVAL);
    CHECK(kin_process_free(NULL) == NULL);
    process = start(return_seven);
    kin_timeout forgotten = {0};
    CHECK_EQUAL(kin_process_join(process, forgotten), -EINVAL);
    CHECK_EQUAL(kin_process_exit_code(process, NULL), -EINVAL);
    CHECK_EQUAL(exit_code_of(process), 7);
}

TEST(a_negative_timeout_of_now_and_zero_ms_are_over_at_once)
{
    begin();
    kin_process *process = start(wait_for_ever);
    CHECK_EQUAL(kin_process_join(process, kin_within_ms(0)), -ETIMEDOUT);
    CHECK_EQUAL(kin_process_join(process, kin_within_ms(-5)), -ETIMEDOUT);
    kin_process_kill(process);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
}
