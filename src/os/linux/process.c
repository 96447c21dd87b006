#define _GNU_SOURCE
#include "os/process.h"
#include "os/clock.h"
#include "os/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint32_t kin__os_process_id(void)
{
    return (uint32_t)getpid();
}

int kin__os_fork(void)
{
    KIN__OS_FAULT(EAGAIN);
    pid_t pid = fork();
    return pid < 0 ? -errno : (int)pid;
}

int kin__os_at_exit(void (*hook)(int status, void *unused))
{
#ifdef __GLIBC__
    return on_exit(hook, NULL) != 0 ? -ENOMEM : 0;
#else
    (void)hook;
    return -ENOSYS;
#endif
}

_Noreturn void kin__os_exit_now(int status)
{
    _exit(status);
}

_Noreturn void kin__os_die(void)
{
    for (;;) {
        kill(getpid(), SIGKILL);
    }
}

void kin__os_die_with_parent(uint32_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != (pid_t)parent) {
        kin__os_die();
    }
}

int kin__os_signal(uint32_t pid, int number)
{
    return kill((pid_t)pid, number) != 0 ? -errno : 0;
}

int kin__os_signal_group(uint32_t group, int number)
{
    return kill(-(pid_t)group, number) != 0 ? -errno : 0;
}

int kin__os_process_open(uint32_t pid, int *ret_fd)
{
    KIN__OS_FAULT(EMFILE);
    long fd = syscall(SYS_pidfd_open, (pid_t)pid, 0); /* is close-on-exec by itself */
    if (fd < 0) {
        return -errno;
    }
    *ret_fd = (int)fd;
    return 0;
}

int kin__os_process_wait(int process_fd, int64_t deadline_ns)
{
    for (;;) {
        struct pollfd one = {.fd = process_fd, .events = POLLIN};
        int64_t left_ns = deadline_ns == INT64_MAX ? INT64_MAX : deadline_ns - kin__os_now_ns();
        struct timespec left = {.tv_sec = (time_t)(left_ns / 1000000000),
                                .tv_nsec = (long)(left_ns % 1000000000)};
        if (left_ns < 0) {
            left = (struct timespec){0};
        }
        int r = ppoll(&one, 1, deadline_ns == INT64_MAX ? NULL : &left, NULL);
        if (r > 0) {
            return 0;
        }
        if (r == 0) {
            return -ETIMEDOUT;
        }
    }
}

int kin__os_process_signal(int process_fd, int number)
{
    return syscall(SYS_pidfd_send_signal, process_fd, number, NULL, 0) != 0 ? -errno : 0;
}

/* Reaps a child that has ended: that one, or any (-1). Its id, or -EAGAIN, -ECHILD. */
static int reap(pid_t pid, int *ret_code)
{
    int status = 0;
    pid_t r = 0;
    do {
        r = waitpid(pid, &status, WNOHANG);
    } while (r < 0 && errno == EINTR);
    if (r <= 0) {
        return r < 0 ? -errno : -EAGAIN;
    }
    *ret_code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    return r;
}

int kin__os_process_reap(uint32_t pid, int *ret_code)
{
    int r = reap((pid_t)pid, ret_code);
    return r < 0 ? r : 0;
}

int kin__os_process_peek(uint32_t pid, int *ret_code)
{
    siginfo_t end = {0};
    int r = 0;
    do {
        r = waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT);
    } while (r < 0 && errno == EINTR);
    if (r < 0 || end.si_pid != (pid_t)pid) {
        return r < 0 ? -errno : -EAGAIN;
    }
    *ret_code = end.si_code == CLD_EXITED ? end.si_status : -end.si_status;
    return 0;
}

int kin__os_process_reap_any(uint32_t *ret_pid, int *ret_code)
{
    int r = reap(-1, ret_code);
    if (r < 0) {
        return r;
    }
    *ret_pid = (uint32_t)r;
    return 0;
}

