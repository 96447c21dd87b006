/* The end of programs: seen, and asked for. */
#include "process/command/command.h"

#include "base/allocate.h"
#include "os/memory.h"
#include "os/process.h"
#include "process/runtime.h"

#include <signal.h>

int kin__command_enter(const kin_command *command)
{
    if (command == NULL) {
        return -EINVAL;
    }
    if (command->pid == 0) {
        return -ESRCH;
    }
    return command->starter == kin__os_process_id() ? 0 : -ECHILD;
}

/* Under the lock. */
static void reap(kin_command *command)
{
    if (command->has_ended && !command->is_reaped) {
        int code = 0;
        kin__os_process_reap(command->pid, &code);
        command->is_reaped = true;
    }
}

/* Under the lock. Whether it has ended. */
static bool look(kin_command *command)
{
    if (!command->has_ended) {
        int r = command->stops_group ? kin__os_process_peek(command->pid, &command->exit_code)
                                     : kin__os_process_reap(command->pid, &command->exit_code);
        command->has_ended = r != -EAGAIN;
        command->has_code = r == 0;
        command->is_reaped = r == -ECHILD || (r == 0 && !command->stops_group);
    }
    return command->has_ended;
}

int kin__command_look(kin_command *command)
{
    mtx_lock(&kin__children.lock);
    bool has_ended = look(command);
    mtx_unlock(&kin__children.lock);
    return has_ended ? 0 : -EAGAIN;
}

void kin__command_reap(kin_command *command)
{
    mtx_lock(&kin__children.lock);
    reap(command);
    mtx_unlock(&kin__children.lock);
}

/* To the program alone, whether it is in its group or has left that. */
static int signal_alone(kin_command *command, int number)
{
    return command->has_ended ? 0 : kin__os_process_signal(command->fd, number);
}

int kin__command_signal(kin_command *command, int number)
{
    mtx_lock(&kin__children.lock);
    bool has_group = command->stops_group && !command->is_reaped;
    int r = has_group ? kin__os_signal_group(command->pid, number) : -ESRCH;
    /* It may have left its group. No harm in being killed twice, but in being asked twice; 0 only
     * tells whether it could be. */
    bool may_be_missed = r < 0 || number == SIGKILL;
    r = signal_alone(command, may_be_missed ? number : 0);
    mtx_unlock(&kin__children.lock);
    return r == -ESRCH ? 0 : r;
}

void kin__commands_sweep(void)
{
    KIN_LIST_EACH (&kin__children.commands, node) {
        kin_command *command = KIN_CONTAINER_OF(node, kin_command, node);
        if (command->is_freed && look(command)) {
            reap(command);
            kin__list_remove(node);
            kin__release(command);
        }
    }
}

/* With the lock, in a forked child: the fds would keep the programs waiting for their end. */
void kin__commands_forget(void)
{
    KIN_LIST_EACH (&kin__children.commands, node) {
        kin_command *command = KIN_CONTAINER_OF(node, kin_command, node);
        kin__command_close_opened(command);
        kin__command_close_streams(command);
        kin__os_close(command->fd);
        command->fd = -1;
        kin__list_remove(node);
        if (command->is_freed) {
            kin__release(command);
        }
    }
}
