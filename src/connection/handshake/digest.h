/**
 * The digests with which a key is proved: HMAC over a challenge. Which there are, and their names,
 * is CPython's list.
 */
#ifndef KIN_CONNECTION_HANDSHAKE_DIGEST_H
#define KIN_CONNECTION_HANDSHAKE_DIGEST_H

#include "connection/handshake/key.h"

#include <stdbool.h>

enum kin__digest {
    KIN__DIGEST_MD5, /* the only one up to CPython 3.11 */
    KIN__DIGEST_SHA256,
    KIN__DIGEST_SHA384,
    KIN__DIGEST_SHA3_256,
    KIN__DIGEST_SHA3_384,
    KIN__DIGEST_COUNT
};

enum {
    KIN__DIGEST_MD5_BYTES = 16,
    KIN__DIGEST_BYTES_MAX = 48,
    KIN__DIGEST_NAME_BYTES_MAX = 8,
};

/* A text that begins with "{name}", for a digest that there is: the digest, and the bytes of that
 * beginning. -EBADMSG: it does not. */
int kin__digest_parse(kin_bytes text, size_t *ret_prefix_bytes);

/* HMAC of `message`. How many bytes it has, or -ENOSYS: this system's OpenSSL refuses the digest
 * (MD5 under FIPS). */
int kin__digest_sign(enum kin__digest digest, const struct kin__key *key, kin_bytes message,
                     unsigned char ret_mac[KIN__DIGEST_BYTES_MAX]);

/* Whether `mac` is the HMAC of `message`, in a time that does not depend on where it differs. 1, 0,
 * or a code of kin__digest_sign. */
int kin__digest_verify(enum kin__digest digest, const struct kin__key *key, kin_bytes message,
                       kin_bytes mac);

#endif
