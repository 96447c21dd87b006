/*
 * Programs in a row.
 *
 * A pipe between two of them is open in this process only while they are started, so that each end
 * goes with the program that has it: then a reader sees the end when its writer has ended, and a
 * writer is told when its reader has.
 */
#include "process/command/command.h"

#include "base/allocate.h"
#include "os/memory.h"
#include "os/socket.h"

#include <kin/pipeline.h>

#include <signal.h>

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

/* The options of one program, with its streams at pipes: `source` -1 for the first, `is_last`. The
 * other end of its pipe is the next one's source. */
static int connect(const kin_pipeline_part *part, bool is_last, int *source, int ends[2],
                   kin_command_options *ret_options)
{
    static const kin_command_options defaults = {.size = sizeof defaults};
    const kin_command_options *options = part->options != NULL ? part->options : &defaults;
    if (options->size != sizeof *options) {
        return -EINVAL;
    }
    *ret_options = *options;
    if (*source >= 0) {
        if (!is_free(options->stdin_from) || options->input.data != NULL) {
            return -EINVAL;
        }
        ret_options->stdin_from = (kin_stream){.kind = KIN_STREAM_FD, .fd = *source};
    }
    if (is_last) {
        return 0;
    }
    int r = is_free(options->stdout_to) ? kin__os_pipe(ends) : -EINVAL;
    if (r == 0) {
        ret_options->stdout_to = (kin_stream){.kind = KIN_STREAM_FD, .fd = ends[1]};
    }
    return r;
}

/* Starts the next program, between `source` and the pipe whose end becomes the next `source`. */
static int start_next(kin_pipeline *pipeline, const kin_pipeline_part *part, bool is_last,
                      int *source)
{
    int ends[2] = {-1, -1};
    kin_command_options options;
    kin_command *command = kin__command_create(part->argv);
    if (command == NULL) {
        return -ENOMEM;
    }
    pipeline->commands[pipeline->count++] = command;
    int r = connect(part, is_last, source, ends, &options);
    if (r == 0) {
        r = kin__command_launch(command, part->argv, &options);
    } else {
        command->stage = r == -EINVAL ? KIN_STAGE_NONE : KIN_STAGE_STREAMS;
        command->code = r;
    }
    kin__os_close(*source);
    kin__os_close(ends[1]);
    *source = ends[0];
    return r;
}

/* Those that run before one that cannot be started do not run without it. */
static void end_started(kin_pipeline *pipeline)
{
    struct kin__commands started = all_of(pipeline);
    if (started.count > 0 && started.commands[started.count - 1]->pid == 0) {
        started.count--;
    }
    kin__commands_stop(&started, NULL, KIN_FOREVER);
}

static int start(kin_pipeline *pipeline, const kin_pipeline_part *parts, uint32_t count)
{
    int source = -1;
    int r = 0;
    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = start_next(pipeline, &parts[i], i + 1 == count, &source);
    }
    kin__os_close(source);
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
    pipeline->code = r == -EAGAIN ? pipeline->code : r;
    return r;
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
    r = kin__command_check_timeout(timeout);
    r = r < 0 ? r : kin__commands_stop(&all, stop, timeout);
    pipeline->code = r == -EAGAIN ? pipeline->code : r;
    return r;
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
    for (uint32_t i = 0; i < pipeline->count && r < 0; i++) {
        const struct kin__commands one = {.commands = &pipeline->commands[i], .count = 1};
        kin__commands_stop(&one, &pipeline->commands[i]->stop, KIN_FOREVER);
    }
    if (r < 0) {
        struct kin__commands all = all_of(pipeline);
        kin__commands_stop(&all, NULL, KIN_FOREVER);
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

kin_error *kin_pipeline_error(kin_pipeline *pipeline)
{
    kin_command *failed = NULL;
    if (pipeline == NULL || pipeline->count == 0) {
        return NULL;
    }
    kin_command *last = pipeline->commands[pipeline->count - 1];
    if (!pipeline->is_started) {
        return kin_command_error(last);
    }
    if (pipeline->code < 0 && pipeline->code != KIN_ESTATUS) {
        last->code = pipeline->code;
        return kin_command_error(last);
    }
    return find_failed(pipeline, &failed) < 0 ? NULL : kin_command_error(failed);
}

kin_pipeline *kin_pipeline_free(kin_pipeline *pipeline)
{
    if (pipeline != NULL) {
        for (uint32_t i = 0; i < pipeline->count; i++) {
            kin_command_free(pipeline->commands[i]);
        }
        kin__release(pipeline);
    }
    return NULL;
}
