/*
 * The barrier: wait as the last or the first to come, give up, join, leave, abort and reset, with
 * others waiting, who must always come to an end by themselves: with the trip, or broken. Then a
 * second round must do what a fresh barrier does.
 */
#include "step/scenario.h"
#include "step/tracer.h"

#include "family/member.h"
#include "sync/barrier/barrier.h"

#include <kin/cancel.h>
#include <kin/error.h>
#include <stddef.h>

enum { FLAG_LET_GO, FLAG_WAITING, FLAG_DONE, FLAG_AGAIN, FLAG_ACTED };

static kin_barrier *barrier; /* inherited by the children */
static kin_cancel *fired;

static void join(void)
{
    CRASH_CHECK(kin_barrier_join(barrier) == 0);
}

static void wait(void)
{
    int r = kin_barrier_wait(barrier, KIN_FOREVER);
    CRASH_CHECK(r >= 0 || r == KIN_EBROKEN);
    atomic_store(&scene.board->is_done, 1);
}

static int note_action(kin_call *call)
{
    (void)call;
    atomic_fetch_add(&scene.board->flags[FLAG_ACTED], 1);
    return 0;
}
KIN_FUNCTION(note_action)

/* --- contexts --- */

/* Waits, and once more when the survivor says so; then it must be a round like any other. */
static void wait_twice(void)
{
    atomic_fetch_add(&scene.board->flags[FLAG_WAITING], 1);
    wait();
    atomic_fetch_add(&scene.board->flags[FLAG_DONE], 1);
    crash_await_flag(FLAG_AGAIN, 1);
    CRASH_CHECK(kin_barrier_wait(barrier, KIN_FOREVER) >= 0);
}

static void wait_when_told(void)
{
    crash_await_flag(FLAG_LET_GO, 1);
    wait_twice();
}

static void start_waiters(uint64_t count)
{
    for (uint64_t i = 1; i <= count; i++) {
        pid_t pid = crash_start(wait_twice, NULL);
        crash_await_flag(FLAG_WAITING, i);
        crash_await_sleep(pid);
    }
}

static void let_go(void)
{
    crash_set_flag(FLAG_LET_GO, 1);
}

static void make(uint32_t party_count, kin_barrier_on_death on_death, kin_function *action)
{
    CRASH_CHECK(
        kin_barrier_create(party_count,
                           KIN_OPTIONS(kin_barrier_options, .on_death = on_death, .action = action),
                           &barrier) == 0);
}

static void set_up_one_waits(void)
{
    make(2, KIN_BARRIER_BREAK, NULL);
    start_waiters(1);
}

static void set_up_two_wait(void)
{
    make(3, KIN_BARRIER_SHRINK, note_action);
    start_waiters(2);
}

static void set_up_one_comes(void)
{
    make(2, KIN_BARRIER_BREAK, NULL);
    crash_start(wait_when_told, NULL);
}

static void set_up_one_waits_shrinking(void)
{
    make(2, KIN_BARRIER_SHRINK, NULL);
    start_waiters(1);
}

static void set_up_shrinking(void)
{
    make(2, KIN_BARRIER_SHRINK, note_action);
}

static void set_up_alone(void)
{
    make(2, KIN_BARRIER_BREAK, NULL);
}

static void finish(void)
{
    CRASH_CHECK(!kin_barrier_is_broken(barrier));
    CRASH_CHECK(kin_barrier_waiting_count(barrier) == 0);
    barrier = kin_barrier_free(barrier);
}

/* --- survivors: the victim is dead, and was a party --- */

static void await_done(uint64_t count)
{
    crash_await_flag(FLAG_DONE, count);
    crash_await_reaped(scene.board->victim);
}

static void go_round_after_one(void)
{
    await_done(1);
    CRASH_CHECK(kin_barrier_reset(barrier) == 0);
    CRASH_CHECK(kin_barrier_party_count(barrier) == 2);
    crash_set_flag(FLAG_AGAIN, 1);
    CRASH_CHECK(kin_barrier_wait(barrier, KIN_FOREVER) >= 0);
}

/* The two who are left are all there are. */
static void let_two_go_round(void)
{
    await_done(2);
    CRASH_CHECK(kin_barrier_party_count(barrier) == 2);
    if (kin_barrier_is_broken(barrier)) { /* killed in the action */
        CRASH_CHECK(kin_barrier_reset(barrier) == 0);
    }
    crash_set_flag(FLAG_AGAIN, 1);
}

static void let_one_go_round(void)
{
    await_done(1);
    CRASH_CHECK(kin_barrier_party_count(barrier) == 1);
    crash_set_flag(FLAG_AGAIN, 1);
}

static void go_round_alone(void)
{
    crash_await_reaped(scene.board->victim);
    uint32_t party_count = kin_barrier_party_count(barrier);
    CRASH_CHECK(party_count == 1 || party_count == 2);
    CRASH_CHECK(kin_barrier_join(barrier) == 0); /* takes the place that is left, or one back */
    CRASH_CHECK(kin_barrier_wait(barrier, KIN_NOW) == (party_count == 1 ? 0 : -EAGAIN));
    CRASH_CHECK(kin_barrier_leave(barrier) == 0);
}

/* --- victims --- */

