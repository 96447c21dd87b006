/*
 * The standard streams of a program: what it gets, and what this process keeps of it.
 *
 * This process's end of a pipe that kin reads or writes does not block: that is a property of this
 * end alone, the program's end blocks as it is used to.
 */
#include "process/command/command.h"

#include "os/memory.h"
#include "os/process.h"
#include "os/socket.h"
#include "os/spawn.h"
#include "process/runtime.h"

static int open_pipe(kin_command *command, uint32_t index, bool is_moved, int *fds)
{
    int ends[2];
    int r = kin__os_pipe(ends);
    if (r < 0) {
        return r;
    }
    int own = index == 0 ? ends[1] : ends[0];
    command->streams[index] = (struct kin__command_stream){.fd = own, .is_moved = is_moved};
    command->opened[index] = index == 0 ? ends[0] : ends[1];
    fds[index] = command->opened[index];
    return is_moved ? kin__os_fd_unblock(own) : 0;
}

static int open_null(kin_command *command, uint32_t index, int *fds)
{
    int r = kin__os_null_open(&command->opened[index]);
    fds[index] = command->opened[index];
    return r;
}

/* What it inherits may be closed. */
static int same_as_stdout(int fd)
{
    if (fd != KIN__OS_SPAWN_KEEP) {
        return fd;
    }
    return kin__os_fd_is_open(1) ? 1 : KIN__OS_SPAWN_CLOSED;
}

static int open_stream(kin_command *command, uint32_t index, kin_stream stream, int *fds)
{
    switch (stream.kind) {
    case KIN_STREAM_NULL:
        return open_null(command, index, fds);
    case KIN_STREAM_CAPTURE:
        return open_pipe(command, index, true, fds);
    case KIN_STREAM_PIPE:
        return open_pipe(command, index, false, fds);
    case KIN_STREAM_FD:
        fds[index] = stream.fd;
        return 0;
    case KIN_STREAM_STDOUT:
        fds[index] = same_as_stdout(fds[1]);
        return 0;
    case KIN_STREAM_INHERIT:
        break;
    }
    fds[index] = KIN__OS_SPAWN_KEEP;
    return 0;
}

int kin__command_open_streams(kin_command *command, const kin_command_options *options,
                              int ret_fds[3])
{
    kin_stream kinds[3] = {options->stdin_from, options->stdout_to, options->stderr_to};
    int r = 0;
    if (options->input.data != NULL) {
        kinds[0].kind = KIN_STREAM_CAPTURE; /* the other way around */
    }
    for (uint32_t i = 0; i < 3 && r == 0; i++) {
        r = open_stream(command, i, kinds[i], ret_fds);
    }
    if (r < 0) {
        kin__command_close_opened(command);
        kin__command_close_streams(command);
    }
    return r;
}

void kin__command_list(kin_command *command)
{
    if (!kin__list_node_is_linked(&command->node)) {
        kin__list_append(&kin__children.commands, &command->node);
    }
}

int kin__command_connect(kin_command *writer, kin_command *reader)
{
    int ends[2];
    mtx_lock(&kin__children.lock);
    int r = kin__os_pipe(ends);
    if (r == 0) {
        reader->opened[0] = ends[0];
        writer->opened[1] = ends[1];
        kin__command_list(writer);
        kin__command_list(reader);
    }
    mtx_unlock(&kin__children.lock);
    return r;
}

void kin__command_close_opened(kin_command *command)
{
    for (uint32_t i = 0; i < 3; i++) {
        kin__os_close(command->opened[i]);
        command->opened[i] = -1;
    }
}

static void close_stream(kin_command *command, uint32_t index)
{
    kin__os_close(command->streams[index].fd);
    command->streams[index].fd = -1;
}

/* A process that is forked before or after, but not in between, knows which number is no fd. */
void kin__command_close_stream(kin_command *command, uint32_t index)
{
    mtx_lock(&kin__children.lock);
    close_stream(command, index);
    mtx_unlock(&kin__children.lock);
}

void kin__command_close_moved(kin_command *command)
{
    for (uint32_t i = 0; i < 3; i++) {
        if (command->streams[i].is_moved) {
            kin__command_close_stream(command, i);
        }
    }
}

void kin__command_close_streams(kin_command *command)
{
    for (uint32_t i = 0; i < 3; i++) {
        close_stream(command, i);
    }
}
