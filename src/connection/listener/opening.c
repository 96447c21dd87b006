#include "connection/listener/opening.h"

#include "base/allocate.h"
#include "connection/connection.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/poll.h"

#include <errno.h>
#include <string.h>

enum { HEADER_BYTES = 4 };

static int create_transport(struct kin__opening *opening, int fd, const char *host)
{
    struct kin__tls_context *tls = opening->terms->tls;
    if (tls == NULL) {
        return kin__transport_create(
            fd, opening->is_unix ? KIN__OS_FD_UNIX_SOCKET : KIN__OS_FD_SOCKET, &opening->transport);
    }
    int r = kin__tls_stream_create(tls, fd, tls->is_server ? NULL : host, &opening->tls);
    if (r == 0) {
        opening->transport = &opening->tls->transport;
    }
    return r;
}

static int begin_challenge(struct kin__opening *opening)
{
    unsigned char random[KIN__HANDSHAKE_RANDOM_BYTES];
    const struct kin__terms *terms = opening->terms;
    if (!terms->has_challenge) {
        opening->stage = KIN__OPENING_OPEN;
        return 0;
    }
    int r = kin__os_random_fill(random, sizeof random);
    if (r < 0) {
        return r;
    }
    if (terms->role == KIN__HANDSHAKE_CLIENT) {
        kin__handshake_mark(terms->key, random);
    }
    kin__handshake_begin(&opening->handshake, terms->role, terms->key, terms->requires_sha256,
                         random);
    opening->stage = KIN__OPENING_CHALLENGE;
    return 0;
}

int kin__opening_begin(const struct kin__terms *terms, int fd, const struct kin__address *address,
                       struct kin__opening **ret_opening)
{
    struct kin__opening *opening = kin__allocate_zeroed(sizeof *opening);
    if (opening == NULL) {
        return -ENOMEM;
    }
    opening->terms = terms;
    opening->is_unix = address->is_unix;
    opening->begun_ns = kin__os_now_ns();
    opening->stage = KIN__OPENING_TLS;
    int r = terms->tls == NULL ? begin_challenge(opening) : 0;
    r = r == 0 ? create_transport(opening, fd, address->host) : r;
    if (r < 0) {
        kin__release(opening);
        return r;
    }
    *ret_opening = opening;
    return 0;
}

struct kin__opening *kin__opening_free(struct kin__opening *opening)
{
    if (opening != NULL) {
        opening->transport->operations->free(opening->transport);
        kin__release(opening);
    }
    return NULL;
}

/* --- the challenge --- */

/* Sends what the handshake has to say. 1: all of it; 0: not now. */
static int64_t send_outgoing(struct kin__opening *opening)
{
    const struct kin__handshake *handshake = &opening->handshake;
    while (opening->sent < handshake->outgoing_size) {
        kin_bytes rest = {handshake->outgoing + opening->sent,
                          handshake->outgoing_size - opening->sent};
        int64_t sent = opening->transport->operations->send(
            opening->transport, &(struct kin__os_output){.pieces = &rest, .count = 1});
        if (sent < 0) {
            opening->wanted = KIN__OS_POLL_WRITE;
            return sent == -EAGAIN ? 0 : sent;
        }
        opening->sent += (uint32_t)sent;
        opening->has_spoken = true;
    }
    return 1;
}

/* Bytes of the frame whose first bytes have come; of its header, before that has. 0: too many. */
static uint32_t frame_bytes(const struct kin__opening *opening)
{
    const unsigned char *header = opening->incoming;
    if (opening->received < HEADER_BYTES) {
        return HEADER_BYTES;
    }
    uint32_t size = (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 |
                    (uint32_t)header[2] << 8 | header[3];
    return size > KIN__HANDSHAKE_MESSAGE_MAX ? 0 : HEADER_BYTES + size;
}

/* Whether the peer may send more behind the message that is awaited: it is the last one, and what
 * follows is for the connection. In all other states the peer waits for an answer first. */
static bool is_last(const struct kin__handshake *handshake)
{
    return handshake->role == KIN__HANDSHAKE_SERVER &&
           handshake->state == KIN__HANDSHAKE_AWAITS_VERDICT;
}

/* Receives the next message. 1: it is there; 0: not now. */
static int64_t receive_message(struct kin__opening *opening)
{
    uint32_t bytes = frame_bytes(opening);
    bool is_exact = is_last(&opening->handshake);
    while (opening->received < bytes) {
        uint32_t end = is_exact ? bytes : (uint32_t)sizeof opening->incoming;
        struct kin__os_room room = {opening->incoming + opening->received, end - opening->received};
        int64_t got = opening->transport->operations->receive(
            opening->transport, &(struct kin__os_intake){.rooms = &room, .count = 1});
        if (got <= 0) {
            opening->wanted = KIN__OS_POLL_READ;
            return got == -EAGAIN ? 0 : got == 0 ? -ECONNRESET : got;
        }
        opening->received += (uint32_t)got;
        bytes = frame_bytes(opening);
    }
    return bytes == 0 || opening->received > bytes ? -EBADMSG : 1;
}

static int64_t step_challenge(struct kin__opening *opening)
{
    struct kin__handshake *handshake = &opening->handshake;
    for (;;) {
        int64_t r = send_outgoing(opening);
        if (opening->code < 0 && r != 0) { /* whether the peer could be told or not */
            return opening->code;
        }
        if (r == 1 && handshake->state == KIN__HANDSHAKE_DONE) {
            opening->stage = KIN__OPENING_OPEN;
            return 1;
        }
        if (r == 1 && opening->tls == NULL && opening->has_spoken) {
            opening->has_spoken = false; /* the answer is not there yet: poll first */
            opening->wanted = KIN__OS_POLL_READ;
            return 0;
        }
        r = r == 1 ? receive_message(opening) : r;
        if (r != 1) {
            return r;
        }
        kin_bytes message = {opening->incoming + HEADER_BYTES, opening->received - HEADER_BYTES};
        opening->code = kin__handshake_receive(handshake, message);
        opening->has_proved = handshake->has_verified;
        opening->received = 0;
        opening->sent = 0;
    }
}

int kin__opening_step(struct kin__opening *opening)
{
    int64_t r = 1;
    if (opening->stage == KIN__OPENING_TLS) {
        r = kin__tls_stream_handshake(opening->tls, &opening->wanted);
        r = r == 1 ? begin_challenge(opening) : r == 0 ? -EAGAIN : r;
        if (r < 0) {
            return r == -EAGAIN ? 0 : r == -EPIPE ? -ECONNRESET : (int)r;
        }
    }
    if (opening->stage == KIN__OPENING_CHALLENGE) {
        r = step_challenge(opening);
    }
    r = opening->stage == KIN__OPENING_OPEN ? 1 : r;
    return r == -EPIPE ? -ECONNRESET : (int)r;
}

int kin__opening_finish(struct kin__opening *opening, kin_connection **ret_connection)
{
    struct kin__connection_plan plan = {
        .scope = opening->tls == NULL ? KIN_SCOPE_FAMILY : KIN_SCOPE_PROCESS,
        .kind = opening->is_unix ? KIN__OS_FD_UNIX_SOCKET : KIN__OS_FD_SOCKET,
        .is_readable = true,
        .is_writable = true,
        .may_read_ahead = true,
        .message_bytes_max = opening->terms->message_bytes_max};
    int r = kin__connection_create(&plan, opening->transport, ret_connection);
    if (r == 0) {
        kin__release(opening);
    }
    return r;
}
