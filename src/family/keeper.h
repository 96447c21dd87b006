/**
 * The keeper: the one thread that kin has in each process, asleep in the kernel.
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
 * It costs nothing while nothing happens: no timer runs, except while a child is being started
 * and has no life word yet, and where one process watches more than 126 others (one look a
 * second for those beyond).
 */
#ifndef KIN_FAMILY_KEEPER_H
#define KIN_FAMILY_KEEPER_H

#include "base/list.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts this process's keeper; returns when the life word is published. 0, -EAGAIN, -ENOSYS. */
int kin__keeper_start(void);

/* Ends it. */
void kin__keeper_stop(void);

/* Something that this process wants to do when an event count is raised. Its owner's memory. */
struct kin__errand {
    struct kin__list_node node;
    _Atomic uint32_t *count;

    /* Runs in the keeper, after kin__count_prepare: looks, and does what there is to do. True: the
     * keeper sleeps on the count; false: it does not, until kin__keeper_tell. Must not wait for
     * anybody, nor allocate. */
    bool (*look)(struct kin__errand *errand);
};

/* The keeper looks from the next kin__keeper_tell on. The second returns when `look` does not run,
 * and will not any more. */
void kin__errand_add(struct kin__errand *errand);
void kin__errand_remove(struct kin__errand *errand);

/* Makes it look again: at the table, since a child was started, and at all errands. */
void kin__keeper_tell(void);

#endif
