/**
 * The frame of the local_queue bench: some threads put numbers, as pointers, into one queue,
 * others take them out. A subject is one program: traffic.c with a file that defines
 * `traffic_measured`. The loops are the subject's own, so that no call through a pointer stands
 * between two items.
 */
#ifndef BENCH_LOCAL_QUEUE_TRAFFIC_H
#define BENCH_LOCAL_QUEUE_TRAFFIC_H

#include "harness.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One case, as the arguments of the program give it. */
typedef struct traffic_plan {
    unsigned producer_count; /* threads */
    unsigned consumer_count; /* threads */
    uint64_t item_count;     /* measured, of all producers together */
    size_t capacity;         /* items that the queue holds before put has to wait; 0: no limit */
    size_t batch;            /* items in one call, at most TRAFFIC_BATCH_MAX; 1: one a call */
} traffic_plan;

#define TRAFFIC_BATCH_MAX 256

typedef struct traffic_subject {
    /** Makes the queue, before the threads are started. */
    void (*open)(const traffic_plan *plan);

    /** Puts the numbers from `first` on, `count` of them, none of which is 0. */
    void (*produce)(uint64_t first, uint64_t count);

    /** Takes `count` numbers; returns their sum. */
    uint64_t (*consume)(uint64_t count);
} traffic_subject;

/** What the program measures; the subject's file defines it. */
extern const traffic_subject traffic_measured;

/** A number on its way through a queue of pointers, and back. */
static inline void *traffic_item(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

static inline uint64_t traffic_number(const void *item)
{
    return (uint64_t)(uintptr_t)item;
}

#ifdef __cplusplus
}
#endif

#endif
