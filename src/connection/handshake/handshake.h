/**
 * The mutual challenge of CPython's multiprocessing, as a machine that is fed messages and says
 * what to send. It knows no sockets, no clock and no randomness: who drives it has those.
 *
 *     server                                          client
 *       "#CHALLENGE#" + challenge  ------------------>
 *                                  <------------------  digest of the challenge
 *       "#WELCOME#"                ------------------>  ("#FAILURE#": the key is another one)
 *                                  <------------------  "#CHALLENGE#" + challenge
 *       digest of the challenge    ------------------>
 *                                  <------------------  "#WELCOME#"
 *
 * Each message goes in a frame: its size in four bytes, the highest first, and the bytes. There
 * are two forms of challenge and digest:
 *
 *               CPython <= 3.11               CPython >= 3.12
 *     challenge 20 random bytes               "{sha256}" + 40 random bytes
 *     digest    HMAC-MD5, 16 bytes            "{sha256}" + HMAC-SHA256, of the challenge with its
 *                                             "{sha256}"
 *
 * kin sends challenges of the second form always. An old peer takes one for random bytes and
 * answers with 16 bytes of MD5; that is accepted unless SHA-256 is required. So nobody needs to
 * know beforehand who the other one is.
 *
 * What the challenge proves is that the other one has the key, or can ask somebody who has: a
 * machine in the middle can relay it. It protects nothing that is sent afterwards. For that there
 * is TLS.
 *
 * A client answers first. So a false listener to which two clients connect, or one twice, could
 * send one of them the challenge of the other, and so get the answer for that one. Against this a
 * client of kin marks its challenges: the last of the random bytes are a digest of the others by
 * the key. A client does not answer what a client has asked. CPython's neither mark nor look.
 */
#ifndef KIN_CONNECTION_HANDSHAKE_HANDSHAKE_H
#define KIN_CONNECTION_HANDSHAKE_HANDSHAKE_H

#include "connection/handshake/digest.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    KIN__HANDSHAKE_MESSAGE_MAX = 256, /* of what is received; more is refused unread */
    KIN__HANDSHAKE_RANDOM_BYTES = 40,
    KIN__HANDSHAKE_CHALLENGE_BYTES = 8 + KIN__HANDSHAKE_RANDOM_BYTES,
    KIN__HANDSHAKE_OUTGOING_MAX = 80,
};

enum kin__handshake_role { KIN__HANDSHAKE_SERVER, KIN__HANDSHAKE_CLIENT };

/* What is waited for. */
enum kin__handshake_state {
    KIN__HANDSHAKE_AWAITS_ANSWER,    /* to our challenge */
    KIN__HANDSHAKE_AWAITS_CHALLENGE, /* of theirs */
    KIN__HANDSHAKE_AWAITS_VERDICT,   /* on our answer */
    KIN__HANDSHAKE_DONE,
    KIN__HANDSHAKE_FAILED,
};

struct kin__handshake {
    const struct kin__key *key; /* borrowed */
    enum kin__handshake_role role;
    enum kin__handshake_state state;
    bool requires_sha256;
    bool has_verified; /* the peer has the key */
    uint32_t outgoing_size;
    unsigned char challenge[KIN__HANDSHAKE_CHALLENGE_BYTES];
    unsigned char outgoing[KIN__HANDSHAKE_OUTGOING_MAX]; /* a frame, to be sent before the next
                                                          * message is received */
};

/* Makes the random bytes of a challenge those of a client. */
void kin__handshake_mark(const struct kin__key *key,
                         unsigned char random[KIN__HANDSHAKE_RANDOM_BYTES]);

/* Begins one: `random` is what nobody can foresee, and new each time. Look at `outgoing`. */
void kin__handshake_begin(struct kin__handshake *handshake, enum kin__handshake_role role,
                          const struct kin__key *key, bool requires_sha256,
                          const unsigned char random[KIN__HANDSHAKE_RANDOM_BYTES]);

/* Takes a message that came. In either case what is `outgoing` then is to be sent, and when `state`
 * is DONE after that, the connection is open. 0, or
 *   KIN_EAUTHENTICATION  the peer does not have the key, or says that we do not
 *   KIN_EDIGEST          it uses MD5 where SHA-256 is required
 *   -EBADMSG             this is no such handshake
 *   -ENOSYS              the system refuses the digest that would be needed */
int kin__handshake_receive(struct kin__handshake *handshake, kin_bytes message);

#endif
