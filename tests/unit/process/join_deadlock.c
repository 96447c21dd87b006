/* kin_process_join as a part of deadlocks. */
#include "unit/children.h"

#include <errno.h>
#include <kin/deadlock.h>
#include <kin/lock.h>
#include <kin/process.h>
#include <string.h>

static kin_lock *lock;

static void note_report(const kin_deadlock *deadlock, void *user)
{
    (void)user;
    CHECK(strstr(deadlock->text, " to end") != NULL);
    CHECK_EQUAL(deadlock->thread_count, 2);
    atomic_fetch_add(&numbers[1], 1);
}

/* Waits for numbers[0], then wants the lock; ends with what it was told. */
static int want_lock(kin_call *call)
{
    (void)call;
    await_number(0, 1);
    int r = kin_lock_acquire(lock, KIN_FOREVER);
    atomic_store(&numbers[2], (uint64_t)-r);
    return r == 0 ? kin_lock_release(lock) : 0;
}
KIN_FUNCTION(want_lock)

static kin_process *start(void)
{
    kin_process *process = NULL;
    begin();
    REQUIRE(kin_lock_create(NULL, &lock) == 0);
    REQUIRE(kin_deadlock_policy_set(KIN_DEADLOCK_ERROR, note_report, NULL) == 0);
    REQUIRE(kin_lock_acquire(lock, KIN_NOW) == 0);
    REQUIRE(kin_process_start_bytes(want_lock, NULL, 0, NULL, &process) == 0);
    return process;
}

static void finish(kin_process *process)
{
    kin_process_free(process);
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(to_join_a_child_that_waits_for_a_lock_of_the_joiner_is_a_deadlock)
{
    kin_process *process = start();
    atomic_store(&numbers[0], 1);
    await_sleepers(kin_process_pid(process), 1);
    CHECK_EQUAL(kin_process_join(process, kin_within_ms(1)), -ETIMEDOUT);
    CHECK_EQUAL(atomic_load(&numbers[1]), 0);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), -EDEADLK);
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    CHECK_EQUAL(atomic_load(&numbers[2]), 0);
    finish(process);
}

static void *let_it_ask_when_joined(void *user)
{
    while (atomic_load(&((struct kin__member *)user)->waits_for) == 0) {
        pause_a_moment();
    }
    atomic_store(&numbers[0], 1);
    return NULL;
}

TEST_OF_PROCESSES(a_child_that_asks_for_a_lock_of_who_joins_it_is_refused)
{
    kin_process *process = start();
    pthread_t thread = thread_start(let_it_ask_when_joined, kin__self()->member);
    CHECK_EQUAL(kin_process_join(process, KIN_FOREVER), 0);
    thread_join(thread);
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    CHECK_EQUAL(atomic_load(&numbers[2]), EDEADLK);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    finish(process);
}
