/**
 * All bytes of a file or of standard input.
 */
#ifndef KIN_CLI_INPUT_H
#define KIN_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct input {
    const unsigned char *data;
    size_t size;
    void *mapped;    /* of a file; NULL: not mapped */
    void *allocated; /* of what cannot be mapped */
};

/* Reads a file, "-" for standard input; at most `bytes_max`, as more would be refused anyway, and
 * one byte beyond. False, and errno, if that fails. */
bool input_open(struct input *input, const char *name, size_t bytes_max);
void input_close(struct input *input);

#endif
