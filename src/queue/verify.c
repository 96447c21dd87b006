/**
 * What must be true of a queue at which nobody is at work. Everything is looked up in the memory
 * that is verified, which may be a copy, and nothing that it says is believed before it is used.
 */
#include "queue/layout.h"

#include "family/verify.h"

#include <inttypes.h>

#define TICKET_MASK 0xfffffffu
#define SEGMENT_SLOTS_MAX ((SEGMENT_BYTES - (uint32_t)sizeof(struct segment)) / sizeof(struct slot))

/* A walk over all slots, and what it has counted. */
struct inspection {
    struct kin__verifier *verifier;
    const struct queue_shared *queue;
    uint32_t index;
    uint64_t owner; /* of the queue's blocks */
    uint64_t last;  /* block of the segment at which the walk ended */
    uint64_t ticket;
    uint64_t bytes_end;
    struct kin__queue_counts counts;
    uint64_t block_sum; /* of the offsets of the queue's blocks, found minus reachable */
    uint32_t skipped;   /* how many of `skipped` were met, in their order */
    bool has_head;
    bool is_past_used; /* a slot was FREE */
    bool is_broken;    /* the chain cannot be followed any further */
};

#define FAIL(inspection, format, ...)                                                           \
    kin__verify_fail((inspection)->verifier, "queue %" PRIu32 ": " format, (inspection)->index, \
                     __VA_ARGS__)

static uint64_t owner_of_queue(const struct kin__verifier *verifier, uint32_t index)
{
    const struct kin__family_shared *shared = kin__memory_shared(&verifier->memory);
    const struct kin__entry *entry = kin__region_at(&verifier->memory, &shared->directory, index);
    return entry == NULL ? 0 : kin__block_of_object(index, entry->counter);
}

/* The segment in a block, if it can be read to its end; else NULL. */
static const struct segment *segment_in(const struct inspection *inspection, uint64_t block)
{
    const struct kin__memory *memory = &inspection->verifier->memory;
    uint64_t offset = (block + KIN__OBJECT_ALIGNMENT - 1) & ~(uint64_t)(KIN__OBJECT_ALIGNMENT - 1);
    if (block == 0 || offset < block || !kin__memory_has(memory, offset, sizeof(struct segment))) {
        return NULL;
    }
    const struct segment *segment = kin__memory_at(memory, offset);
    uint32_t count = segment->slot_count;
    bool is_sound = count > 0 && count <= SEGMENT_SLOTS_MAX &&
                    kin__memory_has(memory, offset + sizeof *segment, count * sizeof(struct slot));
    return is_sound ? segment : NULL;
}

/* Who may have the block of a large message in this state. */
static void check_block(struct inspection *inspection, const struct slot *slot,
                        enum slot_state state, uint64_t word)
{
    uint64_t owner = kin__verify_block_owner(inspection->verifier, slot->block);
    const struct kin__memory *memory = &inspection->verifier->memory;
    const struct kin__member *claimer = kin__region_at(memory, &kin__memory_shared(memory)->members,
                                                       kin__owner_slot(kin__slot_owner(word)));
    bool is_claimers = (state == SLOT_RESERVED || state == SLOT_LEASED || state == SLOT_CLAIMED) &&
                       claimer != NULL && owner == kin__block_of_member(claimer->process);
    if (owner == inspection->owner) {
        inspection->block_sum -= slot->block;
    } else if (!is_claimers) {
        FAIL(inspection, "slot %" PRIu64 ": its block is not the queue's", inspection->ticket);
    }
}

/* Slots before the head are taken, or noted as skipped. */
static void check_head(struct inspection *inspection, uint64_t block, enum slot_state state)
{
    const struct queue_shared *queue = inspection->queue;
    uint64_t ticket = inspection->ticket;
    bool is_taken = state != SLOT_RESERVED && state != SLOT_READY && state != SLOT_ABORTED;
    const struct place *skipped = inspection->skipped < queue->skipped_count
                                      ? &queue->skipped[inspection->skipped]
                                      : NULL;
    if (skipped != NULL && skipped->ticket == ticket && skipped->segment == block) {
        inspection->skipped++;
        if (is_taken || ticket >= queue->head.ticket) {
            FAIL(inspection, "slot %" PRIu64 ": skipped, but taken or not passed", ticket);
        }
    } else if (ticket < queue->head.ticket && !is_taken) {
        FAIL(inspection, "slot %" PRIu64 ": passed, but not taken", ticket);
    }
}

