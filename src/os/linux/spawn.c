/*
 * Starting a program: clone that shares memory, as vfork does, then exec.
 *
 * The child runs in this process's memory, on a stack of its own, while the calling thread is
 * suspended until the child has exec'd or ended. So nothing is copied, however large the process
 * is, and the child reports a failure {stage, code} by writing it where the caller reads it: no
 * pipe is needed, which children that other threads fork meanwhile would hold open.
 *
 * What must hold in the child, all of which is in this file between "the child" and "the parent":
 *  - System calls only, made directly: functions of libc may take locks that another thread
 *    holds, and those that change the user do so in all threads that libc knows of.
 *  - No signal handler runs in it: it would write to this process's memory as another process. All
 *    signals are blocked from before the clone, also the two that libc keeps to itself, and
 *    handlers are reset, by the clone itself where the kernel can, before they are unblocked.
 *  - One exit; sanitizers do not look, which would take the stack for a strange one.
 *
 * Where the child becomes another user it gets a copy of the memory instead: as long as it shared
 * it, that user's processes could reach into this one by it, and the kernel would mark this
 * process's memory as not to be dumped. The report then lies in a shared page.
 *
 * The child tries the files of PATH itself, from a list written before: so they are found as the
 * child's user, in the child's folder, and without a gap between the look and the exec.
 */
#define _GNU_SOURCE
#include "os/spawn.h"

#include "base/allocate.h"
#include "os/clock.h"
#include "os/fault.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES 8192
#define WALK_BYTES 1024
#define TRIES_MAX 5
#define PAUSE_NS 1000000 /* before the second try; doubled for each that follows */
#define DEFAULT_PATH "/bin:/usr/bin"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
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

/* As the kernel has it, which knows as many signals as there are bits. */
typedef uint64_t signal_set;

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

/* Written by the child. */
struct report {
    enum kin__os_spawn_stage stage; /* START: nothing has failed */
    int code;
};

/* Written by the parent before the clone, except for `sources`. */
struct start {
    const struct kin__os_spawn *spawn;
    char *const *envp;
    const char *files; /* to be tried, one after the other, each with its zero; then an empty one */
    bool searches;     /* they are those of PATH */
    int *sources;      /* of the child's fds; the child's to change */
    bool keeps_memory; /* the child shares it */
    bool has_handlers; /* the clone does not reset them */
    struct report *report;
    _Alignas(16) char stack[STACK_BYTES];
};

/* ---- the child ---- */

#define CHILD __attribute__((no_sanitize("address", "undefined", "thread")))

/* A system call's result, or its negative code. errno is that of the suspended thread. */
#define CALL(...) result_of(syscall(__VA_ARGS__))

CHILD static int result_of(long r)
{
    return r < 0 ? -errno : (int)r;
}

CHILD static int make_session(struct start *start)
{
    int r = start->spawn->has_session ? CALL(SYS_setsid) : 0;
    return r < 0 ? r : 0;
}

CHILD static int join_group(struct start *start)
{
    return start->spawn->has_group ? CALL(SYS_setpgid, 0, start->spawn->group) : 0;
}

/* Fds are put in their places from 0 on. What lies in the way of one, and is needed later, is
 * moved behind them all before. */
CHILD static int save_sources(struct start *start)
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

CHILD static int place_fds(struct start *start)
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

CHILD static int close_others(struct start *start)
{
    int first = (int)start->spawn->fd_count;
    int r = CALL(SYS_close_range, first, ~0u, 0);
    return r == 0 ? 0 : close_one_by_one(first);
}

CHILD static int set_limits(struct start *start)
{
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < start->spawn->limit_count; i++) {
        const struct kin__os_limit *limit = &start->spawn->limits[i];
        r = CALL(SYS_prlimit64, 0, limit->resource, &limit->soft, NULL);
    }
    return r;
}

CHILD static int set_groups(struct start *start)
{
    const struct kin__os_spawn *spawn = start->spawn;
    return spawn->has_groups ? CALL(CALL_SETGROUPS, spawn->group_count, spawn->groups) : 0;
}

CHILD static int set_gid(struct start *start)
{
    uint32_t gid = start->spawn->gid;
    return start->spawn->has_gid ? CALL(CALL_SETRESGID, gid, gid, gid) : 0;
}

CHILD static int set_uid(struct start *start)
{
    uint32_t uid = start->spawn->uid;
    return start->spawn->has_uid ? CALL(CALL_SETRESUID, uid, uid, uid) : 0;
}

CHILD static int set_umask(struct start *start)
{
    if (start->spawn->has_umask) {
        CALL(SYS_umask, start->spawn->umask);
    }
    return 0;
}

/* As the child's user: the folder may be one that root cannot enter, on another machine's disk. */
CHILD static int change_folder(struct start *start)
{
    return start->spawn->cwd != NULL ? CALL(SYS_chdir, start->spawn->cwd) : 0;
}

