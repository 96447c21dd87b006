/* Deadlocks in words, and telling them to whoever wants to know. */
#ifndef KIN_SYNC_REPORT_H
#define KIN_SYNC_REPORT_H

#include "sync/deadlock/cycle.h"
#include "sync/runtime.h"

/* Tells of a circle of waits. */
void kin__report_cycle(const struct kin__deadlock_cycle *cycle);

/* Tells of a lock that is acquired by `self` while it holds another, which was acquired after it
 * before. Both by directory index. */
void kin__report_order(const struct kin__thread *self, uint32_t held, uint32_t acquired);

#endif
