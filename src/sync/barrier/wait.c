/**
 * Waiting at a barrier: note the barrier in the member's slot; come in, under the lock; sleep until
 * the phase says that the round is over; read the outcome in the own arrival, and clear it. Only
 * coming in takes the lock: those who leave, all at once, touch nothing in common but what they
 * read.
 *
 * Who gives up takes the lock too. If the round is still open it breaks it, else the outcome
 * stands.
 */
#include "sync/barrier/barrier.h"

#include "family/call.h"
#include "family/sleep.h"

#include <errno.h>
#include <kin/error.h>

/* One that has come in. */
struct visit {
    kin_barrier *barrier;
    struct barrier_shared *shared;
    struct kin__thread *self;
    uint64_t round;
    uint32_t place; /* of its arrival, when it came */
    bool is_actor;  /* it is to run the action */
};

static _Atomic uint64_t *row_of(const struct visit *visit)
{
    return kin__barrier_row(visit->shared, visit->round);
}

/* Runs the action, as the actor of the round. 0, or what it returned if that is negative. */
static int act(struct visit *visit)
{
    kin_call call = {.attempt = 1};
    int r = visit->barrier->action == NULL ? KIN_EFUNCTION
                                           : kin__call_run(&call, visit->barrier->action);
    kin__call_end(&call);
    uint64_t phase = kin__barrier_lock(visit->shared, visit->self);
    if (kin__barrier_round(phase) == visit->round &&
        kin__barrier_actor(visit->shared) == visit->self->owner) {
        kin__barrier_finish_action(visit->shared, r);
    }
    kin__barrier_unlock(visit->shared, visit->self, phase);
    return r < 0 ? r : 0;
}

/* Whether the action of the round is to be run, and nobody runs it. */
static bool is_unacted(const struct visit *visit)
{
    uint64_t phase = atomic_load(&visit->shared->phase);
    return kin__barrier_state(phase) == BARRIER_ACTING &&
           kin__barrier_round(phase) == visit->round && atomic_load(&visit->shared->actor) == 0;
}

/* Becomes the actor if that is so. Under the lock. */
static bool take_action(struct visit *visit)
{
    bool is_actor = is_unacted(visit);
    if (is_actor) {
        atomic_store(&visit->shared->actor, visit->self->owner);
    }
    return is_actor;
}

static void lock_and_take_action(struct visit *visit)
{
    uint64_t phase = kin__barrier_lock(visit->shared, visit->self);
    visit->is_actor = take_action(visit);
    kin__barrier_unlock(visit->shared, visit->self, phase);
}

/* Whether one can come in: not while the last round's action runs, nor to a place that somebody has
 * not left since the round before that. Under the lock, of a barrier that is not broken. */
static bool has_room(struct barrier_shared *shared)
{
    uint64_t phase = atomic_load(&shared->phase);
    const _Atomic uint64_t *row = kin__barrier_row(shared, kin__barrier_round(phase));
    return kin__barrier_state(phase) == BARRIER_FILLING &&
           shared->arrived_count < shared->capacity &&
           atomic_load(&row[shared->arrived_count]) == 0;
}

/* Comes in, if there is room. The last to come becomes the actor, if there is an action. 0,
 * KIN_EBROKEN, -EDEADLK, or -EAGAIN: there is no room, or, `is_now`, others are missing. */
static int come_in(struct visit *visit, bool is_now)
{
    struct barrier_shared *shared = visit->shared;
    uint64_t phase = kin__barrier_lock(shared, visit->self);
    uint64_t now = atomic_load(&shared->phase);
    int r = 0;
    if (!kin__barrier_is_open(now)) {
        r = KIN_EBROKEN;
    } else if (kin__barrier_actor(shared) == visit->self->owner) {
        r = -EDEADLK;
    } else if (!has_room(shared) ||
               (is_now && shared->arrived_count + 1 < atomic_load(&shared->party_count))) {
        r = -EAGAIN;
    } else {
        visit->round = kin__barrier_round(now);
        visit->place = shared->arrived_count;
        atomic_store(&row_of(visit)[visit->place],
                     kin__arrival_word(visit->round, visit->self->owner));
        shared->arrived_count++;
        kin__barrier_settle(shared);
        visit->is_actor = take_action(visit);
    }
    kin__barrier_unlock(shared, visit->self, phase);
    return r;
}

