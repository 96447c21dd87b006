/**
 * Receiving: one message at a time, under the receiver's mutex.
 *
 * A small message is waited for in the buffer, and copied from there; a large one goes straight to
 * where the caller wants it. So that this works for one large message after the other, no more than
 * the next header is read ahead behind them.
 */
#include "connection/blocks.h"
#include "connection/connection.h"
#include "connection/parked.h"
#include "connection/receive.h"

#include <errno.h>
#include <kin/error.h>
#include <string.h>

/* For so much of a message a place is asked for before it comes; then for twice as much as came. It
 * is memory that is not there before it is written to, and then grows without being copied. */
#define FIRST_ROOM_BYTES (UINT64_C(16) << 20)

static int break_off(struct receiver *receiver, int code)
{
    atomic_store(&receiver->state, RECEIVING_BROKEN);
    return code;
}

int kin__receiver_acquire(const struct calling *calling)
{
    struct receiver *receiver = &calling->end->receiver;
    int r = kin__mutex_acquire(&receiver->mutex, calling->index, calling->self, calling->timeout,
                               __builtin_return_address(0));
    if (r == KIN_OWNER_DIED) {
        kin__receiver_settle(calling);
        kin__mutex_mark_consistent(&receiver->mutex, calling->self);
        r = 0;
    }
    return r;
}

void kin__receiver_release(const struct calling *calling)
{
    struct receiver *receiver = &calling->end->receiver;
    kin__mutex_release(&receiver->mutex, calling->index, calling->self);
    if (kin__receiver_has_bytes(receiver)) {
        kin__count_raise(&receiver->watch, UINT32_MAX);
    }
}

/* What the end of the file means here. */
static int name_end(const struct calling *calling, int code)
{
    const struct receiver *receiver = &calling->end->receiver;
    bool is_inside = kin__receiver_has_begun(receiver) || kin__receiver_count(receiver) > 0 ||
                     atomic_load(&receiver->head) < atomic_load(&receiver->skip_end);
    bool is_unix = calling->end->kind == KIN__OS_FD_UNIX_SOCKET;
    if (code == -ENODATA || (code == -ECONNRESET && is_unix)) { /* left with bytes unread */
        return is_inside ? -ECONNRESET : -EPIPE;
    }
    return code;
}

/* Waits for a message and reads its header, which stays. `bytes` is 0 if the message is begun. */
static int find(const struct calling *calling, struct kin__header *ret_header)
{
    struct receiver *receiver = &calling->end->receiver;
    if (atomic_load_explicit(&receiver->state, memory_order_relaxed) == RECEIVING_BROKEN) {
        return KIN_EBROKEN;
    }
    int r = kin__receive_skip(calling);
    if (r == 0 && kin__receiver_has_begun(receiver)) {
        ret_header->bytes = 0;
        ret_header->size = atomic_load(&receiver->body_end) - atomic_load(&receiver->body_start);
        return 0;
    }
    int needed = HEADER_BYTES;
    while (r == 0 && needed > 0) {
        r = kin__receive_ahead(calling, (uint64_t)needed);
        if (r == 0) {
            needed = kin__header_read(kin__receiver_bytes(receiver), kin__receiver_count(receiver),
                                      ret_header);
        }
    }
    r = r == 0 ? needed : name_end(calling, r);
    return r == -EBADMSG ? break_off(receiver, r) : r;
}

/* The message belongs to nobody any more, and goes as it comes. */
static void skip(const struct calling *calling, const struct kin__header *header)
{
    struct receiver *receiver = &calling->end->receiver;
    uint64_t head = atomic_load(&receiver->head);
    if (header->bytes > 0) {
        atomic_store(&receiver->skip_end, head + header->bytes + header->size);
    } else {
        atomic_store(&receiver->skip_end, atomic_load(&receiver->body_end));
        atomic_store(&receiver->body_end, head);
        kin__pending_drop(calling);
    }
}

static int check_own_limit(const struct calling *calling, const struct kin__header *header)
{
    uint64_t most = calling->end->message_bytes_max;
    return most != 0 && header->size > most ? break_off(&calling->end->receiver, -EFBIG) : 0;
}

/* Where a message goes. */
struct place {
    struct kin__sink *sink;
    uint64_t size; /* of the message */
    uint64_t room; /* for so much of it there is a place */
    unsigned char *bytes;
};

static int make_room(struct place *place, uint64_t wanted)
{
    void *bytes = NULL;
    uint64_t room = wanted < place->size ? wanted : place->size;
    int r = place->sink->reserve(place->sink, place->size, room, &bytes);
    if (r == 0) {
        place->bytes = bytes;
        place->room = room;
    }
    return r;
}

/* Shows the front of a message that stands in the buffer, or will. The first byte of a large one,
 * which mostly came with the header, says whether more is of interest. */
