/**
 * The fd of a queue for poll: see family/bell.h. A get that finds nothing arms it again.
 */
#include "queue/bell.h"

#include "family/bell.h"
#include "queue/head.h"

#include <errno.h>

bool kin__queue_has_something(const kin_queue *queue)
{
    struct getting get;
    if (kin__get_begin(queue, SLOT_LEASED, &get) < 0) {
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

static bool is_ready(const void *object)
{
    return kin__queue_has_something(object);
}

int kin__queue_watch(const kin_queue *queue, _Atomic uint32_t **ret_count)
{
    struct queue_shared *shared = NULL;
    struct kin__thread *self = NULL;
    int r = kin__object_enter(queue, &shared, &self);
    if (r == 0) {
        *ret_count = &shared->watch;
    }
    return r;
}

int kin_queue_event_fd(kin_queue *queue, int *ret_fd)
{
    struct kin__bell_plan plan = {.is_ready = is_ready, .object = queue};
    int r = ret_fd == NULL ? -EINVAL : kin__queue_watch(queue, &plan.count);
    return r < 0 ? r : kin__bell_fd(&queue->bell, &plan, ret_fd);
}
