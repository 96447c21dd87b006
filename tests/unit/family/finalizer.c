#include "unit/children.h"

#include "base/fault.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/finalizer.h>
#include <kin/log.h>
#include <stdlib.h>

/* What ran, in order, as letters in memory that children share: numbers[0] of them, from
 * numbers[1] on. */
static void note(void *user)
{
    uint64_t place = atomic_fetch_add(&numbers[0], 1);
    REQUIRE(place + 2 < NUMBER_COUNT);
    atomic_store(&numbers[place + 1], *(const unsigned char *)user);
}

static const char *noted(void)
{
    static char text[NUMBER_COUNT];
    uint64_t count = atomic_load(&numbers[0]);
    for (uint64_t i = 0; i < count; i++) {
        text[i] = (char)atomic_load(&numbers[i + 1]);
    }
    text[count] = '\0';
    return text;
}

static kin_finalizer *make(const char *name, int32_t priority)
{
    kin_finalizer *finalizer = NULL;
    kin_finalizer_options options = {.size = sizeof options, .priority = priority};
    REQUIRE(kin_finalizer_create(note, (void *)(uintptr_t)name, &options, &finalizer) == 0);
    CHECK(kin_finalizer_is_active(finalizer));
    return finalizer;
}

/* One that nobody has a handle of. */
static void leave(const char *name, int32_t priority)
{
    kin_finalizer_options options = {.size = sizeof options, .priority = priority};
    REQUIRE(kin_finalizer_create(note, (void *)(uintptr_t)name, &options, NULL) == 0);
}

static void note_thing(void *object)
{
    note(object);
}

static kin_reference *new_thing(const char *name)
{
    kin_reference *reference = NULL;
    REQUIRE(kin_reference_create((void *)(uintptr_t)name, note_thing, &reference) == 0);
    return reference;
}

TEST(a_finalizer_runs_once_when_it_is_called)
{
    begin();
    kin_finalizer *finalizer = make("a", 0);
    CHECK_EQUAL(kin_finalizer_run(finalizer), 0);
    CHECK_STRING(noted(), "a");
    CHECK(!kin_finalizer_is_active(finalizer));
    CHECK_EQUAL(kin_finalizer_run(finalizer), -EALREADY);
    CHECK_EQUAL(kin_finalizer_cancel(finalizer), -EALREADY);
    CHECK(kin_finalizer_free(finalizer) == NULL);
    kin_fini();
    CHECK_STRING(noted(), "a");
}

TEST(a_finalizer_that_is_cancelled_does_not_run)
{
    begin();
    kin_finalizer *finalizer = make("a", 0);
    CHECK_EQUAL(kin_finalizer_cancel(finalizer), 0);
    CHECK_EQUAL(kin_finalizer_cancel(finalizer), -EALREADY);
    CHECK_EQUAL(kin_finalizer_run(finalizer), -EALREADY);
    CHECK(!kin_finalizer_is_active(finalizer));
    kin_fini();
    CHECK_STRING(noted(), "");
    kin_finalizer_free(finalizer);
}

TEST(the_end_runs_them_by_priority_and_then_the_newest_first)
{
    begin();
    leave("a", 0);
    leave("b", 10);
    leave("c", -1);
    leave("d", 10);
    leave("e", INT32_MAX);
    leave("f", 0);
    leave("g", INT32_MIN);
    leave("h", -1);
    leave("i", 5);
    kin_fini();
    CHECK_STRING(noted(), "edbifahcg");
}

TEST(freeing_a_finalizer_leaves_it_active)
{
    begin();
    kin_finalizer_free(make("a", 0));
    CHECK_STRING(noted(), "");
    kin_fini();
    CHECK_STRING(noted(), "a");
}

TEST(a_handle_outlives_the_family)
{
    begin();
    kin_finalizer *finalizer = make("a", 0);
    kin_fini();
    CHECK(!kin_finalizer_is_active(finalizer));
    CHECK_EQUAL(kin_finalizer_run(finalizer), -EALREADY);
    kin_finalizer_free(finalizer);
    REQUIRE(kin_init(NULL, NULL) == 0);
    leave("b", 0); /* the next family has finalizers of its own */
    kin_fini();
    CHECK_STRING(noted(), "ab");
}

