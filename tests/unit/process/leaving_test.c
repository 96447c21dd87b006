/* How children end that are killed on their way out, or have left the family before. */
#include "processes.h"

#include <pthread.h>
#include <semaphore.h>

static void kill_itself(void *user)
{
    (void)user;
    kill(getpid(), SIGKILL);
}

/* Its last act is to be killed. */
static int die_late(kin_call *call)
{
    (void)call;
    return kin_finalizer_create(kill_itself, NULL, NULL, NULL) == 0 ? 7 : 1;
}
KIN_FUNCTION(die_late)

static int die_late_in_exit(kin_call *call)
{
    die_late(call);
    exit(5);
}
KIN_FUNCTION(die_late_in_exit)

TEST_OF_METHODS(who_is_killed_while_it_leaves_was_killed)
{
    for (int i = 0; i < 20; i++) {
        CHECK_EQUAL(exit_code_of(start(die_late)), -SIGKILL);
        CHECK_EQUAL(exit_code_of(start(die_late_in_exit)), -SIGKILL);
    }
}

static void exit_with_33(void *user)
{
    (void)user;
    exit(33);
}

static int change_its_mind(kin_call *call)
{
    (void)call;
    return kin_finalizer_create(exit_with_33, NULL, NULL, NULL) == 0 ? 7 : 1;
}
KIN_FUNCTION(change_its_mind)

TEST_OF_METHODS(the_status_is_the_last_one_that_a_child_came_to)
{
    CHECK_EQUAL(exit_code_of(start(change_its_mind)), 33);
    REQUIRE(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    CHECK_EQUAL(exit_code_of(start(change_its_mind)), 33);
    kin_fini();
    REQUIRE(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

/* Leaves the family of its parent, and begins one of its own. */
static int begin_anew(kin_call *call)
{
    kin_process *child = NULL;
    int code = 1;
    (void)call;
    kin_fini();
    if (kin_init(NULL, NULL) == 0 &&
        kin_process_start_bytes(return_seven, NULL, 0, NULL, &child) == 0 &&
        kin_process_join(child, KIN_FOREVER) == 0) {
        kin_process_exit_code(child, &code);
    }
    kin_process_free(child);
    return code;
}
KIN_FUNCTION(begin_anew)

TEST_OF_METHODS(a_child_can_leave_the_family_and_begin_another)
{
    skip_where_nothing_is_forked();
    CHECK_EQUAL(exit_code_of(start(begin_anew)), 7);
}

/* --- the first thread of a child, and others --- */

static void *wait_a_little(void *user)
{
    kin_event *event = NULL;
    (void)user;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    CHECK_EQUAL(kin_event_wait(event, kin_within_ms(1)), -ETIMEDOUT);
    kin_event_free(event);
    return NULL;
}

static int leave_after_another_thread_has_slept(kin_call *call)
{
    pthread_t thread;
    pthread_mutexattr_t attributes;
    pthread_mutex_t mutex;
    (void)call;
    REQUIRE(pthread_create(&thread, NULL, wait_a_little, NULL) == 0);
    pthread_join(thread, NULL);
    kin_fini();
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex, &attributes);
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return 7;
}
KIN_FUNCTION(leave_after_another_thread_has_slept)

TEST_OF_METHODS(a_thread_that_has_left_has_nothing_of_the_family_on_its_list)
{
    CHECK_EQUAL(exit_code_of(start(leave_after_another_thread_has_slept)), 7);
}

static void write_byte(void *user)
{
    REQUIRE(write(*(int *)user, "x", 1) == 1);
}

static pthread_t first_thread;
static int fd_to_tell;
static sem_t has_slept;

static void *end_the_process(void *user)
{
    (void)user;
    wait_a_little(NULL);
    sem_post(&has_slept);
    REQUIRE(kin_finalizer_create(write_byte, &fd_to_tell, NULL, NULL) == 0);
    pthread_join(first_thread, NULL);
    kin_fini();
    _exit(7);
}

static int end_first_thread(kin_call *call)
{
    pthread_t thread;
    sem_init(&has_slept, 0, 0);
    first_thread = pthread_self();
    fd_to_tell = dup(kin_object_fd(kin_call_argument(call, 0)));
    REQUIRE(pthread_create(&thread, NULL, end_the_process, NULL) == 0);
    sem_wait(&has_slept);
    pthread_exit(NULL);
}
KIN_FUNCTION(end_first_thread)

TEST_OF_METHODS(who_outlives_the_first_thread_of_a_child_leaves_for_all)
{
#ifdef __SANITIZE_THREAD__
    test_skip("the thread sanitizer cannot go on without the first thread");
#endif
    kin_process *process = start_and_await_word(end_first_thread, (kin_process_options){0});
    CHECK_EQUAL(exit_code_of(process), 7);
}

/* What the first thread had is nobody's then, which the address sanitizer takes for a leak. */
#ifndef __SANITIZE_ADDRESS__

/* Starts a child of its own while the first thread ends. */
static void *start_and_exit(void *user)
{
    kin_process *child = NULL;
    kin_process_options options = {.size = sizeof options, .allow_threads = true};
    int code = 1;
    (void)user;
    REQUIRE(kin_process_start_bytes(return_seven, NULL, 0, &options, &child) == 0);
    CHECK_EQUAL(kin_process_join(child, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_process_exit_code(child, &code), 0);
    kin_process_free(child);
    exit(code);
}

static int leave_it_to_another(kin_call *call)
{
    pthread_t thread;
    (void)call;
    REQUIRE(pthread_create(&thread, NULL, start_and_exit, NULL) == 0);
    pthread_exit(NULL);
}
KIN_FUNCTION(leave_it_to_another)

TEST_OF_METHODS(the_first_thread_of_a_child_ends_while_another_starts_one)
{
    for (int i = 0; i < 10; i++) {
        CHECK_EQUAL(exit_code_of(start(leave_it_to_another)), 7);
    }
}

#endif
