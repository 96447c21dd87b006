/**
 * The frame of the latency bench: two processes send each other one word, to and fro. A subject is
 * one program: round_trip.c with a file that defines `round_trip_measured`.
 */
#ifndef BENCH_LATENCY_ROUND_TRIP_H
#define BENCH_LATENCY_ROUND_TRIP_H

#include "harness.h"

typedef struct round_trip_subject {
    /** Makes what connects the two sides, before the other processes are started. */
    void (*open)(void);

    /** Gives a word to the other side; `side`, 0 or 1, is the caller's. */
    void (*send)(unsigned side, uint64_t word);

    /** Waits for the word of the other side. */
    uint64_t (*receive)(unsigned side);

    const harness_starter *starter;
} round_trip_subject;

/** What the program measures; the subject's file defines it. */
extern const round_trip_subject round_trip_measured;

#endif
