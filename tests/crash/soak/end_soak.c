/*
 * Ends: a pool whose nursery, or the process that made it, is killed at a random instant; and a
 * family whose first process is killed, and then one after the other, up to the last.
 */
#define _GNU_SOURCE
#include "soak/soak.h"

#include "family/family.h"
#include "family/keeper.h"
#include "family/member.h"
#include "pool/pool.h"

#include <kin/error.h>
#include <kin/queue.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORKERS = 3,
    HEIRS = 4,
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

/* --- a family, from the first to the last --- */

/* Seen by all; outside of the family. */
struct heirs {
    _Atomic int32_t pids[HEIRS];
    _Atomic uint32_t is_last; /* the others are dead: look whether all is well, and end */
    _Atomic uint32_t is_well;
    _Atomic uint32_t bad_count; /* calls that failed */
};

static void use_queue(kin_queue *queue, struct heirs *heirs)
{
    static unsigned char bytes[4000];
    kin_message message;
    int put = kin_queue_put_bytes(queue, bytes, sizeof bytes, KIN_FOREVER);
    int got = kin_queue_get_bytes(queue, kin_within_ms(ROUND_MS), &message);
    if (put != 0 || got != 0) {
        printf("  put: %d, get: %d\n", put, got);
        atomic_fetch_add(&heirs->bad_count, 1);
        return;
    }
    kin_message_free(&message);
}

static _Noreturn void live_as_heir(kin_queue *queue, struct heirs *heirs, uint32_t index)
{
    atomic_store(&heirs->pids[index], getpid());
    while (atomic_load(&heirs->is_last) == 0) {
        use_queue(queue, heirs);
    }
    use_queue(queue, heirs);
    while (kin_queue_item_count(queue) != 0) { /* of those who died between put and get */
        kin_message message;
        if (kin_queue_get_bytes(queue, KIN_NOW, &message) == 0) {
            kin_message_free(&message);
        }
    }
    kin_queue_free(queue);
    kin__keeper_need(); /* it may have come so far without: then what the dead left can wait */
    atomic_store(&heirs->is_well, soak_check_family(2) == 0);
    kin_fini();
    _exit(0);
}

static _Noreturn void found_family(struct heirs *heirs)
{
    kin_queue *queue = NULL;
    if (kin_init(NULL, NULL) != 0 || kin_queue_create(NULL, &queue) != 0) {
        _exit(3);
    }
    for (uint32_t i = 0; i < HEIRS; i++) {
        uint32_t owner = 0;
        if (kin__family_fork("heir", 0, &owner) == 0) {
            live_as_heir(queue, heirs, i);
        }
    }
    for (;;) {
        use_queue(queue, heirs);
    }
}

static void await_heirs(struct heirs *heirs)
{
    double limit = soak_now() + ROUND_MS / 1000.0;
    for (uint32_t i = 0; i < HEIRS; i++) {
        while (atomic_load(&heirs->pids[i]) == 0 && soak_now() < limit) {
            usleep(100);
        }
    }
}

/* Kills the founder and all but one heir, in any order. */
static uint32_t kill_family(struct heirs *heirs, uint64_t *random)
{
    pid_t pids[HEIRS + 1];
    uint32_t count = 0;
    *heirs = (struct heirs){0};
    pids[count] = fork();
    if (pids[count] == 0) {
        found_family(heirs);
    }
    await_heirs(heirs);
    for (count = 1; count <= HEIRS; count++) {
        pids[count] = atomic_load(&heirs->pids[count - 1]);
        if (pids[count] == 0) {
            printf("  an heir did not start\n");
            kill(pids[0], SIGKILL);
            return 1;
        }
    }
    while (count > 1) { /* the founder is among them: the last place is an heir's */
        uint32_t which = (uint32_t)(soak_random(random) % (count - 1));
        usleep((useconds_t)(soak_random(random) % (DELAY_US_MAX / 10)));
        kill(pids[which], SIGKILL);
        pids[which] = pids[count - 2];
        pids[count - 2] = pids[count - 1];
        count--;
    }
    atomic_store(&heirs->is_last, 1);
    bool is_alone = become_alone();
    if (!is_alone || atomic_load(&heirs->is_well) == 0 || atomic_load(&heirs->bad_count) != 0) {
        printf("  the last of a family: %s, %u failures\n",
               is_alone ? "all is not well" : "does not end", atomic_load(&heirs->bad_count));
        return 1;
    }
    return 0;
}

static uint32_t kill_families(uint32_t rounds, uint64_t *random)
{
    uint32_t wrong = 0;
    struct heirs *heirs = mmap(NULL, sizeof *heirs, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (uint32_t round = 0; heirs != MAP_FAILED && round < rounds && wrong == 0; round++) {
        wrong += kill_family(heirs, random);
    }
    munmap(heirs, sizeof *heirs);
    return wrong;
}

bool soak_ends(const struct soak_options *options)
{
    uint64_t random = options->seed * 2 + 1;
    uint32_t rounds = ROUNDS_MIN + options->seconds * ROUNDS_A_SECOND;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    uint32_t wrong = kill_creators(rounds, &random);
    if (wrong == 0) {
        wrong = kill_families(rounds, &random);
    }
    if (wrong == 0) {
        wrong = kill_nurseries(rounds, &random);
    }
    printf("soak of the ends: %u creators and %u nurseries of pools, and %u families killed, "
           "%u wrong\n",
           rounds, rounds, rounds, wrong);
    return wrong == 0;
}
