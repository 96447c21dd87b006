/**
 * The bell of a queue: an fd that is readable while there may be something to get, for programs
 * that wait with poll. This process's keeper rings it; producers do nothing for it but look at one
 * word more.
 *
 *     armed    the keeper sleeps on `watch` of the queue; when it is raised, and there is a
 *              message, or the queue is closed: -> rung
 *     rung     the fd is readable, and the keeper does not care; a get that finds nothing: -> armed
 */
#ifndef KIN_QUEUE_BELL_H
#define KIN_QUEUE_BELL_H

#include "queue/layout.h"

struct kin__bell;

/* Arms the bell again, if the queue has one that was rung: nothing was there to get. */
void kin__bell_rearm(const kin_queue *queue);

/* Takes the bell down, if there is one. */
void kin__bell_free(kin_queue *queue);

#endif
