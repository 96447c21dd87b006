/* kin_rwlock: codes, readers beside each other, writers alone, waiting. Deaths: rwlock_death.c. */
#include "base/fault.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/event.h>
#include <kin/rwlock.h>

static kin_rwlock *new_rwlock(void)
{
    kin_rwlock *rwlock = NULL;
    begin();
    REQUIRE(kin_rwlock_create(NULL, &rwlock) == 0);
    return rwlock;
}

static const kin_timeout no_timeout;

static uint32_t note_count(void)
{
    const struct kin__member *member = kin__self()->member;
    uint32_t count = atomic_load(&member->holding_overflow) + (atomic_load(&member->line) != 0);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        count += atomic_load(&member->holdings[i]) != 0;
    }
    return count;
}

TEST(rwlock_functions_refuse_null)
{
    kin_rwlock *rwlock = new_rwlock();
    CHECK_EQUAL(kin_rwlock_create(NULL, NULL), -EINVAL);
    CHECK_EQUAL(kin_rwlock_attach(kin_rwlock_handle(rwlock), NULL), -EINVAL);
    CHECK_EQUAL(kin_rwlock_acquire_read(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_rwlock_acquire_write(NULL, KIN_NOW), -EINVAL);
    CHECK_EQUAL(kin_rwlock_release(NULL), -EINVAL);
    CHECK_EQUAL(kin_rwlock_mark_consistent(NULL), -EINVAL);
    CHECK(!kin_rwlock_is_written(NULL));
    CHECK_EQUAL(kin_rwlock_reader_count(NULL), 0);
    CHECK_EQUAL(kin_rwlock_handle(NULL).counter, 0);
    CHECK(kin_rwlock_free(NULL) == NULL);
    kin_rwlock_free(rwlock);
}

TEST(rwlock_create_and_acquire_refuse_what_cannot_be)
{
    kin_rwlock *rwlock = NULL;
    CHECK_EQUAL(kin_rwlock_create(NULL, &rwlock), KIN_EFAMILY);
    begin();
    kin_rwlock_options options = {.size = 1};
    CHECK_EQUAL(kin_rwlock_create(&options, &rwlock), -EINVAL);
    options = (kin_rwlock_options){.size = sizeof options, .scope = (kin_scope)5};
    CHECK_EQUAL(kin_rwlock_create(&options, &rwlock), -EINVAL);
    CHECK(rwlock == NULL);
    REQUIRE(kin_rwlock_create(NULL, &rwlock) == 0);
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, no_timeout), -EINVAL);
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, no_timeout), -EINVAL);
    CHECK_EQUAL(note_count(), 0);
    kin_rwlock_free(rwlock);
}

#ifdef KIN_FAULTS

TEST(an_rwlock_that_cannot_be_made_is_enomem)
{
    int r = -1;
    begin();
    for (uint64_t n = 1; r < 0; n++) {
        kin_rwlock *rwlock = NULL;
        kin_fini();
        REQUIRE(kin_init(NULL, NULL) == 0);
        kin__allocation_fail_at(n);
        r = kin_rwlock_create(NULL, &rwlock);
        kin__allocation_fail_at(0);
        CHECK(r == 0 || r == -ENOMEM);
        CHECK((r == 0) == (rwlock != NULL));
        kin_rwlock_free(rwlock);
    }
}

#endif

TEST(rwlock_attach_refuses_stale_handles_and_those_of_other_types)
{
    kin_rwlock *rwlock = new_rwlock();
    kin_rwlock *other = NULL;
    kin_event *event = NULL;
    REQUIRE(kin_event_create(NULL, &event) == 0);
    kin_handle handle = kin_rwlock_handle(rwlock);
    CHECK_EQUAL(kin_rwlock_attach(kin_event_handle(event), &other), -EINVAL);
    kin_rwlock_free(rwlock);
    CHECK_EQUAL(kin_rwlock_attach(handle, &other), -ESTALE);
    CHECK(other == NULL);
    kin_event_free(event);
}

/* --- by one thread --- */

