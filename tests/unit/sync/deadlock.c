/* Deadlocks between threads and processes: found, named, and never invented. */
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/deadlock.h>
#include <kin/error.h>
#include <kin/lock.h>
#include <kin/rlock.h>
#include <string.h>

enum { LOCK_COUNT = 5, REPORT_COUNT = 900, REFUSED_COUNT = 901, HELD_COUNT = 902, GOT_COUNT = 903 };

static kin_lock *locks[LOCK_COUNT];
static char last_report[4096];

/* Counts for all processes; the text is this process's. */
static void note_report(const kin_deadlock *deadlock, void *user)
{
    if (deadlock->kind == KIN_DEADLOCK_CYCLE) {
        snprintf(last_report, sizeof last_report, "%s", deadlock->text);
        atomic_store(&numbers[10], deadlock->thread_count);
        atomic_fetch_add(&numbers[REPORT_COUNT], 1);
    }
    CHECK(user == last_report);
}

static void open_locks(bool is_fair)
{
    static const char *const names[LOCK_COUNT] = {"red", "green", "blue", "black", "white"};
    begin();
    last_report[0] = '\0';
    for (int i = 0; i < LOCK_COUNT; i++) {
        REQUIRE(kin_lock_create(KIN_OPTIONS(kin_lock_options, .is_fair = is_fair, .name = names[i]),
                                &locks[i]) == 0);
    }
    CHECK_EQUAL(kin_deadlock_policy_set(KIN_DEADLOCK_ERROR, note_report, last_report), 0);
}

static void close_locks(void)
{
    for (int i = 0; i < LOCK_COUNT; i++) {
        CHECK(!kin_lock_is_locked(locks[i]));
        kin_lock_free(locks[i]);
    }
    CHECK_EQUAL(kin_deadlock_policy_set(KIN_DEADLOCK_ERROR, NULL, NULL), 0);
}

static uint64_t number(int index)
{
    return atomic_load(&numbers[index]);
}

/* Takes lock `first`, waits until `party` have taken theirs, and takes the next one round. */
struct actor {
    int first;
    int party;
};

static void take_both(void *user)
{
    const struct actor *actor = user;
    kin_lock *second = locks[(actor->first + 1) % actor->party];
    CHECK_EQUAL(kin_lock_acquire(locks[actor->first], KIN_FOREVER), 0);
    atomic_fetch_add(&numbers[HELD_COUNT], 1);
    await_number(HELD_COUNT, (uint64_t)actor->party);
    int r = kin_lock_acquire(second, KIN_FOREVER);
    CHECK(r == 0 || r == -EDEADLK);
    atomic_fetch_add(&numbers[r == 0 ? GOT_COUNT : REFUSED_COUNT], 1);
    if (r == 0) {
        CHECK_EQUAL(kin_lock_release(second), 0);
    }
    CHECK_EQUAL(kin_lock_release(locks[actor->first]), 0);
}

static void *take_both_in_thread(void *user)
{
    take_both(user);
    return NULL;
}

