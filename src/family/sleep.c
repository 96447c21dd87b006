#include "family/sleep.h"

#include "family/cancel.h"
#include "os/clock.h"

#include <errno.h>
#include <kin/error.h>

/* How often to look again where the kernel cannot sleep on two words (before 5.16). */
#define SLICE_NS 10000000

void kin__count_raise_slow(_Atomic uint32_t *count, uint32_t most)
{
    uint32_t value = atomic_load(count);
    while (!atomic_compare_exchange_weak(count, &value,
                                         (value + KIN__COUNT_STEP) & ~KIN__COUNT_SLEEPERS)) {
    }
    kin__os_futex_wake(count, most);
}

int kin__timeout_check(kin_timeout timeout)
{
    return timeout.deadline_ns == 0 && timeout.cancel == NULL ? -EINVAL : 0;
}

bool kin__spin_again(struct kin__spin *spin)
{
    enum { PAUSES_MAX = 256 };
    if (spin->looks == 0) {
        return false;
    }
    spin->looks--;
    for (uint32_t i = 0; i < spin->pauses; i++) {
        kin__os_pause();
    }
    spin->pauses = spin->pauses < PAUSES_MAX ? spin->pauses * 2 : PAUSES_MAX;
    return true;
}

/* Whether somebody died since the thread prepared to sleep, when the count was `deaths`. To be
 * asked after publishing. A sleeper on a lock has not prepared and need not: the death changes
 * the word itself. */
static bool has_missed_death(uint64_t kind, uint64_t deaths)
{
    return kind != KIN__SLEEPING_ON_LOCK && atomic_load(&kin__shared()->death_count) != deaths;
}

/* Publishes the word in the member's slot, so that a reaper finds it, and sleeps. */
static int sleep_published(_Atomic uint32_t *word, uint32_t expected, int64_t deadline_ns,
                           uint64_t kind, struct kin__thread *self)
{
    int r = 0;
    atomic_store(&self->member->sleeping_on, kin__offset_of(word) | kind);
    if (!has_missed_death(kind, self->deaths)) {
        r = kin__os_futex_wait(word, expected, deadline_ns);
    }
    atomic_store_explicit(&self->member->sleeping_on, 0, memory_order_release);
    return r;
}

/* Sleeps on the word, the token, and the member's own nudge, which is what it publishes. */
static int sleep_with_cancel(_Atomic uint32_t *word, uint32_t expected, kin_timeout timeout,
                             uint64_t kind, struct kin__thread *self)
{
    _Atomic uint32_t *fired = kin__cancel_count(timeout.cancel);
    _Atomic uint32_t *nudge = &self->member->nudge;
    uint64_t deaths = self->deaths; /* the prepares below overwrite it */
    atomic_store(&self->member->sleeping_on, kin__offset_of(nudge));
    struct kin__os_futex_wait waits[3] = {
        {.word = word, .expected = expected},
        {.word = fired, .expected = kin__count_prepare(fired)},
        {.word = nudge, .expected = kin__count_prepare(nudge)},
    };
    int r = 0;
    if (!has_missed_death(kind, deaths) && !kin_cancel_is_requested(timeout.cancel)) {
        r = kin__os_futex_wait_many(waits, 3, timeout.deadline_ns);
    }
    if (r == -ENOSYS) {
        int64_t slice = kin__os_now_ns() + SLICE_NS;
        r = kin__os_futex_wait(word, expected,
                               slice < timeout.deadline_ns ? slice : timeout.deadline_ns);
    }
    atomic_store_explicit(&self->member->sleeping_on, 0, memory_order_release);
    return r;
}

int kin__timeout_is_over(kin_timeout timeout)
{
    if (timeout.cancel != NULL && kin__cancel_count(timeout.cancel) == NULL) {
        return -ESTALE;
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

static int sleep_on(_Atomic uint32_t *word, uint32_t expected, kin_timeout timeout, uint64_t kind)
{
    struct kin__thread *self = kin__self();
    if (self == NULL) {
        return KIN_EFAMILY;
    }
    int r = kin__timeout_is_over(timeout);
    if (r < 0) {
        return r;
    }
    r = timeout.cancel != NULL ? sleep_with_cancel(word, expected, timeout, kind, self)
                               : sleep_published(word, expected, timeout.deadline_ns, kind, self);
    return r == -ETIMEDOUT ? 0 : r; /* look once more; the next call says so */
}

int kin__sleep(_Atomic uint32_t *count, uint32_t key, kin_timeout timeout)
{
    return sleep_on(count, key, timeout, 0);
}

int kin__sleep_on_holder(_Atomic uint32_t *word, uint32_t expected, kin_timeout timeout)
{
    return sleep_on(word, expected, timeout, KIN__SLEEPING_ON_LOCK);
}

void kin__sleep_on_lock(_Atomic uint32_t *word, uint32_t expected, struct kin__thread *self)
{
    sleep_published(word, expected, INT64_MAX, KIN__SLEEPING_ON_LOCK, self);
}

void kin__sleep_wake_all(void)
{
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        uint64_t sleeping_on = atomic_load(&kin__member_at(slot)->sleeping_on);
        uint64_t offset = sleeping_on & ~(uint64_t)KIN__SLEEPING_ON_LOCK;
        if (offset == 0 || offset % sizeof(uint32_t) != 0 ||
            !kin__memory_has(&kin__family.memory, offset, sizeof(uint32_t))) {
            continue;
        }
        if (sleeping_on & KIN__SLEEPING_ON_LOCK) {
            kin__os_futex_wake(kin__at(offset), UINT32_MAX);
        } else {
            kin__count_raise_slow(kin__at(offset), UINT32_MAX);
        }
    }
}
