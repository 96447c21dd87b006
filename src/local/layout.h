/**
 * A queue in the memory of one process.
 *
 * What is the same for all orders stands in queue.c and move.c: bounds, waiting,
 * closing, joining. They count items with three numbers that only rise: put, taken, done. Where
 * the items stand is up to the order:
 *
 *     KIN_LOCAL_FIFO                       chain.h, a chain of segments, with a lock for
 *                                          those who put and one for those who get
 *     KIN_LOCAL_LIFO, KIN_LOCAL_PRIORITY   heap.h, an array, with one lock for all
 *
 * Locks are internal locks, held while a few pointers are copied; memory is allocated and freed,
 * and the program's `free_item` called, outside of them. Nobody holds two. A release is a full
 * barrier, so that the event count raised behind it (family/sleep.h) is not seen too early.
 *
 * All of it is private memory: threads of one process do not die alone, and a forked child is
 * refused (it has a copy, in which threads that it does not have may be at work).
 */
#ifndef KIN_LOCAL_LAYOUT_H
#define KIN_LOCAL_LAYOUT_H

#include "family/lock.h"

#include <errno.h>
#include <kin/local_queue.h>

#define LOCAL_SEGMENT_ITEMS 508u /* 4 KiB less what an allocator wants */
#define LOCAL_SPARE_COUNT 4u

/* Slots 0 .. of the chain, filled and emptied once in each of its lives. */
struct local_segment {
    struct local_segment *next; /* by who puts, before it counts an item that lies there */
    void *items[LOCAL_SEGMENT_ITEMS];
};

/* The next slot, on either end. */
struct local_place {
    struct local_segment *segment;
    uint32_t index; /* LOCAL_SEGMENT_ITEMS: the first of the next segment */
};

struct local_entry {
    int64_t priority;
    uint64_t ticket; /* rises with each put */
    void *item;
};

struct local_heap {
    struct local_entry *entries;
    size_t count;
    size_t capacity;
};

struct kin_local_queue {
    /* Constant. */
    void *memory; /* what was allocated; the queue lies in it, aligned */
    kin_local_order order;
    uint64_t item_count_max; /* UINT64_MAX: no limit */
    void (*free_item)(void *item);
    uint32_t pid;        /* of the process that it belongs to */
    uint32_t owner;      /* its member */
    uint32_t generation; /* of kin__family */

    /* By those who put, under put_lock; of a heap, all. */
    _Alignas(KIN__MEMORY_LINE) struct kin__lock put_lock;
    _Atomic uint32_t is_closed;
    _Atomic uint64_t put_count;
    uint64_t taken_seen; /* taken_count when somebody last had to look */
    union {
        struct local_place tail;
        struct local_heap heap;
    };

    /* By those who get, under get_lock; of a heap, under put_lock. */
    _Alignas(KIN__MEMORY_LINE) struct kin__lock get_lock;
    _Atomic uint32_t is_shut_down;
    _Atomic uint64_t taken_count;
    uint64_t put_seen; /* put_count when somebody last had to look */
    struct local_place head;

    /* Event counts, written by those who sleep and those who wake them. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t items; /* who gets sleeps on it */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint32_t space; /* who puts sleeps on it */

    /* By those who call task_done, without a lock; idle is the event count of those who join. */
    _Alignas(KIN__MEMORY_LINE) _Atomic uint64_t done_count;
    _Atomic uint32_t idle;

    /* Empty segments: from those who get to those who put, by exchange; NULL: none. */
    _Alignas(KIN__MEMORY_LINE) _Atomic(struct local_segment *) spares[LOCAL_SPARE_COUNT];
};

/* Items on their way in or out. */
struct local_move {
    kin_local_queue *queue;
    struct kin__thread *self;
    void **items; /* read by a put, written by a get */
    size_t count; /* of them, at least 1 */
    int64_t priority;
    bool has_more; /* whether one more would have been possible, as far as was seen */
};

/* Memory that was allocated for the items outside of the lock, or that they no longer need and
 * that is to be freed there. */
struct local_room {
    void *memory;
    size_t item_count;
};

/* The lock of those who get. */
static inline struct kin__lock *kin__local_queue_get_lock(kin_local_queue *queue)
{
    return __builtin_expect(queue->order == KIN_LOCAL_FIFO, 1) ? &queue->get_lock
                                                               : &queue->put_lock;
}

/* The calling thread, and whether the queue is one of this process. 0, or -EINVAL, -ESTALE,
 * KIN_EFAMILY, -ENOMEM. */
static inline int kin__local_queue_enter(const kin_local_queue *queue,
                                         struct kin__thread **ret_self)
{
    if (queue == NULL) {
        return -EINVAL;
    }
    int r = kin__self_find(ret_self);
    if (r < 0) {
        return r;
    }
    bool is_own = queue->owner == kin__family.owner && queue->generation == kin__family.generation;
    return is_own ? 0 : -ESTALE;
}

#endif
