/**
 * Putting into and getting out of a local queue, and waiting until that is possible.
 */
#include "local/chain.h"
#include "local/heap.h"

#include "base/allocate.h"
#include "family/sleep.h"

#include <limits.h>

/* Try once, without waiting; the number of items moved, at least 1, or -EAGAIN: full, or empty;
 * -EPIPE; -ENOMEM. */
typedef int attempt(struct local_move *move);

/* --- once --- */

/* How many of `count` items fit; looks at the other end only if it has to. Under put_lock. */
static size_t count_space(kin_local_queue *queue, size_t count)
{
    uint64_t put = atomic_load_explicit(&queue->put_count, memory_order_relaxed);
    uint64_t count_max = queue->item_count_max;
    if (count_max - (put - queue->taken_seen) < count) {
        /* Pairs with the release in the takes. */
        queue->taken_seen = atomic_load_explicit(&queue->taken_count, memory_order_acquire);
        uint64_t space = count_max - (put - queue->taken_seen);
        return space < count ? (size_t)space : count;
    }
    return count;
}

/* Under put_lock. 0: needs more room. */
static int append(struct local_move *move, struct local_room *room)
{
    kin_local_queue *queue = move->queue;
    if (atomic_load_explicit(&queue->is_closed, memory_order_relaxed)) {
        return -EPIPE;
    }
    size_t count = count_space(queue, move->count);
    if (count == 0) {
        return -EAGAIN;
    }
    uint64_t space = queue->item_count_max + queue->taken_seen;
    count = __builtin_expect(queue->order == KIN_LOCAL_FIFO, 1)
                ? kin__local_chain_append(move, count, room)
                : kin__local_heap_append(move, count, room);
    move->has_more = space > atomic_load_explicit(&queue->put_count, memory_order_relaxed);
    return (int)count;
}

static int try_put(struct local_move *move)
{
    struct local_room room = {0};
    int r = 0;
    for (;;) {
        kin__lock_acquire(&move->queue->put_lock, move->self);
        r = append(move, &room);
        kin__lock_release(&move->queue->put_lock, move->self);
        if (__builtin_expect(r != 0, 1)) {
            break;
        }
        r = move->queue->order == KIN_LOCAL_FIFO ? kin__local_chain_expand(&room)
                                                 : kin__local_heap_expand(&room);
        if (r < 0) {
            break;
        }
    }
    if (__builtin_expect(room.memory != NULL, 0)) {
        kin__release(room.memory);
    }
    return r;
}

static inline size_t take_some(struct local_move *move, struct local_room *room)
{
    kin_local_queue *queue = move->queue;
    return __builtin_expect(queue->order == KIN_LOCAL_FIFO, 1)
               ? kin__local_chain_take(queue, move->items, move->count, room)
               : kin__local_heap_take(queue, move->items, move->count, room);
}

/* Under the lock of those who get. */
static int take(struct local_move *move, struct local_room *room)
{
    kin_local_queue *queue = move->queue;
    if (atomic_load_explicit(&queue->is_shut_down, memory_order_relaxed)) {
        return -EPIPE;
    }
    size_t count = take_some(move, room);
    if (count == 0) {
        /* Nothing is put after the close: what was put before is found by the second look. */
        bool is_closed = atomic_load(&queue->is_closed);
        count = is_closed ? take_some(move, room) : 0;
        if (count == 0) {
            return is_closed ? -EPIPE : -EAGAIN;
        }
    }
    uint64_t seen = queue->order == KIN_LOCAL_FIFO
                        ? queue->put_seen
                        : atomic_load_explicit(&queue->put_count, memory_order_relaxed);
    move->has_more = seen != atomic_load_explicit(&queue->taken_count, memory_order_relaxed);
    return (int)count;
}

static int try_get(struct local_move *move)
{
    kin_local_queue *queue = move->queue;
    struct kin__lock *lock = kin__local_queue_get_lock(queue);
    struct local_room room = {0};
    kin__lock_acquire(lock, move->self);
    int r = take(move, &room);
    kin__lock_release(lock, move->self);
    if (__builtin_expect(room.memory != NULL, 0)) {
        if (queue->order == KIN_LOCAL_FIFO) {
            kin__local_chain_keep(queue, room.memory);
        } else {
            kin__release(room.memory);
        }
    }
    return r;
}

/* --- waiting --- */

/* Whether somebody else who sleeps on `count` may go on. */
static bool may_go_on(const kin_local_queue *queue, const _Atomic uint32_t *count)
{
    uint64_t item_count = kin_local_queue_item_count(queue);
    bool is_possible = count == &queue->items ? item_count != 0
                                              : item_count < queue->item_count_max;
    return is_possible || atomic_load(&queue->is_closed);
}

