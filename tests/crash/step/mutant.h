/*
 * Defects that are put into kin on purpose, to see that the engine finds them: private copies of
 * the lock, and the queue's own sources with one statement moved.
 */
#ifndef CRASH_MUTANT_H
#define CRASH_MUTANT_H

#include "step/lock.h"

#include <kin/queue.h>

/* The thread is on record with the kernel as the holder only after it has the lock. */
extern const struct lock_variant mutant_lock_late_pending;
/* It is so no longer while it still has the lock. */
extern const struct lock_variant mutant_lock_early_end;
/* A release wakes nobody. */
extern const struct lock_variant mutant_lock_no_wake;
/* The next holder is not told that the last one died. */
extern const struct lock_variant mutant_lock_silent;

/* The message is in the queue before its bytes are written. */
int mutant_put_early_commit(kin_queue *queue, const void *data, size_t size, kin_timeout timeout);
/* The message is out of the queue before its bytes are read. */
int mutant_get_early_done(kin_queue *queue, kin_timeout timeout, kin_message *ret_message);

#endif
