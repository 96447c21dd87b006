/**
 * What is true of the bytes that came, whoever dies.
 *
 *     reading_from, reading_direct, origin, receipt cleared; is_reading = 1
 *     the kernel copies bytes, and writes how many into the receipt
 *     head, tail from those (finish); is_reading = 0
 *
 * Who comes after a death finds is_reading set and finishes as well. A transport without receipts
 * (a pipe, TLS) waits with poll, so that a process that is killed while it waits was not reading.
 */
#include "connection/receive.h"

#include "connection/blocks.h"
#include "connection/parked.h"
#include "family/keeper.h"

#include <errno.h>
#include <kin/error.h>
#include <string.h>

/* How long to wait in the middle of a message before looking whether its sender is alive. */
#define LOOK_NS 1000000000

static void store(_Atomic uint64_t *place, uint64_t value)
{
    atomic_store_explicit(place, value, memory_order_release);
}

static uint64_t load(const _Atomic uint64_t *place)
{
    return atomic_load_explicit(place, memory_order_relaxed);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Accounts for bytes that have come. Idempotent. */
static void finish(struct receiver *receiver, uint64_t bytes)
{
    uint64_t from = load(&receiver->reading_from);
    uint64_t direct = load(&receiver->reading_direct);
    if (direct > 0) {
        store(&receiver->head, from + least(bytes, direct));
    }
    store(&receiver->tail, from + bytes);
    atomic_store_explicit(&receiver->is_reading, 0, memory_order_release);
}

static void begin(struct receiver *receiver, const struct intake_plan *plan)
{
    uint64_t tail = load(&receiver->tail);
    store(&receiver->reading_from, tail);
    store(&receiver->reading_direct, plan->direct_bytes);
    kin__os_receipt_clear(&receiver->receipt);
    if (load(&receiver->head) == tail) { /* then what comes may stand first in the buffer */
        store(&receiver->origin, tail + plan->direct_bytes);
    }
    atomic_store_explicit(&receiver->is_reading, 1, memory_order_release);
}

/* The rooms of a plan, which has been begun. */
static uint32_t find_rooms(const struct receiver *receiver, const struct intake_plan *plan,
                           struct kin__os_room rooms[2])
{
    uint32_t count = 0;
    if (plan->direct_bytes > 0) {
        rooms[count++] = (struct kin__os_room){plan->direct, plan->direct_bytes};
    }
    if (plan->ahead_bytes > 0) {
        unsigned char *buffer = kin__at(load(&receiver->buffer));
        uint64_t index = load(&receiver->tail) + plan->direct_bytes - load(&receiver->origin);
        rooms[count++] = (struct kin__os_room){buffer + index, plan->ahead_bytes};
    }
    return count;
}

/* Waits for bytes. In the middle of a message whose sender is of this family, which may have died
 * while others keep its fd open, it looks now and then whether the rest will ever come. */
static int wait(const struct calling *calling, bool is_inside)
{
    struct kin__transport *transport = calling->connection->transport;
    kin_timeout timeout = calling->timeout;
    if (!is_inside || calling->peer == NULL) {
        return transport->operations->wait_to_receive(transport, timeout);
    }
    for (;;) {
        kin__keeper_mind(); /* that it is broken is found out by who reaps the sender */
        bool is_broken = atomic_load(&calling->peer->sender.state) == SENDING_BROKEN;
        int64_t look_ns = kin_now_ns() + LOOK_NS;
        bool is_last = timeout.deadline_ns <= look_ns;
        kin_timeout until = kin_by(is_last ? timeout.deadline_ns : look_ns, timeout.cancel);
        int r = transport->operations->wait_to_receive(transport, is_broken ? KIN_NOW : until);
        if (r == -EAGAIN && is_broken) {
            return -ENODATA;
        }
        if (r != -ETIMEDOUT || is_last) {
            return r;
        }
    }
}

/* A look at what others change under a lock: what it was a moment ago. */
__attribute__((no_sanitize("thread"))) static uint64_t reference_count(uint32_t index)
{
    return *(const volatile uint64_t *)&kin__entry_at(index)->references;
}

bool kin__receiver_is_alone(const struct calling *calling)
{
    return reference_count(calling->index) <= (calling->peer == NULL ? 1 : 2);
}

/* Whether the call may sleep inside of receive. If it is killed there, others that use the end have
 * to find out what it had received: from a receipt, or there are no others. And if the sender of
 * half a message dies, the kernel need not say so: any process may have a copy of its fd. */
static bool may_sleep_inside(const struct calling *calling, bool is_inside)
{
    if (calling->timeout.cancel != NULL || calling->timeout.deadline_ns != INT64_MAX) {
        return false;
    }
    if (is_inside && calling->peer != NULL) {
        return false;
    }
    return calling->end->gives_receipts || kin__receiver_is_alone(calling);
}

int kin__receive_some(const struct calling *calling, const struct intake_plan *plan)
{
    struct receiver *receiver = &calling->end->receiver;
    struct kin__transport *transport = calling->connection->transport;
    bool is_inside = kin__receiver_has_begun(receiver) || kin__receiver_count(receiver) > 0;
    struct kin__os_room rooms[2];
    struct kin__os_fds fds;
    fds.count = 0;
    struct kin__os_intake intake = {.rooms = rooms, .receipt = &receiver->receipt, .fds = &fds};
    intake.may_wait = may_sleep_inside(calling, is_inside);
    for (;;) {
        begin(receiver, plan);
        intake.count = find_rooms(receiver, plan, rooms);
        int64_t came = transport->operations->receive(transport, &intake);
        if (came > 0) {
            finish(receiver, (uint64_t)came);
            if (fds.count > 0) {
                kin__parked_keep(calling, &fds);
            }
            return 0;
        }
        atomic_store_explicit(&receiver->is_reading, 0, memory_order_release);
        int r = came == -EAGAIN ? wait(calling, is_inside) : came == 0 ? -ENODATA : (int)came;
        if (r < 0) {
            return r;
        }
    }
}

const unsigned char *kin__receiver_bytes(const struct receiver *receiver)
{
    const unsigned char *buffer = kin__at(load(&receiver->buffer));
    return buffer + (load(&receiver->head) - load(&receiver->origin));
}

/* Moves what is in the buffer to its front. What moves does not overlap with where it goes, so that
 * a kill in between does no harm: it is less than half of the buffer, and stands in its second
 * half. */
static void move_to_front(struct receiver *receiver)
{
    unsigned char *buffer = kin__at(load(&receiver->buffer));
    memcpy(buffer, kin__receiver_bytes(receiver), kin__receiver_count(receiver));
    store(&receiver->origin, load(&receiver->head));
}

/* Whether there is more than a message, and still room. */
static bool has_several(const struct receiver *receiver)
{
    struct kin__header header;
    uint64_t count = kin__receiver_count(receiver);
    int r = kin__header_read(kin__receiver_bytes(receiver), count, &header);
    return r == 0 && count > header.bytes + header.size && count < READ_AHEAD_BYTES;
}

int kin__receive_ahead(const struct calling *calling, uint64_t bytes)
{
    struct receiver *receiver = &calling->end->receiver;
    int r = 0;
    while (r == 0 && kin__receiver_count(receiver) < bytes) {
        uint64_t count = kin__receiver_count(receiver);
        uint64_t index = count == 0 ? 0 : load(&receiver->head) - load(&receiver->origin);
        if (index + bytes > READ_AHEAD_BYTES) {
            move_to_front(receiver);
            index = 0;
        }
        struct intake_plan plan = {.ahead_bytes = READ_AHEAD_BYTES - index - count};
        if (atomic_load(&receiver->is_exact)) {
            plan.ahead_bytes = bytes - count;
        } else if (bytes <= LONG_HEADER_BYTES && atomic_load(&receiver->was_large)) {
            plan.ahead_bytes = LONG_HEADER_BYTES - count;
        }
        bool is_first = count == 0 && plan.ahead_bytes == READ_AHEAD_BYTES &&
                        calling->timeout.deadline_ns != KIN_NOW.deadline_ns;
        if (is_first) {
            kin__gathering_wait(&calling->connection->gathering);
        }
        r = kin__receive_some(calling, &plan);
        if (is_first && r == 0) {
            struct gathered gathered = {kin__receiver_count(receiver), has_several(receiver)};
            kin__gathering_learn(&calling->connection->gathering, gathered);
        }
    }
    return r;
}

int kin__receive_skip(const struct calling *calling)
{
    struct receiver *receiver = &calling->end->receiver;
    int r = 0;
    while (r == 0 && load(&receiver->head) < load(&receiver->skip_end)) {
        uint64_t left = load(&receiver->skip_end) - load(&receiver->head);
        uint64_t count = kin__receiver_count(receiver);
        if (count > 0) {
            kin__receiver_take(receiver, least(left, count));
        } else {
            r = kin__receive_ahead(calling, least(left, READ_AHEAD_BYTES / 2));
        }
    }
    return r;
}

void kin__receiver_settle(const struct calling *calling)
{
    struct receiver *receiver = &calling->end->receiver;
    bool gives_receipts = calling->end->gives_receipts;
    if (atomic_load(&receiver->is_reading)) {
        if (!gives_receipts) {
            atomic_store(&receiver->state, RECEIVING_BROKEN);
        }
        finish(receiver, gives_receipts ? kin__os_receipt_bytes(&receiver->receipt) : 0);
    }
    kin__blocks_settle(calling);
    bool is_kept = load(&receiver->head) == load(&receiver->body_start) ||
                   atomic_load(&receiver->pending) != 0;
    if (kin__receiver_has_begun(receiver) && !is_kept) {
        store(&receiver->skip_end, load(&receiver->body_end));
        store(&receiver->body_end, load(&receiver->head));
    }
}
