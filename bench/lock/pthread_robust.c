/* A robust process-shared mutex of the C library: the kernel releases it when its holder dies. */

#include "lock/section.h"

#include <pthread.h>

static pthread_mutex_t *mutex;

static void open_mutex(void)
{
    pthread_mutexattr_t attributes;
    mutex = harness_share(sizeof *mutex);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (pthread_mutex_init(mutex, &attributes) != 0) {
        harness_die("no mutex");
    }
}

static uint64_t count_to(uint64_t limit, volatile uint64_t *counter)
{
    uint64_t count = 0;
    for (uint64_t now = 0; now < limit;) {
        if (pthread_mutex_lock(mutex) != 0) {
            harness_die("cannot lock");
        }
        now = *counter;
        if (now < limit) {
            *counter = ++now;
            count++;
        }
        if (pthread_mutex_unlock(mutex) != 0) {
            harness_die("cannot unlock");
        }
    }
    return count;
}

const section_subject section_measured = {open_mutex, count_to, &harness_forks};
