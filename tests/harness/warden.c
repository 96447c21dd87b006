/*
 * The warden: a process between the runner and one test.
 *
 *     runner ---- warden ---- test ---- whatever the test starts
 *
 * The warden is the subreaper of all that the test starts, so that nothing escapes by being
 * orphaned, and the test itself sees an ordinary process: its own children are its children, and
 * its orphans leave it. When the test has ended, or has been killed at its limit, the warden
 * waits for orphans that are on their way out, reports those that stay, and kills them.
 *
 * What can be seen only from inside (fds, threads, mappings, children) the test process looks
 * for itself after the test returned; files the warden looks for. What the test and its children
 * make as temporary files goes to a folder of its own, TMPDIR. /tmp and /dev/shm are shared with
 * all the machine: where a new file there may be somebody else's (see files.c), the test is run a
 * second time and fails only when it leaves one again.
 */
#define _GNU_SOURCE
#include "harness/warden.h"

#include "harness/files.h"
#include "harness/leaks.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ORPHAN_GRACE_MS = 10000, FILE_GRACE_MS = 500 };
enum { BUSY_FACTOR = 4 }; /* how much slower a test may be because others want the machine too */

static atomic_int *failure_count; /* in a shared page: written by all processes of the test */
static bool is_skipped;
static char folder_path[64];
static char temporary_path[80]; /* TMPDIR of the test */

static void map_failure_count(void)
{
    failure_count = mmap(NULL, sizeof *failure_count, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (failure_count == MAP_FAILED) {
        perror("mmap");
        _exit(1);
    }
}

void warden_count_failure(void)
{
    if (failure_count != NULL) {
        atomic_fetch_add(failure_count, 1);
    }
}

const char *test_folder(void)
{
    return folder_path;
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static long long limit_ms(const struct test_case *test)
{
    const char *scale = getenv("KIN_TEST_LIMIT_SCALE"); /* for slow builds, such as sanitizers */
    long long factor = (scale != NULL ? atoll(scale) : 1) * BUSY_FACTOR;
    int seconds = test->limit_seconds > 0 ? test->limit_seconds : TEST_LIMIT_SECONDS;
    return 1000LL * seconds * (factor > 0 ? factor : BUSY_FACTOR);
}

/* Sleeps until a child changes state; SIGCHLD is blocked in the warden. False: deadline passed. */
static bool wait_for_child_signal(long long deadline_ms)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    long long left = deadline_ms - now_ms();
    if (left <= 0) {
        return false;
    }
    struct timespec timeout = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
    return sigtimedwait(&signals, NULL, &timeout) >= 0 || errno == EINTR;
}

/* Calls `visit` for each living child of this process; needs no kernel option but /proc. */
static void for_each_child(void (*visit)(pid_t pid, const char *name, char state))
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        char path[300], name[64] = "?", state = '?';
        int parent = -1;
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        FILE *stat = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "re") : NULL;
        if (stat == NULL) {
            continue;
        }
        int fields = fscanf(stat, "%*d (%63[^)]) %c %d", name, &state, &parent);
        fclose(stat);
        if (fields == 3 && parent == getpid() && state != 'Z') {
            visit((pid_t)atoi(entry->d_name), name, state);
        }
    }
    if (processes != NULL) {
        closedir(processes);
    }
}

static void report_child(pid_t pid, const char *name, char state)
{
    test_fail("after the test", "left process %d (%s, state %c) behind", (int)pid, name, state);
}

static void kill_child(pid_t pid, const char *name, char state)
{
    (void)name;
    (void)state;
    kill(pid, SIGKILL);
}

/* Collects ended orphans. Returns whether some still run. */
static bool orphans_run(void)
{
    pid_t pid;
    do {
        pid = waitpid(-1, NULL, WNOHANG);
    } while (pid > 0 || (pid < 0 && errno == EINTR));
    return pid == 0;
}

static void end_orphans(bool report)
{
    long long deadline = now_ms() + (report ? ORPHAN_GRACE_MS : 0);
    while (orphans_run() && wait_for_child_signal(deadline)) {
    }
    if (report && orphans_run()) {
        for_each_child(report_child);
    }
    while (orphans_run()) { /* killing one orphans its children, which become ours */
        for_each_child(kill_child);
        wait_for_child_signal(now_ms() + 20);
    }
}

/* In the test process: the test, its teardown, and the search for what stayed. */
__attribute__((noreturn)) static void run_inside(const struct test_case *test)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    leaks_remember();
    test->run();
    if (test_teardown != NULL) {
        test_teardown();
    }
    leaks_report();
    exit(0);
}

static void report_end(const struct test_case *test, int status)
{
    if (WIFSIGNALED(status)) {
        test_fail(test->place, "the test was killed by signal %d (%s)", WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) == WARDEN_SKIPPED) {
        is_skipped = true;
    } else if (WEXITSTATUS(status) != 0) {
        test_fail(test->place, "the test ended with exit status %d", WEXITSTATUS(status));
    }
}

static void run_once(const struct test_case *test)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        run_inside(test);
    }
    if (pid < 0) {
        test_fail(test->place, "fork failed: %s", strerror(errno));
        return;
    }
    setpgid(pid, pid); /* both sides do it: whoever comes first */
    long long deadline = now_ms() + limit_ms(test);
    int status;
    bool hangs = false;
    pid_t ended;
    while ((ended = waitpid(pid, &status, WNOHANG)) == 0 && !hangs) {
        hangs = !wait_for_child_signal(deadline);
    }
    if (ended == pid) {
        report_end(test, status);
        end_orphans(true);
        return;
    }
    test_fail(test->place, "the test hangs: killed after %lld s", limit_ms(test) / 1000);
    leaks_show_threads(pid);
    for_each_child(kill_child);
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
    end_orphans(false);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *position)
{
    (void)status;
    (void)type;
    (void)position;
    remove(path);
    return 0;
}

static bool make_folders(void)
{
    snprintf(folder_path, sizeof folder_path, "/tmp/" FILES_FOLDER_PREFIX "XXXXXX");
    if (mkdtemp(folder_path) == NULL) {
        return false;
    }
    snprintf(temporary_path, sizeof temporary_path, "%s.tmp", folder_path);
    return mkdir(temporary_path, 0700) == 0 && setenv("TMPDIR", temporary_path, 1) == 0;
}

static void remove_folder(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A shell ignores SIGINT for what it starts in the background, and others do so with SIGHUP; that
 * would be the test's, and its children's. Handlers that there are belong to a sanitizer. */
static void heed_signals(void)
{
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
            signal(number, SIG_DFL);
        }
    }
}

void warden_run(const struct test_case *test)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    heed_signals();
    map_failure_count();
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    for (int attempt = 1; attempt <= 2; attempt++) {
        atomic_store(failure_count, 0);
        if (!make_folders()) {
            test_fail(test->place, "no folder for the test: %s", strerror(errno));
            break;
        }
        files_remember();
        run_once(test);
        remove_folder(folder_path);
        files_report_folder(temporary_path, FILE_GRACE_MS);
        remove_folder(temporary_path);
        bool again = files_report(FILE_GRACE_MS, attempt == 1);
        if (!again || atomic_load(failure_count) > 0) {
            break;
        }
    }
    fflush(NULL);
    _exit(atomic_load(failure_count) > 0 ? 1 : is_skipped ? WARDEN_SKIPPED : 0);
}
