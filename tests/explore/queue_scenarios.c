#include "explore/scenario.h"

#include <kin/error.h>
#include <kin/queue.h>
#include <string.h>

/* Producers put what they have, numbered; the last one waits for the others and closes; consumers
 * take until the end. Every message that was put is taken once, but for one in the hands of each
 * consumer that died at a get. */
#define MESSAGES_MAX 4u

struct message {
    uint32_t producer;
    uint32_t number;
    unsigned char filling[192];
};

struct queue_world {
    kin_handle handle;
    kin_queue *queues[SCENARIO_ROLES_MAX + 1];
    uint64_t item_count_max;
    uint32_t bytes; /* of a message */
    uint32_t message_count;
    uint32_t producers; /* roles, as bits */
    uint32_t done;
    uint8_t begun[SCENARIO_ROLES_MAX][MESSAGES_MAX];
    uint8_t put[SCENARIO_ROLES_MAX][MESSAGES_MAX];
    uint8_t got[SCENARIO_ROLES_MAX][MESSAGES_MAX];
    uint8_t is_getting[SCENARIO_ROLES_MAX];
    kin_message messages[SCENARIO_ROLES_MAX]; /* what gets write to: seen after a death */
    uint32_t last[SCENARIO_ROLES_MAX][SCENARIO_ROLES_MAX]; /* by consumer and producer */
};

static struct queue_world *queue_world(void)
{
    return scenario_world;
}

static void create_queue(uint64_t item_count_max, uint32_t bytes, uint32_t message_count)
{
    struct queue_world *world = queue_world();
    kin_queue_options options = {.size = sizeof options, .item_count_max = item_count_max};
    world->bytes = bytes;
    world->message_count = message_count;
    SCENARIO_CHECK(kin_queue_create(&options, &world->queues[SCENARIO_ROLES_MAX]) == 0);
    world->handle = kin_queue_handle(world->queues[SCENARIO_ROLES_MAX]);
}

static void create_open(void)
{
    create_queue(0, 16, 2);
}

static void create_bounded(void)
{
    create_queue(1, 16, 2);
}

static void create_large(void)
{
    create_queue(0, sizeof(struct message), 1);
}

static void create_bounded_large(void)
{
    create_queue(1, sizeof(struct message), 1);
}

/* Full with two messages, of which one that is taken makes place for the small one only. */
static void create_bytes(void)
{
    struct queue_world *world = queue_world();
    unsigned char filling[50] = {0};
    kin_queue_options options = {.size = sizeof options, .message_bytes_max = 100};
    kin_queue **queue = &world->queues[SCENARIO_ROLES_MAX];
    SCENARIO_CHECK(kin_queue_create(&options, queue) == 0);
    world->handle = kin_queue_handle(*queue);
    for (int i = 0; i < 2; i++) {
        SCENARIO_CHECK(kin_queue_put_bytes(*queue, filling, sizeof filling, KIN_NOW) == 0);
    }
}

static void put_size(uint32_t role, size_t size)
{
    unsigned char filling[100] = {0};
    SCENARIO_CHECK(kin_queue_put_bytes(queue_world()->queues[role], filling, size, KIN_FOREVER) ==
                   0);
    queue_world()->done |= 1u << role;
}

static void put_hundred(uint32_t role)
{
    put_size(role, 100);
}

static void put_ten(uint32_t role)
{
    put_size(role, 10);
}

static bool is_second_done(void)
{
    return (queue_world()->done & 2u) != 0;
}

static void take_size(uint32_t role)
{
    kin_message message = {0};
    SCENARIO_CHECK(kin_queue_get_bytes(queue_world()->queues[role], KIN_FOREVER, &message) == 0);
    kin_message_free(&message);
}

static void get_one_by_one(uint32_t role)
{
    take_size(role);
    scenario_wait(is_second_done);
    for (int i = 0; i < 3; i++) {
        take_size(role);
    }
}

