/**
 * Getting: lease the oldest message under the head lock; copy it, or take over its block; mark the
 * slot done, or taken in a joinable queue; wake a producer if one waits for space.
 */
#include "queue/head.h"

#include <errno.h>
#include <kin/error.h>
#include <limits.h>

/* The slot of a leased message is done with. */
static void leave_slot(const struct getting *get, struct slot *slot)
{
    uint64_t word = get->queue->is_joinable ? kin__slot_next(slot, SLOT_TAKEN, get->self->owner)
                                            : kin__slot_next(slot, SLOT_DONE, 0);
    atomic_store_explicit(&slot->state, word, memory_order_release);
}

/* Takes a message's block over. 0, or -EBADMSG: what the slot says cannot be. */
static int take_large(const struct getting *get, struct slot *slot, kin_message *ret_message)
{
    uint64_t size = kin__slot_bytes(slot);
    uint32_t handle_count = kin__slot_handle_count(slot);
    bool is_sound = kin__block_capacity(slot->block) >= size + handle_count * sizeof(kin_handle) &&
                    kin__block_give(slot->block, kin__queue_owner(get->index),
                                    kin__block_of_member(kin__family.owner));
    if (is_sound) {
        ret_message->size = size;
        ret_message->place = slot->block;
        ret_message->handle_count = handle_count;
    }
    leave_slot(get, slot);
    return is_sound ? 0 : -EBADMSG;
}

/* Takes a leased message out. 0, or -EBADMSG. */
static inline int take(const struct getting *get, struct slot *slot, kin_message *ret_message)
{
    if (kin__slot_is_large(slot)) {
        return take_large(get, slot, ret_message);
    }
    ret_message->size = kin__slot_bytes(slot);
    ret_message->place = 0;
    ret_message->handle_count = 0;
    kin__small_copy(ret_message->small, slot->small, ret_message->size);
    leave_slot(get, slot);
    return 0;
}

/* Up to BATCH_MAX messages. How many, or a code. */
static int get_some(struct getting *get, kin_message *ret_messages, uint32_t count,
                    kin_timeout timeout)
{
    struct slot *slots[BATCH_MAX];
    int leased = kin__head_lease(get, slots, count, timeout);
    int taken = 0;
    int r = leased;
    for (int i = 0; i < leased; i++) {
        int code = take(get, slots[i], &ret_messages[taken]);
        taken += code == 0;
        r = code < 0 ? code : r;
    }
    return taken > 0 ? taken : r;
}

/* In a joinable queue the thread has to do with the queue until its tasks are done. */
static int begin(const kin_queue *queue, struct getting *ret_get)
{
    int r = kin__get_begin(queue, SLOT_LEASED, ret_get);
    if (r == 0 && ret_get->queue->is_joinable) {
        kin__holding_note(ret_get->self, ret_get->index);
    }
    return r;
}

/* Nothing was there: who polls is to hear of what comes. */
static int end_of_wait(kin_queue *queue, int code)
{
    if (code != -EPIPE) {
        kin__bell_rearm(&queue->bell);
    }
    return code;
}

int kin_queue_get_bytes(kin_queue *queue, kin_timeout timeout, kin_message *ret_message)
{
    struct getting get;
    struct slot *slot = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = ret_message == NULL ? -EINVAL : begin(queue, &get);
    }
    if (r == 0) {
        r = kin__head_lease(&get, &slot, 1, timeout);
        r = r < 0 ? end_of_wait(queue, r) : take(&get, slot, ret_message);
        kin__get_end(&get);
    }
    return r;
}

int kin_queue_get_many_bytes(kin_queue *queue, uint32_t count_max, kin_timeout timeout,
                             kin_message *ret_messages)
{
    struct getting get;
    int r = kin__timeout_check(timeout);
    if (r == 0 && (ret_messages == NULL || count_max == 0 || count_max > INT_MAX)) {
        r = -EINVAL;
    }
    if (r == 0) {
        r = begin(queue, &get);
    }
    if (r < 0) {
        return r;
    }
    uint32_t done = 0;
    do {
        uint32_t wanted = count_max - done < BATCH_MAX ? count_max - done : BATCH_MAX;
        r = get_some(&get, ret_messages + done, wanted, done == 0 ? timeout : KIN_NOW);
        done += r > 0 ? (uint32_t)r : 0;
    } while (r == BATCH_MAX && done < count_max);
    kin__get_end(&get);
    return done != 0 ? (int)done : end_of_wait(queue, r);
}