/* Looks again for a while. -EAGAIN: in vain. */
static int spin_and_try(struct local_move *move, attempt *try_once)
{
    struct kin__spin spin = kin__spin_begin_gathering();
    int r = -EAGAIN;
    while (r == -EAGAIN && kin__spin_again(&spin)) {
        r = try_once(move);
    }
    if (r > 0) {
        kin__spin_learn(r > 1 || move->has_more);
    }
    return r;
}

/* Tries until it succeeds, or the wait is over; sleeps on `count` in between. */
static int wait_and_try(struct local_move *move, attempt *try_once, _Atomic uint32_t *count,
                        kin_timeout timeout)
{
    kin_local_queue *queue = move->queue;
    int r = kin__timeout_is_over(timeout);
    if (r < 0) {
        return r;
    }
    r = spin_and_try(move, try_once);
    if (r != -EAGAIN) {
        return r;
    }
    for (;;) {
        uint32_t key = kin__count_prepare(count);
        r = try_once(move);
        if (r != -EAGAIN) {
            break;
        }
        r = kin__sleep(count, key, timeout);
        if (r < 0) {
            break;
        }
    }
    kin__count_pass(count);
    if (may_go_on(queue, count)) {
        kin__count_raise(count, 1);
    }
    return r;
}

static inline int put(struct local_move *move, kin_timeout timeout)
{
    int r = try_put(move);
    if (__builtin_expect(r == -EAGAIN, 0)) {
        r = wait_and_try(move, try_put, &move->queue->space, timeout);
    }
    if (r > 0) {
        kin__count_raise(&move->queue->items, (uint32_t)r);
    }
    return r;
}

static inline int get(struct local_move *move, kin_timeout timeout)
{
    int r = try_get(move);
    if (__builtin_expect(r == -EAGAIN, 0)) {
        r = wait_and_try(move, try_get, &move->queue->items, timeout);
    }
    if (r > 0) {
        kin__count_raise(&move->queue->space, (uint32_t)r);
    }
    return r;
}

/* --- the calls --- */

static inline int begin_move(kin_local_queue *queue, kin_timeout timeout, struct local_move *move)
{
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = kin__local_queue_enter(queue, &move->self);
    }
    move->queue = queue;
    return r;
}

int kin_local_queue_put(kin_local_queue *queue, void *item, kin_timeout timeout)
{
    struct local_move move = {.items = &item, .count = 1};
    int r = begin_move(queue, timeout, &move);
    if (r == 0) {
        r = put(&move, timeout);
    }
    return r < 0 ? r : 0;
}

int kin_local_queue_put_priority(kin_local_queue *queue, void *item, int64_t priority,
                                 kin_timeout timeout)
{
    struct local_move move = {.items = &item, .count = 1, .priority = priority};
    int r = begin_move(queue, timeout, &move);
    if (r == 0) {
        r = queue->order == KIN_LOCAL_PRIORITY ? put(&move, timeout) : -EINVAL;
    }
    return r < 0 ? r : 0;
}

int kin_local_queue_put_array(kin_local_queue *queue, void *const *items, size_t count,
                              kin_timeout timeout)
{
    struct local_move move = {0};
    int r = (items == NULL && count != 0) || count > INT_MAX ? -EINVAL : 0;
    if (r == 0) {
        r = begin_move(queue, timeout, &move);
    }
    size_t done = 0;
    while (r >= 0 && done < count) {
        move.items = (void **)items + done; /* a put only reads them */
        move.count = count - done;
        r = put(&move, timeout);
        done += r > 0 ? (size_t)r : 0;
    }
    return done > 0 ? (int)done : r;
}

int kin_local_queue_get(kin_local_queue *queue, kin_timeout timeout, void **ret_item)
{
    struct local_move move = {.items = ret_item, .count = 1};
    int r = ret_item == NULL ? -EINVAL : begin_move(queue, timeout, &move);
    if (r == 0) {
        r = get(&move, timeout);
    }
    return r < 0 ? r : 0;
}

int kin_local_queue_get_array(kin_local_queue *queue, size_t count, kin_timeout timeout,
                              void **ret_items)
{
    struct local_move move = {.items = ret_items, .count = count};
    int r = ret_items == NULL || count == 0 || count > INT_MAX ? -EINVAL : 0;
    if (r == 0) {
        r = begin_move(queue, timeout, &move);
    }
    return r < 0 ? r : get(&move, timeout);
}
