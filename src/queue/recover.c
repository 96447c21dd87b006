/**
 * What a queue does about the dead.
 *
 * Locks: whoever acquires a lock whose holder died rebuilds what the lock guards from the slot
 * states, which are always true. Both rebuilds can be cut off and run again.
 *
 * Slots: the reaper of a thread calls kin__queue_repair for the queue the thread worked on,
 * before the blocks of its process are freed. It acquires both locks in turn, so that what a
 * dead holder left half done is rebuilt while the blocks that it had in hand still exist.
 *
 *     killed                                    left                     healed by
 *     put: block written                        block of the dead        heap reap
 *     put: segment linked, not given            link to it               tail rebuild gives it
 *     put: RESERVED, tail not moved             slot state               tail rebuild
 *     put: RESERVED, message not written        slot of the dead         repair: ABORTED; block:
 *                                                                        heap reap
 *     put: RESERVED, block given to the queue   slot of the dead         repair: READY, since the
 *                                                                        message is whole
 *     put: READY, nobody woken                  sleepers                 reaper wakes all
 *     get: LEASED, counts not moved             slot of the dead         repair: READY again
 *     get: block taken over, not DONE           block of the dead        repair: given back
 *     get: segment taken out, chain not moved   segment of the dead      head rebuild moves it
 *     get: DONE, not returned                   nothing: it was taken    -
 */
#include "queue/layout.h"

#include <kin/error.h>

uint64_t kin__queue_owner(uint32_t index)
{
    return kin__block_of_object(index, kin__entry_at(index)->counter);
}

/* A walk over all slots from the oldest on, up to the first that is FREE. */
struct walk {
    struct place place;
    struct segment *segment; /* NULL: the queue has none yet */
    struct slot *slot;
    uint64_t word;
};

static struct walk walk_begin(const struct queue_shared *queue)
{
    struct walk walk = {.place.segment = queue->oldest};
    if (queue->oldest != 0) {
        walk.segment = kin__segment_at(queue->oldest);
        walk.place.ticket = walk.segment->base;
    }
    return walk;
}

/* Stands on the next slot that was ever used; false: there is none. */
static bool walk_look(struct walk *walk)
{
    if (walk->segment == NULL) {
        return false;
    }
    while (kin__segment_is_past(walk->segment, walk->place.ticket)) {
        uint64_t next = atomic_load(&walk->segment->next);
        if (next == 0) {
            return false;
        }
        walk->place.segment = next;
        walk->segment = kin__segment_at(next);
    }
    walk->slot = kin__segment_slot(walk->segment, walk->place.ticket);
    walk->word = atomic_load(&walk->slot->state);
    return kin__slot_state(walk->word) != SLOT_FREE;
}

static void rebuild_tail(struct queue_shared *queue, uint32_t index)
{
    uint64_t block = atomic_load(&queue->tail_segment);
    if (block == 0) {
        return;
    }
    struct segment *segment = kin__segment_at(block);
    while (atomic_load(&segment->next) != 0) {
        block = atomic_load(&segment->next);
        segment = kin__segment_at(block);
        uint64_t owner = kin__block_owner(block);
        if (owner != kin__queue_owner(index)) {
            kin__block_give(block, owner, kin__queue_owner(index));
        }
    }
    uint64_t ticket = segment->base;
    uint64_t bytes_put = segment->bytes_base;
    while (!kin__segment_is_past(segment, ticket)) {
        const struct slot *slot = kin__segment_slot(segment, ticket);
        if (kin__slot_state(atomic_load(&slot->state)) == SLOT_FREE) {
            break;
        }
        bytes_put = slot->bytes_end;
        ticket++;
    }
    atomic_store(&queue->tail_segment, block);
    queue->bytes_put = bytes_put;
    atomic_store(&queue->tail, ticket);
}

/* Takes the first segment out of the chain if that was begun; see kin__queue_retire. */
static void finish_retire(struct queue_shared *queue, uint32_t index)
{
    uint64_t oldest = queue->oldest;
    if (oldest != 0 && kin__block_owner(oldest) != kin__queue_owner(index)) {
        uint64_t next = atomic_load(&kin__segment_at(oldest)->next);
        queue->oldest = next != 0 ? next : oldest;
    }
}

static void rebuild_head(struct queue_shared *queue, uint32_t index)
{
    finish_retire(queue, index);
    struct walk walk = walk_begin(queue);
    struct place head = {0};
    bool has_head = false;
    uint64_t taken = walk.place.ticket;
    uint64_t bytes_left = 0;
    uint64_t bytes_end = walk.segment == NULL ? 0 : walk.segment->bytes_base;
    queue->skipped_count = 0;
    for (; walk_look(&walk); walk.place.ticket++) {
        enum slot_state state = kin__slot_state(walk.word);
        bytes_end = walk.slot->bytes_end;
        if (state == SLOT_ABORTED) {
            atomic_store(&walk.slot->state, kin__slot_word(walk.place.ticket, SLOT_DONE, 0));
        }
        if (state != SLOT_READY && state != SLOT_RESERVED) {
            taken++;
            continue;
        }
        bytes_left += walk.slot->size;
        if (!has_head && state == SLOT_RESERVED && queue->skipped_count < SKIPPED_MAX) {
            queue->skipped[queue->skipped_count++] = walk.place;
        } else if (!has_head) {
            head = walk.place;
            has_head = true;
        }
    }
    queue->head = has_head ? head : walk.place;
    atomic_store(&queue->taken, taken);
    atomic_store(&queue->bytes_taken, bytes_end - bytes_left);
}