TEST(what_is_wrong_is_refused)
{
    kin_finalizer *finalizer = NULL;
    kin_finalizer_options options = {.size = sizeof options};
    CHECK_EQUAL(kin_finalizer_create(note, NULL, NULL, &finalizer), KIN_EFAMILY);
    begin();
    CHECK_EQUAL(kin_finalizer_create(NULL, NULL, NULL, &finalizer), -EINVAL);
    options.is_skipped_at_exit = true; /* it would never run */
    CHECK_EQUAL(kin_finalizer_create(note, NULL, &options, &finalizer), -EINVAL);
    options.size = 3;
    CHECK_EQUAL(kin_finalizer_create(note, NULL, &options, &finalizer), -EINVAL);
    CHECK_EQUAL(kin_finalizer_run(NULL), -EINVAL);
    CHECK_EQUAL(kin_finalizer_cancel(NULL), -EINVAL);
    CHECK(!kin_finalizer_is_active(NULL));
    CHECK(kin_finalizer_free(NULL) == NULL);
    CHECK(finalizer == NULL);
}

/* --- things --- */

TEST(a_finalizer_of_a_thing_runs_before_the_thing_is_freed)
{
    begin();
    kin_reference *thing = new_thing("t");
    kin_finalizer_options options = {.size = sizeof options, .reference = thing};
    kin_finalizer *finalizer = NULL;
    REQUIRE(kin_finalizer_create(note, "a", &options, &finalizer) == 0);
    kin_reference_free(thing);
    CHECK_STRING(noted(), "at");
    CHECK(!kin_finalizer_is_active(finalizer));
    kin_finalizer_free(finalizer);
    kin_fini();
    CHECK_STRING(noted(), "at");
}

TEST(a_finalizer_of_a_thing_that_stays_runs_at_the_end_unless_it_is_skipped)
{
    begin();
    kin_reference *thing = new_thing("t");
    kin_finalizer_options options = {.size = sizeof options, .reference = thing};
    REQUIRE(kin_finalizer_create(note, "a", &options, NULL) == 0);
    options.is_skipped_at_exit = true;
    REQUIRE(kin_finalizer_create(note, "b", &options, NULL) == 0);
    kin_fini();
    CHECK_STRING(noted(), "a");
    kin_reference_free(thing);
    CHECK_STRING(noted(), "at");
}

TEST(a_cancelled_finalizer_lets_its_thing_go_in_silence)
{
    begin();
    kin_reference *thing = new_thing("t");
    kin_finalizer_options options = {.size = sizeof options, .reference = thing};
    kin_finalizer *finalizer = NULL;
    REQUIRE(kin_finalizer_create(note, "a", &options, &finalizer) == 0);
    CHECK_EQUAL(kin_finalizer_cancel(finalizer), 0);
    kin_finalizer_free(finalizer);
    kin_reference_free(thing);
    CHECK_STRING(noted(), "t");
}

/* --- finalizers in finalizers --- */

static void make_more(void *user)
{
    note(user);
    leave("x", 100);
    leave("y", -100);
}

static void make_too_late(void *user)
{
    note(user);
    CHECK_EQUAL(kin_finalizer_create(note, "z", NULL, NULL), -EPIPE);
}

TEST(what_a_finalizer_makes_runs_after_the_children_and_at_last_is_refused)
{
    begin();
    leave("a", 0);
    REQUIRE(kin_finalizer_create(make_more, "m", NULL, NULL) == 0);
    kin_finalizer_options options = {.size = sizeof options, .priority = -1};
    REQUIRE(kin_finalizer_create(make_too_late, "l", &options, NULL) == 0);
    kin_fini();
    CHECK_STRING(noted(), "maxly");
}

static kin_finalizer *others[2];

static void run_and_cancel(void *user)
{
    note(user);
    kin_fini(); /* is at it already */
    CHECK_EQUAL(kin_finalizer_run(others[0]), 0);
    CHECK_EQUAL(kin_finalizer_cancel(others[1]), 0);
}

TEST(a_finalizer_can_run_and_cancel_those_that_are_due)
{
    begin();
    others[0] = make("a", 0);
    others[1] = make("b", 0);
    leave("c", 0);
    REQUIRE(kin_finalizer_create(run_and_cancel, "r", NULL, NULL) == 0);
    kin_fini();
    CHECK_STRING(noted(), "rac");
    kin_finalizer_free(others[0]);
    kin_finalizer_free(others[1]);
}

/* --- processes --- */

static void make_own(void *user)
{
    CHECK(!kin_finalizer_is_active(user));
    CHECK_EQUAL(kin_finalizer_run(user), -EALREADY);
    CHECK_EQUAL(kin_finalizer_cancel(user), -EALREADY);
    kin_finalizer_free(user);
    leave("c", 0);
}

