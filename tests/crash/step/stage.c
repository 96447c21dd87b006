#define _GNU_SOURCE
#include "step/record.h"

#include "family/keeper.h"
#include "family/runtime.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS_MAX = 400000 };

/* --- one point --- */

static void run_victim(void)
{
    if (crash_stage.scenario->prepare != NULL) {
        crash_stage.scenario->prepare();
    }
    trace_run(crash_stage.scenario->victim);
}

static void run_survivor(void)
{
    crash_stage.scenario->survivor();
    kin_fini();
}

static bool wait_for_end(pid_t pid, const char *who)
{
    int status = 0;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ends = {.fd = fd, .events = POLLIN};
    int r = poll(&ends, 1, crash_hang_ms());
    close(fd);
    if (r != 1) {
        crash_hang(who);
        kill(pid, SIGKILL);
    }
    waitpid(pid, &status, __WALL);
    if (r == 1 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        crash_fail("%s ended with status 0x%x", who, (unsigned)status);
    }
    return r == 1;
}

/* The keeper of this process reaps nobody until the victim is dead. */
static void kill_prey(pid_t prey)
{
    if (crash_stage.scenario->prey.run != NULL) {
        mtx_lock(&kin__family.reap_lock);
        crash_kill_prey(prey);
    }
}

static void release_keeper(void)
{
    if (crash_stage.scenario->prey.run != NULL) {
        mtx_unlock(&kin__family.reap_lock);
    }
}

/* All of a point but the checks of what is left when the objects are gone. */
static void play(void (*drive)(pid_t pid, void *user), void *user)
{
    const struct scenario *scenario = crash_stage.scenario;
    memset(scene.board, 0, sizeof *scene.board);
    crash_stage.context_count = 0;
    if (scenario->setup != NULL) {
        scenario->setup();
    }
    pid_t prey = 0;
    pid_t victim = 0;
    bool has_begun = false;
    if (scenario->attach != NULL) {
        victim = scenario->attach();
        has_begun = victim > 0 && trace_attach(victim);
        scenario->attached();
    } else {
        victim = crash_start_member("victim", run_victim, &scene.board->victim);
        has_begun = trace_begin(victim, scenario->victim);
    }
    if (scenario->prey.run != NULL) { /* last: it may die with locks that a fork takes */
        prey = crash_start_prey(&scenario->prey, &scene.board->prey);
    }
    kill_prey(prey);
    if (has_begun) {
        drive(victim, user);
    } else {
        crash_fail("the victim does not get to its operation");
    }
    release_keeper();
    if (scenario->killed != NULL) {
        scenario->killed();
    }
    if (scenario->survivor != NULL) {
        wait_for_end(crash_start_member("survivor", run_survivor, NULL), "the survivor");
    }
    for (uint32_t i = 0; i < crash_stage.context_count; i++) {
        wait_for_end(crash_stage.context[i], "a process of the context");
    }
}

static void clean_up(void)
{
    if (crash_stage.scenario->finish != NULL) {
        crash_stage.scenario->finish();
    }
}

static void drive_to_end(pid_t pid, void *user)
{
    int status = 0;
    (void)user;
    if (trace_finish(pid, &crash_stage.watch) != TRACE_DONE) {
        crash_fail("the operation does not end when nobody is killed");
        trace_kill(pid);
    }
    if (crash_stage.scenario->attach == NULL) {
        waitpid(pid, &status, __WALL);
    }
}

static void drive_listing(pid_t pid, void *user)
{
    enum trace_end end = trace_list(pid, &crash_stage.watch, STEPS_MAX, user);
    if (end == TRACE_GONE || end == TRACE_STUCK) {
        crash_fail("the operation does not end when it is listed: %d", (int)end);
    }
    trace_kill(pid);
}

