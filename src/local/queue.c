/**
 * kin_local_queue: making, ending, counting; putting and getting are in move.c.
 */
#include "local/chain.h"
#include "local/heap.h"

#include "base/allocate.h"
#include "family/sleep.h"
#include "os/process.h"

/* --- making --- */

/* Memory is aligned by hand: a line is more than what an allocator aligns to. */
static kin_local_queue *allocate_queue(void)
{
    unsigned char *memory = kin__allocate_zeroed(sizeof(kin_local_queue) + KIN__MEMORY_LINE);
    if (memory == NULL) {
        return NULL;
    }
    size_t over = (uintptr_t)memory % KIN__MEMORY_LINE;
    kin_local_queue *queue = (void *)(memory + (KIN__MEMORY_LINE - over));
    queue->memory = memory;
    return queue;
}

static int create(const kin_local_queue_options *options, kin_local_queue **ret_queue)
{
    int r = kin__thread_register();
    if (r < 0) {
        return r;
    }
    kin_local_queue *queue = allocate_queue();
    if (queue == NULL) {
        return -ENOMEM;
    }
    queue->order = options->order;
    queue->item_count_max = options->item_count_max == 0 ? UINT64_MAX : options->item_count_max;
    queue->free_item = options->free_item;
    queue->pid = kin__os_process_id();
    queue->owner = kin__family.owner;
    queue->generation = kin__family.generation;
    r = queue->order == KIN_LOCAL_FIFO ? kin__local_chain_init(queue) : 0;
    if (r < 0) {
        kin__release(queue->memory);
        return r;
    }
    *ret_queue = queue;
    return 0;
}

int kin_local_queue_create(const kin_local_queue_options *options, kin_local_queue **ret_queue)
{
    static const kin_local_queue_options defaults = {.size = sizeof defaults};
    options = options == NULL ? &defaults : options;
    if (ret_queue == NULL || options->size != sizeof *options ||
        (unsigned)options->order > KIN_LOCAL_PRIORITY) {
        return -EINVAL;
    }
    return create(options, ret_queue);
}

/* --- ending --- */

/* Takes the next item, under the lock of those who get, or with nobody else in the queue. */
static bool take_one(kin_local_queue *queue, void **ret_item, struct local_room *room)
{
    return queue->order == KIN_LOCAL_FIFO ? kin__local_chain_take(queue, ret_item, 1, room) != 0
                                          : kin__local_heap_take(queue, ret_item, 1, room) != 0;
}

kin_local_queue *kin_local_queue_free(kin_local_queue *queue)
{
    if (queue == NULL) {
        return NULL;
    }
    void *item = NULL;
    struct local_room room = {0};
    /* In a forked child the items are those of threads that it does not have. */
    bool is_own = queue->pid == kin__os_process_id();
    while (is_own && take_one(queue, &item, &room)) {
        kin__release(room.memory);
        room.memory = NULL;
        if (queue->free_item != NULL) {
            queue->free_item(item);
        }
    }
    if (queue->order == KIN_LOCAL_FIFO) {
        kin__local_chain_deinit(queue);
    } else {
        kin__local_heap_deinit(queue);
    }
    kin__release(queue->memory);
    return NULL;
}

static void close_queue(kin_local_queue *queue, struct kin__thread *self)
{
    /* Under the lock: nothing is put after it, so "closed and empty" stays true. */
    kin__lock_acquire(&queue->put_lock, self);
    atomic_store(&queue->is_closed, 1);
    kin__lock_release(&queue->put_lock, self);
}

static void wake_all(kin_local_queue *queue)
{
    kin__count_raise(&queue->items, UINT32_MAX);
    kin__count_raise(&queue->space, UINT32_MAX);
    kin__count_raise(&queue->idle, UINT32_MAX);
}

int kin_local_queue_close(kin_local_queue *queue)
{
    struct kin__thread *self = NULL;
    int r = kin__local_queue_enter(queue, &self);
    if (r == 0) {
        close_queue(queue, self);
        wake_all(queue);
    }
    return r;
}

/* Takes an item out of a queue that is shut down; it counts as done at once, whatever becomes of
 * the thread in `free_item`. */
static bool drain_one(kin_local_queue *queue, struct kin__thread *self, void **ret_item)
{
    struct kin__lock *lock = kin__local_queue_get_lock(queue);
    struct local_room room = {0};
    kin__lock_acquire(lock, self);
    bool has_one = take_one(queue, ret_item, &room);
    if (has_one) {
        atomic_fetch_add(&queue->done_count, 1);
    }
    kin__lock_release(lock, self);
    kin__count_raise(&queue->idle, UINT32_MAX);
    kin__release(room.memory);
    return has_one;
}

int kin_local_queue_shutdown(kin_local_queue *queue)
{
    struct kin__thread *self = NULL;
    int r = kin__local_queue_enter(queue, &self);
    if (r < 0) {
        return r;
    }
    struct kin__lock *get_lock = kin__local_queue_get_lock(queue);
    void *item = NULL;
    close_queue(queue, self);
    kin__lock_acquire(get_lock, self);
    atomic_store(&queue->is_shut_down, 1);
    kin__lock_release(get_lock, self);
    wake_all(queue);
    while (drain_one(queue, self, &item)) {
        if (queue->free_item != NULL) {
            queue->free_item(item);
        }
    }
    return 0;
}

bool kin_local_queue_is_closed(const kin_local_queue *queue)
{
    struct kin__thread *self = NULL;
    return kin__local_queue_enter(queue, &self) < 0 || atomic_load(&queue->is_closed) != 0;
}

uint64_t kin_local_queue_item_count(const kin_local_queue *queue)
{
    struct kin__thread *self = NULL;
    if (kin__local_queue_enter(queue, &self) < 0) {
        return 0;
    }
    uint64_t before = 0;
    uint64_t taken = 0;
    uint64_t put = atomic_load(&queue->put_count);
    do { /* until both are of one moment */
        before = put;
        taken = atomic_load(&queue->taken_count);
        put = atomic_load(&queue->put_count);
    } while (put != before);
    return put - taken;
}

/* --- joining --- */

/* Whether each item is done, or, once the queue is shut down, each that was taken. The number of
 * those that are done is read first: it is never ahead. */
static bool is_idle(const kin_local_queue *queue)
{
    uint64_t done = atomic_load(&queue->done_count);
    bool is_shut_down = atomic_load(&queue->is_shut_down);
    return done == atomic_load(is_shut_down ? &queue->taken_count : &queue->put_count);
}

int kin_local_queue_task_done(kin_local_queue *queue)
{
    struct kin__thread *self = NULL;
    int r = kin__local_queue_enter(queue, &self);
    if (r < 0) {
        return r;
    }
    uint64_t done = atomic_load(&queue->done_count);
    do {
        if (done == atomic_load(&queue->taken_count)) {
            return -EOVERFLOW;
        }
    } while (!atomic_compare_exchange_weak(&queue->done_count, &done, done + 1));
    if (is_idle(queue)) {
        kin__count_raise(&queue->idle, UINT32_MAX);
    }
    return 0;
}

int kin_local_queue_join(kin_local_queue *queue, kin_timeout timeout)
{
    struct kin__thread *self = NULL;
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = kin__local_queue_enter(queue, &self);
    }
    if (r < 0 || is_idle(queue)) {
        return r;
    }
    for (;;) {
        uint32_t key = kin__count_prepare(&queue->idle);
        if (is_idle(queue)) {
            return 0;
        }
        r = kin__sleep(&queue->idle, key, timeout); /* -EAGAIN also: KIN_NOW */
        if (r < 0) {
            return r;
        }
    }
}
