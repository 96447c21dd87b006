/*
 * Locks of multiprocessing: POSIX semaphores with names, unless they were made to be forked.
 */
#ifndef INTEROP_PYTHON_LOCK_H
#define INTEROP_PYTHON_LOCK_H

#include <semaphore.h>

/* Opens one by its name; closed with sem_close. */
sem_t *python_lock_open(const char *name);

/* Takes it; the test ends if that takes ten seconds. */
void python_lock_acquire(sem_t *semaphore);

void python_lock_release(sem_t *semaphore);

#endif
