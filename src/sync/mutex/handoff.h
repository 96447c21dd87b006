/**
 * Holdings of handoff mutexes, which others release.
 *
 * Only the thread itself writes its holdings, so what another has released stays in the list. It
 * is harmless there: a repair finds that the dead is not the holder. It must not grow, however:
 * an index stands there once, and what is stale is swept when there is no room.
 *
 * A thread that ends in order after it has acquired a handoff mutex that another is to release
 * has done nothing wrong: the mutex passes to its process, whose death frees it.
 */
#ifndef KIN_SYNC_HANDOFF_H
#define KIN_SYNC_HANDOFF_H

#include "sync/mutex.h"

/* Before acquiring: as kin__holding_add, but once. */
void kin__handoff_holding_add(struct kin__thread *self, uint32_t index);

/* Before a repair: passes the mutex of the calling thread, which ends in order, to its process. */
void kin__handoff_inherit(struct kin__mutex *mutex, uint32_t index, uint32_t dead);

#endif
