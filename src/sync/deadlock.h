/**
 * Waits that can be part of a deadlock; how those are found stands in deadlock/cycle.h.
 */
#ifndef KIN_SYNC_DEADLOCK_H
#define KIN_SYNC_DEADLOCK_H

#include "sync/mutex.h"

/* Says that the calling thread is about to sleep for a mutex, or for the end of a process (by its
 * member). 0, or -EDEADLK. */
int kin__deadlock_begin(const struct kin__claim *claim);
int kin__deadlock_begin_join(struct kin__thread *self, uint32_t process, kin_timeout timeout);

/* It sleeps no more, or was refused. Does nothing without a beginning. */
void kin__deadlock_end(struct kin__thread *self);

/* What a member says that it waits for; all zero: nothing. */
struct kin__deadlock_wait {
    uint32_t object;  /* directory index */
    uint32_t process; /* owner id */
};

struct kin__deadlock_wait kin__deadlock_wait_of(const struct kin__member *member);

/* Tells of a thread that acquires what it holds. */
void kin__deadlock_tell_self(const struct kin__claim *claim);

#endif
