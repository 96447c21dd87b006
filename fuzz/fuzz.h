/*
 * What fuzz targets have in common. A target is a file fuzz/<name>.c with the function below,
 * linked with libFuzzer, or with fuzz/replay.c, which gives it the files of fuzz/corpus/<name>.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Does what is to hold for all bytes with these. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process if what must hold does not. */
#define FUZZ_REQUIRE(condition) \
    ((condition)                \
         ? (void)0              \
         : (fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition), abort()))

#endif
