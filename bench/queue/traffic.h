/**
 * The frame of the queue bench: some processes put numbered messages into one queue, others
 * take them out. A subject is one program: traffic.c with a file that defines
 * `traffic_measured`. The loops are the subject's own, so that no call through a pointer
 * stands between two messages.
 */
#ifndef BENCH_QUEUE_TRAFFIC_H
#define BENCH_QUEUE_TRAFFIC_H

#include "harness.h"
#include "payload.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One case, as the arguments of the program give it. */
typedef struct traffic_plan {
    size_t bytes;            /* of a message */
    unsigned producer_count; /* processes */
    unsigned consumer_count; /* processes */
    uint64_t message_count;  /* measured, of all producers together */
    size_t capacity;         /* messages that the queue holds before put has to wait */
    unsigned batch;          /* messages that one call may carry, where a subject has such a call */
    bool is_zero_copy;       /* messages are to be written and read where they stand in the queue,
                              * by the subjects that can */
} traffic_plan;

typedef struct traffic_subject {
    /** Makes the queue, before the other processes are started. */
    void (*open)(const traffic_plan *plan);

    /** Fills and puts `count` messages, numbered from `first`. May be called again. */
    void (*produce)(uint64_t first, uint64_t count);

    /** Takes and reads `count` messages; returns the sum of their numbers. */
    uint64_t (*consume)(uint64_t count);

    const harness_starter *starter;
} traffic_subject;

/** What the program measures; the subject's file defines it. */
extern const traffic_subject traffic_measured;

#ifdef __cplusplus
}
#endif

#endif
