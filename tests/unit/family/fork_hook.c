#include "unit/children.h"

#include "base/fault.h"
#include "os/fault.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/fork_hook.h>

/* What was called in this process, in order. */
static char events[64];

static void note(char kind, const void *user)
{
    size_t count = strlen(events);
    REQUIRE(count + 2 < sizeof events);
    events[count] = kind;
    events[count + 1] = *(const char *)user;
}

static void before(void *user)
{
    note('b', user);
}

static void after_parent(void *user)
{
    note('p', user);
}

static void after_child(void *user)
{
    note('c', user);
}

static kin_fork_callbacks all(void)
{
    return (kin_fork_callbacks){.size = sizeof(kin_fork_callbacks),
                                .before = before,
                                .after_parent = after_parent,
                                .after_child = after_child};
}

static kin_fork_hook *add(const char *name)
{
    kin_fork_hook *hook = NULL;
    kin_fork_callbacks callbacks = all();
    REQUIRE(kin_fork_hook_add(&callbacks, (void *)(uintptr_t)name, &hook) == 0);
    return hook;
}

/* In a child: what it saw until its body began. */
static void check_events(void *user)
{
    CHECK_STRING(events, user);
}

/* A fork by kin, or a plain one; in the child `expected` is what has been called. */
static void fork_once(bool is_plain, const char *expected)
{
    if (!is_plain) {
        child_join(child_start(check_events, (void *)(uintptr_t)expected));
        return;
    }
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        check_events((void *)(uintptr_t)expected);
        _exit(0);
    }
    child_join(pid);
}

static void check_order(bool is_plain)
{
    begin();
    kin_fork_hook *hooks[] = {add("1"), add("2"), add("3")};
    fork_once(is_plain, "b3b2b1c1c2c3");
    CHECK_STRING(events, "b3b2b1p1p2p3");
    for (int i = 0; i < 3; i++) {
        CHECK(kin_fork_hook_remove(hooks[i]) == NULL);
    }
}

TEST_OF_PROCESSES(hooks_run_in_the_order_of_pthread_atfork)
{
    check_order(false);
}

TEST_OF_PROCESSES(hooks_run_around_a_plain_fork)
{
    check_order(true);
}

TEST_OF_PROCESSES(a_hook_that_was_removed_is_not_called)
{
    begin();
    kin_fork_hook *first = add("1");
    kin_fork_hook *second = add("2");
    kin_fork_hook_remove(first);
    fork_once(true, "b2c2");
    kin_fork_hook_remove(second);
    CHECK_STRING(events, "b2p2");
    fork_once(false, "b2p2");
}

TEST_OF_PROCESSES(callbacks_that_are_null_are_not_called)
{
    begin();
    kin_fork_hook *hook = NULL;
    kin_fork_callbacks callbacks = {.size = sizeof callbacks};
    REQUIRE(kin_fork_hook_add(&callbacks, NULL, &hook) == 0);
    fork_once(true, "");
    fork_once(false, "");
    kin_fork_hook_remove(hook);
}

TEST(what_is_wrong_is_refused)
{
    kin_fork_hook *hook = NULL;
    kin_fork_callbacks callbacks = all();
    CHECK_EQUAL(kin_fork_hook_add(&callbacks, NULL, &hook), KIN_EFAMILY);
    begin();
    CHECK_EQUAL(kin_fork_hook_add(NULL, NULL, &hook), -EINVAL);
    CHECK_EQUAL(kin_fork_hook_add(&callbacks, NULL, NULL), -EINVAL);
    callbacks.size = 1;
    CHECK_EQUAL(kin_fork_hook_add(&callbacks, NULL, &hook), -EINVAL);
    CHECK(kin_fork_hook_remove(NULL) == NULL);
    CHECK(hook == NULL);
}

TEST_OF_PROCESSES(a_hook_sleeps_while_there_is_no_family)
{
    begin();
    kin_fork_hook *hook = add("1");
    kin_fini();
    fork_once(true, "");
    CHECK_STRING(events, "");
    REQUIRE(kin_init(NULL, NULL) == 0);
    fork_once(true, "b1c1");
    kin_fork_hook_remove(hook);
}

/* --- inside of callbacks --- */

static kin_fork_hook *added;
static kin_fork_hook *removed;

static void add_one(void *user)
{
    before(user);
    if (added == NULL) {
        added = add("a");
    }
}

static void remove_one(void *user)
{
    before(user);
    removed = kin_fork_hook_remove(removed);
}

TEST_OF_PROCESSES(what_a_callback_adds_counts_from_the_next_fork_on)
{
    begin();
    kin_fork_hook *hook = NULL;
    kin_fork_callbacks callbacks = all();
    callbacks.before = add_one;
    REQUIRE(kin_fork_hook_add(&callbacks, "1", &hook) == 0);
    fork_once(true, "b1c1");
    fork_once(false, "b1p1bab1c1ca");
    CHECK_STRING(events, "b1p1bab1p1pa");
    kin_fork_hook_remove(added);
    kin_fork_hook_remove(hook);
}

TEST_OF_PROCESSES(what_a_callback_removes_is_called_no_more)
{
    begin();
    removed = add("1");
    kin_fork_hook *hook = NULL;
    kin_fork_callbacks callbacks = all();
    callbacks.before = remove_one;
    REQUIRE(kin_fork_hook_add(&callbacks, "2", &hook) == 0);
    fork_once(false, "b2c2");
    fork_once(true, "b2p2b2c2");
    kin_fork_hook_remove(hook);
}

