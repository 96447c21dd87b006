/**
 * Programs in a row, each of which reads what the one before it writes.
 *
 *     const kin_pipeline_part parts[] = {{KIN_ARGV("sort"), &from_text},
 *                                        {KIN_ARGV("uniq", "-c"), &to_memory}};
 *     kin_pipeline *pipeline;
 *     int code = kin_pipeline_run(parts, 2, NULL, KIN_FOREVER, &pipeline);
 *     kin_bytes lines = kin_command_output(kin_pipeline_command(pipeline, 1));
 *     kin_pipeline_free(pipeline);
 *
 * This process has no part in what goes between them. When a program ends early, the one before it
 * finds nobody who reads: SIGPIPE ends it, unless it does something about it.
 *
 * As with kin/command.h, `ret_pipeline` is set also on failure; it is NULL where nothing was begun:
 * -ENOMEM, or -EINVAL for what is no pipeline, or no timeout.
 */
#ifndef KIN_PIPELINE_H
#define KIN_PIPELINE_H

#include <kin/command.h>
#include <kin/error.h>
#include <kin/export.h>
#include <kin/timeout.h>
#include <stdbool.h>
#include <stdint.h>

KIN_BEGIN

/** Programs in a row. */
typedef struct kin_pipeline kin_pipeline;

/** One of them. Its options are those of a command of its own, NULL: none; but the standard output
 * of all but the last, and the standard input of all but the first, are left alone. */
typedef struct kin_pipeline_part {
    const char *const *argv;
    const kin_command_options *options;
} kin_pipeline_part;

/** What a pipeline as a whole can be told. */
typedef struct kin_pipeline_options {
    size_t size; /* of this struct */

    /* A status other than 0 of any of them is a failure: KIN_ESTATUS (kin_pipeline_run only). */
    bool checks;
} kin_pipeline_options;

/**
 * Runs programs in a row to the end of all of them. Those that are not done when the timeout is
 * over are ended, as their options say, all at the same time. Returns 0, or as kin_command_run.
 */
KIN_API int kin_pipeline_run(const kin_pipeline_part *parts, uint32_t count,
                             const kin_pipeline_options *options, kin_timeout timeout,
                             kin_pipeline **ret_pipeline);

/** Starts programs in a row: all of them, or none. Returns 0, or as kin_command_start. */
KIN_API int kin_pipeline_start(const kin_pipeline_part *parts, uint32_t count,
                               kin_pipeline **ret_pipeline);

/** Waits until all have ended; otherwise as kin_command_wait. */
KIN_API int kin_pipeline_wait(kin_pipeline *pipeline, kin_timeout timeout);

/** Waits until all have ended, and what is captured has; otherwise as kin_command_communicate. */
KIN_API int kin_pipeline_communicate(kin_pipeline *pipeline, kin_timeout timeout);

/**
 * Reads what the pipeline as a whole ended with: of the last program that failed its exit status,
 * or minus its signal; 0 if none did. One before the last that SIGPIPE has ended did not fail: its
 * reader wanted no more. Returns 0, -EAGAIN: not all have ended; -ESRCH, -ECHILD.
 */
KIN_API int kin_pipeline_exit_code(kin_pipeline *pipeline, int *ret_exit_code);

/** Ends all of them, each step for all; otherwise as kin_command_stop. NULL: SIGKILL. */
KIN_API int kin_pipeline_stop(kin_pipeline *pipeline, const kin_stop *stop, kin_timeout timeout);

/** One of the programs, to be asked; valid until the pipeline is freed. NULL: there is none. */
KIN_API kin_command *kin_pipeline_command(kin_pipeline *pipeline, uint32_t index);

/**
 * As kin_command_error: of the start that failed, of the program that was not done, or else of the
 * last one that failed. If several were not done, it is of all the pipeline, and theirs are its
 * children.
 */
KIN_API kin_error *kin_pipeline_error(kin_pipeline *pipeline);

/** Frees it; NULL is fine. Returns NULL. Programs that still run are ended as their options say,
 * all at the same time. */
KIN_API kin_pipeline *kin_pipeline_free(kin_pipeline *pipeline);

KIN_END

#endif
