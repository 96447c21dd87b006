#define _GNU_SOURCE
#include "../children.h"
#include "base/fault.h"
#include "forkservers.h"
#include "os/fault.h"
#include "process/runtime.h"
#include "unit/stderr.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <threads.h>

/* The server is dead when this returns, and the family knows. */
static void kill_server(void)
{
    pid_t pid = server_pid();
    REQUIRE(kin_forkserver_ensure_running() == 0 && server_pid() == pid);
    REQUIRE(kill(pid, SIGKILL) == 0);
    while (is_member(pid)) {
        pause_a_moment();
    }
}

/* Argument 0: an fd that the process id of its parent, to the kernel, is written to. */
static int tell_server(kin_call *call)
{
    pid_t pid = getppid();
    CHECK_EQUAL(write(kin_object_fd(kin_call_argument(call, 0)), &pid, sizeof pid), sizeof pid);
    return 7;
}
KIN_FUNCTION(tell_server)

static pid_t ask_for_server(void)
{
    int ends[2];
    pid_t pid = 0;
    kin_object *fd = NULL;
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(kin_object_from_fd(ends[1], &fd) == 0);
    kin_process *process = start_given(tell_server, KIN_TUPLE(fd), (kin_process_options){0});
    CHECK_EQUAL(exit_code_of(process), 7);
    CHECK_EQUAL(read(ends[0], &pid, sizeof pid), sizeof pid);
    close(ends[0]);
    close(ends[1]);
    return pid;
}

/* --- one server --- */

static int look_at_parent_of(kin_call *call)
{
    int64_t parent = kin_call_int(call, 0);
    CHECK_EQUAL(kin_process_pid(kin_process_parent()), parent);
    CHECK(getppid() != parent);
    CHECK_STRING(kin_process_name(kin_process_current()), "Process-1");
    return 7;
}
KIN_FUNCTION(look_at_parent_of)

TEST(a_child_of_the_forkserver_has_who_started_it_as_its_parent)
{
    begin_serving();
    CHECK_EQUAL(exit_code_of(start_given(look_at_parent_of, kin_object_from_int(getpid()),
                                         (kin_process_options){0})),
                7);
    CHECK_MEMORY();
}

TEST(all_children_come_from_one_server_which_is_no_child_of_the_program)
{
    begin_serving();
    kin_process *children[2];
    pid_t pid = ask_for_server();
    CHECK(pid != getpid());
    CHECK_EQUAL(pid, server_pid());
    for (int i = 0; i < 20; i++) {
        CHECK_EQUAL(ask_for_server(), pid);
    }
    CHECK_EQUAL(kin_process_children(children, 2), 0);
    CHECK_EQUAL(kin_forkserver_ensure_running(), 0);
    CHECK_EQUAL(server_pid(), pid);
    CHECK_MEMORY();
}

TEST(stop_ends_the_server_and_the_next_start_gets_another)
{
    begin_serving();
    CHECK_EQUAL(kin_forkserver_stop(), 0); /* there is none */
    pid_t first = ask_for_server();
    CHECK_EQUAL(kin_forkserver_stop(), 0);
    CHECK_EQUAL(kin_forkserver_stop(), 0);
    CHECK(ask_for_server() != first);
}

TEST(how_children_end_is_known_after_the_server_was_stopped)
{
    begin_serving();
    kin_process *process = start_and_await_word(wait_for_ever, (kin_process_options){0});
    CHECK_EQUAL(kin_forkserver_stop(), 0);
    CHECK(kin_process_is_alive(process));
    kin_process_terminate(process);
    CHECK_EQUAL(exit_code_of(process), -SIGTERM);
    CHECK_MEMORY();
}

TEST(ends_are_known_where_the_program_ignores_them_or_waits_for_all)
{
    begin_serving();
    signal(SIGCHLD, SIG_IGN);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    kin_process *process = start_and_await_word(wait_for_ever, (kin_process_options){0});
    kin_process_kill(process);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    signal(SIGCHLD, SIG_DFL);
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
}