static void close_circle_of_threads(int party, bool is_fair)
{
    struct actor actors[LOCK_COUNT];
    pthread_t threads[LOCK_COUNT];
    open_locks(is_fair);
    for (int i = 0; i < party; i++) {
        actors[i] = (struct actor){.first = i, .party = party};
        threads[i] = thread_start(take_both_in_thread, &actors[i]);
    }
    for (int i = 0; i < party; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(number(REFUSED_COUNT), 1); /* the last one only */
    CHECK_EQUAL(number(GOT_COUNT), party - 1);
    CHECK_EQUAL(number(REPORT_COUNT), 1);
    CHECK_EQUAL(number(10), party);
    for (int i = 0; i < party; i++) {
        static const char *const names[] = {"\"red\"", "\"green\"", "\"blue\""};
        CHECK(strstr(last_report, names[i % 3]) != NULL);
    }
    close_locks();
}

TEST(two_threads_that_take_two_locks_in_both_orders)
{
    close_circle_of_threads(2, false);
}

TEST(three_threads_in_a_circle)
{
    close_circle_of_threads(3, false);
}

TEST(five_threads_in_a_circle_of_fair_locks)
{
    close_circle_of_threads(5, true);
}

static void close_circle_of_processes(int party, bool is_fair)
{
    struct actor actors[LOCK_COUNT];
    pid_t children[LOCK_COUNT];
    open_locks(is_fair);
    for (int i = 0; i < party; i++) {
        actors[i] = (struct actor){.first = i, .party = party};
        children[i] = child_start(take_both, &actors[i]);
    }
    for (int i = 0; i < party; i++) {
        child_join(children[i]);
    }
    CHECK_EQUAL(number(REFUSED_COUNT), 1);
    CHECK_EQUAL(number(GOT_COUNT), party - 1);
    CHECK_EQUAL(number(REPORT_COUNT), 1);
    close_locks();
}

TEST_OF_PROCESSES(two_processes_that_take_two_locks_in_both_orders)
{
    close_circle_of_processes(2, false);
}

TEST_OF_PROCESSES(four_processes_in_a_circle)
{
    close_circle_of_processes(4, false);
}

TEST_OF_PROCESSES(three_processes_in_a_circle_of_fair_locks)
{
    close_circle_of_processes(3, true);
}

/* Holds green and waits for red, which the test's thread holds; then lets both go. */
static void hold_green_want_red(void *user)
{
    CHECK_EQUAL(kin_lock_acquire(locks[1], KIN_FOREVER), 0);
    atomic_store(&numbers[0], 1);
    CHECK_EQUAL(kin_lock_acquire(locks[0], *(const kin_timeout *)user), 0);
    CHECK_EQUAL(kin_lock_release(locks[0]), 0);
    CHECK_EQUAL(kin_lock_release(locks[1]), 0);
}

static void *hold_green_want_red_in_thread(void *user)
{
    hold_green_want_red(user);
    return NULL;
}

TEST_OF_PROCESSES(a_report_says_who_holds_what_acquired_where_and_who_waits_for_what)
{
    char expected[64];
    kin_timeout timeout = KIN_FOREVER;
    open_locks(false);
    CHECK_EQUAL(kin_lock_acquire(locks[0], KIN_NOW), 0);
    pid_t child = child_start(hold_green_want_red, &timeout);
    await_sleepers(child, 1);
    CHECK_EQUAL(kin_lock_acquire(locks[1], KIN_FOREVER), -EDEADLK);
    CHECK_EQUAL(kin_lock_release(locks[0]), 0);
    child_join(child);
    CHECK(strstr(last_report, "deadlock: 2 threads wait for each other\n") == last_report);
    snprintf(expected, sizeof expected, "process %d", getpid());
    CHECK(strstr(last_report, expected) != NULL);
    snprintf(expected, sizeof expected, "thread %d of process %d \"child\"", child, child);
    CHECK(strstr(last_report, expected) != NULL);
    CHECK(strstr(last_report, "\"green\", acquired at hold_green_want_red (deadlock.c:") != NULL ||
          strstr(last_report, "\"green\", acquired at unit_sync+0x") != NULL);
    CHECK(strstr(last_report, "and waits for lock") != NULL);
    CHECK_EQUAL(number(REPORT_COUNT), 1);
    close_locks();
}

TEST(an_rlock_can_be_part_of_a_circle_and_nesting_is_none)
{
    kin_rlock *rlock = NULL;
    kin_timeout timeout = KIN_FOREVER;
    open_locks(false);
    REQUIRE(kin_rlock_create(NULL, &rlock) == 0);
    kin_lock *green = locks[1];
    CHECK_EQUAL(kin_rlock_acquire(rlock, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_rlock_acquire(rlock, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_lock_acquire(locks[0], KIN_NOW), 0);
    pthread_t thread = thread_start(hold_green_want_red_in_thread, &timeout);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_lock_acquire(green, KIN_FOREVER), -EDEADLK);
    CHECK_EQUAL(kin_rlock_acquire(rlock, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_lock_release(locks[0]), 0);
    thread_join(thread);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(kin_rlock_release(rlock), 0);
    }
    CHECK_EQUAL(number(REPORT_COUNT), 1);
    kin_rlock_free(rlock);
    close_locks();
}

TEST(who_acquires_what_it_holds_is_refused_and_named)
{
    open_locks(false);
    CHECK_EQUAL(kin_lock_acquire(locks[3], KIN_NOW), 0);
    CHECK_EQUAL(kin_lock_acquire(locks[3], KIN_NOW), -EDEADLK);
    CHECK_EQUAL(number(REPORT_COUNT), 0);
    CHECK_EQUAL(kin_lock_acquire(locks[3], KIN_FOREVER), -EDEADLK);
    CHECK_EQUAL(number(REPORT_COUNT), 1);
    CHECK(strstr(last_report, "waits for itself") != NULL);
    CHECK(strstr(last_report, "\"black\"") != NULL);
    CHECK_EQUAL(kin_deadlock_policy_set(KIN_DEADLOCK_OFF, note_report, last_report), 0);
    CHECK_EQUAL(kin_lock_acquire(locks[3], KIN_FOREVER), -EDEADLK);
    CHECK_EQUAL(number(REPORT_COUNT), 1);
    CHECK_EQUAL(kin_lock_release(locks[3]), 0);
    close_locks();
}

TEST(there_are_three_policies)
{
    begin();
    CHECK_EQUAL(kin_deadlock_policy_set((kin_deadlock_policy)3, NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_deadlock_policy_set(KIN_DEADLOCK_ERROR, NULL, NULL), 0);
}

/* --- what is no deadlock --- */

static kin_timeout patience;

/* Holds green, wants red for a while only, and gives green up then. */
static void *hold_green_want_red_awhile(void *user)
{
    CHECK_EQUAL(kin_lock_acquire(locks[1], KIN_FOREVER), 0);
    atomic_store(&numbers[0], 1);
    int r = kin_lock_acquire(locks[0], patience);
    CHECK(r == -ETIMEDOUT || r == -ECANCELED);
    CHECK_EQUAL(kin_lock_release(locks[1]), 0);
    return user;
}

TEST(a_circle_with_somebody_who_will_give_up_is_no_deadlock)
{
    open_locks(false);
    patience = kin_within_ms(50);
    CHECK_EQUAL(kin_lock_acquire(locks[0], KIN_NOW), 0);
    pthread_t thread = thread_start(hold_green_want_red_awhile, NULL);
    await_number(0, 1);
    CHECK_EQUAL(kin_lock_acquire(locks[1], KIN_FOREVER), 0);
    CHECK_EQUAL(kin_lock_release(locks[1]), 0);
    CHECK_EQUAL(kin_lock_release(locks[0]), 0);
    thread_join(thread);
    CHECK_EQUAL(number(REPORT_COUNT), 0);
    close_locks();
}

static void *cancel_when_two_sleep(void *user)
{
    await_sleepers(getpid(), 2);
    CHECK_EQUAL(kin_cancel_request(user), 0);
    return NULL;
}

TEST(a_circle_with_somebody_who_has_a_token_is_no_deadlock)
{
    kin_cancel *cancel = NULL;
    open_locks(false);
    REQUIRE(kin_cancel_create(&cancel) == 0);
    patience = kin_by(INT64_MAX, cancel);
    CHECK_EQUAL(kin_lock_acquire(locks[0], KIN_NOW), 0);
    pthread_t thread = thread_start(hold_green_want_red_awhile, NULL);
    pthread_t canceller = thread_start(cancel_when_two_sleep, cancel);
    await_number(0, 1);
    CHECK_EQUAL(kin_lock_acquire(locks[1], KIN_FOREVER), 0);
    CHECK_EQUAL(kin_lock_release(locks[1]), 0);
    CHECK_EQUAL(kin_lock_release(locks[0]), 0);
    thread_join(thread);
    thread_join(canceller);
    CHECK_EQUAL(number(REPORT_COUNT), 0);
    kin_cancel_free(cancel);
    close_locks();
}

static void *release_when_two_sleep(void *user)
{
    await_sleepers(getpid(), 2);
    CHECK_EQUAL(kin_lock_release(user), 0);
    return NULL;
}

TEST(a_handoff_lock_takes_no_part_in_circles)
{
    kin_lock *handoff = NULL;
    kin_timeout timeout = KIN_FOREVER;
    open_locks(false);
    REQUIRE(kin_lock_create(KIN_OPTIONS(kin_lock_options, .is_handoff = true), &handoff) == 0);
    kin_lock *red = locks[0];
    locks[0] = handoff; /* held by this thread, as far as one can tell */
    CHECK_EQUAL(kin_lock_acquire(handoff, KIN_NOW), 0);
    pthread_t thread = thread_start(hold_green_want_red_in_thread, &timeout);
    pthread_t helper = thread_start(release_when_two_sleep, handoff);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_lock_acquire(locks[1], KIN_FOREVER), 0);
    CHECK_EQUAL(kin_lock_release(locks[1]), 0);
    thread_join(thread);
    thread_join(helper);
    CHECK_EQUAL(number(REPORT_COUNT), 0);
    locks[0] = red;
    kin_lock_free(handoff);
    close_locks();
}

/* Three of the locks, always in the same order, and rarely one at a time. */
static void take_in_order(void *user)
{
    uint64_t random = (uint64_t)(uintptr_t)user * 2654435761u + 1;
    for (int i = 0; i < 300; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint32_t wanted = (uint32_t)(random >> 40);
        for (int j = 0; j < LOCK_COUNT; j++) {
            if (wanted >> j & 1) {
                CHECK_EQUAL(kin_lock_acquire(locks[j], KIN_FOREVER), 0);
            }
        }
        if (i % 16 == 0) {
            sched_yield();
        }
        for (int j = 0; j < LOCK_COUNT; j++) {
            if (wanted >> j & 1) {
                CHECK_EQUAL(kin_lock_release(locks[j]), 0);
            }
        }
    }
}

static void *take_in_order_in_thread(void *user)
{
    take_in_order(user);
    return NULL;
}

static void take_in_order_by_many(bool is_fair)
{
    pthread_t threads[4];
    pid_t children[2];
    open_locks(is_fair);
    for (uintptr_t i = 0; i < 2; i++) {
        children[i] = child_start(take_in_order, (void *)(i + 10));
    }
    for (uintptr_t i = 0; i < 4; i++) {
        threads[i] = thread_start(take_in_order_in_thread, (void *)i);
    }
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
    }
    child_join(children[0]);
    child_join(children[1]);
    CHECK_EQUAL(number(REPORT_COUNT), 0);
    close_locks();
}

TEST_OF_PROCESSES(who_takes_locks_in_one_order_is_never_refused)
{
    take_in_order_by_many(false);
}

TEST_OF_PROCESSES(who_takes_fair_locks_in_one_order_is_never_refused)
{
    take_in_order_by_many(true);
}

/* --- who closes circles at the same time --- */

static void *take_both_again_and_again(void *user)
{
    kin_lock *first = locks[(uintptr_t)user];
    kin_lock *second = locks[1 - (uintptr_t)user];
    for (int i = 0; i < 2000; i++) {
        CHECK_EQUAL(kin_lock_acquire(first, KIN_FOREVER), 0);
        int r = kin_lock_acquire(second, KIN_FOREVER);
        CHECK(r == 0 || r == -EDEADLK);
        if (r == 0) {
            CHECK_EQUAL(kin_lock_release(second), 0);
        } else {
            atomic_fetch_add(&numbers[REFUSED_COUNT], 1);
        }
        CHECK_EQUAL(kin_lock_release(first), 0);
    }
    return NULL;
}

TEST(of_two_who_close_a_circle_at_once_one_is_refused)
{
    open_locks(false);
    pthread_t other = thread_start(take_both_again_and_again, (void *)1);
    take_both_again_and_again((void *)0);
    thread_join(other);
    CHECK_EQUAL(number(REPORT_COUNT), number(REFUSED_COUNT));
    close_locks();
}

/* --- warn, and off --- */

static pid_t doomed;

static void note_report_and_kill(const kin_deadlock *deadlock, void *user)
{
    note_report(deadlock, user);
    if (deadlock->kind == KIN_DEADLOCK_CYCLE) {
        CHECK_EQUAL(kill(doomed, SIGKILL), 0);
    }
}

TEST_OF_PROCESSES(under_warn_the_call_waits_on_until_somebody_is_killed)
{
    kin_timeout timeout = KIN_FOREVER;
    open_locks(false);
    CHECK_EQUAL(kin_deadlock_policy_set(KIN_DEADLOCK_WARN, note_report_and_kill, last_report), 0);
    CHECK_EQUAL(kin_lock_acquire(locks[0], KIN_NOW), 0);
    doomed = child_start(hold_green_want_red, &timeout);
    await_sleepers(doomed, 1);
    CHECK_EQUAL(kin_lock_acquire(locks[1], KIN_FOREVER), KIN_OWNER_DIED);
    CHECK_EQUAL(number(REPORT_COUNT), 1);
    CHECK(strstr(last_report, "2 threads") != NULL);
    CHECK_EQUAL(kin_lock_release(locks[1]), 0);
    CHECK_EQUAL(kin_lock_release(locks[0]), 0);
    REQUIRE(waitpid(doomed, NULL, 0) == doomed);
    close_locks();
}

static void *kill_when_this_thread_sleeps(void *user)
{
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kill(doomed, SIGKILL), 0);
    return user;
}

