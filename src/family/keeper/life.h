/**
 * The life word of a process that has no keeper: a thread of it stands in; see keeper.h.
 */
#ifndef KIN_FAMILY_LIFE_H
#define KIN_FAMILY_LIFE_H

#include <stdbool.h>

/* Publishes the calling thread's id in the process's life word. 0; or -ENOSYS, -ENOMEM: the process
 * needs a keeper. */
int kin__life_begin(void);

/* Ends that if it is the calling thread that stands in: the word names another by now, or the
 * process dies with the thread. */
void kin__life_drop(void);

/* Whether the calling thread stands in, and whether another one does. */
bool kin__life_is_here(void);
bool kin__life_is_elsewhere(void);

/* Before the process gives back what it has: it has more than it was given from here on, and if the
 * calling thread stands in and is no member, that speaks for the process itself. */
void kin__life_speak(void);

/* The calling thread, which stands in, frees the process's slot: the last that it does in the
 * family. Who waits for the end is told. */
void kin__life_end(void);

#endif
