/* Death: who is dead, what is taken back, and reapers that die. */
#include "family/death.h"

#include "fake.h"
#include "family/keeper.h"
#include "family/sleep.h"
#include "os/clock.h"

#include <errno.h>
#include <stdlib.h>

#define MANY 40

static void await_members(uint32_t count)
{
    while (member_count() != count) {
        pause_a_moment();
    }
}

static void kill_child(pid_t pid)
{
    kill(pid, SIGKILL);
    REQUIRE(waitpid(pid, NULL, 0) == pid);
}

/* --- what the dead held --- */

static void hold(struct fake *fake)
{
    struct kin__thread *self = kin__self();
    kin__holding_add(self, kin__object_index(&fake->object));
    atomic_store(&fake_shared(fake)->holder, self->owner);
}

static void hold_all(void *user)
{
    struct fake **fakes = user;
    for (int i = 0; fakes[i] != NULL; i++) {
        hold(fakes[i]);
    }
    atomic_store(&numbers[1], kin__self()->owner);
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

static void check_repaired(struct fake **fakes)
{
    for (int i = 0; fakes[i] != NULL; i++) {
        CHECK_EQUAL(atomic_load(&fake_shared(fakes[i])->holder), 0);
        CHECK(atomic_load(&fake_shared(fakes[i])->repair_count) >= 1);
        CHECK_EQUAL(atomic_load(&fake_shared(fakes[i])->dead), atomic_load(&numbers[1]));
        kin__object_free(&fakes[i]->object);
    }
}

TEST_OF_PROCESSES(what_a_killed_process_held_is_repaired)
{
    begin();
    struct fake *fakes[] = {fake_create(), fake_create(), NULL};
    struct fake *other = fake_create();
    pid_t pid = child_start(hold_all, fakes);
    await_number(0, 1);
    kill_child(pid);
    await_members(2);
    check_repaired(fakes);
    CHECK_EQUAL(atomic_load(&fake_shared(other)->repair_count), 0);
    kin__object_free(&other->object);
    CHECK_SOUND();
}

TEST_OF_PROCESSES(more_than_a_slot_can_note_is_repaired_too)
{
    static struct fake *fakes[MANY + 1];
    begin();
    for (int i = 0; i < MANY; i++) {
        fakes[i] = fake_create();
    }
    pid_t pid = child_start(hold_all, fakes);
    await_number(0, 1);
    kill_child(pid);
    await_members(2);
    check_repaired(fakes);
    CHECK_SOUND();
}

static void hold_and_exec(void *user)
{
    hold(*(struct fake **)user);
    atomic_store(&numbers[1], kin__self()->owner);
    execl("/bin/sleep", "sleep", "1000", (char *)NULL);
}

TEST_OF_PROCESSES(what_a_process_held_is_repaired_when_it_has_called_exec)
{
    begin();
    struct fake *fakes[] = {fake_create(), NULL};
    pid_t pid = child_start(hold_and_exec, fakes);
    await_members(2);
    CHECK_EQUAL(waitpid(pid, NULL, WNOHANG), 0); /* the program runs */
    check_repaired(fakes);
    kill_child(pid);
    CHECK_SOUND();
}

static void work_on(void *user)
{
    struct fake *fake = user;
    struct kin__thread *self = kin__self();
    atomic_store(&self->member->doing, kin__object_index(&fake->object));
    atomic_store(&numbers[1], self->owner);
    atomic_store(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(what_a_killed_process_worked_on_is_repaired)
{
    begin();
    struct fake *fakes[] = {fake_create(), NULL};
    pid_t pid = child_start(work_on, fakes[0]);
    await_number(0, 1);
    kill_child(pid);
    await_members(2);
    check_repaired(fakes);
}

static void note_nonsense(void *user)
{
    struct kin__member *member = kin__self()->member;
    (void)user;
    atomic_store(&member->doing, UINT32_MAX);
    atomic_store(&member->holdings[0], 5000);
    atomic_store(&member->holdings[1], 1); /* an entry that is free by now */
    kill(getpid(), SIGKILL);
}

TEST_OF_PROCESSES(holdings_that_name_nothing_are_passed_over)
{
    begin();
    kin__object_free(&fake_create()->object);
    pid_t pid = child_start(note_nonsense, NULL);
    REQUIRE(waitpid(pid, NULL, 0) == pid);
    await_members(2);
    CHECK_SOUND();
}

static void *hold_and_end(void *user)
{
    hold(user);
    atomic_store(&numbers[1], kin__self()->owner);
    return NULL;
}

TEST(what_a_thread_holds_when_it_ends_is_repaired_and_announced)
{
    begin();
    struct fake *fakes[] = {fake_create(), NULL};
    thread_join(thread_start(hold_and_end, fakes[0]));
    CHECK_EQUAL(member_count(), 2);
    CHECK_EQUAL(atomic_load(&kin__shared()->death_count), 1);
    check_repaired(fakes);
}

static void hold_in_thread(void *user)
{
    hold(user);
    atomic_store(&numbers[1], kin__self()->owner);
}

TEST_OF_PROCESSES(what_a_process_holds_when_it_leaves_is_repaired_and_announced)
{
    begin();
    struct fake *fakes[] = {fake_create(), NULL};
    child_join(child_start(hold_in_thread, fakes[0]));
    CHECK_EQUAL(atomic_load(&kin__shared()->death_count), 1);
    check_repaired(fakes);
}

static void *sleep_for_ever(void *user)
{
    for (;;) {
        uint32_t key = kin__count_prepare(&kin__family.member->child_count);
        kin__sleep(&kin__family.member->child_count, key, KIN_FOREVER);
    }
    return user;
}

static void exit_beside_a_sleeper(void *user)
{
    thread_start(sleep_for_ever, user);
    await_sleepers(getpid(), 1);
    exit(0);
}

TEST_OF_PROCESSES(a_process_that_exits_while_a_thread_sleeps_may_have_swallowed_a_wake_up)
{
    begin();
    child_join(child_start(exit_beside_a_sleeper, NULL));
    await_members(2);
    CHECK_EQUAL(atomic_load(&kin__shared()->death_count), 1);
}

/* --- proof --- */

static void wait_to_be_killed(void *user)
{
    (void)user;
    REQUIRE(kin__self() != NULL);
    atomic_fetch_add(&numbers[0], 1);
    for (;;) {
        pause();
    }
}

static pid_t start_waiting(uint32_t *ret_owner, uint32_t flags)
{
    uint64_t before = atomic_load(&numbers[0]);
    int pid = kin__family_fork("child", flags, ret_owner);
    REQUIRE(pid >= 0);
    if (pid == 0) {
        wait_to_be_killed(NULL);
    }
    await_number(0, before + 1);
    return pid;
}

TEST_OF_PROCESSES(a_living_or_stopped_member_is_not_dead_and_a_killed_one_is)
{
    uint32_t owner = 0;
    begin();
    pid_t pid = start_waiting(&owner, 0);
    CHECK(!kin__death_is_certain(owner, 1));
    CHECK(!kin__death_is_certain(kin__family.owner, 1));
    kill(pid, SIGSTOP);
    int status = 0;
    waitpid(pid, &status, WUNTRACED);
    CHECK(!kin__death_is_certain(owner, 1));
    kill_child(pid);
    await_members(2);
    CHECK(!kin__death_is_certain(owner, 1)); /* it is nobody any more */
    CHECK_EQUAL(kin__member_state_of(owner), KIN__MEMBER_FREE);
}

TEST(a_process_that_is_being_reaped_has_died_for_all_who_wait)
{
    begin();
    uint32_t owner = 0;
    uint32_t self = kin__family.owner;
    CHECK_EQUAL(kin__member_claim(KIN__MEMBER_PROCESS, self, &owner), 0);
    CHECK(!kin__death_has_come(owner));
    CHECK(kin__member_move(owner, KIN__MEMBER_CLAIMED, KIN__MEMBER_LIVE, 0));
    CHECK(!kin__death_has_come(owner));
    CHECK(kin__member_move(owner, KIN__MEMBER_LIVE, KIN__MEMBER_REAPING, self));
    CHECK(kin__death_has_come(owner)); /* its life word tells nothing: it had none yet */
    kin__member_free(owner);
    CHECK(kin__death_has_come(owner));
}

/* How often the keeper of this process has looked at the table. */
static uint64_t keeper_looks(void)
{
    char path[64];
    char line[128];
    unsigned long count = 0;
    uint32_t keeper = atomic_load(&kin__family.member->life) & KIN__OS_FUTEX_TID;
    snprintf(path, sizeof path, "/proc/self/task/%u/status", keeper);
    FILE *status = fopen(path, "re");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "voluntary_ctxt_switches: %lu", &count);
    }
    if (status != NULL) {
        fclose(status);
    }
    return count;
}

TEST_OF_PROCESSES(a_process_that_still_runs_is_not_reaped_although_its_life_word_is_released)
{
    uint32_t owner = 0;
    begin();
    pid_t pid = start_waiting(&owner, 0);
    struct kin__member *member = kin__member_of(owner);
    uint64_t looks = keeper_looks();
    atomic_store(&member->life, KIN__OS_FUTEX_DIED | KIN__OS_FUTEX_WAITERS);
    kin__keeper_tell();
    while (keeper_looks() < looks + 5) {
        pause_a_moment();
    }
    CHECK_EQUAL(kin__member_state_of(owner), KIN__MEMBER_LIVE);
    kill_child(pid);
    await_members(2);
    CHECK_SOUND();
}

TEST_OF_PROCESSES(a_process_whose_keeper_did_not_start_is_still_watched)
{
    uint32_t owner = 0;
    begin();
    pid_t pid = start_waiting(&owner, 0);
    atomic_store(&kin__member_of(owner)->life, ENOSYS); /* what a keeper that failed leaves */
    kin__keeper_tell();
    kill_child(pid);
    await_members(2);
}

TEST_OF_PROCESSES(a_child_killed_before_it_took_its_slot_is_reaped)
{
    begin();
    uint32_t owner = 0;
    REQUIRE(kin__member_claim(KIN__MEMBER_PROCESS, kin__family.owner, &owner) == 0);
    struct kin__member *member = kin__member_of(owner);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    member->parent = kin__family.owner;
    member->process = owner;
    atomic_store(&member->start_pid, (uint64_t)kin__owner_generation(owner) << 32 | (uint32_t)pid);
    child_join(pid);
    kin__keeper_tell();
    await_members(2);
}

/* --- reapers that die --- */

/* Makes a process that does not exist, with a block and something held, look as if this process
 * were reaping it; and dies. */
static void die_reaping(void *user)
{
    uint32_t ghost = 0;
    uint32_t thread = 0;
    uint64_t block = 0;
    struct fake *fake = user;
    REQUIRE(kin__member_claim(KIN__MEMBER_PROCESS, kin__family.owner, &ghost) == 0);
    REQUIRE(kin__member_claim(KIN__MEMBER_THREAD, kin__family.owner, &thread) == 0);
    REQUIRE(kin__block_create(100, 0, KIN__BLOCK_BYTES, &block) == 0);
    kin__block_give(block, kin__block_owner(block), kin__block_of_member(ghost));
    kin__member_of(ghost)->process = ghost;
    kin__member_of(thread)->process = atomic_load(&numbers[5]) == 0 ? ghost : 0;
    atomic_store(&kin__member_of(thread)->holdings[3], kin__object_index(&fake->object));
    atomic_store(&fake_shared(fake)->holder, thread);
    kin__member_move(ghost, KIN__MEMBER_CLAIMED, KIN__MEMBER_REAPING, kin__family.owner);
    kin__member_move(thread, KIN__MEMBER_CLAIMED, KIN__MEMBER_REAPING, kin__family.owner);
    atomic_store(&numbers[1], thread);
    atomic_store(&numbers[2], block);
    kill(getpid(), SIGKILL);
}

TEST_OF_PROCESSES(what_a_killed_reaper_had_begun_is_finished)
{
    begin();
    for (uint64_t is_half_freed = 0; is_half_freed < 2; is_half_freed++) {
        struct fake *fakes[] = {fake_create(), NULL};
        atomic_store(&numbers[5], is_half_freed);
        pid_t pid = child_start(die_reaping, fakes[0]);
        REQUIRE(waitpid(pid, NULL, 0) == pid);
        await_members(2);
        CHECK_EQUAL(kin__block_owner(atomic_load(&numbers[2])), 0);
        check_repaired(fakes);
        CHECK_SOUND();
    }
}

static void start_orphan(void *user)
{
    uint32_t owner = 0;
    pid_t pid = start_waiting(&owner, *(uint32_t *)user);
    atomic_store(&numbers[7], owner);
    atomic_store(&numbers[6], (uint64_t)pid);
    for (;;) {
        pause();
    }
}

static pid_t start_parent_of_orphan(uint32_t flags)
{
    pid_t pid = child_start(start_orphan, &flags);
    await_number(6, 1);
    return pid;
}

TEST_OF_PROCESSES(parent_and_child_that_are_killed_at_once_are_both_reaped)
{
    begin();
    for (int order = 0; order < 2; order++) {
        atomic_store(&numbers[6], 0);
        pid_t parent = start_parent_of_orphan(0);
        pid_t child = (pid_t)atomic_load(&numbers[6]);
        kill(order == 0 ? parent : child, SIGKILL);
        kill(order == 0 ? child : parent, SIGKILL);
        REQUIRE(waitpid(parent, NULL, 0) == parent);
        await_members(2);
        CHECK_SOUND();
    }
}

TEST_OF_PROCESSES(an_orphan_gets_a_new_watcher)
{
    begin();
    pid_t parent = start_parent_of_orphan(0);
    pid_t child = (pid_t)atomic_load(&numbers[6]);
    uint32_t owner = (uint32_t)atomic_load(&numbers[7]);
    CHECK(kin__death_watcher_of(owner) != kin__family.owner);
    kill_child(parent);
    await_members(4);
    CHECK_EQUAL(kin__death_watcher_of(owner), kin__family.owner);
    CHECK_EQUAL(kin__member_state_of(owner), KIN__MEMBER_LIVE);
    kill(child, SIGKILL);
    await_members(2);
    CHECK_SOUND();
}

/* One of two children of the first process, which waits for the death of both others. */
static void watch_the_others_die(int which)
{
    REQUIRE(kin__self() != NULL && kin__keeper_need() == 0);
    atomic_store(&numbers[10 + which], (uint64_t)getpid());
    await_number(12, 1); /* the parent is dead */
    await_members(4);
    atomic_fetch_add(&numbers[13], 1);
    if (which == 0) {
        wait_to_be_killed(NULL);
    }
    await_members(2);
    atomic_store(&numbers[14], 1);
    kin_fini();
    _exit(0);
}

TEST_OF_PROCESSES(two_orphans_watch_over_each_other_when_all_others_are_gone)
{
    begin();
    pid_t first = fork(); /* makes a family of its own, so that this process watches nobody */
    if (first == 0) {
        kin_fini();
        REQUIRE(kin_init(NULL, NULL) == 0);
        for (int i = 0; i < 2; i++) {
            uint32_t owner = 0;
            if (kin__family_fork("orphan", 0, &owner) == 0) {
                watch_the_others_die(i);
            }
        }
        wait_to_be_killed(NULL);
    }
    await_number(10, 1);
    await_number(11, 1);
    kill_child(first);
    atomic_store(&numbers[12], 1);
    await_number(13, 2);
    kill((pid_t)atomic_load(&numbers[10]), SIGKILL);
    await_number(14, 1);
}

/* --- daemons --- */

static void start_daemons(void *user)
{
    uint32_t owner = 0;
    for (int i = 0; i < *(int *)user; i++) {
        start_waiting(&owner, KIN__MEMBER_DAEMON);
    }
    atomic_store(&numbers[6], 1);
    for (;;) {
        pause();
    }
}

TEST_OF_PROCESSES(daemons_die_with_a_parent_that_is_killed_however_many_they_are)
{
    int count = 6;
    begin();
    pid_t parent = child_start(start_daemons, &count);
    await_number(6, 1);
    CHECK_EQUAL(member_count(), 2 + 2 + 2 * 6);
    kill_child(parent);
    await_members(2);
    CHECK_SOUND();
}

TEST_OF_PROCESSES(no_daemon_is_left_when_the_parent_and_some_of_its_daemons_are_killed_at_once)
{
    begin();
    for (int round = 0; round < 8; round++) {
        pid_t daemons[4];
        atomic_store(&numbers[6], 0);
        pid_t parent = fork();
        if (parent == 0) {
            REQUIRE(kin__self() != NULL);
            for (int i = 0; i < 4; i++) {
                uint32_t owner = 0;
                atomic_store(&numbers[20 + i], (uint64_t)start_waiting(&owner, KIN__MEMBER_DAEMON));
            }
            atomic_store(&numbers[6], 1);
            for (;;) {
                pause();
            }
        }
        await_number(6, 1);
        for (int i = 0; i < 4; i++) {
            daemons[i] = (pid_t)atomic_load(&numbers[20 + i]);
        }
        kill(parent, SIGKILL);
        kill(daemons[round % 4], SIGKILL);
        kill(daemons[(round + 1) % 4], SIGKILL);
        REQUIRE(waitpid(parent, NULL, 0) == parent);
        await_members(2);
    }
    CHECK_SOUND();
}

TEST_OF_PROCESSES(a_child_that_is_no_daemon_outlives_its_parent)
{
    begin();
    pid_t parent = start_parent_of_orphan(0);
    pid_t child = (pid_t)atomic_load(&numbers[6]);
    kill_child(parent);
    await_members(4);
    CHECK_EQUAL(kill(child, 0), 0);
    kill(child, SIGKILL);
    await_members(2);
}

/* --- many, and none --- */

TEST_OF_PROCESSES_WITH(more_children_than_one_wait_has_words_are_watched, .limit_seconds = 60)
{
    enum { COUNT = 140 };
    static pid_t pids[COUNT];
    begin();
    for (int i = 0; i < COUNT; i++) {
        pids[i] = child_start(wait_to_be_killed, NULL);
    }
    await_number(0, COUNT);
    CHECK_EQUAL(member_count(), 2 + 2 * COUNT);
    for (int i = COUNT; i-- > 0;) {
        kill(pids[i], SIGKILL);
    }
    for (int i = 0; i < COUNT; i++) {
        REQUIRE(waitpid(pids[i], NULL, 0) == pids[i]);
    }
    await_members(2);
    CHECK_SOUND();
}

static void sleep_idle(void *user)
{
    (void)user;
    atomic_fetch_add(&numbers[0], 1);
    sleep_for_ever(NULL);
}

static uint64_t switches_of(pid_t pid, uint32_t tid)
{
    char path[64];
    char line[128];
    unsigned long count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%u/status", (int)pid, tid);
    FILE *status = fopen(path, "re");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "voluntary_ctxt_switches: %lu", &count);
    }
    if (status != NULL) {
        fclose(status);
    }
    return count;
}

