/**
 * What tells a process that a queue has something to get, for those that wait for other things too.
 */
#ifndef KIN_QUEUE_BELL_H
#define KIN_QUEUE_BELL_H

#include <kin/queue.h>
#include <stdatomic.h>
#include <stdint.h>

/* The event count that is raised whenever there may be something to get. 0, or what
 * kin__object_enter says. */
int kin__queue_watch(const kin_queue *queue, _Atomic uint32_t **ret_count);

/* Whether a get would return, one way or the other. Also in the keeper. */
bool kin__queue_has_something(const kin_queue *queue);

#endif
