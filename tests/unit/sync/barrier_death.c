/* kin_barrier when a party dies: before it came, while it waits, in the action, after the trip. */
#include "family/directory.h"
#include "family/verify.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/barrier.h>
#include <kin/error.h>

static kin_barrier *new_barrier(const kin_barrier_options *options, uint32_t party_count)
{
    kin_barrier *barrier = NULL;
    begin();
    REQUIRE(kin_barrier_create(party_count, options, &barrier) == 0);
    return barrier;
}

#define SHRINKING KIN_OPTIONS(kin_barrier_options, .on_death = KIN_BARRIER_SHRINK)

static void sleep_for_ever(void)
{
    for (;;) {
        pause();
    }
}

/* Says in numbers[1] how often a wait ended well, in numbers[2] how often broken; the places in
 * numbers[10 ...]. */
static void wait_and_count(void *user)
{
    int r = kin_barrier_wait(user, KIN_FOREVER);
    CHECK(r >= 0 || r == KIN_EBROKEN);
    if (r >= 0) {
        atomic_fetch_add(&numbers[10 + r], 1);
    }
    atomic_fetch_add(&numbers[r >= 0 ? 1 : 2], 1);
}

static void *wait_and_count_in_thread(void *user)
{
    wait_and_count(user);
    return NULL;
}

static void join_and_stay(void *user)
{
    CHECK_EQUAL(kin_barrier_join(user), 0);
    atomic_fetch_add(&numbers[0], 1);
    sleep_for_ever();
}

static pid_t start_waiter(kin_barrier *barrier)
{
    pid_t child = child_start(wait_and_count, barrier);
    await_sleepers(child, 1);
    return child;
}

static void check_sound(void)
{
    char report[1000] = "";
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    CHECK_STRING(report, "");
}

