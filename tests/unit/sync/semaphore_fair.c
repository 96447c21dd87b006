/* kin_semaphore with is_fair: order, nobody passes, deaths and timeouts in the line. */
#include "family/sleep.h"
#include "family/verify.h"
#include "sync/turn.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/semaphore.h>

enum { WAITER_COUNT = 6, MARKS = 10 };

/* A fair semaphore with `most` permits at most, all of them out. */
static kin_semaphore *new_fair(bool is_bounded, uint32_t most)
{
    kin_semaphore *semaphore = NULL;
    begin();
    REQUIRE(kin_semaphore_create(
                is_bounded ? most : 0,
                KIN_OPTIONS(kin_semaphore_options, .is_fair = true, .is_bounded = is_bounded),
                &semaphore) == 0);
    for (uint32_t i = 0; is_bounded && i < most; i++) {
        CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    }
    return semaphore;
}

static uint32_t note_count(void)
{
    const struct kin__member *member = kin__self()->member;
    uint32_t count = atomic_load(&member->holding_overflow);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        count += atomic_load(&member->holdings[i]) != 0;
    }
    return count;
}

/* One who waits, says that it came in (numbers[MARKS + number]), and stays until numbers[1]. */
struct waiter {
    kin_semaphore *semaphore;
    kin_timeout timeout;
    int expected;
    uint64_t number;
};

static void wait_for_turn(void *user)
{
    const struct waiter *waiter = user;
    CHECK_EQUAL(kin_semaphore_acquire(waiter->semaphore, waiter->timeout), waiter->expected);
    atomic_store(&numbers[MARKS + waiter->number], 1);
    atomic_fetch_add(&numbers[0], 1);
    await_number(1, 1);
    if (waiter->expected >= 0) {
        CHECK_EQUAL(kin_semaphore_release(waiter->semaphore, 1), 0);
    }
    CHECK_EQUAL(note_count(), 0);
}

static void *wait_for_turn_in_thread(void *user)
{
    wait_for_turn(user);
    return NULL;
}

static pthread_t start_waiter(struct waiter *waiter, uint32_t asleep)
{
    pthread_t thread = thread_start(wait_for_turn_in_thread, waiter);
    await_sleepers(getpid(), asleep);
    return thread;
}

static pid_t start_waiting_child(struct waiter *waiter)
{
    pid_t child = child_start(wait_for_turn, waiter);
    await_sleepers(child, 1);
    return child;
}

/* Those marked are the first `count`. */
static void check_marks(uint64_t count)
{
    for (uint64_t i = 1; i <= WAITER_COUNT; i++) {
        CHECK_EQUAL(atomic_load(&numbers[MARKS + i]), i <= count);
    }
}

/* One permit after the other; each goes to the next in line. */
static void release_one_by_one(kin_semaphore *semaphore)
{
    for (uint64_t i = 1; i <= WAITER_COUNT; i++) {
        CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
        await_number(0, i);
        check_marks(i);
        CHECK_EQUAL(kin_semaphore_value(semaphore), 0);
    }
    atomic_store(&numbers[1], 1);
}

