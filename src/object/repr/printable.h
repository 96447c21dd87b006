/**
 * Which characters repr() shows as they are.
 */
#ifndef KIN_OBJECT_REPR_PRINTABLE_H
#define KIN_OBJECT_REPR_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What Python's str.isprintable() says of a character. */
bool kin__is_printable(uint32_t point);

#endif
