/**
 * The line of a fair semaphore: who waits gets a permit in the order of arrival, nobody passes
 * those who wait, and n permits wake the n first.
 *
 * The permits are where they always are (semaphore.c), the line is in the member slots (turn.h).
 * Nothing says for whom a permit is meant. One rule decides, and whoever looks can tell:
 *
 *     who has k in line before it may take a permit if more than k are left
 *
 * For one that comes and does not wait all who stand in line are before it. So no permit can be
 * kept for one who is dead or has left: then k is less, and the next may take it. Each counts those
 * before it first and the permits afterwards. The line before it only gets shorter meanwhile, so it
 * may hold its turn not to have come when it has, never the other way.
 *
 * Each sleeps on the `nudge` of its own slot. Nobody is forgotten, that is, who may take a permit
 * looks once more. (1) Permits come back: the release frees, then looks for a line, then nudges as
 * many as there are permits left, from the front. A waiter names the semaphore in its slot, then
 * draws its place, then looks: either the release sees the place, or the waiter sees the permit.
 * (2) Somebody leaves the line, with a permit or without: it withdraws, then does as a release.
 * (3) Somebody dies in line, or as the owner of permits, or with (1) or (2) not done: the reaper
 * takes it out of the line and makes all sleepers look.
 *
 * `quiet` saves who comes and who releases the look at all slots: the line is empty if it is the
 * last place drawn. Who finds nobody in line raises it to what was the last place before. It is
 * right since a waiter names the semaphore before it draws: who looks through the slots after that
 * finds it there, though perhaps KIN__TURN_COMING.
 */
#ifndef KIN_SYNC_SEMAPHORE_FAIR_H
#define KIN_SYNC_SEMAPHORE_FAIR_H

#include "family/verify.h"
#include "sync/semaphore/permits.h"

#include <kin/timeout.h>

/* Takes a permit in turn. 0, KIN_OWNER_DIED, -EAGAIN, -ETIMEDOUT, -ECANCELED. The holding of a
 * bounded one has been noted. */
int kin__semaphore_acquire_fair(struct semaphore_shared *shared, uint32_t index,
                                struct kin__thread *self, kin_timeout timeout);

/* Permits have come back, or somebody has left the line: nudges those whose turn it is. */
void kin__semaphore_hand_on(struct semaphore_shared *shared, uint32_t index);

/* As struct kin__type has it. */
void kin__semaphore_line_repair(uint32_t index, uint32_t dead);
void kin__semaphore_line_verify(struct kin__verifier *verifier, uint32_t index,
                                const struct semaphore_shared *shared);

#endif
