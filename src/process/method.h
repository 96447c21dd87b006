/**
 * The start methods: one struct each, which kin_context_get hands out by its name, and what they
 * share.
 */
#ifndef KIN_PROCESS_METHOD_H
#define KIN_PROCESS_METHOD_H

#include "process/process.h"

#include <kin/context.h>

struct kin__method {
    kin_start_method method;
    const char *name;

    /* Starts a process that this thread alone is at: kin__start_begin, then the process, then
     * kin__start_end. 0, or a code: then nothing is left. A forked child does not return. */
    int (*start)(kin_process *process);
};

struct kin_context {
    const struct kin__method *method;
};

extern const struct kin__method kin__method_fork;
extern const struct kin__method kin__method_spawn;
extern const struct kin__method kin__method_forkserver;

/**
 * Before the start: waits for children that have ended and were freed, writes buffered output,
 * gives the process a record and a member's slot, which the child will take over. Whatever it
 * returns, one of the two below follows. 0, -ENOMEM, -EAGAIN, KIN_EFAMILY.
 */
int kin__start_begin(kin_process *process);

/* Whether threads run that are not kin's. */
bool kin__start_has_threads(void);

/* After it: the child `pid` runs (kin__child_started), and `fd` tells of its end; both are the
 * process's now. Or there is none, or it has ended: its slot is freed, unless it has taken that. */
void kin__start_end(kin_process *process, uint32_t pid, int fd);
void kin__start_fail(kin_process *process);

/* In a child that has taken its slot and has not its parent's memory: runs what its package says.
 * `fds` are its own. */
_Noreturn void kin__start_from_package(const int *fds, uint32_t fd_count);

/* The same for one that was spawned: its fds are those behind `fd`. The hook of the layer. */
void kin__start_spawned(int fd);

/* The same if that cannot be: says why, and ends the process. `name`: of the function. */
_Noreturn void kin__start_refuse(int code, const char *name);

/* In a child: ends it if its parent has ended meanwhile, which has not seen it run. */
void kin__start_check_parent(void);

/* The whole life of a child. */
_Noreturn void kin__process_run(const struct kin__process_plan *plan);

/* A copy of the path of the program that is to be exec'd. NULL: this one. 0, or -ENOMEM. */
int kin__context_executable(char **ret_path);

#endif
