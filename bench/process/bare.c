/* The system calls themselves. */

#include "process/starts.h"

#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

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

const starts_method starts_methods[] = {
    {.name = "fork", .start_and_join = fork_and_wait},
    {.name = NULL},
};