TEST_OF_PROCESSES(a_forked_child_runs_its_own_finalizers_only)
{
    begin();
    kin_finalizer *finalizer = make("p", 0);
    child_join(child_start(make_own, finalizer));
    CHECK_STRING(noted(), "c");
    CHECK(kin_finalizer_is_active(finalizer));
    kin_finalizer_free(finalizer);
    kin_fini();
    CHECK_STRING(noted(), "cp");
}

TEST_OF_PROCESSES(the_child_of_a_plain_fork_runs_its_own_at_exit)
{
    begin();
    leave("p", 0);
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            if (i == 1) { /* which makes it a member */
                leave("c", 0);
            }
            kin__family_leave_at_exit(0);
            _exit(0);
        }
        child_join(pid);
    }
    kin_fini();
    CHECK_STRING(noted(), "cp");
}

static void fork_in_finalizer(void *user)
{
    note(user);
    child_join(child_start(note, "k")); /* which comes to its own end */
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) { /* goes back into the parent's end, where nothing is its own */
        return;
    }
    child_join(pid);
}

TEST_OF_PROCESSES(nothing_is_due_in_a_child_that_a_finalizer_forks)
{
    begin();
    pid_t self = getpid();
    leave("a", 0);
    leave("b", -1);
    REQUIRE(kin_finalizer_create(fork_in_finalizer, "f", NULL, NULL) == 0);
    kin_fini();
    if (getpid() != self) {
        _exit(0);
    }
    CHECK_STRING(noted(), "fkab");
}

/* A thing whose finalizer the child inherits: there it is only freed. */
static void free_copy(void *user)
{
    kin_reference_free(user);
}

TEST_OF_PROCESSES(the_copy_of_a_thing_goes_without_its_finalizer)
{
    begin();
    kin_reference *thing = new_thing("t");
    kin_finalizer_options options = {.size = sizeof options, .reference = thing};
    REQUIRE(kin_finalizer_create(note, "a", &options, NULL) == 0);
    child_join(child_start(free_copy, thing));
    CHECK_STRING(noted(), "t");
    kin_reference_free(thing);
    CHECK_STRING(noted(), "tat");
}

/* --- threads --- */

enum { RACERS = 4, RACES = 500 };

static kin_finalizer *raced[RACES];

static void count(void *user)
{
    atomic_fetch_add(&numbers[1 + (uintptr_t)user], 1);
}

static void *race(void *user)
{
    (void)user;
    uint64_t own = 0;
    for (int i = 0; i < RACES; i++) {
        own += i % 2 ? kin_finalizer_run(raced[i]) == 0 : kin_finalizer_cancel(raced[i]) == 0;
    }
    atomic_fetch_add(&numbers[0], own);
    return NULL;
}

TEST(threads_race_to_run_or_cancel)
{
    begin();
    for (uintptr_t i = 0; i < RACES; i++) {
        REQUIRE(kin_finalizer_create(count, (void *)i, NULL, &raced[i]) == 0);
    }
    pthread_t threads[RACERS];
    for (int i = 0; i < RACERS; i++) {
        threads[i] = thread_start(race, NULL);
    }
    for (int i = 0; i < RACERS; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(numbers[0], RACES);
    for (int i = 0; i < RACES; i++) {
        CHECK_EQUAL(numbers[1 + i], i % 2);
        kin_finalizer_free(raced[i]);
    }
}

static void *wait_for_ever(void *user)
{
    atomic_store(&numbers[NUMBER_COUNT - 1], 1);
    for (;;) {
        pause();
    }
    return user;
}

TEST_OF_PROCESSES(exit_runs_them_beside_other_threads)
{
    begin();
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        leave("a", 0);
        leave("b", -1);
        thread_start(wait_for_ever, NULL);
        await_number(NUMBER_COUNT - 1, 1);
        kin__family_leave_at_exit(0);
        kin__family_leave_at_exit(0); /* once */
        _exit(0);
    }
    child_join(pid);
    CHECK_STRING(noted(), "ab");
}

#ifdef KIN_FAULTS

TEST(without_memory_there_is_no_finalizer)
{
    begin();
    kin_finalizer *finalizer = NULL;
    kin_reference *thing = new_thing("t");
    kin_finalizer_options options = {.size = sizeof options, .reference = thing};
    uint64_t n = 0;
    int r = -ENOMEM;
    while (r == -ENOMEM) {
        CHECK(finalizer == NULL);
        kin__allocation_fail_at(++n);
        r = kin_finalizer_create(note, "a", &options, &finalizer);
    }
    kin__allocation_fail_at(0);
    CHECK_EQUAL(r, 0);
    CHECK_EQUAL(n, 3);
    kin_finalizer_free(finalizer);
    kin_reference_free(thing);
    CHECK_STRING(noted(), "at");
}

#endif
