/*
 * The engine: kills a scenario's victim at each point and checks what is left.
 *
 * Each scenario runs in a process of its own, so that what one point has broken does not reach
 * the next: after a failure a new process goes on behind it.
 */
#ifndef CRASH_ENGINE_H
#define CRASH_ENGINE_H

#include "step/scenario.h"

struct engine_options {
    uint32_t points_max;   /* of a scenario: more are thinned out evenly; 0: all */
    uint32_t hits_max;     /* of one instruction; 0: all */
    uint32_t failures_max; /* a scenario ends after so many */
    int hang_ms;           /* what takes longer hangs; 0: a limit that a busy machine keeps */
    bool is_busy;          /* a process works beside */
    bool is_quiet;         /* failures are expected: do not print them */
};

struct engine_result {
    uint32_t step_count;  /* instructions of the operation */
    uint32_t point_count; /* that were gone to */
    uint32_t kill_count;
    uint32_t bad_count;
    uint32_t hang_count;
    double seconds;
};

/* Runs a scenario. False: it could not be run at all. */
bool engine_run(const struct scenario *scenario, const struct engine_options *options,
                struct engine_result *ret_result);

#endif
