/* What a process is not good for at the moment is refused, in every function, and never waits. */
#include "processes.h"

#include <pthread.h>
#include <sys/wait.h>

/* Every function that needs a child that runs or has run. */
static void check_refused(kin_process *process, int code)
{
    int exit_code = 12345;
    kin_stop at_once = {.kill_ms = KIN_STOP_FOREVER};
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), code);
    CHECK_EQUAL(kin_process_terminate(process), code);
    CHECK_EQUAL(kin_process_kill(process), code);
    CHECK_EQUAL(kin_process_interrupt(process), code);
    CHECK_EQUAL(kin_process_stop(process, &at_once, KIN_FOREVER), code);
    CHECK_EQUAL(kin_process_stop(process, &(kin_stop){0}, KIN_FOREVER), code);
    CHECK_EQUAL(kin_process_sentinel(process), code);
    if (code != -EDEADLK) { /* this process has none yet */
        CHECK_EQUAL(kin_process_exit_code(process, &exit_code), code);
        CHECK(!kin_process_is_alive(process));
    }
    CHECK_EQUAL(exit_code, 12345);
}

static kin_process *create(kin_function *function)
{
    kin_process *process = NULL;
    kin_object *nothing = kin_tuple_from(NULL, 0);
    REQUIRE(kin_process_create(function, nothing,
                               KIN_OPTIONS(kin_process_options, .context = method), &process) == 0);
    kin_object_free(nothing);
    return process;
}

TEST_OF_METHODS(one_that_is_new_can_only_be_started)
{
    kin_process *process = create(return_seven);
    CHECK_EQUAL(kin_process_phase(process), KIN_PHASE_NEW);
    CHECK_EQUAL(kin_process_state(process), KIN_STATE_NEW);
    CHECK_EQUAL(kin_process_pid(process), 0);
    CHECK_STRING(kin_process_name(process), "Process-1");
    CHECK_STRING(kin_process_identity(process), "1");
    check_refused(process, -ESRCH);
    CHECK_EQUAL(kin_process_launch(process), 0);
    CHECK(kin_process_pid(process) > 0);
    CHECK_EQUAL(exit_code_of(process), 7);
}

TEST_OF_METHODS(one_is_started_once)
{
    kin_process *process = create(return_seven);
    CHECK_EQUAL(kin_process_launch(process), 0);
    CHECK_EQUAL(kin_process_launch(process), -EALREADY);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_phase(process), KIN_PHASE_ENDED);
    CHECK_EQUAL(kin_process_state(process), KIN_STATE_TERMINATED);
    CHECK_EQUAL(kin_process_launch(process), -EALREADY);
    CHECK_EQUAL(exit_code_of(process), 7);
}

TEST_OF_METHODS(one_that_is_never_started_is_freed)
{
    kin_process_free(create(return_seven));
    kin_process *process = create(return_seven);
    CHECK(kin_process_ref(process) == process);
    CHECK_STRING(kin_process_name(process), "Process-2");
    CHECK(kin_process_free(process) == NULL);
    CHECK_EQUAL(kin_process_launch(process), 0);
    CHECK_EQUAL(exit_code_of(process), 7);
}

TEST_OF_METHODS(one_that_runs_is_not_closed)
{
    kin_process *process = start_and_await_word(wait_for_ever, (kin_process_options){0});
    CHECK_EQUAL(kin_process_phase(process), KIN_PHASE_STARTED);
    CHECK_EQUAL(kin_process_close(process), -EBUSY);
    CHECK_EQUAL(kin_process_join(process, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_process_interrupt(process), 0);
    CHECK_EQUAL(exit_code_of(process), -SIGINT);
}

TEST_OF_METHODS(nothing_can_be_done_with_one_that_was_closed)
{
    kin_process *process = start(return_seven);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_close(process), 0);
    CHECK_EQUAL(kin_process_phase(process), KIN_PHASE_CLOSED);
    CHECK_EQUAL(kin_process_state(process), KIN_STATE_TERMINATED);
    CHECK_EQUAL(kin_process_pid(process), -EPIPE);
    CHECK_EQUAL(kin_process_launch(process), -EPIPE);
    CHECK_STRING(kin_process_name(process), "Process-1");
    check_refused(process, -EPIPE);
    CHECK_EQUAL(kin_process_close(process), 0);
    kin_process_free(process);
    process = create(return_seven);
    CHECK_EQUAL(kin_process_close(process), 0);
    CHECK_EQUAL(kin_process_launch(process), -EPIPE);
    kin_process_free(process);
}

TEST_OF_METHODS(this_process_is_not_its_own_child)
{
    kin_process *self = kin_process_current();
    int exit_code = 0;
    check_refused(self, -EDEADLK);
    CHECK(kin_process_is_alive(self));
    CHECK_EQUAL(kin_process_exit_code(self, &exit_code), -EAGAIN);
    CHECK_EQUAL(kin_process_launch(self), -EDEADLK);
    CHECK_EQUAL(kin_process_close(self), -EDEADLK);
    CHECK_EQUAL(kin_process_phase(self), KIN_PHASE_SELF);
    CHECK_EQUAL(kin_process_state(self), KIN_STATE_RUNNING);
}

/* --- in a forked child --- */

static kin_process *inherited[3]; /* runs, new, the parent itself */

