/*
 * The queue: objects with a handle in them, put and taken. What the handle names is there as long
 * as the message, and gone with it.
 */
#include "step/messages.h"

#include <errno.h>
#include <kin/handle.h>
#include <kin/list.h>

static size_t data_bytes;    /* of the bytes in each object */
static kin_object *prepared; /* what the victim puts */
static kin_handle event_handle;

/* --- objects --- */

/* A number, bytes, the handle of scene.event. */
static kin_object *create_object(uint32_t seed)
{
    unsigned char data[BYTES_LARGE];
    kin_object *handle = NULL;
    crash_fill(data, data_bytes, seed);
    CRASH_CHECK(kin_object_from_handle(event_handle, &handle) == 0);
    kin_object *object = KIN_TUPLE(kin_object_from_int(seed),
                                   kin_object_from_bytes(data, data_bytes), handle);
    CRASH_CHECK(object != NULL);
    return object;
}

static void put_object(const kin_object *object, uint32_t seed)
{
    atomic_fetch_add(&scene.board->intended[seed], 1);
    CRASH_CHECK(kin_queue_put(scene.queue, object, KIN_FOREVER) == 0);
    atomic_fetch_add(&scene.board->sent[seed], 1);
}

static void put_new(uint32_t seed)
{
    kin_object *object = create_object(seed);
    put_object(object, seed);
    kin_object_free(object);
}

/* The seed of a whole object, which is freed. */
static uint32_t look_at(kin_object *object)
{
    int64_t seed = 0;
    kin_handle handle = {0};
    kin_event *event = NULL;
    kin_bytes bytes = kin_object_bytes(kin_object_at(object, 1));
    CRASH_CHECK(kin_object_to_int(kin_object_at(object, 0), &seed) == 0);
    CRASH_CHECK(bytes.size == data_bytes &&
                crash_is_filled(bytes.data, bytes.size, (uint32_t)seed));
    CRASH_CHECK(kin_object_to_handle(kin_object_at(object, 2), &handle) == 0);
    CRASH_CHECK(kin_event_attach(handle, &event) == 0);
    kin_event_free(event);
    kin_object_free(object);
    return (uint32_t)seed;
}

/* 0: there is none. */
static uint32_t take_object(kin_timeout timeout)
{
    kin_object *object = NULL;
    int r = kin_queue_get(scene.queue, timeout, &object);
    if (r < 0) {
        CRASH_CHECK(r == -EAGAIN);
        return 0;
    }
    uint32_t seed = look_at(object);
    atomic_fetch_add(&scene.board->received[seed], 1);
    return seed;
}

/* --- setups --- */

static void set_up(size_t bytes)
{
    data_bytes = bytes;
    messages_create(0);
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
    event_handle = kin_event_handle(scene.event);
}

static void set_up_put_small(void)
{
    set_up(BYTES_SMALL);
    put_new(SEED_FIRST);
}

static void set_up_put_large(void)
{
    set_up(BYTES_LARGE);
    put_new(SEED_FIRST);
}

static void prepare_put(void)
{
    prepared = create_object(SEED_VICTIM);
}

static void set_up_get(void)
{
    set_up(BYTES_SMALL);
    put_new(SEED_VICTIM);
    put_new(SEED_FIRST);
}

/* --- victims --- */

static void put(void)
{
    put_object(prepared, SEED_VICTIM);
}

static void get(void)
{
    kin_object *object = NULL;
    CRASH_CHECK(kin_queue_get(scene.queue, KIN_FOREVER, &object) == 0);
    atomic_store(&scene.board->is_done, 1);
}

/* --- survivors --- */

static void take_first_and_victim(void)
{
    crash_await_reaped(scene.board->victim);
    CRASH_CHECK(take_object(KIN_FOREVER) == SEED_FIRST);
    uint32_t seed = take_object(KIN_NOW);
    CRASH_CHECK(seed == 0 || seed == SEED_VICTIM);
    CRASH_CHECK(take_object(KIN_NOW) == 0);
    uint64_t sent = atomic_load(&scene.board->sent[SEED_VICTIM]);
    CRASH_CHECK(messages_received(SEED_VICTIM) >= sent);
}

static void take_what_is_left(void)
{
    crash_await_reaped(scene.board->victim);
    uint32_t seed = take_object(KIN_FOREVER);
    if (seed == SEED_VICTIM) {
        CRASH_CHECK(atomic_load(&scene.board->is_done) == 0);
        seed = take_object(KIN_FOREVER);
    }
    CRASH_CHECK(seed == SEED_FIRST);
    CRASH_CHECK(take_object(KIN_NOW) == 0);
}

/* Nobody holds the event any more but this process. */
static void finish(void)
{
    kin_event *event = NULL;
    crash_await_quiet();
    CRASH_CHECK(kin_queue_item_count(scene.queue) == 0);
    scene.queue = kin_queue_free(scene.queue);
    scene.event = kin_event_free(scene.event);
    CRASH_CHECK(kin_event_attach(event_handle, &event) == -ESTALE);
}

const struct scenario queue_object_scenarios[] = {
    {.name = "queue put object",
     .context = "small, with a handle",
     .setup = set_up_put_small,
     .prepare = prepare_put,
     .victim = put,
     .survivor = take_first_and_victim,
     .finish = finish},
    {.name = "queue put object",
     .context = "large, with a handle",
     .setup = set_up_put_large,
     .prepare = prepare_put,
     .victim = put,
     .survivor = take_first_and_victim,
     .finish = finish},
    {.name = "queue get object",
     .context = "with a handle",
     .setup = set_up_get,
     .victim = get,
     .survivor = take_what_is_left,
     .finish = finish},
    {0},
};
