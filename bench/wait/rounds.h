/**
 * The frame: so many things, of which in each round one, another each time, is made ready; then the
 * wait on all of them, which is measured with it, and what made it ready is taken out again. One
 * process, so that nothing but the wait costs.
 */
#ifndef BENCH_WAIT_ROUNDS_H
#define BENCH_WAIT_ROUNDS_H

#include "harness.h"

#define ROUNDS_THINGS_MAX 1000

typedef struct rounds_subject {
    void (*open)(unsigned thing_count);
    void (*make_ready)(unsigned thing);
    unsigned (*wait)(void); /* which is ready */
    void (*take)(unsigned thing);
} rounds_subject;

/** The subject of this program. */
extern const rounds_subject rounds_measured;

/** Pipes for subjects: [0] to read. */
extern int rounds_pipes[ROUNDS_THINGS_MAX][2];
void rounds_open_pipes(unsigned count);
void rounds_write(unsigned thing);
void rounds_read(unsigned thing);

#endif
