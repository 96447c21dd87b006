#include "process/command/command.h"

#include <stdint.h>
#include <stdio.h>

static bool is_stream(kin_stream stream, bool is_input, bool may_be_stdout)
{
    switch (stream.kind) {
    case KIN_STREAM_CAPTURE:
        return !is_input;
    case KIN_STREAM_STDOUT:
        return may_be_stdout;
    case KIN_STREAM_FD:
        return stream.fd >= 0;
    case KIN_STREAM_INHERIT:
    case KIN_STREAM_NULL:
    case KIN_STREAM_PIPE:
        return true;
    }
    return false;
}

static bool has_streams(const kin_command_options *options)
{
    bool has_input = options->input.data != NULL;
    return (!has_input || options->stdin_from.kind == KIN_STREAM_INHERIT) &&
           (has_input || options->input.size == 0) && is_stream(options->stdin_from, true, false) &&
           is_stream(options->stdout_to, false, false) &&
           is_stream(options->stderr_to, false, true);
}

static bool has_fds(const kin_command_options *options)
{
    if (options->fd_count > INT32_MAX / 2 || (options->fds == NULL && options->fd_count != 0)) {
        return false;
    }
    for (uint32_t i = 0; i < options->fd_count; i++) {
        if (options->fds[i] < 0) {
            return false;
        }
    }
    return true;
}

/* A group to be stopped has to be the program's own: one that others are in is theirs as well. */
static bool has_process_group(const kin_command_options *options)
{
    bool is_own = !options->has_process_group || options->process_group == 0;
    return !(options->has_session && options->has_process_group) && options->process_group >= 0 &&
           (is_own || !options->stops_group);
}

static bool has_stop(const kin_command_options *options)
{
    const kin_stop *stop = &options->stop;
    return stop->wait_ms >= KIN_STOP_FOREVER && stop->terminate_ms >= KIN_STOP_FOREVER &&
           stop->kill_ms >= KIN_STOP_FOREVER;
}

/* What can be set in it, and taken away, has a name; what it has was this process's, as it was. */
static bool has_environment(const kin_command_options *options, char *refusal)
{
    const char *what = NULL;
    const char *entry = kin__command_find_no_variable(options, &what);
    if (entry != NULL) {
        snprintf(refusal, KIN__COMMAND_REFUSAL_BYTES, "'%.50s' in its environment %s", entry, what);
    }
    return entry == NULL;
}

static kin_command_stage bad_stage(const kin_command_options *options)
{
    return !has_streams(options)                                  ? KIN_STAGE_STREAMS
           : !has_process_group(options)                          ? KIN_STAGE_PROCESS_GROUP
           : !has_fds(options)                                    ? KIN_STAGE_FDS
           : options->limits == NULL && options->limit_count != 0 ? KIN_STAGE_LIMITS
           : options->groups == NULL && options->group_count != 0 ? KIN_STAGE_GROUPS
           : options->has_user && !options->has_group             ? KIN_STAGE_GROUP
                                                                  : KIN_STAGE_NONE;
}

int kin__command_check_options(kin_command *command, const char *const *argv,
                               const kin_command_options *options)
{
    if (argv == NULL || argv[0] == NULL || options->size != sizeof *options || !has_stop(options) ||
        !has_environment(options, command->refusal)) {
        return -EINVAL;
    }
    command->stage = bad_stage(options);
    return command->stage == KIN_STAGE_NONE ? 0 : -EINVAL;
}
