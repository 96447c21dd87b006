/*
 * Programs in a row.
 *
 * A pipe between two of them is open in this process only while they are started, so that each end
 * goes with the program that has it: then a reader sees the end when its writer has ended, and a
 * writer is told when its reader has.
 */
#include "process/command/command.h"

#include "base/allocate.h"
#include "family/sleep.h"

#include <kin/pipeline.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES 400 /* of what a pipeline is called */

/* Private memory, of the thread that uses it. */
struct kin_pipeline {
    uint32_t count;  /* commands that were made */
    bool is_started; /* all of them */
    int code;        /* of the last call that failed; 0: none */
    kin_command *commands[];
};

static struct kin__commands all_of(const kin_pipeline *pipeline)
{
    return (struct kin__commands){.commands = pipeline->commands, .count = pipeline->count};
}

static bool is_free(kin_stream stream)
{
    return stream.kind == KIN_STREAM_INHERIT;
}

/* The options of a program whose streams are at pipes, as far as those are open. 0, or -EINVAL:
 * they are somewhere else as well. */
static int choose_options(const kin_command *command, const kin_pipeline_part *part,
                          kin_command_options *ret_options)
{
    static const kin_command_options defaults = {.size = sizeof defaults};
    const kin_command_options *options = part->options != NULL ? part->options : &defaults;
    int source = command->opened[0];
    int target = command->opened[1];
    if (options->size != sizeof *options || (target >= 0 && !is_free(options->stdout_to)) ||
        (source >= 0 && (!is_free(options->stdin_from) || options->input.data != NULL))) {
        return -EINVAL;
    }
    *ret_options = *options;
    if (source >= 0) {
        ret_options->stdin_from = (kin_stream){.kind = KIN_STREAM_FD, .fd = source};
    }
    if (target >= 0) {
        ret_options->stdout_to = (kin_stream){.kind = KIN_STREAM_FD, .fd = target};
    }
    return 0;
}

/* Starts a program, with a pipe to the one that is to follow; NULL: none is. */
static int start_one(kin_command *command, const kin_pipeline_part *part, kin_command *follower)
{
    kin_command_options options;
    int r = follower != NULL ? kin__command_connect(command, follower) : 0;
    command->stage = r < 0 ? KIN_STAGE_STREAMS : KIN_STAGE_NONE;
    if (r == 0) {
        r = choose_options(command, part, &options);
    }
    if (r == 0) {
        return kin__command_launch(command, part->argv, &options);
    }
    kin__command_started(command, r);
    return r;
}

/* Starts a program, and makes the one that is to follow. */
static int start_next(kin_pipeline *pipeline, const kin_pipeline_part *parts, uint32_t count,
                      kin_command **next)
{
    kin_command *command = *next;
    uint32_t index = pipeline->count++;
    bool is_last = index + 1 == count;
    pipeline->commands[index] = command;
    *next = is_last ? NULL : kin__command_create(parts[index + 1].argv);
    if (!is_last && *next == NULL) {
        kin__command_started(command, -ENOMEM);
        return -ENOMEM;
    }
    return start_one(command, &parts[index], *next);
}

/* Those that run before one that cannot be started do not run without it. */
static void end_started(kin_pipeline *pipeline)
{
    struct kin__commands started = all_of(pipeline);
    if (started.count > 0 && started.commands[started.count - 1]->pid == 0) {
        started.count--;
    }
    kin__commands_stop(&started, &kin__stop_by_force, KIN_FOREVER);
}

static int start(kin_pipeline *pipeline, const kin_pipeline_part *parts, uint32_t count)
{
    kin_command *next = kin__command_create(parts[0].argv);
    int r = next == NULL ? -ENOMEM : 0;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = start_next(pipeline, parts, count, &next);
    }
    kin_command_free(next);
    if (r < 0) {
        end_started(pipeline);
    }
    pipeline->is_started = r == 0;
    pipeline->code = r;
    return r;
}

int kin_pipeline_start(const kin_pipeline_part *parts, uint32_t count, kin_pipeline **ret_pipeline)
{
    if (ret_pipeline == NULL) {
        return -EINVAL;
    }
    *ret_pipeline = NULL;
    if (parts == NULL || count == 0 || count > INT16_MAX) {
        return -EINVAL;
    }
    kin_pipeline *pipeline = kin__allocate_zeroed(sizeof *pipeline +
                                                  count * sizeof *pipeline->commands);
    *ret_pipeline = pipeline;
    return pipeline == NULL ? -ENOMEM : start(pipeline, parts, count);
}

