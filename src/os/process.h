/* Processes: identity, start by fork, end, proof of death, signals. */
#ifndef KIN_OS_PROCESS_H
#define KIN_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t kin__os_process_id(void);

/* Forks. 0 in the child, its id in the parent, or -EAGAIN, -ENOMEM. */
int kin__os_fork(void);

/* Makes exit(3) call a function with its status, before those that were there. Not undone by fork.
 * 0, -ENOMEM, or -ENOSYS: the C library cannot. */
int kin__os_at_exit(void (*hook)(int status, void *unused));

/* An argument that the process was started with. 0, or -ENOENT: there are fewer, or it is longer,
 * or cannot be read. */
int kin__os_argument(uint32_t index, char *text, size_t bytes);

/* Argument 0, and a path of the program's file, also if that has been replaced meanwhile. */
const char *kin__os_program_name(void);
#define KIN__OS_PROGRAM_PATH "/proc/self/exe"

/* Takes over an fd that the process was started with: close-on-exec. 0, or -EBADF. */
int kin__os_adopt_fd(int fd);

/* Ends the process at once: no exit handlers run. */
_Noreturn void kin__os_exit_now(int status);

/* Kills the calling process with SIGKILL. */
_Noreturn void kin__os_die(void);

/* From now on the kernel kills the calling process when the thread that forked it ends. `parent`
 * is the process of that thread: if it is dead already, this does not return. */
void kin__os_die_with_parent(uint32_t parent);

/* Sends a signal by process id. 0, -ESRCH, -EPERM. */
int kin__os_signal(uint32_t pid, int number);

/* Sends a signal to all of a process group, of which at least a child that was not reaped is known
 * to be one. 0, -ESRCH, -EPERM. */
int kin__os_signal_group(uint32_t group, int number);

/* An fd for a process that is not reaped yet, close-on-exec: readable once all its threads
 * have ended. 0, -ESRCH, -EMFILE, -ENOMEM, -ENOSYS. */
int kin__os_process_open(uint32_t pid, int *ret_fd);

/* Waits until the fd of kin__os_process_open is readable. 0, or -ETIMEDOUT. */
int kin__os_process_wait(int process_fd, int64_t deadline_ns);

/* Sends a signal by fd: never hits another process. 0, or -ESRCH. */
int kin__os_process_signal(int process_fd, int number);

/* Reaps a child that has ended: `ret_code` is its exit status, or minus its signal. 0;
 * -EAGAIN: it runs; -ECHILD: not a child of this process, or reaped by somebody else. */
int kin__os_process_reap(uint32_t pid, int *ret_code);

/* The same by fd: never another child that has got the number of one that was waited for. -EINVAL:
 * the kernel cannot; -ECHILD also for an fd that is no process's. */
int kin__os_process_reap_opened(int process_fd, int *ret_code);

/* The same for any child of this process, which `ret_pid` names. -EAGAIN: all of them run; -ECHILD:
 * there is none. Only for a process whose children are all kin's own. */
int kin__os_process_reap_any(uint32_t *ret_pid, int *ret_code);

/* As kin__os_process_reap, but the child stays to be reaped: its id, and that of its group, cannot
 * become another's. */
int kin__os_process_peek(uint32_t pid, int *ret_code);

/* From now on the orphans among this process's descendants become its children. */
void kin__os_become_subreaper(void);

/* The process that the calling one is a child of. */
uint32_t kin__os_parent_id(void);

/* The clock of process starts, in ns after boot: not before the start of the calling process, and
 * before that of any that gets its id after its end. No system call. */
uint64_t kin__os_process_clock(void);

/* Whether no thread of the process that had an id at some time can run an instruction any more; one
 * that is about to end is waited for until the deadline. `time_ns`: that time; a process that was
 * started later is another. 0: not known, the caller is sure that the id has not been reused. */
bool kin__os_process_is_gone(uint32_t pid, uint64_t time_ns, int64_t deadline_ns);

/* Whether a process has replaced its program by exec, and with it the memory of which `fd` is
 * the file: it has one thread, and that does not map the file. What cannot be read is no proof.
 * For a process whose keeper is known to have ended: one that has just begun to run also maps
 * nothing. */
bool kin__os_process_has_unmapped(uint32_t pid, int fd);

/* Whether an fd is open. */
bool kin__os_fd_is_open(int fd);

/* Whether stdin has been read from. */
bool kin__os_input_is_used(void);

/* Makes standard input that of an fd of /dev/null, and forgets what a used stdin has read ahead: in
 * a child, where it would take from its parent what both read, and give back when it exits what the
 * parent has read. */
void kin__os_input_empty(int null_fd, bool is_used);

/* Cores on which threads of this process may run; at least 1. */
uint32_t kin__os_core_count(void);

/* Cores that this process may use: affinity, cut by the cgroup's CPU quota; at least 1. */
uint32_t kin__os_cpu_count(void);

/* Cores by the smallest quota of the control groups that a file in the form of /proc/self/cgroup
 * names, version 2 below `mount`, version 1 in the folder "cpu" there; rounded up, 0: none. */
uint32_t kin__os_cpu_quota(const char *groups_path, const char *mount);

/* --- signals of a process that kin has to itself: they arrive as something to read --- */

/* A set of signals, as the system has it. */
struct kin__os_signals {
    uint64_t words[16];
};

/* Blocks all signals of the calling thread; `ret_before` is what was blocked until then. */
void kin__os_signals_block(struct kin__os_signals *ret_before);

/* Blocks these, and no others. */
void kin__os_signals_restore(const struct kin__os_signals *before);

/* Makes an fd that is readable when a signal that is blocked has come, and gives the signal its
 * default meaning, which may have been inherited otherwise. Close-on-exec, reading does not block.
 * 0, or -EMFILE, -ENFILE, -ENOMEM. It is closed with kin__os_close. */
int kin__os_signal_fd_create(int number, int *ret_fd);

/* Takes what has come. */
void kin__os_signal_fd_clear(int fd);

/* --- SIGINT --- */

/* Has `handler` called for each, on any thread, where it may do what a signal handler may; waits in
 * the kernel go on. Not where the process was started with SIGINT ignored, as in the background:
 * then false, and it stays ignored. `ret_before` is for kin__os_interrupt_restore. */
struct kin__os_interrupt {
    _Alignas(16) unsigned char action[192]; /* a struct sigaction */
};

bool kin__os_interrupt_handle(void (*handler)(int number), struct kin__os_interrupt *ret_before);
void kin__os_interrupt_restore(const struct kin__os_interrupt *before);

/* From now on it means nothing to this process. */
void kin__os_interrupt_ignore(void);

/* Ends the process by it. For signal handlers too. */
_Noreturn void kin__os_interrupt_die(void);

#endif
