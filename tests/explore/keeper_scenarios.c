/*
 * Processes that have no keeper yet, get one while others die, or leave: see family/keeper.h.
 */
#include "explore/scenario.h"
#include "family/family.h"
#include "family/heap.h"
#include "family/keeper.h"
#include "family/keeper/life.h"
#include "family/member.h"
#include "family/sleep.h"
#include "os/clock.h"
#include "os/futex.h"

#include <kin/error.h>
#include <kin/lock.h>

enum { PARENT, CHILD, OTHER }; /* roles, where one starts another */
enum { A_WHILE_MS = 20, EXTENT_BYTES = 100000 };

struct keeper_world {
    kin_handle handle;
    kin_lock *lock;                      /* the founder's */
    kin_lock *locks[SCENARIO_ROLES_MAX]; /* of those who have opened it before */
    const _Atomic uint32_t *life[3];     /* of a child role */
    const _Atomic uint64_t *word;        /* of CHILD */
    uint32_t holder;                     /* role + 1 */
    bool has_waited[3];
    bool is_late;
};

static struct keeper_world *keeper_world(void)
{
    return scenario_world;
}

static void create_nothing(void)
{
}

static void attach_nothing(uint32_t role)
{
    (void)role;
}

static void create_lock(void)
{
    struct keeper_world *world = keeper_world();
    SCENARIO_CHECK(kin_lock_create(NULL, &world->lock) == 0);
    world->handle = kin_lock_handle(world->lock);
}

static void attach_lock(uint32_t role)
{
    struct keeper_world *world = keeper_world();
    SCENARIO_CHECK(kin_lock_attach(world->handle, &world->locks[role]) == 0);
}

static void attach_keeper(uint32_t role)
{
    (void)role;
    SCENARIO_CHECK(kin__keeper_need() == 0);
}

/* --- what processes do --- */

static void do_nothing(uint32_t role)
{
    (void)role;
    machine_point(POINT_ATOMIC, NULL);
}

static void need_keeper(uint32_t role)
{
    (void)role;
    SCENARIO_CHECK(kin__keeper_need() == 0);
}

static void leave(uint32_t role)
{
    (void)role;
    scenario_exit();
}

/* Keepers that look again in a moment, since a child was just started, have done so. */
static bool is_late(void)
{
    return keeper_world()->is_late;
}

static void let_time_pass(uint32_t role)
{
    static _Atomic uint32_t never;
    (void)role;
    kin__os_futex_wait(&never, 0, kin__os_now_ns() + A_WHILE_MS * 1000000);
    keeper_world()->is_late = true;
}

static void leave_late(uint32_t role)
{
    scenario_wait(is_late);
    leave(role);
}

static void need_keeper_and_leave(uint32_t role)
{
    need_keeper(role);
    scenario_exit();
}

static kin_lock *open_lock(uint32_t role)
{
    kin_lock *lock = keeper_world()->locks[role];
    SCENARIO_CHECK(lock != NULL || kin_lock_attach(keeper_world()->handle, &lock) == 0);
    return lock;
}

static void use_lock(uint32_t role)
{
    struct keeper_world *world = keeper_world();
    kin_lock *lock = open_lock(role);
    int r = kin_lock_acquire(lock, KIN_FOREVER);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    bool has_died = world->holder != 0 && scenario_is_dead(world->holder - 1);
    SCENARIO_CHECK(world->holder == 0 || (has_died && r == KIN_OWNER_DIED));
    world->holder = role + 1;
    machine_point(POINT_ATOMIC, NULL);
    SCENARIO_CHECK(kin_lock_mark_consistent(lock) == 0);
    world->holder = 0;
    SCENARIO_CHECK(kin_lock_release(lock) == 0);
}

static void use_lock_and_leave(uint32_t role)
{
    use_lock(role);
    scenario_exit();
}

static void die_with_lock(uint32_t role)
{
    int r = kin_lock_acquire(open_lock(role), KIN_FOREVER);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    keeper_world()->holder = role + 1;
    kin__os_die();
}

/* One that never sleeps in kin. */
static void try_lock_again(uint32_t role)
{
    static _Atomic uint32_t never;
    kin_lock *lock = open_lock(role);
    int r = 0;
    while ((r = kin_lock_acquire(lock, KIN_NOW)) == -EAGAIN) {
        kin__os_futex_wait(&never, 0, kin__os_now_ns() + 1000000);
    }
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    SCENARIO_CHECK(kin_lock_mark_consistent(lock) == 0 && kin_lock_release(lock) == 0);
}

