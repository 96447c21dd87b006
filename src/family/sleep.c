#include "family/sleep.h"

#include "family/cancel.h"
#include "family/keeper.h"
#include "os/clock.h"

#include <errno.h>
#include <kin/error.h>

/* How often to look again where the kernel cannot sleep on several words (before 5.16), without
 * a token and with one; and on an internal lock, where the first is not to be relied on: the
 * one that reaps may be the one that sleeps. */
#define SLICE_NS 1000000000
#define CANCEL_SLICE_NS 10000000

void kin__count_raise_slow(_Atomic uint32_t *count, uint32_t most)
{
    uint32_t value = atomic_load(count);
    while (!atomic_compare_exchange_weak(count, &value,
                                         (value + KIN__COUNT_STEP) & ~KIN__COUNT_SLEEPERS)) {
    }
    kin__os_futex_wake(count, most);
}

/* In pauses: what a wait may spend, its first step, and the longest moment between two looks. */
#define PATIENCE_MAX 1776u
#define PATIENCE_MIN 16u
#define PAUSES_MAX 256u

/* A moment from which on moments double; below, they grow by a quarter. Also how long one leaves
 * others with what they have, and a stream to gather. */
#define GATHER_PAUSES 16u
#define GATHER_EVERY 64u

static struct kin__spin spin_begin(uint32_t pauses)
{
    struct kin__thread *self = &kin__thread_current;
    if (kin__family.spin_count == 0) {
        return (struct kin__spin){0};
    }
    uint32_t patience = self->patience * 2 + PATIENCE_MIN;
    self->patience = patience < PATIENCE_MAX ? patience : PATIENCE_MAX;
    return (struct kin__spin){.left = self->patience, .next = pauses * 16};
}

struct kin__spin kin__spin_begin(void)
{
    return spin_begin(GATHER_PAUSES);
}

struct kin__spin kin__spin_begin_alone(void)
{
    return spin_begin(1);
}

struct kin__spin kin__spin_begin_gathering(void)
{
    struct kin__thread *self = &kin__thread_current;
    bool is_trial = self->gather_waits++ % GATHER_EVERY == 0;
    return spin_begin(is_trial ? GATHER_PAUSES : GATHER_PAUSES >> self->haste);
}

void kin__spin_learn(bool has_more)
{
    struct kin__thread *self = &kin__thread_current;
    if (has_more) {
        self->haste = 0;
    } else if (GATHER_PAUSES >> self->haste > 1) {
        self->haste++;
    }
}

bool kin__spin_again(struct kin__spin *spin)
{
    if (spin->left == 0) {
        kin__thread_current.patience /= 4;
        return false;
    }
    uint32_t pauses = spin->next / 16;
    pauses = pauses < spin->left ? pauses : spin->left;
    spin->left -= pauses;
    for (uint32_t i = 0; i < pauses; i++) {
        kin__os_pause();
    }
    if (pauses < PAUSES_MAX) {
        spin->next += pauses < GATHER_PAUSES ? spin->next / 4 : spin->next;
    }
    return true;
}

/* What a sleeper on a word publishes: where it is, or, if it is private memory of this process,
 * merely that it sleeps. Others then only nudge. */
#define PRIVATE_PLACE 1u

static uint64_t place_of(const _Atomic uint32_t *word)
{
    uint64_t offset = kin__offset_of(word);
    bool is_shared = kin__memory_has(&kin__family.memory, offset, sizeof *word);
    return is_shared ? offset : PRIVATE_PLACE;
}

/* In sleep_deaths: deaths do not matter to this sleep. One on a holder word: a death that matters
 * has changed that before all are woken. */
#define NO_DEATH UINT64_MAX

/* Publishes that the member sleeps, having looked when there had been so many deaths. False:
 * there have been more. */
static bool publish(struct kin__member *member, uint64_t place, uint64_t deaths)
{
    atomic_store_explicit(&member->sleep_deaths, deaths, memory_order_relaxed);
    atomic_store(&member->sleeping_on, place);
    return deaths == NO_DEATH || atomic_load(&kin__shared()->death_count) == deaths;
}

static void withdraw(struct kin__member *member)
{
    atomic_store_explicit(&member->sleeping_on, 0, memory_order_release);
}

/* Sleeps on the word; on the member's own nudge, if nobody else can wake it on the word; and on the
 * token, if there is one. */
static int sleep_published(_Atomic uint32_t *word, uint32_t expected, kin_timeout timeout,
                           uint64_t deaths, struct kin__member *member)
{
    uint64_t place = place_of(word);
    struct kin__os_futex_wait waits[3] = {
        {.word = word, .expected = expected},
        {.word = &member->nudge, .expected = atomic_load(&member->nudge)}};
    uint32_t count = place == PRIVATE_PLACE ? 2 : 1;
    bool is_over = !publish(member, place, deaths);
    if (timeout.cancel != NULL) {
        _Atomic uint32_t *fired = kin__cancel_count(timeout.cancel);
        waits[count++] = (struct kin__os_futex_wait){.word = fired,
                                                     .expected = kin__count_prepare(fired)};
        is_over |= kin_cancel_is_requested(timeout.cancel);
    }
    int r = is_over      ? 0
            : count == 1 ? kin__os_futex_wait(word, expected, timeout.deadline_ns)
                         : kin__os_futex_wait_many(waits, count, timeout.deadline_ns);
    if (r == -ENOSYS) {
        int64_t slice_ns = kin__os_now_ns() + (timeout.cancel != NULL ? CANCEL_SLICE_NS : SLICE_NS);
        r = kin__os_futex_wait(word, expected,
                               slice_ns < timeout.deadline_ns ? slice_ns : timeout.deadline_ns);
    }
    withdraw(member);
    return r;
}