static int enter(const kin_pipeline *pipeline)
{
    if (pipeline == NULL) {
        return -EINVAL;
    }
    return pipeline->is_started ? kin__command_enter(pipeline->commands[0]) : -ESRCH;
}

/* Keeps what a wait for all of them came to, where it is known whose doing that is. */
static int tell(kin_pipeline *pipeline, const struct kin__commands *all, bool to_the_end, int code)
{
    for (uint32_t i = 0; i < pipeline->count && code != -EAGAIN; i++) {
        kin_command *command = pipeline->commands[i];
        bool has_part = all->failed != NULL ? all->failed == command
                                            : !kin__command_is_done(command, to_the_end);
        command->code = has_part ? code : 0;
    }
    pipeline->code = code == -EAGAIN ? pipeline->code : code;
    return code;
}

static int wait(kin_pipeline *pipeline, bool to_the_end, kin_timeout timeout)
{
    int r = enter(pipeline);
    if (r < 0) {
        return r;
    }
    struct kin__commands all = all_of(pipeline);
    if (to_the_end && !pipeline->commands[0]->streams[0].is_moved) {
        kin__command_close_stream(pipeline->commands[0], 0);
    }
    r = kin__commands_move(&all, to_the_end, timeout);
    for (uint32_t i = 0; i < pipeline->count && r == 0 && to_the_end; i++) {
        kin__command_reap(pipeline->commands[i]);
    }
    return tell(pipeline, &all, to_the_end, r);
}

int kin_pipeline_wait(kin_pipeline *pipeline, kin_timeout timeout)
{
    return wait(pipeline, false, timeout);
}

int kin_pipeline_communicate(kin_pipeline *pipeline, kin_timeout timeout)
{
    return wait(pipeline, true, timeout);
}

/* The last program that failed, NULL: none. 0, or as kin_command_poll. */
static int find_failed(const kin_pipeline *pipeline, kin_command **ret_failed)
{
    kin_command *failed = NULL;
    for (uint32_t i = 0; i < pipeline->count; i++) {
        int exit_code = 0;
        int r = kin_command_poll(pipeline->commands[i], &exit_code);
        if (r < 0) {
            return r;
        }
        bool was_left = exit_code == -SIGPIPE && i + 1 < pipeline->count;
        failed = exit_code == 0 || was_left ? failed : pipeline->commands[i];
    }
    *ret_failed = failed;
    return 0;
}

int kin_pipeline_exit_code(kin_pipeline *pipeline, int *ret_exit_code)
{
    kin_command *failed = NULL;
    int r = ret_exit_code == NULL ? -EINVAL : enter(pipeline);
    if (r == 0) {
        r = find_failed(pipeline, &failed);
    }
    if (r == 0) {
        *ret_exit_code = failed == NULL ? 0 : failed->exit_code;
    }
    return r;
}

int kin_pipeline_stop(kin_pipeline *pipeline, const kin_stop *stop, kin_timeout timeout)
{
    int r = enter(pipeline);
    if (r < 0) {
        return r;
    }
    struct kin__commands all = all_of(pipeline);
    r = kin__timeout_check(timeout);
    if (r < 0) {
        return r;
    }
    r = kin__commands_stop(&all, stop != NULL ? stop : &kin__stop_by_force, timeout);
    all.failed = NULL;
    return tell(pipeline, &all, false, r);
}

/* To the end of all, by force if need be; what it came to. */
static int finish(kin_pipeline *pipeline, bool checks, kin_timeout timeout)
{
    kin_command *failed = NULL;
    int r = kin_pipeline_communicate(pipeline, timeout);
    if (r == 0 && checks) {
        r = find_failed(pipeline, &failed);
        return r == 0 && failed != NULL ? KIN_ESTATUS : r;
    }
    if (r == 0) {
        return 0;
    }
    struct kin__commands all = all_of(pipeline);
    if (kin__commands_end(&all) == -EPERM) {
        all.failed = NULL;
        r = tell(pipeline, &all, false, -EPERM);
    }
    return r;
}

