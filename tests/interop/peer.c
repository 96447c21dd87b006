#define _GNU_SOURCE
#include "interop/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FD_COUNT_MAX = 16 };

extern char **environ;

const char *peer_python(void)
{
    const char *python = getenv("KIN_PYTHON");
    return python != NULL ? python : "/usr/bin/python3";
}

const char *peer_folder(void)
{
    static char folder[PATH_MAX];
    char path[PATH_MAX];
    const char *source = getenv("KIN_SOURCE");
    snprintf(path, sizeof path, "%s/tests/interop", source != NULL ? source : ".");
    REQUIRE(realpath(path, folder) != NULL);
    return folder;
}

static pid_t start(const char *script, const char *argument, const int *fds, size_t fd_count)
{
    char path[8192];
    snprintf(path, sizeof path, "%s/%s", peer_folder(), script);
    /* -B: no __pycache__ in the source; -E: nothing from the environment */
    const char *words[] = {peer_python(), "-B", "-E", "-s", path, argument, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    REQUIRE(posix_spawn_file_actions_init(&actions) == 0);
    for (size_t i = 0; i < fd_count; i++) {
        REQUIRE(posix_spawn_file_actions_adddup2(&actions, fds[i], i < 2 ? (int)i : (int)i + 1) ==
                0);
    }
    int code = posix_spawn(&pid, peer_python(), &actions, NULL, (char *const *)words, environ);
    REQUIRE(posix_spawn_file_actions_destroy(&actions) == 0);
    if (code != 0) {
        test_fail(TEST_HERE, "cannot start %s: %s", peer_python(), strerror(code));
    }
    REQUIRE(code == 0);
    return pid;
}

/* Moves an fd to where it is in nobody's way. */
static int moved(int fd)
{
    int result = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    REQUIRE(result >= 0);
    close(fd);
    return result;
}

struct peer peer_start(const char *script, const char *argument)
{
    int in[2], out[2], sockets[2];
    REQUIRE(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    int theirs[] = {moved(in[0]), moved(out[1]), moved(sockets[1])};
    struct peer peer = {.to = moved(in[1]), .from = moved(out[0]), .socket = moved(sockets[0])};
    peer.pid = start(script, argument, theirs, 3);
    for (int i = 0; i < 3; i++) {
        close(theirs[i]);
    }
    return peer;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void peer_join(struct peer *peer)
{
    close_fd(&peer->to);
    close_fd(&peer->from);
    close_fd(&peer->socket);
    int status = 0;
    REQUIRE(waitpid(peer->pid, &status, 0) == peer->pid);
    CHECK_EQUAL(status, 0);
}

int peer_version(void)
{
    static int version;
    if (version == 0) {
        struct peer peer = peer_start("peer.py", "version");
        char text[16] = "";
        wire_read(peer.from, text, sizeof text - 1);
        version = (int)strtol(text, NULL, 10);
        peer_join(&peer);
    }
    return version;
}

size_t peer_receive_fds(const struct peer *peer, char *text, size_t size, int *fds, size_t count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FD_COUNT_MAX * sizeof(int))];
    struct iovec part = {.iov_base = text, .iov_len = size - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t received = recvmsg(peer->socket, &message, MSG_CMSG_CLOEXEC);
    REQUIRE(received > 0);
    text[received] = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL) {
        return 0;
    }
    size_t came = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    REQUIRE(came <= count);
    memcpy(fds, CMSG_DATA(header), came * sizeof(int));
    return came;
}

void peer_send_fds(const struct peer *peer, const char *text, const int *fds, size_t count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FD_COUNT_MAX * sizeof(int))] = {0};
    struct iovec part = {.iov_base = (void *)text, .iov_len = strlen(text)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    REQUIRE(count > 0 && count <= FD_COUNT_MAX);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    REQUIRE(sendmsg(peer->socket, &message, 0) == (ssize_t)strlen(text));
}