TEST(a_thread_reads_or_writes_from_acquire_to_release)
{
    kin_rwlock *rwlock = new_rwlock();
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(kin_rwlock_release(rwlock), -EPERM);
        CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_FOREVER), 0);
        CHECK_EQUAL(kin_rwlock_reader_count(rwlock), 1);
        CHECK(!kin_rwlock_is_written(rwlock));
        CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
        CHECK_EQUAL(kin_rwlock_reader_count(rwlock), 0);
        CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_FOREVER), 0);
        CHECK(kin_rwlock_is_written(rwlock));
        CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
        CHECK(!kin_rwlock_is_written(rwlock));
    }
    CHECK_EQUAL(note_count(), 0);
    kin_rwlock_free(rwlock);
}

TEST(who_has_it_gets_edeadlk_and_has_it_still)
{
    kin_rwlock *rwlock = new_rwlock();
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_FOREVER), -EDEADLK);
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_FOREVER), -EDEADLK);
    CHECK_EQUAL(kin_rwlock_mark_consistent(rwlock), -EPERM);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_FOREVER), -EDEADLK);
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_FOREVER), -EDEADLK);
    CHECK_EQUAL(kin_rwlock_mark_consistent(rwlock), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), -EPERM);
    CHECK_EQUAL(note_count(), 0);
    kin_rwlock_free(rwlock);
}

TEST(a_thread_reads_30_and_is_refused_the_next)
{
    kin_rwlock *rwlocks[KIN__HOLDING_MAX + 1] = {new_rwlock()};
    for (uint32_t i = 1; i <= KIN__HOLDING_MAX; i++) {
        REQUIRE(kin_rwlock_create(NULL, &rwlocks[i]) == 0);
    }
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i++) {
        CHECK_EQUAL(kin_rwlock_acquire_read(rwlocks[i], KIN_NOW), 0);
        CHECK_EQUAL(kin_rwlock_acquire_read(rwlocks[i], KIN_NOW), -EDEADLK);
    }
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlocks[KIN__HOLDING_MAX], KIN_NOW), -ENOLCK);
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlocks[KIN__HOLDING_MAX], KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlocks[KIN__HOLDING_MAX]), 0);
    for (uint32_t i = 0; i < KIN__HOLDING_MAX; i += 2) {
        CHECK_EQUAL(kin_rwlock_release(rwlocks[i]), 0);
    }
    for (uint32_t i = 1; i < KIN__HOLDING_MAX; i += 2) {
        CHECK_EQUAL(kin_rwlock_release(rwlocks[i]), 0);
    }
    CHECK_EQUAL(note_count(), 0);
    for (uint32_t i = 0; i <= KIN__HOLDING_MAX; i++) {
        kin_rwlock_free(rwlocks[i]);
    }
}

/* --- by many --- */

struct use {
    kin_rwlock *rwlock;
    kin_timeout timeout;
    int expected;
    bool writes;
};

static int acquire(const struct use *use)
{
    return use->writes ? kin_rwlock_acquire_write(use->rwlock, use->timeout)
                       : kin_rwlock_acquire_read(use->rwlock, use->timeout);
}

/* Acquires, says so in numbers[0], and releases when numbers[1] is set. */
static void use_and_release(void *user)
{
    struct use *use = user;
    CHECK_EQUAL(acquire(use), use->expected);
    atomic_fetch_add(&numbers[0], 1);
    if (use->expected == 0) {
        await_number(1, 1);
        CHECK_EQUAL(kin_rwlock_release(use->rwlock), 0);
    }
    CHECK_EQUAL(note_count(), 0);
}

static void *use_in_thread(void *user)
{
    use_and_release(user);
    return NULL;
}

