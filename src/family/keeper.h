/**
 * The keeper: the one thread that kin has in a process, asleep in the kernel.
 *
 * It publishes the process's life words and sleeps on those of others. When one is released it
 * reaps, and in a daemon it ends the process when the parent is dead.
 *
 * Of each word it sleeps alone, since the kernel wakes one sleeper: on `life` the watcher, which
 * is the parent as a rule; on `life_next` who comes next in the table, around its end. That one
 * makes the children of the dead, and its watcher, look. A keeper that is woken may be killed
 * before it has done so: but then its own next is woken, finds both dead, and does it for both.
 * So any number may die at once, parents, children and watchers: the last one left hears of all.
 * Who joins or leaves the ring makes the next one look again.
 *
 * **A process without a keeper.** Each begins without, the first one too: to start a thread takes
 * as long as a short child lives, and to fork takes a third longer in a process with threads. Its
 * first thread stands in, with `life` alone, by the C library's robust list (kin__os_life_list). It
 * is watched as all are, but watches nobody, is in no ring, and cannot be told anything. It gets
 * its keeper when it
 *
 *     sleeps                 it relies on hearing of deaths, and may be the last one left
 *     creates an object, is refused one, lists the members, awaits the rest of a message
 *                            others may have it and die; only if nobody else has a keeper
 *     starts a child         likewise, but only if somebody else has one
 *     has an errand, many spans, a handler of Ctrl-C                     somebody has to look
 *     has forked by itself   nobody says whether that child becomes a member, nor joins it
 *     is a daemon                                                        from the start
 *     ends the thread that stands in, by pthread_exit                    the process lives on
 *
 * So if nobody who lives has a keeper, nobody sleeps for what others have, and what the dead have
 * left can wait: until their parent joins or asks for them, or until somebody wants the name, the
 * slot or the memory that they have, and looks for itself.
 *
 * Who starts a child claims its slot and then looks whether anybody has a keeper; who gets a keeper
 * publishes its life and then looks for slots that are claimed. So one of them sees the other, and
 * no child is without a watcher while somebody sleeps.
 *
 * The hand-over: the keeper lists both words, then stores its id in them, then the first thread
 * takes its node off its own list, at once if it has started the keeper, else when it ends. The
 * kernel touches only a word that holds the id of the thread that dies, and at each instruction
 * there is one that holds the id of a thread that lists it. If the first one dies before the store,
 * and the keeper stores over what the kernel has left, the keeper is about to be killed with it,
 * and its own list does it again.
 *
 * The end of such a process frees its slot while its life word is zero and pending: killed there,
 * the kernel wakes the watcher. The node must be off the list by then, since the slot is somebody
 * else's next; only the thread itself can do that. So another one's kin_fini does nothing while it
 * runs.
 *
 * A process that starts one child after the other does not wake its keeper for each. While one
 * starts, or did just now, the keeper looks every few milliseconds anyway. A child which is killed
 * that soon, and has claimed nothing, is found at that look; before it claims anything it makes
 * sure that it is watched.
 *
 * It costs nothing while nothing happens: no timer runs, except while a child is being started
 * and has no life word yet, and where one process watches more than 126 others (one look a
 * second for those beyond).
 */
#ifndef KIN_FAMILY_KEEPER_H
#define KIN_FAMILY_KEEPER_H

#include "base/list.h"
#include "family/runtime.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum kin__keeper_state { KIN__KEEPER_NONE, KIN__KEEPER_STARTS, KIN__KEEPER_RUNS };

static inline bool kin__keeper_runs(void)
{
    return atomic_load_explicit(&kin__family.keeper_state, memory_order_acquire) ==
           KIN__KEEPER_RUNS;
}

/* Makes sure that this process has a keeper. 0, or -EAGAIN, -ENOMEM, -ENOSYS. */
int kin__keeper_need_slow(void);

static inline int kin__keeper_need(void)
{
    return __builtin_expect(kin__keeper_runs(), 1) ? 0 : kin__keeper_need_slow();
}

/* Makes sure that there is somebody who notices deaths: for who does not get what others have, or
 * takes of what there is for all. */
void kin__keeper_mind_slow(void);

static inline void kin__keeper_mind(void)
{
    if (__builtin_expect(!kin__keeper_runs(), 0)) {
        kin__keeper_mind_slow();
    }
}

/* After a slot was claimed for a child. If anybody sleeps, somebody has to look for its end, and
 * who sleeps has a keeper: then this process gets its own, so that each child wakes nobody else's.
 * 0, or as kin__keeper_need. */
int kin__keeper_need_for_child(void);

/* Whether no process has a keeper. */
bool kin__keeper_is_unwatched(void);

/* Reaps the dead if no process has a keeper that does it. True: it has looked. */
bool kin__keeper_look_if_unwatched(void);

/* Before the process first claims anything in the family: from now on others may wait for it, so
 * its parent makes sure that it is watched. */
void kin__keeper_break_silence_slow(void);

static inline void kin__keeper_break_silence(void)
{
    if (__builtin_expect(atomic_load_explicit(&kin__family.is_silent, memory_order_relaxed), 0)) {
        kin__keeper_break_silence_slow();
    }
}

/* Does once, in the calling thread, what a keeper does about deaths. */
void kin__keeper_look(void);

/* Ends the keeper if there is one. */
void kin__keeper_stop(void);

/* In a forked child: there is none. */
void kin__keeper_forget(void);

/* Something that this process wants to do when an event count is raised. Its owner's memory. */
struct kin__errand {
    struct kin__list_node node;
    _Atomic uint32_t *count;

    /* Runs in the keeper, after kin__count_prepare: looks, and does what there is to do. True: the
     * keeper sleeps on the count; false: it does not, until kin__keeper_tell. Must not wait for
     * anybody, nor allocate. */
    bool (*look)(struct kin__errand *errand);
};

/* The keeper looks from the next kin__keeper_tell on. There must be one: kin__keeper_need. */
void kin__errand_add(struct kin__errand *errand);

/* Returns when `look` does not run, and will not any more. */
void kin__errand_remove(struct kin__errand *errand);

/* Makes it look again: at the table, and at all errands. */
void kin__keeper_tell(void);

/* The same, if it does not do so within milliseconds anyway: there is a child that has just been
 * started, of which the slot has been claimed. The keeper says that it is due when it falls asleep,
 * and takes that back before it looks; so who finds it due has claimed before its next look. */
void kin__keeper_expect(void);

#endif
