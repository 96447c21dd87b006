/*
 * The other kinds of locks: fair, nested, released by another; and a circle of two that the victim
 * closes. As in lock_scenarios.c two words that must stay alike stand behind the lock.
 */
#include "step/scenario.h"
#include "step/tracer.h"

#include "family/heap.h"
#include "family/member.h"

#include <errno.h>
#include <kin/error.h>
#include <kin/rlock.h>

struct guarded {
    volatile uint32_t left;
    volatile uint32_t right;
};

enum { FLAG_LET_GO, FLAG_HELD, FLAG_WAITING, FLAG_DONE };

static kin_lock *other; /* the second lock of the circle */
static kin_rlock *rlock;

static struct guarded *guarded(void)
{
    return kin__at(scene.block);
}

/* --- a lock, and an rlock taken twice --- */

static int acquire_lock(void)
{
    return kin_lock_acquire(scene.lock, KIN_FOREVER);
}

static void mark_lock(void)
{
    CRASH_CHECK(kin_lock_mark_consistent(scene.lock) == 0);
}

static void release_lock(void)
{
    CRASH_CHECK(kin_lock_release(scene.lock) == 0);
}

static int acquire_rlock(void)
{
    int r = kin_rlock_acquire(rlock, KIN_FOREVER);
    CRASH_CHECK(kin_rlock_acquire(rlock, KIN_NOW) == r);
    return r;
}

static void mark_rlock(void)
{
    CRASH_CHECK(kin_rlock_mark_consistent(rlock) == 0);
}

static void release_rlock(void)
{
    CRASH_CHECK(kin_rlock_release(rlock) == 0);
    CRASH_CHECK(kin_rlock_is_locked(rlock));
    CRASH_CHECK(kin_rlock_release(rlock) == 0);
}

struct kind {
    int (*acquire)(void);
    void (*mark_consistent)(void);
    void (*release)(void);
};

static const struct kind lock_kind = {acquire_lock, mark_lock, release_lock};
static const struct kind rlock_kind = {acquire_rlock, mark_rlock, release_rlock};
static const struct kind *kind;

static void take(void)
{
    int r = kind->acquire();
    if (r == KIN_OWNER_DIED) {
        guarded()->right = guarded()->left;
        kind->mark_consistent();
    } else if (r != 0) {
        crash_fail("acquire: %d", r);
    }
    if (guarded()->left != guarded()->right) {
        crash_fail("%u and %u behind a lock whose holder did not die", guarded()->left,
                   guarded()->right);
    }
    guarded()->left++;
}

static void give(void)
{
    guarded()->right++;
    kind->release();
}

static void use(void)
{
    take();
    give();
}

static void use_watched(void)
{
    take();
    trace_interlude();
    give();
}

/* --- contexts --- */

static void hold(void)
{
    take();
    crash_set_flag(FLAG_HELD, 1);
    crash_await_flag(FLAG_LET_GO, 1);
    give();
    crash_await_flag(FLAG_DONE, 1);
}

static void wait_first(void)
{
    crash_set_flag(FLAG_WAITING, 1);
    use();
    crash_set_flag(FLAG_DONE, 1);
}

static void start_waiter(void)
{
    crash_set_flag(FLAG_WAITING, 0);
    pid_t pid = crash_start(wait_first, NULL);
    crash_await_flag(FLAG_WAITING, 1);
    crash_await_sleep(pid);
}

static void let_go(void)
{
    crash_set_flag(FLAG_LET_GO, 1);
}

/* The victim sleeps for the first time: one more comes to stand behind it, then the holder lets
 * go. */
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

static void set_up(const struct kind *wanted, const kin_lock_options *options)
{
    kind = wanted;
    CRASH_CHECK(kin__block_create(sizeof(struct guarded), 0, KIN__BLOCK_BYTES, &scene.block) == 0);
    *guarded() = (struct guarded){0};
    CRASH_CHECK(kin_lock_create(options, &scene.lock) == 0);
    CRASH_CHECK(kin_lock_create(NULL, &other) == 0);
    CRASH_CHECK(kin_rlock_create(NULL, &rlock) == 0);
}

static void set_up_fair(void)
{
    set_up(&lock_kind, KIN_OPTIONS(kin_lock_options, .is_fair = true));
}

static void set_up_rlock(void)
{
    set_up(&rlock_kind, NULL);
}

static void start_holder(void)
{
    crash_start(hold, NULL);
    crash_await_flag(FLAG_HELD, 1);
}

static void set_up_fair_held(void)
{
    set_up_fair();
    start_holder();
    start_waiter();
}

static void set_up_fair_held_alone(void)
{
    set_up_fair();
    start_holder();
}

static void set_up_fair_died(void)
{
    set_up_fair();
    crash_kill_prey(crash_start_prey(&(struct prey){.run = take}, NULL));
}

static void set_up_rlock_held(void)
{
    set_up_rlock();
    start_holder();
    start_waiter();
}

static void set_up_rlock_died(void)
{
    set_up_rlock();
    crash_kill_prey(crash_start_prey(&(struct prey){.run = take}, NULL));
}

static void finish(void)
{
    CRASH_CHECK(!kin_lock_is_locked(scene.lock));
    CRASH_CHECK(!kin_lock_is_locked(other));
    CRASH_CHECK(!kin_rlock_is_locked(rlock));
    CRASH_CHECK(guarded()->left == guarded()->right);
    scene.lock = kin_lock_free(scene.lock);
    other = kin_lock_free(other);
    rlock = kin_rlock_free(rlock);
    kin__block_free(scene.block, kin__block_of_member(kin__family.owner));
}

