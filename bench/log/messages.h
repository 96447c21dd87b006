/* One message, or finalizer, after the other, with stderr going nowhere. */
#ifndef BENCH_LOG_MESSAGES_H
#define BENCH_LOG_MESSAGES_H

#include "harness.h"

/* What a subject does; NULL: it has no such thing. */
typedef struct messages_subject {
    void (*open)(int is_on);
    void (*write)(uint64_t number); /* "message 17 of the bench" */
    void (*finalize)(void);         /* makes one and runs it */
} messages_subject;

extern const messages_subject messages_measured;

#endif
