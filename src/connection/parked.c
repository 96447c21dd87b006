#include "connection/parked.h"

#include "connection/receive.h"
#include "os/memory.h"

static void close_all(const struct kin__os_fds *fds)
{
    for (uint32_t i = 0; i < fds->count; i++) {
        kin__os_close(fds->fds[i]);
    }
}

/* Where the last message begins of which there are bytes; in the middle of a message, and of what
 * is none, the last byte. */
static uint64_t find_last_start(const struct receiver *receiver)
{
    uint64_t tail = atomic_load(&receiver->tail);
    uint64_t head = atomic_load(&receiver->head);
    uint64_t start = kin__receiver_has_begun(receiver) ? atomic_load(&receiver->body_end) : head;
    uint64_t last = tail - 1;
    struct kin__header header = {0};
    int r = 0;
    while (r == 0 && start < tail) {
        last = start;
        r = kin__header_read(kin__receiver_bytes(receiver) + (start - head), tail - start, &header);
        uint64_t left = tail - start;
        if (r == 0 && (left < header.bytes || left - header.bytes < header.size)) {
            break;
        }
        start += header.bytes + header.size;
    }
    return last;
}

void kin__parked_keep(const struct calling *calling, const struct kin__os_fds *fds)
{
    struct parked_fds *parked = &calling->connection->parked;
    atomic_store(&calling->end->receiver.is_exact, 1);
    if (parked->fds.count > 0) { /* not from a sender that kin knows */
        close_all(fds);
        return;
    }
    parked->fds = *fds;
    parked->position = find_last_start(&calling->end->receiver);
}

void kin__parked_take(kin_connection *connection, uint64_t start, uint64_t end,
                      struct kin__os_fds *fds)
{
    struct parked_fds *parked = &connection->parked;
    if (parked->fds.count == 0 || parked->position >= end) {
        return;
    }
    if (fds != NULL && parked->position >= start) {
        *fds = parked->fds;
        parked->fds.count = 0;
    }
    kin__parked_close(connection);
}

void kin__parked_close(kin_connection *connection)
{
    close_all(&connection->parked.fds);
    connection->parked.fds.count = 0;
}
