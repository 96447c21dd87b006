/**
 * Consumers. A get is: lease the oldest message under the head lock; copy it, or take over its
 * block; mark the slot done; wake a producer if one waits for space.
 *
 * A slot whose producer is still writing is passed, and noted in `skipped`; so a producer that
 * is stopped holds nobody up. The order of one producer is kept all the same: a later message
 * of its is seen READY only after the earlier one was committed, so a look back at the skipped
 * slots, after the candidate was seen, finds the earlier one READY.
 *
 * A closed queue has come to its end when it is empty and no consumer has a message in hand: if
 * that one is killed, the message comes again, and somebody must be there to take it.
 */
#include "queue/layout.h"

#include "family/sleep.h"

#include <errno.h>
#include <kin/error.h>
#include <string.h>

/* A message on its way out. */
struct getting {
    struct queue_shared *queue;
    struct kin__thread *self;
    uint32_t index;
    struct slot *slot;
    uint64_t ticket;
    uint64_t retired; /* block of a segment to free; 0: none */
    bool is_ending;   /* closed and nothing left, but others have messages in hand */
};

/* How often to look again whether a segment that consumers were slow to leave is done with. */
#define RETIRE_EVERY 64u

/* How often to look whether a closed queue has come to its end, while a message is in hand. */
#define ENDING_SLICE_NS 10000000

static struct slot *slot_at(struct place place)
{
    return kin__segment_slot(kin__segment_at(place.segment), place.ticket);
}

static void forget_skipped(struct queue_shared *queue, uint32_t i)
{
    queue->skipped_count--;
    for (; i < queue->skipped_count; i++) {
        queue->skipped[i] = queue->skipped[i + 1];
    }
}

/* Turns an aborted slot into a done one, and counts it. Under the head lock. */
static void finish_aborted(struct queue_shared *queue, struct slot *slot, uint64_t ticket)
{
    atomic_store(&slot->state, kin__slot_word(ticket, SLOT_DONE, 0));
    atomic_store(&queue->taken, atomic_load(&queue->taken) + 1);
    atomic_store(&queue->bytes_taken, atomic_load(&queue->bytes_taken) + slot->size);
}

/* The first skipped slot that is READY by now; SKIPPED_MAX: none. Forgets those that came to
 * nothing. */
static uint32_t find_in_skipped(struct queue_shared *queue)
{
    for (uint32_t i = 0; i < queue->skipped_count; i++) {
        struct place place = queue->skipped[i];
        struct slot *slot = slot_at(place);
        enum slot_state state = kin__slot_state(
            atomic_load_explicit(&slot->state, memory_order_acquire));
        if (state == SLOT_READY) {
            return i;
        }
        if (state != SLOT_RESERVED) {
            if (state == SLOT_ABORTED) {
                finish_aborted(queue, slot, place.ticket);
            }
            forget_skipped(queue, i--);
        }
    }
    return SKIPPED_MAX;
}

static bool is_in_skipped(const struct queue_shared *queue, uint64_t ticket)
{
    for (uint32_t i = 0; i < queue->skipped_count; i++) {
        if (queue->skipped[i].ticket == ticket) {
            return true;
        }
    }
    return false;
}

/* Moves the head to the first slot that is READY or FREE. True: it is READY. */
static bool advance_head(struct queue_shared *queue)
{
    struct place *head = &queue->head;
    for (;;) {
        struct segment *segment = kin__segment_at(head->segment);
        if (kin__segment_is_past(segment, head->ticket)) {
            uint64_t next = atomic_load_explicit(&segment->next, memory_order_acquire);
            if (next == 0) {
                return false;
            }
            head->segment = next;
            continue;
        }
        struct slot *slot = kin__segment_slot(segment, head->ticket);
        enum slot_state state = kin__slot_state(
            atomic_load_explicit(&slot->state, memory_order_acquire));
        if (state == SLOT_READY || state == SLOT_FREE) {
            return state == SLOT_READY;
        }
        if (state == SLOT_RESERVED && !is_in_skipped(queue, head->ticket)) {
            if (queue->skipped_count == SKIPPED_MAX) {
                return false;
            }
            queue->skipped[queue->skipped_count++] = *head;
        } else if (state == SLOT_ABORTED) {
            finish_aborted(queue, slot, head->ticket);
        }
        head->ticket++;
    }
}

/* Finds the oldest message. Under the head lock. */
static bool find_ready(struct queue_shared *queue, struct place *ret_place, uint32_t *ret_skipped)
{
    uint32_t skipped = queue->skipped_count == 0 ? SKIPPED_MAX : find_in_skipped(queue);
    bool is_ready = skipped == SKIPPED_MAX && advance_head(queue);
    if (is_ready && queue->skipped_count != 0) {
        skipped = find_in_skipped(queue); /* the look back */
    }
    if (skipped != SKIPPED_MAX) {
        *ret_place = queue->skipped[skipped];
    } else {
        *ret_place = queue->head;
    }
    *ret_skipped = skipped;
    return is_ready || skipped != SKIPPED_MAX;
}

/* Whether a consumer has a message in hand, which comes again if it dies. Under the head lock. */
static bool has_leased(const struct queue_shared *queue)
{
    uint64_t block = queue->oldest;
    for (;;) {
        const struct segment *segment = kin__segment_at(block);
        for (uint32_t i = 0; i < segment->slot_count; i++) {
            if (kin__slot_state(atomic_load(&segment->slots[i].state)) == SLOT_LEASED) {
                return true;
            }
        }
        if (block == queue->head.segment) {
            return false;
        }
        block = atomic_load(&segment->next);
    }
}

