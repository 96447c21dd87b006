/*
 * The soak: processes at work on shared objects, killed at random instants and replaced, and an
 * account of all that they said they had done.
 */
#ifndef CRASH_SOAK_H
#define CRASH_SOAK_H

#include <stdbool.h>
#include <stdint.h>

struct soak_options {
    uint32_t kills;   /* at least so many */
    uint32_t seconds; /* at least so long */
    uint64_t seed;
};

/* Each prints what it did and found. True: all is well. */
bool soak_queue(const struct soak_options *options);
bool soak_claims(const struct soak_options *options);
bool soak_pool(const struct soak_options *options);
bool soak_ends(const struct soak_options *options);

/* A small generator of random numbers; good enough to choose whom to kill. */
static inline uint64_t soak_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

double soak_now(void);

/* After the family is quiet: invariants, and whether blocks or objects are left. Number of what
   is wrong; each is printed. */
uint32_t soak_check_family(uint64_t member_count);

#endif
