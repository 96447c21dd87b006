#include "explore/region.h"
#include "explore/scenario.h"
#include "family/lock.h"
#include "family/member.h"
#include "family/reference.h"

#include <kin/error.h>
#include <kin/lock.h>

/* --- the internal lock: the directory's guards a pair that is never torn --- */

struct pair_world {
    struct kin__lock *lock; /* in family memory */
    uint64_t *pair;
    uint32_t entries;
};

static struct pair_world *pair_world(void)
{
    return scenario_world;
}

static void create_pair(void)
{
    uint64_t block = 0;
    SCENARIO_CHECK(kin__block_create(256, 0, KIN__BLOCK_BYTES, &block) == 0);
    pair_world()->lock = kin__at(block);
    pair_world()->pair = kin__at(block + 64);
    atomic_store(&pair_world()->lock->word, 0);
    pair_world()->pair[0] = pair_world()->pair[1] = 0;
}

static void attach_nothing(uint32_t role)
{
    (void)role;
}

static void hold_pair(uint32_t role)
{
    struct pair_world *world = pair_world();
    struct kin__thread *self = kin__self();
    (void)role;
    int r = kin__lock_acquire(world->lock, self);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    if (r == KIN_OWNER_DIED) {
        world->pair[1] = world->pair[0];
    }
    SCENARIO_CHECK(world->pair[0] == world->pair[1]);
    world->pair[0]++;
    machine_point(POINT_ATOMIC, NULL);
    world->pair[1]++;
    kin__lock_release(world->lock, self);
}

static void check_pair(void)
{
    struct pair_world *world = pair_world();
    struct kin__thread *self = kin__self();
    int r = kin__lock_acquire(world->lock, self);
    SCENARIO_CHECK(r == KIN_OWNER_DIED || world->pair[0] == world->pair[1]);
    kin__lock_release(world->lock, self);
}

/* --- kin_lock --- */

struct lock_world {
    kin_handle handle;
    kin_lock *locks[SCENARIO_ROLES_MAX + 1];
    uint32_t inside; /* number of holders */
    uint32_t holder; /* role + 1 */
    uint32_t acquired;
    uint32_t ended;
    uint32_t timeouts;
};

static struct lock_world *lock_world(void)
{
    return scenario_world;
}

