/**
 * A program that was started, as the parts of it see it.
 *
 *     options.c, environment.c   what is asked for, checked and put as os/spawn.h wants it
 *     streams.c                  pipes and /dev/null
 *     start.c                    the start
 *     move.c, output.c           waiting: bytes in, bytes out, the end
 *     end.c, stop.c              reaping and signals; stop sequences
 *     run.c, pipeline.c          the whole of it, for one and for several
 *     error.c                    what went wrong, in words
 *
 * A program is reaped once, by its id. Where its process group is to be stopped with it, that is
 * put off until the command is done with: until then the id of the group cannot be another's.
 */
#ifndef KIN_PROCESS_COMMAND_COMMAND_H
#define KIN_PROCESS_COMMAND_COMMAND_H

#include "base/list.h"
#include "process/command/output.h"

#include <kin/command.h>
#include <kin/command_result.h>
#include <stdatomic.h>

#define KIN__COMMAND_TEXT_BYTES 200
#define KIN__COMMAND_REFUSAL_BYTES 100

/* This process's end of a standard stream. */
struct kin__command_stream {
    int fd;        /* -1: none, or closed */
    bool is_moved; /* by kin, while it waits; else the program's */
};

/* Private memory. The first block is constant after the start; the second belongs to the thread
 * that waits; the third is guarded by the lock of kin__children. */
struct kin_command {
    uint32_t pid;     /* 0: was not started */
    uint32_t starter; /* the process that it is a child of */
    int fd;           /* of the process, -1: none */
    bool stops_group;
    bool checks;
    kin_stop stop;
    kin_bytes input;
    size_t output_bytes_max;                  /* SIZE_MAX: no limit */
    char text[KIN__COMMAND_TEXT_BYTES];       /* the arguments, for messages */
    char refusal[KIN__COMMAND_REFUSAL_BYTES]; /* what is wrong with the options, if no stage says */

    int code; /* of the last call that failed; 0: none */
    kin_command_stage stage;
    struct kin__command_stream streams[3];
    struct kin__command_output outputs[2]; /* of streams 1 and 2; a zero is behind them */
    size_t input_taken;                    /* bytes of `input` that are in the pipe */
    uint32_t stop_step;                    /* that comes next, while it is being stopped */
    int64_t stop_step_end_ns;              /* of the step before that one */
    bool is_given_up;                      /* the steps are over: it is not waited for */
    bool is_out_of_reach;                  /* it may not be sent the signal of the last step */

    struct kin__list_node node; /* of the commands of this process */
    int opened[3];          /* the program's ends of its streams, while it is started; -1: none */
    _Atomic bool has_ended; /* read without the lock */
    bool has_code;          /* exit_code is known: nobody else has reaped it */
    bool is_freed;          /* but could not be ended: it is to be reaped */
    bool is_reaped;         /* the id may be another's */
    int exit_code;
};

/* ---- start ---- */

/* Makes a command that was not started. NULL: no memory. */
kin_command *kin__command_create(const char *const *argv);

/* Starts its program. 0, or as kin_command_start: then it was not started, and says why. */
int kin__command_launch(kin_command *command, const char *const *argv,
                        const kin_command_options *options);

/* The start of its program has come to `code`: nothing is open any more that only a start needs. */
void kin__command_started(kin_command *command, int code);

/* Whether a wait with a timeout has a sense at all, before the start; that its time is over is seen
 * after it. 0, or a code. */
int kin__command_check_timeout(kin_timeout timeout);

/* Whether the options can be meant, all of them at once. 0, or -EINVAL: then the command knows the
 * stage that could not be done, or its refusal. */
int kin__command_check_options(kin_command *command, const char *const *argv,
                               const kin_command_options *options);

/* The first entry of the options' environment that is no variable, and what is wrong with it. NULL:
 * there is none. */
const char *kin__command_find_no_variable(const kin_command_options *options,
                                          const char **ret_what);

/* The environment that options ask for; NULL: this process's. To be released. 0, or -ENOMEM. */
int kin__command_environment(const kin_command_options *options, char ***ret_environment);

/* Opens what the program gets for its standard streams, fds as of struct kin__os_spawn, and this
 * process's ends. Under the lock, so that no process is forked meanwhile. On failure nothing is
 * open. */
int kin__command_open_streams(kin_command *command, const kin_command_options *options,
                              int ret_fds[3]);

/* Opens a pipe from one program to another, before either is started, for their standard streams:
 * opened[1] of the one and opened[0] of the other. 0, or a code. */
int kin__command_connect(kin_command *writer, kin_command *reader);

/* A process that is forked from here on knows of its fds, and closes them. Under the lock. */
void kin__command_list(kin_command *command);

/* Closes what only the program needs. Under the lock. */
void kin__command_close_opened(kin_command *command);

/* Closes one of this process's ends, or those that kin reads and writes. */
void kin__command_close_stream(kin_command *command, uint32_t index);
void kin__command_close_moved(kin_command *command);

/* Closes all of them. Under the lock. */
void kin__command_close_streams(kin_command *command);

/* ---- while it runs ---- */

/* Whether it was started, and by this process. 0, -ESRCH or -ECHILD. */
int kin__command_enter(const kin_command *command);

/* Looks whether it has ended, and reaps it, unless its group may still be needed. 0; -EAGAIN: it
 * runs. */
int kin__command_look(kin_command *command);

/* The command is done with: reaps it, if it has ended. */
void kin__command_reap(kin_command *command);

/* Sends a signal, to its group if that is to be stopped with it. 0 also if it has ended; -EPERM: it
 * has become somebody else's, also if others of its group have got the signal. */
int kin__command_signal(kin_command *command, int number);

/* Whether there is nothing of it to be waited for. */
bool kin__command_is_done(const kin_command *command, bool to_the_end);

/* Several commands that are waited for together: the stages of a pipeline, or one. */
struct kin__commands {
    kin_command *const *commands;
    uint32_t count;
    kin_command *failed; /* whose bytes could not be moved; NULL: none's, or no code is its alone */
};

/* Moves bytes until all have ended; `to_the_end`: and all that is captured. 0, or as
 * kin_command_wait. */
int kin__commands_move(struct kin__commands *commands, bool to_the_end, kin_timeout timeout);

/* Ends all at once, and reaps them. `stop` NULL: each as its own options say. 0, or as
 * kin_command_stop. */
int kin__commands_stop(struct kin__commands *commands, const kin_stop *stop, kin_timeout timeout);

/* The same, as their own options say, and by force if that does not do. 0, or -EPERM, -ENOMEM: some
 * run on. */
int kin__commands_end(struct kin__commands *commands);

extern const kin_stop kin__stop_by_force;

/* With the lock: reaps those that have ended after they were freed, which could not be ended. */
void kin__commands_sweep(void);

/* In a forked child, with the lock: closes what it has of its parent's commands. */
void kin__commands_forget(void);

/* Keeps what a call that the caller made came to, and gives it back. */
static inline int kin__command_told(kin_command *command, int code)
{
    if (code != -EAGAIN) {
        command->code = code;
    }
    return code;
}

#endif
