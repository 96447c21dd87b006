/**
 * Sleeping: every wait of every layer ends here.
 *
 * What is slept on is an event count, a word of the family's memory, or of this process alone, that
 * changes with each event:
 *
 *     SLEEPERS : 1   somebody sleeps or is about to
 *     FLAG : 1       belongs to the object
 *     count : 30     rises with each raise, wraps
 *
 * The one correct wait, and why:
 *
 *     for (;;) {
 *         if (try()) break;
 *         key = kin__count_prepare(count);         announce, then look again: a raiser that
 *         if (try()) break;                        acts before our look is seen by it, one that
 *         r = kin__sleep(count, key, timeout);     acts after it sees SLEEPERS and changes the
 *         if (r < 0) break;                        count, so the kernel refuses to put us to sleep
 *     }
 *     if (slept) kin__count_pass(count), and raise again if there is more to take
 *
 * A raise clears SLEEPERS and wakes one (or all). The one woken puts SLEEPERS back when it
 * leaves (kin__count_pass), for those who sleep on. Killed before that, it has swallowed a
 * wake-up; killed between its event and the raise, a raiser has swallowed one too. Both are
 * healed by the reaper: each sleeper publishes in its member slot where it sleeps, and what
 * `death_count` was before its last look. After any death the reaper first adds to death_count,
 * then wakes every sleeper. One that publishes too late to be seen finds that death_count has
 * moved since its prepare, and looks again instead of sleeping.
 *
 * Waking is not enough for one that has published and is not yet asleep: the kernel compares the
 * word, which a death does not change. The reaper must not change it either: by the time it does,
 * the object may be gone and the memory somebody else's. So keepers repeat the waking as long as
 * somebody sleeps who last looked before the last death, at growing intervals: once, nearly
 * always. Every keeper that wakes up takes part in this, so one that dies at it, which is one more
 * death, or leaves, which wakes the next, is replaced. (A second word to sleep on, which the reaper
 * may change, would do as well, but makes each sleep half a microsecond slower.)
 *
 * Where others cannot wake a sleeper, in memory of its process alone, there is such a word: its
 * slot's `nudge`. Waking without a reason is always allowed.
 */
#ifndef KIN_FAMILY_SLEEP_H
#define KIN_FAMILY_SLEEP_H

#include "family/member.h"

#include <errno.h>
#include <kin/timeout.h>

#define KIN__COUNT_SLEEPERS 1u
#define KIN__COUNT_FLAG 2u
#define KIN__COUNT_STEP 4u

/* Announces a sleeper; the key for kin__sleep, which the same thread calls next. A full
 * barrier. */
static inline uint32_t kin__count_prepare(_Atomic uint32_t *count)
{
    kin__thread_current.deaths = atomic_load(&kin__shared()->death_count);
    return atomic_fetch_or(count, KIN__COUNT_SLEEPERS) | KIN__COUNT_SLEEPERS;
}

/* Raises a count, whether somebody sleeps on it or not, and wakes up to `most`. */
void kin__count_raise_slow(_Atomic uint32_t *count, uint32_t most);

/* Says that an event came: wakes up to `most` sleepers. Costs a load if nobody sleeps. What
 * came must have been published by a sequentially consistent read-modify-write or fence
 * before (it pairs with the one in kin__count_prepare). */
static inline void kin__count_raise(_Atomic uint32_t *count, uint32_t most)
{
    if (__builtin_expect(atomic_load(count) & KIN__COUNT_SLEEPERS, 0)) {
        kin__count_raise_slow(count, most);
    }
}

/* Puts SLEEPERS back, by one who has slept and leaves. A full barrier: look again afterwards
 * for what the others might want, and raise. */
static inline void kin__count_pass(_Atomic uint32_t *count)
{
    atomic_fetch_or(count, KIN__COUNT_SLEEPERS);
}

/* Whether a timeout is well-formed. 0, or -EINVAL. */
static inline int kin__timeout_check(kin_timeout timeout)
{
    return timeout.deadline_ns == 0 && timeout.cancel == NULL ? -EINVAL : 0;
}

/* Whether a wait would be over before it began: -EAGAIN, -ETIMEDOUT, -ECANCELED, or -ESTALE: the
 * token is gone; else 0. */
int kin__timeout_is_over(kin_timeout timeout);

/* Sleeps until `count` differs from `key`, or is woken. 0: look again; or -EAGAIN: the timeout
 * is KIN_NOW; -ETIMEDOUT; -ECANCELED. */
int kin__sleep(_Atomic uint32_t *count, uint32_t key, kin_timeout timeout);

/* The same on a holder word: sleeps while it is `expected`. Whoever sets it free wakes one, and
 * a repair after a death changes it, so no key is needed. */
int kin__sleep_on_holder(_Atomic uint32_t *word, uint32_t expected, kin_timeout timeout);

/* The same for the internal lock: for a second at most, no token. */
void kin__sleep_on_lock(_Atomic uint32_t *word, uint32_t expected, struct kin__thread *self);

/* After a death: wakes every member that sleeps. A keeper has to go on with the next. */
void kin__sleep_wake_all(void);

/* Wakes those who sleep and have not looked since the last death. Whether there was any: then again
 * after a while. */
bool kin__sleep_wake_late(void);

/* Looking again for a while before sleeping pays when the other side is running. The moments
 * between two looks grow: each look takes the line away from the core that is about to write
 * it, so looking less often lets the other side run ahead, and all moves faster. Together they
 * last about as long as falling asleep and being woken on another core.
 *
 * When the other side is not running, because it has nothing to do or no core, looking burns
 * what it waits for. So each thread learns: looking in vain quarters what it spends the next time,
 * each new wait doubles it. On one core it spends nothing.
 *
 * How soon to look first depends on what comes. A request or an answer comes alone, and every
 * moment after it has come is lost. A lock that somebody has moves faster the less it is looked at:
 * its holder may take it many times before the next one does. In a stream of messages one that
 * waits a little longer finds several, and the line moves once for all of them. So a consumer tells
 * each time whether there was more than it had waited for: if so, its next wait leaves them time to
 * gather, if not, it looks sooner. Now and then it waits to see whether it has become a stream.
 */
struct kin__spin {
    uint32_t left; /* pauses that may still be spent */
    uint32_t next; /* sixteenths of pauses until the next look */
};

/* Begins a wait for what others have in hand, a lock for instance: looking late lets them run. */
struct kin__spin kin__spin_begin(void);

/* Begins a wait for what comes alone. */
struct kin__spin kin__spin_begin_alone(void);

/* Begins a wait for what may come in a stream. */
struct kin__spin kin__spin_begin_gathering(void);

/* Waits a moment; false when it is time to sleep. */
bool kin__spin_again(struct kin__spin *spin);

/* What was waited for came, before it was time to sleep; `has_more`: and more with it. Only after
 * kin__spin_begin_gathering. */
void kin__spin_learn(bool has_more);

#endif
