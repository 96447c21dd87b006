#include "explore/scenario.h"

#include <kin/condition.h>
#include <kin/error.h>

/* Consumers wait for items, of which the condition tells; an immortal producer brings enough for
 * all. */
struct condition_world {
    kin_handle handle;
    kin_condition *conditions[SCENARIO_ROLES_MAX + 1];
    uint32_t items;
    uint32_t taken;
    uint32_t inside; /* role + 1 that has the lock */
    bool is_open;
};

static struct condition_world *condition_world(void)
{
    return scenario_world;
}

static void create_condition(void)
{
    struct condition_world *world = condition_world();
    SCENARIO_CHECK(kin_condition_create(NULL, &world->conditions[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_condition_handle(world->conditions[SCENARIO_ROLES_MAX]);
}

static void attach_condition(uint32_t role)
{
    struct condition_world *world = condition_world();
    SCENARIO_CHECK(kin_condition_attach(world->handle, &world->conditions[role]) == 0);
}

/* Has the lock, by an acquire or a wait that returned `r`. */
static void come_in(uint32_t role, int r)
{
    struct condition_world *world = condition_world();
    bool has_died = world->inside != 0 && scenario_is_dead(world->inside - 1);
    SCENARIO_CHECK(world->inside == 0 || (has_died && r == KIN_OWNER_DIED));
    world->inside = role + 1;
    if (r == KIN_OWNER_DIED) {
        SCENARIO_CHECK(kin_condition_mark_consistent(world->conditions[role]) == 0);
    }
}

static void acquire(uint32_t role)
{
    int r = kin_condition_acquire(condition_world()->conditions[role], KIN_FOREVER);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED);
    come_in(role, r);
}

static void release(uint32_t role)
{
    condition_world()->inside = 0;
    SCENARIO_CHECK(kin_condition_release(condition_world()->conditions[role]) == 0);
}

static int wait(uint32_t role, kin_timeout timeout)
{
    condition_world()->inside = 0;
    int r = kin_condition_wait(condition_world()->conditions[role], timeout);
    SCENARIO_CHECK(r == 0 || r == KIN_OWNER_DIED || r == -ETIMEDOUT);
    come_in(role, r);
    return r;
}

static void take(uint32_t role)
{
    struct condition_world *world = condition_world();
    acquire(role);
    while (world->items == 0) {
        wait(role, KIN_FOREVER);
    }
    world->items--;
    world->taken++;
    release(role);
}

static void take_for_a_while(uint32_t role)
{
    struct condition_world *world = condition_world();
    int r = 0;
    acquire(role);
    while (world->items == 0 && r >= 0) {
        r = wait(role, kin_within_ms(5));
    }
    world->items -= world->items != 0;
    release(role);
}

/* Waits for an item and takes none: when notified, it notifies the next in its place; when not, it
 * leaves. So a notify that it got and does not know of is missed by who wants the item. */
static void pass_on_or_give_up(uint32_t role)
{
    struct condition_world *world = condition_world();
    acquire(role);
    if (world->items == 0 && wait(role, kin_within_ms(5)) >= 0) {
        SCENARIO_CHECK(kin_condition_notify(world->conditions[role], 1) >= 0);
    }
    release(role);
}

static void bring(uint32_t role)
{
    acquire(role);
    condition_world()->items++;
    SCENARIO_CHECK(kin_condition_notify(condition_world()->conditions[role], 1) >= 0);
    release(role);
}

static void bring_two(uint32_t role)
{
    bring(role);
    bring(role);
}

static void wait_until_open(uint32_t role)
{
    acquire(role);
    while (!condition_world()->is_open) {
        wait(role, KIN_FOREVER);
    }
    release(role);
}

static void open_for_all(uint32_t role)
{
    acquire(role);
    condition_world()->is_open = true;
    SCENARIO_CHECK(kin_condition_notify_all(condition_world()->conditions[role]) >= 0);
    release(role);
}

const struct scenario condition_scenarios[] = {
    {.name = "condition, two wait, two notify",
     .create = create_condition,
     .attach = attach_condition,
     .roles = {{"takes", take, true, false, false},
               {"takes too", take, false, false, false},
               {"brings", bring, true, false, false},
               {"brings two", bring_two, false, false, false}},
     .deaths = 2},
    {.name = "condition, two wait, one notifies",
     .create = create_condition,
     .attach = attach_condition,
     .roles = {{"takes", take, true, false, false},
               {"takes too", take, false, false, false},
               {"brings two", bring_two, false, false, false}},
     .deaths = 1},
    {.name = "condition, all are notified",
     .create = create_condition,
     .attach = attach_condition,
     .roles = {{"waits", wait_until_open, true, false, false},
               {"waits too", wait_until_open, false, false, false},
               {"opens", open_for_all, true, false, false},
               {"opens too", open_for_all, false, false, false}},
     .deaths = 2},
    {.name = "condition, one gives up",
     .create = create_condition,
     .attach = attach_condition,
     .roles = {{"gives up", take_for_a_while, true, false, false},
               {"takes", take, false, false, false},
               {"brings two", bring_two, false, false, false}},
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {.name = "condition, one gives up and takes nothing",
     .create = create_condition,
     .attach = attach_condition,
     .roles = {{"gives up", pass_on_or_give_up, true, false, false},
               {"takes", take, false, false, false},
               {"brings", bring, false, false, false}},
     .deaths = 1,
     .patience_ms = 5,
     .may_expire = true},
    {0},
};