/* How often all threads of the family but this one have gone to sleep so far. */
static uint64_t switches(void)
{
    uint64_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        const struct kin__member *member = kin__member_at(slot);
        uint32_t keeper = atomic_load(&member->life) & KIN__OS_FUTEX_TID;
        if (member->pid != 0 && member->tid != (uint32_t)getpid()) {
            count += switches_of((pid_t)member->pid, member->tid);
        }
        if (keeper != 0) {
            count += switches_of((pid_t)member->pid, keeper);
        }
    }
    return count;
}

TEST_OF_PROCESSES(an_idle_family_uses_no_cpu)
{
    enum { ROUNDS_MAX = 50 };
    begin();
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = child_start(sleep_idle, NULL);
        await_sleepers(pids[i], 1);
    }
    uint64_t before = 0;
    int round = 0;
    do { /* until the news of the starts has come everywhere, which nobody knows */
        before = switches();
        usleep(300000);
    } while (switches() != before && ++round < ROUNDS_MAX);
    CHECK_EQUAL(switches(), (long long)before);
    for (int i = 0; i < 3; i++) {
        kill_child(pids[i]);
    }
    await_members(2);
}

static void come_and_go(void *user)
{
    (void)user;
    for (int i = 0; i < 5; i++) {
        child_join(child_start(do_nothing, NULL));
    }
}

