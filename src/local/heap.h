/**
 * Last in, first out, and by priority: an array, as a stack or as a binary heap. It doubles when
 * it is full; a large one is given up when it is empty.
 *
 * In the heap each entry comes before the two at 2 i + 1 and 2 i + 2: it has a smaller priority,
 * or the same one and a smaller ticket, so equal priorities keep their order.
 */
#ifndef KIN_LOCAL_HEAP_H
#define KIN_LOCAL_HEAP_H

#include "local/layout.h"

/* Puts up to `count` items of a move and returns how many; 0: a larger array is needed, and `room`
 * says than what. Where it was there, it is the old one afterwards. Under put_lock. */
size_t kin__local_heap_append(struct local_move *move, size_t count, struct local_room *room);

/* Allocates an array that is larger than `room` says. 0, or -ENOMEM. */
int kin__local_heap_expand(struct local_room *room);

/* Takes up to `count` items and returns how many; `room` is an array that was given up. Under
 * put_lock. */
size_t kin__local_heap_take(kin_local_queue *queue, void **items, size_t count,
                            struct local_room *room);

/* Frees the array. */
void kin__local_heap_deinit(kin_local_queue *queue);

#endif
