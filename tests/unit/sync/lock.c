/* kin_lock: codes, exclusion, waiting. What happens at deaths is in lock_death.c. */
#include "base/fault.h"
#include "family/directory.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/event.h>
#include <kin/lock.h>
#include <kin/rlock.h>

static kin_lock *new_lock(void)
{
    kin_lock *lock = NULL;
    begin();
    REQUIRE(kin_lock_create(NULL, &lock) == 0);
    return lock;
}

static const kin_timeout no_timeout;

TEST(lock_functions_refuse_null)
{
    kin_lock *lock = new_lock();
    CHECK_EQUAL(kin_lock_create(NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_lock_attach(kin_lock_handle(lock), NULL), -EINVAL);
    CHECK_EQUAL(kin_lock_acquire(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_lock_release(NULL), -EINVAL);
    CHECK_EQUAL(kin_lock_mark_consistent(NULL), -EINVAL);
    CHECK(!kin_lock_is_locked(NULL));
    CHECK_EQUAL(kin_lock_handle(NULL).counter, 0);
    CHECK(kin_lock_free(NULL) == NULL);
    kin_lock_free(lock);
}

TEST(lock_create_refuses_foreign_options)
{
    kin_lock *lock = NULL;
    begin();
    CHECK_EQUAL(kin_lock_create(&(kin_lock_options){.size = 1}, &lock), -EINVAL);
    CHECK_EQUAL(kin_lock_create(KIN_OPTIONS(kin_lock_options, .scope = (kin_scope)7), &lock),
                -EINVAL);
    CHECK(lock == NULL);
}

#ifdef KIN_FAULTS

TEST(a_lock_and_an_rlock_that_cannot_be_made_are_enomem)
{
    int r = -1;
    begin();
    for (uint64_t n = 1; r < 0; n++) {
        kin_lock *lock = NULL;
        kin_rlock *rlock = NULL;
        kin_fini();
        REQUIRE(kin_init(NULL, NULL) == 0);
        kin__allocation_fail_at(n);
        r = kin_lock_create(NULL, &lock);
        r = r < 0 ? r : kin_rlock_create(NULL, &rlock);
        kin__allocation_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM);
        CHECK((r == 0) == (rlock != NULL));
        kin_rlock_free(rlock);
        kin_lock_free(lock);
    }
}

#endif

static void find_it_foreign(void *user)
{
    kin_lock *own = NULL;
    CHECK_EQUAL(kin_lock_acquire(user, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_lock_attach(kin_lock_handle(user), &own), -EACCES);
}

TEST_OF_PROCESSES(a_lock_of_one_process_is_used_by_its_threads_only)
{
    kin_lock *lock = NULL;
    begin();
    REQUIRE(kin_lock_create(KIN_OPTIONS(kin_lock_options, .scope = KIN_SCOPE_PROCESS,
                                        .name = "one with a name that is much too long for a lock"),
                            &lock) == 0);
    child_join(child_start(find_it_foreign, lock));
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}

TEST(acquire_refuses_a_timeout_that_is_all_zero)
{
    kin_lock *lock = new_lock();
    CHECK_EQUAL(kin_lock_acquire(lock, no_timeout), -EINVAL);
    CHECK(!kin_lock_is_locked(lock));
    kin_lock_free(lock);
}

TEST(a_lock_needs_a_family)
{
    kin_lock *lock = NULL;
    CHECK_EQUAL(kin_lock_create(NULL, &lock), KIN_EFAMILY);
    CHECK(lock == NULL);
}

TEST(lock_attach_refuses_stale_handles_and_those_of_other_types)
{
    kin_lock *lock = new_lock();
    kin_lock *other = NULL;
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_lock_handle(lock);
    CHECK_EQUAL(kin_lock_attach(kin_event_handle(event), &other), -EINVAL);
    CHECK_EQUAL(kin_lock_attach((kin_handle){0}, &other), -ESTALE);
    kin_handle altered = handle;
    altered.counter++;
    CHECK_EQUAL(kin_lock_attach(altered, &other), -ESTALE);
    altered = handle;
    altered.family++;
    CHECK_EQUAL(kin_lock_attach(altered, &other), -ESTALE);
    altered = handle;
    altered.index = UINT32_MAX;
    CHECK_EQUAL(kin_lock_attach(altered, &other), -ESTALE);
    kin_lock_free(lock);
    CHECK_EQUAL(kin_lock_attach(handle, &other), -ESTALE);
    CHECK(other == NULL);
    kin_event_free(event);
}

TEST(a_lock_is_held_from_acquire_to_release)
{
    kin_lock *lock = new_lock();
    CHECK(!kin_lock_is_locked(lock));
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), 0);
    CHECK(kin_lock_is_locked(lock));
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK(!kin_lock_is_locked(lock));
    kin_lock_free(lock);
}

TEST(the_holder_gets_edeadlk_and_holds_it_still)
{
    kin_lock *lock = new_lock();
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), -EDEADLK);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), -EDEADLK);
    CHECK(kin_lock_is_locked(lock));
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_lock_release(lock), -EPERM);
    kin_lock_free(lock);
}

