/**
 * The frame of the condition bench: processes take turns. Whoever's turn it is adds one to a
 * counter and notifies all; the others wait inside the lock. A subject is one program: turns.c with
 * a file that defines `turns_measured`.
 */
#ifndef BENCH_CONDITION_TURNS_H
#define BENCH_CONDITION_TURNS_H

#include "harness.h"

#include <stdbool.h>

typedef struct turns_subject {
    /** Makes the lock and the condition, before the other processes are started. */
    void (*open)(void);

    void (*acquire)(void);
    void (*release)(void);
    void (*wait)(void);       /**< for a notify; inside the lock */
    void (*notify_all)(void); /**< inside the lock */

    const harness_starter *starter;
} turns_subject;

/** What the program measures; the subject's file defines it. */
extern const turns_subject turns_measured;

#endif
