/* Families in which nobody has a keeper: who gets one, what waits, and what does not. */
#include "fake.h"
#include "family/death.h"
#include "family/directory.h"
#include "family/keeper.h"
#include "family/keeper/life.h"
#include "family/sleep.h"
#include "os/fault.h"
#include "os/process.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

/* numbers[]: 0 how far the others are, 1 and 2 process ids */

static void begin_unwatched(void)
{
    begin();
    kin_fini();
    REQUIRE(kin_init(NULL, NULL) == 0);
    REQUIRE(kin__keeper_is_unwatched());
}

static _Noreturn void stay(void *user)
{
    (void)user;
    atomic_fetch_add(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

/* Forks before there is a family, so that the first process of one can be killed. */
static pid_t start_first(void (*body)(void))
{
    kin_fini();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        REQUIRE(kin_init(NULL, NULL) == 0);
        body();
        stay(NULL);
    }
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    REQUIRE(waitpid(pid, NULL, 0) == pid);
}

/* --- who gets a keeper --- */

TEST_OF_PROCESSES(the_first_process_starts_children_without_a_keeper)
{
    begin_unwatched();
    CHECK(kin__life_is_here());
    for (int i = 0; i < 3; i++) {
        pid_t pid = child_start(stay, NULL);
        await_number(0, (uint64_t)i + 1);
        CHECK(kin__keeper_is_unwatched());
        end(pid);
    }
}

TEST_OF_PROCESSES(who_creates_what_can_be_held_gets_a_keeper)
{
    begin_unwatched();
    struct fake *fake = fake_create();
    CHECK(kin__keeper_runs());
    kin__object_free(&fake->object);
}

static void get_a_keeper(void *user)
{
    REQUIRE(kin__keeper_need() == 0);
    stay(user);
}

TEST_OF_PROCESSES(who_starts_a_child_beside_one_with_a_keeper_gets_one_too)
{
    begin_unwatched();
    pid_t first = child_start(get_a_keeper, NULL);
    await_number(0, 1);
    CHECK(!kin__keeper_runs());
    pid_t second = child_start(stay, NULL);
    CHECK(kin__keeper_runs());
    await_number(0, 2);
    child_kill(second);
    child_kill(first);
    CHECK_EQUAL(member_count(), 2);
    CHECK_SOUND();
}

static void *start_family(void *user)
{
    REQUIRE(kin_init(NULL, NULL) == 0);
    *(bool *)user = kin__keeper_runs();
    return NULL;
}

TEST_OF_PROCESSES(who_founds_a_family_in_another_thread_gets_one_at_once)
{
    bool has_keeper = false;
    begin_unwatched();
    kin_fini();
    thread_join(thread_start(start_family, &has_keeper));
    CHECK(has_keeper);
    kin_fini();
    CHECK(kin__family.member == NULL);
}

/* --- what does not wait --- */

/* Sleeps in kin until the first process is dead. */
static void outlive_the_first(void)
{
    uint32_t owner = 0;
    uint32_t first = kin__family.owner;
    int pid = kin__family_fork("child", 0, &owner);
    REQUIRE(pid >= 0);
    if (pid > 0) {
        return;
    }
    struct kin__thread *self = kin__self();
    atomic_store(&numbers[1], (uint64_t)getpid());
    while (!kin__death_has_come(first)) {
        uint32_t key = kin__count_prepare(&self->member->nudge);
        kin__sleep(&self->member->nudge, key, KIN_FOREVER);
    }
    atomic_store(&numbers[2], 1);
    _exit(0);
}

TEST_OF_PROCESSES(a_sleeper_hears_of_the_death_of_a_first_process_without_a_keeper)
{
    begin();
    pid_t first = start_first(outlive_the_first);
    await_number(0, 1);
    await_number(1, 1);
    end(first);
    await_number(2, 1);
    REQUIRE(waitpid((pid_t)atomic_load(&numbers[1]), NULL, 0) > 0);
}

static void start_daemons(void)
{
    for (int i = 1; i <= 2; i++) {
        uint32_t owner = 0;
        int pid = kin__family_fork("daemon", KIN__MEMBER_DAEMON, &owner);
        REQUIRE(pid >= 0);
        if (pid == 0) {
            stay(NULL);
        }
        atomic_store(&numbers[i], (uint64_t)pid);
    }
}

TEST_OF_PROCESSES(daemons_die_with_a_first_process_without_a_keeper)
{
    begin();
    pid_t first = start_first(start_daemons);
    await_number(0, 3);
    end(first);
    for (int i = 1; i <= 2; i++) {
        pid_t pid = (pid_t)atomic_load(&numbers[i]);
        REQUIRE(waitpid(pid, NULL, 0) == pid);
    }
}

/* --- what waits --- */

TEST_OF_PROCESSES(what_the_dead_have_left_is_taken_back_when_a_keeper_looks)
{
    begin_unwatched();
    for (int i = 0; i < 4; i++) {
        pid_t pid = child_start(stay, NULL);
        await_number(0, (uint64_t)i + 1);
        end(pid);
    }
    CHECK_EQUAL(member_count(), 2 + 4);
    REQUIRE(kin__keeper_need() == 0);
    while (member_count() != 2) {
        pause_a_moment();
    }
    CHECK_SOUND();
}

/* --- what must not wait --- */

TEST_OF_PROCESSES(who_forks_by_itself_watches_from_then_on)
{
    begin_unwatched();
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        REQUIRE(kin__self() != NULL);
        stay(NULL);
    }
    CHECK(kin__keeper_runs());
    await_number(0, 1);
    child_kill(pid);
    CHECK_SOUND();
}

