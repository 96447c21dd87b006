/*
 * Known defects of others: a peer's way to fall over a death, as a schedule that is run on it and
 * on kin. kin must be right; what the peer does on this system is reported.
 *
 *     known [WORD]        those whose title has WORD in it
 *
 * Nothing here is left to chance but the scheduler's delays: each step waits until the one before
 * is seen to be over, in shared numbers or as a thread that sleeps in the kernel. Whoever has
 * played his part stands still, so that no other death than the one meant can help anybody.
 * Closing line: "N passed, N failed", of kin.
 */
#define _GNU_SOURCE
#include "known/known.h"

#include "family/family.h"

#include <gnu/libc-version.h>
#include <kin/error.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PEER_LIMIT_MS = 2000, LIMIT_MS = 20000, STAGE_LIMIT_MS = 60000, ROUNDS = 4 };
enum { NOT_YET = INT32_MAX };

/* What came of a schedule; the exit code of the process that ran it, and of known.py. Not what
 * python3 exits with by itself. */
enum outcome { GOES_ON = 100, TELLS, HANGS, NOT_RUN };

static struct known_stage *stage;

static int scaled(int ms)
{
    const char *scale = getenv("KIN_TEST_LIMIT_SCALE");
    return ms * (scale == NULL ? 1 : (int)strtol(scale, NULL, 10));
}

/* --- waiting for a step to be over --- */

static bool pause_until(int *left_ms)
{
    usleep(1000);
    return --*left_ms > 0;
}

static bool await(const _Atomic uint32_t *word, int limit_ms)
{
    while (atomic_load(word) == 0 && pause_until(&limit_ms)) {
    }
    return atomic_load(word) != 0;
}

static bool await_result(int role, int limit_ms)
{
    while (atomic_load(&stage->result[role]) == NOT_YET && pause_until(&limit_ms)) {
    }
    return atomic_load(&stage->result[role]) != NOT_YET;
}

static char state_in_kernel(pid_t pid)
{
    char path[64];
    char state = '?';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "re");
    if (stat != NULL) {
        if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1) {
            state = '?';
        }
        fclose(stat);
    }
    return state;
}

/* Waits until a player sleeps in its call. */
static bool await_asleep(int role, pid_t pid)
{
    int left_ms = scaled(LIMIT_MS);
    bool has_begun = await(&stage->has_begun[role], left_ms);
    while (has_begun && state_in_kernel(pid) != 'S' && pause_until(&left_ms)) {
    }
    return has_begun && left_ms > 0;
}

/* Waits until one that is traced has stopped; `or_asleep`: or sleeps in a system call. */
static bool await_stop(pid_t pid, bool or_asleep, bool *ret_is_stopped)
{
    int left_ms = scaled(LIMIT_MS);
    int status = 0;
    do {
        *ret_is_stopped = waitpid(pid, &status, WNOHANG) == pid;
        if (*ret_is_stopped) {
            return WIFSTOPPED(status);
        }
    } while (!(or_asleep && state_in_kernel(pid) == 'S') && pause_until(&left_ms));
    return left_ms > 0;
}

/* Has one that sleeps go to sleep again, so that it stops when it has left the system call: woken,
 * and not a step further. It comes to stand behind those who sleep already. */
static bool hold_when_woken(pid_t pid)
{
    bool is_stopped = false;
    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_EXITKILL) != 0 ||
        ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0 || !await_stop(pid, false, &is_stopped)) {
        return false;
    }
    while (is_stopped) {
        if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) != 0 || !await_stop(pid, true, &is_stopped)) {
            return false;
        }
    }
    return true;
}

/* --- the players --- */

typedef void playing(const struct known_side *side, int role);

