/*
 * Who runs next, and who dies: the choices at the points of a run.
 *
 * A decision that is not the default is {step, choice}; the list of them is the trace of a run,
 * which can be printed and run again. By default the thread that runs goes on, and when it cannot,
 * the first that can.
 *
 * Search in depth: all runs with at most so many switches that are not the default, and so many
 * deaths.
 *
 * At random: either each thread has a priority and there are a few points at which the one that
 * runs gets the lowest (this finds what takes few changes at the right places), or a switch comes
 * at each point with some probability.
 */
#ifndef EXPLORE_SCHEDULE_H
#define EXPLORE_SCHEDULE_H

#include "explore/machine.h"

/* A choice: a kind, and which thread or process. At most 15 threads. */
enum choice {
    CHOICE_SWITCH = 0,
    CHOICE_KILL = 16,
    CHOICE_EXPIRE = 32,
    CHOICE_END = 48, /* a process is killed, and this thread of it ends before the others */
    CHOICE_NONE = 63
};

struct decision {
    uint32_t step;
    uint32_t choice;
};

#define DECISIONS_MAX 4096u

struct trace {
    struct decision decisions[DECISIONS_MAX];
    uint32_t count;
};

struct schedule_bounds {
    uint32_t switches;
    uint32_t deaths;
    bool reaps_first; /* by default a reaper goes on when the thread that runs cannot */
    bool may_expire;  /* who sleeps until a deadline may reach it before others go on */
};

/* Called by the machine at each point; what to do now. CHOICE_NONE: the thread goes on, which is
 * not offered when it cannot. */
uint32_t schedule_choose(enum point point, bool can_go_on);

/* Depth first: the next run, or false: there is none. The first call after schedule_begin_search
 * starts with the default run. */
void schedule_begin_search(struct schedule_bounds bounds);
bool schedule_next_search(void);

/* One run by a seed; `steps` is about how long a run is. */
void schedule_begin_random(struct schedule_bounds bounds, uint64_t seed, uint32_t steps);

/* One run by its trace. */
void schedule_begin_replay(const struct trace *trace);

/* What the last run did. */
const struct trace *schedule_trace(void);

#endif
