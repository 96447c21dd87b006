/*
 * Connections: objects with handles on their way through a pipe. What a handle names is there as
 * long as the message is or who has it, and goes once; and however many died with handles in their
 * hands, the pipe carries as many as before.
 *
 * Messages have the seeds 1, 2, 3 ... in the order in which they are sent.
 */
#include "step/scenario.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/handle.h>
#include <kin/list.h>
#include <kin/pipe.h>
#include <string.h>

enum { BYTES_SMALL = 60, BYTES_LARGE = 20000, PLACES = 64 };

enum {
    FLAG_LAST,      /* seed of the message that was taken last */
    FLAG_IS_BROKEN, /* the survivor was told that no more comes, or goes */
    FLAG_HAS_OWN,   /* the victim's own handle is in `own_handle` */
    FLAG_OWN,       /* and in the flags from here */
};

static kin_connection *left;
static kin_connection *right; /* sends */
static kin_handle event_handle;
static size_t data_bytes; /* of the bytes in each object */
static bool may_break;    /* a kill in the middle of a message ends the pipe */
static kin_object *prepared;
static kin_event *own_event;

static uint64_t flag(uint32_t index)
{
    return atomic_load(&scene.board->flags[index]);
}

/* --- objects --- */

/* A number, bytes, a handle as often as said. */
static kin_object *create_object(uint32_t seed, kin_handle handle, uint32_t handle_count)
{
    unsigned char data[BYTES_LARGE];
    kin_object *object = kin_list_create();
    crash_fill(data, data_bytes, seed);
    CRASH_CHECK(kin_list_append(object, kin_object_from_int(seed)) == 0);
    CRASH_CHECK(kin_list_append(object, kin_object_from_bytes(data, data_bytes)) == 0);
    for (uint32_t i = 0; i < handle_count; i++) {
        kin_object *item = NULL;
        CRASH_CHECK(kin_object_from_handle(handle, &item) == 0);
        CRASH_CHECK(kin_list_append(object, item) == 0);
    }
    return object;
}

static int send_new(uint32_t seed, uint32_t handle_count)
{
    kin_object *object = create_object(seed, event_handle, handle_count);
    int r = kin_connection_send(right, object, KIN_NOW);
    kin_object_free(object);
    return r;
}

/* The seed of a whole object whose handles lead to something; it is freed. */
static int look_at(kin_object *object)
{
    int64_t seed = 0;
    size_t count = kin_object_count(object);
    kin_bytes bytes = kin_object_bytes(kin_object_at(object, 1));
    CRASH_CHECK(kin_object_to_int(kin_object_at(object, 0), &seed) == 0);
    CRASH_CHECK(bytes.size == data_bytes &&
                crash_is_filled(bytes.data, bytes.size, (uint32_t)seed));
    for (size_t i = 2; i < count; i++) {
        kin_handle handle = {0};
        kin_event *event = NULL;
        CRASH_CHECK(kin_object_to_handle(kin_object_at(object, i), &handle) == 0);
        CRASH_CHECK(kin_event_attach(handle, &event) == 0);
        kin_event_free(event);
    }
    kin_object_free(object);
    return (int)seed;
}

/* The next one's seed, or a code. */
static int receive(kin_timeout timeout)
{
    kin_object *object = NULL;
    int r = kin_connection_receive(left, timeout, &object);
    return r < 0 ? r : look_at(object);
}

/* --- setups --- */

static void set_up(bool is_duplex, size_t bytes, uint32_t count)
{
    data_bytes = bytes;
    may_break = !is_duplex || bytes > BYTES_SMALL;
    CRASH_CHECK(kin_pipe_create(is_duplex, &left, &right) == 0);
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
    event_handle = kin_event_handle(scene.event);
    for (uint32_t seed = 1; seed <= count; seed++) {
        CRASH_CHECK(send_new(seed, 2) == 0);
    }
}

static void set_up_small(void)
{
    set_up(true, BYTES_SMALL, 0);
}

static void set_up_one_way(void)
{
    set_up(false, BYTES_SMALL, 0);
}

static void set_up_large(void)
{
    set_up(true, BYTES_LARGE, 0);
}

static void set_up_two(void)
{
    set_up(true, BYTES_SMALL, 2);
}

static void set_up_two_one_way(void)
{
    set_up(false, BYTES_SMALL, 2);
}

static void set_up_two_large(void)
{
    set_up(true, BYTES_LARGE, 2);
    may_break = false;
}

/* --- sending --- */

static void prepare_object(void)
{
    prepared = create_object(1, event_handle, 2);
}

static void send_prepared(void)
{
    CRASH_CHECK(kin_connection_send(right, prepared, KIN_FOREVER) == 0);
    atomic_store(&scene.board->is_done, 1);
}

