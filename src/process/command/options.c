#include "process/command/command.h"

#include <stdint.h>

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

int kin__command_check_options(const char *const *argv, const kin_command_options *options,
                               kin_command_stage *ret_stage)
{
    kin_command_stage stage = KIN_STAGE_NONE;
    bool is_good = argv != NULL && argv[0] != NULL && options->size == sizeof *options &&
                   has_stop(options);
    if (is_good) {
        stage = !has_streams(options)                                  ? KIN_STAGE_STREAMS
                : !has_process_group(options)                          ? KIN_STAGE_PROCESS_GROUP
                : !has_fds(options)                                    ? KIN_STAGE_FDS
                : options->limits == NULL && options->limit_count != 0 ? KIN_STAGE_LIMITS
                : options->groups == NULL && options->group_count != 0 ? KIN_STAGE_GROUPS
                : options->has_user && !options->has_group             ? KIN_STAGE_GROUP
                                                                       : KIN_STAGE_NONE;
    }
    *ret_stage = stage;
    return is_good && stage == KIN_STAGE_NONE ? 0 : -EINVAL;
}
