/**
 * Running programs: what is the same for all subjects.
 *
 *     --work=run  --count=N    runs /bin/true N times, one after the other, after some to warm up.
 *                              The result is how many a second.
 *     --work=feed --count=N    runs /bin/cat, which gets N bytes, and gives them back at the same
 *                              time. The result is how many a second went in, and out.
 */
#ifndef BENCH_COMMAND_PROGRAMS_H
#define BENCH_COMMAND_PROGRAMS_H

#include "harness.h"

/** Runs /bin/true, which must end with 0. */
void programs_run(void);

/** Gives `size` bytes to /bin/cat, and gathers what that gives back in memory: it has to be the
 * same, which programs_check tells. */
void programs_feed(const unsigned char *data, size_t size);

/** Ends the program if the bytes are not those that were given. */
void programs_check(const void *data, size_t size);

#endif
