/*
 * Forks: threads are at work while one more forks children, by all ways there are; each child uses
 * the objects and ends.
 */
#define _GNU_SOURCE
#include "soak/soak.h"
#include "storm/storm.h"
#include "storm/work.h"

#include "family/family.h"
#include "family/heap.h"
#include "family/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 6, AT_A_TIME = 8 };

static uint32_t count_fds(void)
{
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static void *work_in_thread(void *user)
{
    const struct work *work = user;
    while (atomic_load(&work->board->is_over) == 0) {
        uint64_t block = 0;
        uint64_t owner = kin__block_of_member(kin__family.owner);
        bool is_made = kin__block_create(1000, 0, KIN__BLOCK_BYTES, &block) == 0;
        atomic_fetch_add(&work->board->wrong_count, !is_made);
        work_once(work);
        kin__block_free(block, owner);
    }
    return NULL;
}

/* Forks a child; how, goes by turns. Its process id. */
static pid_t fork_child(const struct work *work, uint32_t number)
{
    uint32_t owner = 0;
    static char *const arguments[] = {"true", NULL};
    switch (number % 4) {
    case 0: { /* another program */
        pid_t pid = vfork();
        if (pid == 0) {
            execv("/bin/true", arguments);
            _exit(127);
        }
        return pid;
    }
    case 1: { /* one that never uses kin */
        pid_t pid = fork();
        if (pid == 0) {
            _exit(0);
        }
        return pid;
    }
    default: { /* members: by their first call, and from the start */
        pid_t pid = number % 4 == 2 ? fork() : kin__family_fork("child", 0, &owner);
        if (pid == 0) {
            work_once(work);
            kin_fini();
            _exit(0);
        }
        return pid;
    }
    }
}

static bool await_child(pid_t pid)
{
    int status = 1;
    return waitpid(pid, &status, 0) == pid && status == 0;
}

/* How many of the children went wrong. */
static uint32_t fork_all(const struct work *work, uint32_t count)
{
    pid_t pids[AT_A_TIME] = {0};
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < count; i++) {
        pid_t *pid = &pids[i % AT_A_TIME];
        wrong += *pid > 0 && !await_child(*pid);
        *pid = fork_child(work, i);
        wrong += *pid < 0;
    }
    for (uint32_t i = 0; i < AT_A_TIME; i++) {
        wrong += pids[i] > 0 && !await_child(pids[i]);
    }
    return wrong;
}

bool storm_forks(const struct storm_options *options)
{
    struct work work;
    pthread_t threads[THREADS];
    if (kin_init(NULL, NULL) != 0 || !work_create(&work, THREADS + AT_A_TIME)) {
        return false;
    }
    work_once(&work); /* what is opened once is open */
    uint32_t fd_count = count_fds();
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work_in_thread, &work);
    }
    uint32_t wrong = fork_all(&work, options->forks);
    atomic_store(&work.board->is_over, 1);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    bool has_child = waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD;
    uint32_t fds_left = count_fds() - fd_count;
    printf("forks: %u children beside %d threads, %" PRIu64
           " rounds, %u ended wrong, %u fds more\n",
           options->forks, THREADS, atomic_load(&work.board->round_count), wrong, fds_left);
    bool is_right = work_is_right(&work) && wrong == 0 && !has_child && fds_left == 0;
    work_free(&work);
    is_right &= soak_check_family(2) == 0;
    kin_fini();
    return is_right;
}