TEST_OF_PROCESSES(when_off_nobody_is_told)
{
    kin_timeout timeout = KIN_FOREVER;
    open_locks(false);
    CHECK_EQUAL(kin_deadlock_policy_set(KIN_DEADLOCK_OFF, note_report, last_report), 0);
    CHECK_EQUAL(kin_lock_acquire(locks[0], KIN_NOW), 0);
    doomed = child_start(hold_green_want_red, &timeout);
    await_sleepers(doomed, 1);
    pthread_t killer = thread_start(kill_when_this_thread_sleeps, NULL);
    CHECK_EQUAL(kin_lock_acquire(locks[1], KIN_FOREVER), KIN_OWNER_DIED);
    thread_join(killer);
    CHECK_EQUAL(number(REPORT_COUNT), 0);
    CHECK_EQUAL(kin_lock_release(locks[1]), 0);
    CHECK_EQUAL(kin_lock_release(locks[0]), 0);
    REQUIRE(waitpid(doomed, NULL, 0) == doomed);
    close_locks();
}

/* --- killed anywhere --- */

static void mend(kin_lock *lock, int r)
{
    if (r == KIN_OWNER_DIED) {
        CHECK_EQUAL(kin_lock_mark_consistent(lock), 0);
    }
}

/* Takes two locks in this order or that, and lets go when it is refused, until told to stop. */
static void close_circles_until_stopped(void *user)
{
    (void)user;
    for (uint64_t i = (uint64_t)getpid(); number(20) == 0; i++) {
        kin_lock *first = locks[i % 2];
        kin_lock *second = locks[1 - i % 2];
        int r = kin_lock_acquire(first, KIN_FOREVER);
        CHECK(r >= 0);
        mend(first, r);
        r = kin_lock_acquire(second, KIN_FOREVER);
        CHECK(r >= 0 || r == -EDEADLK);
        mend(second, r);
        if (r >= 0) {
            atomic_fetch_add(&numbers[21], 1);
            CHECK_EQUAL(kin_lock_release(second), 0);
        }
        CHECK_EQUAL(kin_lock_release(first), 0);
    }
}

TEST_OF_PROCESSES(those_who_close_circles_are_killed_again_and_again_and_the_others_go_on)
{
    enum { WORKER_COUNT = 3, KILL_COUNT = 30 };
    pid_t workers[WORKER_COUNT];
    open_locks(true);
    CHECK_EQUAL(kin_deadlock_policy_set(KIN_DEADLOCK_ERROR, NULL, NULL), 0);
    for (int i = 0; i < WORKER_COUNT; i++) {
        workers[i] = child_start(close_circles_until_stopped, NULL);
    }
    for (int i = 0; i < KILL_COUNT; i++) {
        await_number(21, number(21) + 20);
        child_kill(workers[i % WORKER_COUNT]);
        workers[i % WORKER_COUNT] = child_start(close_circles_until_stopped, NULL);
    }
    atomic_store(&numbers[20], 1);
    for (int i = 0; i < WORKER_COUNT; i++) {
        child_join(workers[i]);
    }
    close_locks();
}
