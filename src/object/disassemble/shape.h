/**
 * What an opcode looks like: its argument, and what it does to the number of values on the stack.
 */
#ifndef KIN_OBJECT_DISASSEMBLE_SHAPE_H
#define KIN_OBJECT_DISASSEMBLE_SHAPE_H

#include <stdbool.h>

enum argument {
    ARGUMENT_NONE,
    ARGUMENT_UINT,       /* of `width` bytes */
    ARGUMENT_INT,        /* 4 bytes, signed */
    ARGUMENT_FLOAT,      /* 8 bytes, the highest first */
    ARGUMENT_LONG,       /* a size of `width` bytes, and so many bytes of two's complement */
    ARGUMENT_TEXT,       /* a size and UTF-8 */
    ARGUMENT_LATIN,      /* a size and Latin-1 */
    ARGUMENT_BYTES,      /* a size and bytes */
    ARGUMENT_BYTEARRAY,  /* the same */
    ARGUMENT_INT_LINE,   /* decimal digits; 00 and 01 are bools */
    ARGUMENT_FLOAT_LINE, /* what strtod reads */
    ARGUMENT_QUOTED_LINE,
    ARGUMENT_TEXT_LINE, /* Latin-1 with \u1234 and \U12345678 */
    ARGUMENT_LINE,
    ARGUMENT_LINES /* two */
};

/* What is to be known of an opcode. */
struct shape {
    unsigned char protocol; /* the first that has it */
    unsigned char argument;
    unsigned char width;
    bool takes_mark; /* and all above it */
    unsigned char pops;
    unsigned char pushes;
};

/* By opcode; of a byte that is none all is 0. */
extern const struct shape kin__opcode_shapes[256];

#endif
