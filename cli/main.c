/*
 * kin: the command-line tool. One file a command, command_NAME.c; this one finds it.
 *
 * Exit status of all commands: 0; 1: the input is bad, or cannot be read, or the output cannot be
 * written; 2: the command line is wrong.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#ifndef KIN_VERSION
#define KIN_VERSION "unknown"
#endif

const char *argp_program_version = "kin " KIN_VERSION;

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"pickle", command_pickle},
};

static const char documentation[] =
    "Looks into what C and Python programs send each other.\v"
    "Commands:\n"
    "  pickle    shows what is in a pickle, without executing anything\n"
    "\n"
    "'kin COMMAND --help' says more of a command.";

/* Where the command stands in argv; 0: there is none yet. */
static error_t parse(int key, char *argument, struct argp_state *state)
{
    int *place = state->input;
    (void)argument;
    if (key == ARGP_KEY_ARG) {
        *place = state->next - 1;
        state->next = state->argc; /* the rest is the command's */
        return 0;
    }
    if (key == ARGP_KEY_NO_ARGS) {
        argp_error(state, "a command is missing");
    }
    return ARGP_ERR_UNKNOWN;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse, .args_doc = "COMMAND [ARGUMENT...]", .doc = documentation};
    int place = 0;
    argp_err_exit_status = STATUS_USAGE;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &place);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[place], commands[i].name) == 0) {
            return commands[i].run(argc - place, argv + place);
        }
    }
    fprintf(stderr, "kin: there is no command '%s'\nTry 'kin --help'.\n", argv[place]);
    return STATUS_USAGE;
}
