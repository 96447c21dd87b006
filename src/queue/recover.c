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
 *     put, one small: tail moved, not READY     slot FREE                tail rebuild moves it back
 *     put: RESERVED, tail not moved             slot state               tail rebuild
 *     put: RESERVED, message not written        slot of the dead         repair: ABORTED, and the
 *                                                                        block is freed
 *     put: RESERVED, block given to the queue   slot of the dead         repair: READY, since the
 *                                                                        message is whole
 *     put: READY, nobody woken                  sleepers                 reaper wakes all
 *     reservation open                          slot of the dead         repair: ABORTED, as above
 *     get: LEASED, counts not moved             slot of the dead         repair: READY again
 *     get: block taken over, not DONE           block of the dead        repair: given back
 *     get: segment taken out, chain not moved   segment of the dead      head rebuild moves it
 *     get: DONE, not returned                   nothing: it was taken    -
 *     get, joinable: TAKEN                      slot of the dead         repair: DONE, and counted
 *                                                                        as a task that was lost
 *     claim: CLAIMED                            slot of the dead         repair: READY, or DEAD
 *     acknowledge: block taken over, not DONE   block of the dead        repair: given back, READY
 *     acknowledge, refuse: counts not moved     lock of the dead         head rebuild
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
    uint64_t bytes_base; /* of messages before the first slot */
};

static struct walk walk_begin(const struct queue_shared *queue)
{
    struct walk walk = {.place.segment = queue->oldest};
    if (queue->oldest != 0) {
        walk.segment = kin__segment_at(queue->oldest);
        walk.place.ticket = walk.segment->base;
        walk.bytes_base = walk.segment->bytes_base;
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
        walk->place.ticket = walk->segment->base; /* those in between may have been retired */
    }
    walk->slot = kin__segment_slot(walk->segment, walk->place.ticket);
    walk->word = atomic_load(&walk->slot->state);
    return kin__slot_state(walk->word) != SLOT_FREE;
}

void kin__queue_rebuild_tail(struct queue_shared *queue, uint32_t index)
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

/* The segment behind one, or the first behind none. */
static uint64_t next_segment(const struct queue_shared *queue, uint64_t block)
{
    return block == 0 ? queue->oldest : atomic_load(&kin__segment_at(block)->next);
}

/* Makes the chain leave out a segment: the one behind `before`. */
static void unlink_segment(struct queue_shared *queue, uint64_t before, uint64_t next)
{
    if (before == 0) {
        queue->oldest = next;
    } else {
        atomic_store(&kin__segment_at(before)->next, next);
    }
}

/* Takes a segment out of the chain if that was begun; see kin__queue_retire. The last one is not
 * the queue's yet when its producer died before it gave it: that is for the tail. */
static void finish_retire(struct queue_shared *queue, uint32_t index)
{
    uint64_t before = 0;
    uint64_t block = queue->oldest;
    while (block != 0 && block != atomic_load(&queue->tail_segment)) {
        uint64_t next = next_segment(queue, block);
        if (kin__block_owner(block) != kin__queue_owner(index)) {
            unlink_segment(queue, before, next);
            return;
        }
        before = block;
        block = next;
    }
}

void kin__queue_rebuild_head(struct queue_shared *queue, uint32_t index)
{
    finish_retire(queue, index);
    struct walk walk = walk_begin(queue);
    struct place head = {0};
    bool has_head = false;
    struct kin__queue_counts counts = {.bytes_end = walk.bytes_base};
    queue->skipped_count = 0;
    for (; walk_look(&walk); walk.place.ticket++) {
        enum slot_state state = kin__slot_state(walk.word);
        if (state == SLOT_ABORTED) {
            state = SLOT_DONE;
            atomic_store(&walk.slot->state, kin__slot_next(walk.slot, SLOT_DONE, 0));
        }
        kin__queue_count(queue, walk.slot, state, &counts);
        if (state != SLOT_READY && state != SLOT_RESERVED) {
            continue;
        }
        if (!has_head && state == SLOT_RESERVED && queue->skipped_count < SKIPPED_MAX) {
            queue->skipped[queue->skipped_count++] = walk.place;
        } else if (!has_head) {
            head = walk.place;
            has_head = true;
        }
    }
    queue->head = has_head ? head : walk.place;
    queue->claimed = counts.claimed;
    atomic_store(&queue->taken, walk.place.ticket - counts.waiting);
    atomic_store(&queue->bytes_taken, counts.bytes_end - counts.bytes_waiting);
    atomic_store(&queue->finished, walk.place.ticket - counts.unfinished);
    atomic_store(&queue->dead_letters, counts.dead_letters);
}

void kin__queue_count(const struct queue_shared *queue, const struct slot *slot,
                      enum slot_state state, struct kin__queue_counts *counts)
{
    bool is_waiting = state == SLOT_READY || state == SLOT_RESERVED;
    bool is_letter = state == SLOT_CLAIMED && kin__queue_is_letter(queue, slot);
    counts->waiting += is_waiting;
    counts->bytes_waiting += is_waiting ? kin__slot_bytes(slot) : 0;
    counts->unfinished += is_waiting || state == SLOT_LEASED || state == SLOT_TAKEN ||
                          (state == SLOT_CLAIMED && !is_letter);
    counts->claimed += state == SLOT_CLAIMED;
    counts->dead_letters += state == SLOT_DEAD;
    counts->bytes_end = slot->bytes_end;
}

