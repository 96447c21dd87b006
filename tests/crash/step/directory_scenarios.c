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
    CRASH_CHECK(kin_event_create(NULL, &event) == 0);
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
    CRASH_CHECK(kin_event_create(NULL, &own_event) == 0);
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
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
}

/* --- a handle in a block of the founder's, that names a lock and is to name the event --- */

static kin_handle *replaced(void)
{
    return kin__at(scene.block);
}

static void set_up_replaced(void)
{
    set_up();
    CRASH_CHECK(kin_lock_create(NULL, &scene.lock) == 0);
    CRASH_CHECK(kin__block_create(sizeof(kin_handle), 1, KIN__BLOCK_REFERENCES, &scene.block) == 0);
    CRASH_CHECK(kin__reference_replace(replaced(), kin_lock_handle(scene.lock)) == 0);
}

static void replace_handle(void)
{
    CRASH_CHECK(kin__reference_replace(replaced(), kin_event_handle(scene.event)) == 0);
}

static void look_and_replace_handle(void)
{
    uint64_t counter = kin__reference_read(replaced()).counter;
    CRASH_CHECK(counter == kin_lock_handle(scene.lock).counter ||
                counter == kin_event_handle(scene.event).counter);
    replace_handle();
    CRASH_CHECK(kin__reference_replace(replaced(), kin_lock_handle(scene.lock)) == 0);
}

/* The victim replaces the last reference to the lock. */
static void set_up_last(void)
{
    set_up_replaced();
    scene.lock = kin_lock_free(scene.lock);
}

static void look_at_the_event(void)
{
    replace_handle();
    CRASH_CHECK(kin__reference_read(replaced()).counter == kin_event_handle(scene.event).counter);
}

static void finish_replaced(void)
{
    scene.lock = kin_lock_free(scene.lock);
    scene.event = kin_event_free(scene.event);
    kin__block_free(scene.block, kin__block_of_member(kin__family.owner));
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
    {.name = "handle in a block",
     .context = "replace",
     .setup = set_up_replaced,
     .victim = replace_handle,
     .survivor = look_and_replace_handle,
     .finish = finish_replaced},
    {.name = "handle in a block",
     .context = "replace the last reference",
     .setup = set_up_last,
     .victim = replace_handle,
     .survivor = look_at_the_event,
     .finish = finish_replaced},
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
