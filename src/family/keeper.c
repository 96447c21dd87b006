#include "family/keeper.h"

#include "family/death.h"
#include "family/keeper/life.h"
#include "family/life/interrupt.h"
#include "family/sleep.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/thread.h"

#include <errno.h>

#define START_SLICE_NS 5000000 /* a child without a life word is looked at this often */
#define DYING_NS 5000000       /* how long one that is dying is waited for in a row */
#define OVERFLOW_SLICE_NS 1000000000

/* How soon sleepers who have not looked since a death are woken again: the first time, and when
 * they are slow to look, stopped by a debugger for instance. */
#define LATE_SLICE_NS 1000000
#define LATE_SLICE_NS_MAX 1000000000

struct watch {
    struct kin__os_futex_wait waits[KIN__OS_FUTEX_WORDS_MAX];
    uint32_t count;
    int64_t slice_ns; /* look again after this; INT64_MAX: only when woken */
    int64_t late_ns;  /* and after this, if there are late sleepers */
    bool has_reaped;
    uint32_t start_count; /* children started at its last look */
};

static void look_again_within(struct watch *watch, int64_t slice_ns)
{
    watch->slice_ns = slice_ns < watch->slice_ns ? slice_ns : watch->slice_ns;
}

static void sleep_on(struct watch *watch, _Atomic uint32_t *word, uint32_t value)
{
    if (watch->count < KIN__OS_FUTEX_WORDS_MAX) {
        watch->waits[watch->count++] = (struct kin__os_futex_wait){.word = word, .expected = value};
    } else {
        look_again_within(watch, OVERFLOW_SLICE_NS);
    }
}

/* One process that this one watches: dead, being started, or alive. */
static void watch_process(struct watch *watch, struct kin__member *member, uint32_t owner)
{
    uint32_t life = atomic_load(&member->life);
    bool has_life = life & KIN__OS_FUTEX_WAITERS; /* else 0, or why its keeper did not start */
    bool is_starting = !has_life || kin__member_state_of(owner) == KIN__MEMBER_CLAIMED;
    if (life & KIN__OS_FUTEX_DIED) {
        if (kin__death_is_certain(owner, kin__os_now_ns() + DYING_NS)) {
            watch->has_reaped |= kin__death_reap(owner);
        }
        look_again_within(watch, START_SLICE_NS);
    } else if (is_starting) {
        if (kin__death_is_certain(owner, 1)) {
            watch->has_reaped |= kin__death_reap(owner);
        }
        look_again_within(watch, START_SLICE_NS);
    } else {
        atomic_store(&member->watcher, kin__family.owner); /* who leaves then wakes this one */
        sleep_on(watch, &member->life, life);
    }
}

/* One that has died, whoever watches over it. Who comes behind it in the ring tells the others. */
static void pass_on_death(struct watch *watch, struct kin__member *member, uint32_t owner)
{
    kin__os_futex_wake(&member->life, UINT32_MAX);      /* if this one is no longer its watcher, */
    kin__os_futex_wake(&member->life_next, UINT32_MAX); /* or not the next */
    if (kin__death_next_of(owner) == kin__family.owner) {
        uint32_t watcher = kin__death_watcher_of(owner);
        /* This one looks again by itself: telling it would keep it awake while the dead is not
         * reaped. */
        kin__death_tell_children(owner, kin__family.owner);
        kin__death_tell(watcher == kin__family.owner ? 0 : watcher);
        look_again_within(watch, START_SLICE_NS);
    }
}

/* Looks at all whom this process watches, and at the one before it in the ring. */
static void watch_all(struct watch *watch)
{
    uint32_t self = kin__family.owner;
    uint32_t previous = kin__death_previous_of(self);
    uint32_t used = atomic_load(&kin__shared()->members.used);
    if (previous != 0) {
        struct kin__member *member = kin__member_of(previous);
        uint32_t life = atomic_load(&member->life_next);
        bool is_still = kin__death_previous_of(self) == previous && !(life & KIN__OS_FUTEX_DIED);
        sleep_on(watch, &member->life_next, life);
        look_again_within(watch, is_still ? INT64_MAX : 1);
    }
    for (uint32_t slot = 1; slot < used; slot++) {
        struct kin__member *member = kin__member_at(slot);
        uint64_t word = atomic_load(&member->word);
        uint32_t owner = kin__owner(slot, word);
        uint32_t state = kin__word_state(word);
        if (kin__word_role(word) != KIN__MEMBER_PROCESS || owner == self ||
            state == KIN__MEMBER_FREE) {
            continue;
        }
        if (atomic_load(&member->life) & KIN__OS_FUTEX_DIED) {
            pass_on_death(watch, member, owner);
        }
        uint32_t by = state == KIN__MEMBER_CLAIMED ? kin__word_by(word) : owner;
        bool is_claimed = by != owner && (by == self || kin__death_is_listening(by));
        uint32_t watcher = is_claimed ? by : kin__death_watcher_of(owner);
        if (watcher == self || watcher == 0) { /* nobody: this one has no keeper either */
            watch_process(watch, member, owner);
        }
    }
}

