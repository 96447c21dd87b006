#include "explore/scenario.h"

#include <kin/claim.h>
#include <kin/error.h>
#include <kin/reservation.h>

/* Messages are single bytes: their numbers. A task is done when somebody has acknowledged it; one
 * that was claimed by the dead comes again. */
#define TASKS_MAX 4u

struct claim_world {
    kin_handle handle;
    kin_queue *queues[SCENARIO_ROLES_MAX + 1];
    uint8_t put[TASKS_MAX];
    uint8_t done[TASKS_MAX];
    uint8_t is_ending[SCENARIO_ROLES_MAX]; /* acknowledges, by role: task + 1 */
    uint8_t refused;
    uint32_t dead_letters;
};

static struct claim_world *claim_world(void)
{
    return scenario_world;
}

static void create_with(const kin_queue_options *options, uint8_t tasks)
{
    struct claim_world *world = claim_world();
    SCENARIO_CHECK(kin_queue_create(options, &world->queues[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_queue_handle(world->queues[SCENARIO_ROLES_MAX]);
    for (uint8_t i = 0; i < tasks; i++) {
        SCENARIO_CHECK(kin_queue_put_bytes(world->queues[SCENARIO_ROLES_MAX], &i, 1, KIN_NOW) == 0);
        world->put[i] = 1;
    }
}

static void create_two(void)
{
    create_with(NULL, 2);
    SCENARIO_CHECK(kin_queue_close(claim_world()->queues[SCENARIO_ROLES_MAX]) == 0);
}

static void create_limited(void)
{
    create_with(&(kin_queue_options){.size = sizeof(kin_queue_options), .delivery_count_max = 2},
                2);
    SCENARIO_CHECK(kin_queue_close(claim_world()->queues[SCENARIO_ROLES_MAX]) == 0);
}

static void create_joinable(void)
{
    create_with(&(kin_queue_options){.size = sizeof(kin_queue_options), .is_joinable = true}, 2);
}

static void create_empty(void)
{
    create_with(&(kin_queue_options){.size = sizeof(kin_queue_options), .item_count_max = 1}, 0);
}

static void attach_queue(uint32_t role)
{
    struct claim_world *world = claim_world();
    SCENARIO_CHECK(kin_queue_attach(world->handle, &world->queues[role]) == 0);
}

static uint8_t task_of(const kin_claim *claim)
{
    SCENARIO_CHECK(claim->bytes.size == 1);
    uint8_t task = *(const uint8_t *)claim->bytes.data;
    SCENARIO_CHECK(task < TASKS_MAX && !claim_world()->done[task]);
    return task;
}

static void work_until_end(uint32_t role)
{
    struct claim_world *world = claim_world();
    kin_claim claim = {0};
    int r = 0;
    while ((r = kin_queue_claim(world->queues[role], KIN_FOREVER, &claim)) == 0) {
        kin_claim stale = claim;
        uint8_t task = task_of(&claim);
        machine_point(POINT_ATOMIC, NULL);
        world->is_ending[role] = (uint8_t)(task + 1);
        SCENARIO_CHECK(kin_queue_acknowledge(world->queues[role], &claim) == 0);
        world->is_ending[role] = 0;
        world->done[task] = 1;
        SCENARIO_CHECK(kin_queue_acknowledge(world->queues[role], &stale) < 0);
    }
    SCENARIO_CHECK(r == -EPIPE);
}

/* Refuses what it gets first. */
static void refuse_one(uint32_t role)
{
    struct claim_world *world = claim_world();
    kin_claim claim = {0};
    int r = kin_queue_claim(world->queues[role], KIN_FOREVER, &claim);
    SCENARIO_CHECK(r == 0 || r == -EPIPE);
    if (r == 0) {
        task_of(&claim);
        machine_point(POINT_ATOMIC, NULL);
        SCENARIO_CHECK(kin_queue_refuse(world->queues[role], &claim) == 0);
    }
}

/* Acknowledged by one that died before it could say so, or a dead letter, or done. */
static void check_tasks(void)
{
    struct claim_world *world = claim_world();
    uint32_t open = 0;
    for (uint32_t i = 0; i < TASKS_MAX; i++) {
        bool is_excused = false;
        for (uint32_t role = 0; role < SCENARIO_ROLES_MAX; role++) {
            is_excused |= world->is_ending[role] == i + 1;
        }
        open += world->put[i] && !world->done[i] && !is_excused;
    }
    kin_queue *queue = world->queues[SCENARIO_ROLES_MAX];
    SCENARIO_CHECK(open <= kin_queue_dead_letter_count(queue));
    SCENARIO_CHECK(kin_queue_item_count(queue) == 0);
}

/* --- tasks of a joinable queue --- */

static void do_one_task(uint32_t role)
{
    struct claim_world *world = claim_world();
    kin_message message = {0};
    int r = kin_queue_get_bytes(world->queues[role], KIN_FOREVER, &message);
    SCENARIO_CHECK(r == 0);
    kin_message_free(&message);
    machine_point(POINT_ATOMIC, NULL);
    SCENARIO_CHECK(kin_queue_task_done(world->queues[role]) == 0);
}

static void join(uint32_t role)
{
    int r = kin_queue_join(claim_world()->queues[role], KIN_FOREVER);
    SCENARIO_CHECK(r >= 0);
    SCENARIO_CHECK(machine->death_count > 0 || r == 0);
}

/* --- reservations --- */

static void reserve_and_commit(uint32_t role)
{
    kin_queue *queue = claim_world()->queues[role];
    kin_reservation reservation = {0};
    for (uint8_t i = 0; i < 2; i++) {
        SCENARIO_CHECK(kin_queue_reserve(queue, 1, KIN_FOREVER, &reservation) == 0);
        *(uint8_t *)reservation.data = i;
        machine_point(POINT_ATOMIC, NULL);
        if (i == 0) {
            SCENARIO_CHECK(kin_queue_abandon(queue, &reservation) == 0);
        } else {
            claim_world()->put[1] = 1;
            SCENARIO_CHECK(kin_queue_commit(queue, &reservation) == 0);
        }
    }
}

static void put_and_close(uint32_t role)
{
    kin_queue *queue = claim_world()->queues[role];
    uint8_t task = 2;
    claim_world()->put[2] = 1;
    SCENARIO_CHECK(kin_queue_put_bytes(queue, &task, 1, KIN_FOREVER) == 0);
}

static void get_both(uint32_t role)
{
    struct claim_world *world = claim_world();
    kin_message message = {0};
    for (int i = 0; i < 2; i++) {
        SCENARIO_CHECK(kin_queue_get_bytes(world->queues[role], KIN_FOREVER, &message) == 0);
        uint8_t task = *(const uint8_t *)kin_message_bytes(&message).data;
        SCENARIO_CHECK(task < TASKS_MAX && world->put[task] && !world->done[task]);
        world->done[task] = 1;
        kin_message_free(&message);
    }
}

static void check_both(void)
{
    SCENARIO_CHECK(claim_world()->done[1] && claim_world()->done[2]);
    SCENARIO_CHECK(kin_queue_item_count(claim_world()->queues[SCENARIO_ROLES_MAX]) == 0);
}

const struct scenario claim_scenarios[] = {
    {.name = "claims, two workers",
     .create = create_two,
     .attach = attach_queue,
     .roles = {{"A", work_until_end, true, false, false},
               {"B", work_until_end, false, false, false}},
     .check = check_tasks,
     .deaths = 1},
    {.name = "claims, one refuses",
     .create = create_two,
     .attach = attach_queue,
     .roles = {{"refuses", refuse_one, true, false, false},
               {"A", work_until_end, true, false, false},
               {"B", work_until_end, false, false, false}},
     .check = check_tasks,
     .deaths = 2},
    {.name = "claims, dead letters",
     .create = create_limited,
     .attach = attach_queue,
     .roles = {{"refuses", refuse_one, true, false, false},
               {"refuses too", refuse_one, true, false, false},
               {"A", work_until_end, false, false, false}},
     .check = check_tasks,
     .deaths = 2},
    {.name = "tasks, joined",
     .create = create_joinable,
     .attach = attach_queue,
     .roles = {{"A", do_one_task, true, false, false},
               {"B", do_one_task, false, false, false},
               {"joins", join, false, false, false}},
     .deaths = 0},
    {.name = "reservations, full",
     .create = create_empty,
     .attach = attach_queue,
     .roles = {{"reserves", reserve_and_commit, false, false, false},
               {"puts", put_and_close, false, false, false},
               {"gets", get_both, false, false, false}},
     .check = check_both},
    {0},
};
