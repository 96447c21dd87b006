/* What a program has written, as it grows. */
#ifndef KIN_PROCESS_COMMAND_OUTPUT_H
#define KIN_PROCESS_COMMAND_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: nothing. */
struct kin__command_output {
    unsigned char *data;
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes there are */
    bool is_mapped;  /* pages of its own */
};

/* Makes room for `bytes` bytes more, and maybe for many more. 0, or -ENOMEM: it is as it was. */
int kin__command_output_reserve(struct kin__command_output *output, size_t bytes);

/* Gives all of it back. */
void kin__command_output_deinit(struct kin__command_output *output);

#endif
