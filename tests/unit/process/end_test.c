/* The ways in which a child can end by itself, and what it is given to begin with. */
#include "processes.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

static int call_exit(kin_call *call)
{
    (void)call;
    exit(5);
}
KIN_FUNCTION(call_exit)

static int call_exit_now(kin_call *call)
{
    (void)call;
    _exit(6);
}
KIN_FUNCTION(call_exit_now)

static int call_abort(kin_call *call)
{
    (void)call;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    abort();
}
KIN_FUNCTION(call_abort)

static int return_260(kin_call *call)
{
    (void)call;
    return 260;
}
KIN_FUNCTION(return_260)

static int fail_silently(kin_call *call)
{
    fclose(stderr);
    return kin_call_fail(call, -EIO, "no");
}
KIN_FUNCTION(fail_silently)

static void *go_on(void *user)
{
    (void)user;
    while (pause() < 0) {
    }
    return NULL;
}

static int leave_a_thread(kin_call *call)
{
    (void)call;
    pthread_t thread;
    return pthread_create(&thread, NULL, go_on, NULL) == 0 ? 7 : 1;
}
KIN_FUNCTION(leave_a_thread)

static int end_its_thread(kin_call *call)
{
    (void)call;
    kill(getpid(), SIGUSR1);
    return 0;
}
KIN_FUNCTION(end_its_thread)

TEST_OF_METHODS(exit_codes_are_those_that_the_child_ends_with)
{
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    CHECK_EQUAL(exit_code_of(start(return_260)), 4);
    CHECK_EQUAL(exit_code_of(start(fail_silently)), 1);
    CHECK_EQUAL(exit_code_of(start(call_exit)), 5);
    CHECK_EQUAL(exit_code_of(start(call_exit_now)), 6);
    CHECK_EQUAL(exit_code_of(start(end_its_thread)), -SIGUSR1);
    CHECK_EQUAL(exit_code_of(start(leave_a_thread)), 7);
}

TEST_OF_METHODS(a_child_that_aborts_was_ended_by_the_signal)
{
    CHECK_EQUAL(exit_code_of(start_given(call_abort, kin_object_none(),
                                         (kin_process_options){.crash_is_quiet = true})),
                -SIGABRT);
}

/* --- standard input --- */

static int read_input(kin_call *call)
{
    (void)call;
    char byte = 0;
    int r = getchar() == EOF && read(STDIN_FILENO, &byte, 1) == 0 ? 7 : 1;
    exit(r); /* which puts back, as it thinks, what stdin has read ahead */
}
KIN_FUNCTION(read_input)

TEST_OF_METHODS(a_childs_standard_input_is_empty_and_its_parents_is_left_alone)
{
    char path[300];
    char line[20] = "";
    snprintf(path, sizeof path, "%s/input", test_folder());
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fputs("first\nsecond\nthird\n", file);
    fclose(file);
    int before = dup(STDIN_FILENO);
    REQUIRE(freopen(path, "r", stdin) != NULL);
    CHECK(fgets(line, sizeof line, stdin) != NULL);
    CHECK_EQUAL(exit_code_of(start(read_input)), 7);
    for (int i = 0; i < 2; i++) {
        CHECK(fgets(line, sizeof line, stdin) != NULL);
        CHECK_STRING(line, i == 0 ? "second\n" : "third\n");
    }
    CHECK(fgets(line, sizeof line, stdin) == NULL);
    CHECK_EQUAL(dup2(before, STDIN_FILENO), STDIN_FILENO);
    close(before);
}

/* --- fds --- */

static int write_to_given(kin_call *call)
{
    CHECK_EQUAL(kin_call_fd_count(call), 2);
    CHECK_EQUAL(write(kin_call_fd(call, 0), "a", 1), 1);
    CHECK_EQUAL(write(kin_call_fd(call, 1), "b", 1), 1);
    CHECK_EQUAL(kin_call_fd(call, 2), -EINVAL);
    return 7;
}
KIN_FUNCTION(write_to_given)

