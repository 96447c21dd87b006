/**
 * Claims: a message stays in its slot, CLAIMED, while a consumer works with it in place. It is over
 * when the consumer acknowledges it; it comes again when the consumer refuses it, or dies. The
 * thread notes the queue in its holdings, so that a reaper finds the slot.
 */
#include "queue/head.h"

#include <errno.h>
#include <kin/claim.h>
#include <kin/error.h>

void kin__queue_tell_finished(struct queue_shared *queue)
{
    if (kin__queue_is_finished(queue)) {
        kin__count_raise(&queue->finishes, UINT32_MAX);
    }
}

void kin__queue_return(struct queue_shared *queue, struct slot *slot)
{
    uint32_t deliveries = kin__slot_deliveries(slot);
    bool is_dead = queue->delivery_count_max != 0 && deliveries >= queue->delivery_count_max;
    atomic_store(&slot->state, kin__slot_next(slot, is_dead ? SLOT_DEAD : SLOT_READY, deliveries));
}

/* What the consumer sees of a slot that it has claimed. -EBADMSG: what the slot says cannot be. */
static int show(const struct slot *slot, uint32_t index, kin_claim *ret_claim)
{
    uint64_t handle_bytes = kin__slot_handle_count(slot) * sizeof(kin_handle);
    bool is_large = kin__slot_is_large(slot);
    if (is_large && kin__block_capacity(slot->block) < kin__slot_bytes(slot) + handle_bytes) {
        return -EBADMSG;
    }
    const void *data = is_large ? kin__at(slot->block + handle_bytes) : slot->small;
    *ret_claim = (kin_claim){.bytes = {.data = data, .size = kin__slot_bytes(slot)},
                             .handles = handle_bytes == 0 ? NULL : kin__at(slot->block),
                             .handle_count = kin__slot_handle_count(slot),
                             .delivery = kin__slot_deliveries(slot),
                             .place = kin__offset_of(slot),
                             .word = atomic_load(&slot->state),
                             .queue = index};
    return 0;
}

static void finish_slot(struct getting *get, struct slot *slot)
{
    struct queue_shared *queue = get->queue;
    bool was_finished = kin__queue_is_letter(queue, slot);
    kin__queue_lock_head(queue, get->index, get->self);
    atomic_store(&slot->state, kin__slot_next(slot, SLOT_DONE, 0));
    queue->claimed--;
    if (!was_finished) {
        atomic_fetch_add(&queue->finished, 1);
    }
    if (queue->oldest != queue->head.segment && get->retired == 0) {
        get->retired = kin__queue_retire(queue, get->index, false);
    }
    kin__lock_release(&queue->head_lock, get->self);
}

/* To a closed queue the end may have come; else all but one find nothing and sleep again. */
static void tell_all(struct queue_shared *queue)
{
    bool is_closed = atomic_load(&queue->closing) != QUEUE_OPEN;
    kin__count_raise(&queue->items, is_closed ? UINT32_MAX : 1);
    kin__count_raise(&queue->watch, UINT32_MAX);
    kin__queue_tell_finished(queue);
}

/* What was claimed cannot be shown: it is over. */
static int show_or_drop(struct getting *get, struct slot *slot, kin_claim *ret_claim)
{
    int r = show(slot, get->index, ret_claim);
    if (r < 0) {
        finish_slot(get, slot);
        kin__holding_remove(get->self, get->index);
        tell_all(get->queue);
    }
    return r;
}

int kin_queue_claim(kin_queue *queue, kin_timeout timeout, kin_claim *ret_claim)
{
    struct getting get;
    struct slot *slot = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = ret_claim == NULL ? -EINVAL : kin__get_begin(queue, SLOT_CLAIMED, &get);
    }
    if (r < 0) {
        return r;
    }
    kin__holding_add(get.self, get.index);
    r = kin__head_lease(&get, &slot, 1, timeout);
    if (r > 0) {
        r = show_or_drop(&get, slot, ret_claim);
    } else {
        kin__holding_remove(get.self, get.index);
        if (r != -EPIPE) {
            kin__bell_rearm(&queue->bell);
        }
    }
    kin__get_end(&get);
    return r;
}

