/**
 * Sending: one message at a time, under the sender's mutex.
 *
 *     NOTHING -> FIRST    before the first byte; `left` is all of it
 *     FIRST -> REST       a part was sent, and there is more
 *     FIRST, REST -> NOTHING   all of it was sent; FIRST: or nothing, and never will be
 *     REST -> BROKEN      the rest will never be sent
 *
 * The receipt is that of the last attempt and is cleared before `left` is written, so that receipt
 * and `left` are equal only when all was sent. Without receipts, on a pipe, what the kernel takes
 * in one step is whole in any case; of a larger message nobody knows.
 */
#include "connection/connection.h"
#include "connection/header.h"
#include "connection/layout.h"
#include "family/cancel.h"

#include <errno.h>
#include <kin/error.h>
#include <string.h>

/* The header of a larger message goes alone into a pipe: the message then stands in the pipe's
 * pages as it stands in memory, which is copied several times as fast as across their bounds. */
enum { BATCH_PIECES = 16, TOGETHER_BYTES_MAX = 16384 };

/* What is still to be sent: `current`, then `next`. */
struct cursor {
    kin_bytes current;
    const kin_bytes *next;
    uint32_t next_count;
    bool is_header_alone; /* `current` goes first, without the next */
};

static uint32_t gather(const struct cursor *cursor, kin_bytes batch[BATCH_PIECES])
{
    uint32_t count = 1;
    batch[0] = cursor->current;
    while (!cursor->is_header_alone && count < BATCH_PIECES && count <= cursor->next_count) {
        batch[count] = cursor->next[count - 1];
        count++;
    }
    return count;
}

static void advance(struct cursor *cursor, uint64_t bytes)
{
    cursor->is_header_alone = cursor->is_header_alone && bytes < cursor->current.size;
    while (bytes >= cursor->current.size && cursor->next_count > 0) {
        bytes -= cursor->current.size;
        cursor->current = *cursor->next++;
        cursor->next_count--;
    }
    cursor->current.data = (const unsigned char *)cursor->current.data + bytes;
    cursor->current.size -= bytes;
}

static void store_state(struct sender *sender, enum sending state)
{
    atomic_store_explicit(&sender->state, state, memory_order_release);
}

/* What goes in one step is sent as a whole or not at all. */
static uint64_t whole_bytes(const struct end *end)
{
    return end->kind == KIN__OS_FD_PIPE          ? KIN__OS_PIPE_STEP
           : end->kind == KIN__OS_FD_UNIX_SOCKET ? KIN__OS_SOCKET_STEP
                                                 : 0;
}

void kin__sender_settle(struct end *end)
{
    struct sender *sender = &end->sender;
    uint32_t state = atomic_load(&sender->state);
    uint64_t left = atomic_load(&sender->left);
    uint64_t sent = kin__os_receipt_bytes(&sender->receipt);
    if (state != SENDING_FIRST && state != SENDING_REST) {
        return;
    }
    bool is_sound = state == SENDING_FIRST && left <= whole_bytes(end);
    if (!is_sound && end->gives_receipts) {
        is_sound = sent == left || (state == SENDING_FIRST && sent == 0);
    }
    store_state(sender, is_sound ? SENDING_NOTHING : SENDING_BROKEN);
}

/* Nothing more can be sent: the others are not to wait for the rest. */
static int refuse_broken(const struct calling *calling)
{
    struct kin__transport *transport = calling->connection->transport;
    if (transport->operations->shut != NULL) {
        transport->operations->shut(transport);
    }
    return KIN_EBROKEN;
}

static int acquire(const struct calling *calling)
{
    struct sender *sender = &calling->end->sender;
    int r = kin__mutex_acquire(&sender->mutex, calling->index, calling->self, calling->timeout,
                               __builtin_return_address(0));
    if (r == KIN_OWNER_DIED) {
        kin__sender_settle(calling->end);
        kin__mutex_mark_consistent(&sender->mutex, calling->self);
        r = 0;
    }
    if (r == 0 && atomic_load(&sender->state) == SENDING_BROKEN) {
        r = refuse_broken(calling);
        kin__mutex_release(&sender->mutex, calling->index, calling->self);
    }
    return r;
}

/* Ends a message that was not sent as a whole. If the other side is gone, that is all there is to
 * say. */
static int give_up(const struct calling *calling, int code)
{
    struct sender *sender = &calling->end->sender;
    bool is_gone = code == -EPIPE || code == -ECONNRESET;
    if (is_gone || atomic_load(&sender->state) == SENDING_FIRST) {
        store_state(sender, SENDING_NOTHING);
        return is_gone ? -EPIPE : code;
    }
    store_state(sender, SENDING_BROKEN);
    return refuse_broken(calling);
}

/* Sends some of it, waiting if need be. How many bytes, or a code. */
static int64_t send_some(const struct calling *calling, const struct cursor *cursor,
                         const struct kin__os_fds *fds)
{
    struct kin__transport *transport = calling->connection->transport;
    uint64_t left = atomic_load_explicit(&calling->end->sender.left, memory_order_relaxed);
    bool is_whole = left <= whole_bytes(calling->end);
    kin_bytes batch[BATCH_PIECES];
    struct kin__os_output output = {.pieces = batch,
                                    .count = gather(cursor, batch),
                                    .may_wait = calling->timeout.deadline_ns == INT64_MAX &&
                                                calling->timeout.cancel == NULL,
                                    .receipt = is_whole ? NULL : &calling->end->sender.receipt,
                                    .fds = fds};
    for (;;) {
        int64_t sent = transport->operations->send(transport, &output);
        int r = sent != -EAGAIN ? 1
                                : transport->operations->wait_to_send(transport, calling->timeout);
        if (r != 0) {
            return r < 0 ? r : sent;
        }
    }
}

