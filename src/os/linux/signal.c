#define _GNU_SOURCE
#include "os/process.h"

#include "base/assert.h"
#include "os/fault.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
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

/* --- SIGINT --- */

static_assert(sizeof(struct sigaction) <= sizeof(struct kin__os_interrupt), "it has room");

bool kin__os_interrupt_handle(void (*handler)(int number), struct kin__os_interrupt *ret_before)
{
    struct sigaction before;
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    if (sigaction(SIGINT, NULL, &before) != 0 || before.sa_handler == SIG_IGN) {
        return false;
    }
    memcpy(ret_before->action, &before, sizeof before);
    return sigaction(SIGINT, &action, NULL) == 0;
}

void kin__os_interrupt_restore(const struct kin__os_interrupt *before)
{
    struct sigaction action;
    memcpy(&action, before->action, sizeof action);
    sigaction(SIGINT, &action, NULL);
}

void kin__os_interrupt_ignore(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &action, NULL);
}

_Noreturn void kin__os_interrupt_die(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGINT);
    sigaction(SIGINT, &action, NULL);
    kill(getpid(), SIGINT);
    sigprocmask(SIG_UNBLOCK, &only, NULL);
    kin__os_die();
}