/* The first dead letter, claimed; NULL: there is none. Under the head lock. */
static struct slot *claim_dead(struct getting *get)
{
    struct queue_shared *queue = get->queue;
    uint64_t block = atomic_load(&queue->dead_letters) == 0 ? 0 : queue->oldest;
    for (; block != 0; block = atomic_load(&kin__segment_at(block)->next)) {
        struct segment *segment = kin__segment_at(block);
        for (uint32_t i = 0; i < segment->slot_count; i++) {
            struct slot *slot = &segment->slots[i];
            uint64_t word = atomic_load(&slot->state);
            if (kin__slot_state(word) == SLOT_DEAD) {
                kin__slot_deliver(slot, kin__slot_owner(word));
                atomic_store(&slot->state, kin__slot_next(slot, SLOT_CLAIMED, get->self->owner));
                atomic_fetch_sub(&queue->dead_letters, 1);
                queue->claimed++;
                return slot;
            }
        }
    }
    return NULL;
}

int kin_queue_claim_dead_letter(kin_queue *queue, kin_claim *ret_claim)
{
    struct getting get;
    int r = ret_claim == NULL ? -EINVAL : kin__get_begin(queue, SLOT_CLAIMED, &get);
    if (r < 0) {
        return r;
    }
    kin__holding_add(get.self, get.index);
    kin__queue_lock_head(get.queue, get.index, get.self);
    struct slot *slot = claim_dead(&get);
    kin__lock_release(&get.queue->head_lock, get.self);
    if (slot != NULL) {
        r = show_or_drop(&get, slot, ret_claim);
    } else {
        kin__holding_remove(get.self, get.index);
        r = -EAGAIN;
    }
    kin__get_end(&get);
    return r;
}

/* The slot of a claim that is open, and the thread's own. 0, or -EINVAL, -EPERM. */
static int find_slot(const kin_claim *claim, const struct getting *get, struct slot **ret_slot)
{
    if (claim == NULL || claim->place == 0 ||
        !kin__memory_has(&kin__family.memory, claim->place, sizeof **ret_slot)) {
        return -EINVAL;
    }
    struct slot *slot = kin__at(claim->place);
    *ret_slot = slot;
    bool is_own = claim->queue == get->index && kin__slot_state(claim->word) == SLOT_CLAIMED &&
                  kin__slot_owner(claim->word) == get->self->owner &&
                  atomic_load(&slot->state) == claim->word;
    return is_own ? 0 : -EPERM;
}

/* The message is over. Its block, if any, belongs to this process then. */
static uint64_t finish(struct getting *get, struct slot *slot)
{
    uint64_t block = kin__slot_is_large(slot) ? slot->block : 0;
    if (block != 0) {
        kin__block_give(block, kin__queue_owner(get->index),
                        kin__block_of_member(kin__family.owner));
    }
    finish_slot(get, slot);
    return block;
}

/* The message is in the queue again, or a dead letter. */
static void give_back(struct getting *get, struct slot *slot)
{
    struct queue_shared *queue = get->queue;
    bool was_finished = kin__queue_is_letter(queue, slot);
    kin__queue_lock_head(queue, get->index, get->self);
    kin__queue_return(queue, slot);
    queue->claimed--;
    if (kin__slot_state(atomic_load(&slot->state)) == SLOT_DEAD) {
        atomic_fetch_add(&queue->dead_letters, 1);
        atomic_fetch_add(&queue->finished, was_finished ? 0 : 1);
    } else {
        atomic_fetch_sub(&queue->taken, 1);
        atomic_fetch_sub(&queue->bytes_taken, kin__slot_bytes(slot));
        kin__head_move_back(queue, slot);
    }
    kin__lock_release(&queue->head_lock, get->self);
    kin__queue_look_again(queue, get->index, get->self);
}

/* Ends a claim, one way or the other. */
static int end(kin_queue *queue, kin_claim *claim, bool is_done)
{
    struct getting get;
    struct slot *slot = NULL;
    int r = kin__get_begin(queue, SLOT_CLAIMED, &get);
    if (r < 0) {
        return r;
    }
    r = find_slot(claim, &get, &slot);
    if (r == 0) {
        uint64_t block = 0;
        if (is_done) {
            block = finish(&get, slot);
        } else {
            give_back(&get, slot);
        }
        kin__holding_remove(get.self, get.index);
        if (block != 0) {
            kin__block_free(block, kin__block_of_member(kin__family.owner));
        }
        *claim = (kin_claim){0};
        tell_all(get.queue);
    }
    kin__get_end(&get);
    return r;
}

int kin_queue_acknowledge(kin_queue *queue, kin_claim *claim)
{
    return end(queue, claim, true);
}

int kin_queue_refuse(kin_queue *queue, kin_claim *claim)
{
    return end(queue, claim, false);
}

uint64_t kin_queue_dead_letter_count(const kin_queue *queue)
{
    struct queue_shared *shared = NULL;
    struct kin__thread *self = NULL;
    return kin__object_enter(queue, &shared, &self) < 0 ? 0 : atomic_load(&shared->dead_letters);
}
