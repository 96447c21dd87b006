/**
 * A child process that runs a function.
 *
 *     kin_process *process;
 *     int code = kin_process_start(divide, arguments, NULL, &process);
 *     if (code == 0) {
 *         code = kin_process_join(process, KIN_FOREVER);
 *     }
 *     ... kin_process_exit_code(process, &exit_code) ...
 *     kin_process_free(process);
 *
 * A kin_process is new, then started, then ended, then closed. What cannot be done in its state is
 * refused, with the same code in every function:
 *   -ESRCH       it is new: kin_process_launch was not called, or failed
 *   -ECHILD      it is no child of the calling process: its parent, or inherited by a fork
 *   -EDEADLK     it is the calling process itself
 *   -EPIPE       it was closed
 *
 * Threads: any number may use one. Fork: in a child, what its parent had started is no child.
 */
#ifndef KIN_PROCESS_H
#define KIN_PROCESS_H

#include <kin/call.h>
#include <kin/error.h>
#include <kin/export.h>
#include <kin/member.h>
#include <kin/stop.h>
#include <kin/timeout.h>
#include <stdbool.h>

KIN_BEGIN

/** A child of this process; or this process, or its parent (kin/relatives.h). */
typedef struct kin_process kin_process;

/** How children are started; see kin/context.h. */
typedef struct kin_context kin_context;

/** What a process can be told before it is started. */
typedef struct kin_process_options {
    size_t size; /* of this struct */

    /* The child's name, at most 31 bytes are kept; default: "Process-1", "Process-1:2" for
     * the second child of Process-1. */
    const char *name;

    /* A daemon ends with its parent, also when the parent is killed with SIGKILL. One that
     * is not is waited for by kin_fini and outlives a parent that is killed, unless that is a
     * daemon or a child of one. */
    bool is_daemon;

    /* Forking a program that runs threads of its own is refused with -EBUSY, because the
     * child would keep the locks of threads that it does not have, unless this is set. */
    bool allow_threads;

    /* How to start it. Default: the default context. */
    const kin_context *context;

    /* Fds that the function finds with kin_call_fd, in this order. They are borrowed, and have to
     * stay open until the process has been started. */
    const int *fds;
    uint32_t fd_count;

    /* Nothing is printed when it crashes. What an error that leaves the function says is. */
    bool crash_is_quiet;
} kin_process_options;

/**
 * Makes a process that will run `function` with a copy of `arguments` (a tuple of them, or the only
 * one: kin_call_argument) and then exit with what the function returned: 0 to 255. A negative code
 * is printed to stderr with its message and where it comes from, and the child exits with 1. With
 * fork, all that this process has open is open in the child; in any case what handles and fds in
 * the arguments stand for.
 *
 * A function without arguments is given an empty tuple, or no bytes by the call below; NULL is an
 * object that could not be made: -ENOMEM.
 *
 * Free the process with kin_process_free. Returns 0, -ENOMEM, -EINVAL or KIN_EFAMILY.
 */
KIN_API int kin_process_create(kin_function *function, const kin_object *arguments,
                               const kin_process_options *options, kin_process **ret_process);

/** The same with a copy of `size` bytes of `data`: kin_call_bytes. */
KIN_API int kin_process_create_bytes(kin_function *function, const void *data, size_t size,
                                     const kin_process_options *options, kin_process **ret_process);

/** The same with an instance of a class that has the operation `run`, which the child runs on its
 * copy. -EINVAL: it has none. */
KIN_API int kin_process_create_object(const kin_object *instance,
                                      const kin_process_options *options,
                                      kin_process **ret_process);

/**
 * Starts it. After a failure it is new as before, and can be tried again.
 *
 * The child's standard input is empty (/dev/null). It runs no exit handlers, unless the function
 * calls exit. Output that is buffered at the start is written before; where other threads run, that
 * of stdout and stderr only: flush other streams, or a forked child writes what is in them once
 * more.
 *
 * Returns 0, or
 *   -EALREADY    it was started before
 *   -EBADF       an fd that the child was to have is not open
 *   -EBUSY       fork, and other threads are running
 *   -EAGAIN      no more processes are allowed
 *   -ENOMEM      -EMFILE: no fd is left for the sentinel
 *   KIN_EWORKER  the forkserver died, several times, before it served: what it lacked it has said
 *   -ECHILD      -EDEADLK, -EPIPE: see above
 * and, unless it is a fork,
 *   KIN_EFUNCTION  the function is not registered (KIN_FUNCTION)
 *   -ETIMEDOUT   what is to be run in the forkserver before does not end (kin_forkserver_preload)
 *   -ENOENT      -EACCES, ...: the program cannot be run (kin_context_set_executable)
 *
 * Peer death: a parent that is killed in here leaves no child, or one that runs (if it is not
 * a daemon).
 */
KIN_API int kin_process_launch(kin_process *process);

/**
 * Why the last kin_process_launch has failed, with the step that did: "Process-1 cannot be started
 * by spawn: exec failed: no such file or directory". Of a process that was started and had not what
 * it needs to begin (no memory, no thread): what that was. The caller's, to be freed with
 * kin_error_free. NULL: nothing of the kind.
 */
