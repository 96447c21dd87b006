/**
 * What goes out: one message at a time, under the sender's mutex. A small one in one step; a larger
 * one in parts, with the state of sender.c from each to the next.
 */
#include "connection/connection.h"
#include "connection/header.h"
#include "connection/send/sender.h"
#include "family/cancel.h"

#include <errno.h>
#include <string.h>

/* The header of a larger message goes alone: the message then stands in the pages of the pipe or
 * socket as it stands in memory, and is copied faster, into a pipe several times as fast, than
 * across their bounds. */
enum { BATCH_PIECES = 16, PIPE_TOGETHER_BYTES_MAX = 16384, SOCKET_TOGETHER_BYTES_MAX = 131072 };

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

/* Sends some of it, waiting if need be. How many bytes, or a code. */
static int64_t send_some(const struct calling *calling, const struct cursor *cursor,
                         const struct kin__os_fds *fds)
{
    struct kin__transport *transport = calling->connection->transport;
    uint64_t left = atomic_load_explicit(&calling->end->sender.left, memory_order_relaxed);
    bool is_whole = left <= kin__sender_step_bytes(calling->end);
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
    return cancel == NULL || bytes <= kin__sender_step_bytes(calling->end)
               ? 0
               : kin__cancel_fd(cancel, &fd);
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
    kin__sender_note(sender, SENDING_FIRST);
    for (;;) {
        int64_t sent = send_some(calling, cursor, fds);
        if (sent < 0) {
            return kin__sender_give_up(calling, (int)sent);
        }
        bytes -= (uint64_t)sent;
        if (bytes == 0) {
            break;
        }
        kin__sender_note(sender, SENDING_REST);
        kin__os_receipt_clear(&sender->receipt);
        atomic_store_explicit(&sender->left, bytes, memory_order_release);
        advance(cursor, (uint64_t)sent);
        fds = NULL;
    }
    kin__sender_note(sender, SENDING_NOTHING);
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

/* The short way for what goes in one step, as a whole or not at all: it needs no receipt. */
static int send_step(const struct calling *calling, const unsigned char *bytes, uint64_t size)
{
    struct sender *sender = &calling->end->sender;
    struct kin__transport *transport = calling->connection->transport;
    kin_bytes piece = {bytes, size};
    struct kin__os_output output = {.pieces = &piece,
                                    .count = 1,
                                    .may_wait = calling->timeout.deadline_ns == INT64_MAX &&
                                                calling->timeout.cancel == NULL};
    atomic_store_explicit(&sender->left, size, memory_order_release);
    kin__sender_note(sender, SENDING_FIRST);
    for (;;) {
        int64_t sent = transport->operations->send(transport, &output);
        if (sent > 0) {
            kin__sender_note(sender, SENDING_NOTHING);
            return 0;
        }
        int r = sent != -EAGAIN ? (int)sent
                                : transport->operations->wait_to_send(transport, calling->timeout);
        if (r < 0) {
            return kin__sender_give_up(calling, r);
        }
    }
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
    if (end <= kin__sender_step_bytes(calling->end)) {
        return send_step(calling, bytes, end);
    }
    return send_all(calling, &(struct cursor){.current = {bytes, end}}, end, NULL);
}

static uint64_t together_bytes_max(const struct end *end)
{
    return end->kind == KIN__OS_FD_PIPE          ? PIPE_TOGETHER_BYTES_MAX
           : end->kind == KIN__OS_FD_UNIX_SOCKET ? SOCKET_TOGETHER_BYTES_MAX
                                                 : UINT64_MAX;
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
    if (parcel->fd_count == 0) {
        cursor.is_header_alone = size > together_bytes_max(calling->end);
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
        r = kin__sender_acquire(&calling);
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
