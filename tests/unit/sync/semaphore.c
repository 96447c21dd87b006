/* kin_semaphore: codes, counting, waiting. What happens at deaths is in semaphore_death.c. */
#include "base/fault.h"
#include "family/directory.h"
#include "family/sleep.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/event.h>
#include <kin/rwlock.h>
#include <kin/semaphore.h>

static kin_semaphore *new_plain(uint32_t value)
{
    kin_semaphore *semaphore = NULL;
    begin();
    REQUIRE(kin_semaphore_create(value, NULL, &semaphore) == 0);
    return semaphore;
}

static kin_semaphore *new_bounded(uint32_t value)
{
    kin_semaphore *semaphore = NULL;
    begin();
    REQUIRE(kin_semaphore_create(value, KIN_OPTIONS(kin_semaphore_options, .is_bounded = true),
                                 &semaphore) == 0);
    return semaphore;
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

TEST(semaphore_functions_refuse_null)
{
    kin_semaphore *semaphore = new_plain(1);
    CHECK_EQUAL(kin_semaphore_create(1, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_semaphore_attach(kin_semaphore_handle(semaphore), NULL), -EINVAL);
    CHECK_EQUAL(kin_semaphore_acquire(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_semaphore_release(NULL, 1), -EINVAL);
    CHECK_EQUAL(kin_semaphore_value(NULL), 0);
    CHECK_EQUAL(kin_semaphore_handle(NULL).counter, 0);
    CHECK(kin_semaphore_free(NULL) == NULL);
    kin_semaphore_free(semaphore);
}

TEST(semaphore_create_refuses_options_and_values_that_cannot_be)
{
    kin_semaphore *semaphore = NULL;
    begin();
    kin_semaphore_options options = {.size = sizeof options - 1};
    CHECK_EQUAL(kin_semaphore_create(1, &options, &semaphore), -EINVAL);
    options = (kin_semaphore_options){.size = sizeof options, .scope = (kin_scope)2};
    CHECK_EQUAL(kin_semaphore_create(1, &options, &semaphore), -EINVAL);
    options = (kin_semaphore_options){.size = sizeof options, .is_bounded = true};
    CHECK_EQUAL(kin_semaphore_create(KIN_SEMAPHORE_BOUNDED_MAX + 1, &options, &semaphore), -EINVAL);
    CHECK_EQUAL(kin_semaphore_create((uint32_t)KIN_SEMAPHORE_VALUE_MAX + 1, NULL, &semaphore),
                -EINVAL);
    CHECK(semaphore == NULL);
}

TEST(semaphore_calls_refuse_a_timeout_that_is_all_zero_and_a_release_of_none)
{
    kin_semaphore *semaphore = new_plain(1);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, no_timeout), -EINVAL);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 0), -EINVAL);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 1);
    kin_semaphore_free(semaphore);
}

TEST(a_semaphore_needs_a_family)
{
    kin_semaphore *semaphore = NULL;
    CHECK_EQUAL(kin_semaphore_create(1, NULL, &semaphore), KIN_EFAMILY);
    CHECK(semaphore == NULL);
}

#ifdef KIN_FAULTS

TEST(a_semaphore_that_cannot_be_made_is_enomem)
{
    int r = -1;
    begin();
    for (uint64_t n = 1; r < 0; n++) {
        kin_semaphore *semaphore = NULL;
        kin_fini();
        REQUIRE(kin_init(NULL, NULL) == 0);
        kin__allocation_fail_at(n);
        r = kin_semaphore_create(1, NULL, &semaphore);
        kin__allocation_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM);
        CHECK((r == 0) == (semaphore != NULL));
        kin_semaphore_free(semaphore);
    }
}

#endif

TEST(semaphore_attach_refuses_stale_handles_and_those_of_other_types)
{
    kin_semaphore *semaphore = new_plain(1);
    kin_semaphore *other = NULL;
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_semaphore_handle(semaphore);
    CHECK_EQUAL(kin_semaphore_attach(kin_event_handle(event), &other), -EINVAL);
    CHECK_EQUAL(kin_semaphore_attach((kin_handle){0}, &other), -ESTALE);
    kin_semaphore_free(semaphore);
    CHECK_EQUAL(kin_semaphore_attach(handle, &other), -ESTALE);
    CHECK(other == NULL);
    kin_event_free(event);
}

