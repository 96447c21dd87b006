#define _GNU_SOURCE
#include "interop/python_lock.h"

#include "harness/test.h"

#include <errno.h>
#include <time.h>

enum { LIMIT_SECONDS = 10 };

sem_t *python_lock_open(const char *name)
{
    sem_t *semaphore = sem_open(name, 0);
    REQUIRE(semaphore != SEM_FAILED);
    return semaphore;
}

void python_lock_acquire(sem_t *semaphore)
{
    struct timespec limit;
    int code;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += LIMIT_SECONDS;
    do {
        code = sem_timedwait(semaphore, &limit);
    } while (code != 0 && errno == EINTR);
    REQUIRE(code == 0);
}

void python_lock_release(sem_t *semaphore)
{
    REQUIRE(sem_post(semaphore) == 0);
}
