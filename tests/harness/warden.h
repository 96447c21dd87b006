/* One test, guarded. Internal to the runner. */
#ifndef WARDEN_H
#define WARDEN_H

#include "harness/test.h"

/**
 * Counts one failed check, from any process or thread of the test.
 */
void warden_count_failure(void);

enum { WARDEN_SKIPPED = 77 }; /* exit status */

/**
 * Runs one test in a child process and ends the calling process: status 0 when the test
 * passed, WARDEN_SKIPPED when it could not be run, 1 when it failed. What went wrong has then
 * been written to stderr.
 */
__attribute__((noreturn)) void warden_run(const struct test_case *test);

#endif
