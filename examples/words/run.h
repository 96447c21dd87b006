/*
 * The two ways to count a plan: in this process, and in the workers of a pool.
 */
#ifndef WORDS_RUN_H
#define WORDS_RUN_H

#include "plan.h"
#include "tally.h"

/* What one worker has done. */
struct worker_report {
    uint64_t task_count;
    uint64_t byte_count;
    uint64_t busy_ns;
    uint32_t restart_count;
};

/* How a run went. Starts as all zero. */
struct run {
    struct tally tally;
    int64_t duration_ns;

    /* Of a pool only. */
    uint32_t worker_count;
    struct worker_report *workers;
    uint64_t killed_count;
    uint64_t retried_count;
};

/* Counts in this process. Returns 0 or a negative code. */
int run_alone(struct run *run, const struct plan *plan);

/*
 * Counts with a pool of `worker_count` workers (0: one a core), of which `kill_count` get killed.
 * A failure is explained on stderr. Returns 0 or a negative code.
 */
int run_pool(struct run *run, const struct plan *plan, uint32_t worker_count, uint64_t kill_count);

void run_deinit(struct run *run);

#endif
