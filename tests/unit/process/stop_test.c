/* Ending children: step by step, with their parent, at its exit. */
#define _GNU_SOURCE
#include "processes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

static int ignore_requests(kin_call *call)
{
    signal(SIGTERM, SIG_IGN);
    return wait_for_ever(call);
}
KIN_FUNCTION(ignore_requests)

static void exit_with_nine(int number)
{
    (void)number;
    _exit(9);
}

static int handle_sigterm(kin_call *call)
{
    signal(SIGTERM, exit_with_nine);
    return wait_for_ever(call);
}
KIN_FUNCTION(handle_sigterm)

/* --- kin_process_stop --- */

TEST_OF_METHODS(a_stop_first_waits_for_an_end_by_itself)
{
    kin_process *process = start(return_seven);
    kin_stop stop = {.wait_ms = KIN_STOP_FOREVER, .kill_ms = KIN_STOP_FOREVER};
    CHECK_EQUAL(kin_process_stop(process, &stop, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_stop(process, &stop, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_stop(process, NULL, KIN_NOW), 0);
    CHECK_EQUAL(exit_code_of(process), 7);
}

TEST_OF_METHODS(a_stop_then_sends_sigterm)
{
    kin_process *process = start_and_await_word(wait_for_ever, (kin_process_options){0});
    kin_stop stop = {.wait_ms = 1, .terminate_ms = KIN_STOP_FOREVER};
    CHECK_EQUAL(kin_process_stop(process, &stop, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGTERM);
    process = start_and_await_word(handle_sigterm, (kin_process_options){0});
    CHECK_EQUAL(kin_process_stop(process, NULL, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(process), 9);
}

TEST_OF_METHODS(a_stop_at_last_sends_sigkill)
{
    kin_process *process = start_and_await_word(ignore_requests, (kin_process_options){0});
    kin_stop stop = {.wait_ms = 1, .terminate_ms = 1, .kill_ms = KIN_STOP_FOREVER};
    CHECK_EQUAL(kin_process_stop(process, &stop, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
}

TEST_OF_METHODS(a_stop_whose_steps_are_over_says_that_the_child_runs)
{
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin_process *process = start_and_await_word(ignore_requests, (kin_process_options){0});
    kin_stop gentle = {.wait_ms = 1, .terminate_ms = 1};
    kin_stop patient = {.wait_ms = KIN_STOP_FOREVER};
    CHECK_EQUAL(kin_process_stop(process, &gentle, KIN_FOREVER), -ETIMEDOUT);
    CHECK_EQUAL(kin_process_stop(process, &(kin_stop){0}, KIN_FOREVER), -ETIMEDOUT);
    CHECK_EQUAL(kin_process_stop(process, &patient, kin_within_ms(1)), -ETIMEDOUT);
    CHECK_EQUAL(kin_process_stop(process, &patient, KIN_NOW), -EAGAIN);
    kin_cancel_request(cancel);
    CHECK_EQUAL(kin_process_stop(process, &patient, kin_by(INT64_MAX, cancel)), -ECANCELED);
    CHECK(kin_process_is_alive(process));
    kin_stop hard = {.kill_ms = KIN_STOP_FOREVER};
    CHECK_EQUAL(kin_process_stop(process, &hard, KIN_FOREVER), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    kin_cancel_free(cancel);
}

/* --- children that are another user's --- */

static int wait_to_be_let_go(kin_call *call)
{
    char byte = 0;
    return read(kin_call_fd(call, 0), &byte, 1) == 1 ? 0 : 1;
}
KIN_FUNCTION(wait_to_be_let_go)

/* A child that this process cannot send signals any more, until become_root: it ends when it is
 * sent a byte. NULL: this process is not root, so it cannot give that up. */
static kin_process *start_out_of_reach(int *ret_fd)
{
    int ends[2];
    if (geteuid() != 0) {
        return NULL;
    }
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    kin_process *process = start_given(wait_to_be_let_go, kin_tuple_from(NULL, 0),
                                       (kin_process_options){.fds = &ends[0], .fd_count = 1});
    close(ends[0]);
    *ret_fd = ends[1];
    REQUIRE(setresuid(65534, 65534, 0) == 0);
    return process;
}

static void become_root(void)
{
    REQUIRE(setresuid(0, 0, 0) == 0);
}

TEST_OF_METHODS(a_stop_of_one_that_cannot_be_sent_signals_says_so)
{
    int fd = -1;
    kin_stop stop = {.terminate_ms = KIN_STOP_FOREVER, .kill_ms = KIN_STOP_FOREVER};
    kin_stop patient = {.wait_ms = 1, .kill_ms = KIN_STOP_FOREVER};
    kin_process *process = start_out_of_reach(&fd);
    if (process != NULL) {
        CHECK_EQUAL(kin_process_terminate(process), -EPERM);
        CHECK_EQUAL(kin_process_stop(process, &stop, KIN_FOREVER), -EPERM);
        CHECK_EQUAL(kin_process_stop(process, &patient, KIN_FOREVER), -EPERM);
        CHECK_EQUAL(kin_process_stop(process, NULL, KIN_FOREVER), -EPERM);
        CHECK(kin_process_is_alive(process));
        CHECK_EQUAL(write(fd, "x", 1), 1);
        close(fd);
        CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
        CHECK_EQUAL(kin_process_stop(process, &stop, KIN_FOREVER), 0);
        CHECK_EQUAL(exit_code_of(process), 0);
        become_root();
    }
}

TEST(fini_does_not_wait_for_one_that_cannot_be_sent_signals)
{
    int fd = -1;
    const kin_family_options options = {.size = sizeof options, .grace_ms = 1};
    REQUIRE(kin_init_with(NULL, NULL, &options) == 0);
    method = kin_context_get(KIN_SPAWN);
    kin_process *process = start_out_of_reach(&fd);
    if (process != NULL) {
        int pid = kin_process_pid(process);
        kin_fini();
        CHECK_EQUAL(waitpid(pid, NULL, WNOHANG), 0);
        become_root();
        CHECK_EQUAL(write(fd, "x", 1), 1);
        close(fd);
        CHECK_EQUAL(waitpid(pid, NULL, 0), pid);
        kin_process_free(process);
    }
}

/* --- the end of the parent --- */

/* An fd that can be read to its end when all who have it are gone: those who were given it. */
static int make_witness(kin_object **ret_fd, int *ret_end)
{
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    REQUIRE(kin_object_from_fd(ends[1], ret_fd) == 0);
    *ret_end = ends[1];
    return ends[0];
}

/* Starts a child that is no daemon itself, and another below that; the last one says so. */
static int start_below(kin_call *call)
{
    int64_t depth = kin_call_int(call, 1);
    if (depth == 0) {
        return wait_for_ever(call);
    }
    kin_object *fd = kin_object_ref(kin_call_argument(call, 0));
    kin_process *process = start_given(start_below, KIN_TUPLE(fd, kin_object_from_int(depth - 1)),
                                       (kin_process_options){0});
    return kin_process_join(process, KIN_FOREVER);
}
KIN_FUNCTION(start_below)

TEST_OF_METHODS(the_children_of_a_daemon_die_with_it_and_theirs_with_them)
{
    kin_object *fd = NULL;
    int end = -1;
    char byte = 0;
    int witness = make_witness(&fd, &end);
    kin_process *process = start_given(start_below, KIN_TUPLE(fd, kin_object_from_int(2)),
                                       (kin_process_options){.is_daemon = true});
    close(end);
    CHECK_EQUAL(read(witness, &byte, 1), 1);
    CHECK(kin_process_is_daemon(process));
    CHECK_EQUAL(kin_process_kill(process), 0);
    CHECK_EQUAL(read(witness, &byte, 1), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    close(witness);
}

/* Starts a daemon and waits to be killed. */
static int start_daemon(kin_call *call)
{
    kin_object *fd = kin_object_ref(kin_call_argument(call, 0));
    start_given(start_below, KIN_TUPLE(fd, kin_object_from_int(1)),
                (kin_process_options){.is_daemon = true});
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(start_daemon)

TEST_OF_METHODS(daemons_die_with_a_parent_that_is_killed)
{
    kin_object *fd = NULL;
    int end = -1;
    char byte = 0;
    int witness = make_witness(&fd, &end);
    kin_process *process = start_given(start_daemon, KIN_TUPLE(fd), (kin_process_options){0});
    close(end);
    CHECK_EQUAL(read(witness, &byte, 1), 1);
    CHECK_EQUAL(kin_process_kill(process), 0);
    CHECK_EQUAL(read(witness, &byte, 1), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    close(witness);
}

/* Argument 1: milliseconds. */
static int end_later(kin_call *call)
{
    say_so(call);
    usleep((useconds_t)kin_call_int(call, 1) * 1000);
    say_so(call);
    return 0;
}
KIN_FUNCTION(end_later)

TEST_OF_METHODS(at_exit_children_are_waited_for_and_daemons_ended)
{
    kin_object *fd = NULL;
    int end = -1;
    char bytes[3] = "";
    int witness = make_witness(&fd, &end);
    kin_object_ref(fd);
    kin_process *daemon = start_given(ignore_requests, KIN_TUPLE(fd),
                                      (kin_process_options){.is_daemon = true});
    CHECK_EQUAL(read(witness, bytes, 1), 1);
    kin_process *child = start_given(end_later, KIN_TUPLE(fd, kin_object_from_int(20)),
                                     (kin_process_options){0});
    close(end);
    CHECK_EQUAL(read(witness, bytes, 1), 1);
    kin_process_free(daemon);
    kin_process_free(child);
    kin_fini();
    CHECK_EQUAL(read(witness, bytes, 2), 1);
    CHECK_EQUAL(read(witness, bytes, 1), 0);
    close(witness);
}

TEST(children_that_outlast_the_grace_are_ended)
{
    REQUIRE(kin_init_with(NULL, NULL, KIN_OPTIONS(kin_family_options, .grace_ms = -1)) == -EINVAL);
    REQUIRE(kin_init_with(NULL, NULL, KIN_OPTIONS(kin_family_options, .grace_ms = 20)) == 0);
    kin_process *first = start_and_await_word(ignore_requests, (kin_process_options){0});
    kin_process *second = start_and_await_word(wait_for_ever, (kin_process_options){0});
    kin_process *third = start(return_seven);
    int first_code = 0, second_code = 0;
    kin_process_free(third);
    kin_fini();
    CHECK_EQUAL(kin_process_exit_code(first, &first_code), 0);
    CHECK_EQUAL(kin_process_exit_code(second, &second_code), 0);
    CHECK_EQUAL(first_code, -SIGKILL);
    CHECK_EQUAL(second_code, -SIGTERM);
    kin_process_free(first);
    kin_process_free(second);
}
