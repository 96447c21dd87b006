/*
 * Kills a process at each of its system calls while it is started, starts a child itself, joins it
 * and ends:
 *
 *     start [--all] [FILTER]
 *
 * This program is a family's first member. Its child, the victim, is spawned under strace, which
 * kills it in front of its n-th system call, for each n; so it dies while it maps the family's
 * memory and takes its slot, and as a parent in each stage of each way to start a child. In the
 * last scene the victim is the first member's forkserver, and so is each that replaces it. After
 * that, nobody but the first member may be left, running or half-started: not a daemon, which has
 * no end of its own, and no other that has not come to its function. All invariants must hold
 * (family/verify.h), and as many blocks must be in use as before.
 *
 * Without --all, some of the calls. Without strace, or where it may not trace, nothing is tested.
 */
#define _GNU_SOURCE
#include "family/directory.h"
#include "family/heap.h"
#include "family/keeper.h"
#include "family/member.h"
#include "family/verify.h"
#include "process/runtime.h"

#include <errno.h>
#include <kin.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <dirent.h>
#include <limits.h>

#define KILL_AT "KIN_KILL_AT" /* a system call by its name, and how many of the name come first; */
#define LIST_IN "KIN_KILL_LIST" /* "": none, but all are listed in this file */

enum { LIMIT_MS = 20000, STEP_US = 500, SAMPLE_COUNT = 12, CALL_COUNT_MAX = 2000, NAME_BYTES = 24 };

/* A system call of the victim's: strace counts those of each name. */
struct call {
    char name[NAME_BYTES];
    int number; /* from 1 on */
};

static struct call calls[CALL_COUNT_MAX];
static char program[PATH_MAX];

/* --- the victim, and its child --- */

static int end_at_once(kin_call *call)
{
    (void)call;
    return 0;
}
KIN_FUNCTION(end_at_once)

static int never_end(kin_call *call)
{
    (void)call;
    while (pause() < 0) {
    }
    return 0;
}
KIN_FUNCTION(never_end)

/* Argument 0: the method; 1: whether the child is a daemon. */
static int start_and_join(kin_call *call)
{
    kin_start_method start_method = (kin_start_method)kin_call_int(call, 0);
    bool is_daemon = kin_call_int(call, 1) != 0;
    kin_process_options options = {
        .size = sizeof options, .is_daemon = is_daemon, .context = kin_context_get(start_method)};
    kin_process *process = NULL;
    int r = kin_process_start_bytes(is_daemon ? never_end : end_at_once, "input", 5, &options,
                                    &process);
    if (r == 0 && !is_daemon) {
        r = kin_process_join(process, KIN_FOREVER);
    }
    kin_process_free(process);
    return r;
}
KIN_FUNCTION(start_and_join)

/* In the place of the program: strace, of the program. */
static _Noreturn void exec_under_strace(char **argv)
{
    char at[64], list[PATH_MAX];
    snprintf(at, sizeof at, "inject=%s", getenv(KILL_AT));
    snprintf(list, sizeof list, "%s", getenv(LIST_IN));
    bool is_list = getenv(KILL_AT)[0] == '\0';
    char *const kills[] = {"strace", "-D", "-qq",   "-o",    "/dev/null",
                           "-e",     at,   program, argv[1], NULL};
    char *const lists[] = {"strace", "-D", "-qq", "-o", list, program, argv[1], NULL};
    unsetenv(KILL_AT);
    execvp("strace", is_list ? lists : kills);
    _exit(127);
}

/* --- what must hold --- */

static void count_block(void *user, const struct kin__block_header *header, uint64_t offset,
                        uint64_t bytes)
{
    (void)offset;
    (void)bytes;
    *(uint32_t *)user += atomic_load(&header->owner) != 0;
}

static uint32_t count_blocks(void)
{
    uint32_t count = 0;
    kin__heap_each(&kin__family.memory, count_block, &count);
    return count;
}

/* Members but those of this process, of which there are two. */
static uint32_t count_others(void)
{
    uint32_t count = 0;
    uint32_t used = atomic_load(&kin__shared()->members.used);
    for (uint32_t slot = 1; slot < used; slot++) {
        const struct kin__member *member = kin__member_at(slot);
        count += kin__word_state(atomic_load(&member->word)) != KIN__MEMBER_FREE &&
                 member->process != kin__family.owner;
    }
    return count;
}

/* Processes of this program but this one, members or not. */
static uint32_t count_processes(bool kills)
{
    uint32_t count = 0;
    DIR *folder = opendir("/proc");
    const struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char path[300], target[PATH_MAX];
        pid_t pid = atoi(entry->d_name);
        snprintf(path, sizeof path, "/proc/%s/exe", entry->d_name);
        ssize_t size = pid > 0 && pid != getpid() ? readlink(path, target, sizeof target - 1) : -1;
        target[size > 0 ? size : 0] = '\0';
        if (strcmp(target, program) == 0) {
            count++;
            if (kills) {
                kill(pid, SIGKILL);
            }
        }
    }
    closedir(folder);
    return count;
}

static bool await_quiet(void)
{
    for (int i = 0; i < LIMIT_MS * 1000 / STEP_US; i++) {
        kin_forkserver_stop(); /* also forgets those that have ended */
        if (count_others() == 0 && count_processes(false) == 0 &&
            kin__list_is_empty(&kin__forkserver.servers)) {
            return true;
        }
        usleep(STEP_US);
    }
    return false;
}

/* --- one kill --- */

struct scene {
    const char *name;
    kin_start_method method; /* 0: the victim is the server */
    bool is_daemon;
};

