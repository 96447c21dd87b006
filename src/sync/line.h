/**
 * A line: members that wait to be called, in the order in which they came.
 *
 * The member table is the list: who stands in a line says so in its own slot, {object, state}
 * in `line` and its place in `line_ticket`. Nothing in shared memory points from one member to
 * another, so a death can tear nothing. A member stands in one line at a time.
 *
 *     0 -> WAITING          by the member itself
 *     WAITING -> CALLED     by who calls it; the member sleeps on the word that changes
 *     WAITING -> 0          by the member that gives up, or its reaper
 *     CALLED -> 0           by the member, once it has what it was called for; or by its reaper,
 *                           who calls another in its place
 *
 * Each of the middle ones is a compare-and-swap of the whole word, so a member is called or
 * has given up, never both.
 *
 * Who enters a line and who calls do so under a lock of the object's users; who leaves and who
 * reaps do not. So while somebody calls, a line can only get shorter. `quiet` saves the walk
 * over the table: everybody who came before that ticket is known to be gone. The order of the
 * writes in kin__line_enter keeps this true even for users whose lock was released by others:
 * WAITING is there before the ticket is taken, and a walk that was begun after the ticket was
 * taken finds WAITING.
 */
#ifndef KIN_SYNC_LINE_H
#define KIN_SYNC_LINE_H

#include "family/member.h"
#include "family/verify.h"

#include <kin/timeout.h>

/* Peer death: the reaper takes the dead out of the line, and calls another for one that had been
 * called. Nothing here needs mending. The beginning of the shared part of KIN__TYPE_CONDITION. */
struct kin__line {
    _Atomic uint64_t tickets; /* given so far; written by who enters, under the users' lock */
    _Atomic uint64_t quiet;   /* nobody with a ticket below waits; written by who calls, under
                               * the users' lock */
    uint32_t lock;            /* directory index of that lock; constant */
    uint32_t reserved;
};

KIN_STATIC_ASSERT_SIZE(struct kin__line, 24);

/* Stands in the line of the object at `index`. The users' lock is held. */
void kin__line_enter(struct kin__line *line, uint32_t index, struct kin__thread *self);

/* Sleeps until called. 0, or why the wait is over: then the thread stands in the line no more,
 * and nobody has called or will call it. The lock has been released. */
int kin__line_wait(uint32_t index, struct kin__thread *self, kin_timeout timeout);

/* Says that a call has been followed, if there was one. The lock is held again. */
void kin__line_end(uint32_t index, struct kin__thread *self);

/* Calls up to `count` of those who wait, by their tickets. The number of those called. */
uint32_t kin__line_call(struct kin__line *line, uint32_t index, uint32_t count);

/* Calls all who wait in lines that the lock at a directory index guards, when its holder is
 * dead and the lock has not been handed on yet. */
void kin__line_call_orphans(uint32_t lock);

/* As struct kin__type has it. */
void kin__line_repair(uint32_t index, void *at, uint32_t dead);
void kin__line_verify(struct kin__verifier *verifier, uint32_t index, const void *at);

#endif