/* What waiting for room needs is made before the first byte goes: to lack it in the middle of a
 * message would break the direction. */
static int prepare_to_wait(const struct calling *calling, uint64_t bytes)
{
    kin_cancel *cancel = calling->timeout.cancel;
    int fd = -1;
    return cancel == NULL || bytes <= whole_bytes(calling->end) ? 0 : kin__cancel_fd(cancel, &fd);
}

static int send_all(const struct calling *calling, struct cursor *cursor, uint64_t bytes,
                    const struct kin__os_fds *fds)
{
    struct sender *sender = &calling->end->sender;
    int r = prepare_to_wait(calling, bytes);
    if (r < 0) {
        return r;
    }
    kin__os_receipt_clear(&sender->receipt);
    atomic_store_explicit(&sender->left, bytes, memory_order_release);
    store_state(sender, SENDING_FIRST);
    for (;;) {
        int64_t sent = send_some(calling, cursor, fds);
        if (sent < 0) {
            return give_up(calling, (int)sent);
        }
        bytes -= (uint64_t)sent;
        if (bytes == 0) {
            break;
        }
        store_state(sender, SENDING_REST);
        kin__os_receipt_clear(&sender->receipt);
        atomic_store_explicit(&sender->left, bytes, memory_order_release);
        advance(cursor, (uint64_t)sent);
        fds = NULL;
    }
    store_state(sender, SENDING_NOTHING);
    return 0;
}

/* --- what goes out --- */

static int measure(const struct kin__parcel *parcel, uint64_t *ret_size)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < parcel->count; i++) {
        uint64_t piece = parcel->pieces[i].size;
        if ((parcel->pieces[i].data == NULL && piece > 0) || piece > INT64_MAX - size) {
            return -EINVAL;
        }
        size += piece;
    }
    *ret_size = size;
    return 0;
}

static int check_fds(const struct calling *calling, const struct kin__parcel *parcel)
{
    if (parcel->fd_count > KIN__OS_FDS_MAX || (parcel->fds == NULL && parcel->fd_count > 0)) {
        return -EINVAL;
    }
    return parcel->fd_count > 0 && calling->end->kind != KIN__OS_FD_UNIX_SOCKET ? -ENOTSUP : 0;
}

/* A small message goes as one piece, which costs less than saving a copy would. */
static int send_small(const struct calling *calling, const struct kin__parcel *parcel,
                      uint64_t size)
{
    unsigned char bytes[KIN__OS_SOCKET_STEP];
    uint64_t end = kin__header_write(bytes, size);
    for (uint32_t i = 0; i < parcel->count; i++) {
        if (parcel->pieces[i].size > 0) {
            memcpy(bytes + end, parcel->pieces[i].data, parcel->pieces[i].size);
            end += parcel->pieces[i].size;
        }
    }
    return send_all(calling, &(struct cursor){.current = {bytes, end}}, end, NULL);
}

static int send_parcel(const struct calling *calling, const struct kin__parcel *parcel,
                       uint64_t size)
{
    unsigned char header[LONG_HEADER_BYTES];
    if (parcel->fd_count == 0 && HEADER_BYTES + size <= KIN__OS_SOCKET_STEP) {
        return send_small(calling, parcel, size);
    }
    struct cursor cursor = {.current = {header, kin__header_write(header, size)},
                            .next = parcel->pieces,
                            .next_count = parcel->count};
    cursor.is_header_alone = calling->end->kind == KIN__OS_FD_PIPE && size > TOGETHER_BYTES_MAX;
    if (parcel->fd_count == 0) {
        return send_all(calling, &cursor, cursor.current.size + size, NULL);
    }
    struct kin__os_fds fds = {.count = parcel->fd_count};
    memcpy(fds.fds, parcel->fds, parcel->fd_count * sizeof *fds.fds);
    if (calling->peer != NULL) { /* fds are to be in the process that takes the message */
        atomic_store(&calling->peer->receiver.is_exact, 1);
    }
    return send_all(calling, &cursor, cursor.current.size + size, &fds);
}

int kin__connection_send(kin_connection *connection, const struct kin__parcel *parcel,
                         kin_timeout timeout)
{
    struct calling calling;
    uint64_t size = 0;
    int r = kin__connection_enter(connection, timeout, &calling);
    if (r == 0) {
        r = calling.end->is_writable ? measure(parcel, &size) : -EBADF;
    }
    if (r == 0) {
        r = check_fds(&calling, parcel);
    }
    if (r == 0) {
        r = acquire(&calling);
    }
    if (r == 0) {
        r = send_parcel(&calling, parcel, size);
        kin__mutex_release(&calling.end->sender.mutex, calling.index, calling.self);
    }
    return r;
}

int kin_connection_send_bytes(kin_connection *connection, const void *data, size_t size,
                              kin_timeout timeout)
{
    kin_bytes piece = {data, size};
    struct kin__parcel parcel = {.pieces = &piece, .count = 1};
    return kin__connection_send(connection, &parcel, timeout);
}

int kin_connection_send_fds(kin_connection *connection, kin_bytes bytes, const int *fds,
                            size_t fd_count, kin_timeout timeout)
{
    struct kin__parcel parcel = {.pieces = &bytes,
                                 .count = 1,
                                 .fds = fds,
                                 .fd_count = fd_count > UINT32_MAX ? UINT32_MAX
                                                                   : (uint32_t)fd_count};
    return kin__connection_send(connection, &parcel, timeout);
}
