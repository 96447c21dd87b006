/*
 * The storms: kin at work while signals, stops, forks, starts and reused process ids rain
 * on it. Nobody is killed in the middle of anything here but where it says so; results must be
 * right.
 */
#ifndef CRASH_STORM_H
#define CRASH_STORM_H

#include <stdbool.h>
#include <stdint.h>

struct storm_options {
    uint32_t seconds; /* the signal storm: at least so long */
    uint32_t forks;   /* the fork storm: so many children */
    uint32_t starts;  /* the start storm: likewise */
};

/* Each runs in a process of its own, prints what it did and found. True: all is well. */
bool storm_signals(const struct storm_options *options);
bool storm_forks(const struct storm_options *options);
bool storm_starts(const struct storm_options *options);
bool storm_pids(const struct storm_options *options);

#endif
