/**
 * Keys by which two ends of a connection know each other.
 *
 * A key is bytes that both have and nobody else. It never travels over the connection: each end
 * proves that it has the key. Give it to other programs by a way that others cannot read (a pipe,
 * a file of mode 0600), not by arguments or the environment.
 */
#ifndef KIN_KEY_H
#define KIN_KEY_H

#include <kin/export.h>
#include <stddef.h>

KIN_BEGIN

/** Bytes of a key that nobody can guess. */
#define KIN_KEY_BYTES 32

/**
 * Makes a key of `size` random bytes, KIN_KEY_BYTES as a rule, at most 65536. Returns 0, -EINVAL,
 * or -EIO: the system has no random bytes.
 */
KIN_API int kin_key_generate(void *ret_key, size_t size);

/** Overwrites a key that is not needed any more, in a way that the compiler does not leave out. */
KIN_API void kin_key_wipe(void *key, size_t size);

KIN_END

#endif
