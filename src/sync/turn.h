/**
 * Whose turn it is: a line of members that has no memory of its own.
 *
 * Who waits says so in its member slot: for what (`waits_for`, see deadlock/wait.h) and at which
 * place (`wait_place`, drawn from a counter of the object, from 1 up). The line is that: the slots
 * that name the object, by their places. So a dead waiter is out of the line when its slot is
 * repaired, and no link can be torn.
 *
 * A place may be KIN__TURN_COMING, of one who is about to draw: it stands in line, behind all.
 * A slot that changes while it is looked at stands for one who comes or leaves, and is looked at
 * again.
 */
#ifndef KIN_SYNC_TURN_H
#define KIN_SYNC_TURN_H

#include "sync/deadlock/wait.h"

#define KIN__TURN_COMING UINT64_MAX

/* The first in line behind `place` (0: of all) that has drawn its own, and that; NULL: nobody.
 * `wanted`: an edge, without flags and version. */
struct kin__member *kin__turn_next(uint64_t wanted, uint64_t *place);

/* How many stand in line up to a place; KIN__TURN_COMING: all. */
uint32_t kin__turn_count(uint64_t wanted, uint64_t last);

/* Takes a dead member out of the line. */
void kin__turn_repair(uint64_t wanted, uint32_t dead);

#endif
