/**
 * Starting children that do nothing, one after the other: what is the same for all subjects.
 *
 *     --method=WORD      how children are started: fork, spawn, forkserver
 *     --children=COUNT   as many, after some to warm up
 *     --memory=COUNT     MiB that the program has touched before, in small pages; 0: none
 *
 * The result is how many were started and joined a second.
 */
#ifndef BENCH_PROCESS_STARTS_H
#define BENCH_PROCESS_STARTS_H

#include "harness.h"

/** The only argument of a program that is to end at once, with 0: what a spawn itself costs. */
#define STARTS_NOTHING "--nothing"

/** A way to start children; the method is one that the subject has. */
typedef struct starts_method {
    const char *name;
    void (*open)(void);           /* before the clock starts; NULL: nothing */
    void (*start_and_join)(void); /* one child: which must have exited with 0 */
} starts_method;

/** The methods of the subject; the last has no name. */
extern const starts_method starts_methods[];

/** Runs a program that was started to be a child, as such. NULL: the subject has no such ones. */
extern void (*const starts_divert)(int *argc, char ***argv);

#endif
