/**
 * The key that two ends of a connection share: this process's own copy, wiped when it goes.
 */
#ifndef KIN_CONNECTION_HANDSHAKE_KEY_H
#define KIN_CONNECTION_HANDSHAKE_KEY_H

#include <kin/family.h>

/* In memory for secrets, see os/memory.h. */
struct kin__key {
    size_t size; /* at least 1 */
    unsigned char bytes[];
};

/* Copies a key; no `data` is no key, and gives NULL. Loads what proves it. 0, or -EINVAL: no bytes,
 * or more than 64 KiB; -ENOMEM, KIN_EOPENSSL. */
int kin__key_create(kin_bytes bytes, struct kin__key **ret_key);

/* Wipes it and gives its memory back; NULL is fine. Returns NULL. */
struct kin__key *kin__key_free(struct kin__key *key);

#endif
