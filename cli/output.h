/**
 * Standard output with a limit: a small pickle can say a lot, by naming one object many times.
 */
#ifndef KIN_CLI_OUTPUT_H
#define KIN_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct output {
    FILE *stream; /* what is to be written to */
    uint64_t left;
    bool is_beyond; /* more was to be written */
};

/* False: no memory. */
bool output_open(struct output *output, uint64_t bytes_max);

/* Writes what is held back. False: something could not be written. */
bool output_close(struct output *output);

#endif
