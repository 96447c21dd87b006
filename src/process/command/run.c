/* Programs from start to end in one call. */
#include "process/command/command.h"

#include "family/sleep.h"

#include <kin/shortcut.h>

int kin__command_check_timeout(kin_timeout timeout)
{
    int r = kin__timeout_check(timeout);
    if (r == 0) {
        r = kin__timeout_is_over(timeout);
    }
    return r == -ETIMEDOUT || r == -EAGAIN ? 0 : r;
}

/* To its end, by force if need be; what it came to. */
static int finish(kin_command *command, kin_timeout timeout)
{
    int r = kin_command_communicate(command, timeout);
    if (r == 0) {
        return command->checks ? kin_command_check(command) : 0;
    }
    struct kin__commands one = {.commands = &command, .count = 1};
    int ended = kin__commands_end(&one);
    return ended == -EPERM ? ended : r;
}

int kin_command_run(const char *const *argv, const kin_command_options *options,
                    kin_timeout timeout, kin_command **ret_command)
{
    kin_command *command = kin__command_create(argv);
    if (command == NULL) {
        if (ret_command != NULL) {
            *ret_command = NULL;
        }
        return -ENOMEM;
    }
    int r = kin__command_check_timeout(timeout);
    if (r == 0) {
        r = kin__command_launch(command, argv, options);
    }
    if (r == 0) {
        r = finish(command, timeout);
    }
    command->code = r;
    if (ret_command != NULL) {
        *ret_command = command;
    } else {
        kin_command_free(command);
    }
    return r;
}

int kin_command_call(const char *const *argv, kin_timeout timeout, int *ret_exit_code)
{
    kin_command *command = NULL;
    int r = ret_exit_code == NULL ? -EINVAL : kin_command_run(argv, NULL, timeout, &command);
    if (r == 0) {
        r = kin_command_poll(command, ret_exit_code);
    }
    kin_command_free(command);
    return r;
}

int kin_command_check_call(const char *const *argv, kin_timeout timeout)
{
    return kin_command_run(argv, KIN_OPTIONS(kin_command_options, .checks = true), timeout, NULL);
}

int kin_command_check_output(const char *const *argv, kin_timeout timeout,
                             kin_command **ret_command)
{
    const kin_command_options options = {
        .size = sizeof options, .checks = true, .stdout_to = {.kind = KIN_STREAM_CAPTURE}};
    return ret_command == NULL ? -EINVAL : kin_command_run(argv, &options, timeout, ret_command);
}

static void cut_newline(kin_command *command)
{
    struct kin__command_output *output = &command->outputs[0];
    if (output->size > 0 && output->data[output->size - 1] == '\n') {
        output->data[--output->size] = '\0';
    }
}

int kin_command_getoutput(const char *line, kin_timeout timeout, kin_command **ret_command)
{
    const char *const shell[] = {"/bin/sh", "-c", line, NULL};
    const char *const *argv = line == NULL ? NULL
                                           : shell; /* refused, with a command that says so */
    const kin_command_options options = {.size = sizeof options,
                                         .stdout_to = {.kind = KIN_STREAM_CAPTURE},
                                         .stderr_to = {.kind = KIN_STREAM_STDOUT}};
    if (ret_command == NULL) {
        return -EINVAL;
    }
    int r = kin_command_run(argv, &options, timeout, ret_command);
    if (*ret_command != NULL) {
        cut_newline(*ret_command);
    }
    return r;
}

int kin_command_getstatusoutput(const char *line, kin_timeout timeout, int *ret_exit_code,
                                kin_command **ret_command)
{
    line = ret_exit_code == NULL ? NULL : line;
    int r = kin_command_getoutput(line, timeout, ret_command);
    return r < 0 ? r : kin_command_poll(*ret_command, ret_exit_code);
}
