/* The system calls themselves. */
#define _GNU_SOURCE

#include "process/starts.h"

#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
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

/* The program of kin's subject, which stands beside this one: the same that kin starts, with the
 * same libraries, but it ends at once. */
static char kin_program[4096];

static void find_kin_program(void)
{
    ssize_t size = readlink("/proc/self/exe", kin_program, sizeof kin_program - 1);
    char *name = size > 0 ? strrchr(kin_program, '/') : NULL;
    if (name == NULL) {
        harness_die("this program is nowhere");
    }
    snprintf(name, (size_t)(kin_program + sizeof kin_program - name), "/bench_process_kin");
}

static void spawn_and_wait(void)
{
    char *const arguments[] = {kin_program, STARTS_NOTHING, NULL};
    int status = 0;
    pid_t pid = 0;
    if (posix_spawn(&pid, kin_program, NULL, NULL, arguments, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0) {
        harness_die("posix_spawn or waitpid failed");
    }
}

void (*const starts_divert)(int *argc, char ***argv) = NULL;

const starts_method starts_methods[] = {
    {.name = "fork", .start_and_join = fork_and_wait},
    {.name = "spawn", .open = find_kin_program, .start_and_join = spawn_and_wait},
    {.name = "forkserver", .start_and_join = fork_and_wait}, /* what it saves: a fork of all this */
    {.name = NULL},
};
