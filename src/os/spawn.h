/**
 * Starting a program in a new process, at the cost of posix_spawn, which cannot do half of this.
 */
#ifndef KIN_OS_SPAWN_H
#define KIN_OS_SPAWN_H

#include <stdbool.h>
#include <stdint.h>

/* An fd of the child that is whatever this process has under that number, open or not. */
#define KIN__OS_SPAWN_KEEP (-2)

/* An fd of the child that is closed. */
#define KIN__OS_SPAWN_CLOSED (-1)

/* What the child does, in this order. */
enum kin__os_spawn_stage {
    KIN__OS_SPAWN_START, /* the process itself: -EAGAIN, -ENOMEM, -EMFILE */
    KIN__OS_SPAWN_SESSION,
    KIN__OS_SPAWN_PROCESS_GROUP,
    KIN__OS_SPAWN_FDS,
    KIN__OS_SPAWN_CLOSE,
    KIN__OS_SPAWN_LIMITS,
    KIN__OS_SPAWN_GROUPS,
    KIN__OS_SPAWN_GID,
    KIN__OS_SPAWN_UID,
    KIN__OS_SPAWN_UMASK,
    KIN__OS_SPAWN_CWD,
    KIN__OS_SPAWN_SIGNALS,
    KIN__OS_SPAWN_EXEC,
    KIN__OS_SPAWN_STAGE_COUNT,
};

struct kin__os_limit {
    int resource; /* RLIMIT_... */
    uint64_t soft;
    uint64_t hard;
};

/* All borrowed until the call returns. */
struct kin__os_spawn {
    const char *path;  /* the program's file, after the change of folder */
    bool searches;     /* a path without '/' is looked for in PATH of the child's environment */
    char *const *argv; /* with its end, NULL */
    char *const *envp; /* NULL: this process's environment */
    const int *fds;    /* fd i of the child is fds[i]: an fd of this process, in any order and */
    uint32_t fd_count; /* more than once; or _KEEP, _CLOSED. All from fd_count on are closed */
    const char *cwd;   /* NULL: this process's */
    bool has_session;  /* a session of its own, which is a process group as well */
    bool has_group;    /* a process group: */
    uint32_t group;    /* this one, or 0: its own */
    bool has_umask;
    uint32_t umask;
    bool has_uid;
    uint32_t uid;
    bool has_gid;
    uint32_t gid;
    bool has_groups;
    const uint32_t *groups;
    uint32_t group_count;
    const struct kin__os_limit *limits;
    uint32_t limit_count;
};

struct kin__os_child {
    uint32_t pid; /* to be reaped: kin__os_process_reap */
    int fd;       /* of the process, as of kin__os_process_open; the caller's to close */
};

/**
 * Starts a program. In it no signal is blocked or caught; ignored ones stay ignored, except for
 * SIGPIPE and SIGXFSZ. Returns when the program runs, or has failed to: then nothing is left, and
 * `ret_stage`, otherwise untouched, says what failed.
 *
 * -EAGAIN, -ENOMEM: also after some tries there was no process to be had. Any other code is what
 * the stage gave: -ENOENT, -EACCES, -ENOEXEC, -EPERM; of fds -EBADF: one is not open, -EMFILE: they
 * are more than a process may have ...
 */
int kin__os_spawn(const struct kin__os_spawn *spawn, struct kin__os_child *ret_child,
                  enum kin__os_spawn_stage *ret_stage);

/* Opens /dev/null, for a standard stream. Close-on-exec, not one of 0 to 2. 0, or -EMFILE,
 * -ENFILE. */
int kin__os_null_open(int *ret_fd);

/* This process's environment: "NAME=value", the last one is NULL. */
char *const *kin__os_environment(void);

#endif