TEST(two_openings_in_one_process_are_one_lock)
{
    kin_lock *lock = new_lock();
    kin_lock *other = NULL;
    REQUIRE(kin_lock_attach(kin_lock_handle(lock), &other) == 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    CHECK_EQUAL(kin_lock_acquire(other, KIN_NOW), -EDEADLK);
    kin_lock_free(lock);
    CHECK(kin_lock_is_locked(other));
    CHECK_EQUAL(kin_lock_release(other), 0);
    kin_lock_free(other);
}

/* What a thread, or a process, that does not hold the lock is told. */
static void ask_from_outside(void *user)
{
    kin_lock *lock = user;
    CHECK(kin_lock_is_locked(lock));
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_lock_acquire(lock, kin_within_ms(5)), -ETIMEDOUT);
    CHECK_EQUAL(kin_lock_acquire(lock, kin_by(kin_now_ns() - 1, NULL)), -ETIMEDOUT);
    CHECK_EQUAL(kin_lock_acquire(lock, kin_by(-1, NULL)), -ETIMEDOUT);
    CHECK_EQUAL(kin_lock_release(lock), -EPERM);
    CHECK_EQUAL(kin_lock_mark_consistent(lock), -EPERM);
    CHECK(kin_lock_is_locked(lock));
}

static void *ask_from_thread(void *user)
{
    ask_from_outside(user);
    return NULL;
}

TEST_OF_PROCESSES(others_do_not_get_a_lock_that_is_held)
{
    kin_lock *lock = new_lock();
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    thread_join(thread_start(ask_from_thread, lock));
    child_join(child_start(ask_from_outside, lock));
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_lock_mark_consistent(lock), -EPERM);
    kin_lock_free(lock);
}

static void *ask_now(void *user)
{
    CHECK_EQUAL(kin_lock_acquire(user, KIN_NOW), -EAGAIN);
    return NULL;
}

TEST(asking_for_a_held_lock_now_costs_its_holder_nothing)
{
    kin_lock *lock = new_lock();
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    const _Atomic uint32_t *holder = kin__entry_object(kin__entry_at(kin_lock_handle(lock).index));
    uint32_t before = atomic_load(holder);
    thread_join(thread_start(ask_now, lock));
    CHECK_EQUAL(atomic_load(holder), before);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}

/* --- exclusion --- */

struct count {
    kin_lock *lock;
    _Atomic uint64_t *number;
    int times;
};

/* Reads, and writes one more: two steps, between which others come if nothing keeps them out. */
static void count_up(void *user)
{
    struct count *count = user;
    for (int i = 0; i < count->times; i++) {
        CHECK_EQUAL(kin_lock_acquire(count->lock, KIN_FOREVER), 0);
        uint64_t value = atomic_load_explicit(count->number, memory_order_relaxed);
        if (i % 100 == 0) {
            sched_yield();
        }
        atomic_store_explicit(count->number, value + 1, memory_order_relaxed);
        CHECK_EQUAL(kin_lock_release(count->lock), 0);
    }
}

static void *count_up_in_thread(void *user)
{
    count_up(user);
    return NULL;
}

TEST_OF_PROCESSES(five_processes_that_count_to_1000_count_to_5000)
{
    kin_lock *lock = new_lock();
    struct count count = {.lock = lock, .number = &numbers[0], .times = 1000};
    pid_t children[5];
    for (int i = 0; i < 5; i++) {
        children[i] = child_start(count_up, &count);
    }
    for (int i = 0; i < 5; i++) {
        child_join(children[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 5000);
    CHECK(!kin_lock_is_locked(lock));
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(threads_and_processes_count_under_one_lock)
{
    kin_lock *lock = new_lock();
    uint64_t unguarded = 0; /* an ordinary variable: the thread sanitizer looks at it */
    struct count count = {.lock = lock, .number = &numbers[0], .times = 1000};
    pid_t child = child_start(count_up, &count);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(count_up_in_thread, &count);
    }
    for (int i = 0; i < 3; i++) {
        thread_join(threads[i]);
    }
    child_join(child);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), 0);
    unguarded = atomic_load(&numbers[0]);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(unguarded, 4000);
    kin_lock_free(lock);
}

static uint64_t plain_number;

static void *count_plainly(void *user)
{
    for (int i = 0; i < 2000; i++) {
        CHECK_EQUAL(kin_lock_acquire(user, KIN_FOREVER), 0);
        plain_number++;
        CHECK_EQUAL(kin_lock_release(user), 0);
    }
    return NULL;
}

TEST(what_a_lock_guards_needs_no_atomics)
{
    kin_lock *lock = new_lock();
    pthread_t threads[4];
    plain_number = 0;
    for (int i = 0; i < 4; i++) {
        threads[i] = thread_start(count_plainly, lock);
    }
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(plain_number, 8000);
    kin_lock_free(lock);
}

