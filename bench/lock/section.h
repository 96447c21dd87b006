/**
 * The frame of the lock bench: processes count together, each step under a lock. A subject is one
 * program: section.c with a file that defines `section_measured`. The loop is the subject's own, so
 * that no call through a pointer stands between two acquisitions.
 */
#ifndef BENCH_LOCK_SECTION_H
#define BENCH_LOCK_SECTION_H

#include "harness.h"

typedef struct section_subject {
    /** Makes the lock, before the other processes are started. */
    void (*open)(void);

    /** Until `*counter`, which the lock guards, is `limit`: acquires, adds one, releases. Returns
     * how often this process has added one. */
    uint64_t (*count_to)(uint64_t limit, volatile uint64_t *counter);

    const harness_starter *starter;
} section_subject;

/** What the program measures; the subject's file defines it. */
extern const section_subject section_measured;

#endif