void kin__queue_lock_tail(struct queue_shared *queue, uint32_t index, struct kin__thread *self)
{
    if (kin__lock_acquire(&queue->tail_lock, self) == KIN_OWNER_DIED) {
        rebuild_tail(queue, index);
    }
}

void kin__queue_lock_head(struct queue_shared *queue, uint32_t index, struct kin__thread *self)
{
    if (kin__lock_acquire(&queue->head_lock, self) == KIN_OWNER_DIED) {
        rebuild_head(queue, index);
    }
}

uint64_t kin__queue_retire(struct queue_shared *queue, uint32_t index)
{
    uint64_t block = queue->oldest;
    struct segment *segment = kin__segment_at(block);
    if (atomic_load(&queue->tail_segment) == block) {
        return 0; /* a producer is about to leave it; if it dies, a rebuild starts from here */
    }
    for (uint32_t i = 0; i < segment->slot_count; i++) {
        if (kin__slot_state(atomic_load_explicit(&segment->slots[i].state, memory_order_acquire)) !=
            SLOT_DONE) {
            return 0;
        }
    }
    uint64_t self_owner = kin__block_of_member(kin__family.owner);
    if (!kin__block_give(block, kin__queue_owner(index), self_owner)) {
        return 0;
    }
    queue->oldest = atomic_load(&segment->next);
    return block;
}

/* What a slot becomes that the dead had claimed. A large message that was given to the queue is
 * whole, so it counts; any other that was being written does not. Nothing is freed here: the
 * blocks that are still the dead process's are freed with all that it had. */
static enum slot_state release_slot(const struct slot *slot, enum slot_state state, uint32_t index,
                                    uint64_t dead_process)
{
    bool is_large = slot->size > SLOT_SMALL_BYTES;
    if (state == SLOT_LEASED) {
        if (is_large) {
            kin__block_give(slot->block, dead_process, kin__queue_owner(index));
        }
        return SLOT_READY;
    }
    return is_large && kin__block_owner(slot->block) == kin__queue_owner(index) ? SLOT_READY
                                                                                : SLOT_ABORTED;
}

/* Gives back what the dead had claimed. Under the head lock. */
static void release_slots(struct queue_shared *queue, uint32_t index, uint32_t dead)
{
    uint64_t dead_process = kin__block_of_member(kin__member_of(dead)->process);
    struct walk walk = walk_begin(queue);
    for (; walk_look(&walk); walk.place.ticket++) {
        enum slot_state state = kin__slot_state(walk.word);
        if (kin__slot_owner(walk.word) == dead &&
            (state == SLOT_RESERVED || state == SLOT_LEASED)) {
            state = release_slot(walk.slot, state, index, dead_process);
            atomic_store(&walk.slot->state, kin__slot_word(walk.place.ticket, state, 0));
        }
    }
}

void kin__queue_repair(uint32_t index, void *at, uint32_t dead)
{
    struct queue_shared *queue = at;
    struct kin__thread *self = kin__self();
    kin__queue_lock_tail(queue, index, self);
    kin__lock_release(&queue->tail_lock, self);
    kin__queue_lock_head(queue, index, self);
    release_slots(queue, index, dead);
    rebuild_head(queue, index);
    kin__lock_release(&queue->head_lock, self);
}

void kin__queue_drain(uint32_t index, void *at)
{
    struct queue_shared *queue = at;
    uint64_t owner = kin__queue_owner(index);
    finish_retire(queue, index);
    /* The last one taken out by a drain that was killed is no longer the queue's, nor is the first
     * one of a queue whose maker was killed. */
    while (queue->oldest != 0 && kin__block_owner(queue->oldest) == owner) {
        struct segment *segment = kin__segment_at(queue->oldest);
        for (uint32_t i = 0; i < segment->slot_count; i++) {
            const struct slot *slot = &segment->slots[i];
            enum slot_state state = kin__slot_state(atomic_load(&slot->state));
            if (state != SLOT_FREE && state != SLOT_DONE && slot->size > SLOT_SMALL_BYTES) {
                kin__block_free(slot->block, owner);
            }
        }
        uint64_t block = queue->oldest;
        uint64_t self_owner = kin__block_of_member(kin__family.owner);
        uint64_t next = atomic_load(&segment->next);
        kin__block_give(block, owner, self_owner);
        queue->oldest = next;
        kin__block_free(block, self_owner);
    }
}
