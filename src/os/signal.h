/**
 * Signals of a process that kin has to itself, a server: there they arrive as something to read.
 */
#ifndef KIN_OS_SIGNAL_H
#define KIN_OS_SIGNAL_H

#include <stdint.h>

/* A set of signals, as the system has it. */
struct kin__os_signals {
    uint64_t words[16];
};

/* Blocks all signals of the calling thread; `ret_before` is what was blocked until then. */
void kin__os_signals_block(struct kin__os_signals *ret_before);

/* Blocks these, and no others. */
void kin__os_signals_restore(const struct kin__os_signals *before);

/* Makes an fd that is readable when a signal that is blocked has come, and gives the signal its
 * default meaning, which may have been inherited otherwise. Close-on-exec, reading does not block.
 * 0, or -EMFILE, -ENFILE, -ENOMEM. It is closed with kin__os_close. */
int kin__os_signal_fd_create(int number, int *ret_fd);

/* Takes what has come. */
void kin__os_signal_fd_clear(int fd);

#endif
