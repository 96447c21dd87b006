/*
 * Waiting for programs: one loop that feeds them, takes what they write, and sees their ends.
 *
 * Each round asks the kernel what is possible, of all fds at once, and does it. Nothing is held
 * back between two calls: what was read is in the buffers of its command, what was not written is
 * counted there. So a wait that was cut short goes on with the next call as if nothing had been.
 *
 * A round happens even if the time is over when the call begins; after it the time is looked at
 * also where there is more to do, or a program that never stops writing would have no time limit.
 */
#include "process/command/command.h"

#include "base/allocate.h"
#include "connection/poll.h"
#include "family/sleep.h"
#include "os/socket.h"

#define STEP_BYTES 65536 /* what a pipe holds, commonly */
#define MUCH_BYTES (128 * 1024)
#define WIDE_BYTES (256 * 1024)
#define REST_BYTES_MAX (1024 * 1024) /* the most that it holds */

/* Of each command: its three streams and its end. */
enum { POLLS_EACH = 4, END = 3, COMMANDS_MAX_WITHOUT_ALLOCATION = 4 };

/* A pipe through which much goes is made wider: fewer turns between two programs. Not at once, nor
 * by more, for what all pipes of a user hold together is limited. */
static void widen(int fd, size_t before, size_t after)
{
    if (before < MUCH_BYTES && after >= MUCH_BYTES) {
        kin__os_pipe_widen(fd, WIDE_BYTES);
    }
}

/* Gives it what it has not got yet of its input. 0, or a code. */
static int feed(kin_command *command)
{
    const kin_bytes rest = {.data = (const char *)command->input.data + command->input_taken,
                            .size = command->input.size - command->input_taken};
    const struct kin__os_output output = {.pieces = &rest, .count = 1, .may_wait = true};
    int64_t written = rest.size == 0 ? 0 : kin__os_pipe_write(command->streams[0].fd, &output);
    if (written > 0) {
        widen(command->streams[0].fd, command->input_taken, command->input_taken + (size_t)written);
        command->input_taken += (size_t)written;
    }
    /* That it does not read to the end is its own affair. */
    if (written == -EPIPE || command->input_taken == command->input.size) {
        kin__command_close_stream(command, 0);
        return 0;
    }
    return written < 0 && written != -EAGAIN ? (int)written : 0;
}

/* Takes what it has written to one of its streams. How much, 0 at the end; or -EAGAIN: nothing, for
 * now; KIN_ELIMIT, -ENOMEM. */
static int64_t take(kin_command *command, uint32_t index)
{
    struct kin__command_output *output = &command->outputs[index - 1];
    size_t room = command->output_bytes_max + 1 - output->size; /* one more, to know */
    size_t wanted = room < STEP_BYTES ? room : STEP_BYTES;
    if (room == 0) {
        return KIN_ELIMIT;
    }
    if (kin__command_output_reserve(output, wanted + 1) < 0) {
        return -ENOMEM;
    }
    wanted = output->capacity - output->size - 1;
    const struct kin__os_room space = {.data = output->data + output->size,
                                       .size = wanted < room ? wanted : room};
    const struct kin__os_intake intake = {.rooms = &space, .count = 1, .may_wait = true};
    int64_t got = kin__os_pipe_read(command->streams[index].fd, &intake);
    if (got > 0) {
        widen(command->streams[index].fd, output->size, output->size + (size_t)got);
        output->size += (size_t)got;
    }
    bool is_too_much = output->size > command->output_bytes_max;
    output->data[is_too_much ? command->output_bytes_max : output->size] = '\0';
    if (got == 0) {
        kin__command_close_stream(command, index);
    }
    return got > 0 && is_too_much ? KIN_ELIMIT : got;
}

static bool is_moved(const kin_command *command, uint32_t index)
{
    return command->streams[index].is_moved && command->streams[index].fd >= 0;
}

/* What is left in the pipes of one that has ended; no more than that, if others still write. 0, or
 * a code. */
static int take_rest(kin_command *command)
{
    int64_t got = 0;
    for (uint32_t i = 1; i < 3 && (got >= 0 || got == -EAGAIN); i++) {
        int64_t left = REST_BYTES_MAX;
        got = 0;
        while (got >= 0 && left > 0 && is_moved(command, i)) {
            got = take(command, i);
            left -= got;
        }
    }
    return got < 0 && got != -EAGAIN ? (int)got : 0;
}

