/* Reading and writing pipes without waiting where that is not wanted, and without SIGPIPE: newer
 * kernels know both for a single call (6.18 and 6.4 or so), for others there is a way around. */
#define _GNU_SOURCE
#include "os/fault.h"
#include "os/poll.h"
#include "os/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/uio.h>
#include <time.h>

/* RWF_NOSIGNAL, which older headers do not have. */
#define NO_SIGNAL 0x00000100

/* Whether something is possible at once. */
static bool is_ready(int fd, int16_t wanted)
{
    struct kin__os_poll one = {.fd = fd, .wanted = wanted};
    return kin__os_poll(&one, 1, 1) > 0;
}

/* Writes with SIGPIPE held back from this thread: one that the call raises is taken away again, one
 * that was there before stays. */
static ssize_t write_quietly(int fd, const struct iovec *pieces, int count)
{
    sigset_t pipe_signal;
    sigset_t before;
    sigset_t pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t written = writev(fd, pieces, count);
    int code = errno;
    if (written < 0 && code == EPIPE && !sigismember(&pending, SIGPIPE)) {
        sigtimedwait(&pipe_signal, NULL, &(struct timespec){0});
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = code;
    return written;
}

/* As the kernel without those flags can. What does not wait writes one step, if there is room. */
static ssize_t write_plainly(int fd, const struct iovec *pieces, uint32_t count, bool may_wait)
{
    if (may_wait) {
        return write_quietly(fd, pieces, (int)count);
    }
    if (!is_ready(fd, KIN__OS_POLL_WRITE)) {
        errno = EAGAIN;
        return -1;
    }
    struct iovec step[16];
    size_t left = KIN__OS_PIPE_STEP;
    int used = 0;
    for (uint32_t i = 0; i < count && left > 0 && used < 16; i++) {
        step[used] = pieces[i];
        step[used].iov_len = step[used].iov_len < left ? step[used].iov_len : left;
        left -= step[used++].iov_len;
    }
    return write_quietly(fd, step, used);
}

int64_t kin__os_pipe_write(int fd, const struct kin__os_output *output)
{
    const struct iovec *pieces = (const struct iovec *)output->pieces;
    int flags = NO_SIGNAL | (output->may_wait ? 0 : RWF_NOWAIT);
    ssize_t written = 0;
    KIN__OS_FAULT(EPIPE);
    do {
        written = pwritev2(fd, pieces, (int)output->count, -1, flags);
        if (written < 0 && (errno == EOPNOTSUPP || errno == EINVAL)) {
            written = write_plainly(fd, pieces, output->count, output->may_wait);
        }
    } while (written < 0 && errno == EINTR);
    return written < 0 ? -errno : written;
}

int64_t kin__os_pipe_read(int fd, const struct kin__os_intake *intake)
{
    const struct iovec *rooms = (const struct iovec *)intake->rooms;
    int count = (int)intake->count;
    ssize_t got = 0;
    KIN__OS_FAULT(EIO);
    do {
        got = intake->may_wait ? readv(fd, rooms, count)
                               : preadv2(fd, rooms, count, -1, RWF_NOWAIT);
        if (got < 0 && errno == EOPNOTSUPP) {
            if (!is_ready(fd, KIN__OS_POLL_READ)) {
                return -EAGAIN;
            }
            got = readv(fd, rooms, count);
        }
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

void kin__os_pipe_widen(int fd, uint32_t bytes)
{
    fcntl(fd, F_SETPIPE_SZ, (int)bytes);
}

int kin__os_fd_unblock(int fd)
{
    KIN__OS_FAULT(EBADF);
    return fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ? -errno : 0;
}
