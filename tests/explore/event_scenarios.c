#include "explore/scenario.h"
#include "family/cancel.h"

#include <kin/cancel.h>
#include <kin/error.h>
#include <kin/event.h>

struct event_world {
    kin_handle handle;
    kin_handle token_handle;
    kin_event *events[SCENARIO_ROLES_MAX + 1];
    kin_cancel *tokens[SCENARIO_ROLES_MAX + 1];
    bool is_set;       /* a set has returned, and nobody clears again */
    bool is_requested; /* the same for the token */
    uint32_t woken;
};

static struct event_world *event_world(void)
{
    return scenario_world;
}

static void create(void)
{
    struct event_world *world = event_world();
    SCENARIO_CHECK(kin_event_create(NULL, &world->events[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_event_handle(world->events[SCENARIO_ROLES_MAX]);
    SCENARIO_CHECK(kin_cancel_create(&world->tokens[SCENARIO_ROLES_MAX]) == 0);
    world->token_handle = kin_cancel_handle(world->tokens[SCENARIO_ROLES_MAX]);
}

static void attach(uint32_t role)
{
    struct event_world *world = event_world();
    SCENARIO_CHECK(kin_event_attach(world->handle, &world->events[role]) == 0);
    SCENARIO_CHECK(kin_cancel_attach(world->token_handle, &world->tokens[role]) == 0);
}

static void wait_for_event(uint32_t role)
{
    SCENARIO_CHECK(kin_event_wait(event_world()->events[role], KIN_FOREVER) == 0);
    event_world()->woken++;
}

static void set(uint32_t role)
{
    SCENARIO_CHECK(kin_event_set(event_world()->events[role]) == 0);
    event_world()->is_set = true;
}

static void set_and_clear(uint32_t role)
{
    SCENARIO_CHECK(kin_event_set(event_world()->events[role]) == 0);
    SCENARIO_CHECK(kin_event_clear(event_world()->events[role]) == 0);
}

static void set_clear_set(uint32_t role)
{
    set_and_clear(role);
    set(role);
}

static void wait_with_token(uint32_t role)
{
    struct event_world *world = event_world();
    int r = kin_event_wait(world->events[role], kin_by(INT64_MAX, world->tokens[role]));
    SCENARIO_CHECK(r == 0 || r == -ECANCELED);
    world->woken++;
}

static void request(uint32_t role)
{
    SCENARIO_CHECK(kin_cancel_request(event_world()->tokens[role]) == 0);
    event_world()->is_requested = true;
}

static void check_set(void)
{
    SCENARIO_CHECK(kin_event_is_set(event_world()->events[SCENARIO_ROLES_MAX]));
}

static void check_requested(void)
{
    SCENARIO_CHECK(kin_cancel_is_requested(event_world()->tokens[SCENARIO_ROLES_MAX]));
}

const struct scenario event_scenarios[] = {
    {.name = "event, two wait, two set",
     .create = create,
     .attach = attach,
     .roles = {{"waits", wait_for_event, true, false, false},
               {"waits too", wait_for_event, true, false, false},
               {"sets", set, true, false, false},
               {"sets too", set, false, false, false}},
     .check = check_set,
     .deaths = 2},
    {.name = "event, set and cleared",
     .create = create,
     .attach = attach,
     .roles = {{"waits", wait_for_event, true, false, false},
               {"waits too", wait_for_event, false, false, false},
               {"sets", set_clear_set, false, false, false}},
     .check = check_set,
     .deaths = 2},
    {.name = "event, old kernel",
     .create = create,
     .attach = attach,
     .roles = {{"waits", wait_for_event, true, false, false},
               {"waits too", wait_for_event, false, false, false},
               {"sets", set, false, false, false}},
     .check = check_set,
     .deaths = 1,
     .patience_ms = 1000,
     .is_old = true},
    {.name = "token, two wait",
     .create = create,
     .attach = attach,
     .roles = {{"waits", wait_with_token, true, false, false},
               {"waits too", wait_with_token, true, false, false},
               {"requests", request, true, false, false},
               {"requests too", request, false, false, false}},
     .check = check_requested,
     .deaths = 2},
    {.name = "token against event",
     .create = create,
     .attach = attach,
     .roles = {{"waits", wait_with_token, false, false, false},
               {"sets", set_and_clear, true, false, false},
               {"requests", request, false, false, false}},
     .check = check_requested,
     .deaths = 1},
    {0},
};
