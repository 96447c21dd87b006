#include "explore/scenario.h"

#include <kin/error.h>
#include <kin/semaphore.h>

struct semaphore_world {
    kin_handle handle;
    kin_semaphore *semaphores[SCENARIO_ROLES_MAX + 1];
    uint32_t permit_count;
    uint8_t is_inside[SCENARIO_ROLES_MAX];
    uint32_t taken; /* of a plain one: acquires that have returned */
    uint32_t told_of_death;
};

static struct semaphore_world *semaphore_world(void)
{
    return scenario_world;
}

static void create_semaphore(bool is_bounded, uint32_t permit_count)
{
    struct semaphore_world *world = semaphore_world();
    kin_semaphore_options options = {.size = sizeof options, .is_bounded = is_bounded};
    world->permit_count = permit_count;
    SCENARIO_CHECK(
        kin_semaphore_create(permit_count, &options, &world->semaphores[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_semaphore_handle(world->semaphores[SCENARIO_ROLES_MAX]);
}

static void create_one(void)
{
    create_semaphore(true, 1);
}

static void create_two(void)
{
    create_semaphore(true, 2);
}

static void create_plain(void)
{
    create_semaphore(false, 0);
}

static void attach_semaphore(uint32_t role)
{
    struct semaphore_world *world = semaphore_world();
    SCENARIO_CHECK(kin_semaphore_attach(world->handle, &world->semaphores[role]) == 0);
}

static void enter(uint32_t role, int r)
{
    struct semaphore_world *world = semaphore_world();
    uint32_t inside = 0;
    world->told_of_death += r == KIN_OWNER_DIED;
    world->is_inside[role] = 1;
    for (uint32_t i = 0; i < SCENARIO_ROLES_MAX; i++) {
        inside += world->is_inside[i] && !scenario_is_dead(i);
    }
    SCENARIO_CHECK(inside <= world->permit_count);
}

static void use_permit(uint32_t role)
{
    struct semaphore_world *world = semaphore_world();
    int r = kin_semaphore_acquire(world->semaphores[role], KIN_FOREVER);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    enter(role, r);
    machine_point(POINT_ATOMIC, NULL);
    world->is_inside[role] = 0;
    SCENARIO_CHECK(kin_semaphore_release(world->semaphores[role], 1) == 0);
}

static void use_permit_for_a_while(uint32_t role)
{
    struct semaphore_world *world = semaphore_world();
    int r = kin_semaphore_acquire(world->semaphores[role], kin_within_ms(5));
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED || r == -ETIMEDOUT);
    if (r >= 0) {
        enter(role, r);
        machine_point(POINT_ATOMIC, NULL);
        world->is_inside[role] = 0;
        SCENARIO_CHECK(kin_semaphore_release(world->semaphores[role], 1) == 0);
    }
}

static void take(uint32_t role)
{
    SCENARIO_CHECK(kin_semaphore_acquire(semaphore_world()->semaphores[role], KIN_FOREVER) == 0);
    semaphore_world()->taken++;
}

static void give_two(uint32_t role)
{
    SCENARIO_CHECK(kin_semaphore_release(semaphore_world()->semaphores[role], 1) == 0);
    SCENARIO_CHECK(kin_semaphore_release(semaphore_world()->semaphores[role], 1) == 0);
}

static void give_both(uint32_t role)
{
    SCENARIO_CHECK(kin_semaphore_release(semaphore_world()->semaphores[role], 2) == 0);
}

static void check_all_back(void)
{
    struct semaphore_world *world = semaphore_world();
    SCENARIO_CHECK(kin_semaphore_value(world->semaphores[SCENARIO_ROLES_MAX]) ==
                   world->permit_count);
}

static void check_plain(void)
{
    struct semaphore_world *world = semaphore_world();
    uint32_t left = kin_semaphore_value(world->semaphores[SCENARIO_ROLES_MAX]);
    SCENARIO_CHECK(world->taken + left <= 4);
    SCENARIO_CHECK(machine->death_count > 0 || world->taken + left == 4);
}

const struct scenario semaphore_scenarios[] = {
    {.name = "semaphore, three for one permit",
     .create = create_one,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false},
               {"B", use_permit, true, false},
               {"C", use_permit, true, false}},
     .check = check_all_back,
     .deaths = 2},
    {.name = "semaphore, two for one permit",
     .create = create_one,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false}, {"B", use_permit, false, false}},
     .check = check_all_back,
     .deaths = 1},
    {.name = "semaphore, four for two permits",
     .create = create_two,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false},
               {"B", use_permit, true, false},
               {"C", use_permit, false, false},
               {"D", use_permit, false, false}},
     .check = check_all_back,
     .deaths = 2},
    {.name = "semaphore, one gives up",
     .create = create_one,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false},
               {"gives up", use_permit_for_a_while, true, false},
               {"C", use_permit, false, false}},
     .check = check_all_back,
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "semaphore, reaper dies",
     .create = create_one,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false}, {"B", use_permit, false, false}},
     .check = check_all_back,
     .deaths = 2,
     .has_mortal_reaper = true},
    {.name = "semaphore, plain",
     .create = create_plain,
     .attach = attach_semaphore,
     .roles = {{"takes", take, true, false},
               {"takes too", take, false, false},
               {"gives two", give_two, false, false},
               {"gives both", give_both, false, false}},
     .check = check_plain,
     .deaths = 1},
    {0},
};
