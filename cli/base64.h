/**
 * Bytes as text: base64 with padding, of RFC 4648.
 */
#ifndef KIN_CLI_BASE64_H
#define KIN_CLI_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Writes bytes to a stream. */
void base64_write(const unsigned char *data, size_t size, FILE *stream);

/* Reads a text into memory that is to be freed. NULL: not base64, or no memory. */
unsigned char *base64_read(const char *text, size_t size, size_t *ret_size);

#endif
