/**
 * The end of a child that a forkserver waits for, as its parent learns of it.
 */
#ifndef KIN_PROCESS_FORKSERVER_END_H
#define KIN_PROCESS_FORKSERVER_END_H

#include "process/process.h"

/* Looks whether the child has ended; under the lock of kin__children. 0, and its code; -ECHILD: it
 * has, and nobody knows how; -EAGAIN: it runs, or `is_ending`. */
int kin__forkserver_look(kin_process *process, int *ret_code);

/* Sleeps while it is ending. 0: look again; or as kin__sleep. */
int kin__forkserver_await(const kin_process *process, kin_timeout timeout);

#endif