static void check_slot(struct inspection *inspection, uint64_t block, const struct slot *slot)
{
    uint64_t word = atomic_load(&slot->state);
    enum slot_state state = kin__slot_state(word);
    bool is_claimed = state == SLOT_RESERVED || state == SLOT_LEASED || state == SLOT_CLAIMED ||
                      state == SLOT_TAKEN;
    bool may_return = state == SLOT_READY || state == SLOT_DEAD; /* how often: not an owner */
    if (state == SLOT_FREE) {
        inspection->is_past_used = true;
        return;
    }
    if (state > SLOT_DEAD || (word & TICKET_MASK) != (inspection->ticket & TICKET_MASK)) {
        FAIL(inspection, "slot %" PRIu64 ": no such state, or of another ticket",
             inspection->ticket);
    }
    if (inspection->is_past_used) {
        FAIL(inspection, "slot %" PRIu64 ": used behind a free one", inspection->ticket);
    }
    if (is_claimed ? !kin__verify_is_live(inspection->verifier, kin__slot_owner(word))
                   : kin__slot_owner(word) > (may_return ? UINT16_MAX : 0)) {
        FAIL(inspection, "slot %" PRIu64 ": claimed by nobody who lives", inspection->ticket);
    }
    inspection->bytes_end += kin__slot_bytes(slot);
    if (slot->bytes_end != inspection->bytes_end) {
        FAIL(inspection, "slot %" PRIu64 ": %" PRIu64 " bytes up to here, not %" PRIu64,
             inspection->ticket, inspection->bytes_end, slot->bytes_end);
        inspection->bytes_end = slot->bytes_end;
    }
    kin__queue_count(inspection->queue, slot, state, &inspection->counts);
    if (state != SLOT_DONE && state != SLOT_TAKEN && kin__slot_is_large(slot)) {
        check_block(inspection, slot, state, word);
    }
    check_head(inspection, block, state);
    inspection->ticket++;
}

static void check_segment(struct inspection *inspection, uint64_t block,
                          const struct segment *segment)
{
    const struct queue_shared *queue = inspection->queue;
    if (kin__verify_block_owner(inspection->verifier, block) != inspection->owner) {
        FAIL(inspection, "segment %#" PRIx64 ": not the queue's", block);
    } else {
        inspection->block_sum -= block;
    }
    if (queue->head.segment == block) {
        inspection->has_head = queue->head.ticket - segment->base <= segment->slot_count;
    }
    inspection->last = block;
    for (uint32_t i = 0; i < segment->slot_count; i++) {
        check_slot(inspection, block, &segment->slots[i]);
    }
}

/* Tickets go on from segment to segment, so a chain that is a ring is seen to be broken. */
static void walk_chain(struct inspection *inspection)
{
    uint64_t block = inspection->queue->oldest;
    bool is_first = true;
    while (block != 0) {
        const struct segment *segment = segment_in(inspection, block);
        if (segment == NULL) {
            FAIL(inspection, "segment %#" PRIx64 ": cannot be one", block);
            inspection->is_broken = true;
            return;
        }
        if (is_first || segment->base > inspection->ticket) { /* some may have been retired */
            inspection->ticket = segment->base;
            inspection->bytes_end = inspection->counts.bytes_end = segment->bytes_base;
        }
        if (segment->base != inspection->ticket || inspection->is_past_used ||
            segment->bytes_base != inspection->bytes_end) {
            FAIL(inspection, "segment %#" PRIx64 ": does not go on where the last one ends", block);
            inspection->is_broken = true;
            return;
        }
        is_first = false;
        check_segment(inspection, block, segment);
        block = atomic_load(&segment->next);
    }
}

