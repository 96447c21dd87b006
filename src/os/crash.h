/**
 * What is known of a process that crashed: written by the process itself, from the handler of the
 * signal, into memory that others map.
 *
 * The frames are raw: a program counter as a place in a module, since other processes have their
 * modules elsewhere, and others: a child may run another program. A module is the same where its
 * build is, as the linker has noted it, or its file's name where that has noted none. Names are
 * looked up by who reads.
 *
 *     NONE -> BEGUN     the first thread that crashes; others just die
 *     BEGUN -> TOLD     signal and address stand; a frame counts once `frame_count` covers it
 */
#ifndef KIN_OS_CRASH_H
#define KIN_OS_CRASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIN__OS_CRASH_FRAMES 48u
#define KIN__OS_CRASH_MODULES 6u
#define KIN__OS_CRASH_MODULE_BYTES 104u
#define KIN__OS_CRASH_PROGRAM_BYTES 56u

enum kin__os_crash_state { KIN__OS_CRASH_NONE, KIN__OS_CRASH_BEGUN, KIN__OS_CRASH_TOLD };

struct kin__os_crash_frame {
    uint64_t offset; /* in the module; of a frame that called, the byte before the return address */
    uint32_t module; /* KIN__OS_CRASH_MODULES or more: none, `offset` is the address */
    uint32_t reserved;
};

/* Shared memory; written by the process that crashes. */
struct kin__os_crash {
    _Atomic uint32_t state;
    int32_t signal;
    uint64_t address; /* what was accessed; of SIGILL and SIGFPE, the instruction */
    int32_t code;     /* si_code: who or what sent the signal */
    uint32_t tid;
    _Atomic uint32_t frame_count;
    uint32_t module_count;
    struct kin__os_crash_frame frames[KIN__OS_CRASH_FRAMES];
    char modules[KIN__OS_CRASH_MODULES][KIN__OS_CRASH_MODULE_BYTES]; /* paths; "": the program */
    uint64_t builds[KIN__OS_CRASH_MODULES];                          /* 0: nobody knows */
    char program[KIN__OS_CRASH_PROGRAM_BYTES]; /* what the program's file is called; "": unknown */
};

/* From now on the process records there how it crashes: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT,
 * SIGTRAP and SIGSYS, where the program has not said what is to happen. It ends by the signal all
 * the same. An overflow of the stack is recorded on the calling thread. NULL: no longer. */
void kin__os_crash_watch(struct kin__os_crash *place);

/* Copies a record, which may be anything, so that it is sound. False: there is none. */
bool kin__os_crash_read(const struct kin__os_crash *place, struct kin__os_crash *ret_crash);

/* Where the place of a frame is in this process; 0: its module is not here, or another one of that
 * name. Of a sound record. */
uint64_t kin__os_crash_address(const struct kin__os_crash *crash, uint32_t frame);

/* "SIGSEGV" and the like; "signal 77" for what is none of these. */
void kin__os_crash_signal_name(int number, char *text, size_t size);

#endif
