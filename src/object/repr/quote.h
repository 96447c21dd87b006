/**
 * Str and bytes as Python's repr() quotes them.
 */
#ifndef KIN_OBJECT_REPR_QUOTE_H
#define KIN_OBJECT_REPR_QUOTE_H

#include <stdbool.h>

#include "object/repr/writer.h"

/* Writes UTF-8, in which surrogates may stand alone, as '...' or "...". */
void kin__quote_text(struct kin__writer *writer, const char *text, size_t size);

/* Writes bytes as b'...' or b"..."; those of a bytearray are written a little differently. */
void kin__quote_bytes(struct kin__writer *writer, const void *data, size_t size, bool is_array);

#endif
