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
    uint32_t acted;
};

static struct barrier_world *barrier_world(void)
{
    return scenario_world;
}

static int note_action(kin_call *call)
{
    (void)call;
    barrier_world()->acted++;
    machine_point(POINT_ATOMIC, NULL);
    return 0;
}
KIN_FUNCTION(note_action)

static void create_acting(uint32_t party_count, kin_barrier_on_death on_death, kin_function *action)
{
    struct barrier_world *world = barrier_world();
    kin_barrier_options options = {.size = sizeof options, .on_death = on_death, .action = action};
    world->party_count = party_count;
    SCENARIO_CHECK(
        kin_barrier_create(party_count, &options, &world->barriers[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_barrier_handle(world->barriers[SCENARIO_ROLES_MAX]);
}

static void create_with(uint32_t party_count, kin_barrier_on_death on_death)
{
    create_acting(party_count, on_death, NULL);
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

static void create_that_acts(void)
{
    create_acting(2, KIN_BARRIER_SHRINK, note_action);
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

static bool has_party_died(void)
{
    bool has_died = false;
    for (uint32_t i = 0; i < barrier_world()->party_count; i++) {
        has_died |= scenario_is_dead(i);
    }
    return has_died;
}

/* One that has died before this one comes breaks the barrier, reaped or not. */
static void wait_twice(uint32_t role)
{
    for (uint32_t round = 0; round < ROUNDS; round++) {
        bool has_lost_one = has_party_died();
        int r = wait(role, round, KIN_FOREVER);
        SCENARIO_CHECK(r >= 0 || (r == KIN_EBROKEN && machine->death_count > 0));
        SCENARIO_CHECK(r < 0 || !has_lost_one);
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

static void wait_and_leave(uint32_t role)
{
    int r = wait(role, 0, KIN_FOREVER);
    SCENARIO_CHECK(r >= 0 || (r == KIN_EBROKEN && machine->death_count > 0));
    SCENARIO_CHECK(kin_barrier_leave(barrier_world()->barriers[role]) == 0);
}

static void abort_it(uint32_t role)
{
    SCENARIO_CHECK(kin_barrier_abort(barrier_world()->barriers[role]) == 0);
}

/* Each of the dead has taken its own place away, and no other. */
static void check_shrunk(void)
{
    kin_barrier *barrier = barrier_world()->barriers[SCENARIO_ROLES_MAX];
    uint32_t dead = 0;
    for (uint32_t role = 0; role < SCENARIO_ROLES_MAX; role++) {
        dead += scenario_is_dead(role);
    }
    SCENARIO_CHECK(kin_barrier_party_count(barrier) == 3 - dead);
    SCENARIO_CHECK(!kin_barrier_is_broken(barrier) && kin_barrier_waiting_count(barrier) == 0);
}

static void check_left(void)
{
    kin_barrier *barrier = barrier_world()->barriers[SCENARIO_ROLES_MAX];
    SCENARIO_CHECK(kin_barrier_party_count(barrier) == 0);
    SCENARIO_CHECK(kin_barrier_waiting_count(barrier) == 0);
    SCENARIO_CHECK(barrier_world()->acted == 1 || machine->death_count > 0);
}

const struct scenario barrier_scenarios[] = {
    {.name = "barrier, three, twice",
     .create = create_that_breaks,
     .attach = attach_barrier,
     .roles = {{"A", wait_twice, true, false, false},
               {"B", wait_twice, true, false, false},
               {"C", wait_twice, true, false, false}},
     .deaths = 2},
    {.name = "barrier, shrinks",
     .create = create_that_shrinks,
     .attach = attach_barrier,
     .roles = {{"A", wait_twice_whoever_dies, true, false, false},
               {"B", wait_twice_whoever_dies, true, false, false},
               {"C", wait_twice_whoever_dies, false, false, false}},
     .check = check_shrunk,
     .deaths = 2},
    {.name = "barrier, shrinks, reaper dies",
     .create = create_that_shrinks,
     .attach = attach_barrier,
     .roles = {{"A", wait_twice_whoever_dies, true, false, false},
               {"B", wait_twice_whoever_dies, false, false, false},
               {"C", wait_twice_whoever_dies, false, false, false}},
     .check = check_shrunk,
     .deaths = 2,
     .has_mortal_reaper = true},
    {.name = "barrier, shrinks, action, two wait and leave",
     .create = create_that_acts,
     .attach = attach_barrier,
     .roles = {{"A", wait_and_leave, true, false, false},
               {"B", wait_and_leave, true, false, false}},
     .check = check_left,
     .deaths = 1},
    {.name = "barrier, one aborts",
     .create = create_that_breaks,
     .attach = attach_barrier,
     .roles = {{"A", wait_once, true, false, false},
               {"B", wait_once, true, false, false},
               {"C", abort_it, false, false, false}},
     .deaths = 1},
    {.name = "barrier, one gives up",
     .create = create_for_two,
     .attach = attach_barrier,
     .roles = {{"gives up", wait_for_a_while, true, false, false},
               {"waits", wait_once, false, false, false}},
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "barrier, reaper dies",
     .create = create_for_two,
     .attach = attach_barrier,
     .roles = {{"A", wait_twice, true, false, false}, {"B", wait_twice, false, false, false}},
     .deaths = 2,
     .has_mortal_reaper = true},
    {0},
};
