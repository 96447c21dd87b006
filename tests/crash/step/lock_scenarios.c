/*
 * The internal lock and the public one: take it, change two words that must stay alike, give it
 * back. The word pair and the internal lock stand in a block of the founder's.
 */
#include "step/lock.h"
#include "step/scenario.h"
#include "step/tracer.h"

#include "family/heap.h"

#include <kin/error.h>
#include <unistd.h>

struct guarded {
    struct kin__lock lock;
    volatile uint32_t left;
    volatile uint32_t right;
};

enum { FLAG_LET_GO, FLAG_HELD, FLAG_WAITING, FLAG_DONE };

static int acquire_internal(struct kin__lock *lock, struct kin__thread *self)
{
    return kin__lock_acquire(lock, self);
}

static void release_internal(struct kin__lock *lock, struct kin__thread *self)
{
    kin__lock_release(lock, self);
}

struct lock_variant lock_variant = {.acquire = acquire_internal, .release = release_internal};

static struct guarded *guarded(void)
{
    return kin__at(scene.block);
}

static void repair(int r)
{
    if (r == KIN_OWNER_DIED) {
        guarded()->right = guarded()->left;
    } else if (r != 0) {
        crash_fail("acquire: %d", r);
    }
    if (guarded()->left != guarded()->right) {
        crash_fail("%u and %u behind a lock whose holder did not die", guarded()->left,
                   guarded()->right);
    }
}

static void take_internal(void)
{
    repair(lock_variant.acquire(&guarded()->lock, kin__self()));
    guarded()->left++;
}

static void give_internal(void)
{
    guarded()->right++;
    lock_variant.release(&guarded()->lock, kin__self());
}

static void take_public(void)
{
    int r = kin_lock_acquire(scene.lock, KIN_FOREVER);
    repair(r);
    if (r == KIN_OWNER_DIED) {
        CRASH_CHECK(kin_lock_mark_consistent(scene.lock) == 0);
    }
    guarded()->left++;
}

static void give_public(void)
{
    guarded()->right++;
    CRASH_CHECK(kin_lock_release(scene.lock) == 0);
}

static void use_internal(void)
{
    take_internal();
    give_internal();
}

static void use_public(void)
{
    take_public();
    give_public();
}

/* --- contexts: a process that holds the lock, one that waits for it, one that died with it --- */

/* The holder lives on until the waiter is done: its end would wake all. */

static void hold_internal(void)
{
    take_internal();
    crash_set_flag(FLAG_HELD, 1);
    crash_await_flag(FLAG_LET_GO, 1);
    give_internal();
    crash_await_flag(FLAG_DONE, 1);
}

static void hold_public(void)
{
    take_public();
    crash_set_flag(FLAG_HELD, 1);
    crash_await_flag(FLAG_LET_GO, 1);
    give_public();
    crash_await_flag(FLAG_DONE, 1);
}

static void wait_internal(void)
{
    crash_set_flag(FLAG_WAITING, 1);
    use_internal();
    crash_set_flag(FLAG_DONE, 1);
}

static void wait_public(void)
{
    crash_set_flag(FLAG_WAITING, 1);
    use_public();
    crash_set_flag(FLAG_DONE, 1);
}

static void start_waiter(void (*run)(void))
{
    crash_set_flag(FLAG_WAITING, 0);
    pid_t pid = crash_start(run, NULL);
    crash_await_flag(FLAG_WAITING, 1);
    crash_await_sleep(pid);
}

static void let_go(void)
{
    crash_set_flag(FLAG_LET_GO, 1);
}

static void set_up(void)
{
    CRASH_CHECK(kin__block_create(sizeof(struct guarded), 0, KIN__BLOCK_BYTES, &scene.block) == 0);
    *guarded() = (struct guarded){0};
    CRASH_CHECK(kin_lock_create(NULL, &scene.lock) == 0);
}

static void set_up_held_internal(void)
{
    set_up();
    crash_start(hold_internal, NULL);
    crash_await_flag(FLAG_HELD, 1);
    start_waiter(wait_internal);
}

static void set_up_held_public(void)
{
    set_up();
    crash_start(hold_public, NULL);
    crash_await_flag(FLAG_HELD, 1);
    start_waiter(wait_public);
}

static void set_up_died_internal(void)
{
    set_up();
    crash_kill_prey(crash_start_prey(&(struct prey){.run = take_internal}, NULL));
}

static void set_up_died_public(void)
{
    set_up();
    crash_kill_prey(crash_start_prey(&(struct prey){.run = take_public}, NULL));
}

static void start_waiter_internal(void)
{
    start_waiter(wait_internal);
}

static void start_waiter_public(void)
{
    start_waiter(wait_public);
}

/* The victim, with somebody who comes to wait while it holds the lock. */
static void use_internal_watched(void)
{
    take_internal();
    trace_interlude();
    give_internal();
}

static void use_public_watched(void)
{
    take_public();
    trace_interlude();
    give_public();
}

static void finish(void)
{
    if ((atomic_load(&guarded()->lock.word) & ~KIN__OS_FUTEX_WAITERS) != 0) {
        crash_fail("the lock is left as %#x", atomic_load(&guarded()->lock.word));
    }
    CRASH_CHECK(!kin_lock_is_locked(scene.lock));
    CRASH_CHECK(guarded()->left == guarded()->right);
    scene.lock = kin_lock_free(scene.lock);
    kin__block_free(scene.block, kin__block_of_member(kin__family.owner));
}

const struct scenario lock_scenarios[] = {
    {.name = "internal lock",
     .context = "idle",
     .setup = set_up,
     .victim = use_internal,
     .survivor = use_internal,
     .finish = finish},
    {.name = "internal lock",
     .context = "held, one waits",
     .setup = set_up_held_internal,
     .victim = use_internal,
     .asleep = let_go,
     .killed = let_go,
     .survivor = use_internal,
     .finish = finish},
    {.name = "internal lock",
     .context = "one comes to wait",
     .setup = set_up,
     .victim = use_internal_watched,
     .interlude = start_waiter_internal,
     .survivor = use_internal,
     .finish = finish},
    {.name = "internal lock",
     .context = "holder died",
     .setup = set_up_died_internal,
     .victim = use_internal,
     .survivor = use_internal,
     .finish = finish},
    {.name = "lock",
     .context = "idle",
     .setup = set_up,
     .victim = use_public,
     .survivor = use_public,
     .finish = finish},
    {.name = "lock",
     .context = "held, one waits",
     .setup = set_up_held_public,
     .victim = use_public,
     .asleep = let_go,
     .killed = let_go,
     .survivor = use_public,
     .finish = finish},
    {.name = "lock",
     .context = "one comes to wait",
     .setup = set_up,
     .victim = use_public_watched,
     .interlude = start_waiter_public,
     .survivor = use_public,
     .finish = finish},
    {.name = "lock",
     .context = "holder died",
     .setup = set_up_died_public,
     .victim = use_public,
     .survivor = use_public,
     .finish = finish},
    {0},
};