/* Comes in, waiting for room. */
static int wait_and_come_in(struct visit *visit, kin_timeout timeout)
{
    _Atomic uint32_t *count = &visit->shared->count;
    int r = come_in(visit, timeout.deadline_ns == KIN_NOW.deadline_ns);
    while (r == -EAGAIN) {
        r = kin__timeout_is_over(timeout);
        if (r < 0) {
            break;
        }
        atomic_fetch_or(count, KIN__COUNT_FLAG); /* whoever leaves says so */
        uint32_t key = kin__count_prepare(count);
        r = come_in(visit, false);
        if (r == -EAGAIN) {
            r = kin__sleep(count, key, timeout);
            r = r == 0 ? -EAGAIN : r;
        }
    }
    return r;
}

/* The arrival of one that came: at its place, unless others were moved after a death. */
static _Atomic uint64_t *find_arrival(const struct visit *visit)
{
    _Atomic uint64_t *row = row_of(visit);
    uint64_t own = kin__arrival_word(visit->round, visit->self->owner);
    if ((atomic_load(&row[visit->place]) & ~ARRIVAL_BROKEN) == own) {
        return &row[visit->place];
    }
    for (uint32_t i = 0; i < visit->shared->capacity; i++) {
        if ((atomic_load(&row[i]) & ~ARRIVAL_BROKEN) == own) {
            return &row[i];
        }
    }
    return NULL;
}

/* Leaves a round that is over. The place, or KIN_EBROKEN. */
static int leave(const struct visit *visit)
{
    _Atomic uint64_t *arrival = find_arrival(visit);
    int r = KIN_EBROKEN;
    if (arrival != NULL) {
        bool is_broken = atomic_load(arrival) & ARRIVAL_BROKEN;
        r = is_broken ? KIN_EBROKEN : (int)(arrival - row_of(visit));
        atomic_store(arrival, 0);
    }
    if (atomic_load(&visit->shared->count) & KIN__COUNT_FLAG) {
        atomic_fetch_and(&visit->shared->count, ~KIN__COUNT_FLAG);
        kin__count_raise(&visit->shared->count, UINT32_MAX);
    }
    return r;
}

static bool is_over(const struct visit *visit)
{
    uint64_t phase = atomic_load(&visit->shared->phase);
    return kin__barrier_round(phase) != visit->round || !kin__barrier_is_open(phase);
}

/* Gives up, which breaks the round. True: it was over already. */
static bool give_up(const struct visit *visit)
{
    uint64_t phase = kin__barrier_lock(visit->shared, visit->self);
    bool was_over = is_over(visit);
    if (!was_over) {
        kin__barrier_break(visit->shared, BARRIER_BROKEN);
    }
    kin__barrier_unlock(visit->shared, visit->self, phase);
    return was_over;
}

/* Waits for the end of the round. 0, or the code of one that gave up, or whose action failed. */
static int await_end(struct visit *visit, kin_timeout timeout)
{
    _Atomic uint32_t *count = &visit->shared->count;
    struct kin__spin spin = kin__spin_begin_alone();
    int r = 0;
    for (;;) {
        if (is_over(visit)) {
            return 0;
        }
        if (visit->is_actor) {
            return act(visit);
        }
        if (is_unacted(visit)) {
            lock_and_take_action(visit);
            continue;
        }
        r = r < 0 ? r : kin__timeout_is_over(timeout);
        if (r < 0) {
            return give_up(visit) ? 0 : r;
        }
        if (kin__spin_again(&spin)) {
            continue;
        }
        uint32_t key = kin__count_prepare(count);
        if (!is_over(visit) && !is_unacted(visit)) {
            r = kin__sleep(count, key, timeout);
        }
    }
}

int kin_barrier_wait(kin_barrier *barrier, kin_timeout timeout)
{
    struct visit visit = {.barrier = barrier};
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = kin__object_enter(barrier, &visit.shared, &visit.self);
    }
    if (r < 0) {
        return r;
    }
    uint32_t index = kin__object_index(&barrier->object);
    kin__holding_add(visit.self, index);
    r = wait_and_come_in(&visit, timeout);
    if (r == 0) {
        int failed = await_end(&visit, timeout);
        r = leave(&visit);
        r = failed < 0 ? failed : r;
    }
    kin__holding_remove(visit.self, index);
    return r;
}