CHILD static int reset_signals(struct start *start)
{
    const struct kernel_action reset = {.handler = (uintptr_t)SIG_DFL};
    const signal_set none = 0;
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
CHILD static int run_program(struct start *start)
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

CHILD static int run_child(void *user)
{
    static int (*const steps[KIN__OS_SPAWN_STAGE_COUNT])(struct start *) = {
        [KIN__OS_SPAWN_SESSION] = make_session,  [KIN__OS_SPAWN_PROCESS_GROUP] = join_group,
        [KIN__OS_SPAWN_FDS] = place_fds,         [KIN__OS_SPAWN_CLOSE] = close_others,
        [KIN__OS_SPAWN_LIMITS] = set_limits,     [KIN__OS_SPAWN_GROUPS] = set_groups,
        [KIN__OS_SPAWN_GID] = set_gid,           [KIN__OS_SPAWN_UID] = set_uid,
        [KIN__OS_SPAWN_UMASK] = set_umask,       [KIN__OS_SPAWN_CWD] = change_folder,
        [KIN__OS_SPAWN_SIGNALS] = reset_signals, [KIN__OS_SPAWN_EXEC] = run_program,
    };
    struct start *start = user;
    int code = 0;
    enum kin__os_spawn_stage stage = KIN__OS_SPAWN_START;
    while (code >= 0) { /* the last step returns only if it has failed */
        code = steps[++stage](start);
    }
    *start->report = (struct report){.stage = stage, .code = code};
    syscall(SYS_exit_group, 127);
    return 127; /* what calls it then ends as well */
}

/* ---- the parent ---- */

static_assert(sizeof(struct kin__os_limit) - offsetof(struct kin__os_limit, soft) ==
                  sizeof(struct rlimit64),
              "the kernel's layout from `soft` on");

/* clone3, of which libc has no function: the child calls run_child on the new stack. */
static long clone_with(struct clone_args *how, struct start *start)
{
#if defined __x86_64__
    long r = SYS_clone3;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %[start], %%rdi\n\t"
                     "mov %[run], %%rax\n\t"
                     "xor %%ebp, %%ebp\n\t" /* either may have been in there */
                     "call *%%rax\n\t"
                     "hlt\n"
                     "1:"
                     : "+a"(r)
                     : "D"(how), "S"(sizeof *how), [run] "r"(run_child), [start] "r"(start)
                     : "rcx", "r11", "cc", "memory");
    return r;
#elif defined __aarch64__
    register long r __asm__("x0") = (long)how;
    register long bytes __asm__("x1") = (long)sizeof *how;
    register long number __asm__("x8") = SYS_clone3;
    register struct start *argument __asm__("x9") = start;
    register int (*run)(void *) __asm__("x10") = run_child;
    __asm__ volatile("svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "mov x0, x9\n\t"
                     "blr x10\n\t"
                     "brk 0\n"
                     "1:"
                     : "+r"(r)
                     : "r"(bytes), "r"(number), "r"(argument), "r"(run)
                     : "cc", "memory");
    return r;
#else
    (void)how;
    (void)start;
    return -ENOSYS;
#endif
}

/* Process id, or a code. `ret_fd` stays as it was where the kernel does not know the flag. */
static int clone_once(struct start *start, int *ret_fd)
{
    int flags = CLONE_VFORK | CLONE_PIDFD | (start->keeps_memory ? CLONE_VM : 0);
    struct clone_args how = {
        .flags = (unsigned)flags | CLONE_CLEAR_SIGHAND,
        .pidfd = (uintptr_t)ret_fd,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)start->stack,
        .stack_size = STACK_BYTES,
    };
    long r = clone_with(&how, start);
    if (r != -ENOSYS && r != -EINVAL && r != -EPERM) { /* no such call, flag, or not in a sandbox */
        return (int)r;
    }
    start->has_handlers = true;
    r = clone(run_child, start->stack + STACK_BYTES, flags | SIGCHLD, start, ret_fd);
    return r < 0 ? -errno : (int)r;
}

/* The same, with all signals blocked, of this thread and so of the child. */
static int clone_quietly(struct start *start, int *ret_fd)
{
    const signal_set all = UINT64_MAX;
    signal_set before = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    int r = clone_once(start, ret_fd);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    return r;
}

/* Again after a while, where processes or memory are short; for a different time in each process
 * that fails at once with this one. */
static int clone_patiently(struct start *start, int *ret_fd)
{
    int r = clone_quietly(start, ret_fd);
    for (int i = 1; i < TRIES_MAX && (r == -EAGAIN || r == -ENOMEM); i++) {
        long pause_ns = PAUSE_NS << (i - 1);
        pause_ns += (long)(kin__os_random() % (uint64_t)pause_ns);
        nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
        r = clone_quietly(start, ret_fd);
    }
    return r;
}

