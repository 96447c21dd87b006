#define _GNU_SOURCE
#include "step/tracer.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SLEEP_LOOKS = 4, /* a thread that is seen asleep so often in a row is */
    SLEEP_LOOK_US = 400,
    RELEASES_MAX = 3000, /* a victim that is seen asleep so often in a row is stuck */
    YIELDS_BEFORE_LOOK = 50,
};

extern const char __executable_start;
extern const char etext;

enum event { EVENT_TRAP, EVENT_INTERLUDE, EVENT_DONE, EVENT_ASLEEP, EVENT_SIGNAL, EVENT_GONE };

static bool is_in_image(uintptr_t address)
{
    return address >= (uintptr_t)&__executable_start && address < (uintptr_t)&etext;
}

/* --- in the victim --- */

void trace_run(void (*operation)(void))
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    operation();
    raise(SIGSTOP);
}

void trace_interlude(void)
{
    raise(SIGUSR1);
}

/* --- in the tracer --- */

static char state_of(pid_t pid)
{
    char path[32];
    char text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return '?';
    }
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end[2] : '?';
}

bool trace_is_asleep(pid_t pid)
{
    for (int look = 0; look < SLEEP_LOOKS; look++) {
        if (look > 0) {
            usleep(SLEEP_LOOK_US);
        }
        if (state_of(pid) != 'S') {
            return false;
        }
    }
    return true;
}

/* Whether a step from here may end asleep. In the image only a system call can; what stands there
 * is the same in the tracer, which the child is a fork of. */
static bool may_sleep_at(uintptr_t address)
{
    const unsigned char *code = (const unsigned char *)address;
    return !is_in_image(address) || (code[0] == 0x0f && code[1] == 0x05);
}

/* Waits for the next thing that the running child does. Where it cannot sleep, the wait is the
 * kernel's, which on a busy machine is much faster than to yield to all others. */
static enum event next_event(pid_t pid, bool may_sleep)
{
    int status = 0;
    for (int yields = 0;;) {
        pid_t r = waitpid(pid, &status, (may_sleep ? WNOHANG : 0) | __WALL);
        if (r < 0) {
            return EVENT_GONE;
        }
        if (r == pid) {
            break;
        }
        if (yields < YIELDS_BEFORE_LOOK) {
            yields++;
            sched_yield();
        } else if (trace_is_asleep(pid) && waitpid(pid, &status, WNOHANG | __WALL) == 0) {
            return EVENT_ASLEEP;
        } else if (status != 0) {
            break;
        }
    }
    if (!WIFSTOPPED(status)) {
        return EVENT_GONE;
    }
    int number = WSTOPSIG(status);
    return number == SIGTRAP   ? EVENT_TRAP
           : number == SIGSTOP ? EVENT_DONE
           : number == SIGUSR1 ? EVENT_INTERLUDE
           : number == SIGCHLD ? EVENT_SIGNAL
                               : EVENT_GONE; /* a fault: the caller kills it */
}

static uintptr_t read_register(pid_t pid, size_t offset)
{
    return (uintptr_t)ptrace(PTRACE_PEEKUSER, pid, offset, NULL);
}

static uintptr_t place_of(pid_t pid)
{
    return read_register(pid, offsetof(struct user_regs_struct, rip));
}

/* One breakpoint on execution; address 0: none. */
static void set_breakpoint(pid_t pid, uintptr_t address)
{
    size_t registers = offsetof(struct user, u_debugreg);
    size_t bytes = sizeof(((struct user *)0)->u_debugreg[0]);
    ptrace(PTRACE_POKEUSER, pid, registers + 7 * bytes, 0L);
    if (address != 0) {
        ptrace(PTRACE_POKEUSER, pid, registers, (long)address);
        ptrace(PTRACE_POKEUSER, pid, registers + 7 * bytes, 1L);
    }
}

/* Where a run goes to, and what came on the way. */
struct run {
    pid_t pid;
    const struct trace_watch *watch;
    uint32_t sleeps;
    uint32_t releases;           /* of which in a row */
    uint32_t sleeps_max;         /* stop at this sleep; 0: at none */
    struct trace_points *points; /* sleeps are listed here; NULL: nowhere */
};

void trace_point_add(struct trace_points *points, uintptr_t address, uint32_t hit)
{
    if (points->count == points->capacity) {
        points->capacity = points->capacity == 0 ? 1024 : points->capacity * 2;
        points->points = realloc(points->points, points->capacity * sizeof *points->points);
        if (points->points == NULL) {
            abort();
        }
    }
    points->points[points->count++] = (struct trace_point){.address = address, .hit = hit};
}

