#include "queue/head.h"

#include <errno.h>
#include <kin/error.h>

/* How often to look again whether a segment that consumers were slow to leave is done with. */
#define RETIRE_EVERY 64u

/* How often to look whether a closed queue has come to its end, while a message is in hand. */
#define ENDING_SLICE_NS 10000000

static struct slot *slot_at(struct place place)
{
    return kin__segment_slot(kin__segment_at(place.segment), place.ticket);
}

static enum slot_state state_of(const struct slot *slot)
{
    return kin__slot_state(atomic_load_explicit(&slot->state, memory_order_acquire));
}

static void forget_skipped(struct queue_shared *queue, uint32_t i)
{
    queue->skipped_count--;
    for (; i < queue->skipped_count; i++) {
        queue->skipped[i] = queue->skipped[i + 1];
    }
}

/* Turns a slot that nobody will write into a done one, and counts it. Under the head lock. */
static void finish_unwritten(struct queue_shared *queue, struct slot *slot)
{
    atomic_store(&slot->state, kin__slot_next(slot, SLOT_DONE, 0));
    atomic_store(&queue->taken, atomic_load(&queue->taken) + 1);
    atomic_store(&queue->bytes_taken, atomic_load(&queue->bytes_taken) + kin__slot_bytes(slot));
    atomic_store(&queue->finished, atomic_load(&queue->finished) + 1);
}

/* The oldest skipped slot that is READY by now; SKIPPED_MAX: none. Forgets those that came to
 * nothing. A producer commits its slots in their order: the older of two is looked at after the
 * younger, or it could be seen too early and the younger just in time. */
