/* kin_event: codes, waking, deaths. */
#include "family/directory.h"
#include "family/sleep.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/event.h>
#include <kin/lock.h>
#include <poll.h>

static kin_event *new_event(void)
{
    kin_event *event = NULL;
    begin();
    REQUIRE(kin_event_create(NULL, &event) == 0);
    return event;
}

static const kin_timeout no_timeout;

TEST(event_functions_refuse_null)
{
    kin_event *event = new_event();
    CHECK_EQUAL(kin_event_create(NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_event_attach(kin_event_handle(event), NULL), -EINVAL);
    CHECK_EQUAL(kin_event_set(NULL), -EINVAL);
    CHECK_EQUAL(kin_event_clear(NULL), -EINVAL);
    CHECK_EQUAL(kin_event_wait(NULL, KIN_NOW), -EINVAL);
    CHECK(!kin_event_is_set(NULL));
    CHECK_EQUAL(kin_event_handle(NULL).counter, 0);
    CHECK(kin_event_free(NULL) == NULL);
    kin_event_free(event);
}

TEST(wait_refuses_a_timeout_that_is_all_zero)
{
    kin_event *event = new_event();
    CHECK_EQUAL(kin_event_set(event), 0);
    CHECK_EQUAL(kin_event_wait(event, no_timeout), -EINVAL);
    kin_event_free(event);
}

TEST(an_event_needs_a_family)
{
    kin_event *event = NULL;
    CHECK_EQUAL(kin_event_create(NULL, &event), KIN_EFAMILY);
    CHECK(event == NULL);
}

static void *use_without_a_slot(void *user)
{
    CHECK_EQUAL(kin_event_set(user), -ENOMEM);
    CHECK_EQUAL(kin_event_clear(user), -ENOMEM);
    CHECK_EQUAL(kin_event_wait(user, KIN_FOREVER), -ENOMEM);
    return NULL;
}

TEST(a_thread_for_which_the_family_has_no_room_is_told_so)
{
    static uint32_t owners[2000];
    uint32_t count = 0;
    kin_event *event = NULL;
    REQUIRE(kin_init_with(NULL, NULL,
                          KIN_OPTIONS(kin_family_options, .memory_bytes_max = 64 << 20)) == 0);
    REQUIRE(kin_event_create(NULL, &event) == 0);
    while (kin__member_claim(KIN__MEMBER_THREAD, kin__family.owner, &owners[count]) == 0) {
        count++;
    }
    thread_join(thread_start(use_without_a_slot, event));
    for (uint32_t i = 0; i < count; i++) {
        kin__member_free(owners[i]);
    }
    kin_event_free(event);
}

TEST(event_attach_refuses_stale_handles_and_those_of_other_types)
{
    kin_event *event = new_event();
    kin_event *other = NULL;
    kin_lock *lock = NULL;
    REQUIRE(kin_lock_create(NULL, &lock) == 0);
    kin_handle handle = kin_event_handle(event);
    CHECK_EQUAL(kin_event_attach(kin_lock_handle(lock), &other), -EINVAL);
    CHECK_EQUAL(kin_event_attach((kin_handle){0}, &other), -ESTALE);
    kin_event_free(event);
    CHECK_EQUAL(kin_event_attach(handle, &other), -ESTALE);
    CHECK(other == NULL);
    kin_lock_free(lock);
}

TEST(an_event_is_set_until_it_is_cleared)
{
    kin_event *event = new_event();
    CHECK(!kin_event_is_set(event));
    CHECK_EQUAL(kin_event_wait(event, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_event_wait(event, kin_within_ms(5)), -ETIMEDOUT);
    CHECK_EQUAL(kin_event_wait(event, kin_by(kin_now_ns(), NULL)), -ETIMEDOUT);
    CHECK_EQUAL(kin_event_set(event), 0);
    CHECK_EQUAL(kin_event_set(event), 0);
    CHECK(kin_event_is_set(event));
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(kin_event_wait(event, KIN_NOW), 0);
        CHECK_EQUAL(kin_event_wait(event, KIN_FOREVER), 0);
    }
    CHECK_EQUAL(kin_event_clear(event), 0);
    CHECK_EQUAL(kin_event_clear(event), 0);
    CHECK(!kin_event_is_set(event));
    CHECK_EQUAL(kin_event_wait(event, KIN_NOW), -EAGAIN);
    kin_event_free(event);
}

TEST(asking_an_event_now_costs_its_setter_nothing)
{
    kin_event *event = new_event();
    const _Atomic uint32_t *count = kin__entry_object(kin__entry_at(kin_event_handle(event).index));
    CHECK_EQUAL(kin_event_wait(event, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(atomic_load(count) & KIN__COUNT_SLEEPERS, 0);
    kin_event_free(event);
}

struct wait {
    kin_event *event;
    kin_timeout timeout;
    int expected;
};

static void wait_for_event(void *user)
{
    struct wait *wait = user;
    CHECK_EQUAL(kin_event_wait(wait->event, wait->timeout), wait->expected);
    atomic_fetch_add(&numbers[0], 1);
}

static void *wait_in_thread(void *user)
{
    wait_for_event(user);
    return NULL;
}

enum { WAITER_COUNT = 4 };

/* That many children and threads wait for the event, and sleep. */
struct waiters {
    pid_t children[WAITER_COUNT];
    pthread_t threads[WAITER_COUNT];
};

static struct waiters start_waiters(struct wait *wait)
{
    struct waiters waiters;
    for (int i = 0; i < WAITER_COUNT; i++) {
        waiters.children[i] = child_start(wait_for_event, wait);
    }
    for (int i = 0; i < WAITER_COUNT; i++) {
        waiters.threads[i] = thread_start(wait_in_thread, wait);
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

TEST_OF_PROCESSES(set_wakes_all_who_wait)
{
    struct wait wait = {.event = new_event(), .timeout = KIN_FOREVER};
    struct waiters waiters = start_waiters(&wait);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    CHECK_EQUAL(kin_event_set(wait.event), 0);
    join_waiters(waiters);
    kin_event_free(wait.event);
}

TEST_OF_PROCESSES(a_set_that_is_cleared_at_once_wakes_all_who_wait)
{
    struct wait wait = {.event = new_event(), .timeout = KIN_FOREVER};
    struct waiters waiters = start_waiters(&wait);
    CHECK_EQUAL(kin_event_set(wait.event), 0);
    CHECK_EQUAL(kin_event_clear(wait.event), 0);
    join_waiters(waiters);
    CHECK_EQUAL(kin_event_wait(wait.event, KIN_NOW), -EAGAIN); /* but not who comes later */
    kin_event_free(wait.event);
}

TEST_OF_PROCESSES(a_fired_token_ends_all_waits_for_an_event)
{
    struct wait wait = {.event = new_event(), .expected = -ECANCELED};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    wait.timeout = kin_by(INT64_MAX, cancel);
    struct waiters waiters = start_waiters(&wait);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    join_waiters(waiters);
    CHECK_EQUAL(kin_event_wait(wait.event, wait.timeout), -ECANCELED);
    CHECK_EQUAL(kin_event_wait(wait.event, kin_by(1, cancel)), -ECANCELED);
    kin_cancel_free(cancel);
    kin_event_free(wait.event);
}

TEST_OF_PROCESSES(waiters_with_a_token_are_woken_by_set)
{
    struct wait wait = {.event = new_event()};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    wait.timeout = kin_by(INT64_MAX, cancel);
    struct waiters waiters = start_waiters(&wait);
    CHECK_EQUAL(kin_event_set(wait.event), 0);
    join_waiters(waiters);
    kin_cancel_free(cancel);
    kin_event_free(wait.event);
}

TEST_OF_PROCESSES(a_token_that_is_gone_is_refused_and_not_followed)
{
    struct wait wait = {.event = new_event(), .expected = -ESTALE};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    pid_t pid = fork(); /* joins the family when the token is gone */
    if (pid == 0) {
        await_number(1, 1);
        wait.timeout = kin_by(INT64_MAX, cancel);
        wait_for_event(&wait);
        CHECK_EQUAL(kin_cancel_request(cancel), -ESTALE);
        kin_cancel_free(cancel);
        kin_event_free(wait.event);
        kin_fini();
        _exit(0);
    }
    kin_cancel_free(cancel);
    atomic_store(&numbers[1], 1);
    child_join(pid);
    kin_event_free(wait.event);
}

TEST_OF_PROCESSES(a_killed_waiter_leaves_the_others_to_be_woken)
{
    struct wait wait = {.event = new_event(), .timeout = KIN_FOREVER};
    pid_t doomed = child_start(wait_for_event, &wait);
    await_sleepers(doomed, 1);
    struct waiters waiters = start_waiters(&wait);
    child_kill(doomed);
    CHECK_EQUAL(kin_event_set(wait.event), 0);
    join_waiters(waiters);
    kin_event_free(wait.event);
}

TEST_OF_PROCESSES(no_death_wakes_a_waiter_for_good)
{
    struct wait wait = {.event = new_event(), .timeout = KIN_FOREVER};
    pthread_t waiter = thread_start(wait_in_thread, &wait);
    pid_t doomed = child_start(wait_for_event, &wait);
    await_sleepers(doomed, 1);
    child_kill(doomed);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(atomic_load(&numbers[0]), 0);
    CHECK_EQUAL(kin_event_set(wait.event), 0);
    thread_join(waiter);
    kin_event_free(wait.event);
}

TEST(a_set_lets_nobody_through_who_waits_after_the_clear)
{
    /* What a wait sees of a set whose setter goes on only after a clear: nothing that is left to do
     * may look like another set. */
    kin_event *event = new_event();
    const _Atomic uint32_t *count = kin__entry_object(kin__entry_at(kin_event_handle(event).index));
    CHECK_EQUAL(kin_event_set(event), 0);
    uint32_t word = atomic_load(count);
    CHECK_EQUAL(kin_event_clear(event), 0);
    CHECK_EQUAL(atomic_load(count), word & ~KIN__COUNT_FLAG);
    CHECK_EQUAL(kin_event_wait(event, kin_within_ms(1)), -ETIMEDOUT);
    kin_event_free(event);
}

static void *answer_each_set(void *user)
{
    kin_event **events = user;
    for (int i = 0; i < 20000; i++) {
        CHECK_EQUAL(kin_event_wait(events[0], KIN_FOREVER), 0);
        CHECK_EQUAL(atomic_fetch_add(&numbers[0], 1), 2 * i);
        CHECK_EQUAL(kin_event_clear(events[0]), 0);
        CHECK_EQUAL(kin_event_set(events[1]), 0);
    }
    return NULL;
}

TEST(two_events_take_turns)
{
    kin_event *events[2] = {new_event(), NULL};
    REQUIRE(kin_event_create(NULL, &events[1]) == 0);
    pthread_t other = thread_start(answer_each_set, events);
    for (int i = 0; i < 20000; i++) {
        CHECK_EQUAL(kin_event_set(events[0]), 0);
        CHECK_EQUAL(kin_event_wait(events[1], KIN_FOREVER), 0);
        REQUIRE(atomic_fetch_add(&numbers[0], 1) == 2 * (uint64_t)i + 1);
        CHECK_EQUAL(kin_event_clear(events[1]), 0);
    }
    thread_join(other);
    kin_event_free(events[0]);
    kin_event_free(events[1]);
}

static void set_and_be_killed(void *user)
{
    /* What kin_event_set has done when it is killed before it wakes anybody. */
    _Atomic uint32_t *count = kin__entry_object(kin__entry_at(kin_event_handle(user).index));
    atomic_fetch_or(count, KIN__COUNT_FLAG);
    atomic_store(&numbers[1], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(a_setter_killed_before_it_woke_anybody_leaves_nobody_asleep)
{
    struct wait wait = {.event = new_event(), .timeout = KIN_FOREVER};
    struct waiters waiters = start_waiters(&wait);
    pid_t setter = child_start(set_and_be_killed, wait.event);
    await_number(1, 1);
    child_kill(setter);
    join_waiters(waiters);
    CHECK(kin_event_is_set(wait.event));
    kin_event_free(wait.event);
}

TEST_OF_PROCESSES(a_set_after_a_setter_was_killed_wakes_all)
{
    struct wait wait = {.event = new_event(), .timeout = KIN_FOREVER};
    struct waiters waiters = start_waiters(&wait);
    _Atomic uint32_t *count = kin__entry_object(kin__entry_at(kin_event_handle(wait.event).index));
    atomic_fetch_or(count, KIN__COUNT_FLAG); /* by a setter that is stopped here */
    CHECK_EQUAL(kin_event_set(wait.event), 0);
    join_waiters(waiters);
    kin_event_free(wait.event);
}

static void set_at_once(void *user)
{
    kin_event *event = NULL;
    CHECK_EQUAL(kin_event_attach(*(kin_handle *)user, &event), 0);
    CHECK_EQUAL(kin_event_set(event), 0);
    kin_event_free(event);
}

TEST_OF_PROCESSES(an_event_is_opened_by_its_handle_in_another_process)
{
    kin_event *event = new_event();
    kin_handle handle = kin_event_handle(event);
    pid_t setter = child_start(set_at_once, &handle);
    CHECK_EQUAL(kin_event_wait(event, KIN_FOREVER), 0);
    child_join(setter);
    kin_event_free(event);
}

TEST_OF_PROCESSES(a_plainly_forked_child_becomes_a_member_by_setting)
{
    kin_event *event = new_event();
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQUAL(kin_event_set(event), 0);
        CHECK(kin__family.pid == (uint32_t)getpid());
        kin_event_free(event);
        kin_fini();
        _exit(0);
    }
    CHECK_EQUAL(kin_event_wait(event, KIN_FOREVER), 0);
    child_join(pid);
    kin_event_free(event);
}

TEST_OF_PROCESSES(an_event_that_was_freed_before_a_plainly_forked_child_joined_is_stale)
{
    kin_event *event = new_event();
    pid_t pid = fork();
    if (pid == 0) {
        await_number(0, 1);
        CHECK_EQUAL(kin_event_set(event), -ESTALE);
        CHECK_EQUAL(kin_event_clear(event), -ESTALE);
        CHECK_EQUAL(kin_event_wait(event, KIN_NOW), -ESTALE);
        CHECK(!kin_event_is_set(event));
        kin_event_free(event);
        kin_fini();
        _exit(0);
    }
    kin_event_free(event);
    atomic_store(&numbers[0], 1);
    child_join(pid);
}

TEST(sets_and_clears_of_many_lose_no_waiter)
{
    struct wait wait = {.event = new_event(), .timeout = KIN_FOREVER};
    for (int round = 0; round < 200; round++) {
        pthread_t waiter = thread_start(wait_in_thread, &wait);
        while (atomic_load(&numbers[0]) <= (uint64_t)round) {
            CHECK_EQUAL(kin_event_set(wait.event), 0);
            CHECK_EQUAL(kin_event_clear(wait.event), 0);
        }
        thread_join(waiter);
    }
    kin_event_free(wait.event);
}

TEST(event_create_refuses_options_that_it_does_not_know)
{
    kin_event *event = NULL;
    begin();
    kin_event_options options = {.size = sizeof options + 1};
    CHECK_EQUAL(kin_event_create(&options, &event), -EINVAL);
    options = (kin_event_options){.size = sizeof options, .scope = (kin_scope)7};
    CHECK_EQUAL(kin_event_create(&options, &event), -EINVAL);
    CHECK(event == NULL);
}

static void find_it_shut(void *user)
{
    kin_event *other = NULL;
    CHECK_EQUAL(kin_event_set(user), -ESTALE);
    CHECK_EQUAL(kin_event_attach(kin_event_handle(user), &other), -EACCES);
    kin_event_free(user);
}

TEST_OF_PROCESSES(an_event_of_one_process_is_for_its_threads_alone)
{
    struct wait wait = {.timeout = KIN_FOREVER};
    begin();
    REQUIRE(kin_event_create(KIN_OPTIONS(kin_event_options, .scope = KIN_SCOPE_PROCESS),
                             &wait.event) == 0);
    child_join(child_start(find_it_shut, wait.event));
    pthread_t waiter = thread_start(wait_in_thread, &wait);
    CHECK_EQUAL(kin_event_set(wait.event), 0);
    thread_join(waiter);
    kin_event_free(wait.event);
}

/* Whether an fd is readable, at once or some time. */
static bool is_readable(int fd, int limit_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, limit_ms) == 1;
}

static int fd_of(kin_event *event)
{
    int fd = -1;
    REQUIRE(kin_event_event_fd(event, &fd) == 0);
    return fd;
}

TEST(the_fd_of_an_event_is_readable_while_it_is_set)
{
    kin_event *event = new_event();
    int fd = fd_of(event);
    CHECK_EQUAL(fd_of(event), fd);
    for (int round = 0; round < 50; round++) {
        CHECK(!is_readable(fd, 0));
        CHECK_EQUAL(kin_event_set(event), 0);
        CHECK(is_readable(fd, -1));
        CHECK_EQUAL(kin_event_wait(event, KIN_NOW), 0);
        CHECK(is_readable(fd, 0));
        CHECK_EQUAL(kin_event_clear(event), 0);
    }
    kin_event_free(event);
}

TEST(the_fd_of_an_event_that_is_set_is_readable_at_once)
{
    kin_event *event = new_event();
    CHECK_EQUAL(kin_event_set(event), 0);
    CHECK(is_readable(fd_of(event), 0));
    kin_event_free(event);
}

static void set_it(void *user)
{
    CHECK_EQUAL(kin_event_set(user), 0);
}

static void clear_it(void *user)
{
    CHECK_EQUAL(kin_event_clear(user), 0);
}

TEST_OF_PROCESSES(an_event_that_others_cleared_is_not_readable_once_a_wait_has_found_that)
{
    kin_event *event = new_event();
    int fd = fd_of(event);
    for (int round = 0; round < 3; round++) {
        child_join(child_start(set_it, event));
        CHECK(is_readable(fd, -1));
        child_join(child_start(clear_it, event));
        CHECK(is_readable(fd, 0));
        CHECK_EQUAL(kin_event_wait(event, round == 0 ? KIN_NOW : kin_within_ms(1)),
                    round == 0 ? -EAGAIN : -ETIMEDOUT);
        CHECK(!is_readable(fd, 0));
    }
    kin_event_free(event);
}

static void poll_until_set(void *user)
{
    int fd = fd_of(user); /* its own: the parent's is rung by the parent */
    atomic_store(&numbers[0], 1);
    CHECK(is_readable(fd, -1));
    CHECK(kin_event_is_set(user));
    kin_event_free(user);
}

TEST_OF_PROCESSES(a_child_has_an_fd_of_the_event_of_its_own)
{
    kin_event *event = new_event();
    fd_of(event);
    pid_t child = child_start(poll_until_set, event);
    await_number(0, 1);
    CHECK_EQUAL(kin_event_set(event), 0);
    child_join(child);
    kin_event_free(event);
}

TEST(an_fd_of_no_event_is_refused)
{
    kin_event *event = new_event();
    int fd = -7;
    CHECK_EQUAL(kin_event_event_fd(NULL, &fd), -EINVAL);
    CHECK_EQUAL(kin_event_event_fd(event, NULL), -EINVAL);
    CHECK_EQUAL(fd, -7);
    kin_event_free(event);
}
