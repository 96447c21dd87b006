#include "explore/scenario.h"

#include <kin/error.h>
#include <kin/rwlock.h>

struct rwlock_world {
    kin_handle handle;
    kin_rwlock *rwlocks[SCENARIO_ROLES_MAX + 1];
    uint8_t reads[SCENARIO_ROLES_MAX];
    uint32_t writer;      /* role + 1 */
    bool has_writer_died; /* in the middle, and nobody has mended it */
};

static struct rwlock_world *rwlock_world(void)
{
    return scenario_world;
}

static void create_with(bool is_fair)
{
    struct rwlock_world *world = rwlock_world();
    kin_rwlock_options options = {.size = sizeof options, .is_fair = is_fair};
    SCENARIO_CHECK(kin_rwlock_create(&options, &world->rwlocks[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_rwlock_handle(world->rwlocks[SCENARIO_ROLES_MAX]);
}

static void create_rwlock(void)
{
    create_with(false);
}

static void create_fair(void)
{
    create_with(true);
}

static void attach_rwlock(uint32_t role)
{
    struct rwlock_world *world = rwlock_world();
    SCENARIO_CHECK(kin_rwlock_attach(world->handle, &world->rwlocks[role]) == 0);
}

/* Whoever has it now: nobody who lives writes; if one died at it, this is said. */
static void come_in(int r)
{
    struct rwlock_world *world = rwlock_world();
    if (world->writer != 0 && scenario_is_dead(world->writer - 1)) {
        world->has_writer_died = true;
        world->writer = 0;
    }
    SCENARIO_CHECK(world->writer == 0);
    SCENARIO_CHECK(!world->has_writer_died || r == KIN_OWNER_DIED);
}

static void read_for(uint32_t role, kin_timeout timeout)
{
    struct rwlock_world *world = rwlock_world();
    int r = kin_rwlock_acquire_read(world->rwlocks[role], timeout);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED || r == -ETIMEDOUT);
    if (r >= 0) {
        come_in(r);
        world->reads[role] = 1;
        machine_point(POINT_ATOMIC, NULL);
        world->reads[role] = 0;
        SCENARIO_CHECK(kin_rwlock_release(world->rwlocks[role]) == 0);
    }
}

static void write_for(uint32_t role, kin_timeout timeout)
{
    struct rwlock_world *world = rwlock_world();
    int r = kin_rwlock_acquire_write(world->rwlocks[role], timeout);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED || r == -ETIMEDOUT);
    if (r < 0) {
        return;
    }
    come_in(r);
    for (uint32_t i = 0; i < SCENARIO_ROLES_MAX; i++) {
        SCENARIO_CHECK(!world->reads[i] || scenario_is_dead(i));
    }
    world->writer = role + 1;
    machine_point(POINT_ATOMIC, NULL);
    if (r == KIN_OWNER_DIED) {
        world->has_writer_died = false;
        SCENARIO_CHECK(kin_rwlock_mark_consistent(world->rwlocks[role]) == 0);
    }
    world->writer = 0;
    SCENARIO_CHECK(kin_rwlock_release(world->rwlocks[role]) == 0);
}

static void read_once(uint32_t role)
{
    read_for(role, KIN_FOREVER);
}

static void read_twice(uint32_t role)
{
    read_for(role, KIN_FOREVER);
    read_for(role, KIN_FOREVER);
}

static void write_once(uint32_t role)
{
    write_for(role, KIN_FOREVER);
}

static void read_for_a_while(uint32_t role)
{
    read_for(role, kin_within_ms(5));
}

static void write_for_a_while(uint32_t role)
{
    write_for(role, kin_within_ms(5));
}

static void check_rwlock(void)
{
    kin_rwlock *rwlock = rwlock_world()->rwlocks[SCENARIO_ROLES_MAX];
    SCENARIO_CHECK(kin_rwlock_reader_count(rwlock) == 0);
    SCENARIO_CHECK(kin_rwlock_acquire_write(rwlock, KIN_NOW) >= 0);
    SCENARIO_CHECK(kin_rwlock_release(rwlock) == 0);
}

const struct scenario rwlock_scenarios[] = {
    {.name = "rwlock, two read, one writes",
     .create = create_rwlock,
     .attach = attach_rwlock,
     .roles = {{"reads", read_twice, true, false, false},
               {"reads too", read_once, true, false, false},
               {"writes", write_once, true, false, false}},
     .check = check_rwlock,
     .deaths = 2},
    {.name = "rwlock, one reads, one writes",
     .create = create_rwlock,
     .attach = attach_rwlock,
     .roles = {{"reads", read_once, true, false, false},
               {"writes", write_once, true, false, false}},
     .check = check_rwlock,
     .deaths = 1},
    {.name = "rwlock, one reads, two write",
     .create = create_rwlock,
     .attach = attach_rwlock,
     .roles = {{"reads", read_once, true, false, false},
               {"writes", write_once, true, false, false},
               {"writes too", write_once, true, false, false}},
     .check = check_rwlock,
     .deaths = 2},
    {.name = "rwlock, fair, one reads, two write",
     .create = create_fair,
     .attach = attach_rwlock,
     .roles = {{"reads", read_once, true, false, false},
               {"writes", write_once, true, false, false},
               {"writes too", write_once, true, false, false}},
     .check = check_rwlock,
     .deaths = 1},
    {.name = "rwlock, a reader gives up",
     .create = create_rwlock,
     .attach = attach_rwlock,
     .roles = {{"gives up", read_for_a_while, true, false, false},
               {"writes", write_once, true, false, false},
               {"writes too", write_once, false, false, false}},
     .check = check_rwlock,
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "rwlock, a writer gives up",
     .create = create_rwlock,
     .attach = attach_rwlock,
     .roles = {{"reads", read_once, true, false, false},
               {"gives up", write_for_a_while, true, false, false},
               {"reads too", read_once, false, false, false}},
     .check = check_rwlock,
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "rwlock, reaper dies",
     .create = create_rwlock,
     .attach = attach_rwlock,
     .roles = {{"writes", write_once, true, false, false},
               {"reads", read_once, false, false, false}},
     .check = check_rwlock,
     .deaths = 2,
     .has_mortal_reaper = true},
    {0},
};
