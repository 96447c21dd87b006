#include "connection/blocks.h"

#include "connection/receive.h"

#include <string.h>

#define PENDING_BYTES_MIN 65536u

static bool is_own(uint64_t block, uint32_t index)
{
    return block != 0 && kin__block_owner(block) == kin__connection_owner(index);
}

/* Makes a block, writes it to the field, and gives it to the object. */
static int create(const struct calling *calling, uint64_t bytes, _Atomic uint64_t *field)
{
    uint64_t block = 0;
    int r = kin__block_create(bytes, 0, KIN__BLOCK_BYTES, &block);
    if (r == 0) {
        atomic_store(field, block);
        kin__block_give(block, kin__block_of_member(kin__family.owner),
                        kin__connection_owner(calling->index));
    }
    return r;
}

static void discard(const struct calling *calling, _Atomic uint64_t *field)
{
    uint64_t block = atomic_load(field);
    uint64_t own = kin__block_of_member(kin__family.owner);
    if (block != 0 && kin__block_give(block, kin__connection_owner(calling->index), own)) {
        atomic_store(field, 0);
        kin__block_free(block, own);
    }
    atomic_store(field, 0);
}

int kin__buffer_ensure(const struct calling *calling)
{
    _Atomic uint64_t *buffer = &calling->end->receiver.buffer;
    return atomic_load_explicit(buffer, memory_order_relaxed) != 0
               ? 0
               : create(calling, READ_AHEAD_BYTES, buffer);
}

int kin__pending_keep(const struct calling *calling, const unsigned char *place)
{
    struct receiver *receiver = &calling->end->receiver;
    uint64_t start = atomic_load(&receiver->body_start);
    uint64_t head = atomic_load(&receiver->head);
    uint64_t taken = head - start;
    uint64_t kept = atomic_load(&receiver->pending) == 0
                        ? 0
                        : atomic_load(&receiver->pending_end) - start;
    if (taken == kept) {
        return 0;
    }
    if (kept == 0 || kin__block_capacity(atomic_load(&receiver->pending)) < taken) {
        uint64_t size = atomic_load(&receiver->body_end) - start;
        uint64_t wanted = taken < PENDING_BYTES_MIN ? PENDING_BYTES_MIN : taken * 2;
        discard(calling, &receiver->pending);
        int r = create(calling, wanted < size ? wanted : size, &receiver->pending);
        if (r < 0) {
            return r;
        }
        kept = 0;
    }
    unsigned char *block = kin__at(atomic_load(&receiver->pending));
    memcpy(block + kept, place + kept, taken - kept);
    atomic_store(&receiver->pending_end, head);
    return 0;
}

void kin__pending_copy(const struct calling *calling, unsigned char *place)
{
    struct receiver *receiver = &calling->end->receiver;
    uint64_t block = atomic_load(&receiver->pending);
    if (block != 0) {
        uint64_t kept = atomic_load(&receiver->pending_end) - atomic_load(&receiver->body_start);
        memcpy(place, kin__at(block), kept);
    }
}

void kin__pending_drop(const struct calling *calling)
{
    if (atomic_load(&calling->end->receiver.pending) != 0) {
        discard(calling, &calling->end->receiver.pending);
    }
}

/* Whether another field of the object names the block too. */
static bool is_elsewhere(const struct calling *calling, const _Atomic uint64_t *field)
{
    struct connection_shared *shared = calling->connection->object.shared;
    uint64_t block = atomic_load(field);
    bool is_found = false;
    for (uint32_t i = 0; i < shared->end_count; i++) {
        const struct receiver *receiver = &shared->ends[i].receiver;
        is_found |= field != &receiver->buffer && atomic_load(&receiver->buffer) == block;
        is_found |= field != &receiver->pending && atomic_load(&receiver->pending) == block;
    }
    return is_found;
}

void kin__blocks_settle(const struct calling *calling)
{
    struct receiver *receiver = &calling->end->receiver;
    bool has_buffer = is_own(atomic_load(&receiver->buffer), calling->index) &&
                      !is_elsewhere(calling, &receiver->buffer);
    bool has_pending = is_own(atomic_load(&receiver->pending), calling->index) &&
                       !is_elsewhere(calling, &receiver->pending);
    bool is_needed = kin__receiver_has_begun(receiver) &&
                     atomic_load(&receiver->pending_end) == atomic_load(&receiver->head);
    if (!has_buffer) {
        atomic_store(&receiver->buffer, 0);
    }
    if (has_pending && !is_needed) {
        discard(calling, &receiver->pending);
    } else if (!has_pending) {
        atomic_store(&receiver->pending, 0);
    }
}

void kin__blocks_free(uint32_t index, struct connection_shared *shared)
{
    uint64_t owner = kin__connection_owner(index);
    for (uint32_t i = 0; i < shared->end_count; i++) {
        struct receiver *receiver = &shared->ends[i].receiver;
        if (atomic_load(&receiver->buffer) != 0) {
            kin__block_free(atomic_load(&receiver->buffer), owner);
        }
        if (atomic_load(&receiver->pending) != 0) {
            kin__block_free(atomic_load(&receiver->pending), owner);
        }
    }
}
