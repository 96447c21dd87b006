/*
 * The condition: wait and notify, with others asleep in the line before and behind the victim,
 * and the lock held by somebody else when it comes back; and the reaper of those who died in it.
 *
 * What the lock guards is a number of permits. Each process takes one, waiting for it. Whoever
 * dies, nobody sleeps on while there are permits: the survivor first waits until that is so,
 * without notifying anybody, and only then gives as many as are needed for all to end.
 */
#include "step/scenario.h"
#include "step/tracer.h"

#include "family/death.h"
#include "family/heap.h"
#include "family/sleep.h"
#include "sync/mutex.h"

#include <errno.h>
#include <kin/condition.h>
#include <kin/error.h>
#include <unistd.h>

enum { FLAG_WAITING, FLAG_TAKEN, FLAG_STARTED, FLAG_NOTIFIED };

struct guarded {
    volatile uint32_t permits;
};

static struct guarded *guarded(void)
{
    return kin__at(scene.block);
}

/* A number of one word needs no mending. */
static void check(int r)
{
    if (r == KIN_OWNER_DIED) {
        CRASH_CHECK(kin_condition_mark_consistent(scene.condition) == 0);
    } else if (r != 0) {
        crash_fail("acquire or wait: %d", r);
    }
}

static void acquire(void)
{
    check(kin_condition_acquire(scene.condition, KIN_FOREVER));
}

static void release(void)
{
    CRASH_CHECK(kin_condition_release(scene.condition) == 0);
}

static void take(void)
{
    acquire();
    while (guarded()->permits == 0) {
        check(kin_condition_wait(scene.condition, KIN_FOREVER));
    }
    guarded()->permits--;
    release();
}

static void take_nested(void)
{
    acquire();
    take();
    release();
}

/* Stands in the line for a moment. */
static void look(void)
{
    acquire();
    int r = kin_condition_wait(scene.condition, KIN_NOW);
    CRASH_CHECK(r == -EAGAIN || r == 0);
    release();
}

static void give(uint32_t count)
{
    acquire();
    guarded()->permits += count;
    CRASH_CHECK(kin_condition_notify(scene.condition, count) >= 0);
    release();
}

static void give_one(void)
{
    give(1);
}

static void give_all(void)
{
    acquire();
    guarded()->permits += 2;
    CRASH_CHECK(kin_condition_notify_all(scene.condition) >= 0);
    release();
}

/* --- contexts --- */

static void take_in_context(void)
{
    atomic_fetch_add(&scene.board->flags[FLAG_WAITING], 1);
    take();
    atomic_fetch_add(&scene.board->flags[FLAG_TAKEN], 1);
}

static void start_takers(void)
{
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t waiting = atomic_load(&scene.board->flags[FLAG_WAITING]);
        pid_t pid = crash_start(take_in_context, NULL);
        crash_await_flag(FLAG_WAITING, waiting + 1);
        crash_await_sleep(pid);
        atomic_fetch_add(&scene.board->flags[FLAG_STARTED], 1);
    }
}

static void set_up(void)
{
    CRASH_CHECK(kin__block_create(sizeof(struct guarded), 0, KIN__BLOCK_BYTES, &scene.block) == 0);
    *guarded() = (struct guarded){0};
    CRASH_CHECK(kin_condition_create(NULL, &scene.condition) == 0);
}

static void set_up_waited_for(void)
{
    set_up();
    start_takers();
}

/* The victim sleeps in the line. */
static void give_if_none(void)
{
    acquire();
    uint32_t permits = guarded()->permits;
    release();
    if (permits == 0) {
        give(1);
    }
}

static void give_three(void)
{
    acquire();
    bool is_first = guarded()->permits == 0;
    release();
    if (is_first) {
        give(3);
    }
}

static void give_with_two_behind(void)
{
    if (atomic_load(&scene.board->flags[FLAG_STARTED]) == 0) {
        start_takers();
        give(1);
    }
}

/* The victim sleeps: in the line, then, notified, on the lock. */
static void give_and_hold(void)
{
    if (atomic_load(&scene.board->flags[FLAG_STARTED]) == 0) {
        start_takers();
        acquire();
        guarded()->permits++;
        CRASH_CHECK(kin_condition_notify(scene.condition, 1) == 1);
        crash_set_flag(FLAG_NOTIFIED, 1);
    } else if (atomic_load(&scene.board->flags[FLAG_NOTIFIED]) == 1) {
        crash_set_flag(FLAG_NOTIFIED, 2);
        release();
    }
}

