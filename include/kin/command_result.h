/**
 * What there is to know of a program that was started, or could not be (kin/command.h).
 */
#ifndef KIN_COMMAND_RESULT_H
#define KIN_COMMAND_RESULT_H

#include <kin/command.h>
#include <kin/error.h>
#include <kin/export.h>
#include <kin/family.h>

KIN_BEGIN

/**
 * What was captured of its standard output so far: there is a zero behind it. Valid until the next
 * wait for this command, or until it is freed.
 */
KIN_API kin_bytes kin_command_output(const kin_command *command);

/** The same of its standard error. */
KIN_API kin_bytes kin_command_errors(const kin_command *command);

/**
 * Returns 0 if it has ended with the status 0, or
 *   KIN_ESTATUS  it has ended with another one, or by a signal
 *   -EAGAIN      it runs
 *   -ESRCH       -ECHILD: as kin_command_poll
 */
KIN_API int kin_command_check(kin_command *command);

/**
 * Makes an error of what went wrong: the last call that failed on it, or else the status that it
 * has ended with. Its message names the program and its arguments, the stage or status, and the end
 * of what was captured of its errors, or else of its output; -ENOMEM if `command` is NULL. Free it
 * with kin_error_free. NULL: nothing went wrong (or no memory).
 */
KIN_API kin_error *kin_command_error(kin_command *command);

/** At what its start failed; KIN_STAGE_NONE: it did not. */
KIN_API kin_command_stage kin_command_failed_stage(const kin_command *command);

/** A stage in a few English words, "change of folder". */
KIN_API const char *kin_command_stage_name(kin_command_stage stage);

/** The process id; 0: it was never started. */
KIN_API int32_t kin_command_pid(const kin_command *command);

/**
 * An fd that becomes readable when the program ends, for kin_wait_many and poll; valid until the
 * command is freed, not to be closed. -ESRCH, -ECHILD: see kin/command.h.
 */
KIN_API int kin_command_sentinel(const kin_command *command);

/**
 * This process's end of the standard input, if that is of kind KIN_STREAM_PIPE: what is written to
 * it, the program reads. It belongs to the command. -EBADF: there is none.
 */
KIN_API int kin_command_stdin_fd(const kin_command *command);

/** The same of the standard output, to be read. */
KIN_API int kin_command_stdout_fd(const kin_command *command);

/** The same of the standard error. */
KIN_API int kin_command_stderr_fd(const kin_command *command);

/** Closes this process's end of the standard input: the program finds the end of it. Returns 0, or
 * -EBADF: there is none. */
KIN_API int kin_command_close_stdin(kin_command *command);

/** Sends SIGTERM, as kin_command_signal. */
KIN_API int kin_command_terminate(kin_command *command);

/** Sends SIGKILL, likewise. */
KIN_API int kin_command_kill(kin_command *command);

/** Sends SIGINT, likewise. */
KIN_API int kin_command_interrupt(kin_command *command);

KIN_END

#endif
