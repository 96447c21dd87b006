/**
 * A child process that runs a function.
 */
#ifndef KIN_PROCESS_H
#define KIN_PROCESS_H

#include <kin/call.h>
#include <kin/export.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/** A child of this process. */
typedef struct kin_process kin_process;

/** What kin_process_start can be told. */
typedef struct kin_process_options {
    size_t size; /* of this struct */

    /* The child's name, at most 31 bytes are kept; default: "Process-1", "Process-1:2" for
     * the second child of Process-1. */
    const char *name;

    /* A daemon ends with its parent, also when the parent is killed with SIGKILL. One that
     * is not is waited for by kin_fini and outlives a parent that is killed. */
    bool is_daemon;

    /* Forking a program that runs threads of its own is refused with -EBUSY, because the
     * child would keep the locks of threads that it does not have, unless this is set. */
    bool allow_threads;
} kin_process_options;

/**
 * Forks a child that runs `function` with a copy of `arguments` (a tuple of them, or the only one:
 * kin_call_argument) and then exits with what the function returned: 0 to 255. A
 * negative code is printed with its message to stderr, and the child exits with 1. All that this
 * process has open is open in the child, and what handles and fds in the arguments stand for.
 *
 * The child runs no exit handlers. Output that is buffered at the start is written before; where
 * other threads run, that of stdout and stderr only: flush other streams, or the child writes what
 * is in them once more. Free the process with kin_process_free.
 *
 * Returns 0, or -EBUSY: other threads are running; -EAGAIN: no more processes are allowed;
 * -ENOMEM; -EMFILE: no fd is left for the sentinel; KIN_EFAMILY: kin_init was not called.
 *
 * Peer death: a parent that is killed in here leaves no child, or one that runs (if it is not
 * a daemon).
 */
KIN_API int kin_process_start(kin_function *function, const kin_object *arguments,
                              const kin_process_options *options, kin_process **ret_process);

/** The same with a copy of `size` bytes of `data`: kin_call_bytes. */
KIN_API int kin_process_start_bytes(kin_function *function, const void *data, size_t size,
                                    const kin_process_options *options, kin_process **ret_process);

/**
 * Waits until the child has ended. Several threads may wait, any number of times.
 *
 * Returns 0, or
 *   -EAGAIN      it runs, and the timeout is KIN_NOW
 *   -ETIMEDOUT   it runs at the deadline
 *   -ECANCELED   the token fired
 *   -EDEADLK     it waits, in turn, for a lock that the calling thread holds (kin/deadlock.h)
 *   -ECHILD      it is not a child of the calling process (a process inherited by fork)
 */
KIN_API int kin_process_join(kin_process *process, kin_timeout timeout);

/**
 * Reads how the child ended: its exit status, or minus the number of the signal that ended
 * it. Returns 0, -EAGAIN: it has not ended, or -ECHILD: not a child of the calling process, or
 * the program itself has waited for it (or ignores SIGCHLD), so that its code is unknown.
 */
KIN_API int kin_process_exit_code(kin_process *process, int *ret_exit_code);

/** Whether it is a child of the calling process and has not ended yet. */
KIN_API bool kin_process_is_alive(kin_process *process);

/** Sends SIGTERM, which the child may catch. Returns 0 (also when it has ended) or -ECHILD. */
KIN_API int kin_process_terminate(kin_process *process);

/** Sends SIGKILL. Returns 0 (also when the child has ended already) or -ECHILD. */
KIN_API int kin_process_kill(kin_process *process);

/** The child's process id. */
KIN_API int32_t kin_process_pid(const kin_process *process);

/** The child's name; valid as long as the process is. */
KIN_API const char *kin_process_name(const kin_process *process);

/**
 * An fd that becomes readable for poll when the child ends; valid as long as the process is,
 * not to be closed. -ECHILD: it is not a child of the calling process.
 */
KIN_API int kin_process_sentinel(const kin_process *process);

/**
 * Frees the object; NULL is fine. Returns NULL. A child that still runs goes on: a daemon
 * until this process ends, another is waited for by kin_fini.
 */
KIN_API kin_process *kin_process_free(kin_process *process);

KIN_END

#endif
