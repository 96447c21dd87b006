#include "connection/tls/stream.h"

#include "base/allocate.h"
#include "connection/poll.h"
#include "os/memory.h"
#include "os/process.h"

#include <errno.h>
#include <kin/error.h>
#include <string.h>

/* A call moves about TURN_BYTES, and then lets the other direction have the lock. */
enum { RECORD_BYTES = 16384, TURN_BYTES = 4 * RECORD_BYTES };

/* What a peer can have from one call and from the memory here, whatever it sends. OpenSSL goes on
 * for as long as there are bytes of its own protocol, new keys over and over, say, and answers each
 * in memory: so a call takes so much from the fd, and answers that nobody fetches end it. A
 * handshake, with certificates of the largest size that OpenSSL takes, has less. */
enum { CALL_BYTES_MAX = TURN_BYTES + RECORD_BYTES, OUTGOING_BYTES_MAX = 262144 };

/* --- how OpenSSL reaches the fd --- */

static int take_outgoing(BIO *bio, const char *bytes, int size)
{
    struct kin__tls_stream *stream = kin__crypto.BIO_get_data(bio);
    kin__crypto.BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    if (size <= 0) {
        return 0;
    }
    if (stream->outgoing.size + (size_t)size > OUTGOING_BYTES_MAX) {
        stream->code = -EPROTO;
        return -1;
    }
    if (kin__buffer_append(&stream->outgoing, bytes, (size_t)size) < 0) {
        stream->code = -ENOMEM;
        return -1;
    }
    return size;
}

static int give_incoming(BIO *bio, char *bytes, int size)
{
    struct kin__tls_stream *stream = kin__crypto.BIO_get_data(bio);
    struct kin__os_room room = {bytes, size > 0 ? (size_t)size : 0};
    kin__crypto.BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    if (room.size == 0) {
        return 0;
    }
    if (stream->allowed == 0) { /* the fd is still ready: the next call goes on */
        kin__crypto.BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
        return -1;
    }
    room.size = room.size < stream->allowed ? room.size : stream->allowed;
    int64_t got = kin__os_socket_receive(stream->transport.fd,
                                         &(struct kin__os_intake){.rooms = &room, .count = 1});
    if (got == -EAGAIN) {
        kin__crypto.BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
        return -1;
    }
    if (got < 0) {
        stream->code = (int)got;
        return -1;
    }
    stream->has_ended = got == 0;
    stream->allowed -= (size_t)got;
    return (int)got;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    const struct kin__tls_stream *stream = kin__crypto.BIO_get_data(bio);
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_EOF ? stream->has_ended : command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *kin__tls_stream_method(void)
{
    BIO_METHOD *method = kin__crypto.BIO_meth_new(
        BIO_TYPE_SOURCE_SINK | kin__crypto.BIO_get_new_index(), "kin fd");
    if (method != NULL) {
        kin__crypto.BIO_meth_set_write(method, take_outgoing);
        kin__crypto.BIO_meth_set_read(method, give_incoming);
        kin__crypto.BIO_meth_set_ctrl(method, control);
    }
    return method;
}

/* Sends as much of `outgoing` as the fd takes. 0: all; -EAGAIN, or what the socket says. */
static int flush(struct kin__tls_stream *stream)
{
    struct kin__buffer *outgoing = &stream->outgoing;
    while (stream->sent < outgoing->size) {
        kin_bytes rest = {outgoing->data + stream->sent, outgoing->size - stream->sent};
        int64_t sent = kin__os_socket_send(stream->transport.fd,
                                           &(struct kin__os_output){.pieces = &rest, .count = 1});
        if (sent < 0) {
            return (int)sent;
        }
        stream->sent += (size_t)sent;
    }
    stream->sent = 0;
    outgoing->size = 0;
    return 0;
}

/* --- codes --- */

/* Whether OpenSSL's reason means that one side does not know or trust the other. */
static bool is_distrust(int reason)
{
    static const int reasons[] = {
        SSL_R_BINDER_DOES_NOT_VERIFY,
        SSL_R_CERTIFICATE_VERIFY_FAILED,
        SSL_R_NO_SHARED_CIPHER,
        SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
        SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE,
        SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,
        SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,
        SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
        SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
        SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER,
        SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE,
        SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED,
        SSL_R_TLSV1_ALERT_ACCESS_DENIED,
        SSL_R_TLSV1_ALERT_DECRYPT_ERROR,
        SSL_R_TLSV1_ALERT_UNKNOWN_CA,
        SSL_R_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY,
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reason == reasons[i]) {
            return true;
        }
    }
    return false;
}

/* The code for a call on `ssl` that gave `result`, which is not what was hoped for. 0: the other
 * side has ended it in good order. */
