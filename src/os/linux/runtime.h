/* What the system layer knows about this process: its only mutable file-scope state. */
#ifndef KIN_OS_LINUX_RUNTIME_H
#define KIN_OS_LINUX_RUNTIME_H

#include <stdatomic.h>

struct backtrace_state;
struct kin__os_crash;

struct kin__os {
    struct backtrace_state *_Atomic symbols; /* made when first needed, kept */
    struct kin__os_crash *_Atomic crash;     /* where a crash is recorded; see crash.h */
    int crash_pid;                           /* whose crash */
    _Alignas(16) char crash_stack[65536];    /* of the handler: the thread that runs into the end of
                                              * its own stack has none */
};

extern struct kin__os kin__os;

#endif
