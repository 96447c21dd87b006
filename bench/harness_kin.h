/**
 * What the subjects that are kin share: processes that kin starts.
 */
#ifndef BENCH_HARNESS_KIN_H
#define BENCH_HARNESS_KIN_H

#include "harness.h"

/** Ends the program if `code` is negative, saying `what` failed. */
void harness_must(int code, const char *what);

/** Processes of kin's. The family must be open when they are started. */
extern const harness_starter harness_kin;

#endif
