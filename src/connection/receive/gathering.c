#include "connection/receive/gathering.h"

#include "family/runtime.h"
#include "os/clock.h"
#include "os/thread.h"

#define INTERVAL_MIN 16u
#define INTERVAL_MAX 64u

/* In pauses of the processor: what a sender on another core needs for several messages. */
#define GATHER_PAUSES 64

void kin__gathering_wait(struct gathering *gathering)
{
    gathering->is_trying = gathering->is_stream || gathering->left == 0;
    if (!gathering->is_trying) {
        gathering->left--;
        return;
    }
    for (uint32_t i = 0; i < GATHER_PAUSES && kin__family.spin_count > 0; i++) {
        kin__os_pause();
    }
    kin__os_thread_yield();
}

void kin__gathering_learn(struct gathering *gathering, bool has_more)
{
    gathering->is_stream = has_more;
    if (has_more) {
        gathering->interval = INTERVAL_MIN;
    } else if (gathering->is_trying) {
        gathering->interval = gathering->interval == 0 ? INTERVAL_MIN : gathering->interval * 2;
        gathering->interval = gathering->interval < INTERVAL_MAX ? gathering->interval
                                                                 : INTERVAL_MAX;
        gathering->left = gathering->interval;
    }
}
