/**
 * Hashes of keys: SipHash-1-3 with a secret of this process, so that nobody outside can make keys
 * that meet. Equal objects have equal hashes: 1, 1.0 and True; an int of any size and the float
 * that is exactly the same.
 *
 * Tuples and frozensets remember theirs; whatever is a key has been asked once, so that hashing
 * goes down into tuples only as far as they are new. Instances hash by class and by those of
 * their arguments that are simple: by nothing that can change.
 */
#ifndef KIN_OBJECT_EQUALITY_HASH_H
#define KIN_OBJECT_EQUALITY_HASH_H

#include "object/equality/effort.h"
#include "object/object.h"

/* Of bytes; a str hashes as its bytes do. */
uint64_t kin__hash_bytes(const void *data, size_t size);

/* Of a key. 0, -EINVAL: it can change; KIN_ELIMIT, -ENOMEM. */
int kin__hash(const kin_object *key, struct kin__effort *effort, uint64_t *ret_hash);

#endif
