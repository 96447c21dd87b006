#define _GNU_SOURCE
#include "step/engine.h"

#include "step/record.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Changes with each point, and before with each instruction that is listed: on a busy machine that
 * alone may take long. */
static uint32_t progress_of_stage(void)
{
    return atomic_load(&crash_record->progress) + atomic_load(&crash_record->step_count);
}

/* Waits for the stage's end; one that makes no progress is ended. */
static void wait_for_stage(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd ends = {.fd = fd, .events = POLLIN};
    for (;;) {
        uint32_t progress = progress_of_stage();
        int r = poll(&ends, 1, crash_limit_ms(STALL_MS));
        if (r == 1) {
            break;
        }
        if (progress == progress_of_stage()) {
            crash_hang("the survivors");
            kill(pid, SIGKILL);
        }
    }
    close(fd);
    kill(-pid, SIGKILL); /* what it left when it failed */
    waitpid(pid, NULL, 0);
}

/* Which function a point lies in, if the tools to say so are there. */
static void name_point(char *text, size_t bytes)
{
    struct trace_point point = crash_record->point;
    char command[128];
    char name[128] = "?\n";
    snprintf(command, sizeof command, "addr2line -f -s -e /proc/%d/exe %#lx 2>&1", (int)getpid(),
             (unsigned long)point.address);
    FILE *said = point.address < 2 ? NULL : popen(command, "r");
    if (said != NULL) {
        size_t size = fread(name, 1, sizeof name - 1, said);
        name[size] = '\0';
        pclose(said);
    }
    for (char *end = strchr(name, '\n'); end != NULL; end = strchr(end, '\n')) {
        *end = ' ';
    }
    if (point.address < 2) {
        snprintf(text, bytes, point.address == 0 ? "asleep, time %u" : "at the end", point.hit);
    } else {
        snprintf(text, bytes, "%sbefore %#lx, time %u", name, (unsigned long)point.address,
                 point.hit);
    }
}

/* Reports what the stage found, and goes on behind it. */
static void take_failure(struct engine_result *result, bool is_quiet)
{
    if (atomic_load(&crash_record->hang_count) != 0) {
        result->hang_count++;
    } else {
        result->bad_count++;
    }
    if (!is_quiet) {
        char place[256] = "before any kill";
        if (atomic_load(&crash_record->total) != 0) {
            name_point(place, sizeof place);
        }
        crash_record->report[REPORT_BYTES - 1] = '\0';
        printf("  point %u: %s\n%s", atomic_load(&crash_record->next), place, crash_record->report);
    }
    memset(crash_record->report, 0, sizeof crash_record->report);
    atomic_store(&crash_record->report_used, 0);
    atomic_store(&crash_record->failure_count, 0);
    atomic_store(&crash_record->hang_count, 0);
    atomic_fetch_add(&crash_record->next, 1);
    atomic_fetch_add(&crash_record->progress, 1);
}

bool engine_run(const struct scenario *scenario, const struct engine_options *options,
                struct engine_result *ret_result)
{
    struct engine_result result = {0};
    double start = crash_now();
    crash_record = mmap(NULL, sizeof *crash_record, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (crash_record == MAP_FAILED) {
        return false;
    }
    crash_stage = (struct stage){.scenario = scenario, .options = options};
    bool has_begun = true;
    bool is_over = false;
    while (!is_over) {
        atomic_store(&crash_record->total, 0);
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            stage_run();
        }
        wait_for_stage(pid);
        has_begun = atomic_load(&crash_record->total) != 0;
        bool has_failed = atomic_load(&crash_record->failure_count) != 0;
        if (!has_failed && atomic_load(&crash_record->next) < atomic_load(&crash_record->total)) {
            crash_fail("the process of the scenario died");
            has_failed = true;
        }
        if (has_failed || !has_begun) {
            take_failure(&result, options->is_quiet);
        }
        is_over = !has_failed || !has_begun ||
                  result.bad_count + result.hang_count >= options->failures_max;
    }
    result.step_count = atomic_load(&crash_record->step_count);
    result.point_count = atomic_load(&crash_record->progress);
    result.kill_count = atomic_load(&crash_record->kill_count);
    result.seconds = crash_now() - start;
    *ret_result = result;
    munmap(crash_record, sizeof *crash_record);
    return has_begun;
}
