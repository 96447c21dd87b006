/**
 * Finding deadlocks: who blocks publishes what it waits for (wait.h) and then follows the chain
 * of holders and their waits. If that leads back to itself, it has closed a circle.
 *
 * Every circle is found. Its waits are published one after the other (sequentially consistent);
 * the last to do so looks afterwards, sees all others, and sees each lock with its holder, who
 * has taken it before it came to wait. A lock can change hands under those who wait for it, but
 * whoever takes it is not blocked then, and will publish a wait of its own before it is. So
 * looking once, when one comes to wait, is enough: no timer, no wake-up.
 *
 * What is found is a deadlock. The chain is read twice, and counts if both readings are equal
 * word for word. Waits carry a version, so each of them lasted from its first reading to its
 * second, and all of them at the moment T between the two walks. Each lock on the chain had the
 * same holder in the second reading as in the first; the holder's own wait, read after the lock
 * in the first walk, lasted over the time of the second reading of the lock; and who waits
 * acquires nothing but what it waits for, so it has held the lock all that time, at T too. Thus
 * at T each waited without a deadline, a token or another way out for a lock that the next one
 * held and was not going to release. (One that has just got what it waited for still shows the
 * wait: then the holder is the waiter itself, which is no edge.) Only a death undoes it; so one
 * more look makes sure that all of them live: the locks of the dead are about to be freed.
 *
 * Two who come last at about the same time both see the circle. What they do about it they do one
 * at a time, under `deadlock_lock`, after one more look: the first one withdraws its wait, and
 * the circle is broken when the second looks; or marks it as reported, and the second leaves it
 * at that.
 *
 * A wait for a process is a wait for its main thread, whose return ends it. A circle of more than
 * STEPS_MAX waits is not found. The locks of conditions are reacquired come what may: when that
 * closes a circle, it is reported only.
 */
#ifndef KIN_SYNC_DEADLOCK_CYCLE_H
#define KIN_SYNC_DEADLOCK_CYCLE_H

#include "sync/mutex.h"

#define KIN__DEADLOCK_STEPS_MAX 64u

/* A thread that waits, for what, and who has that. */
struct kin__deadlock_step {
    uint64_t edge;
    uint32_t waiter;
    uint32_t holder;
};

/* The holder of each step waits in the next one; that of the last in the first. */
struct kin__deadlock_cycle {
    uint32_t count;
    struct kin__deadlock_step steps[KIN__DEADLOCK_STEPS_MAX];
};

/* Whether the wait of a thread closes a circle, of which all live. */
bool kin__deadlock_find(uint32_t owner, struct kin__deadlock_cycle *ret_cycle);

/* Whether somebody in it has told of it and waits on. */
bool kin__deadlock_is_reported(const struct kin__deadlock_cycle *cycle);

#endif
