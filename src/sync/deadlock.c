#include "sync/deadlock.h"

#include "sync/wait.h"

int kin__deadlock_begin(const struct kin__claim *claim)
{
    bool may_end = claim->timeout.deadline_ns != INT64_MAX || claim->timeout.cancel != NULL ||
                   claim->mutex->flags & KIN__MUTEX_HANDOFF;
    kin__wait_publish(claim->self, kin__wait_edge(KIN__WAIT_LOCK, claim->index) |
                                       (may_end ? KIN__WAIT_MAY_END : 0));
    return 0;
}
