/* What a program's command is asked, one call at a time. */
#include "process/command/command.h"

#include "base/allocate.h"
#include "family/sleep.h"
#include "os/memory.h"
#include "process/runtime.h"

#include <signal.h>

int kin_command_start(const char *const *argv, const kin_command_options *options,
                      kin_command **ret_command)
{
    if (ret_command == NULL) {
        return -EINVAL;
    }
    *ret_command = kin__command_create(argv);
    return *ret_command == NULL ? -ENOMEM : kin__command_launch(*ret_command, argv, options);
}

int kin_command_poll(kin_command *command, int *ret_exit_code)
{
    int r = kin__command_enter(command);
    if (r == 0) {
        r = kin__command_look(command);
    }
    if (r == 0) {
        r = command->has_code ? 0 : -ECHILD;
    }
    if (r == 0 && ret_exit_code != NULL) {
        *ret_exit_code = command->exit_code;
    }
    return r;
}

static int wait(kin_command *command, bool to_the_end, kin_timeout timeout)
{
    struct kin__commands one = {.commands = &command, .count = 1};
    int r = kin__command_enter(command);
    if (r < 0) {
        return r;
    }
    if (to_the_end && !command->streams[0].is_moved) {
        kin__command_close_stream(command, 0);
    }
    r = kin__commands_move(&one, to_the_end, timeout);
    if (r == 0 && to_the_end) {
        kin__command_reap(command);
    }
    return kin__command_told(command, r);
}

int kin_command_wait(kin_command *command, kin_timeout timeout)
{
    return wait(command, false, timeout);
}

int kin_command_communicate(kin_command *command, kin_timeout timeout)
{
    return wait(command, true, timeout);
}

int kin_command_stop(kin_command *command, const kin_stop *stop, kin_timeout timeout)
{
    struct kin__commands one = {.commands = &command, .count = 1};
    int r = kin__command_enter(command);
    if (r == 0) {
        r = kin__timeout_check(timeout);
    }
    return r < 0 ? r : kin__command_told(command, kin__commands_stop(&one, stop, timeout));
}

int kin_command_signal(kin_command *command, int number)
{
    int r = kin__command_enter(command);
    if (r == 0) {
        kin__command_look(command); /* what has ended cannot be found by its id any more */
        r = kin__command_signal(command, number);
    }
    return r;
}

int kin_command_terminate(kin_command *command)
{
    return kin_command_signal(command, SIGTERM);
}

int kin_command_kill(kin_command *command)
{
    return kin_command_signal(command, SIGKILL);
}

int kin_command_interrupt(kin_command *command)
{
    return kin_command_signal(command, SIGINT);
}

static kin_bytes captured(const kin_command *command, uint32_t index)
{
    const struct kin__command_output *buffer = command == NULL ? NULL
                                                               : &command->outputs[index - 1];
    if (buffer == NULL || buffer->data == NULL) {
        return (kin_bytes){.data = "", .size = 0};
    }
    size_t most = command->output_bytes_max;
    return (kin_bytes){.data = buffer->data, .size = buffer->size < most ? buffer->size : most};
}

kin_bytes kin_command_output(const kin_command *command)
{
    return captured(command, 1);
}

kin_bytes kin_command_errors(const kin_command *command)
{
    return captured(command, 2);
}

int kin_command_check(kin_command *command)
{
    int exit_code = 0;
    int r = kin_command_poll(command, &exit_code);
    return r < 0 ? r : exit_code == 0 ? 0 : KIN_ESTATUS;
}

int32_t kin_command_pid(const kin_command *command)
{
    return command == NULL ? 0 : (int32_t)command->pid;
}

int kin_command_sentinel(const kin_command *command)
{
    int r = kin__command_enter(command);
    return r < 0 ? r : command->fd;
}

static int stream_fd(const kin_command *command, uint32_t index)
{
    int r = kin__command_enter(command);
    if (r < 0) {
        return r;
    }
    const struct kin__command_stream *stream = &command->streams[index];
    return stream->is_moved || stream->fd < 0 ? -EBADF : stream->fd;
}

int kin_command_stdin_fd(const kin_command *command)
{
    return stream_fd(command, 0);
}

int kin_command_stdout_fd(const kin_command *command)
{
    return stream_fd(command, 1);
}

int kin_command_stderr_fd(const kin_command *command)
{
    return stream_fd(command, 2);
}

int kin_command_close_stdin(kin_command *command)
{
    int r = kin_command_stdin_fd(command);
    if (r >= 0) {
        kin__command_close_stream(command, 0);
        r = 0;
    }
    return r;
}

/* Whether it has ended, by force if need be; or is none of this process's. */
static bool end(kin_command *command)
{
    struct kin__commands one = {.commands = &command, .count = 1};
    if (kin__command_enter(command) < 0) {
        return true;
    }
    bool has_ended = kin__command_look(command) == 0 || kin__commands_end(&one) == 0;
    kin__command_reap(command);
    return has_ended;
}

/* Under the lock. Whether nothing of it is left. */
static bool close_all(kin_command *command, bool has_ended)
{
    kin__command_close_opened(command);
    kin__command_close_streams(command);
    kin__os_close(command->fd);
    command->fd = -1;
    command->is_freed = true;
    if (!kin__list_node_is_linked(&command->node)) {
        return true;
    }
    if (has_ended) {
        kin__list_remove(&command->node);
    }
    return has_ended;
}

kin_command *kin_command_free(kin_command *command)
{
    if (command == NULL) {
        return NULL;
    }
    bool has_ended = end(command);
    kin__command_output_deinit(&command->outputs[0]);
    kin__command_output_deinit(&command->outputs[1]);
    mtx_lock(&kin__children.lock);
    has_ended = close_all(command, has_ended);
    mtx_unlock(&kin__children.lock);
    if (has_ended) { /* else it is reaped some time later */
        kin__release(command);
    }
    return NULL;
}
