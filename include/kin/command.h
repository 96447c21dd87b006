/**
 * Programs: started with what they need, fed, heard and ended. It is Python's subprocess.
 *
 *     kin_command *command;
 *     int code = kin_command_run(KIN_ARGV("sort", "-n"), KIN_OPTIONS(kin_command_options,
 *                                .input = {text, size}, .stdout_to = {.kind = KIN_STREAM_CAPTURE}),
 *                                kin_within_ms(5000), &command);
 *     if (code == 0) {
 *         kin_bytes sorted = kin_command_output(command);
 *         ...
 *     }
 *     kin_command_free(command);
 *
 * The program is no member of the family: kin_init is not needed, but for waits with a token. No
 * shell is involved, unless it is the program that is run. Nothing is inherited but what the
 * options say: no fd, no blocked or caught signal.
 *
 * A function that makes a command sets `ret_command` also where it fails, but for -ENOMEM (then it
 * is NULL): kin_command_error says what failed, and what had been written until then can be read.
 * Free it in any case. What can be said of any command:
 *   -ESRCH       it has not been started
 *   -ECHILD      it was started by the process that this one was forked from
 *
 * Threads: one at a time, but for kin_command_poll, _signal, _terminate, _kill, _interrupt, which
 * may come while another one waits. Fork: a forked child has no commands, and keeps none of their
 * pipes open (after kin_init). Peer death: a program goes on when the process that started it is
 * killed, and finds its pipes closed.
 */
#ifndef KIN_COMMAND_H
#define KIN_COMMAND_H

#include <kin/error.h>
#include <kin/export.h>
#include <kin/family.h>
#include <kin/stop.h>
#include <kin/timeout.h>
#include <stdbool.h>
#include <stdint.h>

KIN_BEGIN

/** A program that was started, or could not be. */
typedef struct kin_command kin_command;

/** The arguments of a program, the first is its name: KIN_ARGV("ls", "-l"). C only. */
#define KIN_ARGV(...) ((const char *const[]){__VA_ARGS__, 0})

/** Where a standard stream of the program comes from, or goes to. */
typedef enum kin_stream_kind {
    KIN_STREAM_INHERIT, /* what this process has, open or closed */
    KIN_STREAM_NULL,    /* /dev/null */
    KIN_STREAM_CAPTURE, /* kin_command_output and _errors: kin takes it while it waits */
    KIN_STREAM_PIPE,    /* kin_command_stdin_fd and the like: this program's own affair */
    KIN_STREAM_FD,      /* an fd of this process, which stays open here */
    KIN_STREAM_STDOUT   /* stderr_to only: the same as stdout */
} kin_stream_kind;

/** One standard stream: {.kind = KIN_STREAM_NULL}, {KIN_STREAM_FD, fd}. */
typedef struct kin_stream {
    kin_stream_kind kind;
    int fd; /* of KIN_STREAM_FD */
} kin_stream;

/** A limit of the program: `resource` is RLIMIT_NOFILE or the like. */
typedef struct kin_command_limit {
    int resource;
    uint64_t soft;
    uint64_t hard;
} kin_command_limit;

/** What a program can be started with. All is borrowed until the start has returned. */
typedef struct kin_command_options {
    size_t size; /* of this struct */

    /* The file to run, in `cwd` if it is relative; default: the first argument. Without a '/' it is
     * looked for in PATH, that of the program's own environment. */
    const char *program;

    /* What it reads from its standard input; none: `data` is NULL. Borrowed until all was read, or
     * the command is freed. Instead of `stdin_from`. */
    kin_bytes input;
    kin_stream stdin_from;
    kin_stream stdout_to;
    kin_stream stderr_to;

    /* Most bytes to be captured of each stream; default: no limit. Then KIN_ELIMIT. */
    uint64_t output_bytes_max;

    const char *cwd; /* its folder; default: this process's */

    /* "NAME=value", the last one is NULL: its whole environment (default: this process's), and
     * changes of it: "NAME=value" sets one, "NAME" takes one away. Others are refused: -EINVAL. */
    const char *const *environment;
    const char *const *environment_changes;

    /* Fds that the program finds as 3, 4, ... in this order. */
    const int *fds;
    uint32_t fd_count;

    /* Who it is. A user needs a group as well, and without `groups` has no others. */
    bool has_user;
    bool has_group;
    bool has_groups;
    uint32_t user;
    uint32_t group;
    const uint32_t *groups;
    uint32_t group_count;

    bool has_umask;
    bool has_process_group;
    uint32_t umask;
    int32_t process_group; /* 0: one of its own */
    bool has_session;      /* one of its own, and with it a process group */

    /* Signals and stop sequences reach its whole process group, which it gets one of its own for:
     * also what it has started, wherever that has not left the group. */
    bool stops_group;

    const kin_command_limit *limits;
    uint32_t limit_count;

    /* How it is ended when its time is over, or it is freed while it runs; default: SIGKILL. */
    kin_stop stop;

    /* A status other than 0 is a failure: KIN_ESTATUS (kin_command_run only). */
    bool checks;
} kin_command_options;

