/**
 * How child processes are started.
 *
 *   fork        a copy of this process: all that is open here is open there. Refused while other
 *               threads run, whose locks would stay locked in the copy for ever.
 *   spawn       this program anew: kin_init, which must be the first statement of main, runs the
 *               function there and never returns. The child has what it is given, nothing else:
 *               globals are as at the start of the program, and no fd is open but the standard
 *               streams and those in arguments and options. Costs an exec, threads do not matter.
 *   forkserver  a copy of a process that was started by spawn and does nothing but this. As clean
 *               as spawn, and faster where the program is large or takes long to begin.
 *
 * A context is one of these, to be given to kin_process_options; without one the default counts.
 *
 * Threads: any may call these. Fork: a child has the default of its parent, however it was started.
 */
#ifndef KIN_CONTEXT_H
#define KIN_CONTEXT_H

#include <kin/export.h>
#include <kin/process.h>
#include <stdbool.h>

KIN_BEGIN

/** The ways to start a process. */
typedef enum kin_start_method {
    KIN_FORK = 1,
    KIN_SPAWN,
    KIN_FORKSERVER,
} kin_start_method;

/** The context of a method; 0: the default. Valid for ever. NULL: there is no such method. */
KIN_API const kin_context *kin_context_get(kin_start_method method);

/** Its method. NULL: of the default. */
KIN_API kin_start_method kin_context_method(const kin_context *context);

/** The method's name: "fork", "spawn", "forkserver". NULL: of the default. */
KIN_API const char *kin_context_name(const kin_context *context);

/**
 * Sets the default, which is KIN_FORK until then. To be done once, by the program and not by a
 * library: the second time it fails with -EALREADY, unless `is_forced`. -EINVAL: no such method.
 */
KIN_API int kin_context_set_default(kin_start_method method, bool is_forced);

/**
 * Sets the program that spawned children run, and the forkserver, instead of this one: another that
 * calls kin_init and has the same functions, of the same build of kin. NULL: this program again.
 * The path is copied. Returns 0 or -ENOMEM.
 */
KIN_API int kin_context_set_executable(const char *path);

KIN_END

#endif