/* Starts and joins children while servers die, each at the same point. 0: each was one or none. */
static int start_by_victims(void)
{
    enum { CHILD_COUNT = 3 };
    kin_process_options options = {.size = sizeof options,
                                   .context = kin_context_get(KIN_FORKSERVER)};
    int wrong_count = 0;
    for (int i = 0; i < CHILD_COUNT; i++) {
        kin_process *process = NULL;
        int code = INT_MIN;
        int r = kin_process_start_bytes(end_at_once, "input", 5, &options, &process);
        if (r == 0) {
            kin_process_join(process, KIN_FOREVER);
            kin_process_exit_code(process, &code);
            kin_process_free(process);
        }
        wrong_count += r == 0 ? code != 0 : r != KIN_EWORKER;
    }
    kin_forkserver_stop();
    return wrong_count;
}

static int run_victim(const struct scene *scene)
{
    kin_process *process = NULL;
    int code = INT_MIN;
    kin_process_options options = {.size = sizeof options, .context = kin_context_get(KIN_SPAWN)};
    if (scene->method == 0) {
        return start_by_victims();
    }
    kin_object *arguments = KIN_TUPLE(kin_object_from_int(scene->method),
                                      kin_object_from_int(scene->is_daemon));
    int r = kin_process_start(start_and_join, arguments, &options, &process);
    kin_object_free(arguments);
    if (r == 0) {
        kin_process_join(process, KIN_FOREVER);
        kin_process_exit_code(process, &code);
    }
    kin_process_free(process);
    return code;
}

static bool kill_at(const struct scene *scene, const struct call *call, bool *ret_has_ended)
{
    char text[64], report[2048] = "";
    uint32_t before = count_blocks();
    snprintf(text, sizeof text, "%s:signal=KILL:when=%d", call->name, call->number);
    setenv(KILL_AT, text, 1);
    int code = run_victim(scene);
    unsetenv(KILL_AT);
    *ret_has_ended = code == 0 && scene->method != 0;
    bool is_quiet = await_quiet();
    bool is_whole = kin__family_verify(kin__family.memory, report, sizeof report) == 0;
    uint32_t after = count_blocks();
    if (is_quiet && is_whole && after == before && (code == 0 || code == -SIGKILL)) {
        return true;
    }
    printf("FAIL %s, killed at %s: code %d, %u members and %u processes left, %u blocks "
           "after %u\n%s",
           scene->name, text, code, count_others(), count_processes(true), after, before, report);
    return false;
}

static void note_call(const char *name, int count)
{
    struct call *call = &calls[count];
    snprintf(call->name, sizeof call->name, "%.*s", NAME_BYTES - 1, name);
    call->number = 1;
    for (int i = 0; i < count; i++) {
        call->number += strcmp(calls[i].name, name) == 0;
    }
}

/* Lists the system calls that the victim makes. How many; 0: it cannot be traced. */
static int list_calls(const struct scene *scene)
{
    char path[] = "/tmp/kin-start-XXXXXX";
    char line[4096];
    int count = 0;
    int fd = mkstemp(path);
    setenv(KILL_AT, "", 1);
    setenv(LIST_IN, path, 1);
    int code = run_victim(scene);
    unsetenv(KILL_AT);
    await_quiet();
    FILE *list = fopen(path, "re");
    while (list != NULL && fgets(line, sizeof line, list) != NULL && count < CALL_COUNT_MAX) {
        size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789_");
        if (length > 0 && length < NAME_BYTES && line[length] == '(') {
            line[length] = '\0';
            note_call(line, count++);
        }
    }
    fclose(list);
    close(fd);
    unlink(path);
    return code == 0 ? count : 0;
}

static bool run(const struct scene *scene, bool does_all)
{
    int count = list_calls(scene);
    if (count == 0) {
        printf("%-16s not tested: there is no strace, or it may not trace\n", scene->name);
        return true;
    }
    int step = does_all || count < SAMPLE_COUNT ? 1 : count / SAMPLE_COUNT;
    int killed_count = 0, failed_count = 0;
    for (int i = getpid() % step; i < count; i += step) {
        bool has_ended = false;
        failed_count += !kill_at(scene, &calls[i], &has_ended);
        killed_count += !has_ended;
    }
    printf("%-16s %d calls, killed at %d of them, %d failures\n", scene->name, count, killed_count,
           failed_count);
    return failed_count == 0;
}

static const struct scene scenes[] = {
    {"fork", KIN_FORK, false},
    {"fork a daemon", KIN_FORK, true},
    {"spawn", KIN_SPAWN, false},
    {"spawn a daemon", KIN_SPAWN, true},
    {"forkserver", KIN_FORKSERVER, false},
    {"forkserver a daemon", KIN_FORKSERVER, true},
    {"the forkserver itself", 0, false},
};

int main(int argc, char **argv)
{
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    program[size > 0 ? size : 0] = '\0';
    if (argc > 1 && strncmp(argv[1], "--kin-child=", 12) == 0 && getenv(KILL_AT) != NULL) {
        exec_under_strace(argv);
    }
    if (kin_init(&argc, &argv) != 0 || kin__keeper_need() < 0) { /* which looks after the dead */
        return 2;
    }
    bool does_all = argc > 1 && strcmp(argv[1], "--all") == 0;
    const char *filter = argc > 1 + does_all ? argv[1 + does_all] : "";
    uint32_t passed = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
#ifndef __SANITIZE_ADDRESS__ /* whose search for leaks does not work under strace */
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (strstr(scenes[i].name, filter) != NULL) {
            run(&scenes[i], does_all) ? passed++ : failed++;
        }
    }
#endif
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
