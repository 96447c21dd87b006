/* What the tests of kin_condition share. */
#ifndef UNIT_CONDITIONS_H
#define UNIT_CONDITIONS_H

#include "family/directory.h"
#include "family/verify.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/condition.h>
#include <kin/error.h>

/* numbers[] of the tests of conditions. */
enum {
    WAITING,  /* how many have the lock and are about to wait */
    RETURNED, /* how many waits have returned */
    DIED,     /* of these, with KIN_OWNER_DIED */
    ORDER,    /* the tickets of those who returned, in base 10 */
    GO,       /* what the test lets go */
    STATE,    /* what the lock guards */
    ACQUIRED,
};

static inline kin_condition *new_condition(void)
{
    kin_condition *condition = NULL;
    begin();
    REQUIRE(kin_condition_create(NULL, &condition) == 0);
    return condition;
}

static inline void acquire(kin_condition *condition)
{
    CHECK_EQUAL(kin_condition_acquire(condition, KIN_FOREVER), 0);
}

static inline void release(kin_condition *condition)
{
    CHECK_EQUAL(kin_condition_release(condition), 0);
}

/* How many stand in a line, called or not. */
__attribute__((no_sanitize("thread"))) static inline uint32_t line_length(kin_condition *condition)
{
    uint32_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        uint64_t line = atomic_load(&kin__member_at(slot)->line);
        count += (uint32_t)line == kin_condition_handle(condition).index;
    }
    return count;
}

static inline void check_family(void)
{
    char report[4096] = "";
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    CHECK_STRING(report, "");
}

static inline int notify(kin_condition *condition, uint32_t count)
{
    acquire(condition);
    int r = kin_condition_notify(condition, count);
    release(condition);
    return r;
}

/* One who waits. */
struct waiter {
    kin_condition *condition;
    kin_timeout timeout;
    int expected;
    uint32_t ticket;
};

/* Waits once, with the lock acquired once. */
static inline void wait_once(void *user)
{
    struct waiter *waiter = user;
    int r = kin_condition_acquire(waiter->condition, KIN_FOREVER);
    CHECK(r >= 0);
    atomic_fetch_add(&numbers[WAITING], 1);
    r = kin_condition_wait(waiter->condition, waiter->timeout);
    CHECK_EQUAL(r, waiter->expected);
    atomic_fetch_add(&numbers[DIED], r == KIN_OWNER_DIED);
    atomic_store(&numbers[ORDER], atomic_load(&numbers[ORDER]) * 10 + waiter->ticket);
    atomic_fetch_add(&numbers[RETURNED], 1);
    CHECK_EQUAL(kin_condition_release(waiter->condition), 0);
}

static inline void *wait_once_in_thread(void *user)
{
    wait_once(user);
    return NULL;
}

/* Starts one who waits, and waits until it sleeps; the caller does not hold the lock. */
static inline pid_t start_waiter(struct waiter *waiter)
{
    pid_t pid = child_start(wait_once, waiter);
    await_sleepers(pid, 1);
    return pid;
}

static inline pthread_t start_waiting_thread(struct waiter *waiter)
{
    uint32_t before = sleeper_count(getpid());
    pthread_t thread = thread_start(wait_once_in_thread, waiter);
    await_sleepers(getpid(), before + 1);
    return thread;
}

/* A child that stops with a word about it, for a test to kill or let go. */
static inline void stay(int number)
{
    atomic_store(&numbers[number], 1);
    for (;;) {
        pause();
    }
}

#endif
