/* Event counts, sleeping, and what ends a sleep. */
#include "family/sleep.h"

#include "fake.h"
#include "os/fault.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>

/* Event counts in family memory. */
static _Atomic uint32_t *counts;

static void new_counts(void)
{
    uint64_t offset = 0;
    begin();
    REQUIRE(kin__block_create(256, 0, KIN__BLOCK_BYTES, &offset) == 0);
    counts = kin__at(offset);
    memset((void *)counts, 0, 256);
}

TEST(a_raise_changes_a_count_only_if_somebody_may_sleep)
{
    new_counts();
    kin__count_raise(counts, 1);
    CHECK_EQUAL(atomic_load(counts), 0);
    uint32_t key = kin__count_prepare(counts);
    CHECK_EQUAL(key, KIN__COUNT_SLEEPERS);
    CHECK_EQUAL(atomic_load(counts), key);
    kin__count_raise(counts, 1);
    CHECK_EQUAL(atomic_load(counts), KIN__COUNT_STEP);
    kin__count_raise(counts, 1);
    CHECK_EQUAL(atomic_load(counts), KIN__COUNT_STEP);
}

TEST(a_raise_keeps_the_flag_also_when_the_count_wraps)
{
    new_counts();
    atomic_store(counts, UINT32_MAX);
    kin__count_raise(counts, UINT32_MAX);
    CHECK_EQUAL(atomic_load(counts), KIN__COUNT_FLAG);
    kin__count_raise_slow(counts, 1); /* whether somebody sleeps or not */
    CHECK_EQUAL(atomic_load(counts), KIN__COUNT_STEP | KIN__COUNT_FLAG);
}

TEST(who_leaves_puts_the_mark_back_for_the_others)
{
    new_counts();
    kin__count_prepare(counts);
    kin__count_raise(counts, 1);
    kin__count_pass(counts);
    CHECK_EQUAL(atomic_load(counts), KIN__COUNT_STEP | KIN__COUNT_SLEEPERS);
}

TEST(a_sleep_with_a_key_that_is_out_of_date_does_not_begin)
{
    new_counts();
    uint32_t key = kin__count_prepare(counts);
    kin__count_raise(counts, 1);
    CHECK_EQUAL(kin__sleep(counts, key, KIN_FOREVER), 0);
    CHECK_EQUAL(atomic_load(&kin__self()->member->sleeping_on), 0);
}

