/**
 * A connection in the family's memory.
 *
 * Both ends of a pipe that kin made are one object, so that each sees what the other is; an end
 * whose other side is somebody else's is an object alone. Each end has a sender and a receiver,
 * each with a mutex that lives through the death of its holder. The fds are not here: every process
 * that uses an end has its own.
 *
 * Sending. Before the first byte of a message goes, `state` says that one is being sent, and `left`
 * how much of it there is; after the last one it is idle again. Who finds that the sender died
 * between knows from the receipt, which the kernel wrote, whether all or nothing was sent; if
 * neither, the rest of the message is gone, and this direction with it (sender.c).
 *
 * Receiving. Bytes are counted from the start of the stream, and never counted back:
 *
 *     head   those before were taken; the next one is the first of a message, or of the rest of one
 *     tail   those before were received; [head, tail) stand in the buffer, at index - origin
 *
 * A message that fits into half of the buffer stays there until it is whole, and is taken by one
 * store of head. A larger one is `begun`: head is in [body_start, body_end), and what was taken
 * stands in memory of the holder, or, if a receive ended before the message was whole, in the block
 * `pending`, which has those up to pending_end. When a holder dies with bytes that only it had, the
 * rest of that message is thrown away: bytes below skip_end belong to nobody.
 *
 * While bytes are being received, `is_reading` is set, and what will be true then can be computed
 * from reading_from, reading_direct and the receipt, by anybody, as often as wanted (receive.c).
 */
#ifndef KIN_CONNECTION_LAYOUT_H
#define KIN_CONNECTION_LAYOUT_H

#include "connection/header.h"
#include "connection/receive/gathering.h"
#include "connection/transport.h"
#include "family/reference.h"
#include "sync/mutex.h"

#include <kin/connection.h>
#include <kin/pickle.h>

#define KIN__TYPE_CONNECTION 14u

/* A block of the largest class, with its header; a message that has its place in half of it is
 * small. */
#define READ_AHEAD_BYTES (32768u - 64u)
#define SMALL_BYTES_MAX (READ_AHEAD_BYTES / 2 - LONG_HEADER_BYTES)

/* Handles that can be on their way through a pipe at a time. */
#define LUGGAGE_COUNT 64u

enum sending { SENDING_NOTHING, SENDING_FIRST, SENDING_REST, SENDING_BROKEN };

/* Peer death: see above. All but the mutex is written under it, and by the reaper of a dead holder,
 * before that frees the mutex. */
struct sender {
    struct kin__mutex mutex;
    _Atomic uint32_t state; /* enum sending */
    uint32_t reserved_state;
    _Atomic uint64_t
        left; /* bytes of the message that have not been sent, when `receipt` is zero */
    struct kin__os_receipt receipt;
    uint32_t reserved[12];
};

KIN_STATIC_ASSERT_OFFSET(struct sender, receipt, 144);
KIN_STATIC_ASSERT_SIZE(struct sender, 256);

enum receiving { RECEIVING, RECEIVING_BROKEN };

/* Peer death: see above. All but the mutex and `is_exact` is written under it. */
struct receiver {
    struct kin__mutex mutex;
    _Atomic uint32_t state;    /* enum receiving */
    _Atomic uint32_t is_exact; /* reads no byte beyond what it needs; set by whoever wants so */
    _Atomic uint64_t buffer;   /* block of READ_AHEAD_BYTES; 0: none yet */
    _Atomic uint64_t head;
    _Atomic uint64_t tail;
    _Atomic uint64_t origin;     /* what stands first in the buffer */
    _Atomic uint64_t body_start; /* of the message that is begun; both mean nothing otherwise */
    _Atomic uint64_t body_end;
    _Atomic uint64_t pending;     /* block with the bytes of it that were taken; 0: none */
    _Atomic uint64_t pending_end; /* up to where */
    _Atomic uint64_t skip_end;
    _Atomic uint64_t reading_from;   /* tail before; and how many bytes go to the */
    _Atomic uint64_t reading_direct; /* holder's memory: see above */
    _Atomic uint32_t is_reading;
    _Atomic uint32_t was_large; /* the last message: do not read ahead more than a header */
    _Atomic uint32_t watch;     /* event count, raised when bytes are left in the buffer */
    uint32_t reserved[5];
    struct kin__os_receipt receipt;
    uint32_t reserved_end[16];
};

KIN_STATIC_ASSERT_OFFSET(struct receiver, buffer, 136);
KIN_STATIC_ASSERT_OFFSET(struct receiver, receipt, 256);
KIN_STATIC_ASSERT_SIZE(struct receiver, 384);

/* One end. Constant but for sender and receiver. */
struct end {
    struct sender sender;
    struct receiver receiver;
    uint64_t device; /* with `inode`: of its fd, wherever that is open */
    uint64_t inode;
    uint64_t message_bytes_max;
    uint32_t kind; /* enum kin__os_fd_kind */
    uint32_t is_readable;
    uint32_t is_writable;
    uint32_t gives_receipts;
    uint32_t reserved[22];
};

KIN_STATIC_ASSERT_OFFSET(struct end, receiver, 256);
KIN_STATIC_ASSERT_SIZE(struct end, 768);

/* Peer death: that of the senders and receivers; of places for handles, see objects/luggage.h. */
struct connection_shared {
    uint32_t end_count;          /* constant; if it is 1, there is no room for the other */
    _Atomic uint32_t doubt;      /* counts deaths with places in hand; by the reaper */
    _Atomic uint32_t cleared[2]; /* up to which of them places were cleared, by the side that sent;
                                    under the mutex of the other side's receiver */
    uint32_t reserved[28];
    _Atomic uint64_t places[LUGGAGE_COUNT];
    struct end ends[2];
};

KIN_STATIC_ASSERT_OFFSET(struct connection_shared, ends, 640);

/* Fds that came while reading ahead, until their message is taken. */
struct parked_fds {
    uint64_t position; /* in the stream: of their message */
    struct kin__os_fds fds;
};

struct kin_connection {
    struct kin__object object;
    struct kin__transport *transport; /* NULL: closed */
    uint32_t side;                    /* which end */
    struct parked_fds parked;         /* under the receiver's mutex */
    struct gathering gathering;       /* the same */
    kin_pickle_limits limits;         /* of objects that are received */
};

/* A call on an end. */
struct calling {
    kin_connection *connection;
    struct end *end;
    struct end *peer; /* the other end, if that is of this object too; else NULL */
    struct kin__thread *self;
    uint32_t index;
    kin_timeout timeout;
};

/* The owner word of the object's blocks. */
uint64_t kin__connection_owner(uint32_t index);

/* Begins a call. 0; -EINVAL, -ESTALE: closed; KIN_EFAMILY, -ENOMEM, -EAGAIN. */
int kin__connection_enter(kin_connection *connection, kin_timeout timeout,
                          struct calling *ret_calling);

/* What a sender that died was at: `state` becomes NOTHING or BROKEN. By who has the mutex, or by
 * the reaper of who had it. */
void kin__sender_settle(struct end *end);

/* What a receiver that died was at. By who has the mutex. */
void kin__receiver_settle(const struct calling *calling);

/* The receiver's mutex, for those who only look. As kin__mutex_acquire; settled. */
int kin__receiver_acquire(const struct calling *calling);
void kin__receiver_release(const struct calling *calling);

/* Whether bytes stand in the buffer that nobody has taken. */
static inline bool kin__receiver_has_bytes(const struct receiver *receiver)
{
    return atomic_load(&receiver->head) < atomic_load(&receiver->tail);
}

#endif