/* The low half of death_count, which is what the kernel can sleep on. */
static _Atomic uint32_t *death_word(void)
{
    return (_Atomic uint32_t *)(void *)&kin__shared()->death_count;
}

/* Looks at what this process wants done. Whoever raises a count may have died before it woke this
 * keeper, so one with errands looks after every death. */
static void run_errands(struct watch *watch)
{
    mtx_lock(&kin__family.errand_lock);
    if (!kin__list_is_empty(&kin__family.errands)) {
        sleep_on(watch, death_word(), atomic_load(death_word()));
    }
    KIN_LIST_EACH (&kin__family.errands, node) {
        struct kin__errand *errand = KIN_CONTAINER_OF(node, struct kin__errand, node);
        uint32_t key = kin__count_prepare(errand->count);
        if (errand->look(errand)) {
            sleep_on(watch, errand->count, key);
        }
    }
    mtx_unlock(&kin__family.errand_lock);
}

/* Wakes once more whom the news of a death did not find asleep; see sleep.h. */
static void wake_late(struct watch *watch)
{
    if (kin__sleep_wake_late()) {
        look_again_within(watch, watch->late_ns);
        watch->late_ns = watch->late_ns < LATE_SLICE_NS_MAX ? watch->late_ns * 2
                                                            : LATE_SLICE_NS_MAX;
    } else {
        watch->late_ns = LATE_SLICE_NS;
    }
}

static bool is_orphan_daemon(struct watch *watch)
{
    const struct kin__member *self = kin__family.member;
    if (!(self->flags & KIN__MEMBER_DAEMON) || !kin__death_has_come(self->parent)) {
        return false;
    }
    look_again_within(watch, START_SLICE_NS); /* it may only be ending a thread that stood in */
    return kin__member_state_of(self->parent) != KIN__MEMBER_LIVE ||
           kin__death_is_certain(self->parent, kin__os_now_ns() + DYING_NS);
}

/* Ends a daemon whose parent is dead; the parent's other children may still be asleep. */
static _Noreturn void end_orphan(void)
{
    kin__death_tell_children(kin__family.member->parent, 0);
    kin__os_die();
}

static void sleep_until_change(struct watch *watch)
{
    atomic_store(&kin__family.keeper_is_due, watch->slice_ns <= START_SLICE_NS);
    int64_t deadline_ns = watch->slice_ns == INT64_MAX ? INT64_MAX
                                                       : kin__os_now_ns() + watch->slice_ns;
    if (kin__os_futex_wait_many(watch->waits, watch->count, deadline_ns) == -ENOSYS) {
        int64_t slice = kin__os_now_ns() + START_SLICE_NS;
        kin__os_futex_wait(watch->waits[0].word, watch->waits[0].expected,
                           slice < deadline_ns ? slice : deadline_ns);
    }
}

/* Who has just started a child may start the next: this one is then there by itself. */
static void expect_more(struct watch *watch)
{
    uint32_t start_count = atomic_load(&kin__family.start_count);
    if (watch->start_count != start_count) {
        watch->start_count = start_count;
        look_again_within(watch, START_SLICE_NS);
    }
}

/* Until it is told to end. */
static void watch_on(struct kin__member *member)
{
    struct watch watch = {.late_ns = LATE_SLICE_NS};
    for (;;) {
        atomic_store(&kin__family.keeper_is_due,
                     false); /* before the look; see kin__keeper_expect */
        watch.slice_ns = INT64_MAX;
        watch.count = 1;
        watch.has_reaped = false;
        watch.waits[0] = (struct kin__os_futex_wait){
            .word = &member->command, .expected = kin__count_prepare(&member->command)};
        if (watch.waits[0].expected & KIN__COUNT_FLAG) {
            return;
        }
        if (is_orphan_daemon(&watch)) {
            end_orphan();
        }
        kin__interrupt_act();
        if (atomic_load(&member->trim_wish) != 0) {
            kin__heap_trim();
        }
        run_errands(&watch);
        watch_all(&watch);
        expect_more(&watch);
        /* After the look: a child that has left by then is no longer watched. */
        kin__count_raise(&member->child_ends, UINT32_MAX);
        if (!watch.has_reaped) {
            wake_late(&watch);
            sleep_until_change(&watch);
        }
    }
}

static void set_state(enum kin__keeper_state state)
{
    atomic_store(&kin__family.keeper_state, state);
    kin__os_futex_wake(&kin__family.keeper_state, UINT32_MAX);
}

/* Killed between the zero and the wake: the watcher, asleep on what `life` was, is woken by the
 * kernel, since the word is pending. */
static void end_life(struct kin__member *member)
{
    struct kin__os_robust robust = kin__thread_current.robust;
    atomic_store(&member->life_next, 0);
    kin__os_futex_wake(&member->life_next, UINT32_MAX);
    kin__os_robust_begin(robust, &member->life);
    atomic_store(&member->life, 0);
    kin__os_futex_wake(&member->life, UINT32_MAX);
    kin__os_robust_end(robust);
    kin__os_life_end();
}

