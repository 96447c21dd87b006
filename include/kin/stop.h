/**
 * How something that runs is ended: by asking first, and by force where that does not help.
 *
 *     kin_stop stop = {.wait_ms = 1000, .terminate_ms = 5000, .kill_ms = KIN_STOP_FOREVER};
 *
 * gives it a second to end by itself, then SIGTERM and five seconds, then SIGKILL.
 */
#ifndef KIN_STOP_H
#define KIN_STOP_H

#include <kin/export.h>
#include <stdint.h>

KIN_BEGIN

/** As long as it takes. */
#define KIN_STOP_FOREVER (-1)

/**
 * Three steps, each with the time that it may take, in ms: 0 leaves the step out, KIN_STOP_FOREVER
 * is without limit. The first that sees the end is the last.
 */
typedef struct kin_stop {
    int64_t wait_ms;      /* for an end by itself */
    int64_t terminate_ms; /* after SIGTERM, which can be caught and ignored */
    int64_t kill_ms;      /* after SIGKILL, which cannot */
} kin_stop;

KIN_END

#endif