static uint64_t take_memory(void)
{
    uint64_t block = 0;
    SCENARIO_CHECK(kin__block_create(EXTENT_BYTES, 0, KIN__BLOCK_BYTES, &block) == 0);
    return block;
}

static void use_memory(uint32_t role)
{
    (void)role;
    kin__block_free(take_memory(), kin__block_of_member(kin__family.owner));
}

static void die_with_memory(uint32_t role)
{
    (void)role;
    take_memory();
    kin__os_die();
}

/* A thread that ends while its process lives on. */
static void end_thread(uint32_t role)
{
    (void)role;
    scenario_end_thread();
}

static void use_lock_and_end_thread(uint32_t role)
{
    use_lock(role);
    scenario_end_thread();
}

/* --- who starts others --- */

static uint32_t start(uint32_t role)
{
    uint32_t owner = scenario_start(role, 0);
    keeper_world()->life[role] = &kin__member_of(owner)->life;
    keeper_world()->word = role == CHILD ? &kin__member_of(owner)->word : keeper_world()->word;
    return owner;
}

static bool has_life(uint32_t life)
{
    return life != 0 && !(life & KIN__OS_FUTEX_DIED);
}

/* No points of its own: it runs between those of others. */
__attribute__((no_sanitize("thread"))) static bool child_can_be_awaited(void)
{
    return scenario_is_dead(CHILD) ||
           has_life(*(const volatile uint32_t *)keeper_world()->life[CHILD]);
}

static bool child_is_dead(void)
{
    return scenario_is_dead(CHILD);
}

/* As process/join.c does with a token. */
static void await_child(uint32_t owner)
{
    _Atomic uint32_t *ends = &kin__family.member->child_ends;
    while (!child_is_dead()) {
        uint32_t key = kin__count_prepare(ends);
        bool is_live = kin__member_state_of(owner) == KIN__MEMBER_LIVE;
        if (is_live && has_life(atomic_load(keeper_world()->life[CHILD]))) {
            SCENARIO_CHECK(kin__sleep(ends, key, KIN_FOREVER) == 0);
        } else if (is_live || kin__member_state_of(owner) == KIN__MEMBER_CLAIMED) {
            scenario_wait(child_can_be_awaited);
        } else {
            scenario_wait(child_is_dead);
        }
    }
}

static void start_and_await(uint32_t role)
{
    await_child(start(CHILD));
    keeper_world()->has_waited[role] = true;
}

static void start_one(uint32_t role)
{
    (void)role;
    start(CHILD);
}

static void start_one_and_leave(uint32_t role)
{
    (void)role;
    start(CHILD);
    scenario_exit();
}

static void start_two(uint32_t role)
{
    (void)role;
    start(CHILD);
    start(OTHER);
}

static void start_one_and_use_lock(uint32_t role)
{
    start(CHILD);
    use_lock(role);
}

static void start_one_after_another(uint32_t role)
{
    start_and_await(role);
    start_and_await(role);
}

static void start_one_beside_another(uint32_t role)
{
    (void)role;
    start(CHILD);
    start(CHILD);
}

__attribute__((no_sanitize("thread"))) static bool child_has_left(void)
{
    const volatile uint64_t *word = (const volatile uint64_t *)keeper_world()->word;
    return scenario_is_dead(CHILD) || (word != NULL && kin__word_state(*word) == KIN__MEMBER_FREE);
}

static void start_in_its_place(uint32_t role)
{
    (void)role;
    scenario_wait(child_has_left);
    start(OTHER);
}

static void start_other(uint32_t role)
{
    (void)role;
    start(OTHER);
}

static void start_other_and_leave(uint32_t role)
{
    (void)role;
    start(OTHER);
    scenario_exit();
}

static void start_daemon(uint32_t role)
{
    (void)role;
    scenario_start(CHILD, KIN__MEMBER_DAEMON);
}

/* --- what must be true --- */

static void check_awaited(void)
{
    SCENARIO_CHECK(scenario_is_dead(PARENT) || keeper_world()->has_waited[PARENT]);
}

static void check_no_orphan(void)
{
    bool is_orphan = scenario_is_dead(PARENT) && scenario_is_started(CHILD);
    SCENARIO_CHECK(!is_orphan || scenario_is_dead(CHILD));
}

