/**
 * The frame of the bench `pickle`: a value becomes bytes, or bytes become a value that is then
 * thrown away, so many times. A subject gives the ways; the values are those of values.h.
 */
#ifndef BENCH_PICKLE_CODEC_H
#define BENCH_PICKLE_CODEC_H

#include "harness.h"

/** What a subject does. */
typedef struct codec_subject {
    void (*open)(const char *value); /* makes the value of this name, and its bytes */
    void (*encode)(void);            /* once; the bytes are thrown away */
    void (*decode)(void);
} codec_subject;

extern const codec_subject codec_measured;

#endif