static void prepare_own(void)
{
    CRASH_CHECK(kin_event_create(NULL, &own_event) == 0);
    kin_handle handle = kin_event_handle(own_event);
    memcpy((void *)&scene.board->flags[FLAG_OWN], &handle, sizeof handle);
    atomic_store(&scene.board->flags[FLAG_HAS_OWN], 1);
    prepared = create_object(1, handle, 1);
}

/* What the handle names lives on in the message alone. */
static void send_and_free(void)
{
    CRASH_CHECK(kin_connection_send(right, prepared, KIN_FOREVER) == 0);
    atomic_store(&scene.board->is_done, 1);
    prepared = kin_object_free(prepared);
    own_event = kin_event_free(own_event);
}

static void send_survivor(void)
{
    crash_await_reaped(scene.board->victim);
    int r = send_new(2, 1);
    CRASH_CHECK(r == 0 || (r == KIN_EBROKEN && may_break));
    atomic_store(&scene.board->flags[FLAG_IS_BROKEN], r != 0);
}

/* --- receiving --- */

static void receive_victim(void)
{
    kin_object *object = NULL;
    CRASH_CHECK(kin_connection_receive(left, KIN_FOREVER, &object) == 0);
    atomic_store(&scene.board->is_done, 1);
}

static void receive_survivor(void)
{
    crash_await_reaped(scene.board->victim);
    int seed = receive(KIN_FOREVER);
    if (seed == KIN_EBROKEN && may_break) {
        atomic_store(&scene.board->flags[FLAG_IS_BROKEN], 1);
        return;
    }
    CRASH_CHECK(seed == 2 || (seed == 1 && atomic_load(&scene.board->is_done) == 0));
    atomic_store(&scene.board->flags[FLAG_LAST], (uint64_t)seed);
}

/* --- what is left --- */

/* Once a message came that was sent after the death, all places are there for the next ones. */
static void check_places(void)
{
    CRASH_CHECK(send_new(3, 0) == 0);
    CRASH_CHECK(receive(KIN_NOW) == 3);
    CRASH_CHECK(send_new(4, PLACES) == 0);
    CRASH_CHECK(receive(KIN_NOW) == 4);
}

static void finish(void)
{
    kin_event *event = NULL;
    kin_handle own;
    memcpy(&own, (const void *)&scene.board->flags[FLAG_OWN], sizeof own);
    crash_await_quiet();
    if (flag(FLAG_IS_BROKEN) == 0) {
        check_places();
    }
    left = kin_connection_free(left);
    right = kin_connection_free(right);
    scene.event = kin_event_free(scene.event);
    CRASH_CHECK(kin_event_attach(event_handle, &event) == -ESTALE);
    CRASH_CHECK(flag(FLAG_HAS_OWN) == 0 || kin_event_attach(own, &event) == -ESTALE);
}

static void finish_sending(void)
{
    int r = receive(KIN_NOW);
    if (r == 1) {
        r = receive(KIN_NOW);
    } else {
        CRASH_CHECK(atomic_load(&scene.board->is_done) == 0);
    }
    if (flag(FLAG_IS_BROKEN) == 0) {
        CRASH_CHECK(r == 2);
    } else {
        CRASH_CHECK(r == -ECONNRESET || r == -EAGAIN);
    }
    finish();
}

static void finish_receiving(void)
{
    if (flag(FLAG_IS_BROKEN) == 0) {
        int seed = (int)flag(FLAG_LAST);
        CRASH_CHECK(receive(KIN_NOW) == (seed == 1 ? 2 : -EAGAIN));
    }
    finish();
}

#define SENDING(where, make)                                                           \
    {                                                                                  \
        .name = "connection send object", .context = where, .setup = make,             \
        .prepare = prepare_object, .victim = send_prepared, .survivor = send_survivor, \
        .finish = finish_sending                                                       \
    }
#define RECEIVING(where, make)                                                             \
    {                                                                                      \
        .name = "connection receive object", .context = where, .setup = make,              \
        .victim = receive_victim, .survivor = receive_survivor, .finish = finish_receiving \
    }

const struct scenario connection_object_scenarios[] = {
    SENDING("with handles", set_up_small),
    SENDING("with handles, one-way", set_up_one_way),
    SENDING("with handles, large", set_up_large),
    {.name = "connection send object",
     .context = "with a handle, and free it",
     .setup = set_up_small,
     .prepare = prepare_own,
     .victim = send_and_free,
     .survivor = send_survivor,
     .finish = finish_sending},
    RECEIVING("with handles", set_up_two),
    RECEIVING("with handles, one-way", set_up_two_one_way),
    RECEIVING("with handles, large", set_up_two_large),
    {0},
};