static int timeout_is_over(kin_timeout timeout)
{
    if (timeout.cancel != NULL && kin__cancel_count(timeout.cancel) == NULL) {
        return kin__family_is_open() ? -ESTALE : KIN_EFAMILY;
    }
    if (timeout.cancel != NULL && kin_cancel_is_requested(timeout.cancel)) {
        return -ECANCELED;
    }
    if (timeout.deadline_ns == KIN_NOW.deadline_ns) {
        return -EAGAIN;
    }
    bool is_past = timeout.deadline_ns != INT64_MAX && kin__os_now_ns() >= timeout.deadline_ns;
    return is_past ? -ETIMEDOUT : 0;
}

int kin__timeout_is_over(kin_timeout timeout)
{
    int r = timeout_is_over(timeout);
    if (r < 0) { /* refused: it may try again and again, for what a dead one has */
        kin__keeper_mind();
    }
    return r;
}

/* Who sleeps relies on its being woken when somebody dies, and may be the last who lives. Without a
 * keeper, for want of a thread, it looks itself, again and again. */
static kin_timeout rely_on_keeper(kin_timeout timeout)
{
    if (kin__keeper_need() < 0) {
        kin__keeper_look();
        int64_t slice_ns = kin__os_now_ns() + CANCEL_SLICE_NS;
        timeout.deadline_ns = slice_ns < timeout.deadline_ns ? slice_ns : timeout.deadline_ns;
    }
    return timeout;
}

static int sleep_on(_Atomic uint32_t *word, uint32_t expected, kin_timeout timeout, uint64_t deaths)
{
    struct kin__thread *self = NULL;
    int r = kin__self_find(&self);
    if (r == 0) {
        r = kin__timeout_is_over(timeout);
    }
    if (r < 0) {
        return r;
    }
    r = sleep_published(word, expected, rely_on_keeper(timeout), deaths, self->member);
    return r == -ETIMEDOUT ? 0 : r; /* look once more; the next call says so */
}

int kin__sleep(_Atomic uint32_t *count, uint32_t key, kin_timeout timeout)
{
    return sleep_on(count, key, timeout, kin__thread_current.deaths);
}

int kin__sleep_on_holder(_Atomic uint32_t *word, uint32_t expected, kin_timeout timeout)
{
    return sleep_on(word, expected, timeout, NO_DEATH);
}

void kin__sleep_on_lock(_Atomic uint32_t *word, uint32_t expected, struct kin__thread *self)
{
    publish(self->member, place_of(word), NO_DEATH);
    kin__os_futex_wait(word, expected, kin__os_now_ns() + SLICE_NS);
    withdraw(self->member);
}

/* The words on which this pass has woken all: many members sleep on few words, and each that is
 * woken sleeps again at once. Who comes to sleep on one after that has seen what is there now. */
struct woken {
    uint64_t offsets[8]; /* 0: none */
    uint32_t next;
};

static bool is_woken(struct woken *woken, uint64_t offset)
{
    enum { COUNT = sizeof woken->offsets / sizeof woken->offsets[0] };
    for (uint32_t i = 0; i < COUNT; i++) {
        if (woken->offsets[i] == offset) {
            return true;
        }
    }
    woken->offsets[woken->next++ % COUNT] = offset;
    return false;
}

/* Wakes who sleeps on a word; it may be something else by now: it is woken, never written. */
static void wake_on(uint64_t offset, struct woken *woken)
{
    if (offset % sizeof(uint32_t) == 0 && !is_woken(woken, offset) &&
        kin__memory_has(&kin__family.memory, offset, sizeof(uint32_t))) {
        kin__os_futex_wake(kin__at(offset), UINT32_MAX);
    }
}

void kin__sleep_wake_all(void)
{
    struct woken woken = {0};
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        struct kin__member *member = kin__member_at(slot);
        uint64_t offset = atomic_load(&member->sleeping_on);
        if (offset != 0) {
            kin__count_raise_slow(&member->nudge, UINT32_MAX);
            wake_on(offset, &woken);
        }
    }
}

bool kin__sleep_wake_late(void)
{
    struct woken woken = {0};
    bool has_late = false;
    uint64_t deaths = atomic_load(&kin__shared()->death_count);
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        struct kin__member *member = kin__member_at(slot);
        uint64_t offset = atomic_load(&member->sleeping_on);
        bool is_late = offset != 0 && offset != PRIVATE_PLACE &&
                       atomic_load(&member->sleep_deaths) < deaths &&
                       kin__word_state(atomic_load(&member->word)) == KIN__MEMBER_LIVE;
        if (is_late) {
            has_late = true;
            wake_on(offset, &woken);
        }
    }
    return has_late;
}