TEST_OF_PROCESSES(children_that_come_and_go_everywhere_leave_nothing)
{
    begin();
    pid_t pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = child_start(come_and_go, NULL);
    }
    for (int i = 0; i < 3; i++) {
        child_join(pids[i]);
    }
    await_members(2);
    CHECK_EQUAL(atomic_load(&kin__shared()->death_count), 0);
    CHECK_SOUND();
}

TEST_OF_PROCESSES(a_tree_of_processes_killed_in_any_order_leaves_nothing)
{
    begin();
    for (int round = 0; round < 10; round++) {
        pid_t parents[2];
        pid_t children[2];
        for (int i = 0; i < 2; i++) {
            atomic_store(&numbers[6], 0);
            parents[i] = start_parent_of_orphan(0);
            children[i] = (pid_t)atomic_load(&numbers[6]);
        }
        pid_t order[4] = {parents[0], children[0], parents[1], children[1]};
        for (int i = 0; i < 4; i++) {
            kill(order[(i * (round % 2 == 0 ? 1 : 3) + round) % 4], SIGKILL);
            usleep((useconds_t)(round % 3 * 400));
        }
        REQUIRE(waitpid(parents[0], NULL, 0) == parents[0]);
        REQUIRE(waitpid(parents[1], NULL, 0) == parents[1]);
        await_members(2);
        CHECK_SOUND();
    }
}

