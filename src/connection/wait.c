/**
 * kin_wait_many: fds are polled, those of connections too; queues and events, and connections of
 * which others may read ahead, are watched by the process's keeper, which rings one eventfd for the
 * call, that is polled beside the fds.
 *
 *     look at what is watched; something is ready: look at the fds as well, done
 *     look at the fds, if the keeper would be needed; one is ready: done
 *     errands for the keeper; it looks at once, so nothing is missed in between
 *     poll; take the errands back
 *     look again: others may have been faster
 *
 * The errands belong to the call, not to the queue or event: so a thread cannot take away what
 * another one waits for, and an event that is set and cleared at once is seen by each whose wait
 * had begun.
 */
#include "base/allocate.h"
#include "connection/connection.h"
#include "connection/layout.h"
#include "connection/poll.h"
#include "connection/receive.h"
#include "family/keeper.h"
#include "family/sleep.h"
#include "os/event_fd.h"
#include "os/memory.h"
#include "queue/bell.h"
#include "sync/event.h"

#include <errno.h>
#include <kin/wait.h>
#include <limits.h>

/* So many items need no allocation; the bell and the token come behind the fds. */
#define SMALL_COUNT 16u
#define POLLS_MORE 2u

struct waiting;

/* A queue, an event, or what was read ahead from a connection. Written by the caller while the
 * keeper does not have it. */
struct watch {
    struct kin__errand errand;
    const struct waiting *waiting;
    const kin_wait_item *item;
    uint32_t start;  /* an event's count when the wait began */
    bool needs_bell; /* can become ready without an fd being so */
    bool is_ready;   /* at the last look of the caller */
};

/* A call. Fds and watches stand in the order of their items. */
struct waiting {
    const kin_wait_item *items;
    uint32_t count;
    uint32_t poll_count;
    uint32_t watch_count;
    uint32_t errand_count;
    int bell; /* -1: not made yet */
    struct kin__os_poll *polls;
    struct watch *watches;
    struct kin__os_poll small_polls[SMALL_COUNT + POLLS_MORE];
    struct watch small_watches[SMALL_COUNT];
};

static bool is_fd(const kin_wait_item *item)
{
    return item->kind == KIN_WAIT_READ || item->kind == KIN_WAIT_WRITE;
}

static bool has_fd(const kin_wait_item *item)
{
    return is_fd(item) || item->kind == KIN_WAIT_CONNECTION;
}

static bool is_watch_ready(const struct watch *watch)
{
    switch (watch->item->kind) {
    case KIN_WAIT_QUEUE:
        return kin__queue_has_something(watch->item->queue);
    case KIN_WAIT_CONNECTION:
        return kin__connection_has_message(watch->item->connection);
    default:
        return kin__event_has_come(atomic_load(watch->errand.count), watch->start);
    }
}

/* In the keeper. */
static bool look(struct kin__errand *errand)
{
    const struct watch *watch = KIN_CONTAINER_OF(errand, struct watch, errand);
    bool is_ready = is_watch_ready(watch);
    if (is_ready) {
        kin__os_event_fd_ring(watch->waiting->bell);
    }
    return !is_ready;
}

/* --- preparing --- */

static int add_poll(struct waiting *waiting, int fd, int16_t wanted)
{
    waiting->polls[waiting->poll_count++] = (struct kin__os_poll){.fd = fd, .wanted = wanted};
    return fd < 0 ? -EINVAL : 0;
}

static int add_connection(struct waiting *waiting, struct watch *watch)
{
    struct calling calling;
    int r = kin__connection_enter(watch->item->connection, KIN_NOW, &calling);
    if (r < 0) {
        return r;
    }
    watch->errand.count = &calling.end->receiver.watch;
    /* Of an end for exact reading bytes are left only by one who is killed. */
    watch->needs_bell = !atomic_load(&calling.end->receiver.is_exact) ||
                        !kin__receiver_is_alone(&calling);
    r = calling.end->is_readable ? 0 : -EBADF;
    return r < 0 ? r : add_poll(waiting, calling.connection->transport->fd, KIN__OS_POLL_READ);
}

static int add_event(struct watch *watch)
{
    int r = kin__event_count(watch->item->event, &watch->errand.count);
    if (r == 0) {
        watch->start = atomic_load(watch->errand.count);
    }
    return r;
}

static int add_watch(struct waiting *waiting, const kin_wait_item *item)
{
    struct watch *watch = &waiting->watches[waiting->watch_count++];
    *watch = (struct watch){
        .waiting = waiting, .item = item, .needs_bell = true, .errand.look = look};
    int r = item->kind == KIN_WAIT_QUEUE   ? kin__queue_watch(item->queue, &watch->errand.count)
            : item->kind == KIN_WAIT_EVENT ? add_event(watch)
                                           : add_connection(waiting, watch);
    waiting->errand_count += watch->needs_bell;
    return r;
}

static int add(struct waiting *waiting, const kin_wait_item *item)
{
    switch (item->kind) {
    case KIN_WAIT_READ:
        return add_poll(waiting, item->fd, KIN__OS_POLL_READ);
    case KIN_WAIT_WRITE:
        return add_poll(waiting, item->fd, KIN__OS_POLL_WRITE);
    case KIN_WAIT_CONNECTION:
    case KIN_WAIT_QUEUE:
    case KIN_WAIT_EVENT:
        return add_watch(waiting, item);
    default:
        return -EINVAL;
    }
}

