#define _GNU_SOURCE
#include "os/process.h"

#include "base/assert.h"
#include "os/fault.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static_assert(sizeof(sigset_t) <= sizeof(struct kin__os_signals), "the system's set fits");

void kin__os_signals_block(struct kin__os_signals *ret_before)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    memcpy(ret_before->words, &before, sizeof before);
}

void kin__os_signals_restore(const struct kin__os_signals *before)
{
    sigset_t set;
    memcpy(&set, before->words, sizeof set);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

int kin__os_signal_fd_create(int number, int *ret_fd)
{
    sigset_t set;
    KIN__OS_FAULT(EMFILE);
    sigemptyset(&set);
    sigaddset(&set, number);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    signal(number, SIG_DFL);
    *ret_fd = fd;
    return 0;
}

void kin__os_signal_fd_clear(int fd)
{
    struct signalfd_siginfo signals[8];
    ssize_t bytes = 0;
    do {
        bytes = read(fd, signals, sizeof signals);
    } while (bytes == (ssize_t)sizeof signals);
}
