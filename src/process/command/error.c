/* What went wrong with a program, in words. */
#include "process/command/command.h"

#include <stdio.h>
#include <string.h>

#define EXCERPT_BYTES 400

static const char *const stage_names[] = {
    [KIN_STAGE_NONE] = "nothing",
    [KIN_STAGE_STREAMS] = "its standard streams",
    [KIN_STAGE_START] = "the start of a process",
    [KIN_STAGE_SESSION] = "a session of its own",
    [KIN_STAGE_PROCESS_GROUP] = "its process group",
    [KIN_STAGE_FDS] = "its fds",
    [KIN_STAGE_CLOSE] = "closing all other fds",
    [KIN_STAGE_LIMITS] = "its limits",
    [KIN_STAGE_GROUPS] = "its other groups",
    [KIN_STAGE_GROUP] = "its group",
    [KIN_STAGE_USER] = "its user",
    [KIN_STAGE_UMASK] = "its umask",
    [KIN_STAGE_CWD] = "the change of folder",
    [KIN_STAGE_SIGNALS] = "its signals",
    [KIN_STAGE_EXEC] = "exec",
};

const char *kin_command_stage_name(kin_command_stage stage)
{
    bool is_stage = (int)stage >= 0 && stage <= KIN_STAGE_EXEC;
    return is_stage ? stage_names[stage] : "unknown";
}

kin_command_stage kin_command_failed_stage(const kin_command *command)
{
    return command == NULL ? KIN_STAGE_NONE : command->stage;
}

/* The last lines of what it said, errors first of all, to stand behind a colon. */
static void write_excerpt(const kin_command *command, char *text)
{
    kin_bytes said = kin_command_errors(command);
    said = said.size > 0 ? said : kin_command_output(command);
    const char *first = said.data;
    size_t bytes = said.size;
    while (bytes > 0 && first[bytes - 1] == '\n') {
        bytes--;
    }
    bool is_cut = bytes > EXCERPT_BYTES;
    if (is_cut) {
        first += bytes - EXCERPT_BYTES;
        bytes = EXCERPT_BYTES;
    }
    snprintf(text, EXCERPT_BYTES + 16, "%s%s%.*s", bytes > 0 ? ": " : "", is_cut ? "..." : "",
             (int)bytes, bytes > 0 ? first : "");
}

/* How it ended, or that it was not to go on. */
static void write_reason(const kin_command *command, int code, char *text, size_t bytes)
{
    if (command->refusal[0] != '\0') {
        snprintf(text, bytes, "cannot be started: %s", command->refusal);
    } else if (command->pid == 0 && command->stage == KIN_STAGE_NONE) {
        snprintf(text, bytes, "cannot be started: %s", kin_code_text(code));
    } else if (command->pid == 0) {
        snprintf(text, bytes, "cannot be started: %s failed: %s",
                 kin_command_stage_name(command->stage), kin_code_text(code));
    } else if (code == -ECHILD) {
        snprintf(text, bytes, "has ended with a status that somebody else got");
    } else if (code != KIN_ESTATUS) {
        snprintf(text, bytes, "was not done: %s", kin_code_text(code));
    } else if (command->exit_code < 0) {
        snprintf(text, bytes, "was ended by signal %d", -command->exit_code);
    } else {
        snprintf(text, bytes, "ended with status %d", command->exit_code);
    }
}

kin_error *kin_command_error(kin_command *command)
{
    char reason[160];
    char excerpt[EXCERPT_BYTES + 16];
    if (command == NULL) {
        return NULL;
    }
    int code = command->code;
    if (code == 0) {
        code = kin_command_check(command);
        code = code == -EAGAIN ? 0 : code;
    }
    if (code == 0) {
        return NULL;
    }
    write_reason(command, code, reason, sizeof reason);
    write_excerpt(command, excerpt);
    return kin_error_create_at(NULL, 0, NULL, NULL, code, "'%s' %s%s", command->text, reason,
                               excerpt);
}