static void serve_threads(bool is_bounded)
{
    kin_semaphore *semaphore = new_fair(is_bounded, WAITER_COUNT);
    struct waiter waiters[WAITER_COUNT];
    pthread_t threads[WAITER_COUNT];
    for (uint32_t i = 0; i < WAITER_COUNT; i++) {
        waiters[i] = (struct waiter){
            .semaphore = semaphore, .timeout = KIN_FOREVER, .number = i + 1};
        threads[i] = start_waiter(&waiters[i], i + 1);
    }
    release_one_by_one(semaphore);
    for (uint32_t i = 0; i < WAITER_COUNT; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(kin_semaphore_value(semaphore), WAITER_COUNT);
    kin_semaphore_free(semaphore);
}

TEST(a_fair_semaphore_serves_threads_in_the_order_in_which_they_came)
{
    serve_threads(false);
}

TEST(a_fair_bounded_semaphore_serves_threads_in_the_order_in_which_they_came)
{
    serve_threads(true);
}

static void serve_processes(bool is_bounded)
{
    kin_semaphore *semaphore = new_fair(is_bounded, WAITER_COUNT);
    pid_t children[WAITER_COUNT];
    for (uint32_t i = 0; i < WAITER_COUNT; i++) {
        struct waiter waiter = {.semaphore = semaphore, .timeout = KIN_FOREVER, .number = i + 1};
        children[i] = start_waiting_child(&waiter);
    }
    release_one_by_one(semaphore);
    for (uint32_t i = 0; i < WAITER_COUNT; i++) {
        child_join(children[i]);
    }
    CHECK_EQUAL(kin_semaphore_value(semaphore), WAITER_COUNT);
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(a_fair_semaphore_serves_processes_in_the_order_in_which_they_came)
{
    serve_processes(false);
}

TEST_OF_PROCESSES(a_fair_bounded_semaphore_serves_processes_in_the_order_in_which_they_came)
{
    serve_processes(true);
}

/* How often the one at a place has been woken. */
static uint32_t nudges_of(kin_semaphore *semaphore, uint64_t place)
{
    uint64_t behind = place - 1;
    const struct kin__member *member = kin__turn_next(
        kin__wait_edge(KIN__WAIT_PERMIT, kin_semaphore_handle(semaphore).index), &behind);
    REQUIRE(member != NULL && behind == place);
    return atomic_load(&member->nudge);
}

TEST(a_release_of_three_wakes_the_first_three_in_line_and_nobody_else)
{
    kin_semaphore *semaphore = new_fair(true, WAITER_COUNT);
    struct waiter waiters[WAITER_COUNT];
    pthread_t threads[WAITER_COUNT];
    uint32_t nudges[WAITER_COUNT];
    for (uint32_t i = 0; i < WAITER_COUNT; i++) {
        waiters[i] = (struct waiter){
            .semaphore = semaphore, .timeout = KIN_FOREVER, .number = i + 1};
        threads[i] = start_waiter(&waiters[i], i + 1);
        nudges[i] = nudges_of(semaphore, i + 1);
    }
    CHECK_EQUAL(kin_semaphore_release(semaphore, 3), 0);
    await_number(0, 3);
    await_sleepers(getpid(), 3);
    check_marks(3);
    for (uint32_t i = 3; i < WAITER_COUNT; i++) {
        CHECK_EQUAL(nudges_of(semaphore, i + 1), nudges[i]);
    }
    CHECK_EQUAL(kin_semaphore_release(semaphore, 3), 0);
    atomic_store(&numbers[1], 1);
    for (uint32_t i = 0; i < WAITER_COUNT; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(kin_semaphore_value(semaphore), WAITER_COUNT);
    kin_semaphore_free(semaphore);
}

static void take_alone(bool is_bounded)
{
    kin_semaphore *semaphore = new_fair(is_bounded, 2);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, kin_by(kin_now_ns(), NULL)), -ETIMEDOUT);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 2), 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 3), is_bounded ? -EOVERFLOW : 0);
    CHECK_EQUAL(note_count(), is_bounded ? 2 : 0);
    kin_semaphore_free(semaphore);
}

TEST(a_fair_semaphore_for_which_nobody_waits_gives_at_once)
{
    take_alone(false);
}

TEST(a_fair_bounded_semaphore_for_which_nobody_waits_gives_at_once)
{
    take_alone(true);
}

/* A stopped one is first in line: what it could take is there, and nobody else gets it. */
static void pass_stopped(bool is_bounded)
{
    kin_semaphore *semaphore = new_fair(is_bounded, 2);
    struct waiter waiter = {.semaphore = semaphore, .timeout = KIN_FOREVER, .number = 1};
    pid_t first = start_waiting_child(&waiter);
    REQUIRE(kill(first, SIGSTOP) == 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 1);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0); /* one for it, and one more */
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 1);
    REQUIRE(kill(first, SIGCONT) == 0);
    await_number(0, 1);
    atomic_store(&numbers[1], 1);
    child_join(first);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0); /* there is no line any more */
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(who_waits_for_a_fair_semaphore_is_not_passed)
{
    pass_stopped(false);
}

TEST_OF_PROCESSES(who_waits_for_a_fair_bounded_semaphore_is_not_passed)
{
    pass_stopped(true);
}

TEST(one_that_leaves_the_line_of_a_fair_semaphore_loses_its_place_only)
{
    kin_semaphore *semaphore = new_fair(true, 2);
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    struct waiter waiters[3] = {{.timeout = kin_by(INT64_MAX, cancel), .expected = -ECANCELED},
                                {.timeout = KIN_FOREVER},
                                {.timeout = KIN_FOREVER}};
    pthread_t threads[3];
    for (uint32_t i = 0; i < 3; i++) {
        waiters[i].semaphore = semaphore;
        waiters[i].number = i;
        threads[i] = start_waiter(&waiters[i], i + 1);
    }
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    await_number(0, 1);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, kin_within_ms(1)), -ETIMEDOUT);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    await_number(0, 2);
    check_marks(1);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    await_number(0, 3);
    atomic_store(&numbers[1], 1);
    for (uint32_t i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    kin_cancel_free(cancel);
    kin_semaphore_free(semaphore);
}

