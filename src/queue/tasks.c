/**
 * Joinable queues: every message is a task, until somebody says that it is done.
 */
#include "queue/layout.h"

#include <errno.h>
#include <kin/error.h>

/* Whether somebody has the slot's message, and it is not over. */
static bool is_in_hand(const struct queue_shared *queue, const struct slot *slot,
                       enum slot_state state)
{
    return state == SLOT_TAKEN || state == SLOT_LEASED ||
           (state == SLOT_CLAIMED && !kin__queue_is_letter(queue, slot));
}

/* The oldest slot that is TAKEN, by `owner` if it has any. Under the head lock. The head is no end:
 * it moves back to a message that comes again. */
static struct slot *find_taken(const struct queue_shared *queue, uint32_t owner)
{
    struct slot *any = NULL;
    uint64_t in_hand = atomic_load(&queue->taken) - atomic_load(&queue->finished);
    for (uint64_t block = queue->oldest; block != 0 && in_hand != 0;) {
        struct segment *segment = kin__segment_at(block);
        for (uint32_t i = 0; i < segment->slot_count && in_hand != 0; i++) {
            struct slot *slot = &segment->slots[i];
            uint64_t word = atomic_load(&slot->state);
            enum slot_state state = kin__slot_state(word);
            if (state == SLOT_TAKEN && kin__slot_owner(word) == owner) {
                return slot;
            }
            any = any == NULL && state == SLOT_TAKEN ? slot : any;
            in_hand -= is_in_hand(queue, slot, state);
        }
        block = atomic_load(&segment->next);
    }
    return any;
}

int kin_queue_task_done(kin_queue *queue)
{
    struct queue_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__queue_enter(queue, &shared, &self);
    if (r < 0) {
        return r;
    }
    if (!shared->is_joinable) {
        kin__queue_leave(self);
        return -EINVAL;
    }
    uint32_t index = kin__object_index(&queue->object);
    uint64_t retired = 0;
    kin__queue_lock_head(shared, index, self);
    struct slot *slot = find_taken(shared, self->owner);
    if (slot != NULL) {
        atomic_store(&slot->state, kin__slot_next(slot, SLOT_DONE, 0));
        atomic_fetch_add(&shared->finished, 1);
        retired = kin__queue_retire(shared, index, false);
    }
    kin__lock_release(&shared->head_lock, self);
    if (retired != 0) {
        kin__block_free(retired, kin__block_of_member(kin__family.owner));
    }
    kin__queue_tell_finished(shared);
    kin__queue_leave(self);
    return slot == NULL ? -EOVERFLOW : 0;
}

/* Whether there is nothing to wait for. */
static bool is_finished(const struct queue_shared *queue)
{
    return kin__queue_is_finished(queue) || atomic_load(&queue->closing) == QUEUE_SHUT;
}

static int wait(struct queue_shared *queue, kin_timeout timeout)
{
    while (!is_finished(queue)) {
        int r = kin__timeout_is_over(timeout);
        if (r < 0) {
            return r;
        }
        uint32_t key = kin__count_prepare(&queue->finishes);
        if (is_finished(queue)) {
            break;
        }
        r = kin__sleep(&queue->finishes, key, timeout);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int kin_queue_join(kin_queue *queue, kin_timeout timeout)
{
    struct queue_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = kin__object_enter(queue, &shared, &self);
    }
    if (r == 0 && !shared->is_joinable) {
        r = -EINVAL;
    }
    if (r == 0) {
        r = wait(shared, timeout);
    }
    return r < 0 ? r : atomic_exchange(&shared->tasks_lost, 0) != 0 ? KIN_OWNER_DIED : 0;
}
