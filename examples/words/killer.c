#include "killer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOKS_A_TASK = 16, TASK_NS_GUESS = 1000 * 1000 };

static void sleep_ns(uint64_t ns)
{
    struct timespec time = {
        .tv_sec = (time_t)(ns / 1000000000),
        .tv_nsec = (long)(ns % 1000000000),
    };
    nanosleep(&time, NULL);
}

/* How long a task takes, from those that have ended so far. */
static uint64_t mean_task_ns(const kin_pool *pool)
{
    uint64_t busy_ns = 0;
    uint64_t task_count = 0;
    kin_pool_worker worker;
    for (uint32_t i = 0; kin_pool_worker_read(pool, i, &worker) == 0; i++) {
        busy_ns += worker.busy_ns;
        task_count += worker.task_count;
    }
    return busy_ns == 0 ? TASK_NS_GUESS : busy_ns / task_count;
}

/* Finds a worker at the first attempt of a task that is due. */
static bool find_victim(const struct killer *killer, uint32_t *ret_index,
                        kin_pool_worker *ret_victim)
{
    uint64_t due_index = (killer->killed_count + 1) * killer->task_count / (killer->kill_count + 1);
    uint64_t first_index = due_index > killer->next_index ? due_index : killer->next_index;
    for (uint32_t i = 0; i < kin_pool_worker_count(killer->pool); i++) {
        kin_pool_worker worker;
        if (kin_pool_worker_read(killer->pool, i, &worker) == 0 && worker.pid > 0 &&
            worker.task_index != UINT64_MAX && worker.task_index >= first_index &&
            worker.task_attempt == 1) {
            *ret_index = i;
            *ret_victim = worker;
            return true;
        }
    }
    return false;
}

static bool is_still_at_it(const kin_pool *pool, uint32_t index, const kin_pool_worker *victim)
{
    kin_pool_worker worker;
    return kin_pool_worker_read(pool, index, &worker) == 0 && worker.pid == victim->pid &&
           worker.task_index == victim->task_index && worker.task_attempt == 1;
}

static void *run_killer(void *user)
{
    struct killer *killer = user;
    while (killer->killed_count < killer->kill_count && !atomic_load(&killer->is_stopping)) {
        uint32_t index;
        kin_pool_worker victim;
        if (!find_victim(killer, &index, &victim)) {
            sleep_ns(mean_task_ns(killer->pool) / LOOKS_A_TASK);
            continue;
        }
        killer->next_index = victim.task_index + 1;
        sleep_ns((uint64_t)(erand48(killer->dice) * (double)mean_task_ns(killer->pool)));
        if (is_still_at_it(killer->pool, index, &victim) && kill(victim.pid, SIGKILL) == 0) {
            killer->killed_count++;
        }
    }
    return NULL;
}

int killer_start(struct killer *killer, const kin_pool *pool, uint64_t task_count,
                 uint64_t kill_count)
{
    *killer = (struct killer){.pool = pool, .task_count = task_count, .kill_count = kill_count};
    if (kill_count == 0) {
        return 0;
    }
    int64_t seed = kin_now_ns() ^ getpid();
    memcpy(killer->dice, &seed, sizeof killer->dice);
    return -pthread_create(&killer->thread, NULL, run_killer, killer);
}

void killer_stop(struct killer *killer)
{
    if (killer->kill_count > 0) {
        atomic_store(&killer->is_stopping, true);
        pthread_join(killer->thread, NULL);
    }
}