static int allocate(struct waiting *waiting)
{
    waiting->polls = waiting->small_polls;
    waiting->watches = waiting->small_watches;
    if (waiting->count <= SMALL_COUNT) {
        return 0;
    }
    uint64_t watches = 0;
    uint64_t polls = POLLS_MORE;
    for (uint32_t i = 0; i < waiting->count; i++) {
        watches += !is_fd(&waiting->items[i]);
        polls += has_fd(&waiting->items[i]);
    }
    unsigned char *memory = kin__allocate(watches * sizeof *waiting->watches +
                                          polls * sizeof *waiting->polls);
    if (memory == NULL) {
        return -ENOMEM;
    }
    waiting->watches = (struct watch *)(void *)memory;
    waiting->polls = (struct kin__os_poll *)(void *)(waiting->watches + watches);
    return 0;
}

static int prepare(struct waiting *waiting)
{
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < waiting->count; i++) {
        r = add(waiting, &waiting->items[i]);
    }
    return r;
}

static void end(struct waiting *waiting)
{
    if (waiting->bell >= 0) {
        kin__os_close(waiting->bell);
    }
    if (waiting->watches != waiting->small_watches) {
        kin__release(waiting->watches);
    }
}

/* --- looking --- */

/* Whether one is ready. */
static bool look_at_watches(const struct waiting *waiting)
{
    bool is_any = false;
    for (uint32_t i = 0; i < waiting->watch_count; i++) {
        waiting->watches[i].is_ready = is_watch_ready(&waiting->watches[i]);
        is_any |= waiting->watches[i].is_ready;
    }
    return is_any;
}

static int look_at_fds(const struct waiting *waiting)
{
    return waiting->poll_count == 0
               ? 0
               : kin__os_poll(waiting->polls, waiting->poll_count, KIN_NOW.deadline_ns);
}

/* What each item is. How many are ready, or -EBADF. */
static int tell(const struct waiting *waiting, kin_wait_item *items)
{
    const struct kin__os_poll *poll = waiting->polls;
    const struct watch *watch = waiting->watches;
    int count = 0;
    for (uint32_t i = 0; i < waiting->poll_count; i++) {
        if (poll[i].found & KIN__OS_POLL_BAD) {
            return -EBADF;
        }
    }
    for (uint32_t i = 0; i < waiting->count; i++) {
        bool is_ready = has_fd(&items[i]) && (poll++)->found != 0;
        is_ready |= !is_fd(&items[i]) && (watch++)->is_ready;
        items[i].is_ready = is_ready;
        count += is_ready;
    }
    return count;
}

/* --- sleeping --- */

static int make_bell(struct waiting *waiting)
{
    if (waiting->bell >= 0) {
        kin__os_event_fd_clear(waiting->bell);
        return 0;
    }
    return kin__os_event_fd_create(&waiting->bell);
}

/* Sleeps until an fd is ready, or the keeper has rung. 0, or a code. */
static int sleep_with_keeper(struct waiting *waiting, kin_timeout timeout)
{
    int r = kin__keeper_need();
    if (r == 0) {
        r = make_bell(waiting);
    }
    if (r < 0) {
        return r;
    }
    waiting->polls[waiting->poll_count] = (struct kin__os_poll){.fd = waiting->bell,
                                                                .wanted = KIN__OS_POLL_READ};
    for (uint32_t i = 0; i < waiting->watch_count; i++) {
        if (waiting->watches[i].needs_bell) {
            kin__errand_add(&waiting->watches[i].errand);
        }
    }
    kin__keeper_tell();
    r = kin__poll(waiting->polls, waiting->poll_count + 1, timeout);
    for (uint32_t i = 0; i < waiting->watch_count; i++) {
        if (waiting->watches[i].needs_bell) {
            kin__errand_remove(&waiting->watches[i].errand);
        }
    }
    return r > 0 ? 0 : r;
}

/* 0: something is ready; or a code. What is ready when the time is over counts. */
static int wait(struct waiting *waiting, kin_timeout timeout)
{
    int over = kin__timeout_is_over(timeout);
    for (;;) {
        bool is_ready = look_at_watches(waiting);
        bool may_sleep = !is_ready && waiting->errand_count == 0 && over == 0;
        int r = may_sleep ? kin__poll(waiting->polls, waiting->poll_count, timeout)
                          : look_at_fds(waiting);
        if (r != 0 || is_ready) {
            return r < 0 ? r : 0;
        }
        if (over < 0) {
            return over;
        }
        over = sleep_with_keeper(waiting, timeout);
    }
}

int kin_wait_many(kin_wait_item *items, uint32_t count, kin_timeout timeout)
{
    struct waiting waiting; /* large: what counts is filled in */
    int r = kin__timeout_check(timeout);
    if (r < 0 || (items == NULL && count != 0) || count > INT_MAX) {
        return -EINVAL;
    }
    waiting.items = items;
    waiting.count = count;
    waiting.poll_count = 0;
    waiting.watch_count = 0;
    waiting.errand_count = 0;
    waiting.bell = -1;
    r = allocate(&waiting);
    if (r < 0) {
        return r;
    }
    r = prepare(&waiting);
    if (r == 0) {
        r = wait(&waiting, timeout);
    }
    if (r == 0) {
        r = tell(&waiting, items);
    }
    end(&waiting);
    return r;
}
