/* Programs that do with SIGCHLD and wait what they like. */
#include "processes.h"

#include <pthread.h>
#include <sys/wait.h>

static int leave_by_exit(kin_call *call)
{
    (void)call;
    exit(5);
}
KIN_FUNCTION(leave_by_exit)

/* Ends by itself, with `exit`, and by a signal of which nobody but a forkserver is told. */
static void check_codes(bool is_told_signals)
{
    int code = 12345;
    CHECK_EQUAL(exit_code_of(start(return_seven)), 7);
    CHECK_EQUAL(exit_code_of(start(leave_by_exit)), 5);
    kin_process *process = start_and_await_word(wait_for_ever, (kin_process_options){0});
    CHECK_EQUAL(kin_process_kill(process), 0);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    if (is_told_signals || kin_context_method(method) == KIN_FORKSERVER) {
        CHECK_EQUAL(kin_process_exit_code(process, &code), 0);
        CHECK_EQUAL(code, -SIGKILL);
    } else {
        CHECK_EQUAL(kin_process_exit_code(process, &code), -ECHILD);
    }
    kin_process_free(process);
}

TEST_OF_METHODS(with_sigchld_ignored_only_ends_by_signals_are_unknown)
{
    REQUIRE(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    check_codes(false);
    kin_fini();
    REQUIRE(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

TEST_OF_METHODS(the_same_holds_where_children_are_not_to_be_waited_for)
{
    struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    REQUIRE(sigaction(SIGCHLD, &action, NULL) == 0);
    check_codes(false);
    kin_fini();
    REQUIRE(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

static volatile sig_atomic_t ended_count;

static void count_ended(int number)
{
    (void)number;
    ended_count++;
}

TEST_OF_METHODS(a_handler_for_sigchld_is_left_to_the_program)
{
    REQUIRE(signal(SIGCHLD, count_ended) != SIG_ERR);
    check_codes(true);
    CHECK(kin_context_method(method) == KIN_FORKSERVER || ended_count >= 3);
    kin_fini();
    REQUIRE(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

/* --- a program that waits for any child --- */

static _Atomic bool has_to_wait;

static void *wait_for_any(void *user)
{
    (void)user;
    while (has_to_wait) {
        if (waitpid(-1, NULL, WNOHANG) <= 0) {
            usleep(100);
        }
    }
    return NULL;
}

TEST_OF_METHODS(a_program_that_waits_for_any_child_takes_no_more_than_codes)
{
    pthread_t thread;
    has_to_wait = true;
    REQUIRE(pthread_create(&thread, NULL, wait_for_any, NULL) == 0);
    for (int i = 0; i < 20; i++) {
        kin_process *process = start_given(return_seven, kin_tuple_from(NULL, 0),
                                           (kin_process_options){.allow_threads = true});
        CHECK_EQUAL(exit_code_of(process), 7); /* it has left word itself */
    }
    has_to_wait = false;
    pthread_join(thread, NULL);
}
