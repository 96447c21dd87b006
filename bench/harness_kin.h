/**
 * What the subjects that are kin share: processes that kin starts.
 */
#ifndef BENCH_HARNESS_KIN_H
#define BENCH_HARNESS_KIN_H

#include "harness.h"

/** Ends the program, saying that `what` failed and why. */
_Noreturn void harness_refuse(int code, const char *what);

/** Does so if `code` is negative. Inline: it stands in measured loops. */
static inline void harness_must(int code, const char *what)
{
    if (__builtin_expect(code < 0, 0)) {
        harness_refuse(code, what);
    }
}

/** Processes of kin's. The family must be open when they are started. */
extern const harness_starter harness_kin;

#endif