TEST(a_sleep_that_is_over_before_it_began_says_so)
{
    kin_cancel *cancel = NULL;
    new_counts();
    REQUIRE(kin_cancel_create(&cancel) == 0);
    uint32_t key = kin__count_prepare(counts);
    CHECK_EQUAL(kin__sleep(counts, key, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin__sleep(counts, key, kin_within_ms(0)), -ETIMEDOUT);
    CHECK_EQUAL(kin__sleep_on_holder(counts, key, KIN_NOW), -EAGAIN);
    kin_cancel_request(cancel);
    CHECK_EQUAL(kin__sleep(counts, key, kin_by(INT64_MAX, cancel)), -ECANCELED);
    CHECK_EQUAL(kin__sleep_on_holder(counts, key, kin_by(INT64_MAX, cancel)), -ECANCELED);
    kin_cancel_free(cancel);
}

static int sleep_until(kin_timeout timeout)
{
    int r = 0;
    while (r == 0) {
        uint32_t key = kin__count_prepare(counts);
        r = kin__sleep(counts, key, timeout);
    }
    return r;
}

TEST(a_sleep_ends_at_its_deadline_with_and_without_a_token)
{
    kin_cancel *cancel = NULL;
    new_counts();
    REQUIRE(kin_cancel_create(&cancel) == 0);
    int64_t deadline_ns = kin_now_ns() + 2000000;
    CHECK_EQUAL(sleep_until(kin_by(deadline_ns, NULL)), -ETIMEDOUT);
    CHECK(kin_now_ns() >= deadline_ns);
    deadline_ns = kin_now_ns() + 2000000;
    CHECK_EQUAL(sleep_until(kin_by(deadline_ns, cancel)), -ETIMEDOUT);
    CHECK(kin_now_ns() >= deadline_ns);
    kin_cancel_free(cancel);
}

/* --- several who sleep: numbers[0] is how much there is to take --- */

static bool take_one(void)
{
    uint64_t left = atomic_load(&numbers[0]);
    while (left > 0) {
        if (atomic_compare_exchange_weak(&numbers[0], &left, left - 1)) {
            return true;
        }
    }
    return false;
}

/* The wait as sleep.h prescribes it. */
static void take_waiting(kin_timeout timeout)
{
    bool has_slept = false;
    while (!take_one()) {
        uint32_t key = kin__count_prepare(counts);
        if (take_one()) {
            break;
        }
        REQUIRE(kin__sleep(counts, key, timeout) == 0);
        has_slept = true;
    }
    if (has_slept) {
        kin__count_pass(counts);
        if (atomic_load(&numbers[0]) > 0) {
            kin__count_raise(counts, 1);
        }
    }
}

static void take_in_child(void *user)
{
    (void)user;
    take_waiting(KIN_FOREVER);
}

TEST_OF_PROCESSES(a_raise_for_one_wakes_one_and_a_raise_for_all_wakes_all)
{
    pid_t pids[3];
    new_counts();
    for (int i = 0; i < 3; i++) {
        pids[i] = child_start(take_in_child, NULL);
        await_sleepers(pids[i], 1);
    }
    atomic_store(&numbers[0], 1);
    kin__count_raise(counts, 1);
    CHECK(wait(NULL) > 0);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    CHECK_EQUAL(sleeper_count(pids[0]) + sleeper_count(pids[1]) + sleeper_count(pids[2]), 2);
    atomic_store(&numbers[0], 2);
    kin__count_raise(counts, UINT32_MAX);
    CHECK(wait(NULL) > 0);
    CHECK(wait(NULL) > 0);
}

static void take_many(void *user)
{
    for (int i = 0; i < 3000; i++) {
        take_waiting(KIN_FOREVER);
    }
    (void)user;
}

TEST_OF_PROCESSES(no_wake_up_is_lost_between_many_who_give_and_take)
{
    pid_t pids[3];
    new_counts();
    for (int i = 0; i < 3; i++) {
        pids[i] = child_start(take_many, NULL);
    }
    for (int i = 0; i < 9000; i++) {
        atomic_fetch_add(&numbers[0], 1);
        kin__count_raise(counts, 1);
    }
    for (int i = 0; i < 3; i++) {
        child_join(pids[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
}

static void *take_in_thread(void *user)
{
    take_many(user);
    return NULL;
}

TEST(no_wake_up_is_lost_between_threads)
{
    pthread_t threads[2];
    new_counts();
    for (int i = 0; i < 2; i++) {
        threads[i] = thread_start(take_in_thread, NULL);
    }
    for (int i = 0; i < 6000; i++) {
        atomic_fetch_add(&numbers[0], 1);
        kin__count_raise(counts, 1);
    }
    for (int i = 0; i < 2; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
}

/* --- deaths --- */

static void swallow_wake_up(void *user)
{
    uint32_t key = kin__count_prepare(counts);
    (void)user;
    REQUIRE(kin__sleep(counts, key, KIN_FOREVER) == 0);
    atomic_store(&numbers[3], 1);
    for (;;) { /* and never comes to take anything */
        pause();
    }
}

TEST_OF_PROCESSES(a_wake_up_that_a_killed_sleeper_swallowed_is_made_good)
{
    new_counts();
    pid_t first = child_start(swallow_wake_up, NULL);
    await_sleepers(first, 1);
    pid_t second = child_start(take_in_child, NULL);
    await_sleepers(second, 1);
    atomic_store(&numbers[0], 1);
    kin__count_raise(counts, 1); /* wakes the first */
    await_number(3, 1);
    kill(first, SIGKILL);
    REQUIRE(waitpid(first, NULL, 0) == first);
    child_join(second);
}

static void give_without_raise(void *user)
{
    (void)user;
    atomic_store(&numbers[0], 1);
    kill(getpid(), SIGKILL);
}

TEST_OF_PROCESSES(a_raise_that_a_killed_process_did_not_come_to_is_made_good)
{
    new_counts();
    pid_t sleeper = child_start(take_in_child, NULL);
    await_sleepers(sleeper, 1);
    pid_t giver = child_start(give_without_raise, NULL);
    REQUIRE(waitpid(giver, NULL, 0) == giver);
    child_join(sleeper);
}

static void take_with_token(void *user)
{
    take_waiting(kin_by(INT64_MAX, user));
}

/* numbers[0] counts wake-ups. */
static void *count_wake_ups(void *user)
{
    bool is_last = false;
    while (!is_last) {
        uint32_t key = kin__count_prepare(user);
        is_last = key & KIN__COUNT_FLAG;
        if (!is_last && kin__sleep(user, key, KIN_FOREVER) == 0) {
            atomic_fetch_add(&numbers[0], 1);
        }
    }
    return NULL;
}

TEST(a_death_wakes_each_who_sleeps_once_or_twice_however_many_they_are)
{
    enum { SLEEPERS = 16, DEATHS = 20 };
    pthread_t threads[SLEEPERS];
    new_counts();
    for (int i = 0; i < SLEEPERS; i++) {
        threads[i] = thread_start(count_wake_ups, counts);
    }
    for (int i = 0; i < DEATHS; i++) {
        await_sleepers(getpid(), SLEEPERS);
        kin__sleep_wake_all();
    }
    await_sleepers(getpid(), SLEEPERS);
    CHECK(atomic_load(&numbers[0]) >= SLEEPERS * DEATHS);
    CHECK(atomic_load(&numbers[0]) <= 2 * SLEEPERS * DEATHS);
    atomic_fetch_or(counts, KIN__COUNT_FLAG);
    kin__count_raise(counts, UINT32_MAX);
    for (int i = 0; i < SLEEPERS; i++) {
        thread_join(threads[i]);
    }
}

TEST_OF_PROCESSES(one_who_sleeps_with_a_token_is_woken_by_a_death_too)
{
    kin_cancel *cancel = NULL;
    new_counts();
    REQUIRE(kin_cancel_create(&cancel) == 0);
    pid_t sleeper = child_start(take_with_token, cancel);
    await_sleepers(sleeper, 1);
    pid_t giver = child_start(give_without_raise, NULL);
    REQUIRE(waitpid(giver, NULL, 0) == giver);
    child_join(sleeper);
    kin_cancel_free(cancel);
}

TEST_OF_PROCESSES(a_death_between_the_last_look_and_the_sleep_is_not_missed)
{
    kin_cancel *cancel = NULL;
    new_counts();
    REQUIRE(kin_cancel_create(&cancel) == 0);
    for (int with_token = 0; with_token < 2; with_token++) {
        uint32_t key = kin__count_prepare(counts);
        child_kill(child_start(take_in_child, NULL));
        CHECK_EQUAL(kin__sleep(counts, key, kin_by(INT64_MAX, with_token ? cancel : NULL)), 0);
    }
    kin_cancel_free(cancel);
}

TEST_OF_PROCESSES(freeing_and_telling_between_look_and_sleep_do_not_hide_a_death)
{
    new_counts();
    uint32_t key = kin__count_prepare(counts);
    child_kill(child_start(take_in_child, NULL));
    for (int i = 0; i < 200; i++) { /* what a look may do: free so much that a keeper is told */
        uint64_t offset = 0;
        kin__block_create(20000, 0, KIN__BLOCK_BYTES, &offset);
        numbers[i + 10] = offset;
    }
    for (int i = 0; i < 200; i++) {
        kin__block_free(numbers[i + 10], kin__block_owner(numbers[i + 10]));
    }
    CHECK_EQUAL(kin__sleep(counts, key, KIN_FOREVER), 0);
}

/* Says in the calling thread's slot that it sleeps on the first count, having looked before so many
 * deaths. */
static void publish_sleep(uint64_t deaths)
{
    struct kin__member *member = kin__self()->member;
    atomic_store(&member->sleep_deaths, deaths);
    atomic_store(&member->sleeping_on, kin__offset_of(counts));
}

TEST_OF_PROCESSES(one_who_falls_asleep_after_all_were_woken_is_woken_again)
{
    new_counts();
    publish_sleep(atomic_load(&kin__shared()->death_count));
    child_kill(child_start(take_in_child, NULL));
    kin__os_futex_wait(counts, 0, INT64_MAX); /* the word has not changed */
    atomic_store(&kin__self()->member->sleeping_on, 0);
}

TEST(only_who_has_not_looked_since_the_last_death_is_late)
{
    new_counts();
    CHECK(!kin__sleep_wake_late());
    publish_sleep(0);
    CHECK(!kin__sleep_wake_late());
    atomic_store(&kin__shared()->death_count, 2);
    CHECK(kin__sleep_wake_late());
    publish_sleep(1);
    CHECK(kin__sleep_wake_late());
    publish_sleep(2);
    CHECK(!kin__sleep_wake_late());
    publish_sleep(3); /* since it was counted */
    CHECK(!kin__sleep_wake_late());
    atomic_store(&kin__self()->member->sleeping_on, 0);
    atomic_store(&kin__shared()->death_count, 0);
}

static void *sleep_on_holder_word(void *user)
{
    (void)user;
    CHECK_EQUAL(kin__sleep_on_holder(counts, 0, KIN_FOREVER), 0);
    return NULL;
}

TEST(who_sleeps_on_a_holder_word_is_not_late)
{
    new_counts();
    pthread_t thread = thread_start(sleep_on_holder_word, NULL);
    await_sleepers(getpid(), 1);
    atomic_store(&kin__shared()->death_count, 1);
    CHECK(!kin__sleep_wake_late());
    atomic_store(&kin__shared()->death_count, 0);
    kin__sleep_wake_all();
    thread_join(thread);
}

TEST(a_reaper_never_writes_what_somebody_slept_on)
{
    new_counts();
    struct kin__member *member = kin__self()->member;
    memset((void *)counts, 0x55, 256);
    uint32_t nudge = atomic_load(&member->nudge);
    atomic_store(&member->sleeping_on, kin__offset_of(counts)); /* and has long left */
    kin__sleep_wake_all();
    CHECK_EQUAL(atomic_load(counts), 0x55555555);
    CHECK(atomic_load(&member->nudge) != nudge);
    atomic_store(&member->sleeping_on, UINT64_MAX - 3); /* nonsense is survived */
    kin__sleep_wake_all();
    atomic_store(&member->sleeping_on, 3);
    kin__sleep_wake_all();
    atomic_store(&member->sleeping_on, 0);
}

/* A count of this process alone; others can only nudge who sleeps on it. */
static _Atomic uint32_t private_count;

static void *sleep_on_private_count(void *user)
{
    (void)user;
    uint32_t key = kin__count_prepare(&private_count);
    do {
        CHECK_EQUAL(kin__sleep(&private_count, key, KIN_FOREVER), 0);
        atomic_fetch_add(&numbers[0], 1);
    } while (atomic_load(&private_count) == key);
    return NULL;
}

TEST(a_word_of_private_memory_can_be_slept_on)
{
    new_counts();
    pthread_t thread = thread_start(sleep_on_private_count, NULL);
    await_sleepers(getpid(), 1);
    kin__sleep_wake_all();
    await_number(0, 1); /* nudged */
    await_sleepers(getpid(), 1);
    kin__count_raise(&private_count, 1);
    thread_join(thread);
    CHECK_EQUAL(atomic_load(&private_count), KIN__COUNT_STEP);
}

#ifdef KIN_FAULTS

static void *raise_when_asleep(void *user)
{
    (void)user;
    await_sleepers(getpid(), 1);
    kin__count_raise(counts, 1);
    return NULL;
}

TEST(on_a_kernel_that_cannot_wait_for_several_words_sleeping_works)
{
    kin_cancel *cancel = NULL;
    new_counts();
    REQUIRE(kin_cancel_create(&cancel) == 0);
    pthread_t thread = thread_start(raise_when_asleep, NULL);
    uint32_t key = kin__count_prepare(counts);
    kin__os_fail_at(1);
    CHECK_EQUAL(kin__sleep(counts, key, KIN_FOREVER), 0); /* on one word */
    thread_join(thread);
    key = kin__count_prepare(counts);
    kin__os_fail_at(1);
    CHECK_EQUAL(kin__sleep(counts, key, kin_by(INT64_MAX, cancel)), 0); /* it looks again */
    key = kin__count_prepare(&private_count);
    kin__os_fail_at(1);
    CHECK_EQUAL(kin__sleep(&private_count, key, KIN_FOREVER), 0); /* so it does */
    kin__os_fail_at(0);
    kin_cancel_free(cancel);
}

#endif

static void on_signal(int number)
{
    (void)number;
}

TEST_OF_PROCESSES(a_signal_does_not_end_a_wait)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    new_counts();
    pid_t pid = child_start(take_in_child, NULL);
    await_sleepers(pid, 1);
    for (int i = 0; i < 5; i++) {
        kill(pid, SIGUSR1);
        await_sleepers(pid, 1);
    }
    atomic_store(&numbers[0], 1);
    kin__count_raise(counts, 1);
    child_join(pid);
}

TEST(looking_again_ends)
{
    begin();
    struct kin__spin spin = kin__spin_begin();
    int count = 0;
    while (kin__spin_again(&spin)) {
        count++;
    }
    CHECK(count < 100000);
    CHECK(!kin__spin_again(&spin));
}
