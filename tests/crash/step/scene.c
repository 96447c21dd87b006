#define _GNU_SOURCE
#include "step/record.h"

#include "family/family.h"
#include "family/member.h"
#include "family/runtime.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

struct scene scene;
struct record *crash_record;
struct stage crash_stage;

double crash_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int crash_limit_ms(int ms)
{
    const char *scale = getenv("KIN_TEST_LIMIT_SCALE");
    return scale == NULL ? ms : ms * (int)strtol(scale, NULL, 10);
}

int crash_hang_ms(void)
{
    int ms = crash_stage.options == NULL ? 0 : crash_stage.options->hang_ms;
    return crash_limit_ms(ms != 0 ? ms : HANG_MS);
}

void crash_fail(const char *format, ...)
{
    char line[512];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(line, sizeof line - 1, format, values);
    va_end(values);
    size_t used = size < 0 ? 0 : (size_t)size < sizeof line - 1 ? (size_t)size : sizeof line - 2;
    line[used++] = '\n';
    uint32_t place = atomic_fetch_add(&crash_record->report_used, (uint32_t)used);
    if (place + used < REPORT_BYTES) {
        memcpy(crash_record->report + place, line, used);
    }
    atomic_fetch_add(&crash_record->failure_count, 1);
}

void crash_hang(const char *who)
{
    atomic_fetch_add(&crash_record->hang_count, 1);
    crash_fail("hang: %s", who);
}

void crash_fill(void *data, size_t size, uint32_t seed)
{
    unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(seed * 31 + i * 7 + (i >> 8));
    }
}

bool crash_is_filled(const void *data, size_t size, uint32_t seed)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != (unsigned char)(seed * 31 + i * 7 + (i >> 8))) {
            return false;
        }
    }
    return true;
}

/* A child that is a member; it ends with the crash_stage. */
pid_t crash_start_member(const char *name, void (*run)(void), uint32_t *ret_owner)
{
    uint32_t owner = 0;
    pid_t pid = kin__family_fork(name, 0, &owner);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run();
        _exit(0);
    }
    if (pid < 0) {
        crash_fail("no process: %d", pid);
    }
    if (ret_owner != NULL) {
        *ret_owner = owner;
    }
    return pid;
}

pid_t crash_start(void (*run)(void), uint32_t *ret_owner)
{
    pid_t pid = crash_start_member("context", run, ret_owner);
    if (pid > 0 && crash_stage.context_count < CONTEXT_MAX) {
        crash_stage.context[crash_stage.context_count++] = pid;
    }
    return pid;
}

static const struct prey *prey_to_start;

static void run_prey(void)
{
    if (prey_to_start->prepare != NULL) {
        prey_to_start->prepare();
    }
    trace_run(prey_to_start->run);
}

pid_t crash_start_prey(const struct prey *prey, uint32_t *ret_owner)
{
    struct trace_watch watch = {0};
    struct trace_point point = {.address = 1, .hit = 1}; /* is not reached */
    if (prey->function != NULL) {
        point.address = (uintptr_t)prey->function;
    }
    prey_to_start = prey;
    pid_t pid = crash_start_member("prey", run_prey, ret_owner);
    enum trace_end end = trace_begin(pid, prey->run) ? trace_to(pid, &watch, point) : TRACE_GONE;
    if (end == TRACE_AT_POINT && prey->is_behind) {
        end = trace_leave(pid, &watch);
    }
    if (end != (prey->function == NULL ? TRACE_DONE : TRACE_AT_POINT)) {
        crash_fail("the prey does not get to where it is to die: %d", (int)end);
    }
    return pid;
}

void crash_kill_prey(pid_t pid)
{
    trace_kill(pid);
}

void crash_await_reaped(uint32_t owner)
{
    double limit = crash_now() + crash_hang_ms() * 1e-3;
    while (kin__member_state_of(owner) != KIN__MEMBER_FREE) {
        if (crash_now() > limit) {
            crash_hang("the prey is not reaped");
            return;
        }
        usleep(50);
    }
}

void crash_set_flag(uint32_t index, uint64_t value)
{
    atomic_store(&scene.board->flags[index], value);
}

void crash_await_sleep(pid_t pid)
{
    double limit = crash_now() + crash_hang_ms() * 1e-3;
    while (!trace_is_asleep(pid)) {
        if (crash_now() > limit) {
            crash_hang("the context does not get to sleep");
            return;
        }
    }
}

void crash_await(const _Atomic uint64_t *word, uint64_t value)
{
    double limit = crash_now() + crash_hang_ms() * 1e-3;
    while (atomic_load(word) < value) {
        if (crash_now() > limit) {
            crash_hang("what is waited for on the board does not come");
            return;
        }
        usleep(50);
    }
}

void crash_await_flag(uint32_t index, uint64_t value)
{
    crash_await(&scene.board->flags[index], value);
}