/* --- a child that takes over its slot while its parent is reaped --- */

struct takeover {
    uint32_t parent; /* dead: it had claimed the child's slot */
    uint32_t child;
    pthread_barrier_t start;
    int pauses; /* before it does so */
    bool is_taken;
};

static void *take_over(void *user)
{
    struct takeover *takeover = user;
    uint32_t child = takeover->child;
    pthread_barrier_wait(&takeover->start);
    for (int i = 0; i < takeover->pauses; i++) {
        kin__os_pause();
    }
    takeover->is_taken = kin__member_move(child, KIN__MEMBER_CLAIMED, KIN__MEMBER_CLAIMED, child) &&
                         kin__member_move(child, KIN__MEMBER_CLAIMED, KIN__MEMBER_LIVE, 0);
    return NULL;
}

TEST(a_child_that_has_taken_over_its_slot_is_not_reaped_with_its_parent)
{
    enum { ROUNDS = 8000 };
    struct takeover takeover = {0};
    uint32_t wrong = 0;
    begin();
    pthread_barrier_init(&takeover.start, NULL, 2);
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t self = kin__family.owner;
        takeover.pauses = i % 400;
        REQUIRE(kin__member_claim(KIN__MEMBER_PROCESS, self, &takeover.parent) == 0);
        REQUIRE(kin__member_claim(KIN__MEMBER_PROCESS, takeover.parent, &takeover.child) == 0);
        pthread_t thread = thread_start(take_over, &takeover);
        pthread_barrier_wait(&takeover.start);
        kin__death_reap(takeover.parent);
        thread_join(thread);
        wrong += takeover.is_taken && kin__member_state_of(takeover.child) != KIN__MEMBER_LIVE;
        kin__member_free(takeover.child);
    }
    CHECK_EQUAL(wrong, 0);
    pthread_barrier_destroy(&takeover.start);
}