static uint32_t find_in_skipped(struct queue_shared *queue)
{
    uint32_t oldest = SKIPPED_MAX;
    for (uint32_t i = queue->skipped_count; i-- > 0;) {
        struct slot *slot = slot_at(queue->skipped[i]);
        enum slot_state state = state_of(slot);
        if (state == SLOT_READY) {
            oldest = i;
        } else if (state != SLOT_RESERVED) {
            if (state == SLOT_ABORTED) {
                finish_unwritten(queue, slot);
            }
            forget_skipped(queue, i);
            oldest -= oldest != SKIPPED_MAX;
        }
    }
    return oldest;
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

/* The slot at a place, which is moved on to the next segment if it stands behind the end of one;
 * NULL: there is none yet. */
static struct slot *look_at(struct place *place)
{
    struct segment *segment = kin__segment_at(place->segment);
    while (kin__segment_is_past(segment, place->ticket)) {
        uint64_t next = atomic_load_explicit(&segment->next, memory_order_acquire);
        if (next == 0) {
            return NULL;
        }
        place->segment = next;
        segment = kin__segment_at(next);
        place->ticket = segment->base > place->ticket ? segment->base : place->ticket;
    }
    return kin__segment_slot(segment, place->ticket);
}

/* Moves the head to the first slot that is READY or FREE, or RESERVED and cannot be noted. */
static enum slot_state advance_head(struct queue_shared *queue)
{
    struct place *head = &queue->head;
    struct slot *slot = NULL;
    while ((slot = look_at(head)) != NULL) {
        enum slot_state state = state_of(slot);
        if (state == SLOT_READY || state == SLOT_FREE) {
            return state;
        }
        if (state == SLOT_RESERVED && !is_in_skipped(queue, head->ticket)) {
            if (queue->skipped_count == SKIPPED_MAX) {
                return SLOT_RESERVED;
            }
            queue->skipped[queue->skipped_count++] = *head;
        } else if (state == SLOT_ABORTED) {
            finish_unwritten(queue, slot);
        }
        head->ticket++;
    }
    return SLOT_FREE;
}

/* The first slot from a place on that is READY, without moving the head. */
static bool find_from(struct place *place)
{
    struct slot *slot = NULL;
    while ((slot = look_at(place)) != NULL) {
        enum slot_state state = state_of(slot);
        if (state == SLOT_READY || state == SLOT_FREE) {
            return state == SLOT_READY;
        }
        place->ticket++;
    }
    return false;
}

/* The oldest slot behind the head that is READY: looks again until there is none older than the one
 * that was found before, for the same reason. */
static bool find_beyond(const struct queue_shared *queue, struct place *ret_place)
{
    struct place place = queue->head;
    if (!find_from(&place)) {
        return false;
    }
    do {
        *ret_place = place;
        place = queue->head;
    } while (find_from(&place) && place.ticket < ret_place->ticket);
    return true;
}

/* A message that was found. */
struct found {
    struct place place;
    uint32_t skipped; /* where it stands in `skipped`; SKIPPED_MAX: at the head, or behind it */
};

/* Finds the oldest message. Under the head lock. */
static bool find_ready(struct queue_shared *queue, struct found *ret_found)
{
    uint32_t skipped = queue->skipped_count == 0 ? SKIPPED_MAX : find_in_skipped(queue);
    struct place place = {0};
    bool is_ready = false;
    if (skipped == SKIPPED_MAX) {
        enum slot_state state = advance_head(queue);
        place = queue->head;
        is_ready = state == SLOT_READY || (state == SLOT_RESERVED && find_beyond(queue, &place));
        if (is_ready && queue->skipped_count != 0) {
            skipped = find_in_skipped(queue); /* the look back */
        }
    }
    ret_found->skipped = skipped;
    ret_found->place = skipped != SKIPPED_MAX ? queue->skipped[skipped] : place;
    return is_ready || skipped != SKIPPED_MAX;
}

/* Whether a consumer is taking a message out, which comes again if it dies. Under the head lock. */
static bool has_leased(const struct queue_shared *queue)
{
    for (uint64_t block = queue->oldest; block != 0;) {
        const struct segment *segment = kin__segment_at(block);
        for (uint32_t i = 0; i < segment->slot_count; i++) {
            if (state_of(&segment->slots[i]) == SLOT_LEASED) {
                return true;
            }
        }
        block = block == queue->head.segment ? 0 : atomic_load(&segment->next);
    }
    return false;
}

/* Leases a message that was found, for the state that the consumer wants. */
static struct slot *lease(struct getting *get, const struct found *found)
{
    struct queue_shared *queue = get->queue;
    struct slot *slot = slot_at(found->place);
    if (get->state == SLOT_CLAIMED) {
        uint32_t returns = kin__slot_owner(atomic_load(&slot->state));
        kin__slot_deliver(slot, returns);
        queue->claimed++;
    }
    atomic_store_explicit(&slot->state, kin__slot_next(slot, get->state, get->self->owner),
                          memory_order_release);
    uint64_t bytes_taken = atomic_load_explicit(&queue->bytes_taken, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&queue->taken, memory_order_relaxed);
    atomic_store_explicit(&queue->bytes_taken, bytes_taken + kin__slot_bytes(slot),
                          memory_order_release);
    atomic_store_explicit(&queue->taken, taken + 1, memory_order_release);
    if (found->skipped != SKIPPED_MAX) {
        forget_skipped(queue, found->skipped);
    } else if (found->place.ticket == queue->head.ticket) {
        queue->head.ticket++;
    }
    return slot;
}

static bool lease_next(struct getting *get, struct slot **ret_slot)
{
    struct found found;
    if (!find_ready(get->queue, &found)) {
        return false;
    }
    *ret_slot = lease(get, &found);
    return true;
}

/* Leases the messages that come next in a row, while nothing is skipped. What is counted changes at
 * the end: it is rebuilt if this thread dies before. */
static uint32_t lease_row(struct getting *get, struct slot **ret_slots, uint32_t count)
{
    struct queue_shared *queue = get->queue;
    struct segment *segment = kin__segment_at(queue->head.segment);
    uint64_t at = queue->head.ticket - segment->base;
    uint64_t bytes = 0;
    uint32_t leased = 0;
    if (queue->skipped_count != 0 || get->state != SLOT_LEASED) {
        return 0;
    }
    for (; leased < count && at < segment->slot_count; at++) {
        struct slot *slot = &segment->slots[at];
        __builtin_prefetch(slot + 8, 1);
        if (state_of(slot) != SLOT_READY) {
            break;
        }
        atomic_store_explicit(&slot->state, kin__slot_next(slot, SLOT_LEASED, get->self->owner),
                              memory_order_release);
        bytes += kin__slot_bytes(slot);
        ret_slots[leased++] = slot;
    }
    if (leased != 0) {
        uint64_t bytes_taken = atomic_load_explicit(&queue->bytes_taken, memory_order_relaxed);
        uint64_t taken = atomic_load_explicit(&queue->taken, memory_order_relaxed);
        atomic_store_explicit(&queue->bytes_taken, bytes_taken + bytes, memory_order_release);
        atomic_store_explicit(&queue->taken, taken + leased, memory_order_release);
        queue->head.ticket += leased;
    }
    return leased;
}

/* Takes a segment out if one is done with. Under the head lock. */
static void retire(struct getting *get, bool is_empty, uint64_t segment_before, uint64_t taken)
{
    struct queue_shared *queue = get->queue;
    bool is_new = queue->head.segment != segment_before;
    bool is_time = is_empty || is_new ||
                   taken / RETIRE_EVERY != atomic_load(&queue->taken) / RETIRE_EVERY;
    if (is_time && queue->oldest != queue->head.segment && get->retired == 0) {
        get->retired = kin__queue_retire(queue, get->index, is_new);
    }
}

/* Whether the message that comes next is there already. Under the head lock. */
static bool has_next(const struct queue_shared *queue)
{
    struct place place = queue->head;
    const struct slot *slot = look_at(&place);
    return slot != NULL && state_of(slot) == SLOT_READY;
}

/* Leases what is there. How many; -EAGAIN: nothing, or -EPIPE: closed and nothing. */
static int try_lease(struct getting *get, struct slot **ret_slots, uint32_t count)
{
    struct queue_shared *queue = get->queue;
    uint32_t leased = 0;
    kin__queue_lock_head(queue, get->index, get->self);
    uint64_t segment_before = queue->head.segment;
    uint64_t taken = atomic_load_explicit(&queue->taken, memory_order_relaxed);
    enum closing closing = (enum closing)atomic_load(&queue->closing);
    if (count > 1 && closing != QUEUE_SHUT) {
        leased = lease_row(get, ret_slots, count);
    }
    while (leased < count && closing != QUEUE_SHUT && lease_next(get, &ret_slots[leased])) {
        leased++;
    }
    closing = leased != 0 ? QUEUE_OPEN : (enum closing)atomic_load(&queue->closing);
    /* Once more: what was put before the close is found by this look. */
    if (closing == QUEUE_CLOSED && lease_next(get, &ret_slots[0])) {
        leased = 1;
    }
    bool is_empty = leased == 0 && queue->skipped_count == 0;
    get->is_ending = is_empty && closing == QUEUE_CLOSED && has_leased(queue);
    bool has_ended = closing == QUEUE_SHUT || (is_empty && closing == QUEUE_CLOSED &&
                                               !get->is_ending && queue->claimed == 0);
    retire(get, leased == 0, segment_before, taken);
    get->has_more = get->is_spinning && leased != 0 && has_next(queue);
    kin__lock_release(&queue->head_lock, get->self);
    return leased != 0 ? (int)leased : has_ended ? -EPIPE : -EAGAIN;
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

static int wait_and_lease(struct getting *get, struct slot **ret_slots, uint32_t count,
                          kin_timeout timeout)
{
    _Atomic uint32_t *items = &get->queue->items;
    struct kin__spin spin = kin__spin_begin_gathering();
    int r = kin__timeout_is_over(timeout);
    if (r < 0) {
        return r;
    }
    get->is_spinning = true;
    for (r = -EAGAIN; r == -EAGAIN && kin__spin_again(&spin);) {
        r = try_lease(get, ret_slots, count);
    }
    get->is_spinning = false;
    if (r != -EAGAIN) {
        kin__spin_learn(r > 1 || get->has_more);
        return r;
    }
    for (;;) {
        uint32_t key = kin__count_prepare(items);
        r = try_lease(get, ret_slots, count);
        if (r != -EAGAIN) {
            break;
        }
        r = kin__sleep(items, key, next_look(get, timeout));
        if (r < 0) {
            break;
        }
    }
    kin__count_pass(items);
    if (may_have_items(get->queue) || atomic_load(&get->queue->closing)) {
        kin__count_raise(items, 1);
    }
    return r;
}

int kin__head_lease(struct getting *get, struct slot **ret_slots, uint32_t count,
                    kin_timeout timeout)
{
    int r = try_lease(get, ret_slots, count);
    if (r == -EAGAIN) {
        r = wait_and_lease(get, ret_slots, count, timeout);
    }
    if (r > 0) {
        kin__count_raise(&get->queue->space, kin__queue_space_wakes(get->queue, (uint32_t)r));
    }
    return r;
}

bool kin__head_settle(struct queue_shared *queue)
{
    struct found found;
    return find_ready(queue, &found);
}

void kin__head_give_up(struct queue_shared *queue, struct slot *slot)
{
    finish_unwritten(queue, slot);
    for (uint32_t i = queue->skipped_count; i-- > 0;) {
        if (slot_at(queue->skipped[i]) == slot) {
            forget_skipped(queue, i);
        }
    }
}

void kin__head_move_back(struct queue_shared *queue, const struct slot *slot)
{
    uint64_t block = queue->oldest;
    struct segment *segment = kin__segment_at(block);
    while (slot < segment->slots || slot >= segment->slots + segment->slot_count) {
        block = atomic_load(&segment->next);
        segment = kin__segment_at(block);
    }
    uint64_t ticket = segment->base + (uint64_t)(slot - segment->slots);
    if (ticket < queue->head.ticket) {
        queue->head = (struct place){.segment = block, .ticket = ticket};
        while (queue->skipped_count > 0 &&
               queue->skipped[queue->skipped_count - 1].ticket >= ticket) {
            queue->skipped_count--;
        }
    }
}