KIN_API kin_error *kin_process_error(kin_process *process);

/** kin_process_create and kin_process_launch in one: after a failure there is no process. */
KIN_API int kin_process_start(kin_function *function, const kin_object *arguments,
                              const kin_process_options *options, kin_process **ret_process);

/** The same with bytes. */
KIN_API int kin_process_start_bytes(kin_function *function, const void *data, size_t size,
                                    const kin_process_options *options, kin_process **ret_process);

/** The same with an instance that can be run. */
KIN_API int kin_process_start_object(const kin_object *instance, const kin_process_options *options,
                                     kin_process **ret_process);

/**
 * Waits until it has ended. Several threads may wait, any number of times.
 *
 * Returns 0, or
 *   -EAGAIN      it runs, and the timeout is KIN_NOW
 *   -ETIMEDOUT   it runs at the deadline
 *   -ECANCELED   the token fired
 *   -EDEADLK     it waits, in turn, for a lock that the calling thread holds (kin/deadlock.h)
 *   -ESRCH       -ECHILD, -EDEADLK, -EPIPE: see above; the parent can be waited for
 */
KIN_API int kin_process_join(kin_process *process, kin_timeout timeout);

/**
 * Reads how the child ended: its exit status, or minus the number of the signal that ended
 * it. Returns 0, or
 *   -EAGAIN      it has not ended
 *   -ECHILD      no child of this process; or unknown: the program itself has waited for it, or
 *                ignores SIGCHLD, and it did not end by itself
 *   -ESRCH       -EPIPE: see above
 */
KIN_API int kin_process_exit_code(kin_process *process, int *ret_exit_code);

/** Whether it was started and has not ended: a child, this process, or its parent. */
KIN_API bool kin_process_is_alive(kin_process *process);

/**
 * Sends SIGTERM, which the child may catch; and to this child only, never to another process that
 * happens to have got its number. Returns 0 (also when it has ended), -EPERM: it has become another
 * user's, who gets no signals from this one; or as above.
 */
KIN_API int kin_process_terminate(kin_process *process);

/** Sends SIGKILL, likewise. */
KIN_API int kin_process_kill(kin_process *process);

/** Sends SIGINT, likewise. */
KIN_API int kin_process_interrupt(kin_process *process);

/**
 * Ends it step by step, as `stop` says; NULL: with SIGTERM, and with SIGKILL if that has not helped
 * after 2 s. `timeout` is for all steps together.
 *
 * Returns 0: it has ended, and was waited for. Or -ETIMEDOUT: it runs, and the steps or the time
 * are over; -EPERM: likewise, and it is another user's by now: what follows a signal that cannot be
 * sent is not waited for; -EAGAIN: likewise, with KIN_NOW; -ECANCELED; or as above.
 */
KIN_API int kin_process_stop(kin_process *process, const kin_stop *stop, kin_timeout timeout);

/**
 * Gives back what the system has of it, but for the memory of the object. Returns 0 (also the
 * second time), or
 *   -EBUSY       it runs
 *   -ECHILD      -EDEADLK: see above
 */
KIN_API int kin_process_close(kin_process *process);

/** Its process id; 0: it is new; -EPIPE: it was closed. */
KIN_API int32_t kin_process_pid(const kin_process *process);

/** Its name; valid as long as the object is. */
KIN_API const char *kin_process_name(const kin_process *process);

/** Its place in the tree: "1:2" for the second child of the first one; "" of the first process, and
 * of one that the program has forked itself. Valid as long as the object is. */
KIN_API const char *kin_process_identity(const kin_process *process);

/** Whether it ends with its parent. */
KIN_API bool kin_process_is_daemon(const kin_process *process);

/**
 * An fd that becomes readable for poll when it ends; valid until it is closed or freed, not to be
 * closed by the caller. Or a code, see above; of the parent there is one.
 */
KIN_API int kin_process_sentinel(const kin_process *process);

/** What an object is to the process that asks. */
typedef enum kin_phase {
    KIN_PHASE_NEW = 1, /**< a child that was not started yet */
    KIN_PHASE_STARTED, /**< a child that runs */
    KIN_PHASE_ENDED,   /**< a child that has ended */
    KIN_PHASE_CLOSED,  /**< one that was closed */
    KIN_PHASE_FOREIGN, /**< inherited by a fork: the child of another process */
    KIN_PHASE_SELF,    /**< this process */
    KIN_PHASE_PARENT   /**< its parent */
} kin_phase;

/** Looks which of them it is; 0 for NULL. */
KIN_API kin_phase kin_process_phase(kin_process *process);

/** How far it is, and whether it is blocked; also of a foreign one. NULL: terminated. */
KIN_API kin_state kin_process_state(kin_process *process);

/** Takes one more reference, for kin_process_free to drop. Returns `process`. */
KIN_API kin_process *kin_process_ref(kin_process *process);

/**
 * Drops one reference, the last one frees the object, unless it is borrowed (kin/relatives.h); NULL
 * is fine. Returns NULL. A child that still runs goes on: a daemon until this process ends, another
 * is waited for by kin_fini.
 */
KIN_API kin_process *kin_process_free(kin_process *process);

KIN_END

#endif
