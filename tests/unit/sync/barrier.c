/* kin_barrier: codes, rounds, action, members. What happens at deaths is in barrier_death.c. */
#include "base/fault.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/barrier.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/event.h>

static kin_barrier *new_barrier(const kin_barrier_options *options, uint32_t party_count)
{
    kin_barrier *barrier = NULL;
    begin();
    REQUIRE(kin_barrier_create(party_count, options, &barrier) == 0);
    return barrier;
}

static const kin_timeout no_timeout;

static uint32_t note_count(void)
{
    const struct kin__member *member = kin__self()->member;
    uint32_t count = atomic_load(&member->holding_overflow);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        count += atomic_load(&member->holdings[i]) != 0;
    }
    return count;
}

/* Waits until so many wait at the barrier, and sleep. */
static void await_waiting(kin_barrier *barrier, uint32_t count)
{
    while (kin_barrier_waiting_count(barrier) < count) {
        pause_a_moment();
    }
}

/* --- codes --- */

TEST(barrier_functions_refuse_null)
{
    kin_barrier *barrier = new_barrier(NULL, 1);
    CHECK_EQUAL(kin_barrier_create(1, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_barrier_attach(kin_barrier_handle(barrier), NULL), -EINVAL);
    CHECK_EQUAL(kin_barrier_wait(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_barrier_join(NULL), -EINVAL);
    CHECK_EQUAL(kin_barrier_leave(NULL), -EINVAL);
    CHECK_EQUAL(kin_barrier_reset(NULL), -EINVAL);
    CHECK_EQUAL(kin_barrier_abort(NULL), -EINVAL);
    CHECK_EQUAL(kin_barrier_party_count(NULL), 0);
    CHECK_EQUAL(kin_barrier_waiting_count(NULL), 0);
    CHECK(!kin_barrier_is_broken(NULL));
    CHECK_EQUAL(kin_barrier_handle(NULL).counter, 0);
    CHECK(kin_barrier_free(NULL) == NULL);
    kin_barrier_free(barrier);
}

static int unregistered(kin_call *call)
{
    (void)call;
    return 0;
}

TEST(barrier_create_refuses_options_and_counts_that_cannot_be)
{
    kin_barrier *barrier = NULL;
    begin();
    kin_barrier_options options = {.size = 3};
    CHECK_EQUAL(kin_barrier_create(1, &options, &barrier), -EINVAL);
    options = (kin_barrier_options){.size = sizeof options, .scope = (kin_scope)9};
    CHECK_EQUAL(kin_barrier_create(1, &options, &barrier), -EINVAL);
    options = (kin_barrier_options){.size = sizeof options, .on_death = (kin_barrier_on_death)9};
    CHECK_EQUAL(kin_barrier_create(1, &options, &barrier), -EINVAL);
    options = (kin_barrier_options){.size = sizeof options, .action = unregistered};
    CHECK_EQUAL(kin_barrier_create(1, &options, &barrier), KIN_EFUNCTION);
    CHECK_EQUAL(kin_barrier_create(0, NULL, &barrier), -EINVAL);
    CHECK_EQUAL(kin_barrier_create(KIN_BARRIER_PARTIES_MAX + 1, NULL, &barrier), -EINVAL);
    CHECK(barrier == NULL);
    CHECK_EQUAL(kin_barrier_create(KIN_BARRIER_PARTIES_MAX, NULL, &barrier), 0);
    kin_barrier_free(barrier);
}

TEST(a_barrier_needs_a_family_and_a_timeout)
{
    kin_barrier *barrier = NULL;
    CHECK_EQUAL(kin_barrier_create(1, NULL, &barrier), KIN_EFAMILY);
    barrier = new_barrier(NULL, 1);
    CHECK_EQUAL(kin_barrier_wait(barrier, no_timeout), -EINVAL);
    kin_barrier_free(barrier);
}

#ifdef KIN_FAULTS

TEST(a_barrier_that_cannot_be_made_is_enomem)
{
    int r = -1;
    begin();
    for (uint64_t n = 1; r < 0; n++) {
        kin_barrier *barrier = NULL;
        kin_fini();
        REQUIRE(kin_init(NULL, NULL) == 0);
        kin__allocation_fail_at(n);
        r = kin_barrier_create(1, NULL, &barrier);
        kin__allocation_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM);
        CHECK((r == 0) == (barrier != NULL));
        kin_barrier_free(barrier);
    }
}

#endif

TEST(barrier_attach_refuses_stale_handles_and_those_of_other_types)
{
    kin_barrier *barrier = new_barrier(NULL, 1);
    kin_barrier *other = NULL;
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_barrier_handle(barrier);
    CHECK_EQUAL(kin_barrier_attach(kin_event_handle(event), &other), -EINVAL);
    kin_barrier_free(barrier);
    CHECK_EQUAL(kin_barrier_attach(handle, &other), -ESTALE);
    CHECK(other == NULL);
    kin_event_free(event);
}

/* --- rounds --- */

TEST(a_barrier_of_one_holds_nobody_up)
{
    kin_barrier *barrier = new_barrier(NULL, 1);
    for (int i = 0; i < 5; i++) {
        CHECK_EQUAL(kin_barrier_wait(barrier, KIN_FOREVER), 0);
        CHECK_EQUAL(kin_barrier_wait(barrier, KIN_NOW), 0);
    }
    CHECK_EQUAL(note_count(), 0);
    kin_barrier_free(barrier);
}

TEST(to_wait_now_for_those_who_have_not_come_changes_nothing)
{
    kin_barrier *barrier = new_barrier(NULL, 2);
    CHECK_EQUAL(kin_barrier_wait(barrier, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_barrier_waiting_count(barrier), 0);
    CHECK(!kin_barrier_is_broken(barrier));
    kin_barrier_free(barrier);
}

enum { PARTIES = 4, ROUNDS = 200 };

/* In each round the numbers of all are different, and nobody is a round ahead. */
static void go_round(void *user)
{
    for (uint64_t round = 0; round < ROUNDS; round++) {
        atomic_fetch_add(&numbers[0], 1);
        int place = kin_barrier_wait(user, KIN_FOREVER);
        CHECK(place >= 0 && place < PARTIES);
        CHECK(atomic_load(&numbers[0]) >= (round + 1) * PARTIES);
        CHECK(atomic_load(&numbers[0]) < (round + 2) * PARTIES);
        atomic_fetch_add(&numbers[1 + place], 1);
        CHECK(kin_barrier_wait(user, KIN_FOREVER) >= 0);
        CHECK_EQUAL(atomic_load(&numbers[1 + place]), round + 1);
        CHECK(kin_barrier_wait(user, KIN_FOREVER) >= 0);
    }
}

static void *go_round_in_thread(void *user)
{
    go_round(user);
    return NULL;
}

static void go_rounds(bool has_children)
{
    kin_barrier *barrier = new_barrier(NULL, PARTIES);
    pid_t children[PARTIES / 2];
    pthread_t threads[PARTIES];
    int thread_count = has_children ? PARTIES / 2 : PARTIES;
    for (int i = 0; has_children && i < PARTIES / 2; i++) {
        children[i] = child_start(go_round, barrier);
    }
    for (int i = 0; i < thread_count; i++) {
        threads[i] = thread_start(go_round_in_thread, barrier);
    }
    for (int i = 0; i < thread_count; i++) {
        thread_join(threads[i]);
    }
    for (int i = 0; has_children && i < PARTIES / 2; i++) {
        child_join(children[i]);
    }
    CHECK_EQUAL(kin_barrier_waiting_count(barrier), 0);
    CHECK(!kin_barrier_is_broken(barrier));
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(processes_and_threads_go_round_by_round)
{
    go_rounds(true);
}

TEST(threads_go_round_by_round)
{
    go_rounds(false);
}

struct wait {
    kin_barrier *barrier;
    kin_timeout timeout;
    int expected; /* 0: any place */
};

static void wait_at(void *user)
{
    struct wait *wait = user;
    int r = kin_barrier_wait(wait->barrier, wait->timeout);
    CHECK_EQUAL(r >= 0 ? 0 : r, wait->expected);
    atomic_fetch_add(&numbers[0], 1);
    CHECK_EQUAL(note_count(), 0);
}

static void *wait_in_thread(void *user)
{
    wait_at(user);
    return NULL;
}

TEST(more_threads_than_parties_go_in_groups)
{
    struct wait wait = {.barrier = new_barrier(NULL, 2), .timeout = KIN_FOREVER};
    for (int round = 0; round < 30; round++) {
        pthread_t threads[8];
        for (int i = 0; i < 8; i++) {
            threads[i] = thread_start(wait_in_thread, &wait);
        }
        for (int i = 0; i < 8; i++) {
            thread_join(threads[i]);
        }
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 240);
    kin_barrier_free(wait.barrier);
}

/* --- broken --- */

TEST_OF_PROCESSES(one_who_runs_out_of_time_breaks_it_for_all)
{
    struct wait wait = {
        .barrier = new_barrier(NULL, 3), .timeout = KIN_FOREVER, .expected = KIN_EBROKEN};
    pid_t child = child_start(wait_at, &wait);
    await_sleepers(child, 1);
    CHECK_EQUAL(kin_barrier_waiting_count(wait.barrier), 1);
    CHECK_EQUAL(kin_barrier_wait(wait.barrier, kin_within_ms(2)), -ETIMEDOUT);
    child_join(child);
    CHECK(kin_barrier_is_broken(wait.barrier));
    CHECK_EQUAL(kin_barrier_wait(wait.barrier, KIN_NOW), KIN_EBROKEN);
    CHECK_EQUAL(kin_barrier_waiting_count(wait.barrier), 0);
    CHECK_EQUAL(note_count(), 0);
    kin_barrier_free(wait.barrier);
}

TEST_OF_PROCESSES(one_who_is_cancelled_breaks_it_for_all)
{
    struct wait wait = {
        .barrier = new_barrier(NULL, 3), .timeout = KIN_FOREVER, .expected = KIN_EBROKEN};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    struct wait cancelled = {
        .barrier = wait.barrier, .timeout = kin_by(INT64_MAX, cancel), .expected = -ECANCELED};
    pid_t child = child_start(wait_at, &wait);
    pthread_t thread = thread_start(wait_in_thread, &cancelled);
    await_sleepers(child, 1);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    child_join(child);
    thread_join(thread);
    CHECK(kin_barrier_is_broken(wait.barrier));
    kin_cancel_free(cancel);
    kin_barrier_free(wait.barrier);
}

TEST_OF_PROCESSES(abort_breaks_it_until_reset)
{
    struct wait wait = {
        .barrier = new_barrier(NULL, 2), .timeout = KIN_FOREVER, .expected = KIN_EBROKEN};
    pid_t child = child_start(wait_at, &wait);
    await_sleepers(child, 1);
    CHECK_EQUAL(kin_barrier_abort(wait.barrier), 0);
    CHECK_EQUAL(kin_barrier_abort(wait.barrier), 0);
    child_join(child);
    CHECK_EQUAL(kin_barrier_wait(wait.barrier, KIN_FOREVER), KIN_EBROKEN);
    CHECK_EQUAL(kin_barrier_reset(wait.barrier), 0);
    CHECK(!kin_barrier_is_broken(wait.barrier));
    wait.expected = 0;
    child = child_start(wait_at, &wait);
    await_waiting(wait.barrier, 1);
    CHECK_EQUAL(kin_barrier_wait(wait.barrier, KIN_FOREVER), 1);
    child_join(child);
    kin_barrier_free(wait.barrier);
}

TEST_OF_PROCESSES(reset_sends_away_those_who_wait_and_the_barrier_is_whole)
{
    struct wait wait = {
        .barrier = new_barrier(NULL, 2), .timeout = KIN_FOREVER, .expected = KIN_EBROKEN};
    CHECK_EQUAL(kin_barrier_reset(wait.barrier), 0);
    for (int i = 0; i < 3; i++) {
        pid_t child = child_start(wait_at, &wait);
        await_sleepers(child, 1);
        CHECK_EQUAL(kin_barrier_reset(wait.barrier), 0);
        child_join(child);
        CHECK(!kin_barrier_is_broken(wait.barrier));
        CHECK_EQUAL(kin_barrier_waiting_count(wait.barrier), 0);
    }
    kin_barrier_free(wait.barrier);
}

TEST(one_that_wakes_late_learns_what_became_of_its_own_round)
{
    struct wait wait = {.barrier = new_barrier(NULL, 2), .timeout = KIN_FOREVER};
    for (int i = 0; i < 100; i++) {
        pthread_t thread = thread_start(wait_in_thread, &wait);
        CHECK(kin_barrier_wait(wait.barrier, KIN_FOREVER) >= 0);
        CHECK_EQUAL(kin_barrier_abort(wait.barrier), 0); /* the other may still be asleep */
        thread_join(thread);
        CHECK_EQUAL(kin_barrier_reset(wait.barrier), 0);
    }
    kin_barrier_free(wait.barrier);
}

/* --- action --- */

static int count_rounds(kin_call *call)
{
    (void)call;
    atomic_fetch_add(&numbers[10], 1);
    return 0;
}
KIN_FUNCTION(count_rounds)

static void go_round_with_action(void *user)
{
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        CHECK(kin_barrier_wait(user, KIN_FOREVER) >= 0);
        uint64_t count = atomic_load(&numbers[10]);
        CHECK(count >= round && count <= round + 1);
    }
}

TEST_OF_PROCESSES(the_action_runs_once_a_round_before_anybody_goes_on)
{
    kin_barrier *barrier = new_barrier(KIN_OPTIONS(kin_barrier_options, .action = count_rounds),
                                       PARTIES);
    pid_t children[PARTIES - 1];
    for (int i = 0; i < PARTIES - 1; i++) {
        children[i] = child_start(go_round_with_action, barrier);
    }
    go_round_with_action(barrier);
    for (int i = 0; i < PARTIES - 1; i++) {
        child_join(children[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[10]), ROUNDS);
    CHECK_EQUAL(kin_barrier_wait(barrier, KIN_NOW), -EAGAIN);
    kin_barrier_free(barrier);
}

static int fail_to_act(kin_call *call)
{
    return kin_call_fail(call, -ERANGE, "no");
}
KIN_FUNCTION(fail_to_act)

TEST_OF_PROCESSES(an_action_that_fails_breaks_the_barrier)
{
    struct wait wait = {
        .barrier = new_barrier(KIN_OPTIONS(kin_barrier_options, .action = fail_to_act), 2),
        .timeout = KIN_FOREVER,
        .expected = KIN_EBROKEN};
    pid_t child = child_start(wait_at, &wait);
    await_sleepers(child, 1);
    CHECK_EQUAL(kin_barrier_wait(wait.barrier, KIN_FOREVER), -ERANGE);
    child_join(child);
    CHECK(kin_barrier_is_broken(wait.barrier));
    kin_barrier_free(wait.barrier);
}

static kin_barrier *acted_on;

static int wait_inside(kin_call *call)
{
    (void)call;
    CHECK_EQUAL(kin_barrier_wait(acted_on, KIN_FOREVER), -EDEADLK);
    return 0;
}
KIN_FUNCTION(wait_inside)

static int abort_inside(kin_call *call)
{
    (void)call;
    CHECK_EQUAL(kin_barrier_abort(acted_on), 0);
    return 0;
}
KIN_FUNCTION(abort_inside)

static int reset_inside(kin_call *call)
{
    (void)call;
    CHECK_EQUAL(kin_barrier_reset(acted_on), 0);
    return 0;
}
KIN_FUNCTION(reset_inside)

TEST(what_an_action_does_to_its_barrier_holds)
{
    acted_on = new_barrier(KIN_OPTIONS(kin_barrier_options, .action = wait_inside), 1);
    CHECK_EQUAL(kin_barrier_wait(acted_on, KIN_FOREVER), 0);
    kin_barrier_free(acted_on);
    REQUIRE(kin_barrier_create(1, KIN_OPTIONS(kin_barrier_options, .action = abort_inside),
                               &acted_on) == 0);
    CHECK_EQUAL(kin_barrier_wait(acted_on, KIN_FOREVER), KIN_EBROKEN);
    CHECK(kin_barrier_is_broken(acted_on));
    kin_barrier_free(acted_on);
    REQUIRE(kin_barrier_create(1, KIN_OPTIONS(kin_barrier_options, .action = reset_inside),
                               &acted_on) == 0);
    CHECK_EQUAL(kin_barrier_wait(acted_on, KIN_FOREVER), KIN_EBROKEN);
    CHECK(!kin_barrier_is_broken(acted_on));
    kin_barrier_free(acted_on);
}

static int act_slowly(kin_call *call)
{
    (void)call;
    atomic_fetch_add(&numbers[11], 1);
    await_number(12, 1);
    return 0;
}
KIN_FUNCTION(act_slowly)

TEST(who_comes_while_the_action_runs_is_for_the_next_round)
{
    struct wait wait = {
        .barrier = new_barrier(KIN_OPTIONS(kin_barrier_options, .action = act_slowly), 1),
        .timeout = KIN_FOREVER};
    pthread_t first = thread_start(wait_in_thread, &wait);
    await_number(11, 1);
    CHECK_EQUAL(kin_barrier_wait(wait.barrier, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_barrier_wait(wait.barrier, kin_within_ms(2)), -ETIMEDOUT);
    CHECK(!kin_barrier_is_broken(wait.barrier)); /* it had not come in */
    pthread_t second = thread_start(wait_in_thread, &wait);
    await_sleepers(getpid(), 1);
    atomic_store(&numbers[12], 1);
    thread_join(first);
    thread_join(second);
    CHECK_EQUAL(atomic_load(&numbers[11]), 2);
    kin_barrier_free(wait.barrier);
}

TEST(a_wait_that_ends_while_the_action_runs_breaks_the_round)
{
    struct wait wait = {
        .barrier = new_barrier(KIN_OPTIONS(kin_barrier_options, .action = act_slowly), 2),
        .timeout = KIN_FOREVER,
        .expected = -ECANCELED};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    wait.timeout = kin_by(INT64_MAX, cancel);
    pthread_t thread = thread_start(wait_in_thread, &wait);
    await_sleepers(getpid(), 1);
    struct wait last = {.barrier = wait.barrier, .timeout = KIN_FOREVER, .expected = KIN_EBROKEN};
    pthread_t actor = thread_start(wait_in_thread, &last);
    await_number(11, 1);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    thread_join(thread);
    atomic_store(&numbers[12], 1);
    thread_join(actor);
    CHECK(kin_barrier_is_broken(wait.barrier));
    kin_cancel_free(cancel);
    kin_barrier_free(wait.barrier);
}

/* --- members --- */

static void *join_and_leave(void *user)
{
    CHECK_EQUAL(kin_barrier_join(user), 0);
    atomic_fetch_add(&numbers[0], 1);
    await_number(1, 1);
    CHECK_EQUAL(kin_barrier_leave(user), 0);
    CHECK_EQUAL(note_count(), 0);
    return NULL;
}

TEST(who_joins_takes_a_place_and_who_leaves_takes_it_away)
{
    kin_barrier *barrier = new_barrier(NULL, 2);
    CHECK_EQUAL(kin_barrier_leave(barrier), -EPERM);
    CHECK_EQUAL(kin_barrier_join(barrier), 0);
    CHECK_EQUAL(kin_barrier_join(barrier), 0);
    CHECK_EQUAL(kin_barrier_party_count(barrier), 2);
    pthread_t other = thread_start(join_and_leave, barrier);
    await_number(0, 1);
    CHECK_EQUAL(note_count(), 1);
    atomic_store(&numbers[1], 1);
    thread_join(other);
    CHECK_EQUAL(kin_barrier_party_count(barrier), 1);
    CHECK_EQUAL(kin_barrier_wait(barrier, KIN_NOW), 0);
    thread_join(thread_start(join_and_leave, barrier)); /* its place came back, and went */
    CHECK_EQUAL(kin_barrier_leave(barrier), 0);
    CHECK_EQUAL(kin_barrier_party_count(barrier), 0);
    CHECK_EQUAL(kin_barrier_join(barrier), 0);
    CHECK_EQUAL(kin_barrier_party_count(barrier), 1);
    CHECK_EQUAL(kin_barrier_leave(barrier), 0);
    CHECK_EQUAL(note_count(), 0);
    kin_barrier_free(barrier);
}

static void *find_no_place(void *user)
{
    CHECK_EQUAL(kin_barrier_join(user), -EOVERFLOW);
    CHECK_EQUAL(note_count(), 0);
    return NULL;
}

TEST(no_more_can_join_than_there_were_parties)
{
    kin_barrier *barrier = new_barrier(NULL, 1);
    CHECK_EQUAL(kin_barrier_join(barrier), 0);
    thread_join(thread_start(find_no_place, barrier));
    CHECK_EQUAL(kin_barrier_leave(barrier), 0);
    kin_barrier_free(barrier);
}

static void wait_for_one_that_leaves(const kin_barrier_options *options)
{
    struct wait wait = {.barrier = new_barrier(options, 3), .timeout = KIN_FOREVER};
    CHECK_EQUAL(kin_barrier_join(wait.barrier), 0);
    pid_t children[2] = {child_start(wait_at, &wait), child_start(wait_at, &wait)};
    await_sleepers(children[0], 1);
    await_sleepers(children[1], 1);
    CHECK_EQUAL(kin_barrier_leave(wait.barrier), 0);
    child_join(children[0]);
    child_join(children[1]);
    kin_barrier_free(wait.barrier);
}

TEST_OF_PROCESSES(those_who_wait_for_one_that_leaves_go_on)
{
    wait_for_one_that_leaves(NULL);
}

TEST_OF_PROCESSES(one_of_those_who_wait_for_one_that_leaves_runs_the_action)
{
    wait_for_one_that_leaves(KIN_OPTIONS(kin_barrier_options, .action = count_rounds));
    CHECK_EQUAL(atomic_load(&numbers[10]), 1);
}

/* --- other processes --- */

static void wait_by_handle(void *user)
{
    kin_barrier *barrier = NULL;
    REQUIRE(kin_barrier_attach(*(kin_handle *)user, &barrier) == 0);
    CHECK(kin_barrier_wait(barrier, KIN_FOREVER) >= 0);
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(a_barrier_and_its_action_are_found_by_handle_in_another_process)
{
    kin_barrier *barrier = new_barrier(KIN_OPTIONS(kin_barrier_options, .action = count_rounds), 2);
    kin_handle handle = kin_barrier_handle(barrier);
    pid_t child = child_start(wait_by_handle, &handle);
    CHECK(kin_barrier_wait(barrier, KIN_FOREVER) >= 0);
    child_join(child);
    CHECK_EQUAL(atomic_load(&numbers[10]), 1);
    kin_barrier_free(barrier);
}

TEST_OF_PROCESSES(a_plainly_forked_child_is_a_party_of_its_own)
{
    kin_barrier *barrier = new_barrier(NULL, 2);
    CHECK_EQUAL(kin_barrier_join(barrier), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQUAL(kin_barrier_leave(barrier), -EPERM);
        CHECK(kin_barrier_wait(barrier, KIN_FOREVER) >= 0);
        kin_barrier_free(barrier);
        kin_fini();
        _exit(0);
    }
    CHECK(kin_barrier_wait(barrier, KIN_FOREVER) >= 0);
    child_join(pid);
    CHECK_EQUAL(kin_barrier_leave(barrier), 0);
    kin_barrier_free(barrier);
}

static void find_it_shut(void *user)
{
    kin_barrier *other = NULL;
    CHECK_EQUAL(kin_barrier_wait(user, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_barrier_join(user), -ESTALE);
    CHECK_EQUAL(kin_barrier_abort(user), -ESTALE);
    CHECK(!kin_barrier_is_broken(user));
    CHECK_EQUAL(kin_barrier_attach(kin_barrier_handle(user), &other), -EACCES);
    kin_barrier_free(user);
}

TEST_OF_PROCESSES(a_barrier_of_one_process_is_for_its_threads_alone)
{
    struct wait wait = {
        .barrier = new_barrier(KIN_OPTIONS(kin_barrier_options, .scope = KIN_SCOPE_PROCESS), 2),
        .timeout = KIN_FOREVER};
    child_join(child_start(find_it_shut, wait.barrier));
    pthread_t thread = thread_start(wait_in_thread, &wait);
    CHECK(kin_barrier_wait(wait.barrier, KIN_FOREVER) >= 0);
    thread_join(thread);
    kin_barrier_free(wait.barrier);
}