static void take_and_give(kin_semaphore *semaphore)
{
    CHECK_EQUAL(kin_semaphore_value(semaphore), 3);
    for (uint32_t left = 3; left > 0; left--) {
        CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_FOREVER), 0);
        CHECK_EQUAL(kin_semaphore_value(semaphore), left - 1);
    }
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, kin_within_ms(5)), -ETIMEDOUT);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, kin_by(kin_now_ns(), NULL)), -ETIMEDOUT);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 3), 0);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 3);
}

TEST(a_plain_semaphore_counts_down_and_up)
{
    kin_semaphore *semaphore = new_plain(3);
    take_and_give(semaphore);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 2), 0);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 5);
    kin_semaphore_free(semaphore);
}

TEST(a_bounded_semaphore_counts_down_and_up)
{
    kin_semaphore *semaphore = new_bounded(3);
    take_and_give(semaphore);
    CHECK_EQUAL(note_count(), 0);
    kin_semaphore_free(semaphore);
}

TEST(to_release_more_than_is_out_of_a_bounded_one_is_eoverflow_and_changes_nothing)
{
    kin_semaphore *semaphore = new_bounded(3);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), -EOVERFLOW);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 2), -EOVERFLOW);
    CHECK_EQUAL(kin_semaphore_release(semaphore, UINT32_MAX), -EOVERFLOW);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 2);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), -EOVERFLOW);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 3);
    kin_semaphore_free(semaphore);
}

TEST(a_plain_semaphore_has_a_most)
{
    kin_semaphore *semaphore = new_plain(KIN_SEMAPHORE_VALUE_MAX - 1);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 2), -EOVERFLOW);
    CHECK_EQUAL(kin_semaphore_release(semaphore, UINT32_MAX), -EOVERFLOW);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    CHECK_EQUAL(kin_semaphore_value(semaphore), KIN_SEMAPHORE_VALUE_MAX);
    kin_semaphore_free(semaphore);
}

TEST(a_bounded_semaphore_of_none_has_none_for_ever)
{
    kin_semaphore *semaphore = new_bounded(0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), -EOVERFLOW);
    CHECK_EQUAL(note_count(), 0);
    kin_semaphore_free(semaphore);
}

TEST(the_largest_bounded_semaphore_gives_all_its_permits)
{
    kin_semaphore *semaphore = new_bounded(KIN_SEMAPHORE_BOUNDED_MAX);
    for (uint32_t i = 0; i < 100; i++) {
        CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    }
    CHECK_EQUAL(kin_semaphore_value(semaphore), KIN_SEMAPHORE_BOUNDED_MAX - 100);
    CHECK(note_count() <= 5);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 99), 0);
    CHECK_EQUAL(note_count(), 1);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    CHECK_EQUAL(note_count(), 0);
    kin_semaphore_free(semaphore);
}

static void *release_one(void *user)
{
    CHECK_EQUAL(kin_semaphore_release(user, 1), 0);
    CHECK_EQUAL(note_count(), 0);
    return NULL;
}

TEST(another_thread_may_give_a_permit_back)
{
    kin_semaphore *semaphore = new_bounded(2);
    for (int i = 0; i < 20; i++) {
        CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
        thread_join(thread_start(release_one, semaphore));
        CHECK(note_count() <= 5); /* what was given back in its place is not noted for ever */
    }
    CHECK_EQUAL(kin_semaphore_value(semaphore), 2);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), -EOVERFLOW);
    CHECK_EQUAL(note_count(), 0);
    kin_semaphore_free(semaphore);
}

