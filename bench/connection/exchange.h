/**
 * The frame of the connection bench: two processes, one at each end of a pipe. Either one sends
 * and the other receives, or each message is answered by one of the same size before the next.
 * A message has its number in front; the rest is not looked at, so that nothing is measured but
 * the way of the bytes.
 */
#ifndef BENCH_CONNECTION_EXCHANGE_H
#define BENCH_CONNECTION_EXCHANGE_H

#include "harness.h"

#include <stdbool.h>

typedef struct exchange_subject {
    /** Makes the pipe, before the processes are started. One-way: the second end sends. */
    void (*open)(bool is_two_way);

    /** In a process of its own: keeps this end, 0 or 1, and lets go of the other. */
    void (*keep)(unsigned end);

    /** In the first process: lets go of both. */
    void (*leave)(void);

    /** One message through the end that was kept. */
    void (*send)(const void *message, size_t bytes);
    void (*receive)(void *message, size_t bytes);

    const harness_starter *starter;
} exchange_subject;

/** What the program measures; the subject's file defines it. */
extern const exchange_subject exchange_measured;

#endif