static int use_what_is_inherited(kin_call *call)
{
    (void)call;
    for (int i = 0; i < 3; i++) {
        check_refused(inherited[i], -ECHILD);
        CHECK_EQUAL(kin_process_launch(inherited[i]), -ECHILD);
        CHECK_EQUAL(kin_process_close(inherited[i]), -ECHILD);
        CHECK_EQUAL(kin_process_phase(inherited[i]), KIN_PHASE_FOREIGN);
    }
    CHECK_STRING(kin_process_name(inherited[0]), "Process-1");
    CHECK_STRING(kin_process_name(inherited[2]), "MainProcess");
    CHECK_EQUAL(kin_process_pid(inherited[2]), getppid());
    kin_process_free(inherited[0]);
    kin_process_free(inherited[1]);
    return 7;
}

TEST(a_forked_child_is_refused_its_parents_children)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    inherited[0] = start_and_await_word(wait_for_ever, (kin_process_options){0});
    inherited[1] = create(return_seven);
    inherited[2] = kin_process_current();
    CHECK_EQUAL(exit_code_of(start(use_what_is_inherited)), 7);
    CHECK_EQUAL(kin_process_kill(inherited[0]), 0);
    CHECK_EQUAL(exit_code_of(inherited[0]), -SIGKILL);
    CHECK_EQUAL(kin_process_launch(inherited[1]), 0);
    CHECK_EQUAL(exit_code_of(inherited[1]), 7);
}

TEST(the_child_of_a_plain_fork_is_refused_its_parents_children)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    inherited[0] = start_and_await_word(wait_for_ever, (kin_process_options){0});
    inherited[1] = create(return_seven);
    inherited[2] = kin_process_current();
    pid_t pid = fork();
    if (pid == 0) {
        use_what_is_inherited(NULL);
        kin_fini();
        _exit(0);
    }
    int status = 0;
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    CHECK_EQUAL(status, 0);
    CHECK_EQUAL(kin_process_kill(inherited[0]), 0);
    CHECK_EQUAL(exit_code_of(inherited[0]), -SIGKILL);
    kin_process_free(inherited[1]);
}

/* --- arguments --- */

TEST(what_is_no_process_is_refused)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    kin_process *process = NULL;
    kin_object *nothing = kin_object_none();
    CHECK_EQUAL(kin_process_create(NULL, nothing, NULL, &process), -EINVAL);
    CHECK_EQUAL(kin_process_create(return_seven, nothing, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_process_create(return_seven, NULL, NULL, &process), -ENOMEM);
    CHECK_EQUAL(kin_process_create_bytes(return_seven, NULL, 1, NULL, &process), -EINVAL);
    CHECK_EQUAL(kin_process_create(return_seven, nothing, &(kin_process_options){0}, &process),
                -EINVAL);
    CHECK_EQUAL(kin_process_create(return_seven, nothing,
                                   KIN_OPTIONS(kin_process_options, .fd_count = 1), &process),
                -EINVAL);
    CHECK_EQUAL(kin_process_create_object(nothing, NULL, &process), -EINVAL);
    CHECK_EQUAL(kin_process_start_object(NULL, NULL, &process), -ENOMEM);
    CHECK(process == NULL);
    CHECK_EQUAL(kin_process_launch(NULL), -EINVAL);
    CHECK_EQUAL(kin_process_close(NULL), -EINVAL);
    CHECK_EQUAL(kin_process_phase(NULL), 0);
    CHECK_EQUAL(kin_process_state(NULL), KIN_STATE_TERMINATED);
    check_refused(NULL, -EINVAL);
    CHECK(kin_process_free(NULL) == NULL && kin_process_ref(NULL) == NULL);
    CHECK_STRING(kin_process_identity(NULL), "");
    CHECK_EQUAL(kin_process_stop(kin_process_current(), &(kin_stop){.wait_ms = -2}, KIN_NOW),
                -EINVAL);
    kin_process *children[1];
    CHECK_EQUAL(kin_process_children(NULL, 1), -EINVAL);
    CHECK_EQUAL(kin_process_children(children, 1), 0);
}

TEST(without_a_family_there_are_no_processes)
{
    kin_process *process = NULL;
    kin_object *nothing = kin_object_none();
    CHECK_EQUAL(kin_process_create(return_seven, nothing, NULL, &process), KIN_EFAMILY);
    CHECK(kin_process_current() == NULL);
    CHECK(kin_process_parent() == NULL);
    CHECK_EQUAL(kin_process_children(NULL, 0), KIN_EFAMILY);
}

/* --- a start that fails --- */

static void *wait_for_byte(void *user)
{
    char byte;
    return read(*(int *)user, &byte, 1) == 1 ? NULL : user;
}

TEST(one_whose_start_failed_is_new)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    int ends[2];
    pthread_t thread;
    REQUIRE(pipe(ends) == 0);
    REQUIRE(pthread_create(&thread, NULL, wait_for_byte, &ends[0]) == 0);
    kin_process *process = create(return_seven);
    CHECK_EQUAL(kin_process_launch(process), -EBUSY);
    CHECK_EQUAL(kin_process_phase(process), KIN_PHASE_NEW);
    check_refused(process, -ESRCH);
    CHECK_EQUAL(write(ends[1], "x", 1), 1);
    pthread_join(thread, NULL);
    CHECK_EQUAL(kin_process_launch(process), 0);
    CHECK_EQUAL(exit_code_of(process), 7);
    close(ends[0]);
    close(ends[1]);
}