TEST(notes_of_a_semaphore_find_room_beside_those_of_many_locks)
{
    enum { COUNT = 35 };
    kin_semaphore *semaphores[COUNT] = {new_bounded(3)};
    for (int i = 1; i < COUNT; i++) {
        REQUIRE(kin_semaphore_create(3, KIN_OPTIONS(kin_semaphore_options, .is_bounded = true),
                                     &semaphores[i]) == 0);
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQUAL(kin_semaphore_acquire(semaphores[i], KIN_NOW), 0);
        CHECK_EQUAL(kin_semaphore_acquire(semaphores[0], KIN_NOW), i < 2 ? 0 : -EAGAIN);
    }
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQUAL(kin_semaphore_release(semaphores[i], i == 0 ? 3 : 1), 0);
        kin_semaphore_free(semaphores[i]);
    }
    CHECK_EQUAL(note_count(), 0);
}

TEST(asking_a_semaphore_now_costs_those_who_release_nothing)
{
    kin_semaphore *semaphore = new_plain(0);
    const uint32_t *shared = kin__entry_object(
        kin__entry_at(kin_semaphore_handle(semaphore).index));
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(shared[3] & KIN__COUNT_SLEEPERS, 0);
    kin_semaphore_free(semaphore);
}

/* --- waiting --- */

enum { WAITER_COUNT = 4 };

struct wait {
    kin_semaphore *semaphore;
    kin_timeout timeout;
    int expected;
};

static void acquire(void *user)
{
    struct wait *wait = user;
    int r = kin_semaphore_acquire(wait->semaphore, wait->timeout);
    CHECK_EQUAL(r == KIN_OWNER_DIED ? 0 : r, wait->expected); /* of one that ended with a permit */
    atomic_fetch_add(&numbers[0], 1);
}

static void *acquire_in_thread(void *user)
{
    acquire(user);
    return NULL;
}

/* That many children and threads wait, and sleep. */
struct waiters {
    pid_t children[WAITER_COUNT];
    pthread_t threads[WAITER_COUNT];
};

static struct waiters start_waiters(struct wait *wait)
{
    struct waiters waiters;
    for (int i = 0; i < WAITER_COUNT; i++) {
        waiters.children[i] = child_start(acquire, wait);
    }
    for (int i = 0; i < WAITER_COUNT; i++) {
        waiters.threads[i] = thread_start(acquire_in_thread, wait);
        await_sleepers(waiters.children[i], 1);
    }
    await_sleepers(getpid(), WAITER_COUNT);
    return waiters;
}