int kin_pipeline_run(const kin_pipeline_part *parts, uint32_t count,
                     const kin_pipeline_options *options, kin_timeout timeout,
                     kin_pipeline **ret_pipeline)
{
    kin_pipeline *pipeline = NULL;
    int r = options != NULL && options->size != sizeof *options
                ? -EINVAL
                : kin__command_check_timeout(timeout);
    if (r == 0) {
        r = kin_pipeline_start(parts, count, &pipeline);
    }
    if (r == 0) {
        r = finish(pipeline, options != NULL && options->checks, timeout);
        pipeline->code = r;
    }
    if (ret_pipeline != NULL) {
        *ret_pipeline = pipeline;
    } else {
        kin_pipeline_free(pipeline);
    }
    return r;
}

kin_command *kin_pipeline_command(kin_pipeline *pipeline, uint32_t index)
{
    return pipeline == NULL || index >= pipeline->count ? NULL : pipeline->commands[index];
}

/* An error of each program that did not do its part. How many. */
static uint32_t list_errors(const kin_pipeline *pipeline, kin_error **errors)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < pipeline->count; i++) {
        if (pipeline->commands[i]->code < 0) {
            errors[count] = kin_command_error(pipeline->commands[i]);
            count += errors[count] != NULL;
        }
    }
    return count;
}

/* Writes what the whole is called: the arguments of all, cut where there is no room. */
static void describe(const kin_pipeline *pipeline, char text[TEXT_BYTES])
{
    size_t used = 0;
    for (uint32_t i = 0; i < pipeline->count && used < TEXT_BYTES; i++) {
        int bytes = snprintf(text + used, TEXT_BYTES - used, "%s%s", i > 0 ? " | " : "",
                             pipeline->commands[i]->text);
        used += bytes > 0 ? (size_t)bytes : 0;
    }
    if (used >= TEXT_BYTES) {
        memcpy(text + TEXT_BYTES - 4, "...", 4);
    }
}

/* That it was not done: of the only program that has a part in that, or of all, with those of each
 * that has. */
static kin_error *error_of_wait(const kin_pipeline *pipeline)
{
    char text[TEXT_BYTES];
    kin_error **errors = kin__allocate_array(pipeline->count, sizeof *errors);
    if (errors == NULL) {
        return NULL;
    }
    uint32_t count = list_errors(pipeline, errors);
    kin_error *error = count == 1 ? kin_error_ref(errors[0]) : NULL;
    if (count != 1) {
        const kin_error_options options = {
            .size = sizeof options, .children = errors, .child_count = count};
        describe(pipeline, text);
        error = kin_error_create_at(NULL, 0, NULL, &options, pipeline->code,
                                    "'%s' was not done: %s", text, kin_code_text(pipeline->code));
        count = error != NULL ? 0 : count; /* they are its own */
    }
    for (uint32_t i = 0; i < count; i++) {
        kin_error_free(errors[i]);
    }
    kin__release(errors);
    return error;
}

kin_error *kin_pipeline_error(kin_pipeline *pipeline)
{
    kin_command *failed = NULL;
    if (pipeline == NULL || pipeline->count == 0) {
        return NULL;
    }
    if (!pipeline->is_started) {
        return kin_command_error(pipeline->commands[pipeline->count - 1]);
    }
    if (pipeline->code < 0 && pipeline->code != KIN_ESTATUS) {
        return error_of_wait(pipeline);
    }
    return find_failed(pipeline, &failed) < 0 ? NULL : kin_command_error(failed);
}

kin_pipeline *kin_pipeline_free(kin_pipeline *pipeline)
{
    if (pipeline == NULL) {
        return NULL;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < pipeline->count; i++) {
        kin_command *command = pipeline->commands[i];
        if (kin__command_enter(command) == 0 && kin__command_look(command) < 0) {
            pipeline->commands[count++] = command;
        } else {
            kin_command_free(command);
        }
    }
    struct kin__commands running = {.commands = pipeline->commands, .count = count};
    kin__commands_end(&running); /* together */
    for (uint32_t i = 0; i < count; i++) {
        kin_command_free(pipeline->commands[i]);
    }
    kin__release(pipeline);
    return NULL;
}