static void release_held(void)
{
    if (atomic_load(&scene.board->flags[FLAG_NOTIFIED]) == 1) {
        release();
    }
}

/* --- the reaper's --- */

static void reap(void)
{
    kin__death_reap(scene.board->prey);
}

static uint32_t line_length(void)
{
    uint32_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        uint64_t line = atomic_load(&kin__member_at(slot)->line);
        count += (uint32_t)line == kin_condition_handle(scene.condition).index;
    }
    return count;
}

static void await_line(uint32_t length)
{
    while (line_length() < length) {
        usleep(50);
    }
}

static void take_behind_prey(void)
{
    await_line(1);
    take_in_context();
}

/* Notifies the prey, once the others wait behind it. */
static void notify_prey(void)
{
    await_line(3);
    give(1);
}

static void start_takers_behind_prey(void)
{
    set_up();
    crash_start(take_behind_prey, NULL);
    crash_start(take_behind_prey, NULL);
    crash_start(notify_prey, NULL);
    crash_set_flag(FLAG_STARTED, 2);
}

/* --- afterwards --- */

/* Until nobody who could have a permit sleeps. */
static void await_settled(void)
{
    uint64_t started = atomic_load(&scene.board->flags[FLAG_STARTED]);
    for (;;) {
        acquire();
        uint32_t permits = guarded()->permits;
        release();
        if (permits == 0 || atomic_load(&scene.board->flags[FLAG_TAKEN]) == started) {
            return;
        }
        usleep(50);
    }
}

static void settle_and_take(void)
{
    await_settled();
    acquire();
    uint64_t missing = atomic_load(&scene.board->flags[FLAG_STARTED]) -
                       atomic_load(&scene.board->flags[FLAG_TAKEN]);
    release();
    /* One who has taken may not have said so yet: then there is one too many in the end. */
    give((uint32_t)missing + 1);
    take();
}

static void finish(void)
{
    CRASH_CHECK(kin_condition_acquire(scene.condition, KIN_NOW) >= 0);
    CRASH_CHECK(kin_condition_notify_all(scene.condition) == 0);
    release();
    scene.condition = kin_condition_free(scene.condition);
    kin__block_free(scene.block, kin__block_of_member(kin__family.owner));
}

static void finish_reaped(void)
{
    crash_await_reaped(scene.board->prey);
    crash_await_reaped(scene.board->victim);
    finish();
}

#define CONDITION(text, ...)                                                                 \
    {                                                                                        \
        .name = "condition", .context = text, .survivor = settle_and_take, .finish = finish, \
        __VA_ARGS__                                                                          \
    }

#define REAPER(text, set_up_function, ...)                                                    \
    {                                                                                         \
        .name = "condition", .context = "reaper, of one who " text, .setup = set_up_function, \
        .prey = {__VA_ARGS__}, .victim = reap, .survivor = settle_and_take,                   \
        .finish = finish_reaped                                                               \
    }

const struct scenario condition_scenarios[] = {
    CONDITION("notify, nobody waits", .setup = set_up, .victim = give_one),
    CONDITION("notify, two wait", .setup = set_up_waited_for, .victim = give_one),
    CONDITION("notify all, two wait", .setup = set_up_waited_for, .victim = give_all),
    CONDITION("wait", .setup = set_up, .victim = take, .asleep = give_if_none),
    CONDITION("wait, nested", .setup = set_up, .victim = take_nested, .asleep = give_if_none),
    CONDITION("wait, two before", .setup = set_up_waited_for, .victim = take, .asleep = give_three),
    CONDITION("wait, two behind", .setup = set_up, .victim = take, .asleep = give_with_two_behind),
    CONDITION("wait, two behind, lock held", .setup = set_up, .victim = take,
              .asleep = give_and_hold, .killed = release_held),
    CONDITION("wait for no time, two before", .setup = set_up_waited_for, .victim = look),
    REAPER("waited", set_up_waited_for, .run = take,
           .function = (void (*)(void))kin__sleep_on_holder),
    REAPER("was notified", start_takers_behind_prey, .run = take,
           .function = (void (*)(void))kin__mutex_reacquire),
    REAPER("had notified nobody", set_up_waited_for, .run = give_one,
           .function = (void (*)(void))kin__os_futex_wake),
    REAPER("had notified one of two", set_up_waited_for, .run = give_all,
           .function = (void (*)(void))kin__os_futex_wake, .is_behind = true),
    {0},
};