/* The next put needs another segment. */
static void create_at_end_of_segment(void)
{
    create_queue(0, 16, 1);
    kin_queue *queue = queue_world()->queues[SCENARIO_ROLES_MAX];
    for (uint32_t i = 0; i < 62; i++) {
        kin_message message;
        SCENARIO_CHECK(kin_queue_put_bytes(queue, &i, sizeof i, KIN_NOW) == 0);
        SCENARIO_CHECK(kin_queue_get_bytes(queue, KIN_NOW, &message) == 0);
        kin_message_free(&message);
    }
}

static void attach_queue(uint32_t role)
{
    struct queue_world *world = queue_world();
    SCENARIO_CHECK(kin_queue_attach(world->handle, &world->queues[role]) == 0);
}

static void put_all(uint32_t role)
{
    struct queue_world *world = queue_world();
    for (uint32_t i = 0; i < world->message_count; i++) {
        struct message message = {.producer = role, .number = i};
        memset(message.filling, (int)(role * 16 + i + 1), sizeof message.filling);
        world->begun[role][i] = 1;
        SCENARIO_CHECK(
            kin_queue_put_bytes(world->queues[role], &message, world->bytes, KIN_FOREVER) == 0);
        world->put[role][i] = 1;
    }
    world->done |= 1u << role;
}

static bool are_producers_done(void)
{
    const struct queue_world *world = queue_world();
    for (uint32_t role = 0; role < SCENARIO_ROLES_MAX; role++) {
        if (world->producers >> role & 1 && !(world->done >> role & 1) && !scenario_is_dead(role)) {
            return false;
        }
    }
    return true;
}

static void put_all_and_close(uint32_t role)
{
    put_all(role);
    scenario_wait(are_producers_done);
    SCENARIO_CHECK(kin_queue_close(queue_world()->queues[role]) == 0);
}

static void note(uint32_t role, const kin_message *message)
{
    struct queue_world *world = queue_world();
    kin_bytes bytes = kin_message_bytes(message);
    struct message content;
    SCENARIO_CHECK(bytes.size == world->bytes);
    memset(&content, 0, sizeof content);
    memcpy(&content, bytes.data, bytes.size);
    SCENARIO_CHECK(content.producer < SCENARIO_ROLES_MAX && content.number < MESSAGES_MAX);
    SCENARIO_CHECK(world->begun[content.producer][content.number]);
    SCENARIO_CHECK(!world->got[content.producer][content.number]);
    size_t filled = world->bytes - offsetof(struct message, filling);
    for (size_t i = 0; i < filled; i++) {
        SCENARIO_CHECK(content.filling[i] == content.producer * 16 + content.number + 1);
    }
    world->got[content.producer][content.number] = 1;
    /* What the dead had in hand comes again later than what came after it. */
    SCENARIO_CHECK(machine->death_count > 0 ||
                   world->last[role][content.producer] <= content.number);
    world->last[role][content.producer] = content.number;
}

static int take_one(uint32_t role, kin_timeout timeout)
{
    struct queue_world *world = queue_world();
    kin_message *message = &world->messages[role];
    memset(message, 0, sizeof *message);
    world->is_getting[role] = 1;
    int r = kin_queue_get_bytes(world->queues[role], timeout, message);
    world->is_getting[role] = 0;
    if (r == 0) {
        note(role, message);
        kin_message_free(message);
    }
    return r;
}

static void get_all(uint32_t role)
{
    int r = 0;
    while (r == 0) {
        r = take_one(role, KIN_FOREVER);
    }
    SCENARIO_CHECK(r == -EPIPE);
}

static void get_for_a_while(uint32_t role)
{
    int r = take_one(role, kin_within_ms(5));
    SCENARIO_CHECK(r == 0 || r == -ETIMEDOUT || r == -EPIPE);
}

