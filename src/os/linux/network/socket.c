#define _GNU_SOURCE
#include "os/socket.h"
#include "base/assert.h"
#include "os/fault.h"
#include "os/linux/network/call.h"
#include "os/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

KIN_STATIC_ASSERT_SIZE(kin_bytes, sizeof(struct iovec));
KIN_STATIC_ASSERT_OFFSET(kin_bytes, size, offsetof(struct iovec, iov_len));
KIN_STATIC_ASSERT_SIZE(struct kin__os_room, sizeof(struct iovec));
KIN_STATIC_ASSERT_OFFSET(struct kin__os_room, size, offsetof(struct iovec, iov_len));
KIN_STATIC_ASSERT_SIZE(struct kin__os_receipt, sizeof(struct mmsghdr));

/* Moves an fd behind those of the standard streams: where a program runs with one of them closed,
 * what it prints must not go to the other side. */
static int move_behind_streams(int *fd)
{
    if (*fd > STDERR_FILENO) {
        return 0;
    }
    int moved = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int r = moved < 0 ? -errno : 0;
    if (r == 0) {
        close(*fd);
        *fd = moved;
    }
    return r;
}

/* Hands out both of a new pair, or neither. */
static int give_pair(int fds[2], int ret_fds[2])
{
    int r = move_behind_streams(&fds[0]);
    if (r == 0) {
        r = move_behind_streams(&fds[1]);
    }
    if (r < 0) {
        close(fds[0]);
        close(fds[1]);
        return r;
    }
    ret_fds[0] = fds[0];
    ret_fds[1] = fds[1];
    return 0;
}

static int make_pair(int type, int ret_fds[2])
{
    int fds[2];
    KIN__OS_FAULT(EMFILE);
    return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0 ? -errno : give_pair(fds, ret_fds);
}

int kin__os_socket_pair(int ret_fds[2])
{
    return make_pair(SOCK_STREAM, ret_fds);
}

int kin__os_message_pair(int ret_fds[2])
{
    return make_pair(SOCK_SEQPACKET, ret_fds);
}

int kin__os_pipe(int ret_fds[2])
{
    int fds[2];
    KIN__OS_FAULT(EMFILE);
    return pipe2(fds, O_CLOEXEC) != 0 ? -errno : give_pair(fds, ret_fds);
}

int kin__os_fd_keep(int fd)
{
    KIN__OS_FAULT(EBADF);
    return fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ? -errno : 0;
}

int kin__os_fd_copy(int fd, int *ret_fd)
{
    KIN__OS_FAULT(EMFILE);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy < 0) {
        return -errno;
    }
    *ret_fd = copy;
    return 0;
}

static int inspect_socket(int fd, struct kin__os_fd_about *about)
{
    int type = 0;
    int domain = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) {
        return -errno;
    }
    about->kind = domain == AF_UNIX ? KIN__OS_FD_UNIX_SOCKET : KIN__OS_FD_SOCKET;
    return type == SOCK_STREAM ? 0 : -ENOTSUP;
}

int kin__os_fd_inspect(int fd, struct kin__os_fd_about *ret_about)
{
    struct stat file;
    KIN__OS_FAULT(EBADF);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &file) != 0) {
        return -errno;
    }
    struct kin__os_fd_about about = {.kind = KIN__OS_FD_PIPE,
                                     .is_readable = (flags & O_ACCMODE) != O_WRONLY,
                                     .is_writable = (flags & O_ACCMODE) != O_RDONLY,
                                     .device = file.st_dev,
                                     .inode = file.st_ino};
    int r = S_ISSOCK(file.st_mode) ? inspect_socket(fd, &about) : 0;
    if (r == 0) {
        *ret_about = about;
    }
    return r;
}

/* --- sockets --- */

uint32_t kin__os_receipt_bytes(const struct kin__os_receipt *receipt)
{
    unsigned count = 0;
    memcpy(&count, receipt->words + offsetof(struct mmsghdr, msg_len), sizeof count);
    return count;
}

void kin__os_receipt_clear(struct kin__os_receipt *receipt)
{
    memset(receipt->words + offsetof(struct mmsghdr, msg_len), 0, sizeof(unsigned));
}

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(KIN__OS_FDS_MAX * sizeof(int))];
};

static void write_control(struct msghdr *message, union control *control,
                          const struct kin__os_fds *fds)
{
    message->msg_control = control->bytes;
    message->msg_controllen = CMSG_SPACE(fds->count * sizeof(int));
    control->header = (struct cmsghdr){.cmsg_len = CMSG_LEN(fds->count * sizeof(int)),
                                       .cmsg_level = SOL_SOCKET,
                                       .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control->header), fds->fds, fds->count * sizeof(int));
}

/* One piece, without fds: that has a shorter way through the kernel. */
static inline int64_t send_piece(int fd, const kin_bytes *piece, int flags)
{
    int64_t sent = 0;
    do {
        sent = kin__os_call_send(fd, piece->data, piece->size, flags);
    } while (sent == -EINTR);
    return sent;
}

int64_t kin__os_socket_send(int fd, const struct kin__os_output *output)
{
    int flags = MSG_NOSIGNAL | (output->may_wait ? 0 : MSG_DONTWAIT);
    union control control;
    struct kin__os_receipt own;
    struct mmsghdr *message = (struct mmsghdr *)(output->receipt == NULL ? &own : output->receipt);
    int64_t sent = 0;
    KIN__OS_FAULT(ENOBUFS);
    if (output->count == 1 && output->receipt == NULL && output->fds == NULL) {
        return send_piece(fd, output->pieces, flags);
    }
    message->msg_hdr = (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)output->pieces,
                                       .msg_iovlen = output->count};
    message->msg_len = 0;
    if (output->fds != NULL && output->fds->count > 0) {
        write_control(&message->msg_hdr, &control, output->fds);
    }
    do {
        sent = kin__os_call_sendmmsg(fd, message, flags);
    } while (sent == -EINTR);
    return sent < 0 ? sent : (int64_t)message->msg_len;
}

/* Puts the fds of a message that came where they belong. There is no room for more than those. */
static void take_fds(struct msghdr *message, struct kin__os_fds *fds)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        uint32_t count = (uint32_t)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (uint32_t i = 0; i < count; i++) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            if (fds->count < KIN__OS_FDS_MAX) {
                fds->fds[fds->count++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

int64_t kin__os_socket_receive(int fd, const struct kin__os_intake *intake)
{
    union control control;
    struct kin__os_receipt own;
    struct mmsghdr *message = (struct mmsghdr *)(intake->receipt == NULL ? &own : intake->receipt);
    int64_t got = 0;
    KIN__OS_FAULT(ECONNRESET);
    message->msg_hdr = (struct msghdr){.msg_iov = (struct iovec *)(uintptr_t)intake->rooms,
                                       .msg_iovlen = intake->count,
                                       .msg_control = control.bytes,
                                       .msg_controllen = intake->fds == NULL ? 0 : sizeof control};
    message->msg_len = 0;
    do {
        got = kin__os_call_recvmmsg(fd, message,
                                    MSG_CMSG_CLOEXEC | (intake->may_wait ? 0 : MSG_DONTWAIT));
    } while (got == -EINTR);
    if (got < 0) {
        return got;
    }
    if (intake->fds != NULL && message->msg_hdr.msg_controllen > 0) {
        take_fds(&message->msg_hdr, intake->fds);
    }
    return message->msg_len;
}

void kin__os_socket_shut(int fd)
{
    shutdown(fd, SHUT_WR);
}
