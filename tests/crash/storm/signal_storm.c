/*
 * Signals: every worker is interrupted by SIGALRM, whose handler is no reason for the kernel to
 * restart what it was in, and is stopped and continued at random instants.
 */
#define _GNU_SOURCE
#include "soak/soak.h"
#include "storm/storm.h"
#include "storm/work.h"

#include "family/family.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3, THREADS = 2, ALARM_US = 100 };

static volatile sig_atomic_t alarm_count;

static void count_alarm(int number)
{
    (void)number;
    alarm_count = alarm_count + 1;
}

static void *work_in_thread(void *user)
{
    const struct work *work = user;
    while (atomic_load(&work->board->is_over) == 0) {
        work_once(work);
    }
    return NULL;
}

static _Noreturn void run_worker(struct work *work)
{
    struct sigaction action = {.sa_handler = count_alarm}; /* no SA_RESTART */
    struct itimerval often = {{.tv_usec = ALARM_US}, {.tv_usec = ALARM_US}};
    struct itimerval never = {{0}, {0}};
    pthread_t threads[THREADS];
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work_in_thread, work);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    atomic_fetch_add(&work->board->alarm_count, (uint64_t)alarm_count);
    kin_fini();
    _exit(0);
}

static void stop_at_random(const pid_t *pids, double limit, uint64_t *stop_count)
{
    uint64_t random = 88172645463325252u;
    while (soak_now() < limit) {
        pid_t pid = pids[soak_random(&random) % WORKERS];
        kill(pid, SIGSTOP);
        usleep((useconds_t)(soak_random(&random) % 3000));
        kill(pid, SIGCONT);
        usleep((useconds_t)(soak_random(&random) % 3000));
        ++*stop_count;
    }
}

bool storm_signals(const struct storm_options *options)
{
    struct work work;
    pid_t pids[WORKERS];
    uint64_t stop_count = 0;
    bool is_right = kin_init(NULL, NULL) == 0 && work_create(&work, WORKERS * THREADS);
    if (!is_right) {
        return false;
    }
    for (int i = 0; i < WORKERS; i++) {
        uint32_t owner = 0;
        pids[i] = kin__family_fork("worker", 0, &owner);
        if (pids[i] == 0) {
            run_worker(&work);
        }
    }
    stop_at_random(pids, soak_now() + options->seconds, &stop_count);
    atomic_store(&work.board->is_over, 1);
    for (int i = 0; i < WORKERS; i++) {
        int status = 1;
        is_right &= waitpid(pids[i], &status, 0) == pids[i] && status == 0;
    }
    is_right &= work_is_right(&work);
    printf("signals: %" PRIu64 " rounds of %d workers of %d threads, %" PRIu64 " alarms, %" PRIu64
           " stops\n",
           atomic_load(&work.board->round_count), WORKERS, THREADS,
           atomic_load(&work.board->alarm_count), stop_count);
    work_free(&work);
    is_right &= soak_check_family(2) == 0;
    kin_fini();
    return is_right;
}
