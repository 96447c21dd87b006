/*
 * What all do in a storm: rounds over the same lock, queue, condition and event, each of which
 * leaves these as it found them. So at the end the sums must be right, whoever was interrupted.
 */
#ifndef CRASH_STORM_WORK_H
#define CRASH_STORM_WORK_H

#include <kin/condition.h>
#include <kin/event.h>
#include <kin/lock.h>
#include <kin/queue.h>
#include <stdatomic.h>

/* Seen by all processes. */
struct work_board {
    _Atomic uint64_t round_count;
    _Atomic uint64_t alarm_count;
    _Atomic uint64_t wrong_count; /* a result that nobody should get */
    _Atomic uint64_t put_sum;
    _Atomic uint64_t got_sum;
    _Atomic uint32_t is_over;
    volatile uint64_t pair[2];       /* alike, under the lock */
    volatile uint64_t meeting_count; /* under the condition's lock, as the next one */
    volatile uint32_t is_awaited;    /* one has come to meet another */
};

struct work {
    struct work_board *board;
    kin_lock *lock;
    kin_queue *queue;
    kin_condition *condition;
    kin_event *event;
};

/* For at most `worker_count` at work at a time. False: it says why. */
bool work_create(struct work *work, uint32_t worker_count);
void work_free(struct work *work);

/* One round, of all objects. */
void work_once(const struct work *work);

/* When all have ended: whether the sums are right; it says what is not. */
bool work_is_right(const struct work *work);

#endif
