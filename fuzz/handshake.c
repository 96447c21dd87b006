/*
 * A peer that does not keep to the handshake. The first byte says which role and rules it meets;
 * then come messages: a byte with the size, and so many bytes of its own; or 255 and what an honest
 * peer, who has the key, would say now; or 254, a place and a bit: the same with that bit changed.
 * Whoever says nothing honest is not let in.
 */
#include "fuzz.h"

#include <kin/error.h>
#include <string.h>

#include "connection/handshake/handshake.h"
#include "connection/handshake/key.h"

enum { HONEST = 255, CHANGED = 254, FRAME_HEADER = 4 };

struct meeting {
    struct kin__handshake judge; /* who is tested */
    struct kin__handshake peer;  /* honest */
    unsigned honest_count;
    bool is_disturbed; /* the peer was not honest once */
};

/* What one of them sends, without its frame. */
static kin_bytes outgoing(const struct kin__handshake *handshake)
{
    FUZZ_REQUIRE(handshake->outgoing_size <= KIN__HANDSHAKE_OUTGOING_MAX);
    return handshake->outgoing_size < FRAME_HEADER
               ? (kin_bytes){"", 0}
               : (kin_bytes){handshake->outgoing + FRAME_HEADER,
                             handshake->outgoing_size - FRAME_HEADER};
}

static int tell(struct meeting *meeting, kin_bytes message)
{
    int r = kin__handshake_receive(&meeting->judge, message);
    FUZZ_REQUIRE((r == 0) == (meeting->judge.state != KIN__HANDSHAKE_FAILED));
    FUZZ_REQUIRE(meeting->judge.state != KIN__HANDSHAKE_DONE || meeting->judge.has_verified);
    if (r == 0 && meeting->peer.state != KIN__HANDSHAKE_FAILED &&
        meeting->peer.state != KIN__HANDSHAKE_DONE && meeting->judge.outgoing_size != 0) {
        kin__handshake_receive(&meeting->peer, outgoing(&meeting->judge));
    }
    return r;
}

/* One message of the input. Returns how many bytes it took, or 0: the end. */
static size_t play(struct meeting *meeting, const uint8_t *data, size_t size)
{
    unsigned char message[KIN__HANDSHAKE_MESSAGE_MAX];
    size_t used = 1;
    kin_bytes bytes = outgoing(&meeting->peer);
    memcpy(message, bytes.data, bytes.size);
    bytes.data = message;
    if (data[0] == CHANGED) {
        if (size < 3 || bytes.size == 0) {
            return 0;
        }
        message[data[1] % bytes.size] ^= (unsigned char)(1 << (data[2] & 7));
        used = 3;
    } else if (data[0] != HONEST) {
        if (size < 1 + (size_t)data[0]) {
            return 0;
        }
        bytes = (kin_bytes){data + 1, data[0]};
        used += data[0];
    } else {
        meeting->honest_count++;
    }
    meeting->is_disturbed = meeting->is_disturbed || data[0] != HONEST || bytes.size == 0;
    meeting->peer.outgoing_size = 0;
    int r = tell(meeting, bytes);
    FUZZ_REQUIRE(meeting->is_disturbed || r == 0);
    FUZZ_REQUIRE(meeting->is_disturbed || meeting->honest_count < 3 ||
                 meeting->judge.state == KIN__HANDSHAKE_DONE);
    return r == 0 && meeting->judge.state != KIN__HANDSHAKE_DONE ? used : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char random[KIN__HANDSHAKE_RANDOM_BYTES] = {1};
    struct kin__key *key = NULL;
    struct meeting meeting = {.honest_count = 0};
    if (size == 0) {
        return 0;
    }
    bool is_server = (data[0] & 1) != 0;
    FUZZ_REQUIRE(kin__key_create((kin_bytes){"secret", 6}, &key) == 0);
    kin__handshake_begin(&meeting.judge, is_server ? KIN__HANDSHAKE_SERVER : KIN__HANDSHAKE_CLIENT,
                         key, (data[0] & 2) != 0, random);
    random[0] = 2;
    kin__handshake_begin(&meeting.peer, is_server ? KIN__HANDSHAKE_CLIENT : KIN__HANDSHAKE_SERVER,
                         key, false, random);
    if (is_server) {
        kin__handshake_receive(&meeting.peer, outgoing(&meeting.judge));
    }
    for (size_t at = 1, used = 1; at < size && used != 0; at += used) {
        used = play(&meeting, data + at, size - at);
    }
    FUZZ_REQUIRE(meeting.judge.state != KIN__HANDSHAKE_DONE || meeting.honest_count > 0);
    kin__key_free(key);
    return 0;
}
