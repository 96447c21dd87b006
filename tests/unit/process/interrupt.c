/* Ctrl-C, for a process and its children. */
#include "unit/children.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/interrupt.h>
#include <kin/process.h>
#include <pthread.h>
#include <signal.h>

static int run_until_ended(kin_call *call)
{
    (void)call;
    atomic_fetch_add(&numbers[0], 1);
    await_number(1, 1);
    return 7;
}
KIN_FUNCTION(run_until_ended)

static kin_process *start_child(void)
{
    kin_process *process = NULL;
    REQUIRE(kin_process_start_bytes(run_until_ended, NULL, 0, NULL, &process) == 0);
    return process;
}

static int exit_code_of(kin_process *process)
{
    int code = 0;
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(process, &code), 0);
    kin_process_free(process);
    return code;
}

/* As from a terminal: to all processes of the program. */
static void press(kin_process *child)
{
    CHECK_EQUAL(kill(kin_process_pid(child), SIGINT), 0);
    CHECK_EQUAL(kill(getpid(), SIGINT), 0);
}

TEST_OF_PROCESSES(the_first_interrupt_fires_the_token_and_ends_nobody)
{
    kin_cancel *cancel = NULL;
    begin();
    REQUIRE(kin_interrupt_handle(&cancel) == 0);
    CHECK_EQUAL(kin_interrupt_count(), 0);
    kin_process *child = start_child();
    await_number(0, 1);
    press(child);
    CHECK_EQUAL(kin_process_join(child, kin_by(INT64_MAX, cancel)), -ECANCELED);
    CHECK_EQUAL(kin_interrupt_count(), 1);
    atomic_store(&numbers[1], 1);
    CHECK_EQUAL(exit_code_of(child), 7);
}

TEST_OF_PROCESSES(the_second_interrupt_terminates_children)
{
    begin();
    REQUIRE(kin_interrupt_handle(NULL) == 0);
    kin_process *first = start_child();
    kin_process *second = start_child();
    await_number(0, 2);
    press(first);
    press(second);
    CHECK_EQUAL(exit_code_of(first), -SIGTERM);
    CHECK_EQUAL(exit_code_of(second), -SIGTERM);
    CHECK_EQUAL(kin_interrupt_count(), 2);
}

static int ignore_sigterm(kin_call *call)
{
    signal(SIGTERM, SIG_IGN);
    return run_until_ended(call);
}
KIN_FUNCTION(ignore_sigterm)

/* A program of its own, in which Ctrl-C is pressed `count` times; numbers[2] is its child's pid. */
static int press_in_a_program(int count)
{
    int status = 0;
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        kin_process *child = NULL;
        REQUIRE(kin_init(NULL, NULL) == 0);
        REQUIRE(kin_interrupt_handle(NULL) == 0);
        REQUIRE(kin_process_start_bytes(ignore_sigterm, NULL, 0, NULL, &child) == 0);
        atomic_store(&numbers[2], (uint64_t)kin_process_pid(child));
        await_number(0, 1);
        for (int i = 0; i < count; i++) {
            kill(getpid(), SIGINT);
        }
        kin_process_join(child, KIN_FOREVER);
        kin_process_join(child, KIN_FOREVER);
        pause();
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    return status;
}

/* Waits until the child has ended, also if nobody has waited for it. */
static void await_end_of_child(void)
{
    uint32_t pid = (uint32_t)atomic_load(&numbers[2]);
    char state = 'R';
    while (state != 'Z' && state != '?') {
        pause_a_moment();
        state = state_in_kernel(pid, pid);
    }
}

static void begin_outside(void)
{
    numbers = mmap(NULL, NUMBER_COUNT * sizeof *numbers, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(numbers != MAP_FAILED);
}

TEST_OF_PROCESSES(the_third_interrupt_ends_all)
{
    begin_outside();
    int status = press_in_a_program(3);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    await_end_of_child();
}

TEST_OF_PROCESSES(the_fourth_interrupt_ends_the_process_at_once)
{
    begin_outside();
    int status = press_in_a_program(4);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    atomic_store(&numbers[1], 1); /* the child may have been left */
    await_end_of_child();
}

static int ask_for_it_too(kin_call *call)
{
    (void)call;
    return -kin_interrupt_handle(NULL);
}
KIN_FUNCTION(ask_for_it_too)

TEST_OF_PROCESSES(only_one_process_of_a_family_handles_it)
{
    kin_process *child = NULL;
    begin();
    REQUIRE(kin_interrupt_handle(NULL) == 0);
    CHECK_EQUAL(kin_interrupt_handle(NULL), -EALREADY);
    REQUIRE(kin_process_start_bytes(ask_for_it_too, NULL, 0, NULL, &child) == 0);
    CHECK_EQUAL(exit_code_of(child), EALREADY);
}

static void note(int number)
{
    atomic_store(&numbers[3], (uint64_t)number);
}

TEST_OF_PROCESSES(fini_gives_the_program_its_own_handler_back)
{
    begin();
    signal(SIGINT, note);
    REQUIRE(kin_interrupt_handle(NULL) == 0);
    kin_fini();
    raise(SIGINT);
    CHECK_EQUAL(atomic_load(&numbers[3]), SIGINT);
    REQUIRE(kin_init(NULL, NULL) == 0);
    CHECK_EQUAL(kin_interrupt_handle(NULL), 0);
}

TEST_OF_PROCESSES(what_is_ignored_stays_ignored)
{
    begin();
    signal(SIGINT, SIG_IGN);
    REQUIRE(kin_interrupt_handle(NULL) == 0);
    raise(SIGINT);
    CHECK_EQUAL(kin_interrupt_count(), 0);
}

TEST_OF_PROCESSES(the_child_of_a_plain_fork_dies_by_it)
{
    int status = 0;
    begin();
    REQUIRE(kin_interrupt_handle(NULL) == 0);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        raise(SIGINT);
        _exit(1);
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    CHECK_EQUAL(kin_interrupt_count(), 0);
}

TEST_OF_PROCESSES(without_a_family_nothing_is_handled)
{
    begin();
    kin_fini();
    CHECK_EQUAL(kin_interrupt_handle(NULL), KIN_EFAMILY);
    CHECK_EQUAL(kin_interrupt_count(), 0);
}

static _Atomic bool is_over;

static void pass(int number)
{
    (void)number;
}

static void *take_interrupts(void *user)
{
    while (!is_over) {
    }
    return user;
}

/* The handler may be about to wake the keeper, which goes with the family's memory. */
TEST_OF_PROCESSES(an_interrupt_may_come_in_another_thread_while_the_process_leaves)
{
    pthread_t thread;
    begin();
    kin_fini();
    signal(SIGINT, pass);
    REQUIRE(pthread_create(&thread, NULL, take_interrupts, NULL) == 0);
    for (int i = 0; i < 400; i++) {
        REQUIRE(kin_init(NULL, NULL) == 0);
        REQUIRE(kin_interrupt_handle(NULL) == 0);
        pthread_kill(thread, SIGINT);
        kin_fini();
    }
    is_over = true;
    pthread_join(thread, NULL);
}
