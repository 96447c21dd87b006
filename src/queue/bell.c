#include "queue/bell.h"

#include "base/allocate.h"
#include "family/keeper.h"
#include "os/event_fd.h"
#include "os/memory.h"
#include "queue/head.h"

#include <errno.h>

struct kin__bell {
    struct kin__errand errand;
    kin_queue *queue;
    int fd;
    uint32_t process; /* whose it is: a forked child has a copy, which is of no use to it */
    _Atomic bool is_armed;
};

/* Whether a get would return, one way or the other. */
static bool has_something(const kin_queue *queue)
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

/* In the keeper. */
static bool look(struct kin__errand *errand)
{
    struct kin__bell *bell = KIN_CONTAINER_OF(errand, struct kin__bell, errand);
    if (!atomic_load(&bell->is_armed)) {
        return false;
    }
    if (!has_something(bell->queue)) {
        return true;
    }
    atomic_store(&bell->is_armed, false);
    kin__os_event_fd_ring(bell->fd);
    return false;
}

static bool is_own(const struct kin__bell *bell)
{
    return bell != NULL && bell->process == kin__family.owner &&
           bell->queue->object.generation == kin__family.generation;
}

static void discard(struct kin__bell *bell)
{
    if (bell != NULL) {
        kin__os_close(bell->fd);
        kin__release(bell);
    }
}

static int create(kin_queue *queue, struct kin__bell **ret_bell)
{
    struct kin__bell *bell = kin__allocate_zeroed(sizeof *bell);
    if (bell == NULL) {
        return -ENOMEM;
    }
    struct queue_shared *shared = queue->object.shared;
    bell->errand = (struct kin__errand){.count = &shared->watch, .look = look};
    bell->queue = queue;
    bell->process = kin__family.owner;
    atomic_store(&bell->is_armed, true);
    int r = kin__os_event_fd_create(&bell->fd);
    if (r < 0) {
        kin__release(bell);
        return r;
    }
    *ret_bell = bell;
    return 0;
}

int kin_queue_event_fd(kin_queue *queue, int *ret_fd)
{
    struct queue_shared *shared = NULL;
    struct kin__thread *self = NULL;
    struct kin__bell *bell = NULL;
    int r = ret_fd == NULL ? -EINVAL : kin__object_enter(queue, &shared, &self);
    if (r < 0) {
        return r;
    }
    struct kin__bell *found = atomic_load(&queue->bell);
    if (!is_own(found)) {
        r = create(queue, &bell);
        if (r < 0) {
            return r;
        }
        if (atomic_compare_exchange_strong(&queue->bell, &found, bell)) {
            discard(found); /* the parent's */
            kin__errand_add(&bell->errand);
            found = bell;
        } else { /* another thread was faster */
            discard(bell);
        }
    }
    *ret_fd = found->fd;
    return 0;
}

void kin__bell_rearm(const kin_queue *queue)
{
    struct kin__bell *bell = atomic_load(&queue->bell);
    if (is_own(bell) && !atomic_load(&bell->is_armed)) {
        kin__os_event_fd_clear(bell->fd);
        atomic_store(&bell->is_armed, true);
        kin__keeper_tell();
    }
}

void kin__bell_free(kin_queue *queue)
{
    struct kin__bell *bell = atomic_load(&queue->bell);
    if (is_own(bell)) {
        kin__errand_remove(&bell->errand);
    }
    discard(bell);
}
