/**
 * The frame of the death bench: one process holds what another sleeps for, and is killed. A subject
 * is one program: death.c with a file that defines `death_measured`.
 */
#ifndef BENCH_DEATH_DEATH_H
#define BENCH_DEATH_DEATH_H

#include "harness.h"

#include <stdbool.h>

typedef struct death_subject {
    /** Makes what is held, before the other processes are started. */
    void (*open)(void);

    /** Takes it, in the process that is going to be killed. */
    void (*hold)(void);

    /** Sleeps until it can be had, and takes it. Whether its holder is said to have died. */
    bool (*wait)(void);

    /** Puts it in order and gives it back. */
    void (*restore)(void);

    const harness_starter *starter;
} death_subject;

/** What the program measures; the subject's file defines it. */
extern const death_subject death_measured;

#endif
