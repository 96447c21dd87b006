#include "explore/scenario.h"
#include "sync/turn.h"

#include <kin/error.h>
#include <kin/semaphore.h>

struct semaphore_world {
    kin_handle handle;
    kin_semaphore *semaphores[SCENARIO_ROLES_MAX + 1];
    uint32_t permit_count;
    uint8_t is_inside[SCENARIO_ROLES_MAX];
    uint32_t taken; /* of a plain one: acquires that have returned */
    uint32_t told_of_death;
    const struct kin__member *members[SCENARIO_ROLES_MAX]; /* of a fair one, from here on */
    uint32_t given; /* permits that have been given back, or are about to be */
    uint8_t has_taken[SCENARIO_ROLES_MAX];
};

static struct semaphore_world *semaphore_world(void)
{
    return scenario_world;
}

static void create_with(kin_semaphore_options options, uint32_t permit_count)
{
    struct semaphore_world *world = semaphore_world();
    options.size = sizeof options;
    world->permit_count = permit_count;
    SCENARIO_CHECK(
        kin_semaphore_create(permit_count, &options, &world->semaphores[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_semaphore_handle(world->semaphores[SCENARIO_ROLES_MAX]);
}

static void create_one(void)
{
    create_with((kin_semaphore_options){.is_bounded = true}, 1);
}

static void create_two(void)
{
    create_with((kin_semaphore_options){.is_bounded = true}, 2);
}

static void create_plain(void)
{
    create_with((kin_semaphore_options){0}, 0);
}

static void create_fair(void)
{
    create_with((kin_semaphore_options){.is_bounded = true, .is_fair = true}, 1);
}

static void create_two_fair(void)
{
    create_with((kin_semaphore_options){.is_bounded = true, .is_fair = true}, 2);
}

static void create_plain_fair(void)
{
    create_with((kin_semaphore_options){.is_fair = true}, 0);
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

/* --- fair: one comes after the other, and permits are given one by one --- */

/* Whether a role has drawn its place and said so, if it had to. A mere look, not a point. */
__attribute__((no_sanitize("thread"))) static bool has_come(uint32_t role)
{
    const struct semaphore_world *world = semaphore_world();
    const struct kin__member *member = world->members[role];
    uint64_t place = member == NULL ? 0 : *(const volatile uint64_t *)&member->wait_place;
    bool stands = place != 0 && place != KIN__TURN_COMING;
    return stands || world->has_taken[role] || scenario_is_dead(role);
}

static bool has_first_come(void)
{
    return has_come(0);
}

static bool has_second_come(void)
{
    return has_come(0) && has_come(1); /* the second may have died before the first came */
}

/* Those before it that live have had theirs. */
static void take_in_turn(uint32_t role)
{
    struct semaphore_world *world = semaphore_world();
    uint32_t least = 1;
    world->members[role] = kin__self()->member;
    SCENARIO_CHECK(kin_semaphore_acquire(world->semaphores[role], KIN_FOREVER) == 0);
    for (uint32_t i = 0; i < role; i++) {
        least += !scenario_is_dead(i);
    }
    SCENARIO_CHECK(world->given >= least);
    world->has_taken[role] = 1;
}

static void take_second(uint32_t role)
{
    scenario_wait(has_first_come);
    take_in_turn(role);
}

static void take_third(uint32_t role)
{
    scenario_wait(has_second_come);
    take_in_turn(role);
}

/* Comes third and does not wait. */
static void take_now(uint32_t role)
{
    struct semaphore_world *world = semaphore_world();
    uint32_t least = 1;
    scenario_wait(has_second_come);
    int r = kin_semaphore_acquire(world->semaphores[role], KIN_NOW);
    SCENARIO_CHECK(r == 0 || r == -EAGAIN);
    for (uint32_t i = 0; i < role; i++) {
        least += !scenario_is_dead(i);
    }
    SCENARIO_CHECK(r < 0 || world->given >= least);
    world->has_taken[role] = r == 0;
}

static void give_in_turn(uint32_t role, uint32_t count)
{
    semaphore_world()->given += count;
    SCENARIO_CHECK(kin_semaphore_release(semaphore_world()->semaphores[role], count) == 0);
}

static void give_three(uint32_t role)
{
    scenario_wait(has_first_come);
    give_in_turn(role, 1);
    give_in_turn(role, 1);
    give_in_turn(role, 1);
}

static void give_one_and_two(uint32_t role)
{
    scenario_wait(has_first_come);
    give_in_turn(role, 1);
    scenario_wait(has_second_come);
    give_in_turn(role, 2);
}

/* What the dead have taken is gone; of the rest nothing is. */
static void check_in_turn(void)
{
    struct semaphore_world *world = semaphore_world();
    kin_semaphore *semaphore = world->semaphores[SCENARIO_ROLES_MAX];
    uint32_t taken = 0;
    uint32_t left = kin_semaphore_value(semaphore);
    for (uint32_t i = 0; i < 3; i++) {
        taken += world->has_taken[i];
    }
    SCENARIO_CHECK(taken + left <= 3);
    SCENARIO_CHECK(machine->death_count > 0 || taken + left == 3);
    SCENARIO_CHECK(kin_semaphore_acquire(semaphore, KIN_NOW) == (left > 0 ? 0 : -EAGAIN));
}

static void check_all_back(void)
{
    struct semaphore_world *world = semaphore_world();
    SCENARIO_CHECK(kin_semaphore_value(world->semaphores[SCENARIO_ROLES_MAX]) ==
                   world->permit_count);
}

/* And the line is empty. */
static void check_fair(void)
{
    kin_semaphore *semaphore = semaphore_world()->semaphores[SCENARIO_ROLES_MAX];
    check_all_back();
    int r = kin_semaphore_acquire(semaphore, KIN_NOW);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    SCENARIO_CHECK(kin_semaphore_release(semaphore, 1) == 0);
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
     .roles = {{"A", use_permit, true, false, false},
               {"B", use_permit, true, false, false},
               {"C", use_permit, true, false, false}},
     .check = check_all_back,
     .deaths = 2},
    {.name = "semaphore, two for one permit",
     .create = create_one,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false, false}, {"B", use_permit, false, false, false}},
     .check = check_all_back,
     .deaths = 1},
    {.name = "semaphore, four for two permits",
     .create = create_two,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false, false},
               {"B", use_permit, true, false, false},
               {"C", use_permit, false, false, false},
               {"D", use_permit, false, false, false}},
     .check = check_all_back,
     .deaths = 2},
    {.name = "semaphore, one gives up",
     .create = create_one,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false, false},
               {"gives up", use_permit_for_a_while, true, false, false},
               {"C", use_permit, false, false, false}},
     .check = check_all_back,
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "semaphore, reaper dies",
     .create = create_one,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false, false}, {"B", use_permit, false, false, false}},
     .check = check_all_back,
     .deaths = 2,
     .has_mortal_reaper = true},
    {.name = "semaphore, plain",
     .create = create_plain,
     .attach = attach_semaphore,
     .roles = {{"takes", take, true, false, false},
               {"takes too", take, false, false, false},
               {"gives two", give_two, false, false, false},
               {"gives both", give_both, false, false, false}},
     .check = check_plain,
     .deaths = 1},
    {.name = "fair semaphore, three for one permit",
     .create = create_fair,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false, false},
               {"B", use_permit, true, false, false},
               {"C", use_permit, true, false, false}},
     .check = check_fair,
     .deaths = 2},
    {.name = "fair semaphore, four for two permits",
     .create = create_two_fair,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false, false},
               {"B", use_permit, true, false, false},
               {"C", use_permit, false, false, false},
               {"D", use_permit, false, false, false}},
     .check = check_fair,
     .deaths = 2},
    {.name = "fair semaphore, one gives up",
     .create = create_fair,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false, false},
               {"gives up", use_permit_for_a_while, true, false, false},
               {"C", use_permit, false, false, false}},
     .check = check_fair,
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "fair semaphore, reaper dies",
     .create = create_fair,
     .attach = attach_semaphore,
     .roles = {{"A", use_permit, true, false, false}, {"B", use_permit, false, false, false}},
     .check = check_fair,
     .deaths = 2,
     .has_mortal_reaper = true},
    {.name = "fair semaphore, in turn",
     .create = create_plain_fair,
     .attach = attach_semaphore,
     .roles = {{"first", take_in_turn, true, false, false},
               {"second", take_second, true, false, false},
               {"third", take_third, false, false, false},
               {"gives", give_three, false, false, false}},
     .check = check_in_turn,
     .deaths = 2},
    {.name = "fair semaphore, one does not wait",
     .create = create_plain_fair,
     .attach = attach_semaphore,
     .roles = {{"first", take_in_turn, true, false, false},
               {"second", take_second, false, false, false},
               {"now", take_now, true, false, false},
               {"gives", give_one_and_two, false, false, false}},
     .check = check_in_turn,
     .deaths = 1},
    {0},
};
