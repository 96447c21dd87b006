#include "explore/scenario.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/local_queue.h>

/* Threads of one process, the first role's; nobody dies alone. */
struct local_world {
    kin_local_queue *queue;
    uint8_t put[SCENARIO_ROLES_MAX * 2];
    uint8_t got[SCENARIO_ROLES_MAX * 2];
    uint32_t producers_left;
    uint32_t tasks_left;
};

static struct local_world *local_world(void)
{
    return scenario_world;
}

/* Marks an item that somebody has now. */
static void receive(void *item)
{
    struct local_world *world = local_world();
    size_t number = (size_t)((uint8_t *)item - world->put);
    SCENARIO_CHECK(number < sizeof world->put && world->put[number]);
    SCENARIO_CHECK(!world->got[number]);
    world->got[number] = 1;
}

static void create_nothing(void)
{
}

static void attach_with(uint32_t role, const kin_local_queue_options *options, uint32_t producers)
{
    if (role == 0) {
        SCENARIO_CHECK(kin_local_queue_create(options, &local_world()->queue) == 0);
        local_world()->producers_left = producers;
    }
}

static void attach_bounded(uint32_t role)
{
    attach_with(
        role,
        &(kin_local_queue_options){.size = sizeof(kin_local_queue_options), .item_count_max = 1},
        2);
}

static void attach_priority(uint32_t role)
{
    attach_with(role,
                &(kin_local_queue_options){.size = sizeof(kin_local_queue_options),
                                           .order = KIN_LOCAL_PRIORITY},
                2);
}

static void put_two(uint32_t role)
{
    struct local_world *world = local_world();
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t number = role * 2 + i;
        world->put[number] = 1;
        SCENARIO_CHECK(kin_local_queue_put(world->queue, &world->put[number], KIN_FOREVER) == 0);
    }
    if (--world->producers_left == 0) {
        SCENARIO_CHECK(kin_local_queue_close(world->queue) == 0);
    }
}

static void get_all(uint32_t role)
{
    struct local_world *world = local_world();
    void *item = NULL;
    int r = 0;
    (void)role;
    while ((r = kin_local_queue_get(world->queue, KIN_FOREVER, &item)) == 0) {
        receive(item);
    }
    SCENARIO_CHECK(r == -EPIPE);
}

static void get_and_finish(uint32_t role)
{
    struct local_world *world = local_world();
    void *item = NULL;
    (void)role;
    for (int i = 0; i < 2; i++) {
        SCENARIO_CHECK(kin_local_queue_get(world->queue, KIN_FOREVER, &item) == 0);
        machine_point(POINT_ATOMIC, NULL);
        receive(item);
        SCENARIO_CHECK(kin_local_queue_task_done(world->queue) == 0);
    }
}

static void put_and_join(uint32_t role)
{
    struct local_world *world = local_world();
    put_two(role);
    SCENARIO_CHECK(kin_local_queue_join(world->queue, KIN_FOREVER) == 0);
    SCENARIO_CHECK(world->got[role * 2] && world->got[role * 2 + 1]); /* put before the join */
}

static void attach_freeing(uint32_t role)
{
    attach_with(role,
                &(kin_local_queue_options){.size = sizeof(kin_local_queue_options),
                                           .item_count_max = 2,
                                           .free_item = receive},
                0);
}

static void put_until_shut(uint32_t role)
{
    struct local_world *world = local_world();
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t number = role * 2 + i;
        world->put[number] = 1;
        int r = kin_local_queue_put(world->queue, &world->put[number], KIN_FOREVER);
        SCENARIO_CHECK(r == 0 || r == -EPIPE);
        world->put[number] = r == 0;
    }
}

static void get_until_shut(uint32_t role)
{
    kin_local_queue *queue = local_world()->queue;
    void *item = NULL;
    int r = 0;
    (void)role;
    while ((r = kin_local_queue_get(queue, KIN_FOREVER, &item)) == 0) {
        receive(item);
        SCENARIO_CHECK(kin_local_queue_task_done(queue) == 0);
    }
    SCENARIO_CHECK(r == -EPIPE);
}

static void shut_and_join(uint32_t role)
{
    kin_local_queue *queue = local_world()->queue;
    (void)role;
    SCENARIO_CHECK(kin_local_queue_shutdown(queue) == 0);
    SCENARIO_CHECK(kin_local_queue_join(queue, KIN_FOREVER) == 0);
    SCENARIO_CHECK(kin_local_queue_item_count(queue) == 0);
}

static void join_all(uint32_t role)
{
    (void)role;
    SCENARIO_CHECK(kin_local_queue_join(local_world()->queue, KIN_FOREVER) == 0);
}

static void check_all(void)
{
    const struct local_world *world = local_world();
    for (size_t i = 0; i < sizeof world->put; i++) {
        SCENARIO_CHECK(world->put[i] == world->got[i]);
    }
}

const struct scenario local_scenarios[] = {
    {.name = "local queue, full, two to two",
     .create = create_nothing,
     .attach = attach_bounded,
     .roles = {{"puts", put_two, false, false, false},
               {"puts too", put_two, false, true, false},
               {"gets", get_all, false, true, false},
               {"gets too", get_all, false, true, false}},
     .check = check_all},
    {.name = "local queue, full, two to one",
     .create = create_nothing,
     .attach = attach_bounded,
     .roles = {{"puts", put_two, false, false, false},
               {"puts too", put_two, false, true, false},
               {"gets", get_all, false, true, false}},
     .check = check_all},
    {.name = "local queue, priority, two to one",
     .create = create_nothing,
     .attach = attach_priority,
     .roles = {{"puts", put_two, false, false, false},
               {"puts too", put_two, false, true, false},
               {"gets", get_all, false, true, false}},
     .check = check_all},
    {.name = "local queue, joined",
     .create = create_nothing,
     .attach = attach_priority,
     .roles = {{"puts", put_and_join, false, false, false},
               {"puts too", put_two, false, true, false},
               {"gets", get_and_finish, false, true, false},
               {"gets too", get_and_finish, false, true, false}}},
    {.name = "local queue, shut down",
     .create = create_nothing,
     .attach = attach_freeing,
     .roles = {{"puts", put_until_shut, false, false, false},
               {"gets", get_until_shut, false, true, false},
               {"shuts down", shut_and_join, false, true, false},
               {"joins", join_all, false, true, false}},
     .check = check_all},
    {0},
};