TEST_OF_METHODS(fds_can_be_given)
{
    int first[2], second[2];
    char byte = 0;
    REQUIRE(pipe(first) == 0 && pipe(second) == 0);
    int fds[] = {second[1], first[1]};
    kin_process *process = start_given(write_to_given, kin_object_none(),
                                       (kin_process_options){.fds = fds, .fd_count = 2});
    CHECK_EQUAL(exit_code_of(process), 7);
    CHECK_EQUAL(read(first[0], &byte, 1), 1);
    CHECK_EQUAL(byte, 'b');
    CHECK_EQUAL(read(second[0], &byte, 1), 1);
    CHECK_EQUAL(byte, 'a');
    for (int i = 0; i < 2; i++) {
        close(first[i]);
        close(second[i]);
    }
}

TEST_OF_METHODS(the_end_of_a_child_can_be_waited_for_among_others)
{
    kin_queue *queue = NULL;
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    kin_process *process = start_and_await_word(wait_for_ever, (kin_process_options){0});
    kin_wait_item items[] = {kin_wait_for_queue(queue),
                             kin_wait_for_read(kin_process_sentinel(process))};
    CHECK_EQUAL(kin_wait_many(items, 2, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_process_kill(process), 0);
    CHECK_EQUAL(kin_wait_many(items, 2, KIN_FOREVER), 1);
    CHECK(!items[0].is_ready && items[1].is_ready);
    CHECK_EQUAL(exit_code_of(process), -SIGKILL);
    kin_queue_free(queue);
}

/* Gets a message from the queue that it is given. */
static int get_message(kin_call *call)
{
    kin_handle handle;
    kin_queue *queue = NULL;
    kin_message message;
    REQUIRE(kin_object_to_handle(kin_call_argument(call, 0), &handle) == 0);
    REQUIRE(kin_queue_attach(handle, &queue) == 0);
    int r = kin_queue_get_bytes(queue, KIN_FOREVER, &message);
    if (r == 0) {
        kin_message_free(&message);
    }
    kin_queue_free(queue);
    return r;
}
KIN_FUNCTION(get_message)

TEST_OF_METHODS(a_child_that_waits_for_a_message_is_blocked_until_it_comes)
{
    kin_queue *queue = NULL;
    kin_object *handle = NULL;
    REQUIRE(kin_queue_create(NULL, &queue) == 0);
    REQUIRE(kin_object_from_handle(kin_queue_handle(queue), &handle) == 0);
    kin_process *process = start_given(get_message, KIN_TUPLE(handle), (kin_process_options){0});
    while (kin_process_state(process) != KIN_STATE_BLOCKED) {
        sched_yield();
    }
    CHECK_EQUAL(kin_queue_put_bytes(queue, "x", 1, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_state(process), KIN_STATE_TERMINATED);
    CHECK_EQUAL(exit_code_of(process), 0);
    kin_queue_free(queue);
}

/* Of two signals that have come to a process, the kernel takes the one with the lower number. */
static void interrupt_and_terminate(kin_process *process)
{
    CHECK_EQUAL(kin_process_interrupt(process), 0);
    CHECK_EQUAL(kin_process_terminate(process), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGTERM);
}

TEST_OF_METHODS(children_of_a_process_that_handles_interrupts_leave_them_to_it)
{
    signal(SIGINT, SIG_DFL);
    kin_process *before = start_and_await_word(wait_for_ever, (kin_process_options){0});
    REQUIRE(kin_interrupt_handle(NULL) == 0);
    interrupt_and_terminate(start_and_await_word(wait_for_ever, (kin_process_options){0}));
    CHECK_EQUAL(kin_process_interrupt(before), 0);
    CHECK_EQUAL(exit_code_of(before), -SIGINT); /* those that run already keep to theirs */
}

/* Of children that are polled, and freed when they have ended; nobody sleeps, so nobody else takes
 * back what they had. */
TEST_OF_METHODS(children_that_nobody_joins_leave_nothing)
{
    enum { MANY = 8 };
    kin_member members[MANY];
    for (int i = 0; i < MANY; i++) {
        kin_process *process = start(i % 2 == 0 ? return_seven : call_exit_now);
        while (kin_process_is_alive(process)) {
            sched_yield();
        }
        CHECK(kin_process_free(process) == NULL);
    }
    while (kin_members(members, MANY) > 4) { /* this process and a server, which may be at it */
        sched_yield();
    }
}
