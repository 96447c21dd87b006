#include "explore/scenario.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/event.h>
#include <kin/queue.h>

/* --- objects that are made, opened and let go --- */

struct object_world {
    kin_handle handle; /* of an object that only the roles have open */
    kin_handle other;  /* one that a role makes in the run */
    kin_queue *founder;
    kin_queue *queues[SCENARIO_ROLES_MAX];
    bool has_other;
};

static struct object_world *object_world(void)
{
    return scenario_world;
}

static void create_queue(void)
{
    struct object_world *world = object_world();
    SCENARIO_CHECK(kin_queue_create(NULL, &world->founder) == 0);
    world->handle = kin_queue_handle(world->founder);
}

static void create_nothing(void)
{
}

static void attach_queue(uint32_t role)
{
    struct object_world *world = object_world();
    SCENARIO_CHECK(kin_queue_attach(world->handle, &world->queues[role]) == 0);
}

static void attach_nothing(uint32_t role)
{
    (void)role;
}

static void let_go(uint32_t role)
{
    kin_queue_free(object_world()->queues[role]);
}

static void open_and_let_go(uint32_t role)
{
    kin_queue *again = NULL;
    SCENARIO_CHECK(kin_queue_attach(object_world()->handle, &again) == 0);
    kin_queue_free(object_world()->queues[role]);
    kin_queue_free(again);
}

/* The founder still has it: nothing of it may be gone. */
static void check_still_there(void)
{
    kin_queue *again = NULL;
    SCENARIO_CHECK(kin_queue_put_bytes(object_world()->founder, "x", 1, KIN_NOW) == 0);
    SCENARIO_CHECK(kin_queue_attach(object_world()->handle, &again) == 0);
    kin_queue_free(again);
    object_world()->founder = kin_queue_free(object_world()->founder);
    SCENARIO_CHECK(kin_queue_attach(object_world()->handle, &again) == -ESTALE);
}

static void make_object(uint32_t role)
{
    struct object_world *world = object_world();
    kin_event *event = NULL;
    (void)role;
    SCENARIO_CHECK(kin_event_create(NULL, &event) == 0);
    world->other = kin_event_handle(event);
    world->has_other = true;
    machine_point(POINT_ATOMIC, NULL);
    kin_event_free(event);
}

static bool has_other(void)
{
    return object_world()->has_other || scenario_is_dead(0);
}

static void open_object(uint32_t role)
{
    kin_event *event = NULL;
    (void)role;
    scenario_wait(has_other);
    int r = kin_event_attach(object_world()->other, &event);
    SCENARIO_CHECK(r == 0 || r == -ESTALE);
    if (r == 0) {
        SCENARIO_CHECK(kin_event_set(event) == 0);
        kin_event_free(event);
    }
}

static void make_another(uint32_t role)
{
    kin_queue *queue = NULL;
    (void)role;
    SCENARIO_CHECK(kin_queue_create(NULL, &queue) == 0);
    kin_queue_free(queue);
}

static void check_gone(void)
{
    kin_event *event = NULL;
    SCENARIO_CHECK(!object_world()->has_other ||
                   kin_event_attach(object_world()->other, &event) == -ESTALE);
}

const struct scenario directory_scenarios[] = {
    {.name = "object, three let go",
     .create = create_queue,
     .attach = attach_queue,
     .roles = {{"A", let_go, true, false, false},
               {"B", open_and_let_go, true, false, false},
               {"C", let_go, false, false, false}},
     .check = check_still_there,
     .deaths = 2},
    {.name = "object, made and opened",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"makes", make_object, true, false, false},
               {"opens", open_object, true, false, false},
               {"other", make_another, false, false, false}},
     .check = check_gone,
     .deaths = 2},
    {.name = "object, reaper dies",
     .create = create_nothing,
     .attach = attach_nothing,
     .roles = {{"makes", make_object, true, false, false},
               {"opens", open_object, false, false, false}},
     .check = check_gone,
     .deaths = 2,
     .has_mortal_reaper = true},
    {0},
};
