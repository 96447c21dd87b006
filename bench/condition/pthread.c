/* A process-shared condition variable of the C library. One killed sleeper, and the next to signal
 * sleeps for ever. */

#include "condition/turns.h"

#include <pthread.h>

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
} * shared;

static void open_condition(void)
{
    pthread_mutexattr_t of_mutex;
    pthread_condattr_t of_condition;
    shared = harness_share(sizeof *shared);
    pthread_mutexattr_init(&of_mutex);
    pthread_mutexattr_setpshared(&of_mutex, PTHREAD_PROCESS_SHARED);
    pthread_condattr_init(&of_condition);
    pthread_condattr_setpshared(&of_condition, PTHREAD_PROCESS_SHARED);
    if (pthread_mutex_init(&shared->mutex, &of_mutex) != 0 ||
        pthread_cond_init(&shared->condition, &of_condition) != 0) {
        harness_die("no condition variable");
    }
}

static void must(int code)
{
    if (code != 0) {
        harness_die("the C library refuses: %d", code);
    }
}

static void acquire(void)
{
    must(pthread_mutex_lock(&shared->mutex));
}

static void release(void)
{
    must(pthread_mutex_unlock(&shared->mutex));
}

static void wait(void)
{
    must(pthread_cond_wait(&shared->condition, &shared->mutex));
}

static void notify_all(void)
{
    must(pthread_cond_broadcast(&shared->condition));
}

const turns_subject turns_measured = {open_condition, acquire,    release,
                                      wait,           notify_all, &harness_forks};