static pid_t start(const struct known_side *side, playing *part, int role)
{
    uint32_t owner = 0;
    atomic_store(&stage->has_begun[role], 0);
    atomic_store(&stage->result[role], NOT_YET);
    atomic_store(&stage->is_over[role], 0);
    pid_t pid = side->is_kin ? kin__family_fork("player", 0, &owner) : fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        part(side, role);
        atomic_store(&stage->is_over[role], 1);
        for (;;) {
            pause();
        }
    }
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* Takes what there is to take, gives it back when told so. */
static void take(const struct known_side *side, int role)
{
    atomic_store(&stage->has_begun[role], 1);
    atomic_store(&stage->result[role], side->acquire());
    if (side->release != NULL && await(&stage->may_go[role], scaled(STAGE_LIMIT_MS))) {
        side->release();
    }
}

static void wait_for_token(const struct known_side *side, int role)
{
    int r = side->acquire();
    atomic_store(&stage->has_begun[role], 1);
    while (r >= 0 && stage->tokens == 0) {
        r = side->wait();
    }
    stage->tokens -= r >= 0;
    side->release();
    atomic_store(&stage->result[role], r);
}

static void give_token(const struct known_side *side, int role)
{
    int r = side->acquire();
    stage->tokens++;
    int notified = side->notify();
    side->release();
    atomic_store(&stage->result[role], notified < 0 ? notified : r);
}

/* --- the schedules --- */

/* How it went for one in whose way nothing but a dead stands. */
static enum outcome outcome_of(const struct known_side *side, int role)
{
    if (!await_result(role, side->is_kin ? scaled(LIMIT_MS) : PEER_LIMIT_MS)) {
        return HANGS;
    }
    int r = atomic_load(&stage->result[role]);
    return r == KIN_OWNER_DIED ? TELLS : r >= 0 ? GOES_ON : NOT_RUN;
}

static enum outcome kill_woken(const struct known_side *side)
{
    bool is_stopped = false;
    start(side, take, HOLDER);
    if (!await_result(HOLDER, scaled(LIMIT_MS))) {
        return NOT_RUN;
    }
    pid_t victim = start(side, take, VICTIM);
    if (!await_asleep(VICTIM, victim) || !hold_when_woken(victim)) {
        return NOT_RUN;
    }
    pid_t next = start(side, take, NEXT);
    if (!await_asleep(NEXT, next)) {
        return NOT_RUN;
    }
    atomic_store(&stage->may_go[HOLDER], 1); /* wakes the victim, which it had for itself */
    if (!await(&stage->is_over[HOLDER], scaled(LIMIT_MS)) ||
        !await_stop(victim, false, &is_stopped)) {
        return NOT_RUN;
    }
    start(side, take, NEWCOMER); /* does not know that another sleeps */
    if (!await_result(NEWCOMER, scaled(LIMIT_MS))) {
        return NOT_RUN;
    }
    end(victim);
    atomic_store(&stage->may_go[NEWCOMER], 1);
    return outcome_of(side, NEXT);
}

static enum outcome kill_waiter(const struct known_side *side)
{
    pid_t victim = start(side, wait_for_token, VICTIM);
    if (!await_asleep(VICTIM, victim)) {
        return NOT_RUN;
    }
    end(victim);
    enum outcome outcome = GOES_ON;
    for (int i = 0; i < ROUNDS && outcome == GOES_ON; i++) {
        pid_t next = start(side, wait_for_token, NEXT);
        if (!await_asleep(NEXT, next)) {
            return NOT_RUN;
        }
        start(side, give_token, NEWCOMER);
        outcome = outcome_of(side, NEWCOMER);
        outcome = outcome == GOES_ON ? outcome_of(side, NEXT) : outcome;
    }
    return outcome;
}

static enum outcome kill_holder(const struct known_side *side)
{
    pid_t victim = start(side, take, VICTIM);
    if (!await_result(VICTIM, scaled(LIMIT_MS))) {
        return NOT_RUN;
    }
    pid_t next = start(side, take, NEXT);
    if (!await_asleep(NEXT, next)) {
        return NOT_RUN;
    }
    end(victim);
    return outcome_of(side, NEXT);
}