bool kin__command_is_done(const kin_command *command, bool to_the_end)
{
    bool is_moving = is_moved(command, 0) || is_moved(command, 1) || is_moved(command, 2);
    return command->is_given_up || (command->has_ended && !(to_the_end && is_moving));
}

static bool are_done(const struct kin__commands *commands, bool to_the_end)
{
    for (uint32_t i = 0; i < commands->count; i++) {
        if (!kin__command_is_done(commands->commands[i], to_the_end)) {
            return false;
        }
    }
    return true;
}

/* Of a stream, or END. */
static int fd_of(const kin_command *command, uint32_t index)
{
    return index == END ? command->fd : command->streams[index].fd;
}

static bool is_awaited(const kin_command *command, uint32_t index)
{
    return index == END ? !command->has_ended : is_moved(command, index);
}

/* Only what is waited for is asked: the system counts the others, too. How many. */
static uint32_t prepare(const struct kin__commands *commands, struct kin__os_poll *polls)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < commands->count * POLLS_EACH; i++) {
        const kin_command *command = commands->commands[i / POLLS_EACH];
        if (is_awaited(command, i % POLLS_EACH)) {
            polls[count++] = (struct kin__os_poll){
                .fd = fd_of(command, i % POLLS_EACH),
                .wanted = i % POLLS_EACH == 0 ? KIN__OS_POLL_WRITE : KIN__OS_POLL_READ};
        }
    }
    return count;
}

/* Does what is possible with a stream, or END. 0, or a code. */
static int move_one(kin_command *command, uint32_t index)
{
    if (index == END) {
        kin__command_look(command);
        return 0;
    }
    int64_t got = index == 0 ? feed(command) : take(command, index);
    return got < 0 && got != -EAGAIN ? (int)got : 0;
}

/* Does all that was found to be possible: the fds come in the order in which they were asked. */
static int move_all(struct kin__commands *commands, const struct kin__os_poll *polls,
                    uint32_t count)
{
    int r = 0;
    for (uint32_t i = 0; i < commands->count * POLLS_EACH && count > 0 && r == 0; i++) {
        kin_command *command = commands->commands[i / POLLS_EACH];
        if (fd_of(command, i % POLLS_EACH) != polls->fd) {
            continue;
        }
        r = polls->found != 0 ? move_one(command, i % POLLS_EACH) : 0;
        commands->failed = r < 0 ? command : NULL;
        polls++;
        count--;
    }
    return r;
}

/* Its end may have been seen, also by another thread, before what it wrote last was taken. */
static int take_rests(struct kin__commands *commands)
{
    int r = 0;
    for (uint32_t i = 0; i < commands->count && r == 0; i++) {
        r = take_rest(commands->commands[i]);
        commands->failed = r < 0 ? commands->commands[i] : NULL;
    }
    return r;
}

static int move(struct kin__commands *commands, bool to_the_end, kin_timeout timeout,
                struct kin__os_poll *polls)
{
    bool has_looked = false;
    while (!are_done(commands, to_the_end)) {
        uint32_t count = prepare(commands, polls);
        int r = has_looked ? kin__timeout_is_over(timeout) : 0;
        if (r == 0) {
            r = kin__poll(polls, count, timeout);
        }
        if (r >= 0) {
            r = move_all(commands, polls, count);
        }
        if (r < 0) {
            return r;
        }
        has_looked = true;
    }
    return take_rests(commands);
}

int kin__commands_move(struct kin__commands *commands, bool to_the_end, kin_timeout timeout)
{
    struct kin__os_poll few[COMMANDS_MAX_WITHOUT_ALLOCATION * POLLS_EACH + 1];
    struct kin__os_poll *polls = few;
    commands->failed = NULL;
    int r = kin__timeout_check(timeout);
    if (r < 0) {
        return r;
    }
    if (commands->count > COMMANDS_MAX_WITHOUT_ALLOCATION) {
        polls = kin__allocate_array((size_t)commands->count * POLLS_EACH + 1, sizeof *polls);
        if (polls == NULL) {
            return -ENOMEM;
        }
    }
    r = move(commands, to_the_end, timeout, polls);
    if (polls != few) {
        kin__release(polls);
    }
    return r;
}
