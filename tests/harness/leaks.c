/*
 * Looks for what a test left behind, by comparing lists of lines taken before and after it:
 * "fd 5 -> pipe:[4711]", "shared mapping ...". A thread that was joined stays visible in /proc for
 * a moment after the call that waited for it returned; so one too many counts only when it stays.
 */
#define _GNU_SOURCE
#include "harness/leaks.h"

#include "harness/line_list.h"
#include "harness/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREAD_GRACE_MS = 10000, STEP_MS = 5 };

static struct line_list fds_before, mappings_before;
static size_t threads_before;

static void list_fds(struct line_list *list)
{
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        test_fail(TEST_HERE, "cannot read /proc/self/fd: %s", strerror(errno));
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char target[PATH_MAX], line[PATH_MAX + NAME_MAX + 16];
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(folder)) {
            continue;
        }
        ssize_t size = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        target[size > 0 ? size : 0] = '\0';
        snprintf(line, sizeof line, "fd %s -> %s", entry->d_name, target);
        line_list_add(list, line);
    }
    closedir(folder);
}

static void list_mappings(struct line_list *list)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[PATH_MAX + 256];
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        char mode[5] = "";
        sscanf(line, "%*s %4s", mode);
        if (mode[3] == 's' || strstr(line, "memfd:") != NULL) {
            line[strcspn(line, "\n")] = '\0';
            line_list_add(list, line);
        }
    }
    if (maps != NULL) {
        fclose(maps);
    }
}

static size_t count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    size_t count = 0;
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

#ifdef __has_feature
#define HAS_THREAD_SANITIZER __has_feature(thread_sanitizer)
#elif defined(__SANITIZE_THREAD__)
#define HAS_THREAD_SANITIZER 1
#else
#define HAS_THREAD_SANITIZER 0
#endif

static void *end_at_once(void *user)
{
    return user;
}

/* The thread sanitizer starts a thread of its own with the first one of the process. */
static void start_sanitizer_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, end_at_once, NULL) == 0) {
        pthread_join(thread, NULL);
    }
}

void leaks_remember(void)
{
    if (HAS_THREAD_SANITIZER) {
        start_sanitizer_thread();
    }
    list_fds(&fds_before);
    list_mappings(&mappings_before);
    threads_before = count_threads();
}

static void report_threads(void)
{
    for (int waited = 0; count_threads() > threads_before && waited < THREAD_GRACE_MS;
         waited += STEP_MS) {
        usleep(STEP_MS * 1000);
    }
    if (count_threads() > threads_before) {
        test_fail("after the test", "left %zu thread(s) running", count_threads() - threads_before);
        leaks_show_threads(getpid());
    }
}

static void report_children(void)
{
    siginfo_t child = {0};
    if (waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0) {
        if (child.si_pid != 0) {
            test_fail("after the test", "did not wait for child %d, which has ended",
                      (int)child.si_pid);
        } else {
            test_fail("after the test", "left a child running");
        }
    }
}

void leaks_report(void)
{
    report_threads();
    report_children();
    struct line_list fds = {0}, mappings = {0};
    list_fds(&fds);
    list_mappings(&mappings);
    line_list_report_missing(&fds, &fds_before, "left open:");
    line_list_report_missing(&fds_before, &fds, "closed, though not its own:");
    line_list_report_missing(&mappings, &mappings_before, "left mapped:");
    line_list_clear(&fds);
    line_list_clear(&mappings);
    line_list_clear(&fds_before);
    line_list_clear(&mappings_before);
}

/* The first line of /proc/PID/task/TID/FILE, or "". */
static void read_task_file(pid_t pid, const char *task, const char *file, char text[64])
{
    char path[400];
    snprintf(path, sizeof path, "/proc/%d/task/%s/%s", (int)pid, task, file);
    text[0] = '\0';
    FILE *stream = fopen(path, "re");
    if (stream != NULL) {
        if (fgets(text, 64, stream) != NULL) {
            text[strcspn(text, "\n")] = '\0';
        }
        fclose(stream);
    }
}

void leaks_show_threads(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char name[64], place[64], call[64];
        if (entry->d_name[0] == '.') {
            continue;
        }
        read_task_file(pid, entry->d_name, "comm", name);
        read_task_file(pid, entry->d_name, "wchan", place);
        read_task_file(pid, entry->d_name, "syscall", call);
        fprintf(stderr, "  thread %s (%s): in %s, system call %s\n", entry->d_name, name, place,
                call);
    }
    if (folder != NULL) {
        closedir(folder);
    }
}
