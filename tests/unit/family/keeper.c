/* Processes that have no keeper, those that get one, and what is noticed without. */
#include "family/keeper.h"

#include "fake.h"
#include "family/death.h"
#include "family/keeper/life.h"
#include "family/sleep.h"
#include "os/clock.h"
#include "os/fault.h"
#include "os/process.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

/* numbers[]: 0 how far the others are, 1 an owner id, 2 a process id, 3 what was found */

static void await_members(uint32_t count)
{
    while (member_count() != count) {
        pause_a_moment();
    }
}

static void end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    REQUIRE(waitpid(pid, NULL, 0) == pid);
}

static _Noreturn void stay(void)
{
    atomic_fetch_add(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

static void stay_silent(void *user)
{
    (void)user;
    stay();
}

static uint32_t life_of(uint32_t owner)
{
    return atomic_load(&kin__member_of(owner)->life) & KIN__OS_FUTEX_TID;
}

/* --- when there is one --- */

static void check_need(void *user)
{
    (void)user;
    struct kin__member *member = kin__family.member;
    CHECK(!kin__keeper_runs());
    CHECK(kin__life_is_here());
    CHECK_EQUAL(kin__os_thread_count(), 1);
    CHECK_EQUAL(life_of(kin__family.owner), (uint32_t)getpid());
    CHECK_EQUAL(atomic_load(&member->life_next), 0);
    CHECK(kin__self() != NULL);
    CHECK(!kin__keeper_runs());
    CHECK_EQUAL(kin__keeper_need(), 0);
    CHECK_EQUAL(kin__keeper_need(), 0);
    CHECK(kin__keeper_runs());
    CHECK(!kin__life_is_here());
    CHECK_EQUAL(kin__os_thread_count(), 2);
    CHECK(life_of(kin__family.owner) != (uint32_t)getpid());
    CHECK_EQUAL(atomic_load(&member->life_next), atomic_load(&member->life));
}

TEST_OF_PROCESSES(a_child_has_no_keeper_until_it_needs_one)
{
    begin();
    CHECK(kin__keeper_runs());
    child_join(child_start(check_need, NULL));
    await_members(2);
    CHECK_SOUND();
}

static void check_start(void *user)
{
    (void)user;
    CHECK(!kin__keeper_runs());
    pid_t pid = child_start(stay_silent, NULL);
    CHECK(kin__keeper_runs());
    end_child(pid);
}

TEST_OF_PROCESSES(who_starts_a_child_has_a_keeper)
{
    begin();
    child_join(child_start(check_start, NULL));
    await_members(2);
}

static void check_sleep(void *user)
{
    (void)user;
    struct kin__thread *self = kin__self();
    uint32_t key = kin__count_prepare(&self->member->nudge);
    CHECK_EQUAL(kin__sleep(&self->member->nudge, key, KIN_NOW), -EAGAIN);
    CHECK(!kin__keeper_runs());
    CHECK_EQUAL(kin__sleep(&self->member->nudge, key, kin_within_ms(1)), 0);
    CHECK(kin__keeper_runs());
}

TEST_OF_PROCESSES(who_sleeps_has_a_keeper)
{
    begin();
    child_join(child_start(check_sleep, NULL));
}

static void check_growth(void *user)
{
    uint64_t block = 0;
    (void)user;
    CHECK_EQUAL(kin__block_create(30000, 0, KIN__BLOCK_BYTES, &block), 0);
    CHECK(!kin__keeper_runs());
    for (int i = 0; i < 200; i++) {
        REQUIRE(kin__block_create(30000, 0, KIN__BLOCK_BYTES, &block) == 0);
    }
    CHECK(kin__keeper_runs());
}

TEST_OF_PROCESSES(who_has_much_to_trim_has_a_keeper)
{
    begin();
    child_join(child_start(check_growth, NULL));
    await_members(2);
    CHECK_SOUND();
}

static void *need(void *user)
{
    *(int *)user = kin__keeper_need();
    return NULL;
}

static void check_other_thread(void *user)
{
    int r = -1;
    (void)user;
    thread_join(thread_start(need, &r));
    CHECK_EQUAL(r, 0);
    CHECK(kin__keeper_runs());
    CHECK(kin__life_is_here()); /* it still has the word on its list, but that names the keeper */
    CHECK(life_of(kin__family.owner) != (uint32_t)getpid());
}

TEST_OF_PROCESSES(another_thread_can_start_the_keeper)
{
    begin();
    child_join(child_start(check_other_thread, NULL));
    await_members(2);
    CHECK_SOUND();
}

static void *leave(void *user)
{
    (void)user;
    kin_fini();
    return NULL;
}

static void leave_elsewhere(void *user)
{
    (void)user;
    thread_join(thread_start(leave, NULL));
    CHECK(kin__family_is_open()); /* this thread's list still has the slot in it */
    kin_fini();
    CHECK(!kin__family_is_open());
}

TEST_OF_PROCESSES(the_slot_is_freed_by_the_thread_that_stands_in_for_the_keeper)
{
    begin();
    child_join(child_start(leave_elsewhere, NULL));
    await_members(2);
    CHECK_SOUND();
}

/* --- what is noticed --- */

TEST_OF_PROCESSES(a_silent_child_that_is_killed_is_reaped_though_nobody_joins_it)
{
    begin();
    for (int i = 0; i < 20; i++) {
        atomic_store(&numbers[0], 0);
        pid_t pid = child_start(stay_silent, NULL);
        if (i % 2 == 0) {
            await_number(0, 1);
        }
        kill(pid, SIGKILL);
        await_members(2);
        REQUIRE(waitpid(pid, NULL, 0) == pid);
    }
    CHECK_SOUND();
}

static void hold_and_stay(void *user)
{
    struct fake *fake = user;
    struct kin__thread *self = kin__self();
    kin__holding_add(self, kin__object_index(&fake->object));
    atomic_store(&fake_shared(fake)->holder, self->owner);
    REQUIRE(!kin__keeper_runs());
    stay();
}

static void await_repair(struct fake *fake)
{
    while (atomic_load(&fake_shared(fake)->holder) != 0) {
        pause_a_moment();
    }
}

TEST_OF_PROCESSES(what_a_process_without_a_keeper_held_is_repaired)
{
    begin();
    struct fake *fake = fake_create();
    pid_t pid = child_start(hold_and_stay, fake);
    await_number(0, 1);
    kill(pid, SIGKILL);
    await_repair(fake);
    end_child(pid);
    await_members(2);
    kin__object_free(&fake->object);
    CHECK_SOUND();
}

static void start_one_without_keeper(void *user)
{
    atomic_store(&numbers[2], (uint64_t)child_start(hold_and_stay, user));
    stay();
}

TEST_OF_PROCESSES(parent_and_child_without_keeper_that_are_killed_at_once_are_reaped)
{
    begin();
    for (int order = 0; order < 4; order++) {
        struct fake *fake = fake_create();
        atomic_store(&numbers[0], 0);
        pid_t parent = child_start(start_one_without_keeper, fake);
        await_number(0, 2);
        pid_t child = (pid_t)atomic_load(&numbers[2]);
        kill(order % 2 == 0 ? parent : child, SIGKILL);
        usleep(order < 2 ? 0 : 300);
        kill(order % 2 == 0 ? child : parent, SIGKILL);
        await_repair(fake);
        REQUIRE(waitpid(parent, NULL, 0) == parent);
        await_members(2);
        kin__object_free(&fake->object);
    }
    CHECK_SOUND();
}

static void fork_plainly(void *user)
{
    (void)user;
    REQUIRE(kin__self() != NULL);
    pid_t pid = fork();
    if (pid == 0) {
        REQUIRE(kin__self() != NULL);
        REQUIRE(!kin__keeper_runs());
        atomic_store(&numbers[2], (uint64_t)getpid());
    }
    stay();
}

TEST_OF_PROCESSES(the_plain_child_of_a_process_without_keeper_is_watched_by_another)
{
    begin();
    pid_t parent = child_start(fork_plainly, NULL);
    await_number(0, 2);
    pid_t child = (pid_t)atomic_load(&numbers[2]);
    end_child(parent);
    await_members(4);
    kill(child, SIGKILL);
    await_members(2);
    CHECK_SOUND();
}

/* --- the last ones --- */

/* In a family of its own, of which the first process is killed: what the last child does then. */
static void outlive(void (*last)(struct fake *fake))
{
    begin();
    pid_t first = fork();
    if (first == 0) {
        kin_fini();
        REQUIRE(kin_init(NULL, NULL) == 0);
        struct fake *fake = fake_create();
        struct kin__thread *self = kin__self();
        kin__holding_add(self, kin__object_index(&fake->object));
        atomic_store(&fake_shared(fake)->holder, self->owner);
        uint32_t owner = 0;
        if (kin__family_fork("last", 0, &owner) == 0) {
            REQUIRE(kin__self() != NULL);
            atomic_store(&numbers[0], 1);
            await_number(0, 2);
            last(fake);
            atomic_store(&numbers[3], 1);
            _exit(0);
        }
        for (;;) {
            pause();
        }
    }
    await_number(0, 1);
    end_child(first);
    atomic_store(&numbers[0], 2);
    await_number(3, 1);
}

static void sleep_for_repair(struct fake *fake)
{
    CHECK(!kin__keeper_runs());
    CHECK(atomic_load(&fake_shared(fake)->holder) != 0);
    while (atomic_load(&fake_shared(fake)->holder) != 0) {
        uint32_t key = kin__count_prepare(&kin__family.member->nudge);
        if (atomic_load(&fake_shared(fake)->holder) != 0) {
            CHECK_EQUAL(kin__sleep(&kin__family.member->nudge, key, KIN_FOREVER), 0);
        }
    }
}

TEST_OF_PROCESSES(the_last_one_reaps_the_others_when_it_sleeps)
{
    outlive(sleep_for_repair);
}

static void ask_for_repair(struct fake *fake)
{
    CHECK(!kin__keeper_runs());
    while (atomic_load(&fake_shared(fake)->holder) != 0) {
        CHECK_EQUAL(kin__timeout_is_over(KIN_NOW), -EAGAIN);
        pause_a_moment();
    }
}

TEST_OF_PROCESSES(the_last_one_reaps_the_others_when_it_is_refused)
{
    outlive(ask_for_repair);
}

static void take_memory(struct fake *fake)
{
    uint64_t block = 0;
    CHECK(!kin__keeper_runs());
    CHECK_EQUAL(kin__block_create(100, 0, KIN__BLOCK_BYTES, &block), 0);
    await_repair(fake);
}

TEST_OF_PROCESSES(the_last_one_reaps_the_others_when_it_takes_memory)
{
    outlive(take_memory);
}

#ifdef KIN_FAULTS

static void sleep_without_threads(struct fake *fake)
{
    uint32_t key = kin__count_prepare(&kin__family.member->nudge);
    kin__os_fail_at(1);
    CHECK_EQUAL(kin__sleep(&kin__family.member->nudge, key, KIN_FOREVER), 0);
    kin__os_fail_at(0);
    CHECK(!kin__keeper_runs());
    CHECK_EQUAL(atomic_load(&fake_shared(fake)->holder), 0);
}

TEST_OF_PROCESSES(who_cannot_have_a_keeper_looks_itself)
{
    outlive(sleep_without_threads);
}

#endif

/* --- the thread that stands in --- */

static void *live_on(void *user)
{
    (void)user;
    while (kin__life_is_elsewhere()) { /* until the first thread has ended */
        pause_a_moment();
    }
    atomic_store(&numbers[3], life_of(kin__family.owner));
    stay();
}

static void end_first_thread(void *user)
{
    thread_start(live_on, user);
    pthread_exit(NULL);
}

TEST_OF_PROCESSES(a_process_lives_on_when_its_first_thread_ends)
{
    begin();
    pid_t pid = child_start(end_first_thread, NULL);
    await_number(0, 1);
    CHECK(atomic_load(&numbers[3]) != 0 && atomic_load(&numbers[3]) != (uint64_t)pid);
    usleep(20000);
    CHECK(is_member(pid));
    end_child(pid);
    await_members(2);
}

static pthread_mutex_t *robust_mutexes(int count)
{
    pthread_mutexattr_t attributes;
    pthread_mutex_t *mutexes = mmap(NULL, (size_t)count * sizeof *mutexes, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(mutexes != MAP_FAILED);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    for (int i = 0; i < count; i++) {
        pthread_mutex_init(&mutexes[i], &attributes);
    }
    pthread_mutexattr_destroy(&attributes);
    return mutexes;
}

enum { MUTEX_COUNT = 4 };

static void check_mutexes(pthread_mutex_t *mutexes, uint32_t locked)
{
    for (int i = 0; i < MUTEX_COUNT; i++) {
        int expected = locked >> i & 1 ? EOWNERDEAD : 0;
        CHECK_EQUAL(pthread_mutex_lock(&mutexes[i]), expected);
        if (expected != 0) {
            pthread_mutex_consistent(&mutexes[i]);
        }
        pthread_mutex_unlock(&mutexes[i]);
    }
}

/* What is in the list, and where, when the word is taken off it, or the process dies. */
static void lock_some(void *user)
{
    pthread_mutex_t *mutexes = user;
    for (int i = 0; i < MUTEX_COUNT; i++) {
        pthread_mutex_lock(&mutexes[i]);
    }
    pthread_mutex_unlock(&mutexes[2]);
    pthread_mutex_unlock(&mutexes[0]);
    if (atomic_load(&numbers[5]) >= 1) {
        REQUIRE(kin__keeper_need() == 0);
    }
    if (atomic_load(&numbers[5]) >= 2) {
        pthread_mutex_unlock(&mutexes[1]);
        pthread_mutex_lock(&mutexes[2]);
    }
    if (atomic_load(&numbers[5]) >= 3) {
        kin_fini();
        pthread_mutex_lock(&mutexes[0]);
    }
    stay();
}

TEST_OF_PROCESSES(robust_mutexes_of_the_c_library_stay_robust)
{
    begin();
    pthread_mutex_t *mutexes = robust_mutexes(MUTEX_COUNT);
    static const uint32_t locked[] = {10, 10, 12, 13};
    for (uint64_t way = 0; way < 4; way++) {
        atomic_store(&numbers[0], 0);
        atomic_store(&numbers[5], way);
        pid_t pid = child_start(lock_some, mutexes);
        await_number(0, 1);
        kill(pid, SIGKILL);
        await_members(2);
        REQUIRE(waitpid(pid, NULL, 0) == pid);
        check_mutexes(mutexes, locked[way]);
    }
    munmap(mutexes, MUTEX_COUNT * sizeof *mutexes);
    CHECK_SOUND();
}

static void lock_before_and_after(void *user)
{
    pthread_mutex_t *mutexes = user;
    pthread_mutex_lock(&mutexes[0]);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_mutex_lock(&mutexes[1]);
        REQUIRE(kin__self() != NULL); /* the list is not empty: a keeper is needed */
        REQUIRE(kin__keeper_runs());
        atomic_store(&numbers[2], (uint64_t)getpid());
    }
    stay();
}

TEST_OF_PROCESSES(a_thread_that_holds_a_robust_mutex_does_not_stand_in)
{
    begin();
    pthread_mutex_t *mutexes = robust_mutexes(MUTEX_COUNT);
    pid_t pid = child_start(lock_before_and_after, mutexes);
    await_number(0, 2);
    kill((pid_t)atomic_load(&numbers[2]), SIGKILL);
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[1]), EOWNERDEAD);
    end_child(pid);
    CHECK_EQUAL(pthread_mutex_lock(&mutexes[0]), EOWNERDEAD);
    await_members(2);
    munmap(mutexes, MUTEX_COUNT * sizeof *mutexes);
}

/* --- killed at any time --- */

static void come_up(void *user)
{
    struct fake *fake = user;
    struct kin__thread *self = kin__self();
    kin__holding_add(self, kin__object_index(&fake->object));
    atomic_store(&fake_shared(fake)->holder, self->owner);
    kin__keeper_need();
    atomic_store(&fake_shared(fake)->holder, 0);
    kin__holding_remove(self, kin__object_index(&fake->object));
}

TEST_OF_PROCESSES_WITH(whenever_a_child_is_killed_it_is_reaped, .limit_seconds = 60)
{
    begin();
    struct fake *fake = fake_create();
    for (int i = 0; i < 300; i++) {
        pid_t pid = child_start(come_up, fake);
        for (int64_t end = kin__os_now_ns() + i * 3000; kin__os_now_ns() < end;) {
            kin__os_pause();
        }
        kill(pid, SIGKILL);
        await_members(2);
        REQUIRE(waitpid(pid, NULL, 0) == pid);
        CHECK_EQUAL(atomic_load(&fake_shared(fake)->holder), 0);
    }
    kin__object_free(&fake->object);
    CHECK_SOUND();
}
