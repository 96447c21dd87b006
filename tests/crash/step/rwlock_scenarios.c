/*
 * The reader-writer lock: a writer changes two words that must stay alike, a reader looks at them;
 * each alone, with others waiting, coming to wait, and after a death.
 */
#include "step/scenario.h"
#include "step/tracer.h"

#include <kin/error.h>
#include <kin/rwlock.h>
#include <stddef.h>

enum { FLAG_LET_GO, FLAG_HELD, FLAG_WAITING, FLAG_DONE, FLAG_LEFT, FLAG_RIGHT };

static kin_rwlock *rwlock; /* inherited by the children */

static uint64_t word(uint32_t index)
{
    return atomic_load(&scene.board->flags[index]);
}

static void start_reading(void)
{
    int r = kin_rwlock_acquire_read(rwlock, KIN_FOREVER);
    CRASH_CHECK(r == KIN_OWNER_DIED || (r == 0 && word(FLAG_LEFT) == word(FLAG_RIGHT)));
}

static void start_writing(void)
{
    int r = kin_rwlock_acquire_write(rwlock, KIN_FOREVER);
    if (r == KIN_OWNER_DIED) {
        crash_set_flag(FLAG_RIGHT, word(FLAG_LEFT));
        CRASH_CHECK(kin_rwlock_mark_consistent(rwlock) == 0);
    } else {
        CRASH_CHECK(r == 0 && word(FLAG_LEFT) == word(FLAG_RIGHT));
    }
    crash_set_flag(FLAG_LEFT, word(FLAG_LEFT) + 1);
}

static void end_reading(void)
{
    CRASH_CHECK(kin_rwlock_release(rwlock) == 0);
}

static void end_writing(void)
{
    crash_set_flag(FLAG_RIGHT, word(FLAG_RIGHT) + 1);
    CRASH_CHECK(kin_rwlock_release(rwlock) == 0);
}

static void read_once(void)
{
    start_reading();
    end_reading();
}

static void write_once(void)
{
    start_writing();
    end_writing();
}

/* A dead reader has changed nothing: nobody may be told otherwise. */
static void write_undamaged(void)
{
    CRASH_CHECK(kin_rwlock_acquire_write(rwlock, KIN_FOREVER) == 0);
    CRASH_CHECK(kin_rwlock_release(rwlock) == 0);
    read_once();
}

static void write_and_read(void)
{
    write_once();
    read_once();
}

/* --- contexts --- */

static void hold(void (*begin)(void), void (*end)(void))
{
    begin();
    crash_set_flag(FLAG_HELD, 1);
    crash_await_flag(FLAG_LET_GO, 1);
    end();
    crash_await_flag(FLAG_DONE, 2); /* its end would wake all */
}

static void hold_to_read(void)
{
    hold(start_reading, end_reading);
}

static void hold_to_write(void)
{
    hold(start_writing, end_writing);
}

static void wait_to_read(void)
{
    atomic_fetch_add(&scene.board->flags[FLAG_WAITING], 1);
    read_once();
    atomic_fetch_add(&scene.board->flags[FLAG_DONE], 1);
}

static void wait_to_write(void)
{
    atomic_fetch_add(&scene.board->flags[FLAG_WAITING], 1);
    write_once();
    atomic_fetch_add(&scene.board->flags[FLAG_DONE], 1);
}

static void start_waiters(void)
{
    pid_t writer = crash_start(wait_to_write, NULL);
    crash_await_flag(FLAG_WAITING, 1);
    crash_await_sleep(writer);
    pid_t reader = crash_start(wait_to_read, NULL);
    crash_await_flag(FLAG_WAITING, 2);
    crash_await_sleep(reader);
}

static void let_go(void)
{
    crash_set_flag(FLAG_LET_GO, 1);
}

static void set_up(void)
{
    CRASH_CHECK(kin_rwlock_create(NULL, &rwlock) == 0);
}

static void set_up_read(void)
{
    set_up();
    crash_start(hold_to_read, NULL);
    crash_await_flag(FLAG_HELD, 1);
    start_waiters();
}

static void set_up_written(void)
{
    set_up();
    crash_start(hold_to_write, NULL);
    crash_await_flag(FLAG_HELD, 1);
    start_waiters();
}

static void set_up_fair(void)
{
    CRASH_CHECK(kin_rwlock_create(KIN_OPTIONS(kin_rwlock_options, .is_fair = true), &rwlock) == 0);
    crash_start(hold_to_write, NULL);
    crash_await_flag(FLAG_HELD, 1);
    start_waiters();
}

static void set_up_died(void)
{
    set_up();
    crash_kill_prey(crash_start_prey(&(struct prey){.run = start_writing}, NULL));
}

static void finish(void)
{
    CRASH_CHECK(!kin_rwlock_is_written(rwlock) && kin_rwlock_reader_count(rwlock) == 0);
    CRASH_CHECK(word(FLAG_LEFT) == word(FLAG_RIGHT));
    rwlock = kin_rwlock_free(rwlock);
}

/* --- victims that others come to wait for --- */

static void read_watched(void)
{
    start_reading();
    trace_interlude();
    end_reading();
}

static void write_watched(void)
{
    start_writing();
    trace_interlude();
    end_writing();
}

const struct scenario rwlock_scenarios[] = {
    {.name = "rwlock",
     .context = "read, idle",
     .setup = set_up,
     .victim = read_once,
     .survivor = write_undamaged,
     .finish = finish},
    {.name = "rwlock",
     .context = "write, idle",
     .setup = set_up,
     .victim = write_once,
     .survivor = write_and_read,
     .finish = finish},
    {.name = "rwlock",
     .context = "read, one writes, others wait",
     .setup = set_up_written,
     .victim = read_once,
     .asleep = let_go,
     .killed = let_go,
     .survivor = write_undamaged,
     .finish = finish},
    {.name = "rwlock",
     .context = "write, one reads, others wait",
     .setup = set_up_read,
     .victim = write_once,
     .asleep = let_go,
     .killed = let_go,
     .survivor = write_and_read,
     .finish = finish},
    {.name = "rwlock",
     .context = "fair, write, one writes, others wait",
     .setup = set_up_fair,
     .victim = write_once,
     .asleep = let_go,
     .killed = let_go,
     .survivor = write_and_read,
     .finish = finish},
    {.name = "rwlock",
     .context = "read, others come to wait",
     .setup = set_up,
     .victim = read_watched,
     .interlude = start_waiters,
     .survivor = write_undamaged,
     .finish = finish},
    {.name = "rwlock",
     .context = "write, others come to wait",
     .setup = set_up,
     .victim = write_watched,
     .interlude = start_waiters,
     .survivor = write_and_read,
     .finish = finish},
    {.name = "rwlock",
     .context = "read, writer died",
     .setup = set_up_died,
     .victim = read_once,
     .survivor = write_and_read,
     .finish = finish},
    {.name = "rwlock",
     .context = "write, writer died",
     .setup = set_up_died,
     .victim = write_once,
     .survivor = write_and_read,
     .finish = finish},
    {0},
};
