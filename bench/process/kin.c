/* kin_process. */

#include "harness_kin.h"
#include "process/starts.h"

#include <kin.h>

static int do_nothing(kin_call *call)
{
    (void)call;
    return 0;
}
KIN_FUNCTION(do_nothing)

static void open_family(void)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
}

/* A spawned child does not return from there. */
static void divert(int *argc, char ***argv)
{
    harness_must(kin_init(argc, argv), "kin_init");
}

void (*const starts_divert)(int *argc, char ***argv) = divert;

static void start_and_join(kin_start_method method)
{
    kin_process_options options = {.size = sizeof options, .context = kin_context_get(method)};
    kin_process *process = NULL;
    int exit_code = -1;
    harness_must(kin_process_start_bytes(do_nothing, NULL, 0, &options, &process), "start");
    harness_must(kin_process_join(process, KIN_FOREVER), "kin_process_join");
    harness_must(kin_process_exit_code(process, &exit_code), "kin_process_exit_code");
    if (exit_code != 0) {
        harness_die("a child exited with %d", exit_code);
    }
    kin_process_free(process);
}

static void fork_and_join(void)
{
    start_and_join(KIN_FORK);
}

static void spawn_and_join(void)
{
    start_and_join(KIN_SPAWN);
}

static void have_forked_and_join(void)
{
    start_and_join(KIN_FORKSERVER);
}

const starts_method starts_methods[] = {
    {.name = "fork", .open = open_family, .start_and_join = fork_and_join},
    {.name = "spawn", .open = open_family, .start_and_join = spawn_and_join},
    {.name = "forkserver", .open = open_family, .start_and_join = have_forked_and_join},
    {.name = NULL},
};
