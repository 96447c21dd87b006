/*
 * The thread sanitizer knows the locks of POSIX and not those of C11, which in this C library are
 * the same: so that it sees what they order, these stand in for them.
 */
#ifdef __SANITIZE_THREAD__

#include <pthread.h>
#include <threads.h>

int mtx_lock(mtx_t *lock)
{
    return pthread_mutex_lock((pthread_mutex_t *)(void *)lock) == 0 ? thrd_success : thrd_error;
}

int mtx_unlock(mtx_t *lock)
{
    return pthread_mutex_unlock((pthread_mutex_t *)(void *)lock) == 0 ? thrd_success : thrd_error;
}

#else

typedef int nothing; /* a translation unit is not empty */

#endif
