/*
 * The directory: objects that are created, opened by others, and freed by the last one.
 */
#include "step/scenario.h"

#include "family/directory.h"
#include "family/heap.h"
#include "family/member.h"

#include <stddef.h>

static kin_queue *own_queue; /* of a process, private */
static kin_event *own_event;

static void create_and_free(void)
{
    kin_event *event = NULL;
    CRASH_CHECK(kin_event_create(&event) == 0);
    kin_handle handle = kin_event_handle(event);
    kin_event *again = NULL;
    CRASH_CHECK(kin_event_attach(handle, &again) == 0);
    kin_event_free(event);
    CRASH_CHECK(kin_event_set(again) == 0);
    kin_event_free(again);
    CRASH_CHECK(kin__directory_find(handle) == NULL);
}

static void attach_and_free(void)
{
    kin_event *event = NULL;
    CRASH_CHECK(kin_event_attach(kin_event_handle(scene.event), &event) == 0);
    CRASH_CHECK(kin_event_set(event) == 0);
    kin_event_free(event);
}

static void make_own_event(void)
{
    CRASH_CHECK(kin_event_create(&own_event) == 0);
}

static void free_own_event(void)
{
    kin_event_free(own_event);
}

static void put_one(kin_queue *queue, size_t size, uint32_t seed)
{
    static unsigned char bytes[4096];
    crash_fill(bytes, size, seed);
    CRASH_CHECK(kin_queue_put_bytes(queue, bytes, size, KIN_NOW) == 0);
}

static void make_own_queue(void)
{
    CRASH_CHECK(kin_queue_create(NULL, &own_queue) == 0);
    for (uint32_t i = 0; i < 70; i++) { /* more than a segment */
        put_one(own_queue, i % 3 == 0 ? 4000 : 20, i);
    }
}

static void create_own_queue(void)
{
    CRASH_CHECK(kin_queue_create(NULL, &own_queue) == 0);
}

static void free_own_queue(void)
{
    kin_queue_free(own_queue);
}

static void make_and_free_queue(void)
{
    make_own_queue();
    free_own_queue();
}

static void set_up(void)
{
    CRASH_CHECK(kin_event_create(&scene.event) == 0);
}

static void finish(void)
{
    scene.event = kin_event_free(scene.event);
}

const struct scenario directory_scenarios[] = {
    {.name = "object",
     .context = "create, open, free",
     .setup = set_up,
     .victim = create_and_free,
     .survivor = create_and_free,
     .finish = finish},
    {.name = "object",
     .context = "open and free another's",
     .setup = set_up,
     .victim = attach_and_free,
     .survivor = attach_and_free,
     .finish = finish},
    {.name = "object",
     .context = "free the last reference",
     .setup = set_up,
     .prepare = make_own_event,
     .victim = free_own_event,
     .survivor = create_and_free,
     .finish = finish},
    {.name = "queue",
     .context = "create",
     .setup = set_up,
     .victim = create_own_queue,
     .survivor = make_and_free_queue,
     .finish = finish},
    {.name = "queue",
     .context = "free with messages in it",
     .setup = set_up,
     .prepare = make_own_queue,
     .victim = free_own_queue,
     .survivor = make_and_free_queue,
     .finish = finish},
    {0},
};
