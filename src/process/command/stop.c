/*
 * Ending programs, each in the steps of a stop sequence (kin/stop.h), several at once.
 *
 * All sequences begin together, and each goes on by itself: when the time of a program's step is
 * over, its next one begins, whatever the others do. So their waits do not add up. Meanwhile what
 * they write is taken, as in any wait.
 *
 * A program may have become somebody else's, who alone may signal it: then a step that begins with
 * a signal would wait for nothing, and is left out.
 */
#include "process/command/command.h"

#include "family/sleep.h"

#include <signal.h>

enum { STEPS = 3 };

const kin_stop kin__stop_by_force = {.kill_ms = KIN_STOP_FOREVER};

struct step {
    int number; /* of the signal, 0: none */
    int64_t ms;
};

static struct step step_of(const kin_stop *stop, uint32_t index)
{
    const struct step steps[STEPS] = {
        {0, stop->wait_ms}, {SIGTERM, stop->terminate_ms}, {SIGKILL, stop->kill_ms}};
    return steps[index];
}

/* Begins a step. Whether it is one that takes time. */
static bool begin_step(kin_command *command, struct step step)
{
    if (step.ms == 0) {
        return false;
    }
    if (step.number != 0 && kin__command_enter(command) == 0) {
        command->is_out_of_reach = kin__command_signal(command, step.number) == -EPERM;
    }
    command->stop_step_end_ns = step.ms == KIN_STOP_FOREVER ? INT64_MAX
                                                            : kin_within_ms(step.ms).deadline_ns;
    return !command->is_out_of_reach;
}

/* Begins the next step of a program, if there is one. */
static void advance(kin_command *command, const kin_stop *stop)
{
    stop = stop != NULL ? stop : &command->stop;
    bool has_begun = false;
    while (!has_begun && command->stop_step < STEPS) {
        has_begun = begin_step(command, step_of(stop, command->stop_step++));
    }
    command->is_given_up = !has_begun;
}

static void begin(const struct kin__commands *commands, const kin_stop *stop)
{
    for (uint32_t i = 0; i < commands->count; i++) {
        kin_command *command = commands->commands[i];
        command->stop_step = 0;
        command->is_out_of_reach = false;
        advance(command, stop);
    }
}

static bool is_in_step(const kin_command *command)
{
    return !command->is_given_up && !command->has_ended;
}

/* Until a step ends, or the whole wait does. */
static kin_timeout next_end(const struct kin__commands *commands, kin_timeout timeout)
{
    int64_t end_ns = INT64_MAX;
    for (uint32_t i = 0; i < commands->count; i++) {
        const kin_command *command = commands->commands[i];
        if (is_in_step(command) && command->stop_step_end_ns < end_ns) {
            end_ns = command->stop_step_end_ns;
        }
    }
    return end_ns < timeout.deadline_ns ? kin_by(end_ns, timeout.cancel) : timeout;
}

static void go_on(const struct kin__commands *commands, const kin_stop *stop)
{
    for (uint32_t i = 0; i < commands->count; i++) {
        kin_command *command = commands->commands[i];
        if (is_in_step(command) && kin__timeout_is_over(kin_by(command->stop_step_end_ns, NULL))) {
            advance(command, stop);
        }
    }
}

/* What cannot be taken any more is not waited for: the program finds its streams closed. */
static int move_or_cut(struct kin__commands *commands, kin_timeout timeout)
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

/* 0: all have ended, or their steps are over; or what ended the whole wait. */
static int do_steps(struct kin__commands *commands, const kin_stop *stop, kin_timeout timeout)
{
    int r = -ETIMEDOUT;
    begin(commands, stop);
    while (r == -ETIMEDOUT) {
        r = move_or_cut(commands, next_end(commands, timeout));
        if (r == -ETIMEDOUT) {
            int over = kin__timeout_is_over(timeout);
            if (over < 0) {
                return over;
            }
            go_on(commands, stop);
        }
    }
    return r;
}

/* The command is not being stopped any more: what came of it. */
static int finish(kin_command *command)
{
    command->is_given_up = false;
    if (kin__command_enter(command) < 0 || kin__command_look(command) == 0) {
        return 0;
    }
    return command->is_out_of_reach ? -EPERM : -ETIMEDOUT;
}

/* It has ended: so have the others of its group. */
static void leave(kin_command *command)
{
    if (command->stops_group) {
        kin__command_signal(command, SIGKILL);
    }
    kin__command_reap(command);
}

int kin__commands_stop(struct kin__commands *commands, const kin_stop *stop, kin_timeout timeout)
{
    int r = do_steps(commands, stop, timeout);
    for (uint32_t i = 0; i < commands->count; i++) {
        int ended = finish(commands->commands[i]);
        r = r == 0 || (r == -ETIMEDOUT && ended == -EPERM) ? ended : r;
    }
    for (uint32_t i = 0; i < commands->count; i++) {
        kin_command *command = commands->commands[i];
        if ((r == 0 || r == -EPERM) && command->has_ended && kin__command_enter(command) == 0) {
            leave(command);
        }
    }
    return r;
}

int kin__commands_end(struct kin__commands *commands)
{
    int r = kin__commands_stop(commands, NULL, KIN_FOREVER);
    return r == 0 ? 0 : kin__commands_stop(commands, &kin__stop_by_force, KIN_FOREVER);
}
