/*
 * Steps in the order of enum kin__os_spawn_stage. What must hold here: see spawn.c.
 */
#define _GNU_SOURCE
#include "os/linux/spawn/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WALK_BYTES 1024

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* Those that take ids of 32 bits. */
#ifdef SYS_setresuid32
#define CALL_SETRESUID SYS_setresuid32
#define CALL_SETRESGID SYS_setresgid32
#define CALL_SETGROUPS SYS_setgroups32
#else
#define CALL_SETRESUID SYS_setresuid
#define CALL_SETRESGID SYS_setresgid
#define CALL_SETGROUPS SYS_setgroups
#endif

struct kernel_action {
    uintptr_t handler; /* the first field with all processors that are built for */
    uintptr_t others[7];
};

/* An entry of a folder, as the kernel has it. */
struct folder_entry {
    uint64_t inode;
    int64_t next;
    uint16_t bytes; /* of this entry */
    uint8_t type;
    char name[];
};

static_assert(sizeof(struct kin__os_limit) - offsetof(struct kin__os_limit, soft) ==
                  sizeof(struct rlimit64),
              "the kernel's layout from `soft` on");

#define CHILD __attribute__((no_sanitize("address", "undefined", "thread")))

/* A system call's result, or its negative code. errno is that of the suspended thread. */
#define CALL(...) result_of(syscall(__VA_ARGS__))

CHILD static int result_of(long r)
{
    return r < 0 ? -errno : (int)r;
}

CHILD static int make_session(struct kin__spawn_start *start)
{
    int r = start->spawn->has_session ? CALL(SYS_setsid) : 0;
    return r < 0 ? r : 0;
}

CHILD static int join_group(struct kin__spawn_start *start)
{
    return start->spawn->has_group ? CALL(SYS_setpgid, 0, start->spawn->group) : 0;
}

/* Fds are put in their places from 0 on. What lies in the way of one, and is needed later, is
 * moved behind them all before. */
CHILD static int save_sources(struct kin__spawn_start *start)
{
    int *sources = start->sources;
    for (int i = 0; i < (int)start->spawn->fd_count; i++) {
        int source = sources[i];
        if (source < 0 || source >= i || start->spawn->fds[source] == source ||
            start->spawn->fds[source] == KIN__OS_SPAWN_KEEP) {
            continue;
        }
        int moved = CALL(SYS_fcntl, source, F_DUPFD_CLOEXEC, start->spawn->fd_count);
        if (moved < 0) {
            return moved == -EINVAL ? -EMFILE : moved;
        }
        sources[i] = moved;
    }
    return 0;
}

/* A place beyond the limit of open fds is told from a source that is not open. */
CHILD static int place_fd(int source, int place)
{
    int r = CALL(SYS_dup3, source, place, 0);
    bool is_open = r == -EBADF && CALL(SYS_fcntl, source, F_GETFD) >= 0;
    return is_open ? -EMFILE : r;
}

CHILD static int place_fds(struct kin__spawn_start *start)
{
    int r = save_sources(start);
    for (int i = 0; r >= 0 && i < (int)start->spawn->fd_count; i++) {
        int source = start->sources[i];
        if (source == KIN__OS_SPAWN_CLOSED) {
            CALL(SYS_close, i);
        } else if (source == KIN__OS_SPAWN_KEEP) {
            CALL(SYS_fcntl, i, F_SETFD, 0);
        } else if (source == i) {
            r = CALL(SYS_fcntl, i, F_SETFD, 0);
        } else {
            r = place_fd(source, i);
        }
    }
    return r < 0 ? r : 0;
}

CHILD static int number_of(const char *name)
{
    int number = 0;
    for (; *name >= '0' && *name <= '9'; name++) {
        number = number * 10 + (*name - '0');
    }
    return *name == '\0' ? number : -1; /* "." and ".." are no fds */
}

/* For kernels before 5.9. The folder's place is that of an fd: closing others skips none. */
CHILD static int close_one_by_one(int first)
{
    _Alignas(struct folder_entry) char entries[WALK_BYTES];
    int folder = CALL(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int bytes = folder;
    while (bytes >= 0 && (bytes = CALL(SYS_getdents64, folder, entries, sizeof entries)) > 0) {
        const struct folder_entry *entry = NULL;
        for (int at = 0; at < bytes; at += entry->bytes) {
            entry = (const struct folder_entry *)(const void *)(entries + at);
            int fd = number_of(entry->name);
            if (fd >= first && fd != folder) {
                CALL(SYS_close, fd);
            }
        }
    }
    if (folder >= 0) { /* may be below `first`, in the place of a closed one */
        CALL(SYS_close, folder);
    }
    return bytes;
}

CHILD static int close_others(struct kin__spawn_start *start)
{
    int first = (int)start->spawn->fd_count;
    int r = CALL(SYS_close_range, first, ~0u, 0);
    return r == 0 ? 0 : close_one_by_one(first);
}

CHILD static int set_limits(struct kin__spawn_start *start)
{
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < start->spawn->limit_count; i++) {
        const struct kin__os_limit *limit = &start->spawn->limits[i];
        r = CALL(SYS_prlimit64, 0, limit->resource, &limit->soft, NULL);
    }
    return r;
}

