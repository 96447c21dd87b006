/* The end of programs: seen, and brought about. */
#include "process/command/command.h"

#include "family/sleep.h"
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

int kin__command_look(kin_command *command)
{
    mtx_lock(&kin__children.lock);
    if (!command->has_ended) {
        int r = command->stops_group ? kin__os_process_peek(command->pid, &command->exit_code)
                                     : kin__os_process_reap(command->pid, &command->exit_code);
        command->has_ended = r != -EAGAIN;
        command->has_code = r == 0;
        command->is_reaped = r == -ECHILD || (r == 0 && !command->stops_group);
    }
    bool has_ended = command->has_ended;
    mtx_unlock(&kin__children.lock);
    return has_ended ? 0 : -EAGAIN;
}

void kin__command_reap(kin_command *command)
{
    mtx_lock(&kin__children.lock);
    reap(command);
    mtx_unlock(&kin__children.lock);
}

int kin__command_signal(kin_command *command, int number)
{
    int r = 0;
    mtx_lock(&kin__children.lock);
    bool has_group = command->stops_group && !command->is_reaped;
    if (has_group) {
        r = kin__os_signal_group(command->pid, number);
    }
    /* It may have left its group. No harm in being killed twice, but in being asked twice. */
    bool may_be_missed = !has_group || r < 0 || number == SIGKILL;
    if (may_be_missed && !command->has_ended) {
        r = kin__os_process_signal(command->fd, number);
    }
    mtx_unlock(&kin__children.lock);
    return r == -ESRCH ? 0 : r;
}

/* The end of a step that begins now. */
static kin_timeout end_of(int64_t ms, kin_timeout timeout)
{
    kin_timeout step = ms == KIN_STOP_FOREVER ? KIN_FOREVER : kin_within_ms(ms);
    bool is_sooner = step.deadline_ns < timeout.deadline_ns;
    return is_sooner ? kin_by(step.deadline_ns, timeout.cancel) : timeout;
}

static void signal_all(const struct kin__commands *commands, int number)
{
    for (uint32_t i = 0; i < commands->count; i++) {
        if (kin__command_enter(commands->commands[i]) == 0) {
            kin__command_signal(commands->commands[i], number);
        }
    }
}

/* What cannot be taken any more is not waited for: the program finds its streams closed. */
static int move_or_cut(const struct kin__commands *commands, kin_timeout timeout)
{
    int r = kin__commands_move(commands, false, timeout);
    if (r == 0 || r == -ETIMEDOUT || r == -EAGAIN || r == -ECANCELED || r == -EINVAL) {
        return r;
    }
    for (uint32_t i = 0; i < commands->count; i++) {
        kin__command_close_moved(commands->commands[i]);
    }
    return kin__commands_move(commands, false, timeout);
}

struct step {
    int number; /* of the signal, 0: none */
    int64_t ms;
};

/* 0: all have ended; or -ETIMEDOUT: not after the last step; or what ended the whole wait. */
static int do_steps(const struct kin__commands *commands, const struct step *steps, uint32_t count,
                    kin_timeout timeout)
{
    int r = -ETIMEDOUT;
    for (uint32_t i = 0; i < count && r == -ETIMEDOUT; i++) {
        if (steps[i].ms == 0) {
            continue;
        }
        if (steps[i].number != 0) {
            signal_all(commands, steps[i].number);
        }
        r = move_or_cut(commands, end_of(steps[i].ms, timeout));
        int over = r == -ETIMEDOUT ? kin__timeout_is_over(timeout) : 0;
        if (over < 0) {
            return over;
        }
    }
    return r;
}

int kin__commands_stop(const struct kin__commands *commands, const kin_stop *stop,
                       kin_timeout timeout)
{
    const kin_stop by_force = {.kill_ms = KIN_STOP_FOREVER};
    stop = stop != NULL ? stop : &by_force;
    const struct step steps[] = {
        {0, stop->wait_ms}, {SIGTERM, stop->terminate_ms}, {SIGKILL, stop->kill_ms}};
    int r = do_steps(commands, steps, sizeof steps / sizeof steps[0], timeout);
    for (uint32_t i = 0; i < commands->count && r == 0; i++) {
        kin_command *command = commands->commands[i];
        if (command->stops_group) { /* the others of the group */
            kin__command_signal(command, SIGKILL);
        }
        kin__command_reap(command);
    }
    return r;
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
    }
}