static void join_and_leave(void)
{
    join();
    CRASH_CHECK(kin_barrier_leave(barrier) == 0);
}

static void leave(void)
{
    CRASH_CHECK(kin_barrier_leave(barrier) == 0);
}

static void abort_and_reset(void)
{
    CRASH_CHECK(kin_barrier_abort(barrier) == 0);
    CRASH_CHECK(kin_barrier_reset(barrier) == 0);
}

static void set_up_to_give_up(void)
{
    CRASH_CHECK(kin_cancel_create(&fired) == 0);
    CRASH_CHECK(kin_cancel_request(fired) == 0);
    make(3, KIN_BARRIER_BREAK, NULL);
    start_waiters(1);
}

static void give_up(void)
{
    CRASH_CHECK(kin_barrier_wait(barrier, kin_by(INT64_MAX, fired)) == -ECANCELED);
}

static void go_round_after_giving_up(void)
{
    await_done(1);
    CRASH_CHECK(kin_barrier_reset(barrier) == 0);
    crash_set_flag(FLAG_AGAIN, 1);
    CRASH_CHECK(kin_barrier_leave(barrier) < 0);
    CRASH_CHECK(kin_barrier_join(barrier) == 0);
    while (kin_barrier_waiting_count(barrier) == 0) {
    }
    CRASH_CHECK(kin_barrier_party_count(barrier) == 3);
    CRASH_CHECK(kin_barrier_wait(barrier, KIN_NOW) == -EAGAIN);
    CRASH_CHECK(kin_barrier_leave(barrier) == 0); /* two are needed now */
    CRASH_CHECK(kin_barrier_wait(barrier, KIN_FOREVER) >= 0);
}

static void finish_giving_up(void)
{
    fired = kin_cancel_free(fired);
    finish();
}

/* --- one that died with the lock, its arrival written --- */

static void call_settle(void)
{
    wait();
}

static void wait_after_dead(void)
{
    CRASH_CHECK(kin_barrier_wait(barrier, KIN_FOREVER) == KIN_EBROKEN);
}

static void wait_after_dead_shrinking(void)
{
    CRASH_CHECK(kin_barrier_wait(barrier, KIN_FOREVER) == 0);
}

static void await_both(void)
{
    crash_await_reaped(scene.board->prey);
    crash_await_reaped(scene.board->victim);
}

static void reset_after_dead(void)
{
    await_both();
    CRASH_CHECK(kin_barrier_reset(barrier) == 0);
    CRASH_CHECK(kin_barrier_party_count(barrier) == 2);
    CRASH_CHECK(kin_barrier_wait(barrier, KIN_NOW) == -EAGAIN);
}

static void go_on_after_dead(void)
{
    await_both();
    uint32_t party_count = kin_barrier_party_count(barrier);
    CRASH_CHECK(party_count <= 1); /* the victim may have died while it waited, too */
    if (kin_barrier_is_broken(barrier)) {
        CRASH_CHECK(kin_barrier_reset(barrier) == 0);
    }
    CRASH_CHECK(kin_barrier_wait(barrier, KIN_NOW) == 0);
}

const struct scenario barrier_scenarios[] = {
    {.name = "barrier",
     .context = "the last to come",
     .setup = set_up_one_waits,
     .prepare = join,
     .victim = wait,
     .survivor = go_round_after_one,
     .finish = finish},
    {.name = "barrier",
     .context = "the first to come",
     .setup = set_up_one_comes,
     .prepare = join,
     .victim = wait,
     .asleep = let_go,
     .killed = let_go,
     .survivor = go_round_after_one,
     .finish = finish},
    {.name = "barrier",
     .context = "shrinking, the last to come, action",
     .setup = set_up_two_wait,
     .prepare = join,
     .victim = wait,
     .survivor = let_two_go_round,
     .finish = finish},
    {.name = "barrier",
     .context = "shrinking, join and leave",
     .setup = set_up_shrinking,
     .victim = join_and_leave,
     .survivor = go_round_alone,
     .finish = finish},
    {.name = "barrier",
     .context = "shrinking, leave, one waits",
     .setup = set_up_one_waits_shrinking,
     .prepare = join,
     .victim = leave,
     .survivor = let_one_go_round,
     .finish = finish},
    {.name = "barrier",
     .context = "abort and reset, one waits",
     .setup = set_up_one_waits,
     .prepare = join,
     .victim = abort_and_reset,
     .survivor = go_round_after_one,
     .finish = finish},
    {.name = "barrier",
     .context = "give up, one waits",
     .setup = set_up_to_give_up,
     .prepare = join,
     .victim = give_up,
     .survivor = go_round_after_giving_up,
     .finish = finish_giving_up},
    {.name = "barrier",
     .context = "one died coming in",
     .setup = set_up_alone,
     .prey = {.run = call_settle, .function = (void (*)(void))kin__barrier_settle},
     .victim = wait_after_dead,
     .survivor = reset_after_dead,
     .finish = finish},
    {.name = "barrier",
     .context = "shrinking, one died coming in",
     .setup = set_up_shrinking,
     .prey = {.run = call_settle, .function = (void (*)(void))kin__barrier_settle},
     .victim = wait_after_dead_shrinking,
     .survivor = go_on_after_dead,
     .finish = finish},
    {0},
};
