/* The C library's, shared by processes. What a killed one had taken does not come back. */

#include "sync/steps.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

static sem_t *semaphores;
static pthread_rwlock_t *rwlock;
static pthread_barrier_t *barrier;

static void must(int code)
{
    if (__builtin_expect(code != 0, 0)) {
        harness_die("the C library refuses: %s", strerror(code < 0 ? errno : code));
    }
}

static void open_semaphores(uint32_t permits, bool is_bounded)
{
    (void)is_bounded; /* there is no such thing */
    semaphores = harness_share(2 * STEPS_LINE_BYTES);
    must(sem_init(&semaphores[0], true, permits));
    must(sem_init(&semaphores[STEPS_LINE_BYTES / sizeof(sem_t)], true, 0));
}

static void open_rwlock(void)
{
    pthread_rwlockattr_t attributes;
    rwlock = harness_share(sizeof *rwlock);
    must(pthread_rwlockattr_init(&attributes));
    must(pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    must(pthread_rwlock_init(rwlock, &attributes));
}

static void open_barrier(unsigned party_count)
{
    pthread_barrierattr_t attributes;
    barrier = harness_share(sizeof *barrier);
    must(pthread_barrierattr_init(&attributes));
    must(pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    must(pthread_barrier_init(barrier, &attributes, party_count));
}

static void acquire(unsigned which)
{
    must(sem_wait(&semaphores[which * (STEPS_LINE_BYTES / sizeof(sem_t))]));
}

static void release(unsigned which)
{
    must(sem_post(&semaphores[which * (STEPS_LINE_BYTES / sizeof(sem_t))]));
}

static uint32_t permits_left(void)
{
    int value = 0;
    must(sem_getvalue(&semaphores[0], &value));
    return (uint32_t)value;
}

static void acquire_read(void)
{
    must(pthread_rwlock_rdlock(rwlock));
}

static void acquire_write(void)
{
    must(pthread_rwlock_wrlock(rwlock));
}

static void release_rwlock(void)
{
    must(pthread_rwlock_unlock(rwlock));
}

static bool wait(void)
{
    int r = pthread_barrier_wait(barrier);
    must(r == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : r);
    return r == PTHREAD_BARRIER_SERIAL_THREAD;
}

static const steps_operations operations = {
    acquire, release, acquire_read, release_rwlock, acquire_write, release_rwlock, wait,
};

STEPS_LOOPS(operations)

const steps_subject steps_measured = {
    open_semaphores, open_rwlock, open_barrier, run_permits,    run_turns,
    run_rwlock,      run_barrier, permits_left, &harness_forks,
};