static void join_waiters(struct waiters waiters)
{
    for (int i = 0; i < WAITER_COUNT; i++) {
        child_join(waiters.children[i]);
        thread_join(waiters.threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 2 * WAITER_COUNT);
}

TEST_OF_PROCESSES(each_release_lets_one_waiter_go)
{
    struct wait wait = {.semaphore = new_plain(0), .timeout = KIN_FOREVER};
    struct waiters waiters = start_waiters(&wait);
    for (uint64_t i = 1; i <= 2 * WAITER_COUNT; i++) {
        CHECK_EQUAL(kin_semaphore_release(wait.semaphore, 1), 0);
        await_number(0, i);
        CHECK_EQUAL(atomic_load(&numbers[0]), i);
    }
    join_waiters(waiters);
    CHECK_EQUAL(kin_semaphore_value(wait.semaphore), 0);
    kin_semaphore_free(wait.semaphore);
}

TEST_OF_PROCESSES(a_release_of_many_lets_as_many_go)
{
    struct wait wait = {.semaphore = new_plain(0), .timeout = KIN_FOREVER};
    struct waiters waiters = start_waiters(&wait);
    CHECK_EQUAL(kin_semaphore_release(wait.semaphore, 3), 0);
    await_number(0, 3);
    CHECK_EQUAL(kin_semaphore_release(wait.semaphore, 2 * WAITER_COUNT - 3), 0);
    join_waiters(waiters);
    kin_semaphore_free(wait.semaphore);
}

TEST_OF_PROCESSES(releases_in_a_row_wake_as_many_waiters)
{
    struct wait wait = {.semaphore = new_bounded(2 * WAITER_COUNT), .timeout = KIN_FOREVER};
    for (int i = 0; i < 2 * WAITER_COUNT; i++) {
        CHECK_EQUAL(kin_semaphore_acquire(wait.semaphore, KIN_NOW), 0);
    }
    pthread_t threads[WAITER_COUNT];
    for (int i = 0; i < WAITER_COUNT; i++) {
        threads[i] = thread_start(acquire_in_thread, &wait);
    }
    await_sleepers(getpid(), WAITER_COUNT);
    for (int i = 0; i < WAITER_COUNT; i++) {
        CHECK_EQUAL(kin_semaphore_release(wait.semaphore, 1), 0);
    }
    await_number(0, WAITER_COUNT);
    for (int i = 0; i < WAITER_COUNT; i++) {
        thread_join(threads[i]); /* ends with a permit: that is a death */
    }
    CHECK_EQUAL(kin_semaphore_value(wait.semaphore), WAITER_COUNT);
    CHECK_EQUAL(kin_semaphore_acquire(wait.semaphore, KIN_NOW), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_semaphore_release(wait.semaphore, WAITER_COUNT + 1), 0);
    kin_semaphore_free(wait.semaphore);
}

TEST_OF_PROCESSES(a_fired_token_ends_all_waits_for_a_semaphore)
{
    struct wait wait = {.semaphore = new_bounded(0), .expected = -ECANCELED};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    wait.timeout = kin_by(INT64_MAX, cancel);
    struct waiters waiters = start_waiters(&wait);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    join_waiters(waiters);
    CHECK_EQUAL(kin_semaphore_acquire(wait.semaphore, wait.timeout), -ECANCELED);
    kin_cancel_free(cancel);
    kin_semaphore_free(wait.semaphore);
}

TEST(a_permit_that_is_there_wins_over_a_fired_token)
{
    kin_semaphore *semaphore = new_plain(1);
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, kin_by(INT64_MAX, cancel)), 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, kin_by(INT64_MAX, cancel)), -ECANCELED);
    kin_cancel_free(cancel);
    kin_semaphore_free(semaphore);
}

/* --- so many at once --- */

enum { GATE = 3, CROWD = 4, ROUNDS = 300 };

static void pass_gate(void *user)
{
    for (int i = 0; i < ROUNDS; i++) {
        CHECK_EQUAL(kin_semaphore_acquire(user, KIN_FOREVER), 0);
        uint64_t inside = atomic_fetch_add(&numbers[0], 1) + 1;
        uint64_t most = atomic_load(&numbers[1]);
        while (inside > most && !atomic_compare_exchange_weak(&numbers[1], &most, inside)) {
        }
        if (i % 16 == 0) {
            sched_yield();
        }
        atomic_fetch_sub(&numbers[0], 1);
        atomic_fetch_add(&numbers[2], 1);
        CHECK_EQUAL(kin_semaphore_release(user, 1), 0);
    }
}

static void *pass_gate_in_thread(void *user)
{
    pass_gate(user);
    return NULL;
}