/* Leases the message at a place that find_ready has found. */
static void lease(struct getting *get, struct place place, uint32_t skipped)
{
    struct queue_shared *queue = get->queue;
    struct slot *slot = slot_at(place);
    get->slot = slot;
    get->ticket = place.ticket;
    atomic_store_explicit(&slot->state, kin__slot_word(place.ticket, SLOT_LEASED, get->self->owner),
                          memory_order_release);
    uint64_t bytes_taken = atomic_load_explicit(&queue->bytes_taken, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&queue->taken, memory_order_relaxed);
    atomic_store_explicit(&queue->bytes_taken, bytes_taken + slot->size, memory_order_release);
    atomic_store_explicit(&queue->taken, taken + 1, memory_order_release);
    if (skipped != SKIPPED_MAX) {
        forget_skipped(queue, skipped);
    } else {
        queue->head.ticket++;
    }
}

/* Leases the oldest message. 0, -EAGAIN: empty, or -EPIPE: closed and empty. */
static int try_lease(struct getting *get)
{
    struct queue_shared *queue = get->queue;
    struct place place = {0};
    uint32_t skipped = 0;
    kin__queue_lock_head(queue, get->index, get->self);
    uint64_t segment_before = queue->head.segment;
    bool is_ready = find_ready(queue, &place, &skipped);
    bool is_closed = !is_ready && atomic_load(&queue->is_closed);
    if (is_closed) { /* once more: what was put before the close is found by this look */
        is_ready = find_ready(queue, &place, &skipped);
    }
    if (is_ready) {
        lease(get, place, skipped);
    }
    bool is_empty = !is_ready && queue->skipped_count == 0;
    get->is_ending = is_empty && is_closed && has_leased(queue);
    bool is_time = !is_ready || queue->head.segment != segment_before ||
                   place.ticket % RETIRE_EVERY == 0;
    if (is_time && queue->oldest != queue->head.segment && get->retired == 0) {
        get->retired = kin__queue_retire(queue, get->index);
    }
    kin__lock_release(&queue->head_lock, get->self);
    return is_ready ? 0 : is_empty && is_closed && !get->is_ending ? -EPIPE : -EAGAIN;
}

static bool may_have_items(const struct queue_shared *queue)
{
    return atomic_load(&queue->tail) != atomic_load(&queue->taken);
}

/* Until when to sleep. That others are done with what they have in hand is not said, since it
 * would cost each get a barrier: at the end of a closed queue one looks for it. */
static kin_timeout next_look(const struct getting *get, kin_timeout timeout)
{
    int64_t look_ns = get->is_ending ? kin_now_ns() + ENDING_SLICE_NS : INT64_MAX;
    return kin_by(look_ns < timeout.deadline_ns ? look_ns : timeout.deadline_ns, timeout.cancel);
}

/* Leases the oldest message, waiting for one. */
static int wait_and_lease(struct getting *get, kin_timeout timeout)
{
    _Atomic uint32_t *items = &get->queue->items;
    struct kin__spin spin = kin__spin_begin();
    int r = kin__timeout_is_over(timeout);
    if (r < 0) {
        return r;
    }
    do {
        r = try_lease(get);
    } while (r == -EAGAIN && kin__spin_again(&spin));
    if (r != -EAGAIN) {
        return r;
    }
    for (;;) {
        uint32_t key = kin__count_prepare(items);
        r = try_lease(get);
        if (r != -EAGAIN) {
            break;
        }
        r = kin__sleep(items, key, next_look(get, timeout));
        if (r < 0) {
            break;
        }
    }
    kin__count_pass(items);
    if (may_have_items(get->queue) || atomic_load(&get->queue->is_closed)) {
        kin__count_raise(items, 1);
    }
    return r;
}

/* Takes the leased message out. 0, or -EBADMSG: what the slot says cannot be. */
static int take(struct getting *get, kin_message *ret_message)
{
    struct slot *slot = get->slot;
    uint64_t size = slot->size;
    bool is_small = size <= SLOT_SMALL_BYTES;
    bool is_sound = is_small || (kin__block_capacity(slot->block) >= size &&
                                 kin__block_give(slot->block, kin__queue_owner(get->index),
                                                 kin__block_of_member(kin__family.owner)));
    if (is_sound) {
        ret_message->size = size;
        ret_message->place = is_small ? 0 : slot->block;
    }
    if (is_small) {
        memcpy(ret_message->small, slot->small, size);
    }
    atomic_store_explicit(&slot->state, kin__slot_word(get->ticket, SLOT_DONE, 0),
                          memory_order_release);
    return is_sound ? 0 : -EBADMSG;
}

int kin_queue_get_bytes(kin_queue *queue, kin_timeout timeout, kin_message *ret_message)
{
    struct getting get = {0};
    int r = kin__timeout_check(timeout);
    if (r == 0 && ret_message == NULL) {
        r = -EINVAL;
    }
    if (r == 0) {
        r = kin__queue_enter(queue, &get.queue, &get.self);
    }
    if (r < 0) {
        return r;
    }
    get.index = kin__object_index(&queue->object);
    r = try_lease(&get);
    if (r == -EAGAIN) {
        r = wait_and_lease(&get, timeout);
    }
    if (r == 0) {
        kin__count_raise(&get.queue->space, kin__queue_space_wakes(get.queue));
        r = take(&get, ret_message);
    }
    if (get.retired != 0) {
        kin__block_free(get.retired, kin__block_of_member(kin__family.owner));
    }
    kin__queue_leave(get.self);
    return r;
}
