/*
 * Error trees as bytes, for the way from one process to another.
 */
#ifndef KIN_BASE_ERROR_CODEC_H
#define KIN_BASE_ERROR_CODEC_H

#include <stddef.h>

#include <kin/error.h>

#include "base/buffer.h"

/** The most bytes an encoded tree has; larger ones are neither written nor read. */
enum { KIN_ERROR_BYTES_MAX = 1 << 20 };

/**
 * Appends the tree.
 *
 * Returns 0, or with the buffer as it was
 *   -EMSGSIZE   the tree takes more than KIN_ERROR_BYTES_MAX
 *   -ENOMEM
 */
int kin__error_encode(const kin_error *error, struct kin__buffer *buffer);

/**
 * Makes the error that kin__error_encode() has written; the bytes are validated, and must
 * not change during the call.
 *
 * Returns 0 and one reference, or
 *   -EBADMSG    not an encoded error
 *   -ENOMEM
 */
int kin__error_decode(const void *bytes, size_t size, kin_error **ret_error);

#endif