static void check_counts(struct inspection *inspection)
{
    const struct queue_shared *queue = inspection->queue;
    uint64_t tail = atomic_load(&queue->tail);
    if (tail != inspection->ticket || queue->bytes_put != inspection->bytes_end ||
        atomic_load(&queue->tail_segment) != inspection->last) {
        FAIL(inspection, "tail %" PRIu64 ", but the slots end at %" PRIu64, tail,
             inspection->ticket);
    }
    if (queue->taken_seen > atomic_load(&queue->taken) ||
        queue->bytes_taken_seen > atomic_load(&queue->bytes_taken)) {
        FAIL(inspection, "producers have seen %" PRIu64 " taken", queue->taken_seen);
    }
    const struct kin__queue_counts *counts = &inspection->counts;
    if (atomic_load(&queue->taken) != inspection->ticket - counts->waiting ||
        atomic_load(&queue->bytes_taken) != inspection->bytes_end - counts->bytes_waiting) {
        FAIL(inspection, "%" PRIu64 " taken, but %" PRIu64 " slots are", atomic_load(&queue->taken),
             inspection->ticket - counts->waiting);
    }
    if (queue->claimed != counts->claimed ||
        atomic_load(&queue->dead_letters) != counts->dead_letters) {
        FAIL(inspection, "%" PRIu64 " claimed and %" PRIu64 " dead letters, but other slots are",
             queue->claimed, atomic_load(&queue->dead_letters));
    }
    if (queue->is_joinable &&
        atomic_load(&queue->finished) != inspection->ticket - counts->unfinished) {
        FAIL(inspection, "%" PRIu64 " finished, but %" PRIu64 " slots are",
             atomic_load(&queue->finished), inspection->ticket - counts->unfinished);
    }
    if (!inspection->has_head || queue->head.ticket > inspection->ticket) {
        FAIL(inspection, "head %" PRIu64 " is not in its segment", queue->head.ticket);
    }
    if (inspection->skipped != queue->skipped_count) {
        FAIL(inspection, "%" PRIu32 " skipped, but %" PRIu32 " such slots", queue->skipped_count,
             inspection->skipped);
    }
}

static void add_block(void *user, const struct kin__block_header *header, uint64_t offset,
                      uint64_t bytes)
{
    struct inspection *inspection = user;
    const struct kin__memory *memory = &inspection->verifier->memory;
    bool is_queue = (uint64_t)((const unsigned char *)inspection->queue - memory->base) - offset <
                    bytes; /* the block that the queue itself lies in */
    if (atomic_load(&header->owner) == inspection->owner && !is_queue) {
        inspection->block_sum += offset;
    }
}

void kin__queue_verify(struct kin__verifier *verifier, uint32_t index, const void *at)
{
    const struct queue_shared *queue = at;
    struct inspection inspection = {.verifier = verifier,
                                    .queue = queue,
                                    .index = index,
                                    .owner = owner_of_queue(verifier, index)};
    if ((atomic_load(&queue->tail_lock.word) | atomic_load(&queue->head_lock.word)) != 0) {
        FAIL(&inspection, "a lock is %s", "held, or its holder died");
    }
    if (atomic_load(&queue->closing) > QUEUE_SHUT || queue->skipped_count > SKIPPED_MAX) {
        FAIL(&inspection, "%" PRIu32 " skipped, closed %" PRIu32 ": impossible",
             queue->skipped_count, atomic_load(&queue->closing));
        return;
    }
    if (queue->oldest == 0) { /* its maker was killed before it had a segment */
        return;
    }
    walk_chain(&inspection);
    if (inspection.is_broken) {
        return;
    }
    check_counts(&inspection);
    kin__heap_each(&verifier->memory, add_block, &inspection);
    if (inspection.block_sum != 0) {
        FAIL(&inspection, "%s", "blocks that are the queue's are not in it, or twice");
    }
}
