/*
 * A splice loop that one writes by hand: no byte is copied on its way into the program.
 *
 *     --to=file    What comes back is spliced into a file of memory, which is mapped when all is
 *                  there: no call here moves a byte through a buffer.
 *     --to=memory  It is read into memory of its own, of large pages, for a size that is known.
 *
 * Such a loop may be had where nobody changes the bytes, or gives them back, as long as they are
 * in a pipe: the program reads the caller's own pages.
 */
#define _GNU_SOURCE
#include "command/programs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_BYTES ((size_t)1 << 20)
#define FILE_PIPE_BYTES (1 << 20) /* what was fastest of each */
#define MEMORY_PIPE_BYTES (256 * 1024)

extern char **environ;

void programs_run(void)
{
    harness_die("there is nothing to splice");
}

static pid_t start_cat(int ret_ends[2], int pipe_bytes)
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
    fcntl(to[1], F_SETPIPE_SZ, pipe_bytes);
    fcntl(from[0], F_SETPIPE_SZ, pipe_bytes);
    fcntl(to[1], F_SETFL, O_NONBLOCK);
    fcntl(from[0], F_SETFL, O_NONBLOCK);
    return pid;
}

static ssize_t give(int fd, const unsigned char *data, size_t size)
{
    struct iovec piece = {(void *)data, size < STEP_BYTES ? size : STEP_BYTES};
    return vmsplice(fd, &piece, 1, SPLICE_F_NONBLOCK);
}

/* Into the file, or to a place in memory. */
static ssize_t take(int fd, int file, unsigned char *place, size_t size)
{
    return file >= 0 ? splice(fd, NULL, file, NULL, STEP_BYTES, SPLICE_F_NONBLOCK)
                     : read(fd, place, size);
}

/* How much came back. */
static size_t move(int ends[2], const unsigned char *data, size_t size, int file,
                   unsigned char *answer)
{
    size_t sent = 0;
    size_t received = 0;
    while (received < size) {
        struct pollfd polls[] = {{.fd = sent < size ? ends[0] : -1, .events = POLLOUT},
                                 {.fd = ends[1], .events = POLLIN}};
        poll(polls, 2, -1);
        ssize_t given = polls[0].revents != 0 ? give(ends[0], data + sent, size - sent) : 0;
        if (given < 0 && errno != EAGAIN) {
            harness_die("vmsplice: %s", strerror(errno));
        }
        sent += given > 0 ? (size_t)given : 0;
        if (sent == size && given > 0) {
            close(ends[0]);
        }
        unsigned char *place = file < 0 ? answer + received : NULL;
        ssize_t got = polls[1].revents != 0 ? take(ends[1], file, place, size - received) : 0;
        if (polls[1].revents != 0 && (got == 0 || (got < 0 && errno != EAGAIN))) {
            break;
        }
        received += got > 0 ? (size_t)got : 0;
    }
    close(ends[1]);
    return received;
}

static unsigned char *map(int file, size_t size)
{
    void *memory = file >= 0 ? mmap(NULL, size, PROT_READ, MAP_SHARED, file, 0)
                             : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                    -1, 0);
    if (memory == MAP_FAILED) {
        harness_die("no memory for %zu bytes", size);
    }
    if (file < 0) {
        madvise(memory, size, MADV_HUGEPAGE);
    }
    return memory;
}

void programs_feed(const unsigned char *data, size_t size)
{
    int ends[2];
    int status = 0;
    bool has_file = strcmp(harness_word("to"), "file") == 0;
    int file = has_file ? memfd_create("answer", MFD_CLOEXEC) : -1;
    unsigned char *answer = has_file ? NULL : map(-1, size);
    signal(SIGPIPE, SIG_IGN);
    pid_t pid = start_cat(ends, has_file ? FILE_PIPE_BYTES : MEMORY_PIPE_BYTES);
    size_t received = move(ends, data, size, file, answer);
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        harness_die("waitpid: status %d", status);
    }
    answer = has_file ? map(file, size) : answer;
    programs_check(answer, received);
    munmap(answer, size);
    if (has_file) {
        close(file);
    }
}
