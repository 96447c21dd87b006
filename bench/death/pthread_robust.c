/* A robust process-shared mutex of the C library: the kernel says in the mutex that its holder
 * died, as a part of the dying. Nobody else has to be there. */

#include "death/death.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

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

static int acquire(void)
{
    int code = pthread_mutex_lock(mutex);
    if (code != 0 && code != EOWNERDEAD) {
        harness_die("cannot lock: %s", strerror(code));
    }
    return code;
}

static void hold(void)
{
    acquire();
}

static bool wait_for_mutex(void)
{
    return acquire() == EOWNERDEAD;
}

static void restore(void)
{
    if (pthread_mutex_consistent(mutex) != 0 || pthread_mutex_unlock(mutex) != 0) {
        harness_die("cannot restore");
    }
}

const death_subject death_measured = {open_mutex, hold, wait_for_mutex, restore, &harness_forks};