static int code_of(struct kin__tls_stream *stream, int result)
{
    int kind = kin__ssl.SSL_get_error(stream->ssl, result);
    int reason = ERR_GET_REASON(kin__crypto.ERR_peek_error());
    kin__crypto.ERR_clear_error();
    switch (kind) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        break;
    }
    if (stream->code < 0) {
        return stream->code;
    }
    if (stream->has_ended) { /* without a word: it may have been cut off */
        return -ECONNRESET;
    }
    return is_distrust(reason) ? KIN_EAUTHENTICATION : -EPROTO;
}

/* --- the handshake --- */

int kin__tls_stream_handshake(struct kin__tls_stream *stream, int16_t *ret_wanted)
{
    stream->allowed = CALL_BYTES_MAX;
    int result = kin__ssl.SSL_do_handshake(stream->ssl);
    int r = result == 1 ? 1 : code_of(stream, result);
    int flushed = flush(stream); /* an alert, if it has failed */
    if (r == 0) {
        return -ECONNRESET;
    }
    if (r < 0 && r != -EAGAIN) {
        return r;
    }
    if (flushed == -EAGAIN) {
        *ret_wanted = KIN__OS_POLL_WRITE;
        return 0;
    }
    if (flushed < 0) {
        return flushed;
    }
    if (r == -EAGAIN) {
        *ret_wanted = KIN__OS_POLL_READ;
        return 0;
    }
    bool is_by_key = stream->context->mode == KIN_TLS_KEY;
    return is_by_key && kin__ssl.SSL_session_reused(stream->ssl) != 1 ? KIN_EAUTHENTICATION : 1;
}

/* --- the transport --- */

static int64_t receive(struct kin__transport *transport, const struct kin__os_intake *intake)
{
    struct kin__tls_stream *stream = (struct kin__tls_stream *)transport;
    int64_t total = 0;
    int64_t r = 1;
    mtx_lock(&stream->lock);
    stream->allowed = CALL_BYTES_MAX;
    for (uint32_t i = 0; i < intake->count && r > 0; i++) {
        unsigned char *at = intake->rooms[i].data;
        for (size_t left = intake->rooms[i].size; left > 0 && r > 0 && total < TURN_BYTES;) {
            size_t got = 0;
            int result = kin__ssl.SSL_read_ex(stream->ssl, at, left, &got);
            r = result == 1 ? (int64_t)got : code_of(stream, result);
            if (r > 0) {
                at += r;
                left -= (size_t)r;
                total += r;
            }
        }
    }
    mtx_unlock(&stream->lock);
    return total > 0 ? total : r;
}

/* Encrypts up to a record of the bytes from `skip` on. How many, or a code. */
static int64_t encrypt(struct kin__tls_stream *stream, const struct kin__os_output *output,
                       size_t skip)
{
    unsigned char record[RECORD_BYTES];
    size_t size = 0;
    for (uint32_t i = 0; i < output->count && size < sizeof record; i++) {
        const kin_bytes *piece = &output->pieces[i];
        size_t from = skip < piece->size ? skip : piece->size;
        size_t more = piece->size - from;
        skip -= from;
        more = more < sizeof record - size ? more : sizeof record - size;
        if (more > 0) {
            memcpy(record + size, (const unsigned char *)piece->data + from, more);
        }
        size += more;
    }
    size_t done = 0;
    int result = size == 0 ? 1 : kin__ssl.SSL_write_ex(stream->ssl, record, size, &done);
    return result == 1 ? (int64_t)done : code_of(stream, result);
}

/* One record, or what is owed of the last one. */
static int64_t send_record(struct kin__tls_stream *stream, const struct kin__os_output *output,
                           size_t skip)
{
    int r = flush(stream);
    if (r < 0) {
        return r;
    }
    size_t owed = stream->is_owed ? 1 : 0;
    stream->is_owed = false;
    int64_t more = encrypt(stream, output, skip + owed);
    if (more < 0) {
        stream->is_owed = owed == 1;
        return more;
    }
    r = flush(stream);
    if (r < 0 && r != -EAGAIN) {
        return r;
    }
    stream->is_owed = r == -EAGAIN && more > 0;
    return (int64_t)owed + more - stream->is_owed;
}

static int64_t send(struct kin__transport *transport, const struct kin__os_output *output)
{
    struct kin__tls_stream *stream = (struct kin__tls_stream *)transport;
    size_t total = 0;
    size_t sent = 0;
    int64_t r = 0;
    for (uint32_t i = 0; i < output->count; i++) {
        total += output->pieces[i].size;
    }
    mtx_lock(&stream->lock);
    stream->allowed = CALL_BYTES_MAX;
    do {
        r = send_record(stream, output, sent);
        sent += r > 0 ? (size_t)r : 0;
    } while (r > 0 && sent < total && sent < TURN_BYTES && !stream->is_owed);
    mtx_unlock(&stream->lock);
    return sent > 0 ? (int64_t)sent : r == 0 ? -EAGAIN : r;
}

