/*
 * Starting a program: clone that shares memory, as vfork does, then exec.
 *
 * The child runs in this process's memory, on a stack of its own, while the calling thread is
 * suspended until the child has exec'd or ended. So nothing is copied, however large the process
 * is, and the child reports a failure {stage, code} by writing it where the caller reads it: no
 * pipe is needed, which children that other threads fork meanwhile would hold open.
 *
 * What must hold in the child, all of which is in spawn/child.c:
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
#include "os/linux/spawn/child.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIES_MAX 5
#define PAUSE_NS 1000000 /* before the second try; doubled for each that follows */
#define DEFAULT_PATH "/bin:/usr/bin"

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#endif

/* clone3, of which libc has no function: the child calls kin__spawn_child_run on the new stack. */
static long clone_with(struct clone_args *how, struct kin__spawn_start *start)
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
                     : "D"(how),
                       "S"(sizeof *how), [run] "r"(kin__spawn_child_run), [start] "r"(start)
                     : "rcx", "r11", "cc", "memory");
    return r;
#elif defined __aarch64__
    register long r __asm__("x0") = (long)how;
    register long bytes __asm__("x1") = (long)sizeof *how;
    register long number __asm__("x8") = SYS_clone3;
    register struct kin__spawn_start *argument __asm__("x9") = start;
    register int (*run)(void *) __asm__("x10") = kin__spawn_child_run;
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
static int clone_once(struct kin__spawn_start *start, int *ret_fd)
{
    int flags = CLONE_VFORK | CLONE_PIDFD | (start->keeps_memory ? CLONE_VM : 0);
    struct clone_args how = {
        .flags = (unsigned)flags | CLONE_CLEAR_SIGHAND,
        .pidfd = (uintptr_t)ret_fd,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)start->stack,
        .stack_size = KIN__SPAWN_STACK_BYTES,
    };
    long r = clone_with(&how, start);
    if (r != -ENOSYS && r != -EINVAL && r != -EPERM) { /* no such call, flag, or not in a sandbox */
        return (int)r;
    }
    start->has_handlers = true;
    r = clone(kin__spawn_child_run, start->stack + KIN__SPAWN_STACK_BYTES, flags | SIGCHLD, start,
              ret_fd);
    return r < 0 ? -errno : (int)r;
}

/* The same, with all signals blocked, of this thread and so of the child. */
static int clone_quietly(struct kin__spawn_start *start, int *ret_fd)
{
    const kin__spawn_signals all = UINT64_MAX;
    kin__spawn_signals before = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    int r = clone_once(start, ret_fd);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof before);
    return r;
}

/* Again after a while, where processes or memory are short; for a different time in each process
 * that fails at once with this one. */
static int clone_patiently(struct kin__spawn_start *start, int *ret_fd)
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

static int run_start(struct kin__spawn_start *start, struct kin__os_child *ret_child,
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
static int run_apart(struct kin__spawn_start *start, struct kin__os_child *ret_child,
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
static size_t list_files(const struct kin__spawn_start *start, char *files)
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
    struct kin__spawn_report report = {.stage = KIN__OS_SPAWN_START};
    struct kin__spawn_start start;
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
