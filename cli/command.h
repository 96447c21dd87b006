/**
 * The commands of the tool, and how they end.
 */
#ifndef KIN_CLI_COMMAND_H
#define KIN_CLI_COMMAND_H

enum { STATUS_FINE = 0, STATUS_BAD = 1, STATUS_USAGE = 2 };

/* kin pickle. argv[0] is its name. Returns the exit status. */
int command_pickle(int argc, char **argv);

#endif