/* Lets the child run until it traps or is done with. TRACE_AT_POINT: it trapped. */
static enum trace_end go(struct run *run, int request)
{
    bool may_sleep = request != PTRACE_SINGLESTEP || may_sleep_at(place_of(run->pid));
    ptrace(request, run->pid, NULL, NULL);
    for (;;) {
        switch (next_event(run->pid, may_sleep)) {
        case EVENT_TRAP:
            run->releases = 0;
            return TRACE_AT_POINT;
        case EVENT_DONE:
            return TRACE_DONE;
        case EVENT_GONE:
            return TRACE_GONE;
        case EVENT_INTERLUDE:
            run->watch->interlude();
            ptrace(request, run->pid, NULL, NULL);
            break;
        case EVENT_SIGNAL: /* a child of it ended: nothing that it would look at */
            ptrace(request, run->pid, NULL, NULL);
            break;
        case EVENT_ASLEEP:
            run->sleeps++;
            run->releases++;
            if (run->points != NULL) {
                trace_point_add(run->points, 0, run->sleeps);
            }
            if (run->watch->is_over != NULL && run->watch->is_over()) {
                return TRACE_DONE;
            }
            if (run->sleeps == run->sleeps_max) {
                return TRACE_AT_POINT;
            }
            if (run->releases > RELEASES_MAX) {
                return TRACE_STUCK;
            }
            if (run->watch->asleep != NULL) {
                run->watch->asleep();
            }
            break;
        }
    }
}

bool trace_begin(pid_t pid, void (*operation)(void))
{
    int status = 0;
    if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) {
        return false;
    }
    ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_EXITKILL);
    set_breakpoint(pid, (uintptr_t)operation);
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    bool is_there = waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
                    WSTOPSIG(status) == SIGTRAP;
    if (is_there) {
        set_breakpoint(pid, 0);
    }
    return is_there;
}

bool trace_attach(pid_t pid)
{
    int status = 0;
    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_EXITKILL) != 0 ||
        ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0) {
        return false;
    }
    return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
}

/* From the first instruction outside of the image back into it. */
static enum trace_end leave_library(struct run *run)
{
    uintptr_t stack = read_register(run->pid, offsetof(struct user_regs_struct, rsp));
    uintptr_t back = (uintptr_t)ptrace(PTRACE_PEEKDATA, run->pid, stack, NULL);
    enum trace_end end = TRACE_AT_POINT;
    if (is_in_image(back)) {
        set_breakpoint(run->pid, back);
        end = go(run, PTRACE_CONT);
        set_breakpoint(run->pid, 0);
        return end;
    }
    while (end == TRACE_AT_POINT && !is_in_image(place_of(run->pid))) {
        end = go(run, PTRACE_SINGLESTEP);
    }
    return end;
}

enum trace_end trace_list(pid_t pid, const struct trace_watch *watch, size_t count_max,
                          struct trace_points *ret_points)
{
    size_t image = (size_t)(&etext - &__executable_start);
    uint32_t *hits = calloc(image, sizeof *hits);
    struct run run = {.pid = pid, .watch = watch, .points = ret_points};
    enum trace_end end = hits == NULL ? TRACE_GONE : TRACE_AT_POINT;
    while (end == TRACE_AT_POINT && ret_points->count < count_max) {
        uintptr_t place = place_of(pid);
        if (is_in_image(place)) {
            uint32_t hit = ++hits[place - (uintptr_t)&__executable_start];
            trace_point_add(ret_points, place, hit);
            atomic_store(watch->listed, (uint32_t)ret_points->count);
            end = go(&run, PTRACE_SINGLESTEP);
        } else {
            end = leave_library(&run);
        }
    }
    free(hits);
    return end;
}

enum trace_end trace_to(pid_t pid, const struct trace_watch *watch, struct trace_point point)
{
    struct run run = {.pid = pid, .watch = watch};
    enum trace_end end = TRACE_AT_POINT;
    uint32_t hits = place_of(pid) == point.address;
    if (point.address == 0) {
        run.sleeps_max = point.hit;
        return go(&run, PTRACE_CONT);
    }
    set_breakpoint(pid, point.address);
    while (end == TRACE_AT_POINT && hits < point.hit) {
        end = go(&run, PTRACE_CONT);
        hits++;
    }
    return end;
}

enum trace_end trace_leave(pid_t pid, const struct trace_watch *watch)
{
    struct run run = {.pid = pid, .watch = watch};
    uintptr_t stack = read_register(pid, offsetof(struct user_regs_struct, rsp));
    set_breakpoint(pid, (uintptr_t)ptrace(PTRACE_PEEKDATA, pid, stack, NULL));
    return go(&run, PTRACE_CONT);
}

enum trace_end trace_finish(pid_t pid, const struct trace_watch *watch)
{
    struct run run = {.pid = pid, .watch = watch};
    set_breakpoint(pid, 0);
    enum trace_end end = go(&run, PTRACE_CONT);
    if (end == TRACE_DONE && watch->is_over != NULL) { /* it sleeps, and must stop to be let go */
        int status = 0;
        ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
        waitpid(pid, &status, __WALL);
    }
    if (end == TRACE_DONE) {
        ptrace(PTRACE_DETACH, pid, NULL, NULL);
    }
    return end;
}

void trace_kill(pid_t pid)
{
    int status = 0;
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
    }
}
