/* What the tests of programs share. */
#ifndef TESTS_UNIT_PROCESS_COMMANDS_H
#define TESTS_UNIT_PROCESS_COMMANDS_H

#include "harness/test.h"

#include <kin.h>

/* The arguments of a shell that runs a script. */
#define SCRIPT(text) KIN_ARGV("/bin/sh", "-c", text)

#define COMMAND(...) KIN_OPTIONS(kin_command_options, __VA_ARGS__)

#define CAPTURE                     \
    {                               \
        .kind = KIN_STREAM_CAPTURE, \
    }

#define TEXT(text)                           \
    {                                        \
        .data = (text), .size = strlen(text) \
    }

/* Runs to the end, which must come to `code`, and gives the command. */
static inline kin_command *run(const char *const *argv, const kin_command_options *options,
                               int code)
{
    kin_command *command = NULL;
    CHECK_EQUAL(kin_command_run(argv, options, KIN_FOREVER, &command), code);
    REQUIRE(command != NULL);
    return command;
}

static inline kin_command *start(const char *const *argv, const kin_command_options *options)
{
    kin_command *command = NULL;
    REQUIRE(kin_command_start(argv, options, &command) == 0);
    return command;
}

static inline int exit_code_of(kin_command *command)
{
    int exit_code = 4711;
    CHECK_EQUAL(kin_command_poll(command, &exit_code), 0);
    return exit_code;
}

/* What was captured, and that a zero is behind it. */
static inline const char *output_of(const kin_command *command)
{
    kin_bytes output = kin_command_output(command);
    CHECK_EQUAL(((const char *)output.data)[output.size], 0);
    return output.data;
}

static inline const char *errors_of(const kin_command *command)
{
    return kin_command_errors(command).data;
}

/* Runs a script whose output must be this. */
static inline void check_output(const char *script, const kin_command_options *options,
                                const char *output)
{
    kin_command *command = run(SCRIPT(script), options, 0);
    CHECK_STRING(output_of(command), output);
    CHECK_EQUAL(exit_code_of(command), 0);
    kin_command_free(command);
}

#endif
