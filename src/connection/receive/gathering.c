#include "connection/receive/gathering.h"

#include "family/runtime.h"
#include "os/clock.h"
#include "os/thread.h"

#define INTERVAL_MIN 16u
#define INTERVAL_MAX 64u

/* From 0.3 to 2 us, of which a sender on another core needs 0.3 for a message. */
#define PAUSES_MIN 16u
#define PAUSES_MAX 128u

/* So many are to come in one moment. */
#define BYTES_MIN 2048u
#define BYTES_MAX 4096u

#define YIELD_COUNT 64u

void kin__gathering_wait(struct gathering *gathering)
{
    gathering->is_trying = gathering->is_stream || gathering->left == 0;
    if (!gathering->is_trying) {
        gathering->left--;
        return;
    }
    uint32_t pauses = gathering->pauses < PAUSES_MIN ? PAUSES_MIN : gathering->pauses;
    for (uint32_t i = 0; i < pauses && kin__family.spin_count > 0; i++) {
        kin__os_pause();
    }
    gathering->has_yielded = !gathering->is_stream || gathering->yields > 0;
    if (gathering->has_yielded) {
        gathering->yields -= gathering->yields > 0;
        kin__os_thread_yield();
    }
}

static void learn_pauses(struct gathering *gathering, uint64_t bytes)
{
    uint32_t pauses = gathering->pauses;
    if (bytes > BYTES_MAX && pauses > PAUSES_MIN) {
        gathering->pauses = pauses / 2;
    } else if (bytes < BYTES_MIN && pauses < PAUSES_MAX) {
        gathering->pauses = pauses == 0 ? PAUSES_MIN : pauses * 2;
    }
}

void kin__gathering_learn(struct gathering *gathering, struct gathered gathered)
{
    bool is_in_vain = gathering->is_stream && !gathered.has_more;
    if (is_in_vain && !gathering->has_yielded) {
        gathering->yields = YIELD_COUNT;
        return;
    }
    gathering->is_stream = gathered.has_more;
    if (gathered.has_more) {
        gathering->interval = INTERVAL_MIN;
        learn_pauses(gathering, gathered.bytes);
    } else if (gathering->is_trying) {
        gathering->interval = gathering->interval == 0 ? INTERVAL_MIN : gathering->interval * 2;
        gathering->interval = gathering->interval < INTERVAL_MAX ? gathering->interval
                                                                 : INTERVAL_MAX;
        gathering->left = gathering->interval;
    }
}