/* --- handoff: the victim acquires, and another releases; or the other way round --- */

static void set_up_handoff(void)
{
    set_up(&lock_kind, KIN_OPTIONS(kin_lock_options, .is_handoff = true));
}

static void acquire_handoff(void)
{
    int r = kin_lock_acquire(scene.lock, KIN_FOREVER);
    CRASH_CHECK(r == 0 || r == KIN_OWNER_DIED);
    if (r == KIN_OWNER_DIED) {
        mark_lock();
    }
}

/* Releases what the victim has acquired; if that is dead, nobody holds it. */
static void release_for_another(void)
{
    int r = kin_lock_release(scene.lock);
    CRASH_CHECK(r == 0 || r == -EPERM);
    crash_set_flag(FLAG_DONE, 1);
}

static void start_releaser(void)
{
    crash_start(release_for_another, NULL);
    crash_await_flag(FLAG_DONE, 1);
}

static void pass_round(void)
{
    acquire_handoff();
    trace_interlude(); /* released by another */
    acquire_handoff();
    release_lock();
}

static void use_handoff(void)
{
    acquire_handoff();
    release_lock();
}

static void acquire_and_stay(void)
{
    acquire_handoff();
    crash_set_flag(FLAG_HELD, 1);
    crash_await_flag(FLAG_DONE, 1);
}

static void set_up_handoff_held(void)
{
    set_up_handoff();
    crash_start(acquire_and_stay, NULL);
    crash_await_flag(FLAG_HELD, 1);
}

/* The survivor may take it for what the victim was to release. */
static void release_if_held(void)
{
    int r = kin_lock_release(scene.lock);
    CRASH_CHECK(r == 0 || r == -EPERM);
}

static void finish_handoff_waiter(void)
{
    acquire_handoff();
    release_if_held();
    crash_set_flag(FLAG_DONE, 1);
}

static void set_up_handoff_waited_for(void)
{
    set_up_handoff_held();
    crash_await_sleep(crash_start(finish_handoff_waiter, NULL));
}

static void release_once(void)
{
    release_lock();
}

/* The victim may have released it or not; either way the waiter is to get it. */
static void release_what_is_held(void)
{
    release_if_held();
    acquire_handoff();
    release_if_held();
}

/* --- a circle --- */

static void set_up_circle(void)
{
    set_up(&lock_kind, NULL);
}

static void hold_other_want_lock(void)
{
    int r = kin_lock_acquire(other, KIN_FOREVER);
    CRASH_CHECK(r == 0);
    crash_set_flag(FLAG_WAITING, 1);
    use();
    CRASH_CHECK(kin_lock_release(other) == 0);
}

static void start_opponent(void)
{
    pid_t pid = crash_start(hold_other_want_lock, NULL);
    crash_await_flag(FLAG_WAITING, 1);
    crash_await_sleep(pid);
}

static void close_circle(void)
{
    take();
    trace_interlude();
    int r = kin_lock_acquire(other, KIN_FOREVER);
    CRASH_CHECK(r == -EDEADLK);
    give();
}

static void use_both(void)
{
    int r = kin_lock_acquire(other, KIN_FOREVER);
    CRASH_CHECK(r == 0);
    use();
    CRASH_CHECK(kin_lock_release(other) == 0);
}

const struct scenario mutex_scenarios[] = {
    {.name = "fair lock",
     .context = "idle",
     .setup = set_up_fair,
     .victim = use,
     .survivor = use,
     .finish = finish},
    {.name = "fair lock",
     .context = "held, one in line before",
     .setup = set_up_fair_held,
     .victim = use,
     .asleep = let_go,
     .killed = let_go,
     .survivor = use,
     .finish = finish},
    {.name = "fair lock",
     .context = "held, one in line behind",
     .setup = set_up_fair_held_alone,
     .victim = use,
     .asleep = start_waiter_and_let_go,
     .killed = let_go_for_good,
     .survivor = use,
     .finish = finish},
    {.name = "fair lock",
     .context = "one comes to wait",
     .setup = set_up_fair,
     .victim = use_watched,
     .interlude = start_waiter,
     .survivor = use,
     .finish = finish},
    {.name = "fair lock",
     .context = "holder died",
     .setup = set_up_fair_died,
     .victim = use,
     .survivor = use,
     .finish = finish},
    {.name = "rlock, taken twice",
     .context = "idle",
     .setup = set_up_rlock,
     .victim = use,
     .survivor = use,
     .finish = finish},
    {.name = "rlock, taken twice",
     .context = "held, one waits",
     .setup = set_up_rlock_held,
     .victim = use,
     .asleep = let_go,
     .killed = let_go,
     .survivor = use,
     .finish = finish},
    {.name = "rlock, taken twice",
     .context = "holder died",
     .setup = set_up_rlock_died,
     .victim = use,
     .survivor = use,
     .finish = finish},
    {.name = "handoff lock",
     .context = "released by another",
     .setup = set_up_handoff,
     .victim = pass_round,
     .interlude = start_releaser,
     .survivor = use_handoff,
     .finish = finish},
    {.name = "handoff lock",
     .context = "held by another, one waits",
     .setup = set_up_handoff_waited_for,
     .victim = release_once,
     .survivor = release_what_is_held,
     .finish = finish},
    {.name = "lock",
     .context = "closes a circle",
     .setup = set_up_circle,
     .victim = close_circle,
     .interlude = start_opponent,
     .survivor = use_both,
     .finish = finish},
    {0},
};
