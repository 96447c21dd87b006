/**
 * A child of this process, as the layers above see it.
 */
#ifndef KIN_PROCESS_PROCESS_H
#define KIN_PROCESS_PROCESS_H

#include "base/list.h"
#include "family/member.h"

#include <kin/process.h>

/* Private memory of the parent. The first block is constant after the start, the second is
 * guarded by the lock of kin__children. */
struct kin_process {
    uint32_t pid;
    uint32_t owner; /* the child's member */
    int fd;         /* of the process: readable once it has ended; -1: foreign */
    bool is_daemon;
    char name[KIN__NAME_BYTES];

    struct kin__list_node node;
    bool is_foreign; /* inherited by a fork: the child of another process */
    bool is_free;    /* the program has let go of it while the child ran */
    bool has_ended;
    bool has_code; /* exit_code is known: nobody else has waited for the child */
    int exit_code;
};

/**
 * Forks a child that kin_process_join and the like can handle. Buffered output is written
 * before, so that the child does not write it again.
 *
 * Returns the child's process id in the parent, 0 in the child, or -EAGAIN, -ENOMEM, -EMFILE,
 * KIN_EFAMILY.
 */
int kin__process_fork(const char *name, bool is_daemon, kin_process **ret_process);

/* Ends a child that kin__process_fork started: writes buffered output, leaves the family; no
 * exit handlers run. */
_Noreturn void kin__process_exit(int status);

/* Looks whether the child has ended, and waits for it if so. 0: it has; -EAGAIN: it runs;
 * -ECHILD: it is the child of another process. */
int kin__process_look(kin_process *process);
int kin__process_look_locked(kin_process *process);

/* Gives back what the object itself has. */
void kin__process_release(kin_process *process);

#endif