static bool has_bytes(struct kin__transport *transport)
{
    struct kin__tls_stream *stream = (struct kin__tls_stream *)transport;
    mtx_lock(&stream->lock);
    bool has_some = kin__ssl.SSL_pending(stream->ssl) > 0;
    mtx_unlock(&stream->lock);
    return has_some;
}

static int wait_to_receive(struct kin__transport *transport, kin_timeout timeout)
{
    int r = has_bytes(transport) ? 0 : kin__poll_one(transport->fd, KIN__OS_POLL_READ, timeout);
    return r < 0 ? r : 0;
}

static int wait_to_send(struct kin__transport *transport, kin_timeout timeout)
{
    int r = kin__poll_one(transport->fd, KIN__OS_POLL_WRITE, timeout);
    return r < 0 ? r : 0;
}

/* Says that no more comes, if that can be said without waiting; otherwise the other side will find
 * the connection cut off, which is true as well. */
static void shut(struct kin__transport *transport)
{
    struct kin__tls_stream *stream = (struct kin__tls_stream *)transport;
    mtx_lock(&stream->lock);
    if (kin__ssl.SSL_is_init_finished(stream->ssl) && !stream->is_owed) {
        kin__ssl.SSL_shutdown(stream->ssl);
    }
    kin__crypto.ERR_clear_error();
    flush(stream);
    mtx_unlock(&stream->lock);
    kin__os_socket_shut(transport->fd);
}

/* In a forked child only the fd goes: the state of `ssl` is whatever it was at the fork. */
static void free_stream(struct kin__transport *transport)
{
    struct kin__tls_stream *stream = (struct kin__tls_stream *)transport;
    if (stream->pid == kin__os_process_id()) {
        shut(transport);
        kin__ssl.SSL_free(stream->ssl);
        kin__tls_context_free(stream->context);
        kin__buffer_deinit(&stream->outgoing);
        mtx_destroy(&stream->lock);
    }
    kin__os_close(transport->fd);
    kin__release(stream);
}

static const struct kin__transport_operations operations = {
    .receive = receive,
    .send = send,
    .wait_to_receive = wait_to_receive,
    .wait_to_send = wait_to_send,
    .has_bytes = has_bytes,
    .shut = shut,
    .free = free_stream,
};

/* --- making one --- */

/* Sets whom the other side's certificate must name. */
static int set_peer(struct kin__tls_stream *stream, const char *host)
{
    const struct kin__tls_context *context = stream->context;
    const char *name = context->peer_name != NULL ? context->peer_name : host;
    if (context->mode != KIN_TLS_CERTIFICATES || name == NULL) {
        return 0;
    }
    kin__ssl.SSL_set_hostflags(stream->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (kin__crypto.X509_VERIFY_PARAM_set1_ip_asc(kin__ssl.SSL_get0_param(stream->ssl), name) ==
        1) {
        return 0;
    }
    kin__crypto.ERR_clear_error();
    if (kin__ssl.SSL_set1_host(stream->ssl, name) != 1) {
        return -EINVAL;
    }
    if (!context->is_server && kin__ssl.SSL_ctrl(stream->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                                                 TLSEXT_NAMETYPE_host_name, (void *)name) != 1) {
        return -EINVAL;
    }
    return 0;
}

static int fill(struct kin__tls_stream *stream, const char *host)
{
    struct kin__tls_context *context = stream->context;
    stream->ssl = kin__ssl.SSL_new(context->settings);
    BIO *bio = kin__crypto.BIO_new(context->method);
    if (stream->ssl == NULL || bio == NULL) {
        kin__crypto.BIO_free(bio);
        return -ENOMEM;
    }
    kin__crypto.BIO_set_data(bio, stream);
    kin__crypto.BIO_set_init(bio, 1);
    kin__ssl.SSL_set_bio(stream->ssl, bio, bio);
    if (context->is_server) {
        kin__ssl.SSL_set_accept_state(stream->ssl);
    } else {
        kin__ssl.SSL_set_connect_state(stream->ssl);
    }
    return set_peer(stream, host);
}

int kin__tls_stream_create(struct kin__tls_context *context, int fd, const char *host,
                           struct kin__tls_stream **ret_stream)
{
    struct kin__tls_stream *stream = kin__allocate_zeroed(sizeof *stream);
    if (stream == NULL) {
        return -ENOMEM;
    }
    stream->transport = (struct kin__transport){.operations = &operations, .fd = -1};
    stream->context = context;
    stream->pid = kin__os_process_id();
    kin__buffer_init(&stream->outgoing);
    if (mtx_init(&stream->lock, mtx_plain) != thrd_success) {
        kin__release(stream);
        return -ENOMEM;
    }
    int r = fill(stream, host);
    kin__crypto.ERR_clear_error();
    if (r < 0) {
        kin__ssl.SSL_free(stream->ssl);
        mtx_destroy(&stream->lock);
        kin__release(stream);
        return r;
    }
    atomic_fetch_add(&context->references, 1);
    stream->transport.fd = fd;
    *ret_stream = stream;
    return 0;
}