static void take_or_give_up(void *user)
{
    const struct waiter *waiter = user;
    int r = kin_semaphore_acquire(waiter->semaphore, waiter->timeout);
    CHECK(r == 0 || r == waiter->expected);
    if (r == 0) {
        CHECK_EQUAL(kin_semaphore_release(waiter->semaphore, 1), 0);
    }
}

/* Starts one that waits, and stops it there. 0: its time was over before. */
static pid_t start_and_stop(struct waiter *waiter)
{
    pid_t pid = child_start(take_or_give_up, waiter);
    while (sleeper_count(pid) == 0 && kin_now_ns() < waiter->timeout.deadline_ns) {
        pause_a_moment();
    }
    REQUIRE(kill(pid, SIGSTOP) == 0);
    if (kin_now_ns() < waiter->timeout.deadline_ns) {
        return pid;
    }
    REQUIRE(kill(pid, SIGCONT) == 0);
    child_join(pid);
    return 0;
}

/* The first in line is called when its time, 0: for ever, is over already, and the second gets the
 * permit. */
static void give_up_when_called(int64_t ms, int expected, kin_cancel *cancel,
                                kin_semaphore *semaphore)
{
    struct waiter leaver = {.semaphore = semaphore, .expected = expected};
    struct waiter second = {.semaphore = semaphore, .timeout = KIN_FOREVER, .number = 2};
    pid_t first = 0;
    for (; first == 0; ms *= 2) {
        leaver.timeout = ms == 0 ? kin_by(INT64_MAX, cancel) : kin_within_ms(ms);
        first = start_and_stop(&leaver);
    }
    kin_timeout timeout = leaver.timeout;
    pthread_t thread = start_waiter(&second, 1);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    if (cancel != NULL) {
        CHECK_EQUAL(kin_cancel_request(cancel), 0);
    }
    while (timeout.deadline_ns != INT64_MAX && kin_now_ns() < timeout.deadline_ns) {
        pause_a_moment();
    }
    REQUIRE(kill(first, SIGCONT) == 0);
    child_join(first);
    await_number(0, 1);
    atomic_store(&numbers[1], 1);
    thread_join(thread);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 1);
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(a_permit_for_one_whose_deadline_is_over_goes_on_to_the_next)
{
    kin_semaphore *semaphore = new_fair(true, 1);
    give_up_when_called(200, -ETIMEDOUT, NULL, semaphore);
}

TEST_OF_PROCESSES(a_permit_for_one_that_is_cancelled_goes_on_to_the_next)
{
    kin_semaphore *semaphore = new_fair(false, 1);
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    give_up_when_called(0, -ECANCELED, cancel, semaphore);
    kin_cancel_free(cancel);
}

/* --- deaths --- */

