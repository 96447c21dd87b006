/* The event, for those that wait for other things too. */
#ifndef KIN_SYNC_EVENT_H
#define KIN_SYNC_EVENT_H

#include "family/sleep.h"

#include <kin/event.h>

/* The event count of which FLAG says "set". 0, or what kin__object_enter says. */
int kin__event_count(const kin_event *event, _Atomic uint32_t **ret_count);

/* Whether an event of this count is set, or was since the count was `start`. */
static inline bool kin__event_has_come(uint32_t count, uint32_t start)
{
    return count & KIN__COUNT_FLAG || count / KIN__COUNT_STEP != start / KIN__COUNT_STEP;
}

#endif
