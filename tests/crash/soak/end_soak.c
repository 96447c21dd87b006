/*
 * The ends of a pool: its nursery, or the process that made it, is killed at a random instant.
 */
#define _GNU_SOURCE
#include "soak/soak.h"

#include "pool/pool.h"

#include <kin/error.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORKERS = 3,
    TASKS = 64,
    TASK_US = 300,
    DELAY_US_MAX = 30000, /* from the start of a round to the kill */
    ROUND_MS = 20000,     /* a round that takes longer hangs */
    ROUNDS_MIN = 10,
    ROUNDS_A_SECOND = 4,
};

static int sleep_a_little(kin_call *call)
{
    usleep(TASK_US);
    return kin_call_return_bytes(call, NULL, 0);
}
KIN_FUNCTION(sleep_a_little)

/* 0, KIN_EBROKEN, or what should not be. */
static int map_once(kin_pool *pool)
{
    kin_bytes inputs[TASKS] = {0};
    kin_pool_results *results = NULL;
    int r = kin_pool_map_bytes(pool, sleep_a_little, inputs, TASKS, kin_within_ms(ROUND_MS),
                               &results);
    kin_pool_results_free(results);
    return r;
}

static kin_pool *create_pool(void)
{
    kin_pool *pool = NULL;
    kin_pool_options options = {
        .size = sizeof options, .worker_count = WORKERS, .lost_task_retries = 3};
    int r = kin_pool_create(&options, &pool);
    if (r < 0) {
        printf("  no pool: %d\n", r);
    }
    return pool;
}

/* Whether all children, and theirs, end soon. */
static bool become_alone(void)
{
    double limit = soak_now() + ROUND_MS / 1000.0;
    while (soak_now() < limit) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0) {
            return true;
        }
        if (pid == 0) {
            usleep(500);
        }
    }
    return false;
}

/* --- the process that made it --- */

static _Noreturn void map_until_killed(void)
{
    if (kin_init(NULL, NULL) != 0) {
        _exit(3);
    }
    kin_pool *pool = create_pool();
    while (pool != NULL && map_once(pool) == 0) {
    }
    _exit(4);
}

static uint32_t kill_creators(uint32_t rounds, uint64_t *random)
{
    uint32_t wrong = 0;
    for (uint32_t round = 0; round < rounds && wrong == 0; round++) {
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
            map_until_killed();
        }
        usleep((useconds_t)(soak_random(random) % DELAY_US_MAX));
        kill(pid, SIGKILL);
        if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status)) {
            printf("  the creator ended by itself: 0x%x\n", (unsigned)status);
            wrong++;
        }
        if (!become_alone()) {
            printf("  processes outlive the creator of their pool\n");
            wrong++;
        }
    }
    return wrong;
}

/* --- the nursery --- */

struct shot {
    pid_t pid;
    useconds_t delay_us;
};

static void *shoot(void *user)
{
    const struct shot *shot = user;
    usleep(shot->delay_us);
    kill(shot->pid, SIGKILL);
    return NULL;
}

static uint32_t kill_nursery(uint64_t *random)
{
    uint32_t wrong = 0;
    pthread_t thread;
    kin_pool *pool = create_pool();
    if (pool == NULL) {
        return 1;
    }
    struct shot shot = {.pid = (pid_t)pool->nursery->pid,
                        .delay_us = (useconds_t)(soak_random(random) % DELAY_US_MAX)};
    if (pthread_create(&thread, NULL, shoot, &shot) != 0) {
        return 1;
    }
    int r = 0;
    while (r == 0) {
        r = map_once(pool);
    }
    if (r != KIN_EBROKEN) {
        printf("  map of a pool whose nursery was killed: %d\n", r);
        wrong++;
    }
    pthread_join(thread, NULL);
    kin_pool_free(pool);
    return wrong;
}

static uint32_t kill_nurseries(uint32_t rounds, uint64_t *random)
{
    uint32_t wrong = 0;
    if (kin_init(NULL, NULL) != 0) {
        return 1;
    }
    for (uint32_t round = 0; round < rounds && wrong == 0; round++) {
        wrong += kill_nursery(random);
        if (!become_alone()) {
            printf("  workers outlive their nursery\n");
            wrong++;
        }
        wrong += soak_check_family(2);
    }
    kin_fini();
    return wrong;
}

bool soak_ends(const struct soak_options *options)
{
    uint64_t random = options->seed * 2 + 1;
    uint32_t rounds = ROUNDS_MIN + options->seconds * ROUNDS_A_SECOND;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    uint32_t wrong = kill_creators(rounds, &random);
    if (wrong == 0) {
        wrong = kill_nurseries(rounds, &random);
    }
    printf("soak of the ends of a pool: %u creators and %u nurseries killed, %u wrong\n", rounds,
           rounds, wrong);
    return wrong == 0;
}