static bool is_done_with(const struct segment *segment)
{
    for (uint32_t i = 0; i < segment->slot_count; i++) {
        if (kin__slot_state(atomic_load_explicit(&segment->slots[i].state, memory_order_acquire)) !=
            SLOT_DONE) {
            return false;
        }
    }
    return true;
}

/* The segment that producers use stays: one may be about to leave it, and if it dies, a rebuild
 * starts from there. */
uint64_t kin__queue_retire(struct queue_shared *queue, uint32_t index, bool is_thorough)
{
    uint64_t before = 0;
    uint64_t block = queue->oldest;
    while (block != queue->head.segment && block != atomic_load(&queue->tail_segment)) {
        uint64_t next = next_segment(queue, block);
        if (is_done_with(kin__segment_at(block))) {
            bool is_given = kin__block_give(block, kin__queue_owner(index),
                                            kin__block_of_member(kin__family.owner));
            unlink_segment(queue, before, is_given ? next : block);
            return is_given ? block : 0;
        }
        before = is_thorough ? block : before;
        block = is_thorough ? next : queue->head.segment;
    }
    return 0;
}

/* How often a message came back that a get had in hand. A claim that was killed before its slot
 * said so may have counted one more, and what is in the queue came back less often than a dead
 * letter. */
static uint32_t returns_of(const struct queue_shared *queue, const struct slot *slot)
{
    uint32_t returns = kin__slot_deliveries(slot);
    uint32_t most = queue->delivery_count_max;
    return most != 0 && returns >= most ? most - 1 : returns;
}

/* Gives back a slot that the dead had claimed. A large message that was given to the queue is
 * whole, so it counts; any other that was being written does not. The block of such a one belongs
 * to this process then, which is to free it outside the lock: the dead may be a thread of a process
 * that lives on. 0: none. */
static uint64_t release_slot(struct queue_shared *queue, struct slot *slot, uint32_t index,
                             uint64_t dead_process)
{
    enum slot_state state = kin__slot_state(atomic_load(&slot->state));
    uint64_t queue_owner = kin__queue_owner(index);
    bool is_large = kin__slot_is_large(slot);
    if (state == SLOT_RESERVED) {
        bool is_whole = is_large && kin__block_owner(slot->block) == queue_owner;
        bool is_ours = is_large && !is_whole &&
                       kin__block_give(slot->block, dead_process,
                                       kin__block_of_member(kin__family.owner));
        atomic_store(&slot->state, kin__slot_next(slot, is_whole ? SLOT_READY : SLOT_ABORTED, 0));
        return is_ours ? slot->block : 0;
    }
    if (state == SLOT_TAKEN) {
        atomic_fetch_add(&queue->tasks_lost, 1);
        atomic_store(&slot->state, kin__slot_next(slot, SLOT_DONE, 0));
    } else {
        if (is_large) {
            kin__block_give(slot->block, dead_process, queue_owner);
        }
        if (state == SLOT_CLAIMED) {
            kin__queue_return(queue, slot);
        } else {
            atomic_store(&slot->state, kin__slot_next(slot, SLOT_READY, returns_of(queue, slot)));
        }
    }
    return 0;
}

/* Gives back what the dead had claimed, up to the first slot with a block to free. That block, or
 * 0: all is given back. Under the head lock. */
static uint64_t release_slots(struct queue_shared *queue, uint32_t index, uint32_t dead)
{
    uint64_t dead_process = kin__block_of_member(kin__member_of(dead)->process);
    struct walk walk = walk_begin(queue);
    uint64_t block = 0;
    for (; block == 0 && walk_look(&walk); walk.place.ticket++) {
        enum slot_state state = kin__slot_state(walk.word);
        bool is_claim = state == SLOT_RESERVED || state == SLOT_LEASED || state == SLOT_CLAIMED ||
                        state == SLOT_TAKEN;
        if (is_claim && kin__slot_owner(walk.word) == dead) {
            block = release_slot(queue, walk.slot, index, dead_process);
        }
    }
    return block;
}

void kin__queue_look_again(struct queue_shared *queue, uint32_t index, struct kin__thread *self)
{
    if (queue->item_count_max != 0 || queue->message_bytes_max != 0) {
        kin__queue_lock_tail(queue, index, self);
        queue->taken_seen = atomic_load(&queue->taken);
        queue->bytes_taken_seen = atomic_load(&queue->bytes_taken);
        kin__lock_release(&queue->tail_lock, self);
    }
}

void kin__queue_repair(uint32_t index, void *at, uint32_t dead)
{
    struct queue_shared *queue = at;
    struct kin__thread *self = kin__self();
    kin__queue_lock_tail(queue, index, self);
    kin__lock_release(&queue->tail_lock, self);
    uint64_t block = 0;
    do {
        kin__queue_lock_head(queue, index, self);
        block = release_slots(queue, index, dead);
        kin__queue_rebuild_head(queue, index);
        kin__lock_release(&queue->head_lock, self);
        if (block != 0) {
            kin__block_free(block, kin__block_of_member(kin__family.owner));
        }
    } while (block != 0);
    kin__queue_look_again(queue, index, self);
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
            if (state != SLOT_FREE && state != SLOT_DONE && state != SLOT_TAKEN &&
                kin__slot_is_large(slot)) {
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