/* The child has not become the program: it is ending, or is made to. */
static void reap(uint32_t pid)
{
    while (waitpid((pid_t)pid, NULL, __WALL) < 0 && errno == EINTR) {
    }
}

/* Children to come would take it for a standard stream, where this process has closed its own. It
 * stays where it is if there is no other place: the child runs. */
static void keep_off_streams(int *fd)
{
    int copy = -1;
    if (*fd <= STDERR_FILENO && kin__os_fd_copy(*fd, &copy) == 0) {
        kin__os_close(*fd);
        *fd = copy;
    }
}

static int run_start(struct start *start, struct kin__os_child *ret_child,
                     enum kin__os_spawn_stage *ret_stage)
{
    int fd = -1;
    int r = clone_patiently(start, &fd);
    if (r < 0) {
        *ret_stage = KIN__OS_SPAWN_START;
        return r;
    }
    uint32_t pid = (uint32_t)r;
    if (start->report->stage != KIN__OS_SPAWN_START) {
        reap(pid);
        kin__os_close(fd);
        *ret_stage = start->report->stage;
        return start->report->code;
    }
    r = fd < 0 ? kin__os_process_open(pid, &fd) : 0;
    if (r < 0) {
        kin__os_signal(pid, SIGKILL);
        reap(pid);
        *ret_stage = KIN__OS_SPAWN_START;
        return r;
    }
    keep_off_streams(&fd);
    *ret_child = (struct kin__os_child){.pid = pid, .fd = fd};
    return 0;
}

/* With a report that a child with a copy of the memory can write. */
static int run_apart(struct start *start, struct kin__os_child *ret_child,
                     enum kin__os_spawn_stage *ret_stage)
{
    void *page = mmap(NULL, sizeof *start->report, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        *ret_stage = KIN__OS_SPAWN_START;
        return -ENOMEM;
    }
    start->report = page;
    int r = run_start(start, ret_child, ret_stage);
    munmap(page, sizeof *start->report);
    return r;
}

/* PATH of an environment. */
static const char *path_of(char *const *envp)
{
    for (; *envp != NULL; envp++) {
        if (strncmp(*envp, "PATH=", 5) == 0) {
            return *envp + 5;
        }
    }
    return DEFAULT_PATH;
}

/* Writes the files to be tried for a program into `files`, or nowhere: NULL. Bytes of them. */
static size_t list_files(const struct start *start, char *files)
{
    const char *name = start->spawn->path;
    size_t name_bytes = strlen(name) + 1;
    const char *folder = start->searches ? path_of(start->envp) : "";
    size_t bytes = 0;
    for (bool is_last = false; !is_last; folder += !is_last) {
        size_t folder_bytes = strcspn(folder, ":");
        if (files != NULL) {
            memcpy(files + bytes, folder, folder_bytes);
            files[bytes + folder_bytes] = '/';
            memcpy(files + bytes + folder_bytes + (folder_bytes > 0), name, name_bytes);
        }
        bytes += folder_bytes + (folder_bytes > 0) + name_bytes;
        folder += folder_bytes;
        is_last = *folder == '\0';
    }
    if (files != NULL) {
        files[bytes] = '\0';
    }
    return bytes + 1;
}

int kin__os_spawn(const struct kin__os_spawn *spawn, struct kin__os_child *ret_child,
                  enum kin__os_spawn_stage *ret_stage)
{
    struct report report = {.stage = KIN__OS_SPAWN_START};
    struct start start;
    *ret_stage = KIN__OS_SPAWN_START;
    KIN__OS_FAULT(EMFILE);
    start.spawn = spawn;
    start.envp = spawn->envp != NULL ? spawn->envp : environ;
    start.keeps_memory = !spawn->has_uid && !spawn->has_gid && !spawn->has_groups;
    start.has_handlers = false;
    start.searches = spawn->searches && spawn->path[0] != '\0' && strchr(spawn->path, '/') == NULL;
    start.report = &report;
    size_t source_bytes = spawn->fd_count * sizeof *start.sources;
    char *room = kin__allocate(source_bytes + list_files(&start, NULL));
    if (room == NULL) {
        return -ENOMEM;
    }
    start.sources = (int *)(void *)room;
    if (source_bytes > 0) {
        memcpy(start.sources, spawn->fds, source_bytes);
    }
    list_files(&start, room + source_bytes);
    start.files = room + source_bytes;
    int r = start.keeps_memory ? run_start(&start, ret_child, ret_stage)
                               : run_apart(&start, ret_child, ret_stage);
    kin__release(room);
    return r;
}

int kin__os_null_open(int *ret_fd)
{
    KIN__OS_FAULT(EMFILE);
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    if (fd > STDERR_FILENO) {
        *ret_fd = fd;
        return 0;
    }
    int r = kin__os_fd_copy(fd, ret_fd);
    kin__os_close(fd);
    return r;
}

char *const *kin__os_environment(void)
{
    return environ;
}