void kin__os_become_subreaper(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

uint32_t kin__os_parent_id(void)
{
    return (uint32_t)getppid();
}

int kin__os_process_reap_opened(int process_fd, int *ret_code)
{
    siginfo_t end = {0};
    int r = 0;
    do {
        r = waitid(P_PIDFD, (id_t)process_fd, &end, WEXITED | WNOHANG);
    } while (r < 0 && errno == EINTR);
    if (r < 0) {
        return errno == EBADF ? -ECHILD : -errno;
    }
    if (end.si_pid == 0) {
        return -EAGAIN;
    }
    *ret_code = end.si_code == CLD_EXITED ? end.si_status : -end.si_status;
    return 0;
}

/* Reads a small file of /proc or /sys. Bytes read, 0 on any failure; zero-terminated. */
static size_t read_text(const char *path, char *text, size_t bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t got = read(fd, text, bytes - 1);
    close(fd);
    if (got < 0) {
        got = 0;
    }
    text[got] = '\0';
    return (size_t)got;
}

int kin__os_argument(uint32_t index, char *text, size_t bytes)
{
    FILE *arguments = fopen("/proc/self/cmdline", "re");
    int r = -ENOENT;
    int byte = 0;
    if (arguments == NULL) {
        return r;
    }
    for (uint32_t i = 0; i < index && byte != EOF;) {
        byte = getc(arguments);
        i += byte == '\0';
    }
    for (size_t length = 0; byte != EOF && length < bytes && r < 0; length++) {
        byte = getc(arguments);
        text[length] = (char)byte;
        r = byte == '\0' ? 0 : r;
    }
    fclose(arguments);
    return r;
}

const char *kin__os_program_name(void)
{
    return program_invocation_name;
}

int kin__os_adopt_fd(int fd)
{
    return fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ? -EBADF : 0;
}

/* Of /proc/PID/stat; all zero: it cannot be read. */
struct stat_fields {
    char state;            /* field 3 */
    uint64_t thread_count; /* field 20 */
    uint64_t start_time;   /* field 22 */
};

static struct stat_fields read_stat(uint32_t pid)
{
    struct stat_fields fields = {0};
    char path[32];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    if (read_text(path, text, sizeof text) == 0) {
        return fields;
    }
    char *field = strrchr(text, ')'); /* the name before it may hold anything */
    for (int i = 3; field != NULL && i <= 22; i++) {
        field = strchr(field + 1, ' ');
        if (field != NULL && i == 3) {
            fields.state = field[1];
        } else if (field != NULL && i == 20) {
            fields.thread_count = strtoull(field + 1, NULL, 10);
        } else if (field != NULL && i == 22) {
            fields.start_time = strtoull(field + 1, NULL, 10);
        }
    }
    return fields;
}

uint64_t kin__os_process_clock(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Whether a process was started after a time. The start is known in ticks, and lies in the one that
 * begins then: if the time does too, it is the same process as far as can be seen. */
static bool has_started_after(uint64_t start_time, uint64_t time_ns)
{
    uint64_t tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
    return start_time > time_ns / tick_ns;
}

/* Whether it is a child of this process that can be waited for: then no thread of it is left. */
static bool is_ended_child(uint32_t pid)
{
    siginfo_t end = {0};
    int r = waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT);
    return r == 0 && end.si_pid == (pid_t)pid;
}

bool kin__os_process_is_gone(uint32_t pid, uint64_t time_ns, int64_t deadline_ns)
{
    int fd = -1;
    if (kin__os_process_open(pid, &fd) == -ESRCH) {
        return true;
    }
    /* What cannot be read (no /proc, no fd left) proves nothing. */
    struct stat_fields now = read_stat(pid);
    bool is_gone = time_ns != 0 && has_started_after(now.start_time, time_ns);
    if (!is_gone && fd >= 0) {
        is_gone = kin__os_process_wait(fd, deadline_ns) == 0; /* all threads have ended */
    } else if (!is_gone) { /* no fd to be had; a zombie's other threads may run on */
        is_gone = (now.state == 'Z' && now.thread_count <= 1) || now.state == 'X' ||
                  kin__os_signal(pid, 0) == -ESRCH || is_ended_child(pid);
    }
    if (fd >= 0) {
        close(fd);
    }
    return is_gone;
}

bool kin__os_process_has_unmapped(uint32_t pid, int fd)
{
    char path[32];
    char line[512];
    struct stat file;
    bool is_mapped = false;
    if (fstat(fd, &file) != 0 || read_stat(pid).thread_count != 1) {
        return false;
    }
    snprintf(path, sizeof path, "/proc/%u/maps", pid);
    FILE *maps = fopen(path, "re");
    if (maps == NULL) {
        return false;
    }
    while (!is_mapped && fgets(line, sizeof line, maps) != NULL) {
        unsigned long long inode = 0;
        is_mapped = sscanf(line, "%*s %*s %*s %*s %llu", &inode) == 1 && inode == file.st_ino;
    }
    bool has_failed = ferror(maps) != 0;
    fclose(maps);
    return !is_mapped && !has_failed;
}

bool kin__os_fd_is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

bool kin__os_input_is_used(void)
{
    return __fbufsize(stdin) > 0 || feof_unlocked(stdin) || ferror_unlocked(stdin);
}

void kin__os_input_empty(int null_fd, bool is_used)
{
    /* Else it shares its parent's: no reason not to run. */
    if (dup2(null_fd, STDIN_FILENO) >= 0 && is_used) {
        __fpurge(stdin);
        clearerr(stdin);
    }
}