static void *keep(void *user)
{
    struct kin__member *member = kin__family.member;
    struct kin__os_life life;
    (void)user;
    kin__thread_current = (struct kin__thread){.generation = kin__family.generation,
                                               .member = member,
                                               .owner = kin__family.owner,
                                               .id = kin__os_thread_id(),
                                               .robust = {.head = &life.head}};
    int r = kin__os_life_begin(&life, &member->life);
    if (r < 0) {
        kin__family.keeper_code = r;
        set_state(KIN__KEEPER_NONE);
        return NULL;
    }
    set_state(KIN__KEEPER_RUNS);
    kin__death_tell(kin__death_next_of(kin__family.owner)); /* its place in the ring is another */
    watch_on(member);
    end_life(member);
    return NULL;
}

/* Returns when the keeper has published its life. */
static int start(void)
{
    _Atomic uint32_t *state = &kin__family.keeper_state;
    atomic_fetch_and(&kin__family.member->command, ~KIN__COUNT_FLAG);
    atomic_store(&kin__family.member->given, 0); /* it reaps, and has more than was given then */
    atomic_store(state, KIN__KEEPER_STARTS);
    int r = kin__os_thread_start(keep, NULL, &kin__family.keeper);
    if (r < 0) {
        atomic_store(state, KIN__KEEPER_NONE);
        return r;
    }
    while (atomic_load(state) == KIN__KEEPER_STARTS) {
        kin__os_futex_wait(state, KIN__KEEPER_STARTS, INT64_MAX);
    }
    if (!kin__keeper_runs()) {
        kin__os_thread_join(kin__family.keeper);
        return kin__family.keeper_code;
    }
    return 0;
}

int kin__keeper_need_slow(void)
{
    mtx_lock(&kin__family.keeper_lock);
    int r = kin__keeper_runs() ? 0 : start();
    mtx_unlock(&kin__family.keeper_lock);
    if (r == 0) {
        kin__life_drop(); /* the word is the keeper's now */
    }
    return r;
}

bool kin__keeper_is_unwatched(void)
{
    return kin__family.pid != 0 && !kin__keeper_runs() &&
           kin__death_watcher_of(kin__family.owner) == 0;
}

void kin__keeper_mind_slow(void)
{
    if (kin__keeper_is_unwatched()) {
        kin__keeper_need();
    }
}

int kin__keeper_need_for_child(void)
{
    return kin__keeper_runs() || kin__keeper_is_unwatched() ? 0 : kin__keeper_need();
}

bool kin__keeper_look_if_unwatched(void)
{
    bool is_unwatched = kin__keeper_is_unwatched();
    if (is_unwatched) {
        kin__keeper_look();
    }
    return is_unwatched;
}

void kin__keeper_break_silence_slow(void)
{
    atomic_store(&kin__family.member->given, 0); /* before another thread finds no silence */
    atomic_store(&kin__family.is_silent, false);
    uint32_t watcher = kin__death_watcher_of(kin__family.owner);
    if (atomic_load(&kin__family.member->watcher) != watcher) {
        kin__death_tell(watcher);
    }
}

void kin__keeper_look(void)
{
    struct watch watch = {.slice_ns = INT64_MAX, .late_ns = LATE_SLICE_NS};
    watch_all(&watch);
    kin__sleep_wake_late();
}

void kin__keeper_stop(void)
{
    if (kin__keeper_runs()) {
        atomic_fetch_or(&kin__family.member->command, KIN__COUNT_FLAG);
        kin__keeper_tell();
        kin__os_thread_join(kin__family.keeper);
        kin__keeper_forget();
    }
}

void kin__keeper_forget(void)
{
    kin__list_init(&kin__family.errands);
    atomic_store(&kin__family.keeper_state, KIN__KEEPER_NONE);
    atomic_store(&kin__family.keeper_is_due, false);
    atomic_store(&kin__family.life_thread, NULL);
    atomic_store(&kin__family.is_silent, false);
}

void kin__errand_add(struct kin__errand *errand)
{
    mtx_lock(&kin__family.errand_lock);
    kin__list_append(&kin__family.errands, &errand->node);
    mtx_unlock(&kin__family.errand_lock);
}

void kin__errand_remove(struct kin__errand *errand)
{
    mtx_lock(&kin__family.errand_lock);
    kin__list_remove(&errand->node);
    mtx_unlock(&kin__family.errand_lock);
}

void kin__keeper_tell(void)
{
    kin__count_raise_slow(&kin__family.member->command, 1);
}

void kin__keeper_expect(void)
{
    if (!kin__keeper_runs()) {
        return;
    }
    atomic_fetch_add(&kin__family.start_count, 1);
    if (!atomic_load(&kin__family.keeper_is_due)) {
        kin__keeper_tell();
    }
}
