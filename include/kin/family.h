/**
 * The family: all processes that descend from one kin_init(), and the memory they share.
 *
 * A family has one shared memory, mapped by each of its processes. Everything that can be
 * shared (a lock, a queue, an event ...) lives there and is named by a kin_handle. Nothing
 * has a name in the file system, so nothing is left behind, however the family ends.
 */
#ifndef KIN_FAMILY_H
#define KIN_FAMILY_H

#include <kin/export.h>
#include <stddef.h>
#include <stdint.h>

KIN_BEGIN

/**
 * The name of a shared object: 16 bytes that mean the same in every process of the family.
 * A handle does not keep its object alive; once the object is gone, a handle to it is refused
 * with -ESTALE and never comes to mean another object.
 */
typedef struct kin_handle {
    uint32_t index;
    uint32_t family;
    uint64_t counter;
} kin_handle;

/**
 * Who can use an object. One that only the threads of one process use is kept from others by
 * KIN_SCOPE_PROCESS: to open it elsewhere is refused with -EACCES, and in a forked child the copy
 * of what its parent had is refused with -ESTALE.
 */
typedef enum kin_scope { KIN_SCOPE_FAMILY, KIN_SCOPE_PROCESS } kin_scope;

/** Bytes that somebody else owns. */
typedef struct kin_bytes {
    const void *data;
    size_t size;
} kin_bytes;

/** Sets the fields of an options struct, and its size, at the call site (C only). */
#define KIN_OPTIONS(type, ...) (&(const type){.size = sizeof(type), __VA_ARGS__})

/** What kin_init_with can be told. */
typedef struct kin_family_options {
    size_t size; /* of this struct */

    /* Most bytes that the family's memory can grow to. Address space, not memory: what is not
     * in use costs nothing. Default: 64 GiB, or less where the limits on address space or file
     * size (RLIMIT_AS, RLIMIT_FSIZE) demand it. At least 64 MiB. */
    uint64_t memory_bytes_max;

    /* How long kin_fini waits, in each process of the family, for children that are no daemons,
     * in ms. Those that run after that are ended: with SIGTERM, and with SIGKILL if that has not
     * helped after a tenth of a second. Default: it waits until they have ended. */
    int64_t grace_ms;
} kin_family_options;

/**
 * Makes this process the first of a family, or does nothing if it belongs to one already.
 * To be called as the first statement of main, before threads are started, with the addresses of
 * main's arguments, which are left as they are; without them (NULL), they are read from /proc.
 *
 * In a child that was started by spawn (kin/context.h), which its argument 1 tells, it does not
 * return: the child's function runs in here. What is no child for certain, whatever the argument
 * says, ends with a message and the exit status 1.
 *
 * Undone by kin_fini, which runs at exit by itself.
 *
 * Returns 0, or
 *   -ENOMEM      no memory, or the limits leave less than 64 MiB of address space
 *   -ENOSYS      the kernel lacks memfd_create or robust futexes
 *   KIN_EFUNCTION  two functions are registered under one name (see kin/call.h)
 */
KIN_API int kin_init(int *argc, char ***argv);

/** As kin_init, with options. -EINVAL: an option is out of its range. */
KIN_API int kin_init_with(int *argc, char ***argv, const kin_family_options *options);

/**
 * Leaves the family: finalizers run (kin/finalizer.h), daemon children are ended, others are
 * waited for, the shared memory is let go. Every object of this process must have been freed
 * before; pointers to those that were not are invalid afterwards. Runs at exit by itself, can be
 * called earlier, and may be called again. Not to be called while other threads are inside kin, nor
 * by another thread than the one that called kin_init while that runs: then it may do nothing.
 */
KIN_API void kin_fini(void);

/**
 * How many cores this process can really use: its affinity mask, cut by the CPU quota of its
 * control group, at least 1.
 */
KIN_API uint32_t kin_cpu_count(void);

KIN_END

#endif
