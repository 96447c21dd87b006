/**
 * Ctrl-C. A terminal sends SIGINT to all processes of a program at once; each would end where it
 * happens to be. A program that asks for it here ends in order instead, led by one process:
 *
 *     the first      stop taking work: the token below fires, pools are closed
 *     the second     terminate: pools are terminated, children get SIGTERM
 *     the third      children get SIGKILL, and the process ends by SIGINT
 *
 * The processes of the family that are started from then on ignore SIGINT, and so do the programs
 * (kin/command.h) that these start, unless they handle it themselves. What a program does
 * after the first is its own: as a rule it gives the token to what it waits with, and returns from
 * main when that says -ECANCELED; kin_fini then ends and waits for what is left.
 */
#ifndef KIN_INTERRUPT_H
#define KIN_INTERRUPT_H

#include <kin/cancel.h>
#include <kin/export.h>

KIN_BEGIN

/**
 * Makes the calling process the one that Ctrl-C is for, until kin_fini. To be called early: it
 * installs the handler of SIGINT, and children that run already keep to theirs. Where SIGINT is
 * ignored, as in a program that runs in the background, it stays ignored, and only the token is
 * made. `ret_cancel`, if not NULL, is set to the token: it belongs to kin, and is valid until
 * kin_fini; its handle can be given to other processes.
 *
 * Returns 0, or -EALREADY: this process or one above it has asked for it; -ENOMEM, KIN_EFAMILY.
 *
 * Threads: the three steps are taken on kin's own thread, not in the handler.
 * Fork: the child of a plain fork dies by SIGINT, as without this.
 * Peer death: when the process that asked for it dies, daemons end, and others ignore SIGINT.
 */
KIN_API int kin_interrupt_handle(kin_cancel **ret_cancel);

/** How often it has come since kin_interrupt_handle. */
KIN_API uint32_t kin_interrupt_count(void);

KIN_END

#endif
