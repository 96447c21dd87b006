/**
 * The fd of a queue for poll: see family/bell.h. A get that finds nothing arms it again.
 */
#include "family/bell.h"

#include "queue/head.h"

#include <errno.h>

/* Whether a get would return, one way or the other. */
static bool has_something(const void *object)
{
    struct getting get;
    if (kin__get_begin(object, SLOT_LEASED, &get) < 0) {
        return false;
    }
    uint32_t closing = atomic_load(&get.queue->closing);
    kin__queue_lock_head(get.queue, get.index, get.self);
    bool is_ready = kin__head_settle(get.queue);
    bool is_in_hand = get.queue->skipped_count != 0 || get.queue->claimed != 0;
    kin__lock_release(&get.queue->head_lock, get.self);
    kin__get_end(&get);
    return is_ready || closing == QUEUE_SHUT || (closing == QUEUE_CLOSED && !is_in_hand);
}

int kin_queue_event_fd(kin_queue *queue, int *ret_fd)
{
    struct queue_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = ret_fd == NULL ? -EINVAL : kin__object_enter(queue, &shared, &self);
    if (r < 0) {
        return r;
    }
    struct kin__bell_plan plan = {
        .count = &shared->watch, .is_ready = has_something, .object = queue};
    return kin__bell_fd(&queue->bell, &plan, ret_fd);
}
