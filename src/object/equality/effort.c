#include "object/equality/effort.h"

#include "os/clock.h"

bool kin__effort_is_late(struct kin__effort *effort)
{
    int64_t now = kin__os_now_ns();
    if (effort->deadline_ns == 0) {
        effort->deadline_ns = now + (int64_t)effort->time_ms_max * 1000000;
    }
    return now > effort->deadline_ns;
}

bool kin__effort_charge_slow(struct kin__effort *effort, uint64_t steps)
{
    effort->steps = 0;
    if (effort->time_ms_max == 0 || kin__effort_is_late(effort)) {
        return false;
    }
    effort->steps = steps < KIN__EFFORT_SLICE ? KIN__EFFORT_SLICE - steps : 0;
    return true;
}