TEST_OF_PROCESSES(readers_read_beside_each_other_and_keep_writers_out)
{
    struct use use = {.rwlock = new_rwlock(), .timeout = KIN_FOREVER};
    pid_t child = child_start(use_and_release, &use);
    pthread_t thread = thread_start(use_in_thread, &use);
    await_number(0, 2);
    CHECK_EQUAL(kin_rwlock_acquire_read(use.rwlock, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_reader_count(use.rwlock), 3);
    CHECK_EQUAL(kin_rwlock_release(use.rwlock), 0);
    CHECK_EQUAL(kin_rwlock_acquire_write(use.rwlock, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_rwlock_acquire_write(use.rwlock, kin_within_ms(3)), -ETIMEDOUT);
    CHECK_EQUAL(kin_rwlock_reader_count(use.rwlock), 2);
    CHECK_EQUAL(kin_rwlock_acquire_read(use.rwlock, KIN_NOW), 0); /* who gave up is gone */
    CHECK_EQUAL(kin_rwlock_release(use.rwlock), 0);
    atomic_store(&numbers[1], 1);
    child_join(child);
    thread_join(thread);
    CHECK_EQUAL(kin_rwlock_acquire_write(use.rwlock, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_release(use.rwlock), 0);
    CHECK_EQUAL(note_count(), 0);
    kin_rwlock_free(use.rwlock);
}

TEST_OF_PROCESSES(a_writer_keeps_all_others_out)
{
    struct use use = {.rwlock = new_rwlock(), .timeout = KIN_FOREVER, .writes = true};
    pid_t child = child_start(use_and_release, &use);
    await_number(0, 1);
    CHECK(kin_rwlock_is_written(use.rwlock));
    CHECK_EQUAL(kin_rwlock_release(use.rwlock), -EPERM);
    CHECK_EQUAL(kin_rwlock_mark_consistent(use.rwlock), -EPERM);
    CHECK_EQUAL(kin_rwlock_acquire_read(use.rwlock, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_rwlock_acquire_read(use.rwlock, kin_within_ms(3)), -ETIMEDOUT);
    CHECK_EQUAL(kin_rwlock_acquire_write(use.rwlock, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_rwlock_acquire_write(use.rwlock, kin_within_ms(3)), -ETIMEDOUT);
    CHECK_EQUAL(kin_rwlock_reader_count(use.rwlock), 0);
    CHECK_EQUAL(note_count(), 0);
    atomic_store(&numbers[1], 1);
    CHECK_EQUAL(kin_rwlock_acquire_read(use.rwlock, KIN_FOREVER), 0);
    CHECK_EQUAL(kin_rwlock_release(use.rwlock), 0);
    child_join(child);
    kin_rwlock_free(use.rwlock);
}

TEST_OF_PROCESSES(a_waiting_writer_comes_before_readers_who_come_after_it)
{
    struct use writer = {.rwlock = new_rwlock(), .timeout = KIN_FOREVER, .writes = true};
    CHECK_EQUAL(kin_rwlock_acquire_read(writer.rwlock, KIN_NOW), 0);
    pid_t child = child_start(use_and_release, &writer);
    await_sleepers(child, 1);
    struct use late = {
        .rwlock = writer.rwlock, .timeout = kin_within_ms(3), .expected = -ETIMEDOUT};
    thread_join(thread_start(use_in_thread, &late));
    late = (struct use){.rwlock = writer.rwlock, .timeout = KIN_FOREVER};
    pthread_t reader = thread_start(use_in_thread, &late);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(atomic_load(&numbers[0]), 1); /* the one that ran out of time */
    CHECK_EQUAL(kin_rwlock_release(writer.rwlock), 0);
    await_number(0, 2);
    CHECK(kin_rwlock_is_written(writer.rwlock));
    atomic_store(&numbers[1], 1);
    child_join(child);
    thread_join(reader);
    kin_rwlock_free(writer.rwlock);
}

TEST_OF_PROCESSES(readers_who_wait_come_before_the_next_writer)
{
    struct use reader = {.rwlock = new_rwlock(), .timeout = KIN_FOREVER};
    struct use writer = {.rwlock = reader.rwlock, .timeout = KIN_FOREVER, .writes = true};
    CHECK_EQUAL(kin_rwlock_acquire_write(reader.rwlock, KIN_NOW), 0);
    pid_t second = child_start(use_and_release, &writer);
    await_sleepers(second, 1);
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = child_start(use_and_release, &reader);
        await_sleepers(children[i], 1);
    }
    CHECK_EQUAL(kin_rwlock_release(reader.rwlock), 0);
    await_number(0, 3);
    CHECK_EQUAL(kin_rwlock_reader_count(reader.rwlock), 3);
    CHECK(!kin_rwlock_is_written(reader.rwlock));
    atomic_store(&numbers[1], 1);
    for (int i = 0; i < 3; i++) {
        child_join(children[i]);
    }
    child_join(second);
    CHECK_EQUAL(atomic_load(&numbers[0]), 4);
    kin_rwlock_free(reader.rwlock);
}

TEST_OF_PROCESSES(fair_writers_write_in_the_order_in_which_they_came)
{
    kin_rwlock *rwlock = NULL;
    begin();
    REQUIRE(kin_rwlock_create(KIN_OPTIONS(kin_rwlock_options, .is_fair = true, .name = "table"),
                              &rwlock) == 0);
    struct use writer = {.rwlock = rwlock, .timeout = KIN_FOREVER, .writes = true};
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), 0);
    pid_t first = child_start(use_and_release, &writer);
    await_sleepers(first, 1);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), -EAGAIN);
    await_number(0, 1);
    atomic_store(&numbers[1], 1);
    child_join(first);
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    kin_rwlock_free(rwlock);
}