CHILD static int set_groups(struct kin__spawn_start *start)
{
    const struct kin__os_spawn *spawn = start->spawn;
    return spawn->has_groups ? CALL(CALL_SETGROUPS, spawn->group_count, spawn->groups) : 0;
}

CHILD static int set_gid(struct kin__spawn_start *start)
{
    uint32_t gid = start->spawn->gid;
    return start->spawn->has_gid ? CALL(CALL_SETRESGID, gid, gid, gid) : 0;
}

CHILD static int set_uid(struct kin__spawn_start *start)
{
    uint32_t uid = start->spawn->uid;
    return start->spawn->has_uid ? CALL(CALL_SETRESUID, uid, uid, uid) : 0;
}

CHILD static int set_umask(struct kin__spawn_start *start)
{
    if (start->spawn->has_umask) {
        CALL(SYS_umask, start->spawn->umask);
    }
    return 0;
}

/* As the child's user: the folder may be one that root cannot enter, on another machine's disk. */
CHILD static int change_folder(struct kin__spawn_start *start)
{
    return start->spawn->cwd != NULL ? CALL(SYS_chdir, start->spawn->cwd) : 0;
}

CHILD static int reset_signals(struct kin__spawn_start *start)
{
    const struct kernel_action reset = {.handler = (uintptr_t)SIG_DFL};
    const kin__spawn_signals none = 0;
    for (int number = 1; start->has_handlers && number <= 64; number++) {
        struct kernel_action action = reset;
        CALL(SYS_rt_sigaction, number, NULL, &action, sizeof none);
        if (action.handler != (uintptr_t)SIG_DFL && action.handler != (uintptr_t)SIG_IGN) {
            CALL(SYS_rt_sigaction, number, &reset, NULL, sizeof none);
        }
    }
    CALL(SYS_rt_sigaction, SIGPIPE, &reset, NULL, sizeof none);
    CALL(SYS_rt_sigaction, SIGXFSZ, &reset, NULL, sizeof none);
    return CALL(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

/* Whether a file of PATH is to be passed over: it is not there, or not to be got at. */
CHILD static bool is_elsewhere(int code)
{
    switch (code) {
    case -ENOENT:
    case -ENOTDIR:
    case -EACCES:
    case -ELOOP:
    case -ENAMETOOLONG:
    case -ESTALE:
    case -ENODEV:
    case -ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

/* Of the files, the first that can be executed. One that the kernel cannot run is not handed to a
 * shell. */
CHILD static int run_program(struct kin__spawn_start *start)
{
    int code = -ENOENT;
    const char *file = start->files;
    while (*file != '\0') {
        int r = CALL(SYS_execve, file, start->spawn->argv, start->envp);
        if (!start->searches || !is_elsewhere(r)) {
            return r;
        }
        code = r == -EACCES ? r : code;
        while (*file++ != '\0') {
        }
    }
    return code;
}

CHILD int kin__spawn_child_run(void *user)
{
    static int (*const steps[KIN__OS_SPAWN_STAGE_COUNT])(struct kin__spawn_start *) = {
        [KIN__OS_SPAWN_SESSION] = make_session,  [KIN__OS_SPAWN_PROCESS_GROUP] = join_group,
        [KIN__OS_SPAWN_FDS] = place_fds,         [KIN__OS_SPAWN_CLOSE] = close_others,
        [KIN__OS_SPAWN_LIMITS] = set_limits,     [KIN__OS_SPAWN_GROUPS] = set_groups,
        [KIN__OS_SPAWN_GID] = set_gid,           [KIN__OS_SPAWN_UID] = set_uid,
        [KIN__OS_SPAWN_UMASK] = set_umask,       [KIN__OS_SPAWN_CWD] = change_folder,
        [KIN__OS_SPAWN_SIGNALS] = reset_signals, [KIN__OS_SPAWN_EXEC] = run_program,
    };
    struct kin__spawn_start *start = user;
    int code = 0;
    enum kin__os_spawn_stage stage = KIN__OS_SPAWN_START;
    while (code >= 0) { /* the last step returns only if it has failed */
        code = steps[++stage](start);
    }
    *start->report = (struct kin__spawn_report){.stage = stage, .code = code};
    syscall(SYS_exit_group, 127);
    return 127; /* what calls it then ends as well */
}
