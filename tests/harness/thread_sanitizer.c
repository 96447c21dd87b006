/*
 * The thread sanitizer knows the locks and threads of POSIX and not those of C11, which in this C
 * library are the same: so that it sees what they order, these stand in for them. It crashes in a
 * thread that it has not seen begin.
 */
#ifdef __SANITIZE_THREAD__

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

int mtx_lock(mtx_t *lock)
{
    return pthread_mutex_lock((pthread_mutex_t *)(void *)lock) == 0 ? thrd_success : thrd_error;
}

int mtx_unlock(mtx_t *lock)
{
    return pthread_mutex_unlock((pthread_mutex_t *)(void *)lock) == 0 ? thrd_success : thrd_error;
}

struct start {
    thrd_start_t function;
    void *user;
};

static void *run(void *user)
{
    struct start start = *(struct start *)user;
    free(user);
    return (void *)(intptr_t)start.function(start.user);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *user)
{
    struct start *start = malloc(sizeof *start);
    if (start == NULL) {
        return thrd_nomem;
    }
    *start = (struct start){.function = function, .user = user};
    if (pthread_create(thread, NULL, run, start) != 0) {
        free(start);
        return thrd_error;
    }
    return thrd_success;
}

int thrd_join(thrd_t thread, int *ret_code)
{
    void *result = NULL;
    if (pthread_join(thread, &result) != 0) {
        return thrd_error;
    }
    if (ret_code != NULL) {
        *ret_code = (int)(intptr_t)result;
    }
    return thrd_success;
}

#else

typedef int nothing; /* a translation unit is not empty */

#endif
