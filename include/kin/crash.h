/**
 * Crashes: what a child leaves that is ended by SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP
 * or SIGSYS, where its own program does not handle these.
 *
 *     Process-2: SIGSEGV at address 0x10, thread 4711
 *         read_header (parser.c:41)
 *         kin__call_run (call.c:127)
 *
 * The child notes signal, address and raw places in the code in the family's memory, and ends by
 * the signal. Its parent prints this to stderr when it learns of the end by kin_process_join,
 * kin_process_exit_code or in kin_fini, unless the child was started with `crash_is_quiet`. Names
 * and lines are those that the parent finds: of code that it has itself, of the same build, and
 * with the program's debugging information where there is any. Of other code (the child runs
 * another program, kin_context_set_executable) it prints the file and the place in it, for
 * addr2line.
 *
 * SIGBUS about memory that has gone bad before anybody has read it (BUS_MCEERR_AO) is a crash too,
 * for those who want to know that early: without a handler of their own it ends them.
 */
#ifndef KIN_CRASH_H
#define KIN_CRASH_H

#include <kin/process.h>

KIN_BEGIN

/** Most frames that are noted. */
#define KIN_CRASH_FRAMES_MAX 48

/** How a child crashed. */
typedef struct kin_crash {
    int32_t signal;
    int32_t thread;   /* the kernel's number of the thread that crashed */
    uint64_t address; /* that could not be accessed; of SIGILL and SIGFPE, of the instruction; 0 if
                       * somebody sent the signal */
    uint32_t frame_count;
    uint64_t frames[KIN_CRASH_FRAMES_MAX]; /* places in the code as this process has it, innermost
                                            * first; of callers, the byte before the return address;
                                            * 0: code that this process does not have */
} kin_crash;

/**
 * Reads how a child crashed. Returns 0, or -EAGAIN: it runs; -ENODATA: it did not crash, or so that
 * it could leave no word (killed, or out of stack in another thread than its first); -ESRCH,
 * -ECHILD, -EDEADLK, -EPIPE: see kin/process.h.
 *
 * Peer death: the record is the child's own, written while it dies: of one that is killed at that,
 * some of the frames are there, or nothing.
 */
KIN_API int kin_process_crash(kin_process *process, kin_crash *ret_crash);

/**
 * Writes it as above, at most `size` bytes with the final zero; NULL if `size` is 0. Returns how
 * many characters the whole takes, or the codes of kin_process_crash.
 */
KIN_API int kin_process_crash_format(kin_process *process, char *text, size_t size);

KIN_END

#endif
