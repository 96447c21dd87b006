/* kin_condition: codes, waiting, notifying. What happens at deaths is in condition_death.c. */
#include "unit/sync/conditions.h"

#include <kin/event.h>

static const kin_timeout no_timeout;

static bool is_never(void *user)
{
    (void)user;
    return false;
}

TEST(condition_functions_refuse_null)
{
    kin_condition *condition = new_condition();
    CHECK_EQUAL(kin_condition_create(NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_condition_attach(kin_condition_handle(condition), NULL), -EINVAL);
    CHECK_EQUAL(kin_condition_acquire(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_condition_release(NULL), -EINVAL);
    CHECK_EQUAL(kin_condition_mark_consistent(NULL), -EINVAL);
    CHECK_EQUAL(kin_condition_wait(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_condition_wait_for(NULL, is_never, NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_condition_notify(NULL, 1), -EINVAL);
    CHECK_EQUAL(kin_condition_notify_all(NULL), -EINVAL);
    CHECK_EQUAL(kin_condition_handle(NULL).counter, 0);
    CHECK(kin_condition_free(NULL) == NULL);
    acquire(condition);
    CHECK_EQUAL(kin_condition_wait(condition, no_timeout), -EINVAL);
    CHECK_EQUAL(kin_condition_wait_for(condition, is_never, NULL, no_timeout), -EINVAL);
    CHECK_EQUAL(kin_condition_wait_for(condition, NULL, NULL, KIN_NOW), -EINVAL);
    release(condition);
    kin_condition_free(condition);
}

TEST(condition_create_refuses_options_that_contradict_each_other)
{
    kin_condition *condition = NULL;
    kin_lock *lock = NULL;
    kin_rlock *rlock = NULL;
    begin();
    REQUIRE(kin_lock_create(KIN_OPTIONS(kin_lock_options, .scope = KIN_SCOPE_PROCESS), &lock) == 0);
    REQUIRE(kin_rlock_create(NULL, &rlock) == 0);
    kin_condition_options both = {.size = sizeof both, .lock = lock, .rlock = rlock};
    CHECK_EQUAL(kin_condition_create(&both, &condition), -EINVAL);
    kin_condition_options wider = {.size = sizeof wider, .lock = lock};
    CHECK_EQUAL(kin_condition_create(&wider, &condition), -EINVAL);
    kin_condition_options no_scope = {.size = sizeof no_scope, .scope = (kin_scope)7};
    CHECK_EQUAL(kin_condition_create(&no_scope, &condition), -EINVAL);
    kin_condition_options no_size = {.rlock = rlock};
    CHECK_EQUAL(kin_condition_create(&no_size, &condition), -EINVAL);
    CHECK(condition == NULL);
    kin_lock_free(lock);
    kin_rlock_free(rlock);
}

TEST(a_condition_needs_a_family)
{
    kin_condition *condition = NULL;
    CHECK_EQUAL(kin_condition_create(NULL, &condition), KIN_EFAMILY);
    CHECK(condition == NULL);
}

TEST(condition_attach_refuses_stale_handles_and_those_of_other_types)
{
    kin_condition *condition = new_condition();
    kin_condition *other = NULL;
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_condition_handle(condition);
    CHECK_EQUAL(kin_condition_attach(kin_event_handle(event), &other), -EINVAL);
    kin_handle altered = handle;
    altered.counter++;
    CHECK_EQUAL(kin_condition_attach(altered, &other), -ESTALE);
    kin_condition_free(condition);
    CHECK_EQUAL(kin_condition_attach(handle, &other), -ESTALE);
    CHECK(other == NULL);
    kin_event_free(event);
}

TEST(wait_and_notify_need_the_lock)
{
    kin_condition *condition = new_condition();
    CHECK_EQUAL(kin_condition_wait(condition, KIN_FOREVER), -EPERM);
    CHECK_EQUAL(kin_condition_wait_for(condition, is_never, NULL, KIN_FOREVER), -EPERM);
    CHECK_EQUAL(kin_condition_notify(condition, 1), -EPERM);
    CHECK_EQUAL(kin_condition_notify_all(condition), -EPERM);
    CHECK_EQUAL(kin_condition_release(condition), -EPERM);
    CHECK_EQUAL(kin_condition_mark_consistent(condition), -EPERM);
    kin_condition_free(condition);
}

static void *use_without_the_lock(void *user)
{
    CHECK_EQUAL(kin_condition_acquire(user, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_condition_wait(user, KIN_FOREVER), -EPERM);
    CHECK_EQUAL(kin_condition_notify_all(user), -EPERM);
    return NULL;
}

TEST(a_lock_that_another_thread_holds_does_not_do)
{
    kin_condition *condition = new_condition();
    acquire(condition);
    thread_join(thread_start(use_without_the_lock, condition));
    release(condition);
    kin_condition_free(condition);
}

TEST(notify_finds_nobody_where_nobody_waits)
{
    kin_condition *condition = new_condition();
    acquire(condition);
    CHECK_EQUAL(kin_condition_notify(condition, 1), 0);
    CHECK_EQUAL(kin_condition_notify(condition, 0), 0);
    CHECK_EQUAL(kin_condition_notify_all(condition), 0);
    CHECK_EQUAL(kin_condition_wait(condition, kin_within_ms(1)), -ETIMEDOUT); /* not kept */
    release(condition);
    kin_condition_free(condition);
}

/* --- who is notified --- */

TEST_OF_PROCESSES(notify_wakes_one_process)
{
    kin_condition *condition = new_condition();
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    pid_t child = start_waiter(&waiter);
    CHECK_EQUAL(notify(condition, 1), 1);
    child_join(child);
    CHECK_EQUAL(line_length(condition), 0);
    check_family();
    kin_condition_free(condition);
}

TEST(those_who_wait_are_notified_in_the_order_in_which_they_came)
{
    enum { COUNT = 5 };
    kin_condition *condition = new_condition();
    struct waiter waiters[COUNT];
    pthread_t threads[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        waiters[i] = (struct waiter){
            .condition = condition, .timeout = KIN_FOREVER, .ticket = i + 1};
        threads[i] = start_waiting_thread(&waiters[i]);
    }
    for (uint64_t i = 1; i <= COUNT; i++) {
        CHECK_EQUAL(notify(condition, 1), 1);
        await_number(RETURNED, i);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[ORDER]), 12345);
    CHECK_EQUAL(notify(condition, 1), 0);
    kin_condition_free(condition);
}

TEST(notify_wakes_no_more_than_it_is_asked_to)
{
    enum { COUNT = 6 };
    kin_condition *condition = new_condition();
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    pthread_t threads[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        threads[i] = start_waiting_thread(&waiter);
    }
    CHECK_EQUAL(notify(condition, 0), 0);
    CHECK_EQUAL(notify(condition, 2), 2);
    await_number(RETURNED, 2);
    acquire(condition);
    CHECK_EQUAL(line_length(condition), COUNT - 2);
    CHECK_EQUAL(kin_condition_notify(condition, 100), COUNT - 2);
    release(condition);
    for (uint32_t i = 0; i < COUNT; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[RETURNED]), COUNT);
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(notify_all_wakes_threads_and_processes)
{
    enum { THREAD_COUNT = 20, CHILD_COUNT = 3 };
    kin_condition *condition = new_condition();
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    pthread_t threads[THREAD_COUNT];
    pid_t children[CHILD_COUNT];
    for (int i = 0; i < CHILD_COUNT; i++) {
        children[i] = start_waiter(&waiter);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        threads[i] = start_waiting_thread(&waiter);
    }
    acquire(condition);
    CHECK_EQUAL(kin_condition_notify_all(condition), THREAD_COUNT + CHILD_COUNT);
    CHECK_EQUAL(kin_condition_notify_all(condition), 0); /* each once */
    CHECK_EQUAL(atomic_load(&numbers[RETURNED]), 0);     /* we hold the lock */
    release(condition);
    for (int i = 0; i < CHILD_COUNT; i++) {
        child_join(children[i]);
    }
    for (int i = 0; i < THREAD_COUNT; i++) {
        thread_join(threads[i]);
    }
    check_family();
    kin_condition_free(condition);
}

TEST(one_who_is_notified_and_has_not_run_yet_is_not_notified_again)
{
    kin_condition *condition = new_condition();
    struct waiter first = {.condition = condition, .timeout = KIN_FOREVER, .ticket = 1};
    struct waiter second = {.condition = condition, .timeout = KIN_FOREVER, .ticket = 2};
    pthread_t threads[2] = {start_waiting_thread(&first), start_waiting_thread(&second)};
    acquire(condition);
    CHECK_EQUAL(kin_condition_notify(condition, 1), 1);
    CHECK_EQUAL(kin_condition_notify(condition, 1), 1);
    CHECK_EQUAL(kin_condition_notify(condition, 1), 0);
    release(condition);
    thread_join(threads[0]);
    thread_join(threads[1]);
    kin_condition_free(condition);
}

TEST(conditions_of_one_lock_have_lines_of_their_own)
{
    kin_lock *lock = NULL;
    kin_condition *conditions[2] = {NULL};
    begin();
    REQUIRE(kin_lock_create(NULL, &lock) == 0);
    kin_condition_options options = {.size = sizeof options, .lock = lock};
    REQUIRE(kin_condition_create(&options, &conditions[0]) == 0);
    REQUIRE(kin_condition_create(&options, &conditions[1]) == 0);
    struct waiter waiter = {.condition = conditions[0], .timeout = KIN_FOREVER};
    pthread_t thread = start_waiting_thread(&waiter);
    CHECK_EQUAL(notify(conditions[1], 1), 0);
    CHECK_EQUAL(notify(conditions[0], 1), 1);
    thread_join(thread);
    kin_condition_free(conditions[0]);
    kin_condition_free(conditions[1]);
    kin_lock_free(lock);
}

/* --- the ends of a wait --- */

TEST(a_wait_ends_at_its_deadline_with_the_lock_held)
{
    kin_condition *condition = new_condition();
    acquire(condition);
    CHECK_EQUAL(kin_condition_wait(condition, kin_within_ms(2)), -ETIMEDOUT);
    CHECK_EQUAL(kin_condition_wait(condition, kin_by(kin_now_ns() - 1, NULL)), -ETIMEDOUT);
    CHECK_EQUAL(kin_condition_wait(condition, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(line_length(condition), 0);
    thread_join(thread_start(use_without_the_lock, condition));
    release(condition);
    check_family();
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(a_fired_token_ends_the_wait_of_threads_and_processes)
{
    kin_condition *condition = new_condition();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    struct waiter waiter = {
        .condition = condition, .timeout = kin_by(INT64_MAX, cancel), .expected = -ECANCELED};
    pid_t child = start_waiter(&waiter);
    pthread_t thread = start_waiting_thread(&waiter);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    child_join(child);
    thread_join(thread);
    wait_once(&waiter); /* and from now on */
    CHECK_EQUAL(line_length(condition), 0);
    kin_cancel_free(cancel);
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(a_waiter_with_a_token_is_notified)
{
    kin_condition *condition = new_condition();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    struct waiter waiter = {.condition = condition, .timeout = kin_by(INT64_MAX, cancel)};
    pid_t child = start_waiter(&waiter);
    CHECK_EQUAL(notify(condition, 1), 1);
    child_join(child);
    kin_cancel_free(cancel);
    kin_condition_free(condition);
}

/* Whether the notify came in time. */
static bool notify_before(kin_condition *condition, int64_t ms)
{
    struct waiter waiter = {.condition = condition, .timeout = kin_within_ms(ms)};
    uint64_t before = atomic_load(&numbers[WAITING]);
    pthread_t thread = thread_start(wait_once_in_thread, &waiter);
    await_number(WAITING, before + 1);
    acquire(condition); /* not before it waits */
    int count = kin_condition_notify(condition, 1);
    waiter.expected = count == 1 ? 0 : -ETIMEDOUT;
    while (kin_now_ns() <= waiter.timeout.deadline_ns) {
        pause_a_moment();
    }
    release(condition);
    thread_join(thread);
    return count == 1;
}

TEST(a_notify_that_came_wins_over_the_deadline)
{
    kin_condition *condition = new_condition();
    int64_t ms = 50;
    while (!notify_before(condition, ms)) {
        ms *= 2;
    }
    kin_condition_free(condition);
}

TEST(who_gave_up_is_not_notified_in_place_of_another)
{
    kin_condition *condition = new_condition();
    struct waiter impatient = {.condition = condition, .expected = -ETIMEDOUT};
    struct waiter patient = {.condition = condition, .timeout = KIN_FOREVER};
    impatient.timeout = kin_within_ms(20);
    pthread_t first = thread_start(wait_once_in_thread, &impatient);
    await_number(WAITING, 1);
    pthread_t second = thread_start(wait_once_in_thread, &patient);
    await_number(WAITING, 2); /* the lock is free when it waits */
    thread_join(first);
    CHECK_EQUAL(notify(condition, 1), 1);
    thread_join(second);
    kin_condition_free(condition);
}

/* Whether it found the lock held when it gave up. */
static bool give_up_beside_holder(kin_condition *condition, int64_t ms)
{
    struct waiter waiter = {
        .condition = condition, .timeout = kin_within_ms(ms), .expected = -ETIMEDOUT};
    uint64_t waiting = atomic_load(&numbers[WAITING]);
    uint64_t returned = atomic_load(&numbers[RETURNED]);
    pthread_t thread = thread_start(wait_once_in_thread, &waiter);
    await_number(WAITING, waiting + 1);
    acquire(condition);
    bool is_in_time = atomic_load(&numbers[RETURNED]) == returned;
    while (is_in_time && (line_length(condition) != 0 || sleeper_count(getpid()) == 0)) {
        pause_a_moment(); /* until it sleeps on the lock */
    }
    CHECK_EQUAL(kin_condition_notify(condition, 1), 0);
    CHECK_EQUAL(atomic_load(&numbers[RETURNED]), returned + !is_in_time);
    release(condition);
    thread_join(thread);
    return is_in_time;
}

TEST(a_wait_that_gives_up_waits_for_the_lock)
{
    kin_condition *condition = new_condition();
    int64_t ms = 20;
    while (!give_up_beside_holder(condition, ms)) {
        ms *= 2;
    }
    kin_condition_free(condition);
}

/* --- wait_for --- */

static bool has_state(void *user)
{
    CHECK_EQUAL(kin_condition_acquire(user, KIN_NOW), 0); /* nests: it is held */
    CHECK_EQUAL(kin_condition_release(user), 0);
    return atomic_load(&numbers[STATE]) >= 3;
}

static void *wait_for_state(void *user)
{
    acquire(user);
    atomic_fetch_add(&numbers[WAITING], 1);
    CHECK_EQUAL(kin_condition_wait_for(user, has_state, user, KIN_FOREVER), 0);
    CHECK_EQUAL(atomic_load(&numbers[STATE]), 3);
    release(user);
    return NULL;
}

TEST(wait_for_waits_until_the_predicate_is_true)
{
    kin_condition *condition = new_condition();
    pthread_t thread = thread_start(wait_for_state, condition);
    await_number(WAITING, 1);
    for (uint64_t state = 1; state <= 3; state++) {
        await_sleepers(getpid(), 1);
        acquire(condition);
        atomic_store(&numbers[STATE], state);
        CHECK_EQUAL(kin_condition_notify(condition, 1), 1);
        release(condition);
        while (state < 3 && line_length(condition) == 0) {
            pause_a_moment();
        }
    }
    thread_join(thread);
    thread_join(thread_start(wait_for_state, condition)); /* true at once: no wait */
    kin_condition_free(condition);
}

struct look {
    int count;
    int true_at;
};

static bool is_true_at(void *user)
{
    struct look *look = user;
    return look->count++ == look->true_at;
}

TEST(wait_for_looks_at_the_state_once_more_when_the_time_is_over)
{
    kin_condition *condition = new_condition();
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    kin_timeout timeouts[] = {kin_within_ms(2), KIN_NOW, kin_by(INT64_MAX, cancel)};
    int codes[] = {-ETIMEDOUT, -EAGAIN, -ECANCELED};
    acquire(condition);
    for (int i = 0; i < 3; i++) {
        struct look look = {.true_at = 1};
        CHECK_EQUAL(kin_condition_wait_for(condition, is_true_at, &look, timeouts[i]), 0);
        look = (struct look){.true_at = 2};
        CHECK_EQUAL(kin_condition_wait_for(condition, is_true_at, &look, timeouts[i]), codes[i]);
        CHECK_EQUAL(look.count, 2);
    }
    release(condition);
    kin_cancel_free(cancel);
    kin_condition_free(condition);
}

/* --- the lock --- */

static void *acquire_and_notify(void *user)
{
    CHECK_EQUAL(kin_condition_acquire(user, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_condition_notify(user, 1), 1);
    CHECK_EQUAL(kin_condition_release(user), 0);
    return NULL;
}

TEST(a_wait_gives_up_every_depth_of_the_lock_and_takes_all_back)
{
    kin_condition *condition = new_condition();
    for (int i = 0; i < 3; i++) {
        acquire(condition);
    }
    pthread_t thread = thread_start(acquire_and_notify, condition);
    CHECK_EQUAL(kin_condition_wait(condition, KIN_FOREVER), 0);
    thread_join(thread);
    for (int i = 0; i < 3; i++) {
        release(condition);
    }
    CHECK_EQUAL(kin_condition_release(condition), -EPERM);
    kin_condition_free(condition);
}

static void *wait_and_release_lock(void *user)
{
    struct waiter *waiter = user;
    wait_once(waiter);
    return NULL;
}

TEST(a_given_lock_is_the_conditions_lock)
{
    kin_lock *lock = NULL;
    kin_condition *condition = NULL;
    begin();
    REQUIRE(kin_lock_create(NULL, &lock) == 0);
    kin_condition_options options = {.size = sizeof options, .lock = lock};
    REQUIRE(kin_condition_create(&options, &condition) == 0);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_NOW), 0);
    CHECK_EQUAL(kin_condition_acquire(condition, KIN_NOW), -EDEADLK);
    CHECK_EQUAL(kin_condition_notify(condition, 1), 0);
    CHECK_EQUAL(kin_condition_release(condition), 0);
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    pthread_t thread = thread_start(wait_and_release_lock, &waiter);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(kin_lock_acquire(lock, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_condition_notify(condition, 1), 1);
    CHECK_EQUAL(kin_lock_release(lock), 0);
    thread_join(thread);
    kin_condition_free(condition);
    kin_lock_free(lock);
}

TEST(a_given_rlock_outlives_its_giver_in_the_condition)
{
    kin_rlock *rlock = NULL;
    kin_condition *condition = NULL;
    begin();
    REQUIRE(kin_rlock_create(NULL, &rlock) == 0);
    kin_condition_options options = {.size = sizeof options, .rlock = rlock};
    REQUIRE(kin_condition_create(&options, &condition) == 0);
    kin_handle handle = kin_rlock_handle(rlock);
    kin_rlock_free(rlock);
    acquire(condition);
    acquire(condition);
    release(condition);
    release(condition);
    REQUIRE(kin_rlock_attach(handle, &rlock) == 0);
    kin_rlock_free(rlock);
    kin_condition_free(condition);
    CHECK_EQUAL(kin_rlock_attach(handle, &rlock), -ESTALE); /* went with the condition */
}

/* --- other processes --- */

static void attach_and_notify(void *user)
{
    kin_condition *condition = NULL;
    REQUIRE(kin_condition_attach(*(kin_handle *)user, &condition) == 0);
    acquire(condition);
    CHECK_EQUAL(kin_condition_notify(condition, 1), 1);
    release(condition);
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(another_process_opens_a_condition_and_its_lock_by_handle)
{
    begin();
    kin_handle handle;
    kin_lock *lock = NULL;
    REQUIRE(kin_lock_create(NULL, &lock) == 0);
    for (int round = 0; round < 2; round++) { /* with an own lock, and with a given one */
        kin_condition_options options = {.size = sizeof options, .lock = round == 0 ? NULL : lock};
        kin_condition *condition = NULL;
        REQUIRE(kin_condition_create(&options, &condition) == 0);
        handle = kin_condition_handle(condition);
        struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
        pthread_t thread = start_waiting_thread(&waiter);
        child_join(child_start(attach_and_notify, &handle));
        thread_join(thread);
        kin_condition_free(condition);
    }
    kin_lock_free(lock);
}

TEST_OF_PROCESSES(a_condition_of_one_process_is_refused_elsewhere)
{
    begin();
    kin_condition *condition = NULL;
    kin_condition *other = NULL;
    REQUIRE(kin_condition_create(KIN_OPTIONS(kin_condition_options, .scope = KIN_SCOPE_PROCESS),
                                 &condition) == 0);
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    pthread_t thread = start_waiting_thread(&waiter);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQUAL(kin_condition_wait(condition, KIN_NOW), -ESTALE);
        CHECK_EQUAL(kin_condition_notify(condition, 1), -ESTALE);
        CHECK_EQUAL(kin_condition_attach(kin_condition_handle(condition), &other), -EACCES);
        kin_condition_free(condition);
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    CHECK_EQUAL(notify(condition, 1), 1);
    thread_join(thread);
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(a_child_forked_while_a_thread_waits_does_not_stand_in_its_place)
{
    kin_condition *condition = new_condition();
    struct waiter waiter = {.condition = condition, .timeout = KIN_FOREVER};
    pthread_t thread = start_waiting_thread(&waiter);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQUAL(line_length(condition), 1);
        acquire(condition);
        CHECK_EQUAL(kin_condition_wait(condition, KIN_NOW), -EAGAIN);
        CHECK_EQUAL(kin_condition_notify(condition, 5), 1);
        release(condition);
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    thread_join(thread);
    check_family();
    kin_condition_free(condition);
}

/* --- traffic --- */

enum { TURNS = 2000 };

struct turn {
    kin_condition *condition;
    uint64_t parity;
};

/* Counts up when the number has its parity. */
static void take_turns(void *user)
{
    struct turn *turn = user;
    for (int i = 0; i < TURNS; i++) {
        acquire(turn->condition);
        while (atomic_load(&numbers[STATE]) % 2 != turn->parity) {
            CHECK_EQUAL(kin_condition_wait(turn->condition, KIN_FOREVER), 0);
        }
        atomic_fetch_add(&numbers[STATE], 1);
        kin_condition_notify(turn->condition, 1);
        release(turn->condition);
    }
}

static void *take_turns_in_thread(void *user)
{
    take_turns(user);
    return NULL;
}

TEST(two_threads_take_turns)
{
    kin_condition *condition = new_condition();
    struct turn turns[2] = {{condition, 0}, {condition, 1}};
    pthread_t thread = thread_start(take_turns_in_thread, &turns[0]);
    take_turns(&turns[1]);
    thread_join(thread);
    CHECK_EQUAL(atomic_load(&numbers[STATE]), 2 * TURNS);
    kin_condition_free(condition);
}

TEST_OF_PROCESSES(two_processes_take_turns)
{
    kin_condition *condition = new_condition();
    struct turn turns[2] = {{condition, 0}, {condition, 1}};
    pid_t child = child_start(take_turns, &turns[0]);
    take_turns(&turns[1]);
    child_join(child);
    CHECK_EQUAL(atomic_load(&numbers[STATE]), 2 * TURNS);
    check_family();
    kin_condition_free(condition);
}

/* Permits given by notify(1) each: no two may meet in one waiter while another sleeps on. */

enum { PERMITS = 3000, TAKERS = 4 };

static void take_permits(void *user)
{
    kin_condition *condition = user;
    for (int i = 0; i < PERMITS / TAKERS; i++) {
        acquire(condition);
        while (atomic_load(&numbers[STATE]) == 0) {
            /* Some give up, and come again: a notify for them must go to another. */
            int r = kin_condition_wait(condition, i % 3 == 0 ? kin_within_ms(1) : KIN_FOREVER);
            CHECK(r == 0 || r == -ETIMEDOUT);
        }
        atomic_fetch_sub(&numbers[STATE], 1);
        atomic_fetch_add(&numbers[ACQUIRED], 1);
        release(condition);
    }
}

TEST_OF_PROCESSES(no_notify_is_lost_to_those_who_give_up)
{
    kin_condition *condition = new_condition();
    pid_t children[TAKERS];
    for (int i = 0; i < TAKERS; i++) {
        children[i] = child_start(take_permits, condition);
    }
    for (int i = 0; i < PERMITS; i++) {
        acquire(condition);
        atomic_fetch_add(&numbers[STATE], 1);
        kin_condition_notify(condition, 1);
        release(condition);
    }
    for (int i = 0; i < TAKERS; i++) {
        child_join(children[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[ACQUIRED]), PERMITS);
    check_family();
    kin_condition_free(condition);
}

static uint64_t plain_number;

static void *count_plainly(void *user)
{
    for (int i = 0; i < 200; i++) {
        acquire(user);
        plain_number++;
        kin_condition_notify(user, 1);
        CHECK(kin_condition_wait(user, kin_within_ms(i % 3)) <= 0);
        plain_number++;
        release(user);
    }
    return NULL;
}

TEST(what_the_lock_guards_needs_no_atomics_across_a_wait)
{
    kin_condition *condition = new_condition();
    pthread_t threads[4];
    plain_number = 0;
    for (int i = 0; i < 4; i++) {
        threads[i] = thread_start(count_plainly, condition);
    }
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
    }
    CHECK_EQUAL(plain_number, 1600);
    kin_condition_free(condition);
}