static void crowd(kin_semaphore *semaphore, bool has_children)
{
    pid_t children[CROWD];
    pthread_t threads[CROWD];
    for (int i = 0; has_children && i < CROWD; i++) {
        children[i] = child_start(pass_gate, semaphore);
    }
    for (int i = 0; i < CROWD; i++) {
        threads[i] = thread_start(pass_gate_in_thread, semaphore);
    }
    for (int i = 0; i < CROWD; i++) {
        thread_join(threads[i]);
    }
    for (int i = 0; has_children && i < CROWD; i++) {
        child_join(children[i]);
    }
    CHECK(atomic_load(&numbers[1]) <= GATE);
    CHECK_EQUAL(atomic_load(&numbers[2]), (has_children ? 2 : 1) * CROWD * ROUNDS);
    CHECK_EQUAL(kin_semaphore_value(semaphore), GATE);
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(of_a_crowd_at_most_so_many_are_inside_a_plain_semaphore)
{
    crowd(new_plain(GATE), true);
}

TEST_OF_PROCESSES(of_a_crowd_at_most_so_many_are_inside_a_bounded_semaphore)
{
    crowd(new_bounded(GATE), true);
}

TEST(of_threads_at_most_so_many_are_inside_a_bounded_semaphore)
{
    crowd(new_bounded(GATE), false);
}

/* --- other processes --- */

static void take_by_handle(void *user)
{
    kin_semaphore *semaphore = NULL;
    REQUIRE(kin_semaphore_attach(*(kin_handle *)user, &semaphore) == 0);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_FOREVER), 0);
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(a_semaphore_is_opened_by_its_handle_in_another_process)
{
    kin_semaphore *semaphore = new_plain(1);
    kin_handle handle = kin_semaphore_handle(semaphore);
    child_join(child_start(take_by_handle, &handle));
    CHECK_EQUAL(kin_semaphore_value(semaphore), 0);
    kin_semaphore_free(semaphore);
}

TEST_OF_PROCESSES(permits_of_a_parents_threads_are_not_those_of_a_plainly_forked_child)
{
    kin_semaphore *semaphore = new_bounded(1);
    CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), -EAGAIN);
        kin_semaphore_free(semaphore);
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    CHECK_EQUAL(kin_semaphore_value(semaphore), 0);
    CHECK_EQUAL(kin_semaphore_release(semaphore, 1), 0);
    kin_semaphore_free(semaphore);
}

static void find_it_shut(void *user)
{
    kin_semaphore *other = NULL;
    CHECK_EQUAL(kin_semaphore_acquire(user, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_semaphore_release(user, 1), -ESTALE);
    CHECK_EQUAL(kin_semaphore_value(user), 0);
    CHECK_EQUAL(kin_semaphore_attach(kin_semaphore_handle(user), &other), -EACCES);
    kin_semaphore_free(user);
}

TEST_OF_PROCESSES(a_semaphore_of_one_process_is_for_its_threads_alone)
{
    struct wait wait = {.timeout = KIN_FOREVER};
    begin();
    REQUIRE(kin_semaphore_create(0, KIN_OPTIONS(kin_semaphore_options, .scope = KIN_SCOPE_PROCESS),
                                 &wait.semaphore) == 0);
    child_join(child_start(find_it_shut, wait.semaphore));
    pthread_t waiter = thread_start(acquire_in_thread, &wait);
    CHECK_EQUAL(kin_semaphore_release(wait.semaphore, 1), 0);
    thread_join(waiter);
    kin_semaphore_free(wait.semaphore);
}

static void *release_six(void *user)
{
    CHECK_EQUAL(kin_semaphore_release(user, 6), 0);
    return NULL;
}

/* The thread keeps the note of a semaphore whose permits another gave back. */
TEST(what_a_semaphore_left_in_the_slot_is_no_reader_of_the_lock_that_comes_after_it)
{
    kin_semaphore *semaphore = new_bounded(8);
    kin_rwlock *first = NULL;
    kin_rwlock *second = NULL;
    REQUIRE(kin_rwlock_create(NULL, &first) == 0);
    for (int i = 0; i < 6; i++) {
        CHECK_EQUAL(kin_semaphore_acquire(semaphore, KIN_NOW), 0);
    }
    thread_join(thread_start(release_six, semaphore));
    uint32_t index = kin_semaphore_handle(semaphore).index;
    kin_semaphore_free(semaphore);
    REQUIRE(kin_rwlock_create(NULL, &second) == 0);
    REQUIRE(kin_rwlock_handle(second).index == index);
    CHECK_EQUAL(kin_rwlock_acquire_read(first, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_reader_count(second), 0);
    CHECK_EQUAL(kin_rwlock_acquire_write(second, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_release(second), 0);
    CHECK_EQUAL(kin_rwlock_acquire_read(second, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_release(second), 0);
    CHECK_EQUAL(kin_rwlock_release(first), 0);
    kin_rwlock_free(first);
    kin_rwlock_free(second);
}
