/**
 * The line of a fair mutex: who waits gets it in the order of arrival, one is woken at a time,
 * and nobody passes those who wait.
 *
 * The line has no memory of its own (turn.h): who waits has drawn a place, a counter in the mutex,
 * and the first in line is found by looking through the slots.
 *
 *     free --CAS-> held                   whoever comes, if the word is free
 *     held --CAS-> held | WAITERS         a waiter, standing in line, before it sleeps
 *     held | WAITERS --CAS-> RESERVED     the release; then it nudges the first in line
 *     RESERVED --CAS-> held | WAITERS     the first in line only
 *     RESERVED --CAS-> free               whoever finds that nobody stands in line
 *
 * Each sleeps on the `nudge` of its own slot, so a wake-up meets the one it is for.
 *
 * Nobody is forgotten. (1) Who stands in line looks at the word after it has published its place
 * and after it has read its nudge; the release changes the word, then looks at the slots, then
 * raises the nudge. If the release does not see the place, the waiter sees the changed word;
 * if it sees it, the nudge has moved and the waiter does not fall asleep. All four are
 * sequentially consistent. (2) Who leaves the line without the mutex withdraws its place and
 * then, if the word is RESERVED, nudges whoever is first now: it may have been nudged itself.
 * (3) Who finds RESERVED and others before it sleeps; those are live and will take the mutex, or
 * leave (2), or die. (4) Killed between any two of these steps, it has left RESERVED, or itself
 * in line: the reaper takes it out of the line, then makes all sleepers look, and the first
 * of those who are left takes the mutex. (5) RESERVED with nobody in line is as good as free: who
 * comes is the first in line.
 */
#ifndef KIN_SYNC_FAIR_H
#define KIN_SYNC_FAIR_H

#include "sync/mutex.h"

/* Acquires, standing in line. The mutex was not free, or it was not tried. */
int kin__fair_acquire(const struct kin__claim *claim);

/* The word has just become RESERVED, or one that may have been nudged has left: nudges the first
 * in line, or sets the mutex free. */
void kin__fair_hand_on(struct kin__mutex *mutex, uint32_t index);

#endif