const struct scenario keeper_scenarios[] = {
    {.name = "keepers, three processes without",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"A", do_nothing, .is_mortal = true},
               {"B", do_nothing, .is_mortal = true},
               {"C", do_nothing, .is_mortal = true}},
     .deaths = 3,
     .has_keepers = true},
    {.name = "keepers, three processes",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"A", need_keeper, .is_mortal = true},
               {"B", need_keeper, .is_mortal = true},
               {"C", do_nothing, .is_mortal = true}},
     .deaths = 4,
     .has_keepers = true,
     .has_mortal_founder = true},
    {.name = "keepers, three processes, some leave",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"A", need_keeper, .is_mortal = true},
               {"B", need_keeper_and_leave, .is_mortal = true},
               {"C", leave, .is_mortal = true}},
     .deaths = 3,
     .has_keepers = true,
     .has_mortal_founder = true},
    {.name = "keepers, three for a lock",
     .create = create_lock,
     .attach = attach_nothing,
     .roles = {{"A", use_lock, .is_mortal = true},
               {"B", use_lock_and_leave, .is_mortal = true},
               {"C", use_lock, .is_mortal = false}},
     .deaths = 2,
     .has_keepers = true},
    {.name = "keepers, a lock's holder has none",
     .create = create_lock,
     .attach = attach_nothing,
     .roles = {{"A", die_with_lock, .is_mortal = true},
               {"B", use_lock, .is_mortal = true},
               {"C", use_lock, .is_mortal = true}},
     .deaths = 2,
     .has_keepers = true},
    {.name = "keepers, three for a lock whose maker dies",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"A", use_lock, .is_mortal = true},
               {"B", die_with_lock, .is_mortal = true},
               {"C", use_lock, .is_mortal = true}},
     .deaths = 3,
     .has_keepers = true,
     .has_mortal_founder = true},
    {.name = "keepers, no thread is to be had",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"A", use_lock, .is_mortal = true},
               {"B", die_with_lock, .is_mortal = true},
               {"C", use_lock, .is_mortal = true}},
     .deaths = 3,
     .patience_ms = 10,
     .has_keepers = true,
     .has_mortal_founder = true,
     .has_no_threads = true},
    {.name = "keepers, who is refused tries again",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"A", die_with_lock, .is_mortal = true},
               {"B", try_lock_again, .is_mortal = true},
               {"C", try_lock_again, .is_mortal = true}},
     .deaths = 2,
     .patience_ms = 10,
     .has_keepers = true,
     .has_mortal_founder = true},
    {.name = "keepers, memory of the dead",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"A", die_with_memory, .is_mortal = true},
               {"B", use_memory, .is_mortal = true},
               {"C", use_memory, .is_mortal = true}},
     .deaths = 3,
     .has_keepers = true,
     .has_mortal_founder = true},
    {.name = "keepers, two threads of one process",
     .create = create_lock,
     .attach = attach_nothing,
     .roles = {{"A", use_lock_and_end_thread, .is_mortal = true},
               {"beside", use_lock, .is_mortal = true, .is_beside = true},
               {"B", use_lock, .is_mortal = true}},
     .deaths = 2,
     .has_keepers = true},
    {.name = "keepers, the first thread ends, another needs one",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"A", end_thread, .is_mortal = true},
               {"beside", need_keeper, .is_mortal = true, .is_beside = true},
               {"B", need_keeper, .is_mortal = true}},
     .deaths = 3,
     .has_keepers = true,
     .has_mortal_founder = true},
    {.name = "children, one that does nothing",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_and_await, .is_mortal = true},
               {"child", leave, .is_mortal = true, .is_child = true}},
     .check = check_awaited,
     .deaths = 2,
     .has_keepers = true},
    {.name = "children, one that is given a lock",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"parent", start_and_await, .is_mortal = true},
               {"child", leave, .is_mortal = true, .is_child = true}},
     .check = check_awaited,
     .deaths = 2,
     .has_keepers = true},
    {.name = "children, given a lock, one uses it",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"parent", start_two, .is_mortal = true},
               {"child", use_lock_and_leave, .is_mortal = true, .is_child = true},
               {"other", do_nothing, .is_mortal = true, .is_child = true}},
     .deaths = 3,
     .has_keepers = true},
    {.name = "children, one that needs a keeper",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_and_await, .is_mortal = true},
               {"child", need_keeper_and_leave, .is_mortal = true, .is_child = true}},
     .check = check_awaited,
     .deaths = 2,
     .has_keepers = true,
     .has_mortal_founder = true},
    {.name = "children, one that uses a lock",
     .create = create_lock,
     .attach = attach_nothing,
     .roles = {{"parent", start_and_await, .is_mortal = true},
               {"child", use_lock_and_leave, .is_mortal = true, .is_child = true},
               {"other", use_lock, .is_mortal = true}},
     .check = check_awaited,
     .deaths = 2,
     .has_keepers = true},
    {.name = "children, a lock is lost in one",
     .create = create_lock,
     .attach = attach_nothing,
     .roles = {{"parent", start_one_and_use_lock, .is_mortal = false},
               {"child", die_with_lock, .is_mortal = true, .is_child = true}},
     .deaths = 1,
     .has_keepers = true},
    {.name = "children, the parent dies",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_one, .is_mortal = true},
               {"child", need_keeper, .is_mortal = true, .is_child = true},
               {"other", need_keeper, .is_mortal = true}},
     .deaths = 4,
     .has_keepers = true,
     .has_mortal_founder = true},
    {.name = "children, the parent leaves",
     .create = create_lock,
     .attach = attach_nothing,
     .roles = {{"parent", start_one_and_leave, .is_mortal = true},
               {"child", use_lock, .is_mortal = true, .is_child = true},
               {"other", use_lock, .is_mortal = true}},
     .deaths = 2,
     .has_keepers = true},
    {.name = "children, two",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_two, .is_mortal = true},
               {"child", do_nothing, .is_mortal = true, .is_child = true},
               {"other", leave, .is_mortal = true, .is_child = true}},
     .deaths = 3,
     .has_keepers = true},
    {.name = "children, one after another",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_one_after_another, .is_mortal = true},
               {"child", leave, .is_mortal = true, .is_child = true}},
     .check = check_awaited,
     .deaths = 2,
     .has_keepers = true},
    {.name = "children, one beside another",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_one_beside_another, .is_mortal = true},
               {"child", need_keeper_and_leave, .is_mortal = true, .is_child = true}},
     .deaths = 3,
     .has_keepers = true},
    {.name = "children, of two parents",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_and_await, .is_mortal = false},
               {"child", leave, .is_mortal = true, .is_child = true},
               {"other", do_nothing, .is_mortal = true, .is_child = true},
               {"other parent", start_other, .is_mortal = true}},
     .check = check_awaited,
     .deaths = 2,
     .has_keepers = true},
    {.name = "children, one in another's place",
     .create = create_nothing,
     .attach = attach_keeper,
     .roles = {{"parent", start_and_await, .is_mortal = false},
               {"child", leave_late, .is_mortal = true, .is_child = true},
               {"other", do_nothing, .is_mortal = false, .is_child = true},
               {"other parent", start_in_its_place, .is_mortal = false},
               {"clock", let_time_pass, .is_mortal = false}},
     .check = check_awaited,
     .deaths = 1,
     .patience_ms = A_WHILE_MS,
     .has_keepers = true},
    {.name = "children, one that lives a while",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_and_await, .is_mortal = true},
               {"child", leave_late, .is_mortal = true, .is_child = true},
               {"clock", let_time_pass, .is_mortal = false}},
     .check = check_awaited,
     .deaths = 2,
     .patience_ms = A_WHILE_MS,
     .has_keepers = true,
     .has_mortal_founder = true},
    {.name = "children, and theirs",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_one, .is_mortal = true},
               {"child", start_other, .is_mortal = true, .is_child = true},
               {"other", do_nothing, .is_mortal = true, .is_child = true}},
     .deaths = 4,
     .has_keepers = true,
     .has_mortal_founder = true},
    {.name = "children, and theirs, who is between leaves",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_and_await, .is_mortal = true},
               {"child", start_other_and_leave, .is_mortal = true, .is_child = true},
               {"other", leave, .is_mortal = true, .is_child = true}},
     .check = check_awaited,
     .deaths = 3,
     .has_keepers = true},
    {.name = "children, a daemon",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"parent", start_daemon, .is_mortal = true},
               {"child", do_nothing, .is_mortal = true, .is_child = true}},
     .check = check_no_orphan,
     .deaths = 2,
     .has_keepers = true},
    {0},
};