static void check_queue(void)
{
    struct queue_world *world = queue_world();
    uint32_t lost = 0;
    uint32_t excused = 0;
    for (uint32_t role = 0; role < SCENARIO_ROLES_MAX; role++) {
        for (uint32_t i = 0; i < MESSAGES_MAX; i++) {
            lost += world->put[role][i] && !world->got[role][i];
        }
        /* It is taken after it was written to where the consumer wants it. */
        excused += world->is_getting[role] && world->messages[role].size != 0;
    }
    SCENARIO_CHECK(lost <= excused);
    SCENARIO_CHECK(kin_queue_item_count(world->queues[SCENARIO_ROLES_MAX]) == 0);
}

/* The producers of a scenario are its first roles. */
static void attach_one_producer(uint32_t role)
{
    queue_world()->producers = 1;
    attach_queue(role);
}

static void attach_two_producers(uint32_t role)
{
    queue_world()->producers = 3;
    attach_queue(role);
}

const struct scenario queue_scenarios[] = {
    {.name = "queue, one to one",
     .create = create_open,
     .attach = attach_one_producer,
     .roles = {{"puts", put_all_and_close, false, false, false},
               {"gets", get_all, false, false, false}},
     .check = check_queue,
     .patience_ms = 10},
    {.name = "queue, one to two, one dies",
     .create = create_open,
     .attach = attach_one_producer,
     .roles = {{"puts", put_all_and_close, false, false, false},
               {"gets", get_all, true, false, false},
               {"gets too", get_all, false, false, false}},
     .check = check_queue,
     .deaths = 1,
     .patience_ms = 10},
    {.name = "queue, two to one, one dies",
     .create = create_open,
     .attach = attach_two_producers,
     .roles = {{"puts", put_all, true, false, false},
               {"puts too", put_all_and_close, false, false, false},
               {"gets", get_all, false, false, false}},
     .check = check_queue,
     .deaths = 1,
     .patience_ms = 10},
    {.name = "queue, full, two to two",
     .create = create_bounded,
     .attach = attach_two_producers,
     .roles = {{"puts", put_all, true, false, false},
               {"puts too", put_all_and_close, false, false, false},
               {"gets", get_all, true, false, false},
               {"gets too", get_all, false, false, false}},
     .check = check_queue,
     .deaths = 2,
     .patience_ms = 10},
    {.name = "queue, large, two to two",
     .create = create_large,
     .attach = attach_two_producers,
     .roles = {{"puts", put_all, true, false, false},
               {"puts too", put_all_and_close, false, false, false},
               {"gets", get_all, true, false, false},
               {"gets too", get_all, false, false, false}},
     .check = check_queue,
     .deaths = 2,
     .patience_ms = 10},
    {.name = "queue, full, large, reaper dies",
     .create = create_bounded_large,
     .attach = attach_two_producers,
     .roles = {{"puts", put_all, true, false, false},
               {"puts too", put_all_and_close, false, false, false},
               {"gets", get_all, false, false, false}},
     .check = check_queue,
     .deaths = 2,
     .patience_ms = 10,
     .has_mortal_reaper = true},
    {.name = "queue, one gives up",
     .create = create_bounded,
     .attach = attach_one_producer,
     .roles = {{"puts", put_all_and_close, false, false, false},
               {"gives up", get_for_a_while, true, false, false},
               {"gets", get_all, false, false, false}},
     .check = check_queue,
     .deaths = 1,
     .patience_ms = 10,
     .may_expire = true},
    {.name = "queue, bytes full",
     .create = create_bytes,
     .attach = attach_queue,
     .roles = {{"puts 100", put_hundred, false, false, false},
               {"puts 10", put_ten, false, false, false},
               {"gets", get_one_by_one, false, false, false}}},
    {.name = "queue, next segment",
     .create = create_at_end_of_segment,
     .attach = attach_two_producers,
     .roles = {{"puts", put_all, true, false, false},
               {"puts too", put_all_and_close, false, false, false},
               {"gets", get_all, true, false, false},
               {"gets too", get_all, false, false, false}},
     .check = check_queue,
     .deaths = 1,
     .patience_ms = 10},
    {0},
};
