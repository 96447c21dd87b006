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

static void start_and_join(void)
{
    kin_process *process = NULL;
    int exit_code = -1;
    harness_must(kin_process_start_bytes(do_nothing, NULL, 0, NULL, &process), "start");
    harness_must(kin_process_join(process, KIN_FOREVER), "kin_process_join");
    harness_must(kin_process_exit_code(process, &exit_code), "kin_process_exit_code");
    if (exit_code != 0) {
        harness_die("a child exited with %d", exit_code);
    }
    kin_process_free(process);
}

const starts_method starts_methods[] = {
    {.name = "fork", .open = open_family, .start_and_join = start_and_join},
    {.name = NULL},
};