TEST_OF_PROCESSES(a_fired_token_ends_waits_for_a_writer)
{
    struct use holder = {.rwlock = new_rwlock(), .timeout = KIN_FOREVER, .writes = true};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    struct use reader = {
        .rwlock = holder.rwlock, .timeout = kin_by(INT64_MAX, cancel), .expected = -ECANCELED};
    struct use writer = reader;
    writer.writes = true;
    pid_t child = child_start(use_and_release, &holder);
    await_number(0, 1);
    pid_t waiters[2] = {child_start(use_and_release, &writer),
                        child_start(use_and_release, &reader)};
    await_sleepers(waiters[0], 1);
    await_sleepers(waiters[1], 1);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    child_join(waiters[0]);
    child_join(waiters[1]);
    atomic_store(&numbers[1], 1);
    child_join(child);
    kin_cancel_free(cancel);
    kin_rwlock_free(holder.rwlock);
}

TEST_OF_PROCESSES(a_writer_whose_wait_for_readers_is_cancelled_lets_those_in_who_came_after_it)
{
    struct use holder = {.rwlock = new_rwlock(), .timeout = KIN_FOREVER};
    kin_cancel *cancel = NULL;
    REQUIRE(kin_cancel_create(&cancel) == 0);
    struct use writer = {.rwlock = holder.rwlock,
                         .timeout = kin_by(INT64_MAX, cancel),
                         .expected = -ECANCELED,
                         .writes = true};
    pid_t child = child_start(use_and_release, &holder);
    await_number(0, 1);
    pid_t gives_up = child_start(use_and_release, &writer);
    await_sleepers(gives_up, 1);
    pid_t reader = child_start(use_and_release, &holder);
    await_sleepers(reader, 1);
    CHECK_EQUAL(kin_cancel_request(cancel), 0);
    child_join(gives_up);
    await_number(0, 3);
    CHECK_EQUAL(kin_rwlock_reader_count(holder.rwlock), 2);
    atomic_store(&numbers[1], 1);
    child_join(child);
    child_join(reader);
    kin_cancel_free(cancel);
    kin_rwlock_free(holder.rwlock);
}

/* --- data behind it --- */

enum { CROWD = 3, ROUNDS = 400 };

/* numbers[10] and [11] are alike whenever nobody writes. */
static void read_and_write(void *user)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 8 == 0) {
            CHECK_EQUAL(kin_rwlock_acquire_write(user, KIN_FOREVER), 0);
            uint64_t value = atomic_load_explicit(&numbers[10], memory_order_relaxed);
            CHECK_EQUAL(atomic_load_explicit(&numbers[11], memory_order_relaxed), value);
            atomic_store_explicit(&numbers[10], value + 1, memory_order_relaxed);
            sched_yield();
            atomic_store_explicit(&numbers[11], value + 1, memory_order_relaxed);
        } else {
            CHECK_EQUAL(kin_rwlock_acquire_read(user, KIN_FOREVER), 0);
            uint64_t value = atomic_load_explicit(&numbers[10], memory_order_relaxed);
            CHECK_EQUAL(atomic_load_explicit(&numbers[11], memory_order_relaxed), value);
        }
        CHECK_EQUAL(kin_rwlock_release(user), 0);
    }
}

static void *read_and_write_in_thread(void *user)
{
    read_and_write(user);
    return NULL;
}