/** What a start failed at, in the order of what is done. */
typedef enum kin_command_stage {
    KIN_STAGE_NONE,    /* nothing */
    KIN_STAGE_STREAMS, /* pipes and /dev/null */
    KIN_STAGE_START,   /* the process itself */
    KIN_STAGE_SESSION,
    KIN_STAGE_PROCESS_GROUP,
    KIN_STAGE_FDS,
    KIN_STAGE_CLOSE, /* all other fds */
    KIN_STAGE_LIMITS,
    KIN_STAGE_GROUPS,
    KIN_STAGE_GROUP,
    KIN_STAGE_USER,
    KIN_STAGE_UMASK,
    KIN_STAGE_CWD,
    KIN_STAGE_SIGNALS,
    KIN_STAGE_EXEC
} kin_command_stage;

/**
 * Runs a program to its end, and the end of what it writes to captured streams. One that is not
 * done when the timeout is over, or writes too much, is ended as `stop` says. No process is left,
 * but for those that the program itself has left.
 *
 * Returns 0, whatever its status is, or
 *   -ETIMEDOUT   -ECANCELED, -EAGAIN: it was ended, for the timeout was over
 *   KIN_ESTATUS  its status is not 0, and the options ask for that
 *   KIN_ELIMIT   it was ended, for it wrote more than the options allow
 *   -EINVAL      options that contradict each other
 *   -EPERM       it was to be ended, but has become another user's, and runs on
 *   -ENOMEM, or any code of the stage that failed: -ENOENT, -EACCES: there is no such program, or
 *   none that can be executed; -ENOEXEC: a file that is none; -EAGAIN, -EMFILE, -EPERM ...
 */
KIN_API int kin_command_run(const char *const *argv, const kin_command_options *options,
                            kin_timeout timeout, kin_command **ret_command);

/** Starts a program, at the cost of posix_spawn. 0: it runs; or as kin_command_run. */
KIN_API int kin_command_start(const char *const *argv, const kin_command_options *options,
                              kin_command **ret_command);

/**
 * Looks whether the program has ended: its exit status, or minus the number of the signal that
 * ended it. `ret_exit_code` may be NULL. Returns 0, or
 *   -EAGAIN      it runs
 *   -ECHILD      it has ended, with a status that somebody else took, or that nobody gets, as
 *                SIGCHLD is ignored; or see above
 */
KIN_API int kin_command_poll(kin_command *command, int *ret_exit_code);

/**
 * Waits until the program has ended. Meanwhile it is fed, and its captured streams are read, so
 * that it is never stuck; streams of kind KIN_STREAM_PIPE are the caller's to read.
 *
 * Returns 0, or
 *   -EAGAIN      it runs, and the timeout is KIN_NOW
 *   -ETIMEDOUT   -ECANCELED: it runs on, and nothing is lost: wait again
 *   KIN_ELIMIT   it has written more than the options allow; if it runs, it is stuck
 *   -ENOMEM      no room for what it writes; wait again, or end it
 *   -ESRCH       -ECHILD: see above
 */
KIN_API int kin_command_wait(kin_command *command, kin_timeout timeout);

/**
 * The same, and waits until captured streams have come to their end: what the program has left
 * behind may still write to them. Closes a standard input of kind KIN_STREAM_PIPE before.
 */
KIN_API int kin_command_communicate(kin_command *command, kin_timeout timeout);

/**
 * Ends it in the steps of `stop`; NULL: those of the options. What it writes meanwhile is captured.
 * Returns 0 when it has ended, or -ETIMEDOUT: it has not, after the last step or at the deadline;
 * -EPERM: it has become another user's, and a signal that it cannot get is not waited for;
 * -ECANCELED, -EAGAIN; -EINVAL, -ESRCH, -ECHILD.
 */
KIN_API int kin_command_stop(kin_command *command, const kin_stop *stop, kin_timeout timeout);

/** Sends a signal, to this program only, or its group. Returns 0, also when it has ended; -EINVAL,
 * -EPERM: it has become somebody else's; -ESRCH, -ECHILD. */
KIN_API int kin_command_signal(kin_command *command, int number);

/** Frees it; NULL is fine. Returns NULL. A program that still runs is ended as the options say,
 * with SIGKILL at last, and waited for; one that has become another user's runs on. */
KIN_API kin_command *kin_command_free(kin_command *command);

KIN_END

#endif
