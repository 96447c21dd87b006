#define _GNU_SOURCE
#include "known/known.h"

#include <errno.h>
#include <kin/condition.h>
#include <kin/error.h>
#include <kin/lock.h>
#include <kin/queue.h>
#include <sys/mman.h>

static struct known_stage *stage;
static kin_lock *lock;
static kin_condition *condition;
static kin_queue *queue;

/* --- kin --- */

static int lock_acquire(void)
{
    return kin_lock_acquire(lock, KIN_FOREVER);
}

static int lock_release(void)
{
    return kin_lock_release(lock);
}

static int condition_acquire(void)
{
    return kin_condition_acquire(condition, KIN_FOREVER);
}

static int condition_release(void)
{
    return kin_condition_release(condition);
}

static int condition_wait(void)
{
    return kin_condition_wait(condition, KIN_FOREVER);
}

static int condition_notify(void)
{
    int r = kin_condition_notify(condition, 1);
    return r < 0 ? r : 0;
}

static int queue_get(void)
{
    kin_message message;
    int r = kin_queue_get_bytes(queue, KIN_FOREVER, &message);
    if (r == 0) {
        kin_message_free(&message);
    }
    return r;
}

static int queue_put(void)
{
    return kin_queue_put_bytes(queue, "x", 1, KIN_NOW);
}

const struct known_side known_lock = {
    .name = "kin_lock", .is_kin = true, .acquire = lock_acquire, .release = lock_release};

const struct known_side known_condition = {.name = "kin_condition",
                                           .is_kin = true,
                                           .acquire = condition_acquire,
                                           .release = condition_release,
                                           .wait = condition_wait,
                                           .notify = condition_notify};

const struct known_side known_queue = {
    .name = "kin_queue", .is_kin = true, .acquire = queue_get, .put = queue_put};

/* --- peers --- */

static int mended(int error)
{
    return error == EOWNERDEAD && pthread_mutex_consistent(&stage->mutex) == 0 ? KIN_OWNER_DIED
                                                                               : -error;
}

static int mutex_acquire(void)
{
    return mended(pthread_mutex_lock(&stage->mutex));
}

static int mutex_release(void)
{
    return -pthread_mutex_unlock(&stage->mutex);
}

static int mutex_wait(void)
{
    return mended(pthread_cond_wait(&stage->condition, &stage->mutex));
}

static int mutex_notify(void)
{
    return -pthread_cond_signal(&stage->condition);
}

static int semaphore_acquire(void)
{
    return sem_wait(&stage->semaphore);
}

static int semaphore_release(void)
{
    return sem_post(&stage->semaphore);
}

const struct known_side known_mutex = {
    .name = "robust pthread_mutex_t", .acquire = mutex_acquire, .release = mutex_release};

const struct known_side known_mutex_condition = {.name = "pthread_cond_t",
                                                 .acquire = mutex_acquire,
                                                 .release = mutex_release,
                                                 .wait = mutex_wait,
                                                 .notify = mutex_notify};

const struct known_side known_semaphore = {
    .name = "sem_t", .acquire = semaphore_acquire, .release = semaphore_release};

const struct known_side known_python_lock = {.name = "multiprocessing.Lock", .script = "lock"};
const struct known_side known_python_queue = {.name = "multiprocessing.Queue", .script = "queue"};

/* --- all of them --- */

static bool make_peers(void)
{
    pthread_mutexattr_t of_mutex;
    pthread_condattr_t of_condition;
    return pthread_mutexattr_init(&of_mutex) == 0 &&
           pthread_mutexattr_setpshared(&of_mutex, PTHREAD_PROCESS_SHARED) == 0 &&
           pthread_mutexattr_setrobust(&of_mutex, PTHREAD_MUTEX_ROBUST) == 0 &&
           pthread_mutex_init(&stage->mutex, &of_mutex) == 0 &&
           pthread_condattr_init(&of_condition) == 0 &&
           pthread_condattr_setpshared(&of_condition, PTHREAD_PROCESS_SHARED) == 0 &&
           pthread_cond_init(&stage->condition, &of_condition) == 0 &&
           sem_init(&stage->semaphore, 1, 1) == 0;
}

static bool make_objects(void)
{
    return kin_init(NULL, NULL) == 0 && kin_lock_create(NULL, &lock) == 0 &&
           kin_condition_create(NULL, &condition) == 0 && kin_queue_create(NULL, &queue) == 0;
}

struct known_stage *known_stage_create(const struct known_side *side)
{
    stage = mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return stage != MAP_FAILED && (side->is_kin ? make_objects() : make_peers()) ? stage : NULL;
}
