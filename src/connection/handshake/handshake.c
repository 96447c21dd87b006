#include "connection/handshake/handshake.h"

#include <assert.h>
#include <errno.h>
#include <kin/error.h>
#include <string.h>

#define CHALLENGE "#CHALLENGE#"
#define WELCOME "#WELCOME#"
#define FAILURE "#FAILURE#"
#define SHA256_PREFIX "{sha256}"

#define CLIENT_MARK "kin: asked by a client" /* begins as no challenge does that is answered */

enum { HEADER_BYTES = 4, OLD_CHALLENGE_BYTES = 20, MARK_BYTES = 16 };

#define MARKED_BYTES ((size_t)(KIN__HANDSHAKE_RANDOM_BYTES - MARK_BYTES))

static_assert(KIN__DIGEST_NAME_BYTES_MAX + 2 + KIN__DIGEST_BYTES_MAX + HEADER_BYTES <=
                  KIN__HANDSHAKE_OUTGOING_MAX,
              "every answer has room");
static_assert(sizeof CHALLENGE - 1 + KIN__HANDSHAKE_CHALLENGE_BYTES + HEADER_BYTES <=
                  KIN__HANDSHAKE_OUTGOING_MAX,
              "every challenge has room");

static bool is_text(kin_bytes message, const char *text)
{
    return message.size == strlen(text) && memcmp(message.data, text, message.size) == 0;
}

/* The next frame: two parts, either of which may be empty. */
static void send(struct kin__handshake *handshake, const char *text, const void *bytes, size_t size)
{
    size_t text_size = strlen(text);
    size_t total = text_size + size;
    unsigned char *frame = handshake->outgoing;
    memcpy(frame, (const unsigned char[HEADER_BYTES]){0, 0, 0, (unsigned char)total}, HEADER_BYTES);
    memcpy(frame + HEADER_BYTES, text, text_size);
    if (size != 0) {
        memcpy(frame + HEADER_BYTES + text_size, bytes, size);
    }
    handshake->outgoing_size = (uint32_t)(HEADER_BYTES + total);
}

static void send_challenge(struct kin__handshake *handshake)
{
    send(handshake, CHALLENGE, handshake->challenge, sizeof handshake->challenge);
    handshake->state = KIN__HANDSHAKE_AWAITS_ANSWER;
}

/* The digest that stands behind the random bytes of a client. false: the system refuses it. */
static bool make_mark(const struct kin__key *key, const unsigned char *random,
                      unsigned char ret_mac[KIN__DIGEST_BYTES_MAX])
{
    unsigned char text[sizeof CLIENT_MARK - 1 + MARKED_BYTES];
    memcpy(text, CLIENT_MARK, sizeof CLIENT_MARK - 1);
    memcpy(text + sizeof CLIENT_MARK - 1, random, MARKED_BYTES);
    return kin__digest_sign(KIN__DIGEST_SHA256, key, (kin_bytes){text, sizeof text}, ret_mac) > 0;
}

void kin__handshake_mark(const struct kin__key *key,
                         unsigned char random[KIN__HANDSHAKE_RANDOM_BYTES])
{
    unsigned char mac[KIN__DIGEST_BYTES_MAX];
    if (make_mark(key, random, mac)) {
        memcpy(random + MARKED_BYTES, mac, MARK_BYTES);
    }
}

static bool is_marked(const struct kin__key *key, kin_bytes challenge)
{
    unsigned char mac[KIN__DIGEST_BYTES_MAX];
    if (challenge.size != KIN__HANDSHAKE_CHALLENGE_BYTES) {
        return false;
    }
    const unsigned char *random = (const unsigned char *)challenge.data + strlen(SHA256_PREFIX);
    return make_mark(key, random, mac) && memcmp(random + MARKED_BYTES, mac, MARK_BYTES) == 0;
}

void kin__handshake_begin(struct kin__handshake *handshake, enum kin__handshake_role role,
                          const struct kin__key *key, bool requires_sha256,
                          const unsigned char random[KIN__HANDSHAKE_RANDOM_BYTES])
{
    *handshake = (struct kin__handshake){.key = key,
                                         .role = role,
                                         .state = KIN__HANDSHAKE_AWAITS_CHALLENGE,
                                         .requires_sha256 = requires_sha256};
    size_t prefix = strlen(SHA256_PREFIX);
    memcpy(handshake->challenge, SHA256_PREFIX, prefix);
    memcpy(handshake->challenge + prefix, random, KIN__HANDSHAKE_RANDOM_BYTES);
    if (role == KIN__HANDSHAKE_SERVER) {
        send_challenge(handshake);
    }
}

/* Answers with MD5 alone, as old peers expect it, or, where the system has no MD5, as new ones
 * do, which an old one then refuses. */