static int show_front(const struct calling *calling, const struct kin__header *header,
                      struct kin__sink *sink)
{
    const struct receiver *receiver = &calling->end->receiver;
    uint64_t front = header->size <= SMALL_BYTES_MAX ? header->size : 1;
    if (sink->look == NULL || header->size == 0) {
        return 0;
    }
    if (header->bytes == 0) {
        uint64_t block = atomic_load(&receiver->pending);
        uint64_t kept = atomic_load(&receiver->pending_end) - atomic_load(&receiver->body_start);
        if (block != 0) {
            sink->look(sink, calling, kin__at(block), kept);
        }
        return 0;
    }
    int r = kin__receive_ahead(calling, header->bytes + front);
    if (r == 0 && front == 1 && kin__receiver_bytes(receiver)[header->bytes] == 0) {
        front = header->size < KIN__FRONT_BYTES ? header->size : KIN__FRONT_BYTES;
        r = kin__receive_ahead(calling, header->bytes + front);
    }
    if (r == 0) {
        sink->look(sink, calling, kin__receiver_bytes(receiver) + header->bytes, front);
    }
    return r < 0 ? name_end(calling, r) : 0;
}

static int receive_small(const struct calling *calling, const struct kin__header *header,
                         void *place)
{
    struct receiver *receiver = &calling->end->receiver;
    uint64_t bytes = header->bytes + header->size;
    atomic_store_explicit(&receiver->was_large, 0, memory_order_relaxed);
    int r = kin__receive_ahead(calling, bytes);
    if (r < 0) {
        return name_end(calling, r);
    }
    if (header->size > 0) {
        memcpy(place, kin__receiver_bytes(receiver) + header->bytes, header->size);
    }
    kin__receiver_take(receiver, bytes);
    return 0;
}

/* The message becomes `begun`. The order matters: see kin__receiver_has_begun. */
static void begin(struct receiver *receiver, const struct kin__header *header)
{
    uint64_t start = atomic_load(&receiver->head) + header->bytes;
    atomic_store_explicit(&receiver->body_start, start, memory_order_release);
    atomic_store_explicit(&receiver->body_end, start + header->size, memory_order_release);
    atomic_store_explicit(&receiver->head, start, memory_order_release);
}

/* The rest of the message that is begun. */
static int receive_body(const struct calling *calling, struct place *place)
{
    struct receiver *receiver = &calling->end->receiver;
    uint64_t start = atomic_load(&receiver->body_start);
    uint64_t end = atomic_load(&receiver->body_end);
    uint64_t head = atomic_load(&receiver->head);
    uint64_t count = kin__receiver_count(receiver);
    int r = 0;
    count = count < end - head ? count : end - head;
    if (count > 0) {
        memcpy(place->bytes + (head - start), kin__receiver_bytes(receiver), count);
        kin__receiver_take(receiver, count);
    }
    while (r == 0 && (head = atomic_load(&receiver->head)) < end) {
        uint64_t got = head - start;
        bool is_ahead = place->room == place->size && !atomic_load(&receiver->is_exact);
        r = got < place->room ? 0 : make_room(place, place->room * 2);
        if (r == 0) {
            r = kin__receive_some(
                calling, &(struct intake_plan){.direct = place->bytes + got,
                                               .direct_bytes = place->room - got,
                                               .ahead_bytes = is_ahead ? LONG_HEADER_BYTES : 0});
        }
    }
    return r;
}

static int receive_large(const struct calling *calling, const struct kin__header *header,
                         struct place *place)
{
    struct receiver *receiver = &calling->end->receiver;
    atomic_store_explicit(&receiver->was_large, 1, memory_order_relaxed);
    if (header->bytes > 0) {
        begin(receiver, header);
    } else {
        kin__pending_copy(calling, place->bytes);
    }
    int r = receive_body(calling, place);
    if (r == 0) {
        kin__pending_drop(calling);
        return 0;
    }
    int kept = kin__pending_keep(calling, place->bytes);
    return kept < 0 ? break_off(receiver, KIN_EBROKEN) : name_end(calling, r);
}

static int receive(const struct calling *calling, struct kin__sink *sink)
{
    struct receiver *receiver = &calling->end->receiver;
    struct kin__header header = {0};
    int r = kin__buffer_ensure(calling);
    if (r == 0) {
        r = find(calling, &header);
    }
    if (r == 0) {
        r = check_own_limit(calling, &header);
    }
    if (r == 0) {
        r = show_front(calling, &header, sink);
    }
    if (r == 0 && sink->skipped_above != 0 && header.size > sink->skipped_above) {
        skip(calling, &header);
        r = KIN_ELIMIT;
    }
    if (r < 0) {
        return r;
    }
    struct place place = {.sink = sink, .size = header.size};
    uint64_t start = atomic_load(&receiver->head);
    uint64_t kept = header.bytes > 0 ? 0 : start - atomic_load(&receiver->body_start);
    r = make_room(&place, kept > FIRST_ROOM_BYTES / 2 ? kept * 2 : FIRST_ROOM_BYTES);
    if (r < 0) {
        return r;
    }
    r = header.bytes > 0 && header.size <= SMALL_BYTES_MAX
            ? receive_small(calling, &header, place.bytes)
            : receive_large(calling, &header, &place);
    if (r == 0) {
        sink->size = header.size;
        kin__parked_take(calling->connection, start, atomic_load(&receiver->head), sink->fds);
    }
    return r;
}

