/**
 * Starting children that do nothing, one after the other: what is the same for all subjects.
 *
 *     --method=WORD      how children are started: fork
 *     --children=COUNT   as many, after some to warm up
 *
 * The result is how many were started and joined a second.
 */
#ifndef BENCH_PROCESS_STARTS_H
#define BENCH_PROCESS_STARTS_H

#include "harness.h"

/** A way to start children; the method is one that the subject has. */
typedef struct starts_method {
    const char *name;
    void (*open)(void);           /* before the clock starts; NULL: nothing */
    void (*start_and_join)(void); /* one child: which must have exited with 0 */
} starts_method;

/** The methods of the subject; the last has no name. */
extern const starts_method starts_methods[];

#endif