TEST(a_child_is_joined_with_a_token)
{
    begin_serving();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    kin_process *process = start_and_await_word(wait_for_ever, (kin_process_options){0});
    CHECK_EQUAL(kin_process_join(process, kin_by(kin_now_ns() + 1, cancel)), -ETIMEDOUT);
    CHECK_EQUAL(kin_process_join(process, KIN_NOW), -EAGAIN);
    kin_process_kill(process);
    CHECK_EQUAL(kin_process_join(process, kin_by(INT64_MAX, cancel)), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    kin_cancel_free(cancel);
}

TEST(more_fds_than_a_message_takes_are_refused)
{
    begin_serving();
    int fds[65] = {0};
    kin_object *none = kin_tuple_from(NULL, 0);
    kin_process *process = NULL;
    CHECK_EQUAL(kin_process_start(
                    return_seven, none,
                    KIN_OPTIONS(kin_process_options, .context = method, .fds = fds, .fd_count = 65),
                    &process),
                KIN_ELIMIT);
    kin_object_free(none);
    CHECK_MEMORY();
}

/* --- what a child has --- */

static int count_open_fds(void)
{
    int count = -1; /* the folder itself */
    DIR *folder = opendir("/proc/self/fd");
    REQUIRE(folder != NULL);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

/* Besides the standard streams and the family's memory. The sanitizers and the keeper have none. */
static int look_at_fds(kin_call *call)
{
    enum { STREAMS = 3, MEMORY = 1 };
    CHECK_EQUAL(kin_call_fd_count(call), 2);
    CHECK_EQUAL(count_open_fds(), STREAMS + MEMORY + 3);
    CHECK_EQUAL(write(kin_object_fd(kin_call_argument(call, 0)), "a", 1), 1);
    CHECK_EQUAL(write(kin_call_fd(call, 0), "b", 1), 1);
    CHECK_EQUAL(write(kin_call_fd(call, 1), "c", 1), 1);
    return 7;
}
KIN_FUNCTION(look_at_fds)

TEST(a_child_has_the_fds_that_it_was_given_and_no_others)
{
    begin_serving();
    int ends[3][2];
    kin_object *fd = NULL;
    REQUIRE(kin_forkserver_ensure_running() == 0);
    for (int i = 0; i < 3; i++) {
        REQUIRE(pipe(ends[i]) == 0); /* not close-on-exec */
    }
    REQUIRE(kin_object_from_fd(ends[0][1], &fd) == 0);
    int fds[2] = {ends[1][1], ends[2][1]};
    CHECK_EQUAL(exit_code_of(start_given(look_at_fds, KIN_TUPLE(fd),
                                         (kin_process_options){.fds = fds, .fd_count = 2})),
                7);
    for (int i = 0; i < 3; i++) {
        char byte = 0;
        close(ends[i][1]);
        CHECK_EQUAL(read(ends[i][0], &byte, 1), 1);
        CHECK_EQUAL(byte, "abc"[i]);
        CHECK_EQUAL(read(ends[i][0], &byte, 1), 0);
        close(ends[i][0]);
    }
}

static int look_at_signals(kin_call *call)
{
    sigset_t blocked;
    (void)call;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < 32; number++) {
        CHECK_EQUAL(sigismember(&blocked, number), 0);
    }
    return signal(SIGCHLD, SIG_DFL) == SIG_DFL ? 7 : 1;
}
KIN_FUNCTION(look_at_signals)

TEST(a_child_blocks_no_signals)
{
    begin_serving();
    CHECK_EQUAL(exit_code_of(start(look_at_signals)), 7);
}

/* --- what is preloaded --- */

static int64_t loaded;

static int load(kin_call *call)
{
    loaded = loaded * 10 + kin_call_int(call, 0);
    return 0;
}
KIN_FUNCTION(load)

static int return_loaded(kin_call *call)
{
    (void)call;
    return (int)loaded;
}
KIN_FUNCTION(return_loaded)

static int preload(kin_function *function, int64_t number)
{
    kin_object *arguments = KIN_TUPLE(kin_object_from_int(number));
    int r = kin_forkserver_preload(function, arguments);
    kin_object_free(arguments);
    return r;
}

TEST(children_see_what_was_preloaded_in_order)
{
    begin_serving();
    CHECK_EQUAL(preload(load, 1), 0);
    CHECK_EQUAL(preload(load, 2), 0);
    CHECK_EQUAL(exit_code_of(start(return_loaded)), 12);
    CHECK_EQUAL(loaded, 0); /* in this process, it has not run */
    CHECK_EQUAL(preload(load, 3), -EALREADY);
    CHECK_EQUAL(exit_code_of(start(return_loaded)), 12);
    CHECK_EQUAL(kin_forkserver_stop(), 0);
    CHECK_EQUAL(preload(load, 3), 0);
    CHECK_EQUAL(exit_code_of(start(return_loaded)), 123);
}

static int not_registered(kin_call *call)
{
    (void)call;
    return 0;
}

TEST(a_preload_that_cannot_work_is_refused)
{
    CHECK_EQUAL(preload(load, 1), KIN_EFAMILY);
    CHECK_EQUAL(kin_forkserver_ensure_running(), KIN_EFAMILY);
    CHECK_EQUAL(kin_forkserver_stop(), KIN_EFAMILY);
    begin_serving();
    CHECK_EQUAL(preload(NULL, 1), -EINVAL);
    CHECK_EQUAL(preload(not_registered, 1), KIN_EFUNCTION);
    CHECK_EQUAL(kin_forkserver_preload(load, NULL), -ENOMEM);
    CHECK_EQUAL(exit_code_of(start(return_loaded)), 0);
}

static void check_no_start(int expected)
{
    kin_process *process = NULL;
    kin_object *none = kin_tuple_from(NULL, 0);
    int kept = hide_stderr();
    CHECK_EQUAL(kin_forkserver_ensure_running(), expected);
    CHECK_EQUAL(kin_process_start(return_loaded, none,
                                  KIN_OPTIONS(kin_process_options, .context = method), &process),
                expected);
    show_stderr(kept);
    kin_object_free(none);
    CHECK_MEMORY();
}

static int fail_to_load(kin_call *call)
{
    return kin_call_fail(call, -EDOM, "this cannot be loaded");
}
KIN_FUNCTION(fail_to_load)

TEST(a_preload_that_fails_is_why_starts_fail)
{
    begin_serving();
    CHECK_EQUAL(preload(fail_to_load, 1), 0);
    check_no_start(-EDOM);
}

TEST(a_preload_that_fails_says_where_it_ran)
{
    begin_serving();
    CHECK_EQUAL(preload(fail_to_load, 1), 0);
    struct caught *caught = catch_stderr();
    int r = kin_forkserver_ensure_running();
    give_stderr_back(caught);
    CHECK_EQUAL(r, -EDOM);
    CHECK(strstr(caught->text, "forkserver: EDOM: this cannot be loaded (") == caught->text);
    free(caught);
}

static int end_server(kin_call *call)
{
    (void)call;
    raise(SIGKILL);
    return 0;
}
KIN_FUNCTION(end_server)

TEST(a_preload_that_ends_the_server_is_why_starts_fail)
{
    begin_serving();
    CHECK_EQUAL(preload(end_server, 1), 0);
    check_no_start(KIN_EWORKER);
}

static int sleep_for_ever(void *user)
{
    (void)user;
    while (pause() < 0) {
    }
    return 0;
}

static int leave_thread(kin_call *call)
{
    thrd_t thread;
    (void)call;
    return thrd_create(&thread, sleep_for_ever, NULL) == thrd_success ? 0 : -1;
}
KIN_FUNCTION(leave_thread)

TEST(a_preload_that_leaves_a_thread_is_refused)
{
    begin_serving();
    CHECK_EQUAL(preload(leave_thread, 1), 0);
    check_no_start(-EBUSY);
}

/* --- deaths --- */

TEST(a_server_that_was_killed_is_replaced)
{
    begin_serving();
    pid_t first = ask_for_server();
    kill_server();
    CHECK(ask_for_server() != first);
    kill_server();
    CHECK_EQUAL(kin_forkserver_ensure_running(), 0);
    CHECK_MEMORY();
}

static int wait_for_byte(kin_call *call)
{
    char byte = 0;
    say_so(call);
    CHECK_EQUAL(read(kin_call_fd(call, 0), &byte, 1), 1);
    return 7;
}
KIN_FUNCTION(wait_for_byte)

TEST(children_go_on_without_their_server)
{
    begin_serving();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    kin_process *by_itself = start_and_await_word(
        wait_for_byte, (kin_process_options){.fds = &ends[0], .fd_count = 1});
    kin_process *killed = start_and_await_word(wait_for_ever, (kin_process_options){0});
    pid_t pids[2] = {kin_process_pid(by_itself), kin_process_pid(killed)};
    kill_server();
    CHECK(kin_process_is_alive(by_itself) && kin_process_is_alive(killed));
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    CHECK_EQUAL(exit_code_of(by_itself), 7);
    kin_process_kill(killed);
    CHECK_EQUAL(kin_process_join(killed, KIN_FOREVER), 0);
    int code = 0;
    CHECK_EQUAL(kin_process_exit_code(killed, &code), -ECHILD);
    kin_process_free(killed);
    CHECK_EQUAL(waitpid(pids[0], NULL, 0), pids[0]);
    CHECK_EQUAL(waitpid(pids[1], NULL, 0), pids[1]);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(ends[0]);
    close(ends[1]);
    CHECK_MEMORY();
}

/* Argument 0: an fd to write {its server's id, its child's id} to. */
static int be_killed_with_server(kin_call *call)
{
    method = kin_context_get(KIN_FORKSERVER);
    bool is_daemon = kin_call_int(call, 1) != 0;
    kin_process *process = start_and_await_word(wait_for_ever,
                                                (kin_process_options){.is_daemon = is_daemon});
    pid_t pids[2] = {server_pid(), kin_process_pid(process)};
    CHECK_EQUAL(write(kin_object_fd(kin_call_argument(call, 0)), pids, sizeof pids), sizeof pids);
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(be_killed_with_server)

/* The one it serves is killed: the server ends, and its child if it is a daemon. */
static void check_killed(bool is_daemon)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int ends[2];
    pid_t pids[2];
    int status = 0;
    kin_object *fd = NULL;
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(kin_object_from_fd(ends[1], &fd) == 0);
    kin_process *process = start_given(be_killed_with_server,
                                       KIN_TUPLE(fd, kin_object_from_int(is_daemon)),
                                       (kin_process_options){0});
    close(ends[1]);
    REQUIRE(read(ends[0], pids, sizeof pids) == sizeof pids);
    close(ends[0]);
    kin_process_kill(process);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    CHECK_EQUAL(waitpid(pids[0], &status, 0), pids[0]);
    CHECK_EQUAL(status, 0);
    if (!is_daemon) {
        CHECK_EQUAL(kill(pids[1], 0), 0);
        kill(pids[1], SIGKILL);
    }
    pid_t ended = waitpid(pids[1], &status, 0);
    CHECK(ended == pids[1] || (is_daemon && errno == ECHILD)); /* its server has waited for it */
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(a_server_ends_with_its_process_that_is_killed)
{
    check_killed(false);
}

TEST(so_do_children_that_are_daemons)
{
    check_killed(true);
}

/* --- forks --- */

/* What a dead server has left: those that run, and those that it had not waited for. */
static void await_orphans(void)
{
    while (waitpid(-1, NULL, 0) > 0) {
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(a_forked_child_has_a_server_of_its_own)
{
    begin_serving();
    CHECK_EQUAL(preload(load, 4), 0);
    pid_t first = ask_for_server();
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        CHECK(kin__forkserver.socket < 0);
        CHECK(ask_for_server() != first);
        CHECK_EQUAL(exit_code_of(start(return_loaded)), 4);
        kin_fini();
        _exit(0);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(status, 0);
    CHECK_EQUAL(ask_for_server(), first);
}

static int fork_aside(kin_call *call)
{
    method = kin_context_get(KIN_FORKSERVER);
    pid_t pids[2] = {ask_for_server(), fork()};
    if (pids[1] == 0) {
        pause();
    }
    CHECK_EQUAL(write(kin_object_fd(kin_call_argument(call, 0)), pids, sizeof pids), sizeof pids);
    raise(SIGKILL);
    return 0;
}
KIN_FUNCTION(fork_aside)

TEST(a_server_does_not_outlive_its_process_for_a_forked_child_of_that)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int ends[2];
    pid_t pids[2];
    kin_object *fd = NULL;
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(kin_object_from_fd(ends[1], &fd) == 0);
    kin_process *process = start_given(fork_aside, KIN_TUPLE(fd), (kin_process_options){0});
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    REQUIRE(read(ends[0], pids, sizeof pids) == sizeof pids);
    CHECK_EQUAL(waitpid(pids[0], NULL, 0), pids[0]);
    CHECK_EQUAL(kill(pids[1], SIGKILL), 0);
    await_orphans();
    close(ends[0]);
    close(ends[1]);
}

/* --- many at once --- */

enum { THREADS = 4, STARTS = 25 };

static int start_many(void *user)
{
    (void)user;
    for (int i = 0; i < STARTS; i++) {
        CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    }
    return 0;
}

TEST_WITH(threads_start_children_at_once, .limit_seconds = 60)
{
    begin_serving();
    thrd_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        REQUIRE(thrd_create(&threads[i], start_many, NULL) == thrd_success);
    }
    for (int i = 0; i < THREADS; i++) {
        thrd_join(threads[i], NULL);
    }
    CHECK_MEMORY();
}

static _Atomic int running_count;
static _Atomic uint64_t started_count;

/* Puts a message into a queue, so that children are counted that have run. */
static int count_run(kin_call *call)
{
    kin_handle handle;
    kin_queue *queue = NULL;
    CHECK_EQUAL(kin_object_to_handle(kin_call_argument(call, 0), &handle), 0);
    CHECK_EQUAL(kin_queue_attach(handle, &queue), 0);
    CHECK_EQUAL(kin_queue_put_bytes(queue, "x", 1, KIN_FOREVER), 0);
    kin_queue_free(queue);
    return 7;
}
KIN_FUNCTION(count_run)

static int start_beside_kills(void *user)
{
    for (int i = 0; i < STARTS; i++) {
        kin_object *handle = NULL;
        REQUIRE(kin_object_from_handle(kin_queue_handle(user), &handle) == 0);
        kin_object *arguments = KIN_TUPLE(handle);
        kin_process *process = NULL;
        int r = kin_process_start(count_run, arguments,
                                  KIN_OPTIONS(kin_process_options, .context = method), &process);
        CHECK(r == 0 || r == KIN_EWORKER);
        if (r == 0) {
            CHECK_EQUAL(exit_code_of(process), 7);
            atomic_fetch_add(&started_count, 1);
        }
        kin_object_free(arguments);
    }
    atomic_fetch_sub(&running_count, 1);
    return 0;
}

TEST_WITH(starts_beside_kills_of_servers_give_one_child_each_or_none, .limit_seconds = 120)
{
    begin_serving();
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans of servers come here */
    kin_queue *queue = NULL;
    kin_message message;
    uint64_t count = 0;
    thrd_t threads[THREADS];
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    atomic_store(&running_count, THREADS);
    for (int i = 0; i < THREADS; i++) {
        REQUIRE(thrd_create(&threads[i], start_beside_kills, queue) == thrd_success);
    }
    for (uint32_t last = 0; atomic_load(&running_count) > 0;) {
        uint32_t owner = *(volatile uint32_t *)&kin__forkserver.owner;
        if (owner != last && kin__member_state_of(owner) == KIN__MEMBER_LIVE) {
            kill((pid_t)kin__member_of(owner)->pid, SIGKILL);
            last = owner;
        }
        usleep(5000);
    }
    for (int i = 0; i < THREADS; i++) {
        thrd_join(threads[i], NULL);
    }
    while (kin_queue_get_bytes(queue, KIN_NOW, &message) == 0) {
        kin_message_free(&message);
        count++;
    }
    CHECK_EQUAL(count, atomic_load(&started_count));
    kin_queue_free(queue);
    CHECK_EQUAL(kin_forkserver_stop(), 0);
    await_orphans();
    CHECK_MEMORY();
}

/* --- limits --- */

static int start_and_join(void)
{
    kin_process *process = NULL;
    kin_object *none = kin_tuple_from(NULL, 0);
    int r = kin_process_start(return_seven, none,
                              KIN_OPTIONS(kin_process_options, .context = method), &process);
    CHECK(r == 0 || process == NULL);
    if (r == 0) {
        int code = exit_code_of(process);
        CHECK(code == 7 || code == -SIGKILL); /* it could not begin */
    }
    kin_object_free(none);
    return r;
}

TEST_WITH(starts_with_few_fds_work_or_say_so, .limit_seconds = 60)
{
    begin_serving();
    struct rlimit before;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    int worked = 0;
    for (rlim_t limit = 4; limit < 24; limit++) {
        CHECK_EQUAL(kin_forkserver_stop(), 0);
        struct rlimit few = {.rlim_cur = limit, .rlim_max = before.rlim_max};
        REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
        int r = start_and_join();
        CHECK(r == 0 || r == -EMFILE || r == -ENOMEM);
        worked += r == 0;
        r = start_and_join();
        CHECK(r == 0 || r == -EMFILE || r == -ENOMEM);
        REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
        CHECK_MEMORY();
    }
    CHECK(worked > 0);
    CHECK_EQUAL(start_and_join(), 0);
}

TEST(a_process_that_runs_out_of_fds_under_a_running_server_says_so)
{
    begin_serving();
    CHECK_EQUAL(start_and_join(), 0);
    struct rlimit before;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    CHECK_EQUAL(start_and_join(), -EMFILE);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK_EQUAL(start_and_join(), 0);
    CHECK_MEMORY();
}

#ifdef KIN_FAULTS

TEST_WITH(a_start_by_the_forkserver_that_the_system_refuses_leaves_nothing, .limit_seconds = 60)
{
    begin_serving();
    int worked = 0;
    for (uint64_t n = 1; n < 80; n++) {
        CHECK_EQUAL(kin_forkserver_stop(), 0);
        kin__os_fail_here(n);
        int r = start_and_join();
        kin__os_fail_here(0);
        CHECK(r == 0 || r == -ENOMEM || r == -EAGAIN || r == -EMFILE || r == -ENOBUFS ||
              r == KIN_EWORKER);
        worked += r == 0;
        CHECK_MEMORY();
    }
    CHECK(worked > 0);
}

TEST_WITH(a_start_by_the_forkserver_without_memory_leaves_nothing, .limit_seconds = 60)
{
    begin_serving();
    int worked = 0;
    for (uint64_t n = 1; n < 60; n++) {
        CHECK_EQUAL(kin_forkserver_stop(), 0);
        kin__allocation_fail_at(n);
        int r = start_and_join();
        kin__allocation_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM);
        worked += r == 0;
        CHECK_MEMORY();
    }
    CHECK(worked > 0);
}

#endif
