/* posix_spawn and waitpid; and a poll loop that one writes by hand, for a size that is known. */
#define _GNU_SOURCE
#include "command/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void await(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        harness_die("waitpid: status %d", status);
    }
}

void programs_run(void)
{
    char *argv[] = {"true", NULL};
    pid_t pid = 0;
    if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) != 0) {
        harness_die("posix_spawn failed");
    }
    await(pid);
}

static pid_t start_cat(int ret_ends[2])
{
    char *argv[] = {"cat", NULL};
    int to[2];
    int from[2];
    pid_t pid = 0;
    posix_spawn_file_actions_t actions;
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
        harness_die("no pipes");
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    if (posix_spawn(&pid, "/bin/cat", &actions, NULL, argv, environ) != 0) {
        harness_die("posix_spawn failed");
    }
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    ret_ends[0] = to[1];
    ret_ends[1] = from[0];
    fcntl(to[1], F_SETFL, O_NONBLOCK);
    fcntl(from[0], F_SETFL, O_NONBLOCK);
    return pid;
}

void programs_feed(const unsigned char *data, size_t size)
{
    int ends[2];
    size_t sent = 0;
    size_t received = 0;
    unsigned char *answer = malloc(size);
    signal(SIGPIPE, SIG_IGN);
    pid_t pid = start_cat(ends);
    while (received < size && answer != NULL) {
        struct pollfd polls[] = {{.fd = sent < size ? ends[0] : -1, .events = POLLOUT},
                                 {.fd = ends[1], .events = POLLIN}};
        poll(polls, 2, -1);
        ssize_t written = polls[0].revents != 0 ? write(ends[0], data + sent, size - sent) : 0;
        sent += written > 0 ? (size_t)written : 0;
        if (sent == size && written > 0) {
            close(ends[0]);
        }
        ssize_t got = polls[1].revents != 0 ? read(ends[1], answer + received, size - received) : 0;
        received += got > 0 ? (size_t)got : 0;
        if ((written < 0 && errno != EAGAIN) || (polls[1].revents != 0 && got == 0)) {
            break;
        }
    }
    close(ends[1]);
    await(pid);
    programs_check(answer, received);
    free(answer);
}
