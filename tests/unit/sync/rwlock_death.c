/* kin_rwlock when a reader, a writer or one of those who wait dies. */
#include "family/directory.h"
#include "family/verify.h"
#include "unit/children.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/rwlock.h>

static kin_rwlock *new_rwlock(void)
{
    kin_rwlock *rwlock = NULL;
    begin();
    REQUIRE(kin_rwlock_create(NULL, &rwlock) == 0);
    return rwlock;
}

static void sleep_for_ever(void)
{
    for (;;) {
        pause();
    }
}

static void read_and_stay(void *user)
{
    CHECK(kin_rwlock_acquire_read(user, KIN_FOREVER) >= 0);
    atomic_fetch_add(&numbers[0], 1);
    sleep_for_ever();
}

static void write_and_stay(void *user)
{
    CHECK(kin_rwlock_acquire_write(user, KIN_FOREVER) >= 0);
    atomic_fetch_add(&numbers[0], 1);
    sleep_for_ever();
}

static pid_t start(child_body *body, kin_rwlock *rwlock)
{
    uint64_t count = atomic_load(&numbers[0]);
    pid_t child = child_start(body, rwlock);
    await_number(0, count + 1);
    return child;
}

/* Counts how it came in numbers[1] (clean) and numbers[2] (owner died). */
static void count_code(int r)
{
    CHECK(r == 0 || r == KIN_OWNER_DIED);
    atomic_fetch_add(&numbers[r == 0 ? 1 : 2], 1);
}

static void *read_and_count(void *user)
{
    count_code(kin_rwlock_acquire_read(user, KIN_FOREVER));
    CHECK_EQUAL(kin_rwlock_release(user), 0);
    return NULL;
}

static void *write_and_count(void *user)
{
    count_code(kin_rwlock_acquire_write(user, KIN_FOREVER));
    CHECK_EQUAL(kin_rwlock_release(user), 0);
    return NULL;
}

static void read_in_child(void *user)
{
    read_and_count(user);
}

static void write_in_child(void *user)
{
    write_and_count(user);
}

static void check_sound(void)
{
    char report[1000] = "";
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 0);
    CHECK_STRING(report, "");
}

TEST_OF_PROCESSES(a_killed_reader_lets_a_sleeping_writer_in_and_has_changed_nothing)
{
    kin_rwlock *rwlock = new_rwlock();
    pid_t doomed = start(read_and_stay, rwlock);
    pthread_t writer = thread_start(write_and_count, rwlock);
    await_sleepers(getpid(), 1);
    child_kill(doomed);
    thread_join(writer);
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    CHECK_EQUAL(kin_rwlock_reader_count(rwlock), 0);
    check_sound();
    kin_rwlock_free(rwlock);
}

TEST_OF_PROCESSES(one_of_several_readers_is_killed_and_the_others_still_keep_writers_out)
{
    kin_rwlock *rwlock = new_rwlock();
    pid_t doomed = start(read_and_stay, rwlock);
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_NOW), 0);
    pthread_t writer = thread_start(write_and_count, rwlock);
    await_sleepers(getpid(), 1);
    child_kill(doomed);
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(atomic_load(&numbers[1]), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    thread_join(writer);
    kin_rwlock_free(rwlock);
}

TEST_OF_PROCESSES(after_a_killed_writer_all_are_told_until_a_writer_marks_it_consistent)
{
    kin_rwlock *rwlock = new_rwlock();
    child_kill(start(write_and_stay, rwlock));
    CHECK(!kin_rwlock_is_written(rwlock));
    for (int i = 0; i < 2; i++) {
        CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_NOW), KIN_OWNER_DIED);
        CHECK_EQUAL(kin_rwlock_mark_consistent(rwlock), -EPERM);
        CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
        CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), KIN_OWNER_DIED);
        CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    }
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_rwlock_mark_consistent(rwlock), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    check_sound();
    kin_rwlock_free(rwlock);
}

TEST_OF_PROCESSES(all_who_wait_for_a_killed_writer_come_in_and_are_told)
{
    kin_rwlock *rwlock = new_rwlock();
    pid_t doomed = start(write_and_stay, rwlock);
    pid_t children[2] = {child_start(read_in_child, rwlock), child_start(write_in_child, rwlock)};
    pthread_t threads[2] = {thread_start(read_and_count, rwlock),
                            thread_start(write_and_count, rwlock)};
    await_sleepers(children[0], 1);
    await_sleepers(children[1], 1);
    await_sleepers(getpid(), 2);
    child_kill(doomed);
    for (int i = 0; i < 2; i++) {
        child_join(children[i]);
        thread_join(threads[i]);
    }
    CHECK_EQUAL(atomic_load(&numbers[2]), 4);
    kin_rwlock_free(rwlock);
}

