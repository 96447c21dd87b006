/**
 * Programs in one call, where the defaults of kin_command_run will do.
 *
 *     int code = kin_command_check_call(KIN_ARGV("make", "all"), KIN_FOREVER);
 *
 * All of them end the program, with SIGKILL, when the timeout is over: -ETIMEDOUT, -ECANCELED,
 * -EAGAIN. Other codes are those of kin_command_run. A command that is asked for is given as by
 * kin_command_run: also on failure, and to be freed in any case.
 */
#ifndef KIN_SHORTCUT_H
#define KIN_SHORTCUT_H

#include <kin/command.h>
#include <kin/export.h>
#include <kin/timeout.h>

KIN_BEGIN

/** Runs a program and reads its exit status, or minus the number of the signal that ended it. */
KIN_API int kin_command_call(const char *const *argv, kin_timeout timeout, int *ret_exit_code);

/** Runs a program. Returns 0, or KIN_ESTATUS: its status is not 0. */
KIN_API int kin_command_check_call(const char *const *argv, kin_timeout timeout);

/** The same, and captures what it writes to its standard output: kin_command_output. */
KIN_API int kin_command_check_output(const char *const *argv, kin_timeout timeout,
                                     kin_command **ret_command);

/**
 * Runs a line in the shell, /bin/sh, and captures what it writes to its standard output and error,
 * both into kin_command_output, without the newline at the end. The line is a program: nothing that
 * was read from elsewhere has a place in it.
 */
KIN_API int kin_command_getoutput(const char *line, kin_timeout timeout, kin_command **ret_command);

/** The same, and reads the exit status as kin_command_call does. */
KIN_API int kin_command_getstatusoutput(const char *line, kin_timeout timeout, int *ret_exit_code,
                                        kin_command **ret_command);

KIN_END

#endif
