#define _GNU_SOURCE
#include "storm/work.h"

#include <errno.h>
#include <inttypes.h>
#include <kin/error.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

bool work_create(struct work *work, uint32_t worker_count)
{
    *work = (struct work){0};
    work->board = mmap(NULL, sizeof *work->board, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (work->board == MAP_FAILED) {
        puts("  no memory for the board");
        return false;
    }
    /* Room for one message of each: who puts never waits for one who waits to put. */
    const kin_queue_options *options = KIN_OPTIONS(kin_queue_options,
                                                   .item_count_max = worker_count);
    bool is = kin_lock_create(NULL, &work->lock) == 0 &&
              kin_queue_create(options, &work->queue) == 0 &&
              kin_condition_create(NULL, &work->condition) == 0 &&
              kin_event_create(NULL, &work->event) == 0;
    if (!is) {
        puts("  the objects cannot be made");
    }
    return is;
}

void work_free(struct work *work)
{
    kin_lock_free(work->lock);
    kin_queue_free(work->queue);
    kin_condition_free(work->condition);
    kin_event_free(work->event);
    munmap(work->board, sizeof *work->board);
}

static void expect(const struct work *work, bool is_right)
{
    atomic_fetch_add(&work->board->wrong_count, !is_right);
}

static void use_lock(const struct work *work, kin_timeout timeout)
{
    volatile uint64_t *pair = work->board->pair;
    int r = kin_lock_acquire(work->lock, timeout);
    if (r == -ETIMEDOUT) {
        expect(work, kin_now_ns() >= timeout.deadline_ns);
        return;
    }
    expect(work, r == 0 && pair[0] == pair[1]);
    pair[0]++;
    pair[1]++;
    expect(work, kin_lock_release(work->lock) == 0);
}

static void use_queue(const struct work *work, uint64_t value)
{
    kin_message message;
    expect(work, kin_queue_put_bytes(work->queue, &value, sizeof value, KIN_FOREVER) == 0);
    atomic_fetch_add(&work->board->put_sum, value);
    if (kin_queue_get_bytes(work->queue, KIN_FOREVER, &message) != 0) {
        expect(work, false);
        return;
    }
    uint64_t got = 0;
    kin_bytes bytes = kin_message_bytes(&message);
    expect(work, bytes.size == sizeof got);
    memcpy(&got, bytes.data, sizeof got);
    atomic_fetch_add(&work->board->got_sum, got);
    kin_message_free(&message);
}

struct meeting {
    const struct work_board *board;
    uint64_t number;
};

static bool has_met(void *user)
{
    const struct meeting *meeting = user;
    return meeting->board->meeting_count != meeting->number;
}

/* Two meet: the first waits for the second, not for ever. */
static void use_condition(const struct work *work)
{
    struct work_board *board = work->board;
    kin_timeout timeout = kin_within_ms(2);
    expect(work, kin_condition_acquire(work->condition, KIN_FOREVER) == 0);
    struct meeting meeting = {.board = board, .number = board->meeting_count};
    if (board->is_awaited) {
        board->is_awaited = false;
        board->meeting_count++;
        expect(work, kin_condition_notify(work->condition, 1) <= 1);
    } else {
        board->is_awaited = true;
        int r = kin_condition_wait_for(work->condition, has_met, &meeting, timeout);
        bool is_late = r == -ETIMEDOUT && kin_now_ns() >= timeout.deadline_ns;
        expect(work, is_late ? board->is_awaited && !has_met(&meeting) : r == 0);
        board->is_awaited = r == 0 && board->is_awaited; /* perhaps by the next one */
    }
    expect(work, kin_condition_release(work->condition) == 0);
}

static void use_event(const struct work *work, bool is_setter)
{
    kin_timeout timeout = kin_within_ms(1);
    if (is_setter) {
        expect(work, kin_event_set(work->event) == 0);
        expect(work, kin_event_clear(work->event) == 0);
        return;
    }
    int r = kin_event_wait(work->event, timeout);
    expect(work, r == 0 || (r == -ETIMEDOUT && kin_now_ns() >= timeout.deadline_ns));
}

void work_once(const struct work *work)
{
    uint64_t round = atomic_fetch_add(&work->board->round_count, 1);
    use_lock(work, round % 8 == 0 ? kin_within_ms(1) : KIN_FOREVER);
    use_queue(work, round);
    use_condition(work);
    if (round % 16 < 2) {
        use_event(work, round % 16 == 0);
    }
}

bool work_is_right(const struct work *work)
{
    const struct work_board *board = work->board;
    bool is = atomic_load(&board->wrong_count) == 0 && !board->is_awaited &&
              board->pair[0] == board->pair[1] &&
              atomic_load(&board->put_sum) == atomic_load(&board->got_sum) &&
              kin_queue_item_count(work->queue) == 0 && !kin_lock_is_locked(work->lock);
    if (!is) {
        printf("  %" PRIu64 " wrong results, %" PRIu64 " and %" PRIu64 " behind the lock, %" PRIu64
               " put, %" PRIu64 " got\n",
               atomic_load(&board->wrong_count), board->pair[0], board->pair[1],
               atomic_load(&board->put_sum), atomic_load(&board->got_sum));
    }
    return is;
}