static void kill_first(bool is_bounded)
{
    kin_semaphore *semaphore = new_fair(is_bounded, 1);
    struct waiter doomed = {.semaphore = semaphore, .timeout = KIN_FOREVER, .number = 1};
    struct waiter second = {.semaphore = semaphore, .timeout = KIN_FOREVER, .number = 2};
    pid_t first = start_waiting_child(&doomed);
    pthread_t thread = start_waiter(&second, 1);
    REQUIRE(kill(first, SIGSTOP) == 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0); /* for the stopped one */
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    child_kill(first);
    await_number(0, 1);
    CHECK_EQUAL(atomic_load(&numbers[MARKS + 2]), 1);
    atomic_store(&numbers[1], 1);
    thread_join(thread);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(the_first_in_line_is_killed_and_the_second_gets_the_permit)
{
    kill_first(false);
}

TEST_OF_PROCESSES(the_first_in_line_is_killed_and_the_second_gets_the_bounded_permit)
{
    kill_first(true);
}

TEST_OF_PROCESSES(permits_for_those_who_all_died_in_line_are_to_be_had)
{
    kin_semaphore *semaphore = new_fair(false, 0);
    struct waiter doomed = {.semaphore = semaphore, .timeout = KIN_FOREVER};
    pid_t children[2] = {start_waiting_child(&doomed), start_waiting_child(&doomed)};
    for (int i = 0; i < 2; i++) {
        REQUIRE(kill(children[i], SIGSTOP) == 0);
    }
    CHECK_EQUAL(kin_semaphore_release(semaphore, 2), 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    child_kill(children[0]);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    child_kill(children[1]);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 0);
    kin_semaphore_free(semaphore);
}

static void acquire_and_stay(void *user)
{
    CHECK(kin_semaphore_acquire(user, KIN_NOW) >= 0);
    atomic_store(&numbers[2], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(the_permit_of_a_killed_owner_goes_to_the_first_in_line)
{
    kin_semaphore *semaphore = new_fair(true, 1);
    struct waiter waiters[2] = {
        {.semaphore = semaphore, .timeout = KIN_FOREVER, .expected = KIN_OWNER_DIED, .number = 1},
        {.semaphore = semaphore, .timeout = KIN_FOREVER, .number = 2}};
    pthread_t threads[2];
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    pid_t owner = child_start(acquire_and_stay, semaphore);
    await_number(2, 1);
    for (uint32_t i = 0; i < 2; i++) {
        threads[i] = start_waiter(&waiters[i], i + 1);
    }
    child_kill(owner);
    await_number(0, 1);
    check_marks(1);
    atomic_store(&numbers[1], 1);
    thread_join(threads[0]);
    thread_join(threads[1]);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 1);
    kin_semaphore_free(semaphore);
}

/* --- many at it --- */

/* Wants a permit again and again, at times not for long, until it is killed or told to stop. */
static void want_until_stopped(void *user)
{
    for (uint64_t i = 0; atomic_load(&numbers[2]) == 0; i++) {
        int r = kin_semaphore_acquire(user, i % 4 == 0 ? kin_within_ms(1) : KIN_FOREVER);
        CHECK(r >= 0 || r == -ETIMEDOUT);
        if (r >= 0) {
            atomic_fetch_add(&numbers[3], 1);
            CHECK_EQUAL(kin_semaphore_release(user, 1), 0);
        }
    }
}

static void *want_until_stopped_in_thread(void *user)
{
    want_until_stopped(user);
    return NULL;
}

/* Each has had a permit some more times since. */
static void await_progress(void)
{
    await_number(3, atomic_load(&numbers[3]) + 50);
}

static void give_up_often(bool is_bounded)
{
    kin_semaphore *semaphore = new_fair(is_bounded, 2);
    pthread_t threads[5];
    CHECK_EQUAL(kin_semaphore_release(semaphore, 2), 0);
    for (int i = 0; i < 5; i++) {
        threads[i] = thread_start(want_until_stopped_in_thread, semaphore);
    }
    for (int i = 0; i < 10; i++) {
        await_progress();
    }
    atomic_store(&numbers[2], 1);
    for (int i = 0; i < 5; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(kin_semaphore_value(semaphore), 2);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    kin_semaphore_free(semaphore);
}

TEST(those_who_give_up_just_when_they_are_called_leave_no_other_asleep)
{
    give_up_often(false);
}

TEST(those_who_give_up_just_when_a_bounded_permit_comes_leave_no_other_asleep)
{
    give_up_often(true);
}

TEST_OF_PROCESSES(those_who_want_a_fair_permit_are_killed_again_and_again_and_it_goes_on)
{
    enum { WORKER_COUNT = 4, KILL_COUNT = 30 };
    char report[256];
    kin_semaphore *semaphore = new_fair(true, 2);
    pid_t workers[WORKER_COUNT];
    CHECK_EQUAL(kin_semaphore_release(semaphore, 2), 0);
    for (int i = 0; i < WORKER_COUNT; i++) {
        workers[i] = child_start(want_until_stopped, semaphore);
    }
    for (int i = 0; i < KILL_COUNT; i++) {
        await_progress();
        child_kill(workers[i % WORKER_COUNT]);
        workers[i % WORKER_COUNT] = child_start(want_until_stopped, semaphore);
    }
    await_progress();
    atomic_store(&numbers[2], 1);
    for (int i = 0; i < WORKER_COUNT; i++) {
        child_join(workers[i]);
    }
    CHECK_EQUAL(kin_semaphore_value(semaphore), 2);
    CHECK(kin_semaphore_acquire(semaphore, KIN_NOW) >= 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    kin_semaphore_free(semaphore);
}
