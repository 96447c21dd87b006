/*
 * The semaphore: take a permit and give it back, alone, with others waiting, in another's place;
 * a plain one's release; and a fair one, in line before and behind another. Bounded ones have two
 * permits, and all are there in the end.
 */
#include "step/scenario.h"
#include "step/tracer.h"

#include <errno.h>
#include <kin/semaphore.h>
#include <stddef.h>

enum { PERMITS = 2 };
enum { FLAG_LET_GO, FLAG_HELD, FLAG_WAITING, FLAG_DONE };

static kin_semaphore *semaphore; /* inherited by the children */

static void take(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CRASH_CHECK(kin_semaphore_acquire(semaphore, KIN_FOREVER) >= 0);
    }
}

static void give(uint32_t count)
{
    CRASH_CHECK(kin_semaphore_release(semaphore, count) == 0);
}

static void use(void)
{
    take(1);
    give(1);
}

static void use_all_watched(void)
{
    take(PERMITS);
    trace_interlude();
    give(PERMITS);
}

/* All permits are to be had again; those of the dead say so once. */
static void use_all(void)
{
    take(PERMITS);
    give(PERMITS);
    for (int i = 0; i < PERMITS; i++) {
        CRASH_CHECK(kin_semaphore_acquire(semaphore, KIN_FOREVER) == 0);
    }
    give(PERMITS);
}

/* --- contexts --- */

static void hold_all(void)
{
    take(PERMITS);
    crash_set_flag(FLAG_HELD, 1);
    crash_await_flag(FLAG_LET_GO, 1);
    give(PERMITS);
    crash_await_flag(FLAG_DONE, 1); /* its end would wake all */
}

static void wait_and_use(void)
{
    crash_set_flag(FLAG_WAITING, 1);
    use();
    crash_set_flag(FLAG_DONE, 1);
}

static void start_waiter(void)
{
    crash_set_flag(FLAG_WAITING, 0);
    pid_t pid = crash_start(wait_and_use, NULL);
    crash_await_flag(FLAG_WAITING, 1);
    crash_await_sleep(pid);
}

static void let_go(void)
{
    crash_set_flag(FLAG_LET_GO, 1);
}

/* The victim sleeps for the first time: one more comes to stand behind it, then permits come. */
static void start_waiter_and_let_go(void)
{
    if (atomic_load(&scene.board->flags[FLAG_WAITING]) == 0) {
        start_waiter();
    }
    let_go();
}

/* One that was killed before it slept has nobody behind it, for whom the holder would stay. */
static void let_go_for_good(void)
{
    if (atomic_load(&scene.board->flags[FLAG_WAITING]) == 0) {
        crash_set_flag(FLAG_DONE, 1);
    }
    let_go();
}

static void set_up(void)
{
    CRASH_CHECK(kin_semaphore_create(PERMITS,
                                     KIN_OPTIONS(kin_semaphore_options, .is_bounded = true),
                                     &semaphore) == 0);
}

static void set_up_fair(void)
{
    CRASH_CHECK(kin_semaphore_create(
                    PERMITS,
                    KIN_OPTIONS(kin_semaphore_options, .is_bounded = true, .is_fair = true),
                    &semaphore) == 0);
}

static void start_holder(void)
{
    crash_start(hold_all, NULL);
    crash_await_flag(FLAG_HELD, 1);
}

static void set_up_all_out(void)
{
    set_up();
    start_holder();
    start_waiter();
}

static void set_up_fair_all_out(void)
{
    set_up_fair();
    start_holder();
    start_waiter();
}

static void set_up_fair_all_out_alone(void)
{
    set_up_fair();
    start_holder();
}

static void take_all(void)
{
    take(PERMITS);
}

static void set_up_died(void)
{
    set_up();
    crash_kill_prey(crash_start_prey(&(struct prey){.run = take_all}, NULL));
}

static void finish(void)
{
    CRASH_CHECK(kin_semaphore_value(semaphore) == PERMITS);
    CRASH_CHECK(kin_semaphore_release(semaphore, 1) < 0);
    semaphore = kin_semaphore_free(semaphore);
}

