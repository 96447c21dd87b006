/**
 * The frame of the bench `shared`: a number that processes share is read, or one is added to it. A
 * subject gives the number and the ways.
 */
#ifndef BENCH_SHARED_COUNTING_H
#define BENCH_SHARED_COUNTING_H

#include "harness.h"

typedef void counting_work(uint64_t count);

/** What a subject does. Ways that it has not are NULL. */
typedef struct counting_subject {
    void (*open)(void);      /* before the processes start; the number is 0 */
    counting_work *get;      /* reads it so many times */
    counting_work *locked;   /* so many times: locks, reads, writes one more, unlocks */
    counting_work *add;      /* adds one so many times, and none is lost */
    uint64_t (*total)(void); /* the number */
    const harness_starter *starter;
} counting_subject;

extern const counting_subject counting_measured;

#endif