static enum outcome kill_reader(const struct known_side *side)
{
    pid_t victim = start(side, take, VICTIM);
    if (!await_asleep(VICTIM, victim)) {
        return NOT_RUN;
    }
    pid_t next = start(side, take, NEXT);
    if (!await_asleep(NEXT, next)) {
        return NOT_RUN;
    }
    end(victim);
    return side->put() == 0 ? outcome_of(side, NEXT) : NOT_RUN;
}

/* known.py in this process's place. */
static enum outcome play_script(const struct known_side *side)
{
    char path[4096];
    char seconds[16];
    const char *source = getenv("KIN_SOURCE");
    snprintf(path, sizeof path, "%s/tests/crash/known.py", source == NULL ? "." : source);
    snprintf(seconds, sizeof seconds, "%d", PEER_LIMIT_MS / 1000);
    execlp("python3", "python3", path, side->script, seconds, (char *)NULL);
    return NOT_RUN;
}

struct contest {
    const char *title;
    enum outcome (*run)(const struct known_side *side);
    enum outcome right;                /* what kin has to do */
    const struct known_side *sides[4]; /* kin first; then others, up to a NULL */
};

static const struct contest contests[] = {
    {"lock: one is woken and killed, after another took it",
     kill_woken,
     GOES_ON,
     {&known_lock, &known_mutex}},
    {"condition: one that waits is killed",
     kill_waiter,
     GOES_ON,
     {&known_condition, &known_mutex_condition}},
    {"lock: its holder is killed",
     kill_holder,
     TELLS,
     {&known_lock, &known_semaphore, &known_python_lock}},
    {"queue: one that waits for a message is killed",
     kill_reader,
     GOES_ON,
     {&known_queue, &known_python_queue}},
};

/* --- running them --- */

static enum outcome play(const struct contest *contest, const struct known_side *side)
{
    if (side->script != NULL) {
        return play_script(side);
    }
    stage = known_stage_create(side);
    return stage == NULL ? NOT_RUN : contest->run(side);
}

/* Runs it in a process group of its own, of which nothing is left afterwards. */
static enum outcome run(const struct contest *contest, const struct known_side *side)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit((int)play(contest, side));
    }
    setpgid(pid, pid);
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ends = {.fd = fd, .events = POLLIN};
    bool is_over = poll(&ends, 1, scaled(STAGE_LIMIT_MS)) == 1;
    close(fd);
    kill(-pid, SIGKILL);
    waitpid(pid, &status, 0);
    while (wait(NULL) > 0) { /* this process is its children's reaper */
    }
    int code = is_over && WIFEXITED(status) ? WEXITSTATUS(status) : NOT_RUN;
    return code >= GOES_ON && code < NOT_RUN ? (enum outcome)code : NOT_RUN;
}

static bool run_contest(const struct contest *contest)
{
    static const char *const words[] = {"goes on", "goes on, and tells", "hangs", "did not run"};
    bool is_right = true; /* kin does what it should, and the peers are there to be compared */
    printf("%s:", contest->title);
    for (size_t i = 0; contest->sides[i] != NULL; i++) {
        const struct known_side *side = contest->sides[i];
        enum outcome outcome = run(contest, side);
        is_right &= side->is_kin ? outcome == contest->right : outcome != NOT_RUN;
        printf("%s %s %s", i == 0 ? "" : ";", side->name, words[outcome - GOES_ON]);
    }
    printf("\n%s", is_right ? "" : "FAIL: kin is wrong, or a peer did not run\n");
    return is_right;
}

int main(int argc, char **argv)
{
    const char *filter = argc > 1 ? argv[1] : "";
    uint32_t passed = 0;
    uint32_t failed = 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    printf("beside kin: glibc %s, and python3 as it is found\n", gnu_get_libc_version());
    for (size_t i = 0; i < sizeof contests / sizeof *contests; i++) {
        if (strstr(contests[i].title, filter) == NULL) {
            continue;
        }
        if (run_contest(&contests[i])) {
            passed++;
        } else {
            failed++;
        }
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
