/* The event: set, wait and clear, with others asleep on it. */
#include "step/scenario.h"

#include <stddef.h>

enum { FLAG_WAITING };

static void wait_for_event(void)
{
    atomic_fetch_add(&scene.board->flags[FLAG_WAITING], 1);
    CRASH_CHECK(kin_event_wait(scene.event, KIN_FOREVER) == 0);
}

static void set(void)
{
    CRASH_CHECK(kin_event_set(scene.event) == 0);
    atomic_store(&scene.board->is_done, 1);
}

static void clear(void)
{
    CRASH_CHECK(kin_event_clear(scene.event) == 0);
}

static void wait(void)
{
    CRASH_CHECK(kin_event_wait(scene.event, KIN_FOREVER) == 0);
}

/* What the victim has set is seen by those who sleep without anybody's help. */
static void set_if_clear(void)
{
    if (atomic_load(&scene.board->is_done) != 0) {
        CRASH_CHECK(kin_event_is_set(scene.event));
    }
    if (!kin_event_is_set(scene.event)) {
        set();
    }
    wait();
}

static void set_and_wait(void)
{
    set();
    wait();
}

static void set_up(void)
{
    CRASH_CHECK(kin_event_create(NULL, &scene.event) == 0);
}

static void set_up_set(void)
{
    set_up();
    set();
}

static void set_up_waited_for(void)
{
    set_up();
    for (uint64_t count = 1; count <= 2; count++) {
        pid_t pid = crash_start(wait_for_event, NULL);
        crash_await_flag(FLAG_WAITING, count);
        crash_await_sleep(pid);
    }
}

static void finish(void)
{
    CRASH_CHECK(kin_event_is_set(scene.event));
    scene.event = kin_event_free(scene.event);
}

const struct scenario event_scenarios[] = {
    {.name = "event",
     .context = "set",
     .setup = set_up,
     .victim = set,
     .survivor = set_if_clear,
     .finish = finish},
    {.name = "event",
     .context = "set, two wait",
     .setup = set_up_waited_for,
     .victim = set,
     .survivor = set_if_clear,
     .finish = finish},
    {.name = "event",
     .context = "wait, another waits",
     .setup = set_up_waited_for,
     .victim = wait,
     .asleep = set,
     .survivor = set_if_clear,
     .finish = finish},
    {.name = "event",
     .context = "clear",
     .setup = set_up_set,
     .victim = clear,
     .survivor = set_and_wait,
     .finish = finish},
    {0},
};