static void remove_self(void *user)
{
    after_child(user);
    removed = kin_fork_hook_remove(removed);
}

static void fork_again(void *user)
{
    (void)user;
    CHECK_STRING(events, "b1c1");
    fork_once(true, "b1c1");
}

TEST_OF_PROCESSES(a_hook_can_remove_itself_in_the_child)
{
    begin();
    kin_fork_callbacks callbacks = all();
    callbacks.after_child = remove_self;
    REQUIRE(kin_fork_hook_add(&callbacks, "1", &removed) == 0);
    child_join(child_start(fork_again, NULL));
    CHECK_STRING(events, "b1p1");
    kin_fork_hook_remove(removed);
}

static void fork_in_hook(void *user)
{
    before(user);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        CHECK_STRING(events, "b1");
        _exit(0);
    }
    child_join(pid);
}

TEST_OF_PROCESSES(a_fork_in_a_callback_goes_without_hooks)
{
    begin();
    kin_fork_hook *hook = NULL;
    kin_fork_callbacks callbacks = all();
    callbacks.before = fork_in_hook;
    REQUIRE(kin_fork_hook_add(&callbacks, "1", &hook) == 0);
    fork_once(false, "b1c1");
    CHECK_STRING(events, "b1p1");
    kin_fork_hook_remove(hook);
}

static kin_cancel *token;

static void use_kin(void *user)
{
    (void)user;
    kin_cancel *other = NULL;
    CHECK_EQUAL(kin_cancel_create(&other), 0);
    kin_cancel_free(other);
    CHECK(!kin_cancel_is_requested(token));
    atomic_fetch_add(&numbers[0], 1);
}

TEST_OF_PROCESSES(callbacks_can_use_kin)
{
    begin();
    REQUIRE(kin_cancel_create(&token) == 0);
    kin_fork_hook *hook = NULL;
    kin_fork_callbacks callbacks = {.size = sizeof callbacks,
                                    .before = use_kin,
                                    .after_parent = use_kin,
                                    .after_child = use_kin};
    REQUIRE(kin_fork_hook_add(&callbacks, NULL, &hook) == 0);
    fork_once(false, "");
    CHECK_EQUAL(numbers[0], 3);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    CHECK_EQUAL(numbers[0], 6);
    kin_fork_hook_remove(hook);
    kin_cancel_free(token);
}

/* --- threads --- */

static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;

static void take_own(void *user)
{
    (void)user;
    pthread_mutex_lock(&own_lock);
}

static void give_own(void *user)
{
    (void)user;
    pthread_mutex_unlock(&own_lock);
}

static void *use_own_lock(void *user)
{
    while (atomic_load(&numbers[0]) == 0) {
        pthread_mutex_lock(&own_lock);
        pthread_mutex_unlock(&own_lock);
    }
    return user;
}

static void *add_and_remove(void *user)
{
    kin_fork_callbacks callbacks = {.size = sizeof callbacks};
    while (atomic_load(&numbers[0]) == 0) {
        kin_fork_hook *hook = NULL;
        CHECK_EQUAL(kin_fork_hook_add(&callbacks, NULL, &hook), 0);
        kin_fork_hook_remove(hook);
    }
    return user;
}

static void try_own_lock(void *user)
{
    (void)user;
    CHECK_EQUAL(pthread_mutex_trylock(&own_lock), 0);
    pthread_mutex_unlock(&own_lock);
    kin_fork_callbacks callbacks = {.size = sizeof callbacks};
    kin_fork_hook *hook = NULL;
    CHECK_EQUAL(kin_fork_hook_add(&callbacks, NULL, &hook), 0);
    kin_fork_hook_remove(hook);
}

TEST_OF_PROCESSES(a_lock_of_the_program_is_free_in_the_child_whoever_used_it)
{
    begin();
    kin_fork_hook *hook = NULL;
    kin_fork_callbacks callbacks = {.size = sizeof callbacks,
                                    .before = take_own,
                                    .after_parent = give_own,
                                    .after_child = give_own};
    REQUIRE(kin_fork_hook_add(&callbacks, NULL, &hook) == 0);
    pthread_t user = thread_start(use_own_lock, NULL);
    pthread_t adder = thread_start(add_and_remove, NULL);
    for (int i = 0; i < 100; i++) {
        child_join(child_start(try_own_lock, NULL));
    }
    atomic_store(&numbers[0], 1);
    thread_join(user);
    thread_join(adder);
    kin_fork_hook_remove(hook);
}

#ifdef KIN_FAULTS

TEST(without_memory_there_is_no_hook)
{
    begin();
    kin_fork_hook *hook = NULL;
    kin_fork_callbacks callbacks = all();
    kin__allocation_fail_at(1);
    CHECK_EQUAL(kin_fork_hook_add(&callbacks, "1", &hook), -ENOMEM);
    CHECK(hook == NULL);
}

TEST_OF_PROCESSES(a_fork_that_fails_is_over_for_the_hooks)
{
    begin();
    kin_fork_hook *hook = add("1");
    uint32_t owner = 0;
    int r = 0;
    for (uint64_t n = 1; events[0] == '\0'; n++) { /* until it is the fork itself */
        kin__os_fail_here(n);
        r = kin__family_fork("child", 0, &owner);
        kin__os_fail_here(0);
        REQUIRE(r < 0);
    }
    CHECK_STRING(events, "b1p1");
    kin_fork_hook_remove(hook);
}

#endif
