#include "explore/scenario.h"
#include "family/member.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/lock.h>

struct member_world {
    kin_handle handle;
    kin_lock *locks[SCENARIO_ROLES_MAX + 1];
    uint32_t holder; /* role + 1 */
    bool has_left;   /* that one has ended without a release */
};

static struct member_world *member_world(void)
{
    return scenario_world;
}

static void create_lock(void)
{
    struct member_world *world = member_world();
    SCENARIO_CHECK(kin_lock_create(NULL, &world->locks[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_lock_handle(world->locks[SCENARIO_ROLES_MAX]);
}

static void attach_lock(uint32_t role)
{
    struct member_world *world = member_world();
    SCENARIO_CHECK(kin_lock_attach(world->handle, &world->locks[role]) == 0);
}

/* A thread that ends while it has the lock: a death, of which its process lives to tell. */
static void end_with_lock(uint32_t role)
{
    struct member_world *world = member_world();
    int r = kin_lock_acquire(world->locks[role], KIN_FOREVER);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    SCENARIO_CHECK(world->holder == 0 || world->has_left || scenario_is_dead(world->holder - 1));
    world->holder = role + 1;
    world->has_left = true;
    kin__thread_unregister();
}

static void use_lock(uint32_t role)
{
    struct member_world *world = member_world();
    int r = kin_lock_acquire(world->locks[role], KIN_FOREVER);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    bool has_died = world->holder != 0 && (world->has_left || scenario_is_dead(world->holder - 1));
    SCENARIO_CHECK(world->holder == 0 || (has_died && r == KIN_OWNER_DIED));
    world->holder = role + 1;
    world->has_left = false;
    machine_point(POINT_ATOMIC, NULL);
    SCENARIO_CHECK(kin_lock_mark_consistent(world->locks[role]) == 0);
    world->holder = 0;
    SCENARIO_CHECK(kin_lock_release(world->locks[role]) == 0);
}

/* Threads that come and go: slots are used again, under another generation. */
static void come_and_go(uint32_t role)
{
    (void)role;
    for (int i = 0; i < 2; i++) {
        kin__thread_unregister();
        SCENARIO_CHECK(kin__thread_register() == 0);
    }
    use_lock(role);
}

const struct scenario member_scenarios[] = {
    {.name = "member, a thread ends with a lock",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"ends", end_with_lock, true, false, false},
               {"A", use_lock, true, false, false},
               {"B", use_lock, false, false, false}},
     .deaths = 1},
    {.name = "member, threads come and go",
     .create = create_lock,
     .attach = attach_lock,
     .roles = {{"A", come_and_go, true, false, false},
               {"beside", come_and_go, true, true, false},
               {"B", come_and_go, true, false, false}},
     .deaths = 2},
    {0},
};