static int enter(kin_connection *connection, kin_timeout timeout, struct calling *calling)
{
    int r = kin__connection_enter(connection, timeout, calling);
    return r == 0 && !calling->end->is_readable ? -EBADF : r;
}

int kin__connection_receive(kin_connection *connection, struct kin__sink *sink, kin_timeout timeout)
{
    struct calling calling;
    int r = enter(connection, timeout, &calling);
    if (r == 0) {
        r = kin__receiver_acquire(&calling);
    }
    if (r == 0) {
        if (sink->is_exact) {
            atomic_store(&calling.end->receiver.is_exact, 1);
        }
        r = receive(&calling, sink);
        kin__receiver_release(&calling);
    }
    return r;
}

/* --- into the caller's memory --- */

struct buffer_sink {
    struct kin__sink sink;
    void *buffer;
    size_t size;
};

static int reserve(struct kin__sink *sink, uint64_t bytes, uint64_t room, void **ret_place)
{
    struct buffer_sink *buffer = (struct buffer_sink *)sink;
    (void)room;
    if (bytes > buffer->size) {
        return -EMSGSIZE;
    }
    *ret_place = buffer->buffer;
    return 0;
}

static int receive_into(kin_connection *connection, struct buffer_sink *buffer, kin_timeout timeout,
                        size_t *ret_size)
{
    if (ret_size == NULL || (buffer->buffer == NULL && buffer->size > 0)) {
        return -EINVAL;
    }
    buffer->sink.reserve = reserve;
    int r = kin__connection_receive(connection, &buffer->sink, timeout);
    if (r == 0) {
        *ret_size = buffer->sink.size;
    }
    return r;
}

int kin_connection_receive_into(kin_connection *connection, void *buffer, size_t size,
                                kin_timeout timeout, size_t *ret_size)
{
    struct buffer_sink sink = {.buffer = buffer, .size = size};
    return receive_into(connection, &sink, timeout, ret_size);
}

int kin_connection_receive_fds(kin_connection *connection, void *buffer, size_t size,
                               kin_timeout timeout, size_t *ret_size, kin_fds *ret_fds)
{
    static_assert(KIN_CONNECTION_FD_COUNT_MAX == KIN__OS_FDS_MAX, "one limit");
    struct kin__os_fds fds = {.count = 0};
    struct buffer_sink sink = {
        .sink = {.fds = &fds, .is_exact = true}, .buffer = buffer, .size = size};
    int r = ret_fds == NULL ? -EINVAL : receive_into(connection, &sink, timeout, ret_size);
    if (r == 0) {
        ret_fds->count = fds.count;
        memcpy(ret_fds->fds, fds.fds, fds.count * sizeof *fds.fds);
    }
    return r;
}

int kin_connection_next_size(kin_connection *connection, kin_timeout timeout, size_t *ret_size)
{
    struct calling calling;
    struct kin__header header = {0};
    int r = ret_size == NULL ? -EINVAL : enter(connection, timeout, &calling);
    if (r == 0) {
        r = kin__receiver_acquire(&calling);
    }
    if (r < 0) {
        return r;
    }
    r = kin__buffer_ensure(&calling);
    if (r == 0) {
        r = find(&calling, &header);
    }
    if (r == 0) {
        *ret_size = header.size;
    }
    kin__receiver_release(&calling);
    return r;
}

/* Waits with the mutex, so that nobody takes into the buffer what the poll would see. */
int kin_connection_poll(kin_connection *connection, kin_timeout timeout)
{
    struct calling calling;
    int r = enter(connection, timeout, &calling);
    if (r == 0) {
        r = kin__receiver_acquire(&calling);
    }
    if (r < 0) {
        return r;
    }
    const struct receiver *receiver = &calling.end->receiver;
    struct kin__transport *transport = connection->transport;
    bool is_ready = kin__receiver_has_bytes(receiver) || kin__receiver_has_begun(receiver) ||
                    atomic_load(&receiver->state) == RECEIVING_BROKEN;
    r = is_ready ? 0 : transport->operations->wait_to_receive(transport, timeout);
    kin__receiver_release(&calling);
    return r;
}