static void count_once(void *user)
{
    (void)user;
    atomic_store(&numbers[0], atomic_load(&numbers[0]) + 1);
}

TEST_OF_PROCESSES(without_the_lock_a_count_is_lost)
{
    begin();
    uint64_t value = atomic_load(&numbers[0]);
    child_join(child_start(count_once, NULL)); /* comes between our two steps */
    atomic_store(&numbers[0], value + 1);
    CHECK_EQUAL(atomic_load(&numbers[0]), 1);
}

/* --- waiting --- */

struct wait {
    kin_lock *lock;
    kin_timeout timeout;
    int expected;
    int number; /* counted up when it has returned */
};

static void acquire_and_release(void *user)
{
    struct wait *wait = user;
    CHECK_EQUAL(kin_lock_acquire(wait->lock, wait->timeout), wait->expected);
    atomic_fetch_add(&numbers[wait->number], 1);
    if (wait->expected >= 0) {
        CHECK_EQUAL(kin_lock_release(wait->lock), 0);
    }
}

static void *acquire_in_thread(void *user)
{
    acquire_and_release(user);
    return NULL;
}

TEST_OF_PROCESSES(a_release_lets_all_sleeping_waiters_in_one_by_one)
{
    kin_lock *lock = new_lock();
    struct wait wait = {.lock = lock, .timeout = KIN_FOREVER};
    pid_t children[3];
    pthread_t threads[3];
    REQUIRE(kin_lock_acquire(lock, KIN_NOW) == 0);
    for (int i = 0; i < 3; i++) {
        children[i] = child_start(acquire_and_release, &wait);
    }
    for (int i = 0; i < 3; i++) {
        threads[i] = thread_start(acquire_in_thread, &wait);
        await_sleepers(children[i], 1);
    }
    await_sleepers(getpid(), 3);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    for (int i = 0; i < 3; i++) {
        child_join(children[i]);
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 6);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(a_fired_token_ends_the_wait_of_threads_and_processes)
{
    kin_lock *lock = new_lock();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    struct wait wait = {.lock = lock, .timeout = kin_by(INT64_MAX, cancel), .expected = -ECANCELED};
    REQUIRE(kin_lock_acquire(lock, KIN_NOW) == 0);
    pid_t child = child_start(acquire_and_release, &wait);
    pthread_t thread = thread_start(acquire_in_thread, &wait);
    await_sleepers(child, 1);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    child_join(child);
    thread_join(thread);
    thread_join(thread_start(acquire_in_thread, &wait)); /* and from now on */
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_lock_acquire(lock, wait.timeout), 0); /* no wait: nothing to end */
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_cancel_free(cancel);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(a_waiter_with_a_token_gets_the_lock)
{
    kin_lock *lock = new_lock();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    struct wait wait = {.lock = lock, .timeout = kin_by(INT64_MAX, cancel)};
    REQUIRE(kin_lock_acquire(lock, KIN_NOW) == 0);
    pid_t child = child_start(acquire_and_release, &wait);
    await_sleepers(child, 1);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    child_join(child);
    kin_cancel_free(cancel);
    kin_lock_free(lock);
}

TEST(waiters_that_give_up_leave_no_other_asleep)
{
    kin_lock *lock = new_lock();
    struct wait impatient = {.lock = lock, .expected = -ETIMEDOUT, .number = 1};
    struct wait patient = {.lock = lock, .timeout = KIN_FOREVER};
    for (int round = 0; round < 20; round++) {
        REQUIRE(kin_lock_acquire(lock, KIN_NOW) == 0);
        impatient.timeout = kin_within_ms(1);
        pthread_t waiter = thread_start(acquire_in_thread, &patient);
        thread_join(thread_start(acquire_in_thread, &impatient));
        CHECK_EQUAL(kin_lock_release(lock), 0);
        thread_join(waiter);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 20);
    kin_lock_free(lock);
}

/* --- a child of a plain fork, which joins the family at its first use --- */

TEST_OF_PROCESSES(a_plainly_forked_child_is_another_holder)
{
    kin_lock *lock = new_lock();
    REQUIRE(kin_lock_acquire(lock, KIN_NOW) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        ask_from_outside(lock);
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(a_lock_that_was_freed_before_a_plainly_forked_child_joined_is_stale)
{
    kin_lock *lock = new_lock();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        kin_lock *own = NULL;
        await_number(0, 1);
        REQUIRE(kin_lock_create(NULL, &own) == 0);
        CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), -ESTALE);
        CHECK_EQUAL(kin_lock_release(lock), -ESTALE);
        CHECK_EQUAL(kin_lock_mark_consistent(lock), -ESTALE);
        CHECK(!kin_lock_is_locked(lock));
        kin_lock_free(lock);
        kin_lock_free(own);
        kin_fini();
        _exit(0);
    }
    kin_lock_free(lock);
    kin_cancel_free(cancel);
    atomic_store(&numbers[0], 1);
    child_join(pid);
}
