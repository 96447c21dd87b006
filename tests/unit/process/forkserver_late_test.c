/* Forkservers that do not do what they are told, or not in time. */
#define _GNU_SOURCE
#include "forkservers.h"
#include "os/fault.h"

#include <kin/forkserver.h>
#include <sys/resource.h>

static int hang(kin_call *call)
{
    (void)call;
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(hang)

static int preload(kin_function *function, kin_object *argument)
{
    kin_object *arguments = KIN_TUPLE(argument);
    int r = kin_forkserver_preload(function, arguments);
    kin_object_free(arguments);
    return r;
}

static void check_no_start(int expected)
{
    kin_process *process = NULL;
    int kept = hide_stderr();
    CHECK_EQUAL(kin_process_start_bytes(return_seven, NULL, 0,
                                        KIN_OPTIONS(kin_process_options, .context = method),
                                        &process),
                expected);
    show_stderr(kept);
    CHECK_MEMORY();
}

TEST(a_preload_that_does_not_end_is_why_starts_fail_until_it_is_forgotten)
{
    begin_serving();
    CHECK_EQUAL(preload(hang, kin_object_none()), 0);
    kin__forkserver.ready_ms = 100;
    check_no_start(-ETIMEDOUT);
    kin__forkserver.ready_ms = 300000;
    CHECK_EQUAL(kin_forkserver_preload(NULL, NULL), 0);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    CHECK_EQUAL(kin_forkserver_preload(NULL, NULL), 0);
    CHECK_MEMORY();
}

static int load_when_there(kin_call *call)
{
    return access(kin_call_text(call, 0), F_OK) == 0 ? 0 : kin_call_fail(call, -ENOENT, "not yet");
}
KIN_FUNCTION(load_when_there)

TEST(a_preload_that_has_failed_is_run_again_for_the_next_start)
{
    char path[4096];
    begin_serving();
    snprintf(path, sizeof path, "%s/here", test_folder());
    CHECK_EQUAL(preload(load_when_there, kin_object_from_text(path)), 0);
    check_no_start(-ENOENT);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    unlink(path);
    CHECK_MEMORY();
}

TEST(a_server_that_does_not_answer_is_replaced)
{
    begin_serving();
    kin_process *child = start_and_await_word(wait_for_ever, (kin_process_options){0});
    pid_t first = server_pid();
    kin__forkserver.answer_ms = 500;
    REQUIRE(kill(first, SIGSTOP) == 0);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    CHECK(server_pid() != first);
    CHECK(kin_process_is_alive(child));
    CHECK_EQUAL(kin_process_kill(child), 0);
    CHECK_EQUAL(kin_process_join(child, KIN_FOREVER), 0);
    kin_process_free(child);
    CHECK_MEMORY();
}

TEST(a_child_that_is_killed_is_joined_though_its_server_is_stopped)
{
    int code = 0;
    begin_serving();
    kin_process *child = start_and_await_word(wait_for_ever, (kin_process_options){0});
    kin__forkserver.answer_ms = 500;
    REQUIRE(kill(server_pid(), SIGSTOP) == 0);
    CHECK_EQUAL(kin_process_kill(child), 0);
    CHECK_EQUAL(kin_process_join(child, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(child, &code), -ECHILD);
    kin_process_free(child);
    CHECK_MEMORY();
}

/* The end of this process does not wait for a server that is stopped: neither for its end, nor for
 * how a child has ended. */
TEST(fini_does_not_wait_for_a_server_that_is_stopped)
{
    for (int i = 0; i < 2; i++) {
        begin_serving();
        kin__forkserver.leave_ms = 100;
        if (i == 0) {
            CHECK_EQUAL(kin_forkserver_ensure_running(), 0);
        } else {
            kin_process_free(
                start_and_await_word(wait_for_ever, (kin_process_options){.is_daemon = true}));
        }
        pid_t pid = server_pid();
        REQUIRE(kill(pid, SIGSTOP) == 0);
        kin_fini();
        CHECK(kill(pid, 0) == -1 && errno == ESRCH);
    }
}

/* It may have been waited for already. */
static void await_zombie(pid_t pid)
{
    siginfo_t end = {0};
    REQUIRE(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) == 0 || errno == ECHILD);
}

TEST(a_server_that_has_ended_is_waited_for_by_the_next_start_of_any_kind)
{
    begin_serving();
    CHECK_EQUAL(kin_forkserver_ensure_running(), 0);
    pid_t pid = server_pid();
    CHECK_EQUAL(kin_forkserver_stop(), 0);
    await_zombie(pid);
    method = kin_context_get(KIN_SPAWN);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    CHECK(waitpid(pid, NULL, WNOHANG) == -1 && errno == ECHILD);
    CHECK(kin__list_is_empty(&kin__forkserver.servers));
}

#ifdef KIN_FAULTS

static int fail_in_server(kin_call *call)
{
    kin__os_fail_here((uint64_t)kin_call_int(call, 0));
    return 0;
}
KIN_FUNCTION(fail_in_server)

/* No fd for the child, so that the server is told to kill it, and cannot. */
TEST_WITH(a_child_that_cannot_be_named_is_killed_whatever_fails, .limit_seconds = 60)
{
    struct rlimit before;
    begin_serving();
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    for (int64_t n = 1; n < 40; n++) {
        kin_process *process = NULL;
        int kept = hide_stderr();
        CHECK_EQUAL(preload(fail_in_server, kin_object_from_int(n)), 0);
        if (kin_forkserver_ensure_running() == 0) {
            REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
            int r = kin_process_start_bytes(
                hang, NULL, 0, KIN_OPTIONS(kin_process_options, .context = method), &process);
            REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
            CHECK(r < 0 && process == NULL);
        }
        show_stderr(kept);
        CHECK_EQUAL(kin_forkserver_stop(), 0);
        CHECK_EQUAL(kin_forkserver_preload(NULL, NULL), 0);
        CHECK_MEMORY(); /* servers end when their children have */
    }
}

#endif