static void take_all_slots(void *user)
{
    uint32_t owner = 0;
    (void)user;
    while (kin__member_claim(KIN__MEMBER_PROCESS, kin__family.owner, &owner) == 0) {
    }
    stay(NULL);
}

TEST_OF_PROCESSES(a_full_table_is_rid_of_the_dead)
{
    uint32_t owner = 0;
    begin();
    kin_fini();
    kin_family_options options = {.size = sizeof options, .memory_bytes_max = 64 << 20};
    REQUIRE(kin_init_with(NULL, NULL, &options) == 0);
    pid_t pid = child_start(take_all_slots, NULL);
    await_number(0, 1);
    end(pid);
    CHECK(kin__keeper_is_unwatched());
    REQUIRE(kin__member_claim(KIN__MEMBER_THREAD, kin__family.owner, &owner) == 0);
    kin__member_free(owner);
    CHECK_SOUND();
}

static void name_and_die(void *user)
{
    struct fake *fake = NULL;
    (void)user;
    REQUIRE(fake_try(sizeof(struct fake_shared) + KIN__OBJECT_NAME_BYTES, &fake) == 0);
    char *name = (char *)(fake_shared(fake) + 1);
    memcpy(name, "frame", sizeof "frame");
    REQUIRE(kin__directory_name(fake->object.handle, name) == 0);
    stay(NULL);
}

TEST_OF_PROCESSES(a_name_of_the_dead_is_nobodys)
{
    kin_handle handle;
    begin_unwatched();
    pid_t pid = child_start(name_and_die, NULL);
    await_number(0, 1);
    CHECK_EQUAL(kin__directory_look_up(FAKE_TYPE, "frame", &handle), 0);
    end(pid);
    CHECK(kin__keeper_is_unwatched());
    CHECK_EQUAL(kin__directory_look_up(FAKE_TYPE, "frame", &handle), -ENOENT);
    CHECK_SOUND();
}

#ifdef KIN_FAULTS
static void *fail_to_start_family(void *user)
{
    pthread_mutexattr_t robust;
    pthread_mutex_t mutex;
    int code = 0;
    for (uint32_t at = 1; at < 40 && code >= 0; at++) { /* one of them is the keeper's thread */
        kin_fini();
        kin__os_fail_at(at);
        code = kin_init(NULL, NULL);
        kin__os_fail_at(0);
        pthread_mutexattr_init(&robust);
        pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&mutex, &robust);
        CHECK_EQUAL(pthread_mutex_lock(&mutex), 0);
        CHECK_EQUAL(pthread_mutex_unlock(&mutex), 0);
        *(int *)user += code == -EAGAIN;
        code = 0;
    }
    return NULL;
}

TEST_OF_PROCESSES(a_family_that_was_not_founded_leaves_no_thread_in_a_list)
{
    int failures = 0;
    begin_unwatched();
    kin_fini();
    thread_join(thread_start(fail_to_start_family, &failures));
    CHECK(failures > 0);
}
#endif
