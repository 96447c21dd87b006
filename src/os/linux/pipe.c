/* Reading and writing pipes without waiting where that is not wanted, and without SIGPIPE: newer
 * kernels know both for a single call (6.18 and 6.4 or so), for others there is a way around. */
#define _GNU_SOURCE
#include "os/fault.h"
#include "os/linux/network/call.h"
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
static int64_t write_quietly(int fd, const struct iovec *pieces, int count)
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
    int code = written < 0 ? errno : 0;
    if (code == EPIPE && !sigismember(&pending, SIGPIPE)) {
        sigtimedwait(&pipe_signal, NULL, &(struct timespec){0});
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code != 0 ? -code : written;
}

/* As the kernel without those flags can. What does not wait writes one step, if there is room. */
static int64_t write_plainly(int fd, const struct iovec *pieces, uint32_t count, bool may_wait)
{
    if (may_wait) {
        return write_quietly(fd, pieces, (int)count);
    }
    if (!is_ready(fd, KIN__OS_POLL_WRITE)) {
        return -EAGAIN;
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
    int64_t written = 0;
    KIN__OS_FAULT(EPIPE);
    do {
        written = kin__os_call_pwritev2(fd, pieces, (int)output->count, flags);
        if (written == -EOPNOTSUPP || written == -EINVAL) {
            written = write_plainly(fd, pieces, output->count, output->may_wait);
        }
    } while (written == -EINTR);
    return written;
}

int64_t kin__os_pipe_read(int fd, const struct kin__os_intake *intake)
{
    const struct iovec *rooms = (const struct iovec *)intake->rooms;
    int count = (int)intake->count;
    int64_t got = 0;
    KIN__OS_FAULT(EIO);
    do {
        got = intake->may_wait ? kin__os_call_readv(fd, rooms, count)
                               : kin__os_call_preadv2(fd, rooms, count, RWF_NOWAIT);
        if (got == -EOPNOTSUPP) {
            if (!is_ready(fd, KIN__OS_POLL_READ)) {
                return -EAGAIN;
            }
            got = kin__os_call_readv(fd, rooms, count);
        }
    } while (got == -EINTR);
    return got;
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
