#include "explore/scenario.h"

#include <kin/barrier.h>
#include <kin/error.h>

#define ROUNDS 2u

/* All roles are parties and have joined: the death of one is never waited for. */
struct barrier_world {
    kin_handle handle;
    kin_barrier *barriers[SCENARIO_ROLES_MAX + 1];
    uint32_t party_count;
    uint32_t come[ROUNDS];                       /* how many have called wait */
    uint8_t numbers[ROUNDS][SCENARIO_ROLES_MAX]; /* that were given out */
    uint32_t broken;
};

static struct barrier_world *barrier_world(void)
{
    return scenario_world;
}

static void create_with(uint32_t party_count, kin_barrier_on_death on_death)
{
    struct barrier_world *world = barrier_world();
    kin_barrier_options options = {.size = sizeof options, .on_death = on_death};
    world->party_count = party_count;
    SCENARIO_CHECK(
        kin_barrier_create(&options, party_count, &world->barriers[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_barrier_handle(world->barriers[SCENARIO_ROLES_MAX]);
}

static void create_that_breaks(void)
{
    create_with(3, KIN_BARRIER_BREAK);
}

static void create_that_shrinks(void)
{
    create_with(3, KIN_BARRIER_SHRINK);
}

static void create_for_two(void)
{
    create_with(2, KIN_BARRIER_BREAK);
}

static void attach_barrier(uint32_t role)
{
    struct barrier_world *world = barrier_world();
    SCENARIO_CHECK(kin_barrier_attach(world->handle, &world->barriers[role]) == 0);
    SCENARIO_CHECK(kin_barrier_join(world->barriers[role]) == 0);
}

/* Nobody goes on before all have come who live. */
static int wait(uint32_t role, uint32_t round, kin_timeout timeout)
{
    struct barrier_world *world = barrier_world();
    world->come[round]++;
    int r = kin_barrier_wait(world->barriers[role], timeout);
    if (r >= 0) {
        SCENARIO_CHECK(world->come[round] + machine->death_count >= world->party_count);
        SCENARIO_CHECK((uint32_t)r < world->party_count && world->numbers[round][r] == 0);
        world->numbers[round][r] = 1;
    }
    return r;
}

static void wait_twice(uint32_t role)
{
    for (uint32_t round = 0; round < ROUNDS; round++) {
        int r = wait(role, round, KIN_FOREVER);
        SCENARIO_CHECK(r >= 0 || (r == KIN_EBROKEN && machine->death_count > 0));
        if (r < 0) {
            return;
        }
    }
}

static void wait_twice_whoever_dies(uint32_t role)
{
    for (uint32_t round = 0; round < ROUNDS; round++) {
        SCENARIO_CHECK(wait(role, round, KIN_FOREVER) >= 0);
    }
}

static void wait_for_a_while(uint32_t role)
{
    int r = wait(role, 0, kin_within_ms(5));
    SCENARIO_CHECK(r >= 0 || r == -ETIMEDOUT || r == KIN_EBROKEN);
}

static void wait_once(uint32_t role)
{
    int r = wait(role, 0, KIN_FOREVER);
    SCENARIO_CHECK(r >= 0 || r == KIN_EBROKEN);
}

const struct scenario barrier_scenarios[] = {
    {.name = "barrier, three, twice",
     .create = create_that_breaks,
     .attach = attach_barrier,
     .roles = {{"A", wait_twice, true, false},
               {"B", wait_twice, true, false},
               {"C", wait_twice, true, false}},
     .deaths = 2},
    {.name = "barrier, shrinks",
     .create = create_that_shrinks,
     .attach = attach_barrier,
     .roles = {{"A", wait_twice_whoever_dies, true, false},
               {"B", wait_twice_whoever_dies, true, false},
               {"C", wait_twice_whoever_dies, false, false}},
     .deaths = 2},
    {.name = "barrier, one gives up",
     .create = create_for_two,
     .attach = attach_barrier,
     .roles = {{"gives up", wait_for_a_while, true, false}, {"waits", wait_once, false, false}},
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "barrier, reaper dies",
     .create = create_for_two,
     .attach = attach_barrier,
     .roles = {{"A", wait_twice, true, false}, {"B", wait_twice, false, false}},
     .deaths = 2,
     .has_mortal_reaper = true},
    {0},
};