static void create_with(const kin_lock_options *options)
{
    struct lock_world *world = lock_world();
    SCENARIO_CHECK(kin_lock_create(options, &world->locks[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_lock_handle(world->locks[SCENARIO_ROLES_MAX]);
}

static void create_lock(void)
{
    create_with(NULL);
}

static void create_fair(void)
{
    create_with(&(kin_lock_options){.size = sizeof(kin_lock_options), .is_fair = true});
}

static void create_handoff(void)
{
    create_with(&(kin_lock_options){.size = sizeof(kin_lock_options), .is_handoff = true});
}

static void attach_lock(uint32_t role)
{
    struct lock_world *world = lock_world();
    SCENARIO_CHECK(kin_lock_attach(world->handle, &world->locks[role]) == 0);
}

/* A holder that has died while inside is not inside any more. */
static void enter_lock(uint32_t role, int r)
{
    struct lock_world *world = lock_world();
    bool has_died = world->holder != 0 && scenario_is_dead(world->holder - 1);
    SCENARIO_CHECK(world->holder == 0 || has_died);
    SCENARIO_CHECK(!has_died || r == KIN_OWNER_DIED);
    world->holder = role + 1;
    world->acquired++;
}

static void use_lock(uint32_t role)
{
    struct lock_world *world = lock_world();
    kin_lock *lock = world->locks[role];
    int r = kin_lock_acquire(lock, KIN_FOREVER);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    enter_lock(role, r);
    machine_point(POINT_ATOMIC, NULL);
    if (r == KIN_OWNER_DIED) {
        SCENARIO_CHECK(kin_lock_mark_consistent(lock) == 0);
    }
    world->holder = 0;
    SCENARIO_CHECK(kin_lock_release(lock) == 0);
}

static void use_lock_twice(uint32_t role)
{
    use_lock(role);
    use_lock(role);
}

static void try_lock_for_a_while(uint32_t role)
{
    struct lock_world *world = lock_world();
    kin_lock *lock = world->locks[role];
    int r = kin_lock_acquire(lock, kin_within_ms(5));
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED || r == -ETIMEDOUT);
    if (r < 0) {
        SCENARIO_CHECK(kin_lock_release(lock) == -EPERM);
        world->timeouts++;
        return;
    }
    enter_lock(role, r);
    machine_point(POINT_ATOMIC, NULL);
    world->holder = 0;
    SCENARIO_CHECK(kin_lock_release(lock) == 0);
}

static bool are_others_asleep(void)
{
    return scenario_is_asleep(1) && scenario_is_asleep(2);
}

/* Releases when the others wait. */
static void hold_until_all_wait(uint32_t role)
{
    struct lock_world *world = lock_world();
    enter_lock(role, kin_lock_acquire(world->locks[role], KIN_FOREVER));
    scenario_wait(are_others_asleep);
    world->holder = 0;
    SCENARIO_CHECK(kin_lock_release(world->locks[role]) == 0);
}

/* A handoff lock as a signal: one waits for it, the other gives it. */
static void take_signal(uint32_t role)
{
    int r = kin_lock_acquire(lock_world()->locks[role], KIN_FOREVER);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    lock_world()->acquired++;
}

static void give_signal(uint32_t role)
{
    int r = kin_lock_release(lock_world()->locks[role]);
    SCENARIO_CHECK(r == 0 || r == -EPERM); /* the dead one's is free already */
}

static void create_signal(void)
{
    create_handoff();
    SCENARIO_CHECK(kin_lock_acquire(lock_world()->locks[SCENARIO_ROLES_MAX], KIN_NOW) == 0);
}

static void check_signal(void)
{
    SCENARIO_CHECK(lock_world()->acquired == 1 || scenario_is_dead(0));
}

static void check_lock(void)
{
    struct lock_world *world = lock_world();
    kin_lock *lock = world->locks[SCENARIO_ROLES_MAX];
    int r = kin_lock_acquire(lock, KIN_NOW);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    SCENARIO_CHECK(kin_lock_release(lock) == 0);
}

const struct scenario lock_scenarios[] = {
    {.name = "internal lock, three",
     .create = create_pair,
     .attach = attach_nothing,
     .roles = {{"A", hold_pair, true, false, false},
               {"B", hold_pair, true, false, false},
               {"C", hold_pair, true, false, false}},
     .check = check_pair,
     .deaths = 2},
    {.name = "lock, three",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"A", use_lock, true, false, false},
               {"B", use_lock, true, false, false},
               {"C", use_lock, true, false, false}},
     .check = check_lock,
     .deaths = 2},
    {.name = "lock, two, twice",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"A", use_lock_twice, true, false, false},
               {"B", use_lock_twice, true, false, false}},
     .check = check_lock,
     .deaths = 1},
    {.name = "lock, one gives up",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"A", use_lock, true, false, false},
               {"B", try_lock_for_a_while, true, false, false},
               {"C", use_lock, true, false, false}},
     .check = check_lock,
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "lock, reaper dies",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"A", use_lock, true, false, false}, {"B", use_lock, false, false, false}},
     .check = check_lock,
     .deaths = 2,
     .has_mortal_reaper = true},
    {.name = "fair lock, three",
     .create = create_fair,
     .attach = attach_lock,
     .roles = {{"A", use_lock, true, false, false},
               {"B", use_lock, true, false, false},
               {"C", use_lock, true, false, false}},
     .check = check_lock,
     .deaths = 2},
    {.name = "fair lock, one gives up",
     .create = create_fair,
     .attach = attach_lock,
     .roles = {{"A", use_lock, true, false, false},
               {"B", try_lock_for_a_while, true, false, false},
               {"C", use_lock, true, false, false}},
     .check = check_lock,
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "fair lock, two, twice",
     .create = create_fair,
     .attach = attach_lock,
     .roles = {{"A", use_lock_twice, true, false, false},
               {"B", use_lock_twice, true, false, false}},
     .check = check_lock,
     .deaths = 1},
    {.name = "lock, two wait, one gives up",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"A", hold_until_all_wait, false, false, false},
               {"B", try_lock_for_a_while, false, false, false},
               {"C", use_lock, false, false, false}},
     .check = check_lock,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "fair lock, two wait, one gives up",
     .create = create_fair,
     .attach = attach_lock,
     .roles = {{"A", hold_until_all_wait, false, false, false},
               {"B", try_lock_for_a_while, false, false, false},
               {"C", use_lock, false, false, false}},
     .check = check_lock,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "handoff lock, three",
     .create = create_handoff,
     .attach = attach_lock,
     .roles = {{"A", use_lock, true, false, false},
               {"B", use_lock, true, false, false},
               {"C", use_lock, false, false, false}},
     .check = check_lock,
     .deaths = 2},
    {.name = "handoff lock, a signal",
     .create = create_signal,
     .attach = attach_lock,
     .roles = {{"waits", take_signal, true, false, false},
               {"gives", give_signal, false, false, false}},
     .check = check_signal,
     .deaths = 1},
    {0},
};
