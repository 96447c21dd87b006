/*
 * The killer: a thread that kills workers while a pool is at work, to show that no word gets
 * lost. It picks tasks spread evenly over the run; when a worker has just begun one, the killer
 * waits for a random part of the time that tasks take, and kills the worker if it is still at
 * it. A task that is over too soon is let go, and a later one taken instead.
 */
#ifndef WORDS_KILLER_H
#define WORDS_KILLER_H

#include <kin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct killer {
    const kin_pool *pool;
    uint64_t task_count;
    uint64_t kill_count;     /* workers to kill */
    uint64_t killed_count;   /* written by the thread, to be read after killer_stop */
    uint64_t next_index;     /* the thread's own: the next task to look at */
    unsigned short dice[3];  /* the thread's own */
    atomic_bool is_stopping; /* written by killer_stop, read by the thread */
    pthread_t thread;
};

/* Starts the thread, unless there is nobody to kill. Returns 0 or -errno. */
int killer_start(struct killer *killer, const kin_pool *pool, uint64_t task_count,
                 uint64_t kill_count);

/* Waits until the thread has ended. To be called before the pool is freed. */
void killer_stop(struct killer *killer);

#endif
