/**
 * Waits that can be part of a deadlock.
 */
#ifndef KIN_SYNC_DEADLOCK_H
#define KIN_SYNC_DEADLOCK_H

#include "sync/mutex.h"

/* Says that the calling thread is about to sleep for a mutex. 0, or -EDEADLK. Either way the
 * caller withdraws it (wait.h). */
int kin__deadlock_begin(const struct kin__claim *claim);

#endif