/* --- one gives back what another took --- */

static void take_and_stay(void)
{
    take(1);
    crash_set_flag(FLAG_HELD, 1);
    crash_await_flag(FLAG_DONE, 1);
}

static void set_up_taken(void)
{
    set_up();
    crash_start(take_and_stay, NULL);
    crash_await_flag(FLAG_HELD, 1);
}

static void give_one(void)
{
    give(1);
    atomic_store(&scene.board->is_done, 1);
}

static void give_if_out(void)
{
    int r = kin_semaphore_release(semaphore, 1);
    CRASH_CHECK(r == -EOVERFLOW || (r == 0 && atomic_load(&scene.board->is_done) == 0));
    crash_set_flag(FLAG_DONE, 1);
    use_all();
}

/* --- a plain one --- */

static void set_up_number(bool is_fair)
{
    CRASH_CHECK(kin_semaphore_create(0, KIN_OPTIONS(kin_semaphore_options, .is_fair = is_fair),
                                     &semaphore) == 0);
    for (int i = 1; i <= 2; i++) {
        start_waiter();
    }
}

static void set_up_plain(void)
{
    set_up_number(false);
}

static void set_up_plain_fair(void)
{
    set_up_number(true);
}

static void give_two(void)
{
    give(2);
    atomic_store(&scene.board->is_done, 1);
}

/* Each waiter gives back what it took, so one of the two is enough for both. What the victim has
 * given is seen by those who sleep without anybody's help. */
static void give_if_not_done(void)
{
    if (atomic_load(&scene.board->is_done) == 0) {
        give(1);
    }
    use();
}

static void finish_plain(void)
{
    uint32_t value = kin_semaphore_value(semaphore);
    CRASH_CHECK(value >= 1 && value <= 3);
    semaphore = kin_semaphore_free(semaphore);
}

const struct scenario semaphore_scenarios[] = {
    {.name = "semaphore",
     .context = "idle",
     .setup = set_up,
     .victim = use,
     .survivor = use_all,
     .finish = finish},
    {.name = "semaphore",
     .context = "none left, one waits",
     .setup = set_up_all_out,
     .victim = use,
     .asleep = let_go,
     .killed = let_go,
     .survivor = use_all,
     .finish = finish},
    {.name = "semaphore",
     .context = "one comes to wait",
     .setup = set_up,
     .victim = use_all_watched,
     .interlude = start_waiter,
     .survivor = use_all,
     .finish = finish},
    {.name = "semaphore",
     .context = "owner died",
     .setup = set_up_died,
     .victim = use,
     .survivor = use_all,
     .finish = finish},
    {.name = "semaphore",
     .context = "give back in another's place",
     .setup = set_up_taken,
     .victim = give_one,
     .survivor = give_if_out,
     .finish = finish},
    {.name = "semaphore",
     .context = "plain, give two, two wait",
     .setup = set_up_plain,
     .victim = give_two,
     .survivor = give_if_not_done,
     .finish = finish_plain},
    {.name = "fair semaphore",
     .context = "idle",
     .setup = set_up_fair,
     .victim = use,
     .survivor = use_all,
     .finish = finish},
    {.name = "fair semaphore",
     .context = "none left, one in line before",
     .setup = set_up_fair_all_out,
     .victim = use,
     .asleep = let_go,
     .killed = let_go,
     .survivor = use_all,
     .finish = finish},
    {.name = "fair semaphore",
     .context = "none left, one in line behind",
     .setup = set_up_fair_all_out_alone,
     .victim = use,
     .asleep = start_waiter_and_let_go,
     .killed = let_go_for_good,
     .survivor = use_all,
     .finish = finish},
    {.name = "fair semaphore",
     .context = "one comes to wait",
     .setup = set_up_fair,
     .victim = use_all_watched,
     .interlude = start_waiter,
     .survivor = use_all,
     .finish = finish},
    {.name = "fair semaphore",
     .context = "plain, give two, two wait",
     .setup = set_up_plain_fair,
     .victim = give_two,
     .survivor = give_if_not_done,
     .finish = finish_plain},
    {0},
};
