/* What this process wants to know of deadlocks: the layer's only mutable file-scope state. */
#ifndef KIN_SYNC_RUNTIME_H
#define KIN_SYNC_RUNTIME_H

#include <kin/deadlock.h>
#include <stdatomic.h>
#include <threads.h>

struct kin__deadlocks {
    _Atomic uint32_t policy; /* kin_deadlock_policy; written under the lock, read by all */
    mtx_t lock;              /* taken around fork */
    kin_deadlock_callback *callback;
    void *user;
};

extern struct kin__deadlocks kin__deadlocks;

#endif