static int answer_old(struct kin__handshake *handshake, kin_bytes challenge)
{
    unsigned char mac[KIN__DIGEST_BYTES_MAX];
    if (handshake->requires_sha256) {
        return KIN_EDIGEST;
    }
    int size = kin__digest_sign(KIN__DIGEST_MD5, handshake->key, challenge, mac);
    if (size > 0) {
        send(handshake, "", mac, (size_t)size);
        return 0;
    }
    size = kin__digest_sign(KIN__DIGEST_SHA256, handshake->key, challenge, mac);
    if (size > 0) {
        send(handshake, SHA256_PREFIX, mac, (size_t)size);
    }
    return size < 0 ? size : 0;
}

static int answer_named(struct kin__handshake *handshake, kin_bytes challenge)
{
    unsigned char mac[KIN__DIGEST_BYTES_MAX];
    char prefix[KIN__DIGEST_NAME_BYTES_MAX + 3];
    size_t prefix_bytes = 0;
    int digest = kin__digest_parse(challenge, &prefix_bytes);
    if (digest < 0) {
        return digest;
    }
    if (handshake->requires_sha256 && digest == KIN__DIGEST_MD5) {
        return KIN_EDIGEST;
    }
    int size = kin__digest_sign((enum kin__digest)digest, handshake->key, challenge, mac);
    if (size < 0) {
        return size;
    }
    memcpy(prefix, challenge.data, prefix_bytes);
    prefix[prefix_bytes] = '\0';
    send(handshake, prefix, mac, (size_t)size);
    return 0;
}

static int take_challenge(struct kin__handshake *handshake, kin_bytes message)
{
    size_t start = strlen(CHALLENGE);
    if (message.size < start + OLD_CHALLENGE_BYTES || memcmp(message.data, CHALLENGE, start) != 0) {
        return -EBADMSG;
    }
    kin_bytes challenge = {(const unsigned char *)message.data + start, message.size - start};
    if (handshake->role == KIN__HANDSHAKE_CLIENT && is_marked(handshake->key, challenge)) {
        return KIN_EAUTHENTICATION;
    }
    int r = challenge.size == OLD_CHALLENGE_BYTES ? answer_old(handshake, challenge)
                                                  : answer_named(handshake, challenge);
    handshake->state = KIN__HANDSHAKE_AWAITS_VERDICT;
    return r;
}

static int take_verdict(struct kin__handshake *handshake, kin_bytes message)
{
    if (!is_text(message, WELCOME)) {
        return is_text(message, FAILURE) ? KIN_EAUTHENTICATION : -EBADMSG;
    }
    if (handshake->role == KIN__HANDSHAKE_CLIENT) {
        send_challenge(handshake);
    } else {
        handshake->state = KIN__HANDSHAKE_DONE;
    }
    return 0;
}

/* 1: it proves that the peer has the key; 0: it proves that it has not. */
static int verify(const struct kin__handshake *handshake, kin_bytes message)
{
    kin_bytes challenge = {handshake->challenge, sizeof handshake->challenge};
    size_t prefix_bytes = 0;
    int digest = message.size == KIN__DIGEST_MD5_BYTES ? KIN__DIGEST_MD5
                                                       : kin__digest_parse(message, &prefix_bytes);
    if (digest < 0) {
        return digest;
    }
    if (digest == KIN__DIGEST_MD5 && handshake->requires_sha256) {
        return KIN_EDIGEST;
    }
    kin_bytes mac = {(const unsigned char *)message.data + prefix_bytes,
                     message.size - prefix_bytes};
    return kin__digest_verify((enum kin__digest)digest, handshake->key, challenge, mac);
}

static int take_answer(struct kin__handshake *handshake, kin_bytes message)
{
    int r = verify(handshake, message);
    if (r != 1) {
        send(handshake, FAILURE, NULL, 0);
        return r < 0 ? r : KIN_EAUTHENTICATION;
    }
    send(handshake, WELCOME, NULL, 0);
    handshake->has_verified = true;
    handshake->state = handshake->role == KIN__HANDSHAKE_SERVER ? KIN__HANDSHAKE_AWAITS_CHALLENGE
                                                                : KIN__HANDSHAKE_DONE;
    return 0;
}

int kin__handshake_receive(struct kin__handshake *handshake, kin_bytes message)
{
    int r = -EBADMSG;
    handshake->outgoing_size = 0;
    if (message.size > KIN__HANDSHAKE_MESSAGE_MAX) {
        r = -EBADMSG;
    } else if (handshake->state == KIN__HANDSHAKE_AWAITS_ANSWER) {
        r = take_answer(handshake, message);
    } else if (handshake->state == KIN__HANDSHAKE_AWAITS_CHALLENGE) {
        r = take_challenge(handshake, message);
    } else if (handshake->state == KIN__HANDSHAKE_AWAITS_VERDICT) {
        r = take_verdict(handshake, message);
    }
    if (r < 0) {
        handshake->state = KIN__HANDSHAKE_FAILED;
    }
    return r;
}
