/* The system calls themselves, in a program that is a family's first process: what they cost where
 * kin is at work. */
#include "harness_kin.h"
#include "process/starts.h"

#include <kin.h>
#include <sys/wait.h>
#include <unistd.h>

static void open_family(void)
{
    harness_must(kin_init(NULL, NULL), "kin_init");
}

static void fork_and_wait(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        harness_die("fork or waitpid failed");
    }
}

void (*const starts_divert)(int *argc, char ***argv) = NULL;

const starts_method starts_methods[] = {
    {.name = "fork", .open = open_family, .start_and_join = fork_and_wait},
    {.name = NULL},
};