TEST_OF_PROCESSES(a_writer_killed_while_it_waits_for_readers_has_not_written)
{
    kin_rwlock *rwlock = new_rwlock();
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_NOW), 0);
    pid_t doomed = child_start(write_in_child, rwlock);
    await_sleepers(doomed, 1);
    pthread_t reader = thread_start(read_and_count, rwlock);
    await_sleepers(getpid(), 1);
    child_kill(doomed);
    thread_join(reader);
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    kin_rwlock_free(rwlock);
}

TEST_OF_PROCESSES(a_reader_killed_while_it_waits_costs_nobody_anything)
{
    kin_rwlock *rwlock = new_rwlock();
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), 0);
    pid_t doomed = child_start(read_in_child, rwlock);
    await_sleepers(doomed, 1);
    pthread_t writer = thread_start(write_and_count, rwlock);
    await_sleepers(getpid(), 1);
    REQUIRE(kill(doomed, SIGSTOP) == 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0); /* the stopped one is inside now */
    await_sleepers(getpid(), 1);
    CHECK_EQUAL(atomic_load(&numbers[1]), 0);
    child_kill(doomed);
    thread_join(writer);
    CHECK_EQUAL(atomic_load(&numbers[1]), 1);
    kin_rwlock_free(rwlock);
}

static void *write_and_end(void *user)
{
    CHECK_EQUAL(kin_rwlock_acquire_write(user, KIN_NOW), 0);
    return NULL;
}

static void *read_and_end(void *user)
{
    CHECK(kin_rwlock_acquire_read(user, KIN_NOW) >= 0);
    return NULL;
}

TEST(a_thread_that_ends_with_the_lock_counts_as_dead)
{
    kin_rwlock *rwlock = new_rwlock();
    thread_join(thread_start(read_and_end, rwlock));
    CHECK_EQUAL(kin_rwlock_acquire_write(rwlock, KIN_NOW), 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    thread_join(thread_start(write_and_end, rwlock));
    CHECK_EQUAL(kin_rwlock_acquire_read(rwlock, KIN_NOW), KIN_OWNER_DIED);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    kin_rwlock_free(rwlock);
}

static void use_for_ever(void *user)
{
    for (uint64_t i = 0;; i++) {
        int r = i % 4 == 0 ? kin_rwlock_acquire_write(user, KIN_FOREVER)
                           : kin_rwlock_acquire_read(user, KIN_FOREVER);
        CHECK(r >= 0);
        if (r == KIN_OWNER_DIED && i % 4 == 0) {
            atomic_store(&numbers[11], atomic_load(&numbers[10]));
            CHECK_EQUAL(kin_rwlock_mark_consistent(user), 0);
        }
        CHECK(atomic_load(&numbers[10]) == atomic_load(&numbers[11]) || r == KIN_OWNER_DIED);
        if (i % 4 == 0) {
            atomic_fetch_add(&numbers[10], 1);
            atomic_fetch_add(&numbers[11], 1);
        }
        atomic_fetch_add(&numbers[5], 1);
        CHECK_EQUAL(kin_rwlock_release(user), 0);
    }
}

TEST_OF_PROCESSES_WITH(readers_and_writers_are_killed_again_and_again, .limit_seconds = 60)
{
    kin_rwlock *rwlock = new_rwlock();
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = child_start(use_for_ever, rwlock);
    }
    for (int round = 0; round < 15; round++) {
        uint64_t passed = atomic_load(&numbers[5]);
        await_number(5, passed + 50);
        child_kill(children[round % 3]);
        children[round % 3] = child_start(use_for_ever, rwlock);
    }
    for (int i = 0; i < 3; i++) {
        child_kill(children[i]);
    }
    CHECK(kin_rwlock_acquire_write(rwlock, KIN_NOW) >= 0);
    CHECK_EQUAL(kin_rwlock_release(rwlock), 0);
    check_sound();
    kin_rwlock_free(rwlock);
}

TEST_OF_PROCESSES(the_verifier_finds_a_gate_that_nobody_closed)
{
    kin_rwlock *rwlock = new_rwlock();
    pid_t writer = start(write_and_stay, rwlock);
    char report[1000];
    check_sound();
    child_kill(writer);
    check_sound();
    _Atomic uint64_t *gate = (_Atomic uint64_t *)kin__entry_object(
                                 kin__entry_at(kin_rwlock_handle(rwlock).index)) +
                             16;
    uint64_t open = atomic_load(gate);
    atomic_store(gate, 0x12340077);
    CHECK_EQUAL(kin__family_verify(kin__family.memory, report, sizeof report), 1);
    CHECK(strstr(report, "closed by one that does not hold it") != NULL);
    atomic_store(gate, open);
    kin_rwlock_free(rwlock);
}
