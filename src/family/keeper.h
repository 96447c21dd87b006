/**
 * The keeper: the one thread that kin has in each process, asleep in the kernel.
 *
 * It publishes the process's life word, and sleeps on the life words of those it watches: the
 * processes whose watcher it is (its children, as a rule) and its own watcher (its parent, as a
 * rule). So every death is seen by somebody, also when parent and child die together. When a
 * life word is released it reaps. In a daemon it ends the process when the parent is dead.
 *
 * It costs nothing while nothing happens: no timer runs, except while a child is being started
 * and has no life word yet, and where one process watches more than 126 others (one look a
 * second for those beyond).
 */
#ifndef KIN_FAMILY_KEEPER_H
#define KIN_FAMILY_KEEPER_H

/* Starts this process's keeper; returns when the life word is published. 0, -EAGAIN, -ENOSYS. */
int kin__keeper_start(void);

/* Ends it. */
void kin__keeper_stop(void);

/* Makes it look at the table again: a child was started. */
void kin__keeper_tell(void);

#endif