static void drive_to_point(pid_t pid, void *user)
{
    enum trace_end end = trace_to(pid, &crash_stage.watch, *(const struct trace_point *)user);
    if (end == TRACE_GONE || end == TRACE_STUCK) {
        crash_fail("the victim %s", end == TRACE_GONE ? "ended by itself" : "does not go on");
    }
    trace_kill(pid);
    atomic_fetch_add(&crash_record->kill_count, 1);
}

/* --- which points --- */

/* The first hits and the last of each instruction, and each sleep. */
static void choose_points(struct trace_points *points)
{
    size_t kept = 0;
    uint32_t hits_max = crash_stage.options->hits_max;
    size_t image = 0;
    uintptr_t low = UINTPTR_MAX;
    for (size_t i = 0; i < points->count; i++) {
        uintptr_t address = points->points[i].address;
        low = address != 0 && address < low ? address : low;
        image = address != 0 && address > image ? address : image;
    }
    size_t span = image > low ? image - low + 1 : 1;
    uint32_t *last = calloc(span, sizeof *last);
    for (size_t i = 0; last != NULL && i < points->count; i++) {
        if (points->points[i].address != 0) {
            last[points->points[i].address - low] = points->points[i].hit;
        }
    }
    for (size_t i = 0; last != NULL && i < points->count; i++) {
        struct trace_point point = points->points[i];
        if (hits_max == 0 || point.address == 0 || point.hit <= hits_max ||
            point.hit == last[point.address - low]) {
            points->points[kept++] = point;
        }
    }
    free(last);
    points->count = kept;
}

static void thin_out(struct trace_points *points)
{
    uint32_t most = crash_stage.options->points_max;
    size_t kept = 0;
    if (most == 0 || points->count <= most) {
        return;
    }
    size_t done = 0;
    for (size_t i = 0; i < points->count; i++) {
        if (points->points[i].address == 0 || i * most / points->count >= done) {
            done += points->points[i].address != 0;
            points->points[kept++] = points->points[i];
        }
    }
    points->count = kept;
}

/* --- the stage --- */

static struct account warm_up(void)
{
    struct account base = {0};
    crash_stage.member_count = account_members();
    for (int round = 0; round < 2; round++) {
        play(drive_to_end, NULL);
        clean_up();
        account_check(NULL);
        hammer_hold();
        base = account_take();
        hammer_release();
    }
    return base;
}

/* Lists the points and chooses among them. */
static void list_points(struct trace_points *points, const struct account *base)
{
    play(drive_listing, points);
    clean_up();
    account_check(base);
    atomic_store(&crash_record->step_count, (uint32_t)points->count);
    choose_points(points);
    thin_out(points);
    trace_point_add(points, 1, 1); /* is never reached: killed when the operation is over */
    atomic_store(&crash_record->total, (uint32_t)points->count);
}

_Noreturn void stage_run(void)
{
    struct trace_points points = {0};
    const struct scenario *scenario = crash_stage.scenario;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    scene.board = &crash_record->board;
    crash_stage.watch = (struct trace_watch){.asleep = scenario->asleep,
                                             .interlude = scenario->interlude,
                                             .is_over = scenario->is_over,
                                             .listed = &crash_record->step_count};
    if (kin_init(NULL, NULL) != 0 || kin__keeper_need() < 0) { /* which looks after the dead */
        crash_fail("no family");
        _exit(3);
    }
    if (crash_stage.options->is_busy) {
        hammer_start();
    }
    struct account base = warm_up();
    list_points(&points, &base);
    while (atomic_load(&crash_record->failure_count) == 0) {
        uint32_t next = atomic_load(&crash_record->next);
        if (next >= points.count) {
            break;
        }
        crash_record->point = points.points[next];
        play(drive_to_point, &points.points[next]);
        clean_up();
        account_check(&base);
        atomic_fetch_add(&crash_record->next, 1);
        atomic_fetch_add(&crash_record->progress, 1);
    }
    _exit(atomic_load(&crash_record->failure_count) == 0 ? 0 : 1);
}