static void crowd(kin_rwlock *rwlock, bool has_children)
{
    pid_t children[CROWD];
    pthread_t threads[CROWD];
    for (int i = 0; has_children && i < CROWD; i++) {
        children[i] = child_start(read_and_write, rwlock);
    }
    for (int i = 0; i < CROWD; i++) {
        threads[i] = thread_start(read_and_write_in_thread, rwlock);
    }
    for (int i = 0; i < CROWD; i++) {
        thread_join(threads[i]);
    }
    for (int i = 0; has_children && i < CROWD; i++) {
        child_join(children[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[10]), (has_children ? 2 : 1) * CROWD * (ROUNDS / 8));
    kin_rwlock_free(rwlock);
}

TEST_OF_PROCESSES(in_a_crowd_no_reader_sees_a_half_written_state)
{
    crowd(new_rwlock(), true);
}

TEST(of_threads_no_reader_sees_a_half_written_state)
{
    crowd(new_rwlock(), false);
}

TEST_OF_PROCESSES(in_a_crowd_of_fair_writers_no_reader_sees_a_half_written_state)
{
    kin_rwlock *rwlock = NULL;
    begin();
    REQUIRE(kin_rwlock_create(KIN_OPTIONS(kin_rwlock_options, .is_fair = true), &rwlock) == 0);
    crowd(rwlock, true);
}

static void read_for_ever(void *user)
{
    while (atomic_load(&numbers[5]) == 0) {
        CHECK_EQUAL(kin_rwlock_acquire_read(user, KIN_FOREVER), 0);
        atomic_fetch_add(&numbers[4], 1);
        CHECK_EQUAL(kin_rwlock_release(user), 0);
    }
}

TEST_OF_PROCESSES(neither_readers_nor_writers_starve)
{
    kin_rwlock *rwlock = new_rwlock();
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = child_start(read_for_ever, rwlock);
    }
    for (int i = 0; i < 200; i++) {
        CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_FOREVER), 0);
        CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    }
    await_number(4, 1);
    atomic_store(&numbers[5], 1);
    for (int i = 0; i < 3; i++) {
        child_join(children[i]);
    }
    kin_rwlock_free(rwlock);
}

/* --- other processes --- */

static void write_by_handle(void *user)
{
    kin_rwlock *rwlock = NULL;
    REQUIRE(kin_rwlock_attach(*(kin_handle *)user, &rwlock) == 0);
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), -EAGAIN);
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    kin_rwlock_free(rwlock);
}

TEST_OF_PROCESSES(an_rwlock_is_opened_by_its_handle_in_another_process)
{
    kin_rwlock *rwlock = new_rwlock();
    kin_handle handle = kin_rwlock_handle(rwlock);
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_NOW), 0);
    child_join(child_start(write_by_handle, &handle));
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    kin_rwlock_free(rwlock);
}

TEST_OF_PROCESSES(what_a_parent_reads_is_not_read_by_its_plainly_forked_child)
{
    kin_rwlock *rwlock = new_rwlock();
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_NOW), 0);
    pid_t pid = fork();
    if (pid == 0) {
        CHECK_EQUAL(kin_rwlock_release(rwlock), -EPERM);
        CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_NOW), 0);
        CHECK_EQUAL(kin_rwlock_reader_count(rwlock), 2);
        CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
        kin_rwlock_free(rwlock);
        kin_fini();
        _exit(0);
    }
    child_join(pid);
    CHECK_EQUAL(kin_rwlock_reader_count(rwlock), 1);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    kin_rwlock_free(rwlock);
}

static void find_it_shut(void *user)
{
    kin_rwlock *other = NULL;
    CHECK_EQUAL(kin_rwlock_acquire_read(user, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_rwlock_acquire_write(user, KIN_NOW), -ESTALE);
    CHECK_EQUAL(kin_rwlock_release(user), -ESTALE);
    CHECK_EQUAL(kin_rwlock_reader_count(user), 0);
    CHECK_EQUAL(kin_rwlock_attach(kin_rwlock_handle(user), &other), -EACCES);
    kin_rwlock_free(user);
}

TEST_OF_PROCESSES(an_rwlock_of_one_process_is_for_its_threads_alone)
{
    struct use use = {.timeout = KIN_FOREVER};
    begin();
    REQUIRE(kin_rwlock_create(KIN_OPTIONS(kin_rwlock_options, .scope = KIN_SCOPE_PROCESS),
                              &use.rwlock) == 0);
    child_join(child_start(find_it_shut, use.rwlock));
    pthread_t thread = thread_start(use_in_thread, &use);
    await_number(0, 1);
    CHECK_EQUAL(kin_rwlock_acquire_write(use.rwlock, KIN_NOW), -EAGAIN);
    atomic_store(&numbers[1], 1);
    thread_join(thread);
    kin_rwlock_free(use.rwlock);
}