TEST_OF_PROCESSES(one_killed_while_it_waits_breaks_the_barrier)
{
    kin_barrier *barrier = new_barrier(NULL, 3);
    pid_t doomed = start_waiter(barrier);
    pid_t child = start_waiter(barrier);
    child_kill(doomed);
    child_join(child);
    CHECK_EQUAL(atomic_load(&numbers[2]), 1);
    CHECK(kin_barrier_is_broken(barrier));
    CHECK_EQUAL(kin_barrier_wait(barrier, KIN_FOREVER), KIN_EBROKEN);
    CHECK_EQUAL(kin_barrier_party_count(barrier), 3);
    check_sound();
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(one_that_joined_and_is_killed_elsewhere_breaks_the_barrier)
{
    kin_barrier *barrier = new_barrier(NULL, 2);
    pid_t member = child_start(join_and_stay, barrier);
    await_number(0, 1);
    pid_t child = start_waiter(barrier);
    child_kill(member);
    child_join(child);
    CHECK_EQUAL(atomic_load(&numbers[2]), 1);
    CHECK_EQUAL(kin_barrier_reset(barrier), 0);
    child = start_waiter(barrier);
    CHECK_EQUAL(kin_barrier_wait(barrier, KIN_FOREVER), 1);
    child_join(child);
    check_sound();
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(one_that_did_not_join_dies_elsewhere_unnoticed)
{
    kin_barrier *barrier = new_barrier(NULL, 2);
    pid_t child = child_start(wait_and_count, barrier);
    CHECK(kin_barrier_wait(barrier, KIN_FOREVER) >= 0);
    child_join(child);
    CHECK(!kin_barrier_is_broken(barrier));
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(a_shrinking_barrier_goes_on_without_the_dead)
{
    kin_barrier *barrier = new_barrier(SHRINKING, 4);
    pid_t member = child_start(join_and_stay, barrier);
    await_number(0, 1);
    pid_t first = start_waiter(barrier);
    pid_t doomed = start_waiter(barrier);
    pid_t third = start_waiter(barrier);
    child_kill(doomed);
    CHECK_EQUAL(kin_barrier_party_count(barrier), 3);
    CHECK_EQUAL(kin_barrier_waiting_count(barrier), 2);
    child_kill(member);
    child_join(first);
    child_join(third);
    CHECK_EQUAL(kin_barrier_party_count(barrier), 2);
    CHECK_EQUAL(atomic_load(&numbers[1]), 2);
    CHECK_EQUAL(atomic_load(&numbers[10]), 1); /* places 0 and 1, whoever died */
    CHECK_EQUAL(atomic_load(&numbers[11]), 1);
    check_sound();
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(a_place_that_death_took_away_comes_back_with_who_joins)
{
    kin_barrier *barrier = new_barrier(SHRINKING, 2);
    for (uint64_t i = 1; i <= 3; i++) {
        pid_t member = child_start(join_and_stay, barrier);
        await_number(0, i);
        CHECK_EQUAL(kin_barrier_party_count(barrier), 2);
        CHECK_EQUAL(kin_barrier_join(barrier), 0);
        CHECK_EQUAL(kin_barrier_wait(barrier, KIN_NOW), -EAGAIN);
        child_kill(member);
        CHECK_EQUAL(kin_barrier_party_count(barrier), 1);
        CHECK_EQUAL(kin_barrier_wait(barrier, KIN_NOW), 0);
    }
    CHECK_EQUAL(kin_barrier_leave(barrier), 0);
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(one_that_waits_and_has_joined_is_one_party_when_it_dies)
{
    kin_barrier *barrier = new_barrier(SHRINKING, 3);
    uint32_t owner = 0;
    pid_t doomed = kin__family_fork("doomed", 0, &owner);
    if (doomed == 0) {
        CHECK_EQUAL(kin_barrier_join(barrier), 0);
        kin_barrier_wait(barrier, KIN_FOREVER);
        _exit(0);
    }
    await_sleepers(doomed, 1);
    child_kill(doomed);
    CHECK_EQUAL(kin_barrier_party_count(barrier), 2);
    CHECK_EQUAL(kin_barrier_waiting_count(barrier), 0);
    kin_barrier_free(barrier);
}

static void *join_and_end(void *user)
{
    CHECK_EQUAL(kin_barrier_join(user), 0);
    return NULL;
}

TEST(a_thread_that_ends_as_a_party_counts_as_dead)
{
    kin_barrier *barrier = new_barrier(NULL, 2);
    pthread_t waiter = thread_start(wait_and_count_in_thread, barrier);
    await_sleepers(getpid(), 1);
    thread_join(thread_start(join_and_end, barrier));
    thread_join(waiter);
    CHECK_EQUAL(atomic_load(&numbers[2]), 1);
    CHECK(kin_barrier_is_broken(barrier));
    kin_barrier_free(barrier);
}

/* --- the dead are not counted --- */

/* The keeper of this process reaps nobody meanwhile: the barrier itself must see it. */
static void kill_unnoticed(pid_t pid)
{
    int status = 0;
    mtx_lock(&kin__family.reap_lock);
    REQUIRE(kill(pid, SIGKILL) == 0);
    REQUIRE(waitpid(pid, &status, 0) == pid);
}

TEST_OF_PROCESSES(one_that_came_and_was_killed_is_not_counted_even_before_it_is_reaped)
{
    kin_barrier *barrier = new_barrier(NULL, 2);
    kill_unnoticed(start_waiter(barrier));
    CHECK_EQUAL(kin_barrier_wait(barrier, KIN_FOREVER), KIN_EBROKEN);
    mtx_unlock(&kin__family.reap_lock);
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(a_shrinking_barrier_does_not_count_one_that_is_not_reaped_yet)
{
    kin_barrier *barrier = new_barrier(SHRINKING, 2);
    kill_unnoticed(start_waiter(barrier));
    CHECK_EQUAL(kin_barrier_wait(barrier, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_barrier_party_count(barrier), 1);
    mtx_unlock(&kin__family.reap_lock);
    while (atomic_load(&kin__shared()->death_count) == 0) {
        pause_a_moment();
    }
    CHECK_EQUAL(kin_barrier_party_count(barrier), 1); /* and is not counted twice */
    check_sound();
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(one_killed_after_the_trip_breaks_nothing)
{
    kin_barrier *barrier = new_barrier(NULL, 2);
    for (int i = 0; i < 5; i++) {
        pid_t doomed = start_waiter(barrier);
        REQUIRE(kill(doomed, SIGSTOP) == 0);
        CHECK_EQUAL(kin_barrier_wait(barrier, KIN_FOREVER), 1);
        child_kill(doomed);
        CHECK(!kin_barrier_is_broken(barrier));
        CHECK_EQUAL(kin_barrier_party_count(barrier), 2);
    }
    check_sound();
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(a_stopped_one_is_waited_for_two_rounds_later_and_no_earlier)
{
    kin_barrier *barrier = new_barrier(NULL, 2);
    pid_t stopped = start_waiter(barrier);
    REQUIRE(kill(stopped, SIGSTOP) == 0);
    CHECK_EQUAL(kin_barrier_wait(barrier, KIN_FOREVER), 1);
    pid_t child = start_waiter(barrier);
    CHECK_EQUAL(kin_barrier_wait(barrier, KIN_FOREVER), 1);
    child_join(child);
    CHECK_EQUAL(kin_barrier_wait(barrier, kin_within_ms(5)), -ETIMEDOUT);
    CHECK(!kin_barrier_is_broken(barrier));
    pthread_t waiter = thread_start(wait_and_count_in_thread, barrier);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_barrier_waiting_count(barrier), 0);
    REQUIRE(kill(stopped, SIGCONT) == 0);
    child_join(stopped);
    CHECK(kin_barrier_wait(barrier, KIN_FOREVER) >= 0);
    thread_join(waiter);
    kin_barrier_free(barrier);
}

/* --- the action --- */

static int stay_in_action(kin_call *call)
{
    (void)call;
    atomic_fetch_add(&numbers[3], 1);
    if (atomic_load(&numbers[4]) == 0) {
        sleep_for_ever();
    }
    return 0;
}
KIN_FUNCTION(stay_in_action)

TEST_OF_PROCESSES(one_killed_in_the_action_breaks_even_a_shrinking_barrier)
{
    kin_barrier *barrier = new_barrier(
        KIN_OPTIONS(kin_barrier_options, .on_death = KIN_BARRIER_SHRINK, .action = stay_in_action),
        2);
    pid_t child = start_waiter(barrier);
    pid_t doomed = child_start(wait_and_count, barrier);
    await_number(3, 1);
    child_kill(doomed);
    child_join(child);
    CHECK_EQUAL(atomic_load(&numbers[2]), 1);
    CHECK(kin_barrier_is_broken(barrier));
    CHECK_EQUAL(kin_barrier_party_count(barrier), 1);
    CHECK_EQUAL(atomic_load(&numbers[3]), 1);
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(one_of_the_others_runs_the_action_when_a_death_made_all_come)
{
    kin_barrier *barrier = new_barrier(
        KIN_OPTIONS(kin_barrier_options, .on_death = KIN_BARRIER_SHRINK, .action = stay_in_action),
        3);
    atomic_store(&numbers[4], 1);
    pid_t member = child_start(join_and_stay, barrier);
    await_number(0, 1);
    pid_t children[2] = {start_waiter(barrier), start_waiter(barrier)};
    child_kill(member);
    child_join(children[0]);
    child_join(children[1]);
    CHECK_EQUAL(atomic_load(&numbers[1]), 2);
    CHECK_EQUAL(atomic_load(&numbers[3]), 1);
    kin_barrier_free(barrier);
}

/* --- again and again --- */

static void go_round_for_ever(void *user)
{
    if (kin_barrier_join(user) < 0) {
        return; /* no room: one that was killed is not reaped yet */
    }
    while (kin_barrier_wait(user, KIN_FOREVER) >= 0) {
        atomic_fetch_add(&numbers[5], 1);
    }
}

TEST_OF_PROCESSES_WITH(parties_are_killed_again_and_again_and_the_others_go_on, .limit_seconds = 60)
{
    kin_barrier *barrier = new_barrier(SHRINKING, 3);
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = child_start(go_round_for_ever, barrier);
    }
    for (int round = 0; round < 15; round++) {
        uint64_t passed = atomic_load(&numbers[5]);
        await_number(5, passed + 30);
        child_kill(children[round % 3]);
        children[round % 3] = child_start(go_round_for_ever, barrier);
    }
    for (int i = 0; i < 3; i++) {
        child_kill(children[i]);
    }
    CHECK(!kin_barrier_is_broken(barrier));
    CHECK_EQUAL(kin_barrier_party_count(barrier), 0);
    check_sound();
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(the_verifier_finds_dead_parties)
{
    kin_barrier *barrier = new_barrier(NULL, 2);
    _Atomic uint64_t *arrivals = (_Atomic uint64_t *)kin__entry_object(
                                     kin__entry_at(kin_barrier_handle(barrier).index)) +
                                 32;
    char report[1000];
    atomic_store(arrivals, 0x12340077);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 1);
    CHECK(strstr(report, "one that is dead has come") != NULL);
    atomic_store(arrivals, 0);
    check_sound();
    kin_barrier_free(barrier);
}
