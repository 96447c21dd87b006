#include "harness_kin.h"

#include <kin.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

static struct {
    kin_process *processes[HARNESS_PROCESS_COUNT_MAX];
    bool is_killed[HARNESS_PROCESS_COUNT_MAX];
} started;

void harness_refuse(int code, const char *what)
{
    harness_die("%s: %s", what, kin_code_text(code));
}

static int take_part(kin_call *call)
{
    unsigned index;
    memcpy(&index, kin_call_bytes(call).data, sizeof index);
    harness_body_run(index);
    return 0;
}

static void start(unsigned index)
{
    started.is_killed[index] = false;
    harness_must(kin_process_start_bytes(take_part, &index, sizeof index,
                                         KIN_OPTIONS(kin_process_options, .is_daemon = true),
                                         &started.processes[index]),
                 "kin_process_start_bytes");
}

static void kill_one(unsigned index)
{
    started.is_killed[index] = true;
    kin_process_kill(started.processes[index]);
}

static void join(unsigned index)
{
    int exit_code = 1;
    harness_must(kin_process_join(started.processes[index], KIN_FOREVER), "kin_process_join");
    harness_must(kin_process_exit_code(started.processes[index], &exit_code),
                 "kin_process_exit_code");
    if (exit_code != (started.is_killed[index] ? -SIGKILL : 0)) {
        harness_die("process %u ended with %d", index, exit_code);
    }
    started.processes[index] = kin_process_free(started.processes[index]);
}

const harness_starter harness_kin = {start, kill_one, join};
